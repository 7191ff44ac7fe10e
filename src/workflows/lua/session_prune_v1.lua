-- Removes sessions whose time is over, so many in one call.
-- KEYS[1] the user's sessions, KEYS[2] what they hold
-- ARGV[1] how many at most
--include clock
--include session
local now = clock()
-- Counted before: a key that has gone must not be touched again while its slot moves.
local over = redis.call('ZCOUNT', KEYS[1], '-inf', string.format('%.0f', now))
local count = prune(now, ARGV[1])
local left = over - count
return {left > 0 and 'partial' or 'pruned', count, left}
