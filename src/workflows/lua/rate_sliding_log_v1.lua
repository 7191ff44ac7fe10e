-- Keeps the moment of each thing taken, so that no window of this length, wherever it begins, has more than the limit.
-- Members are numbers that grow, padded so that they sort; two things of one moment are two members.
-- KEYS[1] the log, KEYS[2] the block, KEYS[3] the record of the request, where there is one
-- ARGV[1] take, peek, penalty, reward or block, ARGV[2] the limit, ARGV[3] the window's length in ms,
-- ARGV[4] the cost, or the ms of a block, ARGV[5] the record's lifetime in ms
--include request
--include micros
--include blockable
local before = remembered(KEYS[3])
if before then return before end

local op, limit, length, amount = ARGV[1], tonumber(ARGV[2]), ARGV[3] * 1000, tonumber(ARGV[4])
local now = micros()
local stored = redis.call('GET', KEYS[2]) or ''
local left, block = unblocked(stored, now)
local gone = string.format('%.0f', now - length)
local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
local back = newest[2] and tonumber(newest[2]) > now
local used = redis.call('ZCOUNT', KEYS[1], '(' .. gone, '+inf')

-- What the log says of the future was written before the clock was set back: it counts from now.
local function clamp()
  local future = '(' .. string.format('%.0f', now)
  local ahead = redis.call('ZRANGEBYSCORE', KEYS[1], future, '+inf', 'LIMIT', 0, limit)
  for i = 1, #ahead do redis.call('ZADD', KEYS[1], now, ahead[i]) end
  redis.call('PEXPIRE', KEYS[1], math.ceil(length / 1000) + 1)
end

-- How long until nothing of it is left, in ms.
local function lasts()
  if used == 0 then return 0 end
  return math.ceil((math.min(newest[2], now) + length - now) / 1000)
end

-- When the last of those has left that must leave first.
local function wait()
  local rank = redis.call('ZCARD', KEYS[1]) + amount - limit - 1
  local entry = redis.call('ZRANGE', KEYS[1], rank, rank, 'WITHSCORES')
  return math.ceil((math.min(entry[2], now) + length - now) / 1000)
end

local function add(n)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', gone)
  local number, words = tonumber(newest[1] or 0), {}
  for i = 1, n do
    words[#words + 1] = now
    words[#words + 1] = string.format('%016.0f', number + i)
    if #words == 1000 or i == n then
      redis.call('ZADD', KEYS[1], unpack(words))
      words = {}
    end
  end
  newest = {nil, now}
  used = used + n
  redis.call('PEXPIRE', KEYS[1], math.ceil(length / 1000) + 1)
end

if op == 'take' or op == 'peek' then
  if amount > limit then return {'too_large', 0, limit} end
  if op == 'take' and back then clamp() end
  if left > 0 then
    if op == 'take' and block ~= stored then redis.call('SET', KEYS[2], block, 'KEEPTTL') end
    return {'blocked', 0, math.ceil(left / 1000)}
  end
  if used + amount > limit then return {'denied', 0, math.max(limit - used, 0), wait()} end
  if op == 'peek' then return {'allowed', 0, limit - used, lasts()} end
  add(amount)
elseif op == 'block' then
  left = amount * 1000
  store(KEYS[2], left > 0 and string.format('b%.0f %.0f ', now + left, left) or '', '', left)
  return {'done', 0}
else
  if back then clamp() end
  if op == 'penalty' then
    local n = math.min(amount, limit - used)
    if n > 0 then add(n) end
  else
    -- The newest go, as if they had not been taken.
    local n = math.min(amount, used)
    if n > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], -n, -1) end
    used = used - n
    newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
  end
end
return remember(KEYS[3], ARGV[5], {op == 'take' and 'allowed' or 'adjusted', 0, math.max(limit - used, 0), lasts()})
