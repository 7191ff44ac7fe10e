-- Gives a live session its ttl again, and new data where there is some. One that is gone stays gone.
-- KEYS[1] the user's sessions, KEYS[2] what they hold
-- ARGV[1] the session, ARGV[2] its ttl in ms, ARGV[3] its greatest age in ms, ARGV[4] 1 to write the data, ARGV[5] the data
--include clock
--include session
local now = clock()
local ends, created, from, data = live(ARGV[1], now)
if not ends then return {'gone', 0, now} end
local next_end = ends_at(now, tonumber(created), ARGV[2], ARGV[3])
if next_end <= now then
  forget({ARGV[1]})
  return {'gone', 0, now}
end
local writes = ARGV[4] == '1'
keep(ARGV[1], next_end, tonumber(created), from, writes and ARGV[5] or data)
return {writes and 'saved' or 'touched', 0, now, next_end}
