-- Cancels an order: gives its lines back to the stock, once.
-- KEYS[1] stock by product, KEYS[2] sold by product, KEYS[3] the order
local order = redis.call('HMGET', KEYS[3], 'state', 'lines')
if not order[1] then return {'unknown_order', 0} end
if order[1] == 'cancelled' then return {'cancelled', 1} end
local lines = cjson.decode(order[2])
for i = 1, #lines, 2 do
  redis.call('HINCRBY', KEYS[1], lines[i], lines[i + 1])
  redis.call('HINCRBY', KEYS[2], lines[i], '-' .. lines[i + 1])
end
redis.call('HSET', KEYS[3], 'state', 'cancelled')
return {'cancelled', 0}
