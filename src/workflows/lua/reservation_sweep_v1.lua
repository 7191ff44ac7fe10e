-- Gives back what expired holds have, and forgets old ones.
-- KEYS[1..4] as include/reservation.lua
-- ARGV[1] at most so many holds, ARGV[2] how long and ARGV[3] how many finished holds are remembered
--include clock
--include reservation
local holds, freed = sweep(tonumber(ARGV[1]))
forget(tonumber(ARGV[2]), tonumber(ARGV[3]))
local more = redis.call('ZCOUNT', KEYS[3], '-inf', now) > 0
return {more and 'partial' or 'done', now, holds, freed}
