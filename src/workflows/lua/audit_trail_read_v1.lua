-- Reads a page of a trail: the entries behind a number, oldest first, and how many of those were dropped already.
-- KEYS[1] the trail, KEYS[2] the last number
-- ARGV[1] the number, ARGV[2] how many at most
local last = tonumber(redis.call('GET', KEYS[2]) or 0)
local first = last - redis.call('LLEN', KEYS[1]) + 1
local from = math.max(ARGV[1] + 1, first)
local entries = redis.call('LRANGE', KEYS[1], from - first, from - first + ARGV[2] - 1)
local status = from + #entries <= last and 'partial' or 'done'
return {status, last, math.max(first - ARGV[1] - 1, 0), entries}
