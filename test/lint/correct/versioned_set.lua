-- KEYS[1] = value, KEYS[2] = version
local function newer(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
local known = redis.call('GET', KEYS[2])
if known and not newer(ARGV[1], known) then return {'stale', known} end
redis.call('MSET', KEYS[1], ARGV[2], KEYS[2], ARGV[1])
return {'written', ARGV[1]}
