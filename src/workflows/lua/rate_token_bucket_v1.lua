-- Looks at a token bucket, blocks it, or changes what is in it; rate_token_bucket_take takes from it.
-- KEYS[1] the bucket, KEYS[2] the record of the request, where there is one
-- ARGV[1] peek, penalty, reward or block, ARGV[2] microseconds of one token, ARGV[3] of the whole bucket,
-- ARGV[4] tokens, or the ms of a block, ARGV[5] the record's lifetime in ms
--include request
--include micros
--include blockable
local before = remembered(KEYS[2])
if before then return before end

local op, interval, size, amount = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = micros()
local left, block, state = unblocked(redis.call('GET', KEYS[1]) or '', now)
-- What is missing in the bucket, at most all of it.
local used = math.min(math.max((tonumber(state) or now) - now, 0), size)

if op == 'peek' then
  local after = used + amount * interval
  if after - used > size then return {'too_large', 0, size / interval} end
  if left > 0 then return {'blocked', 0, math.ceil(left / 1000)} end
  local remaining = math.floor((size - used) / interval)
  if after > size then return {'denied', 0, remaining, math.ceil((after - size) / 1000)} end
  return {'allowed', 0, remaining, math.ceil(used / 1000)}
end

if op == 'block' then
  left = amount * 1000
  block = left > 0 and string.format('b%.0f %.0f ', now + left, left) or ''
elseif op == 'penalty' then
  used = math.min(used + amount * interval, size)
else
  used = math.max(used - amount * interval, 0)
end
store(KEYS[1], block, used > 0 and string.format('%.0f', now + used) or '', math.max(left, used))
if op == 'block' then return {'done', 0} end
local remaining = math.floor((size - used) / interval)
return remember(KEYS[2], ARGV[5], {'adjusted', 0, remaining, math.ceil(used / 1000)})
