-- Gives a claim up: the effect did not happen.
-- KEYS[1] the record
-- ARGV[1] owner
local record = redis.call('HMGET', KEYS[1], 'state', 'owner')
if not record[1] then return {'abandoned', 1} end
if record[1] ~= 'P' or record[2] ~= ARGV[1] then return {'stale', 0} end
redis.call('DEL', KEYS[1])
return {'abandoned', 0}
