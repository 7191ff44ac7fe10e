-- Reads a pool's counts, after giving back what is due.
-- KEYS[1..4] as include/reservation.lua
--include clock
--include reservation
if redis.call('EXISTS', KEYS[1]) == 0 then return {'unknown_pool', now} end
sweep(SWEEP)
return {'read', now, count('total'), count('available'), count('held'), count('sold')}
