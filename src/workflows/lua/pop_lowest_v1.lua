-- Pops the lowest element, and remembers for the request which one it was.
-- KEYS[1] the sorted set, KEYS[2] the record of the request
-- ARGV[1] the record's lifetime in ms
--include request
local before = remembered(KEYS[2])
if before then return before end

local popped = redis.call('ZPOPMIN', KEYS[1])
if not popped[1] then return {'empty', 0} end
return remember(KEYS[2], ARGV[1], {'popped', 0, popped[1], popped[2]})
