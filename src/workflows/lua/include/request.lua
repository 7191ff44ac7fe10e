-- A request id makes a script answer what it answered before. The record holds a digest of the arguments and the
-- reply, whose second element says that it is a replay.
local function remembered(key)
  if not key then return nil end
  local record = redis.call('GET', key)
  if not record then return nil end
  local digest, reply = unpack(cmsgpack.unpack(record))
  if digest ~= redis.sha1hex(table.concat(ARGV, '\0')) then return {'request_reused', 0} end
  reply[2] = 1
  return reply
end

local function remember(key, ttl, reply)
  if key then
    redis.call('SET', key, cmsgpack.pack({redis.sha1hex(table.concat(ARGV, '\0')), reply}), 'PX', ttl)
  end
  return reply
end
