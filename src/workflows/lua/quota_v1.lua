-- Counts what is used of a quota in a period. The key holds 'slot:used' for each slot of time that still counts, oldest
-- first: one for a period of the calendar, at most ARGV[5] + 1 for a rolling one. A slot is named by its start in ms.
-- KEYS[1] the book, KEYS[2] the record of the request, where there is one
-- ARGV[1] consume, refund or read, ARGV[2] the limit, ARGV[3] month or even, ARGV[4] a slot's length in ms (even),
-- ARGV[5] how many slots before this one count, ARGV[6] ms by which the local time is ahead of UTC, ARGV[7] the amount,
-- ARGV[8] the slot of a refund, ARGV[9] the record's lifetime in ms
--include request
--include clock
local before = remembered(KEYS[2])
if before then return before end

local op, limit, length, slots = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
local ahead, amount, DAY = tonumber(ARGV[6]), tonumber(ARGV[7]), 86400000
local floor = math.floor
local now = clock()

-- The first day of the month that a day lies in; days since 1970. Years are taken to begin in March.
local function first_of_month(day)
  local inEra = (day + 719468) % 146097
  local year = floor((inEra - floor(inEra / 1460) + floor(inEra / 36524) - floor(inEra / 146096)) / 365)
  local inYear = inEra - (365 * year + floor(year / 4) - floor(year / 100))
  return day - (inYear - floor((153 * floor((5 * inYear + 2) / 153) + 2) / 5))
end

local start, ends
if ARGV[3] == 'month' then
  local first = first_of_month(floor((now + ahead) / DAY))
  start = first * DAY - ahead
  ends = first_of_month(first + 31) * DAY - ahead
else
  start = now - (now + ahead) % length
  ends = start + length
end
local oldest = start - slots * length

-- Slots that begin later than now: the clock was set back. What they counted counts in this one.
local book, used, back, current = {}, 0, false, {start, 0}
for slot, count in (redis.call('GET', KEYS[1]) or ''):gmatch('(%-?%d+):(%d+)') do
  slot, count = tonumber(slot), tonumber(count)
  if slot > start then back = true end
  if slot >= start then current[2] = current[2] + count elseif slot >= oldest then book[#book + 1] = {slot, count} end
  if slot >= oldest then used = used + count end
end
book[#book + 1] = current

-- When a slot does not count any more.
local function leaves(slot) return slots == 0 and ends or slot + (slots + 1) * length end

local function remaining() return math.max(limit - used, 0) end

local function keep()
  local words, last = {}, nil
  for _, entry in ipairs(book) do
    if entry[2] > 0 then
      last = entry[1]
      words[#words + 1] = string.format('%.0f:%.0f', entry[1], entry[2])
    end
  end
  if not last then return redis.call('DEL', KEYS[1]) end
  redis.call('SET', KEYS[1], table.concat(words, ' '), 'PX', leaves(last) - now)
end

if op == 'read' then return {'current', now, used, remaining(), start, leaves(start) - now} end

if op == 'refund' then
  local slot = math.min(tonumber(ARGV[8]), start)
  if slot < oldest then return {'period_over', 0, now, used, remaining()} end
  local given = 0
  for _, entry in ipairs(book) do
    if entry[1] == slot then
      given = math.min(amount, entry[2])
      entry[2] = entry[2] - given
    end
  end
  used = used - given
  keep()
  return remember(KEYS[2], ARGV[9], {'refunded', 0, now, given, used, remaining()})
end

if amount > limit then return {'too_large', 0, now, limit} end
if used + amount > limit then
  -- Only after the clock was set back, or it would be exceeded until the clock is there again.
  if back then keep() end
  local freed, wait = 0, nil
  for _, entry in ipairs(book) do
    freed = freed + entry[2]
    if used - freed + amount <= limit then
      wait = leaves(entry[1]) - now
      break
    end
  end
  return {'exceeded', 0, now, used, remaining(), wait}
end
current[2] = current[2] + amount
used = used + amount
keep()
return remember(KEYS[2], ARGV[9], {'consumed', 0, now, used, remaining(), start, leaves(start) - now})
