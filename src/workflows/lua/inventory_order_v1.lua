-- Places an order of several lines: all of them or none, with the order's record in the same step.
-- KEYS[1] stock by product, KEYS[2] sold by product, KEYS[3] the order
-- ARGV[1] the order's lifetime in ms, 0 for ever, ARGV[2] how many words, then product and quantity alternating
--include clock
--include int64
local lines = {}
for i = 3, 2 + tonumber(ARGV[2]) do lines[#lines + 1] = ARGV[i] end
local text = cjson.encode(lines)

local order = redis.call('HMGET', KEYS[3], 'state', 'lines')
if order[1] then
  if order[2] ~= text then return {'request_reused', 0} end
  return {order[1], 1}
end

for i = 1, #lines, 2 do
  local left = redis.call('HGET', KEYS[1], lines[i])
  if not left then return {'unknown_product', 0, lines[i]} end
  if not is_int(left) then return {'not_an_integer', 0, lines[i]} end
  if tonumber(left) < tonumber(lines[i + 1]) then return {'insufficient', 0, lines[i], left} end
end

for i = 1, #lines, 2 do
  redis.call('HINCRBY', KEYS[1], lines[i], '-' .. lines[i + 1])
  redis.call('HINCRBY', KEYS[2], lines[i], lines[i + 1])
end
redis.call('HSET', KEYS[3], 'state', 'placed', 'lines', text, 'at', string.format('%.0f', clock()))
if ARGV[1] ~= '0' then redis.call('PEXPIRE', KEYS[3], ARGV[1]) end
return {'placed', 0}
