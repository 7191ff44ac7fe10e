-- KEYS[1..n] the locks, ARGV[1] the token
local released = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    released = released + redis.call('DEL', KEYS[i])
  end
end
if released < #KEYS then return {'lost', released} end
return {'released', released}
