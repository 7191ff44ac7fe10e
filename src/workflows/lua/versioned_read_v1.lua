-- Reads a value with its version.
-- KEYS[1] the value, KEYS[2] its floor
--include int64
--include versioned
local version, removed = current()
local kept = redis.call('HMGET', KEYS[1], 'version', 'value')
if kept[1] and kept[1] == version then return {'found', kept[2], version} end
return {'missing', version or '', removed and 1 or 0}
