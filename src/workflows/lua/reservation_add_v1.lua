-- Adds to a pool, and makes it where there is none.
-- KEYS[1] the pool's counts, KEYS[2] the record of the request, where there is one
-- ARGV[1] how many, ARGV[2] the record's lifetime in ms
--include request
local before = remembered(KEYS[2])
if before then return before end
local total = tonumber(redis.call('HGET', KEYS[1], 'total') or '0')
if total + ARGV[1] > 9007199254740991 then return {'too_many', 0, total} end
total = redis.call('HINCRBY', KEYS[1], 'total', ARGV[1])
local available = redis.call('HINCRBY', KEYS[1], 'available', ARGV[1])
return remember(KEYS[2], ARGV[2], {'added', 0, string.format('%.0f', total), string.format('%.0f', available)})
