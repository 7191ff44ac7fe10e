-- Takes an id off a board.
-- KEYS[1] the board, KEYS[2] the member of each id, KEYS[3] the record of the request, where there is one
-- ARGV[1] the id, ARGV[2] the record's lifetime in ms
--include request
local before = remembered(KEYS[3])
if before then return before end

local member = redis.call('HGET', KEYS[2], ARGV[1])
if not member then return {'not_ranked', 0} end
redis.call('ZREM', KEYS[1], member)
redis.call('HDEL', KEYS[2], ARGV[1])
return remember(KEYS[3], ARGV[2], {'removed', 0})
