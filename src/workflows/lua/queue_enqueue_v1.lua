-- Puts a job into a queue.
-- KEYS[1..7] as include/queue.lua, KEYS[8] the record of the request, KEYS[9] job and end of the window by dedup id,
-- KEYS[10] dedup ids by when to look at them again
-- ARGV[1] payload, ARGV[2] delay in ms, ARGV[3] priority, ARGV[4] most attempts, ARGV[5] dedup id or '', ARGV[6] its
-- window in ms, ARGV[7] most jobs in the queue, ARGV[8] the record's lifetime in ms
--include clock
--include request
--include queue
local before = remembered(KEYS[8])
if before then return before end

-- Whether a job is still to be done: until then its dedup id is taken, however short the window was.
local function lives(id)
  return redis.call('HEXISTS', KEYS[1], id) == 1 and not redis.call('ZSCORE', KEYS[6], id)
end

-- The job that has a dedup id, and the end of its window.
local function twin_of(dedup)
  local twin = redis.call('HGET', KEYS[9], dedup)
  if not twin then return '', 0 end
  local id, window = twin:match('^(%d+) (%d+)$')
  return id, tonumber(window)
end

for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[10], '-inf', now, 'LIMIT', 0, 20)) do
  if lives(twin_of(old)) then
    -- Looked at again in a minute.
    -- holdfast-lint-disable-next-line missing-ttl: its members have an end of their own, and are swept here
    redis.call('ZADD', KEYS[10], now + 60000, old)
  else
    redis.call('HDEL', KEYS[9], old)
    redis.call('ZREM', KEYS[10], old)
  end
end

local dedup = ARGV[5]
if dedup ~= '' then
  local twin, window = twin_of(dedup)
  if window > now or lives(twin) then return {'duplicate', 0, twin} end
end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[7]) then return {'full', 0} end

local id = string.format('%016.0f', redis.call('INCR', KEYS[7]))
local job = {attempts = 0, max = tonumber(ARGV[4]), priority = tonumber(ARGV[3]), token = '', worker = '', at = now}
keep(id, job)
redis.call('HSET', KEYS[2], id, ARGV[1])
if ARGV[2] == '0' then wait(id, job) else redis.call('ZADD', KEYS[4], now + ARGV[2], id) end
if dedup ~= '' then
  -- holdfast-lint-disable-next-line missing-ttl: as above
  redis.call('HSET', KEYS[9], dedup, id .. ' ' .. number_text(now + ARGV[6]))
  redis.call('ZADD', KEYS[10], now + ARGV[6], dedup)
end
return remember(KEYS[8], ARGV[8], {'enqueued', 0, id})
