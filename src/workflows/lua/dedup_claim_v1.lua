-- Claims a request id for an effect outside, or says what became of it.
-- KEYS[1] the record: state P (in flight) or D (done), owner, result
-- ARGV[1] owner, ARGV[2] the lease in ms
local record = redis.call('HMGET', KEYS[1], 'state', 'owner', 'result')
local state, owner = record[1], record[2]
if state == 'D' then return {'done', 1, record[3]} end
if state and owner ~= ARGV[1] then return {'in_flight', 0, math.max(0, redis.call('PTTL', KEYS[1]))} end
redis.call('HSET', KEYS[1], 'state', 'P', 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'claimed', state and 1 or 0, ARGV[1]}
