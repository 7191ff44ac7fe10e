-- The side of lua5.1 in the comparison; reference.ts starts it and speaks with it.
-- In:  "<bytes> <mark>\n" and a program of so many bytes, again and again.
-- Out: what the program printed, then "\n<mark> <how it ended> <bytes>\n" and an error text of so many bytes.
local STEPS = tonumber(arg[1])
local NAME = arg[2]
local stdin, stdout = io.stdin, io.stdout
local setfenv, loadstring, pcall, type, tostring, error = setfenv, loadstring, pcall, type, tostring, error
local sethook, setmetatable = debug.sethook, debug.setmetatable
local collect = collectgarbage
local home = getfenv(0)

stdout:setvbuf('full', 65536)

local GLOBALS = {
  '_VERSION', 'assert', 'error', 'getmetatable', 'ipairs', 'load', 'loadstring', 'next', 'pairs', 'pcall', 'print',
  'rawequal', 'rawget', 'rawset', 'select', 'setmetatable', 'tonumber', 'tostring', 'type', 'unpack', 'xpcall',
}

local function copy(from)
  local to = {}
  for name, value in pairs(from) do to[name] = value end
  return to
end

local function world()
  local globals = {}
  for _, name in ipairs(GLOBALS) do globals[name] = home[name] end
  for _, name in ipairs { 'coroutine', 'string', 'table', 'math' } do globals[name] = copy(home[name]) end
  globals.os = { clock = os.clock }
  globals._G = globals
  return globals
end

-- Once over the limit, a program that catches the error gets it again and again.
local over
local function limit()
  over = true
  sethook(limit, '', 1000)
  error('limit', 0)
end

-- Layers of pcall between this file and the program, so that no level of error() names a line of this file.
local function finish(...)
  return select(select('#', ...) - 1, ...)
end

while true do
  local header = stdin:read('*l')
  if header == nil then break end
  local size, mark = header:match('^(%d+) (%w+)$')
  local source = size == '0' and '' or stdin:read(tonumber(size))
  local globals = world()
  setmetatable('', { __index = globals.string })
  -- Not only functions of the program, print too looks up its globals there.
  setfenv(0, globals)
  over = false
  local how, text = 'ok', ''
  local chunk, problem = loadstring(source, NAME)
  if chunk == nil then
    how, text = 'compile', problem
  else
    sethook(limit, '', STEPS)
    local ok, value = finish(pcall(pcall, pcall, pcall, pcall, chunk))
    sethook()
    if over then
      how = 'limit'
    elseif not ok then
      how = 'error'
      local kind = type(value)
      text = (kind == 'string' or kind == 'number') and tostring(value) or '(error object is not a string)'
    end
  end
  setfenv(0, home)
  stdout:write('\n', mark, ' ', how, ' ', #text, '\n', text)
  stdout:flush()
end
