-- What the scripts of a queue share. KEYS[1] jobs by id, KEYS[2] payloads by id, KEYS[3] waiting jobs by priority and age
-- (priority digit and id, all with score 0), KEYS[4] delayed jobs by due time, KEYS[5] claimed jobs by the end of their
-- lease, KEYS[6] dead jobs by the time they died, KEYS[7] the last number given out, for ids and tokens. Needs clock.
local now = clock()

local function number_text(n)
  return string.format('%.0f', n)
end

local function job_of(id)
  local record = redis.call('HGET', KEYS[1], id)
  return record and cmsgpack.unpack(record)
end

local function keep(id, job)
  redis.call('HSET', KEYS[1], id, cmsgpack.pack(job))
end

local function drop(id)
  redis.call('HDEL', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end

local function wait(id, job)
  redis.call('ZADD', KEYS[3], 0, number_text(job.priority) .. id)
end

-- To the dead ones, of which the oldest go when there are too many.
local function bury(id, job, most)
  keep(id, job)
  redis.call('ZADD', KEYS[6], now, id)
  local over = redis.call('ZCARD', KEYS[6]) - most
  if over > 0 then
    for _, old in ipairs(redis.call('ZRANGE', KEYS[6], 0, math.min(over, 20) - 1)) do
      redis.call('ZREM', KEYS[6], old)
      drop(old)
    end
  end
end

-- Delayed jobs that are due wait from now on.
local function promote(limit)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, limit)) do
    redis.call('ZREM', KEYS[4], id)
    local job = job_of(id)
    if job then wait(id, job) end
  end
end

-- Jobs whose lease is over wait again, or die after their last attempt.
local function reclaim(limit, most_dead)
  local returned, died = 0, 0
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, limit)) do
    redis.call('ZREM', KEYS[5], id)
    local job = job_of(id)
    if job then
      job.token, job.error = '', 'the lease of ' .. job.worker .. ' ended'
      if job.attempts >= job.max then
        bury(id, job, most_dead)
        died = died + 1
      else
        keep(id, job)
        wait(id, job)
        returned = returned + 1
      end
    end
  end
  return returned, died
end

-- The job and the end of its lease, where the token is that of its owner and nobody has taken it back.
local function owned(id, token)
  local lease = redis.call('ZSCORE', KEYS[5], id)
  if not lease then return nil end
  local job = job_of(id)
  if not job or job.token ~= token then return nil end
  return job, tonumber(lease)
end
