-- Gives waiting jobs to a worker, each with a token and a lease, after taking back what others have lost.
-- KEYS[1..7] as include/queue.lua, KEYS[8] the record of the request
-- ARGV[1] worker, ARGV[2] lease in ms, ARGV[3] at most so many, ARGV[4] how many dead jobs are kept
--include clock
--include request
--include queue
local function shown(id, job, lease)
  return {id, job.token, redis.call('HGET', KEYS[2], id), job.attempts, job.max, job.priority, lease, job.at}
end

-- The same request gets the same jobs again, as long as they are its own: a lost answer strands none of them.
local before = remembered(KEYS[8])
if before then
  if before[1] ~= 'claimed' then return before end
  local jobs = {}
  for i = 1, #before[3], 2 do
    local job, lease = owned(before[3][i], before[3][i + 1])
    if job and lease > now then jobs[#jobs + 1] = shown(before[3][i], job, lease) end
  end
  return {'claimed', 1, now, jobs}
end

local limit = tonumber(ARGV[3])
promote(math.max(limit, 50))
reclaim(50, tonumber(ARGV[4]))
local popped = redis.call('ZPOPMIN', KEYS[3], limit)
local lease = now + ARGV[2]
local jobs, own = {}, {}
for i = 1, #popped, 2 do
  local id = popped[i]:sub(2)
  local job = job_of(id)
  if job then
    job.attempts = job.attempts + 1
    job.token = number_text(redis.call('INCR', KEYS[7]))
    job.worker = ARGV[1]
    keep(id, job)
    redis.call('ZADD', KEYS[5], lease, id)
    jobs[#jobs + 1] = shown(id, job, lease)
    own[#own + 1], own[#own + 2] = id, job.token
  end
end
if #jobs > 0 then
  remember(KEYS[8], ARGV[2], {'claimed', 0, own})
  return {'claimed', 0, now, jobs}
end
local soonest = ''
for i = 4, 5 do
  local first = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  if first and (soonest == '' or tonumber(first) < tonumber(soonest)) then soonest = first end
end
return {'empty', 0, now, soonest}
