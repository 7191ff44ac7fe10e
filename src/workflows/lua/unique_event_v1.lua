-- Says whether an event is seen for the first time in its window; a key for each event.
-- KEYS[1] the event: 'time:token' of its first sight
-- ARGV[1] the token of this call, ARGV[2] the window in ms
--include clock
local now = clock()
local before = redis.call('GET', KEYS[1])
if before then
  local at, token = before:match('^(%d+):(.*)$')
  if token == ARGV[1] then return {'first', 1, now, token, 0} end
  return {'duplicate', 0, now, at}
end
redis.call('SET', KEYS[1], string.format('%.0f:', now) .. ARGV[1], 'PX', ARGV[2])
return {'first', 0, now, ARGV[1], 0}
