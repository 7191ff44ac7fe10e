-- Ends an execution: completed, failed for now, or failed for good. Only its owner may.
-- KEYS[1] the record
-- ARGV[1] owner, ARGV[2] the new state (C, R or F), ARGV[3] result or error, ARGV[4] the record's lifetime in ms
--include idempotency
local record = load_record()
if record.state and record.owner == ARGV[1] then
  if record.state == 'P' then
    redis.call('HSET', KEYS[1], 'state', ARGV[2], 'body', ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return {'recorded', 0, record.attempt}
  end
  if record.state == ARGV[2] and record.body == ARGV[3] then return {'recorded', 1, record.attempt} end
end
return {'stale', 0, record.attempt}
