-- Reads a value with its version, for a reader with a fence.
-- KEYS[1] the value, KEYS[2] its floor
-- ARGV[1] the fence, ARGV[2] the floor's lifetime in ms (0 for none)
--include int64
--include versioned
local fence = refusing(ARGV[1], ARGV[2])
if fence then return {'fenced', fence} end
local version, removed = current()
local kept = redis.call('HMGET', KEYS[1], 'version', 'value')
if kept[1] and kept[1] == version then return {'found', kept[2], version} end
return {'missing', version or '', removed and 1 or 0}
