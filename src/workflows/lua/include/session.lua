-- KEYS[1] a user's sessions by the end of their time, KEYS[2] what each holds: 'created|rotated from|data'. Both change
-- in the same script, so they agree.
local function forget(ids)
  if #ids == 0 then return end
  redis.call('ZREM', KEYS[1], unpack(ids))
  redis.call('HDEL', KEYS[2], unpack(ids))
end

-- End of a live session's time and its parts, or nil.
local function live(id, now)
  local ends = tonumber(redis.call('ZSCORE', KEYS[1], id) or 0)
  if ends <= now then return nil end
  local record = redis.call('HGET', KEYS[2], id)
  if not record then return nil end
  return ends, record:match('^(%d+)|([^|]*)|(.*)$')
end

local function keep(id, ends, created, from, data)
  redis.call('ZADD', KEYS[1], ends, id)
  redis.call('HSET', KEYS[2], id, string.format('%.0f', created) .. '|' .. from .. '|' .. data)
  local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
  redis.call('PEXPIREAT', KEYS[1], last)
  redis.call('PEXPIREAT', KEYS[2], last)
end

-- A session ends when it was not touched for its ttl, and when it is as old as it may get (0: no such limit).
local function ends_at(now, created, ttl, longest)
  if tonumber(longest) == 0 then return now + ttl end
  return math.min(now + ttl, created + longest)
end

local function prune(now, most)
  local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, most)
  forget(old)
  return #old
end
