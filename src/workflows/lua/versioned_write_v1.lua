-- Writes or removes a value, unless a newer version has been there.
-- KEYS[1] the value, KEYS[2] its floor
-- ARGV[1] the version, ARGV[2] 1 to remove it, ARGV[3] the value, ARGV[4] its lifetime in ms, ARGV[5] the floor's (0 for
-- none), ARGV[6] the fence or nothing
--include int64
--include versioned
local fence = refusing(ARGV[6], ARGV[5])
if fence then return {'fenced', 0, fence} end
local known, removed = current()
local value = ARGV[2] == '0' and ARGV[3] or nil
if known then
  if int_less(ARGV[1], known) then return {'stale', 0, known} end
  if ARGV[1] == known then
    local kept = redis.call('HGET', KEYS[1], 'value')
    if removed or not value then
      if removed and not value then return {'written', 1, known} end
      return {'stale', 0, known}
    end
    if kept == value then return {'written', 1, known} end
    -- A value that has expired may come back under its own version.
    if kept then return {'stale', 0, known} end
  end
end
keep(ARGV[1], value, ARGV[4], ARGV[5])
return {'written', 0, ARGV[1]}
