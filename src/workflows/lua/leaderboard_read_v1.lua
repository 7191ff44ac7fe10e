-- Reads a page of a board: from a rank on, or around an id. An entry is its rank, id and score.
-- KEYS[1] the board, KEYS[2] the member of each id
-- ARGV[1] the id, '' for none, ARGV[2] the first rank, or how many above the id, ARGV[3] the last, or how many below,
-- ARGV[4] desc or asc
local desc = ARGV[4] == 'desc'
local first, last = ARGV[2] - 1, ARGV[3] - 1
if ARGV[1] ~= '' then
  local member = redis.call('HGET', KEYS[2], ARGV[1])
  if not member then return {'not_ranked'} end
  local rank = redis.call(desc and 'ZREVRANK' or 'ZRANK', KEYS[1], member)
  first, last = math.max(rank - ARGV[2], 0), rank + ARGV[3]
end
local found = redis.call(desc and 'ZREVRANGE' or 'ZRANGE', KEYS[1], first, last, 'WITHSCORES')
local entries = {}
for i = 1, #found, 2 do
  entries[#entries + 1] = {first + (i + 1) / 2, found[i]:sub(18), found[i + 1]}
end
return {'page', redis.call('ZCARD', KEYS[1]), entries}
