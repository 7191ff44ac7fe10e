-- Settles claims: done and gone, given back to be due after a delay, or held for longer. What is claimed by somebody
-- else meanwhile, or not at all, is stale and stays as it is.
-- KEYS[1] the members by when they are due, KEYS[2] their claims
-- ARGV[1] ack, release or extend, ARGV[2] the delay or the longer lease in ms, ARGV[3] how many, then the members, then
-- how many again and their tokens
--include clock
local now = clock()
local op, count = ARGV[1], tonumber(ARGV[3])
local stale, known = {}, {}
-- All are read before one goes: a key that has gone must not be touched again while its slot moves.
for i = 4, 3 + count do known[ARGV[i]] = redis.call('HGET', KEYS[2], ARGV[i]) or '' end
for i = 4, 3 + count do
  local member, token = ARGV[i], ARGV[i + count + 1]
  local claimed, attempt = known[member]:match('^(%d+) (%d+)$')
  if claimed ~= token then
    stale[#stale + 1] = member
  elseif op == 'ack' then
    redis.call('ZREM', KEYS[1], member)
    redis.call('HDEL', KEYS[2], member)
    known[member] = ''
  else
    redis.call('ZADD', KEYS[1], now + ARGV[2], member)
    -- Tokens begin at 1: nobody holds this one. The attempts still count.
    if op == 'release' then
      known[member] = '0 ' .. attempt
      redis.call('HSET', KEYS[2], member, known[member])
    end
  end
end
return {'settled', now, count - #stale, stale}
