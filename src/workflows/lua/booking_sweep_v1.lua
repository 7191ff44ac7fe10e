-- Takes out past nights.
-- KEYS[1] guests by night, KEYS[2] the nights in order
-- ARGV[1] at most so many, ARGV[2] how many days past nights are kept
--include clock
--include booking
local keep = oldest(tonumber(ARGV[2]))
local removed = prune(keep, tonumber(ARGV[1]))
local more = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. string.format('%.0f', keep)) > 0
return {more and 'partial' or 'done', removed}
