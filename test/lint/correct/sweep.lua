-- KEYS[1] = hash; ARGV[1] = cursor; ARGV[2] = limit
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local gone = 0
for i = 1, #page[2], 2 do
  if page[2][i + 1] == '0' then gone = gone + redis.call('HDEL', KEYS[1], page[2][i]) end
end
return {page[1], gone}
