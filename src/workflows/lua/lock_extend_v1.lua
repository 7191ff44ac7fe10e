-- Gives a lock's owner another lease; a lock that is gone stays gone.
-- KEYS in pairs: a lock, then its fence
-- ARGV[1] the owner, ARGV[2] its fence, ARGV[3] the lease in ms, ARGV[4] the fences' lifetime in ms
--include clock
local mine = ARGV[2] .. ':' .. ARGV[1]
for i = 1, #KEYS, 2 do
  if redis.call('GET', KEYS[i]) ~= mine then return {'lost', 0, clock()} end
end
for i = 1, #KEYS, 2 do
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
  redis.call('PEXPIRE', KEYS[i + 1], ARGV[4])
end
return {'extended', 0, clock()}
