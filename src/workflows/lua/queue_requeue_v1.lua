-- Lets a dead job wait again, with all its attempts.
-- KEYS[1..7] as include/queue.lua
-- ARGV[1] job
--include clock
--include queue
local job = job_of(ARGV[1])
if not job then return {'unknown_job', 0} end
if redis.call('ZREM', KEYS[6], ARGV[1]) == 0 then return {'requeued', 1} end
job.attempts = 0
keep(ARGV[1], job)
wait(ARGV[1], job)
return {'requeued', 0}
