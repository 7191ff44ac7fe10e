-- Adds to a counter that must stay within bounds.
-- KEYS[1] the counter, KEYS[2] the record of the request, where there is one
-- ARGV[1] what to add, ARGV[2] least, ARGV[3] most, ARGV[4] the record's lifetime in ms
--include request
--include int64
local before = remembered(KEYS[2])
if before then return before end

local value = redis.call('GET', KEYS[1])
if value and not is_int(value) then return {'not_an_integer', 0} end
-- INCRBY is what adds exactly; it refuses what leaves 64 bits, and then nothing has changed.
local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(sum) == 'table' then
  if sum.err:find('overflow', 1, true) then return {'out_of_bounds', 0, value or '0'} end
  return {'not_an_integer', 0}
end
local after = redis.call('GET', KEYS[1])
if int_less(after, ARGV[2]) or int_less(ARGV[3], after) then
  if value then redis.call('SET', KEYS[1], value, 'KEEPTTL') else redis.call('DEL', KEYS[1]) end
  return {'out_of_bounds', 0, value or '0'}
end
return remember(KEYS[2], ARGV[4], {'added', 0, after})
