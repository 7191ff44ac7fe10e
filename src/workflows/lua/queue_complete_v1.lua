-- Ends a claimed job well, as long as nobody has taken it back.
-- KEYS[1..7] as include/queue.lua, KEYS[8] how the claim with this token ended
-- ARGV[1] job, ARGV[2] token, ARGV[3] how long the end is remembered in ms
--include clock
--include queue
local ended = redis.call('GET', KEYS[8])
if ended then return ended == 'completed' and {'completed', 1} or {'lost', 0} end
if not owned(ARGV[1], ARGV[2]) then return {'lost', 0} end
redis.call('ZREM', KEYS[5], ARGV[1])
drop(ARGV[1])
redis.call('SET', KEYS[8], 'completed', 'PX', ARGV[3])
return {'completed', 0}
