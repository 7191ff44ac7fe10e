-- Gives a session another id, in both places; the old one is gone. Data, age and end stay.
-- KEYS[1] the user's sessions, KEYS[2] what they hold
-- ARGV[1] the session, ARGV[2] its new id
--include clock
--include session
local now = clock()
local ends, created, _, data = live(ARGV[1], now)
local other, _, from = live(ARGV[2], now)
if not ends then
  -- The same call, sent again because its reply was lost.
  if other and from == ARGV[1] then return {'rotated', 1, now, ARGV[2], other} end
  return {'gone', 0, now}
end
if other then return {'exists', 0, now} end
-- In this order the keys are never empty in between: one that is could not be written while its slot moves.
keep(ARGV[2], ends, tonumber(created), ARGV[1], data)
forget({ARGV[1]})
return {'rotated', 0, now, ARGV[2], ends}
