-- Gives the owner of an execution another lease. One that ran out and was not taken over goes on.
-- KEYS[1] the record
-- ARGV[1] owner, ARGV[2] the lease in ms, ARGV[3] the record's lifetime in ms
--include clock
--include idempotency
local now = clock()
local record = load_record()
if record.state ~= 'P' or record.owner ~= ARGV[1] then return {'stale', 0, now, record.attempt} end
redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'extended', 0, now, record.attempt}
