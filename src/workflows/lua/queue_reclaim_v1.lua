-- Takes back jobs whose lease is over.
-- KEYS[1..7] as include/queue.lua
-- ARGV[1] at most so many, ARGV[2] how many dead jobs are kept
--include clock
--include queue
local returned, died = reclaim(tonumber(ARGV[1]), tonumber(ARGV[2]))
local more = redis.call('ZCOUNT', KEYS[5], '-inf', now) > 0
return {more and 'partial' or 'done', now, returned, died}
