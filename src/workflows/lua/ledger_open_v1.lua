-- Opens an account.
-- KEYS[1] balances by account, KEYS[2] floors by account, KEYS[3] entries, KEYS[4] the record of the request, if any
-- ARGV[1] account, ARGV[2] balance, ARGV[3] floor, ARGV[4] how many entries are kept, ARGV[5] the record's lifetime in ms
--include clock
--include request
--include int64
--include ledger
local before = remembered(KEYS[4])
if before then return before end
local balance = redis.call('HGET', KEYS[1], ARGV[1])
if balance then return {'exists', 0, balance} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] ~= '0' then redis.call('HSET', KEYS[2], ARGV[1], ARGV[3]) end
enter(KEYS[3], ARGV[4], {'open', string.format('%.0f', clock()), '', ARGV[1], ARGV[2], ''})
return remember(KEYS[4], ARGV[5], {'opened', 0, ARGV[2]})
