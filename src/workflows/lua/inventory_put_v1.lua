-- Puts stock there: a product's first quantity, or more of one that is known.
-- KEYS[1] stock by product, KEYS[2] sold by product, KEYS[3] the record of the request, where there is one
-- ARGV[1] product, ARGV[2] quantity, ARGV[3] 1 for the first quantity, ARGV[4] the record's lifetime in ms
--include request
--include int64
local before = remembered(KEYS[3])
if before then return before end

local left = redis.call('HGET', KEYS[1], ARGV[1])
if left and not is_int(left) then return {'not_an_integer', 0, ARGV[1]} end
if ARGV[3] == '1' then
  if left then return {'already_set', 0, left} end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return remember(KEYS[3], ARGV[4], {'set', 0, ARGV[2]})
end
if not left then return {'unknown_product', 0, ARGV[1]} end
-- Sold and left together stay exact in a double, whatever is cancelled later.
local sold = redis.call('HGET', KEYS[2], ARGV[1]) or '0'
if left + sold + ARGV[2] > 9007199254740991 then return {'too_many', 0, left} end
local after = string.format('%.0f', redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2]))
return remember(KEYS[3], ARGV[4], {'restocked', 0, after})
