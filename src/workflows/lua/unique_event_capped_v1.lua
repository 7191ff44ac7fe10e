-- Says whether an event is seen for the first time in its window; at most so many events are remembered for a stream.
-- KEYS[1] events by the time of their first sight, KEYS[2] the tokens of their first calls
-- ARGV[1] the event, ARGV[2] the token of this call, ARGV[3] the window in ms, ARGV[4] how many events at most
--include clock
local now = clock()
-- A clock that was set back must not put new events before old ones: the oldest must stay the first to be forgotten.
local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
local time = math.max(now, tonumber(newest or 0))
local edge = time - ARGV[3]
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', edge, 'LIMIT', 0, 100)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if at and tonumber(at) > edge then
  local token = redis.call('HGET', KEYS[2], ARGV[1])
  if token == ARGV[2] then return {'first', 1, now, token, 0} end
  return {'duplicate', 0, now, string.format('%.0f', at)}
end
local forgotten = 0
local over = redis.call('ZCARD', KEYS[1]) + (at and 0 or 1) - ARGV[4]
if over > 0 then
  local popped = redis.call('ZPOPMIN', KEYS[1], math.min(over, 100))
  for i = 1, #popped, 2 do
    redis.call('HDEL', KEYS[2], popped[i])
    if tonumber(popped[i + 1]) > edge then forgotten = forgotten + 1 end
  end
end
redis.call('ZADD', KEYS[1], time, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local ends = string.format('%.0f', time + ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ends)
redis.call('PEXPIREAT', KEYS[2], ends)
return {'first', 0, now, ARGV[2], forgotten}
