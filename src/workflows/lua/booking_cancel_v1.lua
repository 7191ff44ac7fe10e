-- Gives back those of a range of nights that are a guest's.
-- KEYS[1] guests by night, KEYS[2] the nights in order
-- ARGV[1] first night, ARGV[2] the day of departure, ARGV[3] guest
--include clock
--include booking
local nights = nights_between(ARGV[1], ARGV[2])
local guests = redis.call('HMGET', KEYS[1], unpack(nights))
local own = {}
for i, night in ipairs(nights) do
  if guests[i] == ARGV[3] then own[#own + 1] = night end
end
if #own == 0 then return {'cancelled', 1, 0} end
redis.call('HDEL', KEYS[1], unpack(own))
redis.call('ZREM', KEYS[2], unpack(own))
return {'cancelled', 0, #own}
