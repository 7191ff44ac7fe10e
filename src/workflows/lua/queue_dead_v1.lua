-- Reads dead jobs, the last to die first.
-- KEYS[1..7] as include/queue.lua
-- ARGV[1] from where, ARGV[2] how many at most
--include clock
--include queue
local from = tonumber(ARGV[1])
local found = redis.call('ZREVRANGE', KEYS[6], from, from + ARGV[2] - 1, 'WITHSCORES')
local jobs = {}
for i = 1, #found, 2 do
  local job = job_of(found[i])
  local payload = redis.call('HGET', KEYS[2], found[i])
  jobs[#jobs + 1] = {found[i], payload, job.attempts, job.priority, job.error or '', found[i + 1]}
end
return {'read', jobs}
