-- Estimates a sliding window from two fixed ones: what this one counted, and of the one before it the share that the
-- sliding window still covers. The key holds the start of its window in milliseconds, this count and the one before.
-- KEYS[1] the counts, KEYS[2] the record of the request, where there is one
-- ARGV[1] take, peek, penalty, reward or block, ARGV[2] the limit, ARGV[3] the window's length in ms,
-- ARGV[4] the cost, or the ms of a block, ARGV[5] the record's lifetime in ms
--include request
--include micros
--include blockable
local before = remembered(KEYS[2])
if before then return before end

local op, limit, length, amount = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = micros()
local now = math.floor(time / 1000)
local start = now - now % length
local age = now - start
local stored = redis.call('GET', KEYS[1]) or ''
local left, block, state = unblocked(stored, time)
local from, count, last = state:match('^(%d+) (%d+) (%d+)$')
from, count, last = tonumber(from) or 0, tonumber(count) or 0, tonumber(last) or 0
-- A window that begins later than now: the clock was set back. What it counted counts in this one.
local back = from > start
if from + length == start then count, last = 0, count elseif from < start then count, last = 0, 0 end

-- Products of counts and milliseconds are whole and below 2^53; the caller sees to that.
local function room()
  return math.max(0, math.floor((limit * length - count * length - last * (length - age)) / length))
end

-- How long until nothing of it is left, in ms.
local function lasts()
  if count > 0 then return 2 * length - age end
  return last > 0 and length - age or 0
end

-- How long until so much fits, if nobody else comes: the first moment of this window, or of the next ones.
local function wait()
  local free = limit - count - amount
  if free >= 0 then
    local at = last > 0 and length - math.floor(free * length / last) or 0
    if at < length then return at - age end
  end
  local at = count > 0 and length - math.floor((limit - amount) * length / count) or 0
  return length - age + math.max(0, at)
end

local function keep()
  local text = lasts() > 0 and string.format('%.0f %.0f %.0f', start, count, last) or ''
  store(KEYS[1], block, text, math.max(left, lasts() * 1000))
end

if op == 'take' or op == 'peek' then
  if amount > limit then return {'too_large', 0, limit} end
  local denial
  if left > 0 then
    denial = {'blocked', 0, math.ceil(left / 1000)}
  elseif amount > room() then
    denial = {'denied', 0, room(), wait()}
  end
  if denial then
    -- Only after the clock was set back, or it would be denied until the clock is there again.
    if op == 'take' and (back or left > 0 and block .. state ~= stored) then keep() end
    return denial
  end
  if op == 'peek' then return {'allowed', 0, room(), lasts()} end
  count = count + amount
elseif op == 'penalty' then
  count = count + math.min(amount, room())
elseif op == 'reward' then
  count = math.max(count - amount, 0)
else
  left = amount * 1000
  block = left > 0 and string.format('b%.0f %.0f ', time + left, left) or ''
end
keep()
if op == 'block' then return {'done', 0} end
return remember(KEYS[2], ARGV[5], {op == 'take' and 'allowed' or 'adjusted', 0, room(), lasts()})
