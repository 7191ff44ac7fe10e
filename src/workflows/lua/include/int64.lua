-- Integers beyond 2^53 do not fit in Lua's numbers: they are compared as text, in plain form (no plus, no zeros ahead).
local function is_int(a)
  return a == '0' or a:match('^%-?[1-9]%d*$') ~= nil
end

local function int_less(a, b)
  local an, bn = a:sub(1, 1) == '-', b:sub(1, 1) == '-'
  if an ~= bn then return an end
  if an then a, b = b:sub(2), a:sub(2) end
  if #a ~= #b then return #a < #b end
  return a < b
end
