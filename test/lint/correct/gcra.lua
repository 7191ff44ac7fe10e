-- KEYS[1] = rate limit key
-- ARGV[1] = cost, ARGV[2] = capacity, ARGV[3] = emission interval in microseconds
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local cost = tonumber(ARGV[1])
local interval = tonumber(ARGV[3])
local tat = tonumber(redis.call('GET', KEYS[1])) or now
if tat < now then tat = now end
local new_tat = tat + cost * interval
local allow_at = new_tat - tonumber(ARGV[2]) * interval
if now < allow_at then return {0, string.format('%d', (allow_at - now) / 1000)} end
redis.call('SET', KEYS[1], string.format('%.0f', new_tat), 'PX', math.ceil((new_tat - now) / 1000))
return {1, '0'}
