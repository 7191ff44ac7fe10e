-- Takes one of N places.
-- KEYS[1] the holders by the end of their leases, KEYS[2] the note of this holder's release
-- ARGV[1] the holder, ARGV[2] N, ARGV[3] the lease in ms
--include clock
local now = clock()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
local ends = now + ARGV[3]
local count = redis.call('ZCARD', KEYS[1])
if lease then
  ends = math.max(ends, tonumber(lease))
elseif count >= tonumber(ARGV[2]) then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return {'full', 0, now, count, string.format('%.0f', first[2] - now)}
else
  count = count + 1
  redis.call('DEL', KEYS[2])
end
redis.call('ZADD', KEYS[1], ends, ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], last[2])
return {'acquired', lease and 1 or 0, now, ARGV[1], count}
