-- Records that a request's effect has happened. Also where the claim ran out and nobody else has claimed since.
-- KEYS[1] the record
-- ARGV[1] owner, ARGV[2] result, ARGV[3] the window in ms
local record = redis.call('HMGET', KEYS[1], 'state', 'owner', 'result')
local state, owner = record[1], record[2]
if state and owner ~= ARGV[1] then return {'stale', 0} end
if state == 'D' then
  if record[3] == ARGV[2] then return {'recorded', 1} end
  return {'stale', 0}
end
redis.call('HSET', KEYS[1], 'state', 'D', 'owner', ARGV[1], 'result', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'recorded', 0}
