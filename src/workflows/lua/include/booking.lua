-- What the scripts of a booking share. KEYS[1] guests by night, KEYS[2] the nights in order. A night is the number of
-- its day since 1970. Needs clock.
local function nights_between(from, to)
  local nights = {}
  for night = tonumber(from), tonumber(to) - 1 do nights[#nights + 1] = string.format('%.0f', night) end
  return nights
end

-- The first night that is kept.
local function oldest(keep_days)
  return math.floor(clock() / 86400000) - keep_days
end

-- Takes out nights before that, at most so many.
local function prune(before, limit)
  local past = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.0f', before), 'LIMIT', 0, limit)
  if #past > 0 then
    redis.call('HDEL', KEYS[1], unpack(past))
    redis.call('ZREM', KEYS[2], unpack(past))
  end
  return #past
end
