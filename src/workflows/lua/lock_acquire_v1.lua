-- Takes several locks together: all or none. One alone has lock_acquire_one.
-- KEYS in pairs: a lock ('fence:owner'), then its fence (the last number given out)
-- ARGV[1] the owner, ARGV[2] the lease in ms, ARGV[3] the fences' lifetime in ms
--include clock
local now = clock()
local fence, mine, busy, left, held = now, 0, 0, 0, nil
for i = 1, #KEYS, 2 do
  local value = redis.call('GET', KEYS[i])
  if value then
    local number, owner = value:match('^(%d+):(.*)$')
    if owner == ARGV[1] then
      mine = mine + 1
      if held and held ~= number then busy = 1 end
      held = number
    else
      busy = 1
      left = math.max(left, redis.call('PTTL', KEYS[i]))
    end
  end
  -- Above the last one, and above the clock: so a fence that was lost or has expired is passed all the same.
  fence = math.max(fence, (tonumber(redis.call('GET', KEYS[i + 1]) or 0) or 0) + 1)
end
if busy > 0 then return {'busy', 0, now, left} end
if mine > 0 and mine < #KEYS / 2 then return {'partly_held', 0, now} end
local again = mine > 0
if again then fence = tonumber(held) end
local number = string.format('%.0f', fence)
for i = 1, #KEYS, 2 do
  if again then
    -- The owner comes again: never a shorter lease, never another fence.
    if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
  else
    redis.call('SET', KEYS[i], number .. ':' .. ARGV[1], 'PX', ARGV[2])
  end
  redis.call('SET', KEYS[i + 1], number, 'PX', ARGV[3])
end
return {'acquired', again and 1 or 0, now, ARGV[1], number}
