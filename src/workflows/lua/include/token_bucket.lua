local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored = redis.call('GET', KEYS[1])
local size, full = tonumber(ARGV[2]), now
if stored then
  full = tonumber(stored)
  if not full then
    -- A block stands before it, as include/blockable has it.
    local till, length, state = stored:match('^b(%d+) (%d+) (.*)$')
    local left = till - now
    full = tonumber(state) or now
    if left > tonumber(length) or full > now + size then
      left, full = math.min(left, length), math.min(full, now + size)
      redis.call('SET', KEYS[1], string.format('b%.0f %s %.0f', now + left, length, full), 'KEEPTTL')
    end
    if left > 0 then return {'blocked', 0, math.ceil(left / 1000)} end
  end
  if full < now then full = now end
end
local used = full - now + ARGV[3]
if used <= size then
  local ms = math.ceil(used / 1000)
  redis.call('SET', KEYS[1], now + used, 'PX', ms + 1)
  return {'allowed', 0, math.floor((size - used) / ARGV[1]), ms}
end
if tonumber(ARGV[3]) > size then return {'too_large', 0, math.floor(size / ARGV[1])} end
-- Emptier than empty: the clock was set back, or the bucket made smaller. Written down, or it would not refill.
if full > now + size then
  full = now + size
  redis.call('SET', KEYS[1], full, 'PX', math.ceil(size / 1000) + 1)
end
return {'denied', 0, math.floor((now + size - full) / ARGV[1]), math.ceil((full - now - size + ARGV[3]) / 1000)}
