-- Begins the execution of an idempotency key, or says what became of it.
-- KEYS[1] the record
-- ARGV[1] fingerprint, ARGV[2] owner, ARGV[3] the lease in ms, ARGV[4] the record's lifetime in ms
--include clock
--include idempotency
local now = clock()
local record = load_record()
local takeover = 0
if record.state then
  if record.print ~= ARGV[1] then return {'conflict', 0, now} end
  if record.state == 'C' then return {'completed', 1, now, record.attempt, record.body} end
  if record.state == 'F' then return {'failed_final', 1, now, record.attempt, record.body} end
  if record.state == 'P' then
    if record.owner == ARGV[2] then
      -- The same call, sent again because its reply was lost.
      redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', math.max(record.ends, now + ARGV[3])))
      redis.call('PEXPIRE', KEYS[1], ARGV[4])
      local took = tonumber(redis.call('HGET', KEYS[1], 'takeover')) or 0
      return {'started', 1, now, ARGV[2], record.attempt, took}
    end
    if record.ends > now then
      return {'in_progress', 0, now, record.attempt, string.format('%.0f', record.ends - now)}
    end
    takeover = 1
  end
end
local attempt = record.attempt + 1
redis.call('HSET', KEYS[1], 'state', 'P', 'print', ARGV[1], 'owner', ARGV[2], 'attempt', attempt,
  'ends', string.format('%.0f', now + ARGV[3]), 'takeover', takeover, 'body', '')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'started', 0, now, ARGV[2], attempt, takeover}
