-- What the scripts of a reservation share. KEYS[1] the pool's counts, KEYS[2] holds by id, KEYS[3] running holds by the
-- time they are due, KEYS[4] finished holds by the time they ended. A hold is 'state quantity due'.
local SWEEP = 50
local now = clock()

local function hold_of(id)
  local record = redis.call('HGET', KEYS[2], id)
  if not record then return nil end
  local state, quantity, due = record:match('^(%a+) (%d+) (%d+)$')
  return {state = state, quantity = tonumber(quantity), due = tonumber(due)}
end

-- A hold ends: as confirmed, cancelled or expired. Whatever came first took it from the running ones.
local function finish(id, hold, state)
  hold.state = state
  redis.call('HSET', KEYS[2], id, string.format('%s %.0f %.0f', state, hold.quantity, hold.due))
  redis.call('ZREM', KEYS[3], id)
  redis.call('ZADD', KEYS[4], now, id)
  redis.call('HINCRBY', KEYS[1], 'held', -hold.quantity)
  redis.call('HINCRBY', KEYS[1], state == 'confirmed' and 'sold' or 'available', hold.quantity)
end

local function sweep(limit)
  local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, limit)
  local freed = 0
  for _, id in ipairs(due) do
    local hold = hold_of(id)
    if hold then
      finish(id, hold, 'expired')
      freed = freed + hold.quantity
    else
      redis.call('ZREM', KEYS[3], id)
    end
  end
  return #due, freed
end

local function forget_all(ids)
  if #ids == 0 then return end
  redis.call('HDEL', KEYS[2], unpack(ids))
  redis.call('ZREM', KEYS[4], unpack(ids))
end

-- Finished holds are remembered for so long, and so many of them: two goes, each with an end.
local function forget(ms, most)
  forget_all(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now - ms, 'LIMIT', 0, SWEEP))
  local over = redis.call('ZCARD', KEYS[4]) - most
  if over > 0 then forget_all(redis.call('ZRANGE', KEYS[4], 0, math.min(over, 2 * SWEEP) - 1)) end
end

local function count(field)
  return tonumber(redis.call('HGET', KEYS[1], field) or '0')
end
