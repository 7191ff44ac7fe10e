-- Gives a holder another lease, unless its place is gone.
-- KEYS[1] the holders by the end of their leases
-- ARGV[1] the holder, ARGV[2] the lease in ms
--include clock
local now = clock()
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not lease or tonumber(lease) <= now then return {'lost', 0, now} end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], last[2])
return {'extended', 0, now}
