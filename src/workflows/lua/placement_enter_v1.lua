-- Puts a player on a free cell.
-- KEYS[1] where the player stands, KEYS[2] who stands on the cell
-- ARGV[1] player, ARGV[2] cell
local at = redis.call('GET', KEYS[1])
if at == ARGV[2] then return {'entered', 1, at} end
if at then return {'already_inside', 0, at} end
local by = redis.call('GET', KEYS[2])
if by then return {'blocked', 0, by} end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
return {'entered', 0, ARGV[2]}
