-- Moves a player from the cell where the caller saw him to a free one.
-- KEYS[1] where the player stands, KEYS[2] who stands on the old cell, KEYS[3] who stands on the new one
-- ARGV[1] player, ARGV[2] old cell, ARGV[3] new cell
local at = redis.call('GET', KEYS[1])
if not at then return {'not_inside', 0} end
if at == ARGV[3] then return {'moved', 1, at} end
if at ~= ARGV[2] then return {'moved_meanwhile', 0, at} end
local by = redis.call('GET', KEYS[3])
if by then return {'blocked', 0, by} end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[3], ARGV[1])
redis.call('SET', KEYS[1], ARGV[3])
return {'moved', 0, ARGV[3]}
