-- Makes a member due at a moment, or after a delay. A claim on it ends: the newer plan counts.
-- KEYS[1] the members by when they are due, KEYS[2] their claims
-- ARGV[1] the member, ARGV[2] at or in, ARGV[3] the moment or the delay, in ms
--include clock
local now = clock()
local due = ARGV[2] == 'in' and now + ARGV[3] or tonumber(ARGV[3])
local added = redis.call('ZADD', KEYS[1], due, ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return {added == 1 and 'scheduled' or 'moved', now, due}
