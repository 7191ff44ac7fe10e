-- Claims members that are due, at most ARGV[1]: each is due again when its lease ends, unless it is settled before.
-- A claim is '<token> <attempt>'.
-- KEYS[1] the members by when they are due, KEYS[2] their claims, KEYS[3] the last token
-- ARGV[1] how many at most, ARGV[2] the lease in ms
--include clock
local now = clock()
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
local count = #due / 2
local members = {}
if count > 0 then
  -- holdfast-lint-disable-next-line missing-ttl: tokens must grow for as long as there may be claims
  local token = redis.call('INCRBY', KEYS[3], count) - count
  local scores, claims = {}, {}
  for i = 1, #due, 2 do
    token = token + 1
    local before = redis.call('HGET', KEYS[2], due[i])
    local attempt = (before and tonumber(before:match(' (%d+)$')) or 0) + 1
    members[#members + 1] = {due[i], due[i + 1], token, attempt}
    scores[#scores + 1] = now + ARGV[2]
    scores[#scores + 1] = due[i]
    claims[#claims + 1] = due[i]
    claims[#claims + 1] = string.format('%.0f %d', token, attempt)
  end
  redis.call('ZADD', KEYS[1], unpack(scores))
  redis.call('HSET', KEYS[2], unpack(claims))
end
local following = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if following and tonumber(following) <= now then return {'partial', now, members, 0} end
return {'done', now, members, following and following - now or ''}
