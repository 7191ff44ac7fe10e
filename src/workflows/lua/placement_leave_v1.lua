-- Takes a player off the cell where the caller saw him.
-- KEYS[1] where the player stands, KEYS[2] who stands on the cell
-- ARGV[1] cell
local at = redis.call('GET', KEYS[1])
if not at then return {'not_inside', 0} end
if at ~= ARGV[1] then return {'moved_meanwhile', 0, at} end
redis.call('DEL', KEYS[1], KEYS[2])
return {'left', 0, at}
