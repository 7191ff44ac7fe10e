-- KEYS[1] = current window, KEYS[2] = previous window
-- ARGV[1] = limit, ARGV[2] = window ms, ARGV[3] = amount
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local window = tonumber(ARGV[2])
local elapsed = now % window
local previous = tonumber(redis.call('GET', KEYS[2]) or 0)
local current = tonumber(redis.call('GET', KEYS[1]) or 0)
local total = current + math.floor(previous * (window - elapsed) / window)
if total + tonumber(ARGV[3]) > tonumber(ARGV[1]) then return {'denied', total} end
redis.call('INCRBY', KEYS[1], ARGV[3])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], window * 2) end
return {'allowed', total}
