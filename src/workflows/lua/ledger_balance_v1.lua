-- Reads an account.
-- KEYS[1] balances by account, KEYS[2] floors by account
-- ARGV[1] account
local balance = redis.call('HGET', KEYS[1], ARGV[1])
if not balance then return {'missing_account', ARGV[1]} end
return {'found', balance, redis.call('HGET', KEYS[2], ARGV[1]) or '0'}
