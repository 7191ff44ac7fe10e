-- Reads what is left and what was sold of some products.
-- KEYS[1] stock by product, KEYS[2] sold by product
-- ARGV[1] how many, then the products
local products = {}
for i = 2, 1 + tonumber(ARGV[1]) do products[#products + 1] = ARGV[i] end
local left = redis.call('HMGET', KEYS[1], unpack(products))
local sold = redis.call('HMGET', KEYS[2], unpack(products))
local found = {}
for i = 1, #products do found[i] = {products[i], left[i] or '', sold[i] or '0'} end
return {'read', found}
