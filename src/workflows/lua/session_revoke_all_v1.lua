-- Ends a user's sessions, so many in one call.
-- KEYS[1] the user's sessions, KEYS[2] what they hold
-- ARGV[1] the session to keep or nothing, ARGV[2] how many at most
--include session
local most = tonumber(ARGV[2])
local ids = {}
-- One more than that, for the one that is kept.
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, most)) do
  if id ~= ARGV[1] and #ids < most then ids[#ids + 1] = id end
end
-- Counted before: a key that has gone must not be touched again while its slot moves.
local left = redis.call('ZCARD', KEYS[1]) - #ids
if ARGV[1] ~= '' and redis.call('ZSCORE', KEYS[1], ARGV[1]) then left = left - 1 end
forget(ids)
return {left > 0 and 'partial' or 'revoked', #ids, left}
