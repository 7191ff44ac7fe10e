-- Moves an amount from one account to another of the same ledger. Everything is checked before the first write.
-- KEYS[1] balances by account, KEYS[2] floors by account, KEYS[3] entries, KEYS[4] the record of the request, if any
-- ARGV[1] from, ARGV[2] to, ARGV[3] amount, ARGV[4] note, ARGV[5] how many entries are kept, ARGV[6] the record's
-- lifetime in ms
--include clock
--include request
--include int64
--include ledger
local before = remembered(KEYS[4])
if before then return before end

local from, to, amount = ARGV[1], ARGV[2], ARGV[3]
local balances = redis.call('HMGET', KEYS[1], from, to)
for i = 1, 2 do
  if not balances[i] then return {'missing_account', 0, ARGV[i]} end
  if not is_int64(balances[i]) then return {'not_an_integer', 0, ARGV[i]} end
end
local floor = redis.call('HGET', KEYS[2], from) or '0'
if obstacle(balances[1], '-' .. amount, floor) then return {'insufficient', 0, balances[1], floor} end
if obstacle(balances[2], amount) then return {'overflow', 0, to, balances[2]} end

redis.call('HINCRBY', KEYS[1], from, '-' .. amount)
redis.call('HINCRBY', KEYS[1], to, amount)
enter(KEYS[3], ARGV[5], {'transfer', string.format('%.0f', clock()), from, to, amount, ARGV[4]})
local after = redis.call('HMGET', KEYS[1], from, to)
return remember(KEYS[4], ARGV[6], {'transferred', 0, after[1], after[2]})
