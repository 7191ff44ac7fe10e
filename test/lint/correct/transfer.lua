-- KEYS[1] = balance from, KEYS[2] = balance to, KEYS[3] = ledger, KEYS[4] = request record
-- ARGV[1] = amount, ARGV[2] = request id, ARGV[3] = record ttl ms
local seen = redis.call('GET', KEYS[4])
if seen then return {'replayed', seen} end
local from = redis.call('GET', KEYS[1])
local to = redis.call('GET', KEYS[2])
if not from or not to then return redis.error_reply('NOACCOUNT an account is missing') end
local amount = tonumber(ARGV[1])
if amount <= 0 or amount ~= math.floor(amount) then return {'bad_amount'} end
if tonumber(from) < amount then return {'insufficient', from} end
local left = redis.call('DECRBY', KEYS[1], ARGV[1])
local right = redis.call('INCRBY', KEYS[2], ARGV[1])
redis.call('RPUSH', KEYS[3], cjson.encode({id = ARGV[2], amount = ARGV[1]}))
redis.call('LTRIM', KEYS[3], -1000, -1)
redis.call('SET', KEYS[4], 'done', 'PX', ARGV[3])
return {'done', left, right}
