-- Enters a score. Members of the board are '<number>:<id>': the number grows with each change of a score, and so orders
-- those of equal scores by who was there first (or last); it is counted down where the order of members is reversed.
-- KEYS[1] the board, KEYS[2] the member of each id, KEYS[3] the number, KEYS[4] the record of the request, if any
-- ARGV[1] the id, ARGV[2] the score, ARGV[3] best, sum or latest, ARGV[4] desc or asc, ARGV[5] 1 to count down,
-- ARGV[6] how many the board keeps (0: all), ARGV[7] the record's lifetime in ms
--include request
local before = remembered(KEYS[4])
if before then return before end

local id, score, mode, desc, most = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4] == 'desc', tonumber(ARGV[6])
local LARGEST = 9007199254740991

local function rank(member)
  local at = redis.call(desc and 'ZREVRANK' or 'ZRANK', KEYS[1], member)
  return at and at + 1 or ''
end

local function text(number) return string.format('%.0f', number) end

local member = redis.call('HGET', KEYS[2], id)
local previous = ''
if member then
  local old = tonumber(redis.call('ZSCORE', KEYS[1], member))
  previous = rank(member)
  if mode == 'sum' then
    score = old + score
    if score > LARGEST or score < -LARGEST then return {'out_of_range', 0, text(old), previous} end
  end
  local better = old ~= score
  if mode == 'best' then better = desc and score > old or not desc and score < old end
  if not better then return remember(KEYS[4], ARGV[7], {'kept', 0, text(old), previous}) end
end

local number = redis.call('INCR', KEYS[3])
if ARGV[5] == '1' then number = LARGEST - number end
local last = member
member = string.format('%016.0f:', number) .. id
redis.call('ZADD', KEYS[1], text(score), member)
-- Only now, so that the board is never empty in between: it could not be written then while its slot moves.
if last then redis.call('ZREM', KEYS[1], last) end
redis.call('HSET', KEYS[2], id, member)

-- One came, so that one goes; a few more where the board has become smaller.
local extra = most > 0 and math.min(redis.call('ZCARD', KEYS[1]) - most, 100) or 0
if extra > 0 then
  local from, to = 0, extra - 1
  if not desc then from, to = -extra, -1 end
  for _, worst in ipairs(redis.call('ZRANGE', KEYS[1], from, to)) do
    redis.call('ZREM', KEYS[1], worst)
    redis.call('HDEL', KEYS[2], worst:sub(18))
  end
end

local after = rank(member)
if after == '' then return remember(KEYS[4], ARGV[7], {'below', 0, text(score), previous}) end
return remember(KEYS[4], ARGV[7], {'ranked', 0, text(score), after, previous})
