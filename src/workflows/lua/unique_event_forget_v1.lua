-- Forgets an event that this token saw first: it was not dealt with.
-- KEYS[1] the event's key; or the events of a stream and KEYS[2] their tokens
-- ARGV[1] the event, ARGV[2] the token of its first call
local token
if KEYS[2] then
  token = redis.call('HGET', KEYS[2], ARGV[1])
else
  token = (redis.call('GET', KEYS[1]) or ''):match('^%d+:(.*)$')
end
if not token then return {'forgotten', 1} end
if token ~= ARGV[2] then return {'not_first', 0} end
if KEYS[2] then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
else
  redis.call('DEL', KEYS[1])
end
return {'forgotten', 0}
