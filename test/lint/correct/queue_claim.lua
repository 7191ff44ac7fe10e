-- KEYS[1] = waiting, KEYS[2] = leases by due time, KEYS[3] = jobs, KEYS[4] = dead
-- ARGV[1] = token, ARGV[2] = lease ms, ARGV[3] = attempts
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for _ = 1, 10 do
  local popped = redis.call('ZPOPMIN', KEYS[1])
  if #popped == 0 then return {'empty'} end
  local id = popped[1]
  local attempts = redis.call('HINCRBY', KEYS[3], id .. ':attempts', 1)
  if attempts > tonumber(ARGV[3]) then
    redis.call('LPUSH', KEYS[4], id)
  else
    redis.call('ZADD', KEYS[2], now + ARGV[2], id)
    redis.call('HSET', KEYS[3], id .. ':token', ARGV[1])
    return {'claimed', id, attempts, redis.call('HGET', KEYS[3], id)}
  end
end
return {'busy'}
