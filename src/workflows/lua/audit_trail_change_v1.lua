-- Changes fields of a hash and writes the entry that says so, both or neither. An entry is '<number> <ms> <text>'.
-- KEYS[1] the state, KEYS[2] the trail, KEYS[3] the last number, KEYS[4] the record of the request, where there is one
-- ARGV[1] how many entries are kept, ARGV[2] how many fields there may be, ARGV[3] the record's lifetime in ms,
-- ARGV[4] the entry's text, then three lists, each behind its length: fields, their values, fields to remove
--include request
--include clock
local before = remembered(KEYS[4])
if before then return before end

local next_list = 5
local function list()
  local count = tonumber(ARGV[next_list])
  local items = {unpack(ARGV, next_list + 1, next_list + count)}
  next_list = next_list + count + 1
  return items
end
local fields, values, removed = list(), list(), list()

-- Whatever can fail does so before the first write.
local size, most = redis.call('HLEN', KEYS[1]), tonumber(ARGV[2])
redis.call('LLEN', KEYS[2])
for _, field in ipairs(fields) do size = size + 1 - redis.call('HEXISTS', KEYS[1], field) end
for _, field in ipairs(removed) do size = size - redis.call('HEXISTS', KEYS[1], field) end
if #fields > 0 and size > most then return {'too_many_fields', 0, most} end
local number = redis.call('INCR', KEYS[3])

if #fields > 0 then
  local words = {}
  for i, field in ipairs(fields) do
    words[2 * i - 1], words[2 * i] = field, values[i]
  end
  redis.call('HSET', KEYS[1], unpack(words))
end
if #removed > 0 then redis.call('HDEL', KEYS[1], unpack(removed)) end
local now = clock()
redis.call('RPUSH', KEYS[2], string.format('%.0f %.0f ', number, now) .. ARGV[4])
redis.call('LTRIM', KEYS[2], -ARGV[1], -1)
return remember(KEYS[4], ARGV[3], {'changed', 0, now, number})
