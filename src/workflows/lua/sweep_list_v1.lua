-- Reads a page of the plan, from behind a cursor on: the last member that was read and when it was due. Where that has
-- gone or moved, the page begins with the first member of that moment: some may come twice, none is missed.
-- KEYS[1] the members by when they are due, KEYS[2] their claims
-- ARGV[1] how many, ARGV[2] the cursor's member, '' for none, ARGV[3] when it was due
local from = 0
if ARGV[2] ~= '' then
  if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2])) == tonumber(ARGV[3]) then
    from = redis.call('ZRANK', KEYS[1], ARGV[2]) + 1
  else
    from = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[3])
  end
end
local found = redis.call('ZRANGE', KEYS[1], from, from + ARGV[1] - 1, 'WITHSCORES')
local members = {}
for i = 1, #found, 2 do
  local token, attempt = (redis.call('HGET', KEYS[2], found[i]) or '0 0'):match('^(%d+) (%d+)$')
  members[#members + 1] = {found[i], found[i + 1], token, attempt}
end
local total = redis.call('ZCARD', KEYS[1])
return {from + #members < total and 'partial' or 'done', total, members}
