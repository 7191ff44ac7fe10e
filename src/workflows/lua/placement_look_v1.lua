-- Reads where a player stands, or who stands on a cell.
-- KEYS[1] of the player, or of the cell
local found = redis.call('GET', KEYS[1])
if found then return {'found', found} end
return {'nothing'}
