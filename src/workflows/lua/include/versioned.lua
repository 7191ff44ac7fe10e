-- KEYS[1] the value with its version, KEYS[2] the floor, which outlives it: the last version, whether it was a removal,
-- and the greatest fence seen. Versions and fences are compared as text, for they may pass 2^53.
local function current()
  local floor = redis.call('HMGET', KEYS[2], 'version', 'removed')
  local kept = redis.call('HGET', KEYS[1], 'version')
  if kept and (not floor[1] or int_less(floor[1], kept)) then return kept, false end
  return floor[1], floor[2] == '1'
end

-- The greater fence that refuses this one, or nil. A new greatest one is remembered, by reads too: so a writer that was
-- replaced cannot write behind its successor's first read.
local function refusing(fence, ttl)
  if fence == '' then return nil end
  local last = redis.call('HGET', KEYS[2], 'fence')
  if last and int_less(fence, last) then return last end
  if last ~= fence then redis.call('HSET', KEYS[2], 'fence', fence) end
  if ttl ~= '0' then redis.call('PEXPIRE', KEYS[2], ttl) end
  return nil
end

-- Without a value it is a removal.
local function keep(version, value, ttl, floor_ttl)
  redis.call('HSET', KEYS[2], 'version', version, 'removed', value and 0 or 1)
  if floor_ttl ~= '0' then redis.call('PEXPIRE', KEYS[2], floor_ttl) end
  if not value then
    redis.call('DEL', KEYS[1])
    return
  end
  redis.call('HSET', KEYS[1], 'version', version, 'value', value)
  if ttl ~= '0' then redis.call('PEXPIRE', KEYS[1], ttl) end
end
