-- Gives one lock back, if this owner still holds it by this fence.
-- KEYS[1] the note that it was released, KEYS[2] the lock
-- ARGV[1] the owner, ARGV[2] its fence, ARGV[3] the note's lifetime in ms
if redis.call('GET', KEYS[2]) == ARGV[2] .. ':' .. ARGV[1] then
  redis.call('DEL', KEYS[2])
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return {'released', 0}
end
-- A release whose reply was lost is sent again: it must not hear that the lock was lost.
if redis.call('GET', KEYS[1]) == ARGV[2] then return {'released', 1} end
return {'lost', 0}
