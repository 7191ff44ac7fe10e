-- Holds some of a pool for a time. The hold has no EXPIRE: it would take its stock with it.
-- KEYS[1..4] as include/reservation.lua
-- ARGV[1] hold, ARGV[2] quantity, ARGV[3] for how long in ms, ARGV[4] how long and ARGV[5] how many finished holds are
-- remembered
--include clock
--include reservation
if redis.call('EXISTS', KEYS[1]) == 0 then return {'unknown_pool', 0, now} end
sweep(SWEEP)
forget(tonumber(ARGV[4]), tonumber(ARGV[5]))

local quantity = tonumber(ARGV[2])
local hold = hold_of(ARGV[1])
if hold then
  if hold.quantity ~= quantity then return {'hold_reused', 0, now} end
  -- The sweep may not have come so far.
  if hold.state == 'held' and now >= hold.due then finish(ARGV[1], hold, 'expired') end
  if hold.state == 'held' then return {'held', 1, now, hold.due} end
  return {'already_' .. hold.state, 1, now}
end

local available = count('available')
if available < quantity then return {'insufficient', 0, now, available} end
local due = now + ARGV[3]
-- In this order: where the sweep has emptied a key, it cannot be written while its slot moves, and the script ends there.
redis.call('ZADD', KEYS[3], due, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], string.format('held %.0f %.0f', quantity, due))
redis.call('HINCRBY', KEYS[1], 'available', -quantity)
redis.call('HINCRBY', KEYS[1], 'held', quantity)
return {'held', 0, now, due}
