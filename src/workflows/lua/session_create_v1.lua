-- Begins a session.
-- KEYS[1] the user's sessions, KEYS[2] what they hold
-- ARGV[1] the session, ARGV[2] its data, ARGV[3] its ttl in ms, ARGV[4] its greatest age in ms, ARGV[5] how many a user may
-- have (0 for any), ARGV[6] 1 to end the oldest where there are too many
--include clock
--include session
local now = clock()
prune(now, 50)
local ends, _, from, data = live(ARGV[1], now)
if ends then
  if from == '' and data == ARGV[2] then return {'created', 1, now, ARGV[1], ends, 0} end
  return {'exists', 0, now}
end
local oldest = {}
local most = tonumber(ARGV[5])
if most > 0 then
  local living = '(' .. string.format('%.0f', now)
  local count = redis.call('ZCOUNT', KEYS[1], living, '+inf')
  if count >= most then
    if ARGV[6] == '0' then return {'too_many', 0, now, count} end
    local over = math.min(count - most + 1, 100)
    oldest = redis.call('ZRANGEBYSCORE', KEYS[1], living, '+inf', 'LIMIT', 0, over)
  end
end
ends = ends_at(now, now, ARGV[3], ARGV[4])
-- In this order the keys are never empty in between: one that is could not be written while its slot moves.
keep(ARGV[1], ends, now, '', ARGV[2])
forget(oldest)
return {'created', 0, now, ARGV[1], ends, #oldest}
