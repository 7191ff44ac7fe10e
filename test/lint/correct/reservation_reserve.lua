-- KEYS[1] = stock, KEYS[2] = holds, KEYS[3] = due index, KEYS[4] = request
-- ARGV[1] = hold id, ARGV[2] = quantity, ARGV[3] = hold ms
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local overdue = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 10)
for _, id in ipairs(overdue) do
  local quantity = redis.call('HGET', KEYS[2], id)
  if quantity then
    redis.call('INCRBY', KEYS[1], quantity)
    redis.call('HDEL', KEYS[2], id)
  end
  redis.call('ZREM', KEYS[3], id)
end
local stock = tonumber(redis.call('GET', KEYS[1]) or '0')
local quantity = tonumber(ARGV[2])
if stock < quantity then return {'sold_out', stock} end
redis.call('DECRBY', KEYS[1], quantity)
redis.call('HSET', KEYS[2], ARGV[1], quantity)
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[3]), ARGV[1])
redis.call('SET', KEYS[4], ARGV[1], 'EX', 3600)
return {'reserved', stock - quantity}
