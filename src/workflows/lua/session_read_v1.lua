-- Reads a session, without touching it.
-- KEYS[1] the user's sessions, KEYS[2] what they hold
-- ARGV[1] the session
--include clock
--include session
local now = clock()
local ends, created, _, data = live(ARGV[1], now)
if not ends then return {'gone', now} end
-- holdfast-lint-disable-next-line nil-in-array: where there is an end there is all of it
return {'found', now, data, created, ends}
