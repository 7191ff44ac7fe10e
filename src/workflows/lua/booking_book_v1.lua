-- Books a range of nights for a guest: all of them or none.
-- KEYS[1] guests by night, KEYS[2] the nights in order
-- ARGV[1] first night, ARGV[2] the day of departure, ARGV[3] guest, ARGV[4] how many days past nights are kept
--include clock
--include booking
local keep = oldest(tonumber(ARGV[4]))
if tonumber(ARGV[1]) < keep then return {'in_the_past', 0, string.format('%.0f', keep)} end
local nights = nights_between(ARGV[1], ARGV[2])
local guests = redis.call('HMGET', KEYS[1], unpack(nights))
local set, add = {}, {}
for i, night in ipairs(nights) do
  if guests[i] and guests[i] ~= ARGV[3] then return {'taken', 0, night, guests[i]} end
  if not guests[i] then
    set[#set + 1], set[#set + 2] = night, ARGV[3]
    add[#add + 1], add[#add + 2] = night, night
  end
end
if #set == 0 then return {'booked', 1, 0} end
redis.call('HSET', KEYS[1], unpack(set))
redis.call('ZADD', KEYS[2], unpack(add))
prune(keep, 50)
return {'booked', 0, #set / 2}
