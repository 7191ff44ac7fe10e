-- KEYS[1] = lock key, KEYS[2] = fence counter
-- ARGV[1] = token, ARGV[2] = lease ms
local owner = redis.call('GET', KEYS[1])
if owner == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {'reentered', redis.call('GET', KEYS[2])}
end
if owner then return {'held', redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'acquired', redis.call('INCR', KEYS[2])}
