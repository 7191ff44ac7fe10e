-- Counts the jobs of a queue.
-- KEYS[1..7] as include/queue.lua
local counts = {'counted'}
for i = 3, 6 do counts[#counts + 1] = redis.call('ZCARD', KEYS[i]) end
return counts
