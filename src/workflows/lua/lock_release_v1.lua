-- Gives several locks back: only what this owner still holds by this fence. One alone has lock_release_one.
-- KEYS[1] the note that it was released, then the locks
-- ARGV[1] the owner, ARGV[2] its fence, ARGV[3] the note's lifetime in ms
local mine = ARGV[2] .. ':' .. ARGV[1]
-- A release whose reply was lost is sent again: it must not hear that the lock was lost.
if redis.call('GET', KEYS[1]) == ARGV[2] then return {'released', 1} end
local all = true
for i = 2, #KEYS do
  if redis.call('GET', KEYS[i]) == mine then redis.call('DEL', KEYS[i]) else all = false end
end
if not all then return {'lost', 0} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return {'released', 0}
