-- Gives a place back.
-- KEYS[1] the holders by the end of their leases, KEYS[2] the note of this holder's release
-- ARGV[1] the holder, ARGV[2] the note's lifetime in ms
--include clock
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not lease then
  -- A release whose reply was lost is sent again: it must not hear that the place was lost.
  if redis.call('EXISTS', KEYS[2]) == 1 then return {'released', 1} end
  return {'lost', 0}
end
redis.call('ZREM', KEYS[1], ARGV[1])
if tonumber(lease) <= clock() then return {'lost', 0} end
redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])
return {'released', 0}
