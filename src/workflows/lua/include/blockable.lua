-- A state that may have a block before it: 'b<till> <length> <state>', in microseconds. Gives how long the block still
-- lasts, the block as text, and the state. A clock that was set back must not make a block longer than was asked.
local function unblocked(stored, now)
  local till, length, state = stored:match('^b(%d+) (%d+) (.*)$')
  if not till then return 0, '', stored end
  local left = till - now
  if left <= 0 then return 0, '', state end
  if left > tonumber(length) then
    left, till = tonumber(length), string.format('%.0f', now + length)
  end
  return left, 'b' .. till .. ' ' .. length .. ' ', state
end

-- Keeps a state, with its block, for as long as one of them matters.
local function store(key, block, state, lasts)
  if lasts <= 0 then return redis.call('DEL', key) end
  redis.call('SET', key, block .. state, 'PX', math.ceil(lasts / 1000) + 1)
end
