-- The record of an idempotency key: state P (in progress), C (completed), R (failed, may be tried again) or F (failed
-- for good), fingerprint, owner, attempt, end of the lease, and what was answered.
local function load_record()
  local r = redis.call('HMGET', KEYS[1], 'state', 'print', 'owner', 'attempt', 'ends', 'body')
  return {state = r[1], print = r[2], owner = r[3], attempt = tonumber(r[4] or 0), ends = tonumber(r[5] or 0), body = r[6] or ''}
end
