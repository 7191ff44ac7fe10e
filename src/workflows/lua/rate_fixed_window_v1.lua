-- Counts within windows that begin at multiples of their length. The key holds the start of its window, in
-- microseconds, and what was used in it.
-- KEYS[1] the window, KEYS[2] the record of the request, where there is one
-- ARGV[1] take, peek, penalty, reward or block, ARGV[2] the limit, ARGV[3] the window's length in ms,
-- ARGV[4] the cost, or the ms of a block, ARGV[5] the record's lifetime in ms
--include request
--include micros
--include blockable
local before = remembered(KEYS[2])
if before then return before end

local op, limit, length, amount = ARGV[1], tonumber(ARGV[2]), ARGV[3] * 1000, tonumber(ARGV[4])
local now = micros()
local start = now - now % length
local ends = start + length - now
local stored = redis.call('GET', KEYS[1]) or ''
local left, block, state = unblocked(stored, now)
local from, used = state:match('^(%d+) (%d+)$')
-- A window that begins later than now: the clock was set back. What it counted counts in this one.
if not from or tonumber(from) < start then used = 0 end
used = math.min(used, limit)

local function keep()
  local text = used > 0 and string.format('%.0f %.0f', start, used) or ''
  store(KEYS[1], block, text, math.max(left, used > 0 and ends or 0))
end

if op == 'take' or op == 'peek' then
  if amount > limit then return {'too_large', 0, limit} end
  local denial
  if left > 0 then
    denial = {'blocked', 0, math.ceil(left / 1000)}
  elseif used + amount > limit then
    denial = {'denied', 0, limit - used, math.ceil(ends / 1000)}
  end
  if denial then
    -- Only after the clock was set back, or it would be denied until the clock is there again.
    if op == 'take' and (from and tonumber(from) > start or left > 0 and block .. state ~= stored) then keep() end
    return denial
  end
  if op == 'peek' then return {'allowed', 0, limit - used, used > 0 and math.ceil(ends / 1000) or 0} end
  used = used + amount
elseif op == 'penalty' then
  used = math.min(used + amount, limit)
elseif op == 'reward' then
  used = math.max(used - amount, 0)
else
  left = amount * 1000
  block = left > 0 and string.format('b%.0f %.0f ', now + left, left) or ''
end
keep()
if op == 'block' then return {'done', 0} end
local status = op == 'take' and 'allowed' or 'adjusted'
return remember(KEYS[2], ARGV[5], {status, 0, limit - used, used > 0 and math.ceil(ends / 1000) or 0})
