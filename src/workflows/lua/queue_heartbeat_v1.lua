-- Extends the lease of a claimed job. One that is over is not revived, taken back or not.
-- KEYS[1..7] as include/queue.lua
-- ARGV[1] job, ARGV[2] token, ARGV[3] lease in ms
--include clock
--include queue
local job, lease = owned(ARGV[1], ARGV[2])
if not job or lease <= now then return {'lost', now} end
lease = math.max(lease, now + ARGV[3])
redis.call('ZADD', KEYS[5], lease, ARGV[1])
return {'extended', now, lease}
