-- KEYS[1] = scores, KEYS[2] = order of arrival, KEYS[3] = arrival counter
local best = redis.call('ZSCORE', KEYS[1], ARGV[1])
if best and tonumber(best) >= tonumber(ARGV[2]) then return {'kept', best} end
local n = redis.call('INCR', KEYS[3])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[2], n, ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -101)
local page = redis.call('ZRANGE', KEYS[1], '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 10, 'WITHSCORES')
local out = {}
for i = 1, #page, 2 do out[#out + 1] = {page[i], page[i + 1]} end
return {'set', out, redis.call('ZREVRANK', KEYS[1], ARGV[1])}
