-- Ends an attempt at a claimed job badly: it waits again, or it is dead.
-- KEYS[1..7] as include/queue.lua, KEYS[8] how the claim with this token ended
-- ARGV[1] job, ARGV[2] token, ARGV[3] 1 where it may be tried again, ARGV[4] delay in ms, ARGV[5] why, ARGV[6] how many
-- dead jobs are kept, ARGV[7] how long the end is remembered in ms
--include clock
--include queue
local ended = redis.call('GET', KEYS[8])
if ended then
  if ended == 'completed' then return {'lost', 0} end
  return ended == 'dead' and {'dead', 1} or {'retried', 1, ended}
end
local job = owned(ARGV[1], ARGV[2])
if not job then return {'lost', 0} end
redis.call('ZREM', KEYS[5], ARGV[1])
job.token, job.error = '', ARGV[5]
if ARGV[3] == '0' or job.attempts >= job.max then
  bury(ARGV[1], job, tonumber(ARGV[6]))
  redis.call('SET', KEYS[8], 'dead', 'PX', ARGV[7])
  return {'dead', 0}
end
keep(ARGV[1], job)
local due = number_text(now + ARGV[4])
if ARGV[4] == '0' then wait(ARGV[1], job) else redis.call('ZADD', KEYS[4], due, ARGV[1]) end
redis.call('SET', KEYS[8], due, 'PX', ARGV[7])
return {'retried', 0, due}
