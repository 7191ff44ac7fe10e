-- Confirms or cancels a hold. One that is due by the server's clock has expired, whether it was swept or not.
-- KEYS[1..4] as include/reservation.lua
-- ARGV[1] hold, ARGV[2] 'confirmed' or 'cancelled', ARGV[3] how long and ARGV[4] how many finished holds are remembered
--include clock
--include reservation
sweep(SWEEP)
local hold = hold_of(ARGV[1])
if not hold then return {'unknown_hold', 0, now} end
if hold.state == 'held' and now >= hold.due then finish(ARGV[1], hold, 'expired') end
if hold.state == ARGV[2] then return {ARGV[2], 1, now, hold.quantity} end
if hold.state ~= 'held' then return {'already_' .. hold.state, 0, now} end
finish(ARGV[1], hold, ARGV[2])
forget(tonumber(ARGV[3]), tonumber(ARGV[4]))
return {ARGV[2], 0, now, hold.quantity}
