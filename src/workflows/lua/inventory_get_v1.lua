-- Reads an order.
-- KEYS[1] the order
local order = redis.call('HMGET', KEYS[1], 'state', 'lines', 'at')
if not order[1] then return {'unknown_order'} end
return {'found', order[1], order[2], order[3]}
