-- Writes the next version of a value, if the last one is the expected one.
-- KEYS[1] the value, KEYS[2] its floor, KEYS[3] the record of the request, where there is one
-- ARGV[1] the expected version or nothing, ARGV[2] the next, ARGV[3] the value, ARGV[4] its lifetime in ms, ARGV[5] the
-- floor's (0 for none), ARGV[6] the fence or nothing, ARGV[7] the record's lifetime in ms
--include int64
--include versioned
--include request
local before = remembered(KEYS[3])
if before then return before end
local fence = refusing(ARGV[6], ARGV[5])
if fence then return {'fenced', 0, fence} end
local known = current() or ''
if known ~= ARGV[1] then return {'conflict', 0, known} end
keep(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
return remember(KEYS[3], ARGV[7], {'written', 0, ARGV[2]})
