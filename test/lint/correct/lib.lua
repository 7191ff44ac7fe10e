#!lua name=holdfast_quota
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function reply(status, ...) return {status, ...} end
local function use(keys, args)
  local now = clock()
  local used = tonumber(redis.call('GET', keys[1]) or 0)
  if used + args[1] > tonumber(args[2]) then return reply('denied', used, now) end
  redis.call('INCRBY', keys[1], args[1])
  redis.call('PEXPIREAT', keys[1], args[3])
  return reply('used', used + args[1])
end
local function left(keys, args)
  return reply('left', tonumber(args[1]) - tonumber(redis.call('GET', keys[1]) or 0))
end
redis.register_function('quota_use', use)
redis.register_function{function_name = 'quota_left', callback = left, flags = {'no-writes'}}
