-- Applies a payment to an account of a ledger, once for its id. A declined one is remembered as well.
-- KEYS[1] balances by account, KEYS[2] floors by account, KEYS[3] entries, KEYS[4] the payment
-- ARGV[1] account, ARGV[2] amount, ARGV[3] the payment's id, ARGV[4] how many entries are kept, ARGV[5] how long the
-- payment is remembered in ms
--include clock
--include int64
--include ledger
local account, amount = ARGV[1], ARGV[2]
local record = redis.call('GET', KEYS[4])
if record then
  local outcome, of, was, balance, at = unpack(cmsgpack.unpack(record))
  if of ~= account or was ~= amount then return {'conflict', 0} end
  if outcome == 'applied' then return {'already_processed', 1, balance, at} end
  return {'declined', 1, outcome, balance, at}
end

local balance = redis.call('HGET', KEYS[1], account)
if not balance then return {'missing_account', 0, account} end
if not is_int64(balance) then return {'not_an_integer', 0, account} end
local outcome = obstacle(balance, amount, redis.call('HGET', KEYS[2], account) or '0') or 'applied'
local at = string.format('%.0f', clock())
if outcome == 'applied' then
  redis.call('HINCRBY', KEYS[1], account, amount)
  balance = redis.call('HGET', KEYS[1], account)
  local from, to = '', account
  if amount:sub(1, 1) == '-' then from, to = account, '' end
  enter(KEYS[3], ARGV[4], {'payment', at, from, to, (amount:gsub('^%-', '')), ARGV[3]})
end
redis.call('SET', KEYS[4], cmsgpack.pack({outcome, account, amount, balance, at}), 'PX', ARGV[5])
if outcome == 'applied' then return {'applied', 0, balance, at} end
return {'declined', 0, outcome, balance, at}
