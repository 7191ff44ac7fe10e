-- Runs a script's effect once for each request id, and answers the same to all repetitions. The line in the middle is
-- replaced by the user's text, which gets its own KEYS and ARGV.
-- KEYS[1] the record of the request, then the effect's keys
-- ARGV[1] the window in ms, then the effect's arguments
local record, window = table.remove(KEYS, 1), table.remove(ARGV, 1)
local digest = redis.sha1hex(table.concat(KEYS, '\0') .. '\0\0' .. table.concat(ARGV, '\0'))
local before = redis.call('GET', record)
if before then
  local known, reply = unpack(cmsgpack.unpack(before))
  if known ~= digest then return {'request_reused', 0} end
  reply[2] = 1
  return reply
end
local function effect(KEYS, ARGV)
--effect
end
local reply = effect(KEYS, ARGV)
if type(reply) ~= 'table' or reply.err or #reply == 0 then return reply end
table.insert(reply, 2, 0)
redis.call('SET', record, cmsgpack.pack({digest, reply}), 'PX', window)
return reply
