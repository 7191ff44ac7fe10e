-- Lists a user's live sessions, those that end first first.
-- KEYS[1] the user's sessions, KEYS[2] what they hold
-- ARGV[1] how many, ARGV[2] end and ARGV[3] id of the last one of the page before, or nothing
--include clock
--include session
local now = clock()
local start = redis.call('ZCOUNT', KEYS[1], '-inf', string.format('%.0f', now))
if ARGV[3] ~= '' then
  local ends = redis.call('ZSCORE', KEYS[1], ARGV[3])
  local after
  if ends and tonumber(ends) == tonumber(ARGV[2]) then
    after = redis.call('ZRANK', KEYS[1], ARGV[3]) + 1
  else
    -- It has moved or is gone: rather show some again than leave one out.
    after = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[2])
  end
  start = math.max(start, after)
end
local page = redis.call('ZRANGE', KEYS[1], start, start + ARGV[1] - 1)
local ids, ends, created, data = {}, {}, {}, {}
for _, id in ipairs(page) do
  local e, c, _, d = live(id, now)
  if e then
    local i = #ids + 1
    ids[i], ends[i], created[i], data[i] = id, e, c, d
  end
end
local more = redis.call('ZCARD', KEYS[1]) > start + #page and 1 or 0
return {'listed', now, ids, ends, created, data, more}
