-- Programs of the fixed corpus; see corpus.ts.
--== uncaught error
print('before')
local t = nil
print(t.x)
--== uncaught error value
error({code = 1})
--== uncaught error in a function
local function f() error('in f') end
f()
--== uncaught error of level 2
local function f() error('in f', 2) end
f()
--== index of nil
local l, t = nil, {}
print(pcall(function() return l.x end)) print(pcall(function() return g.x end)) print(pcall(function() return t.x.y end)) print(pcall(function() return t.x.y.z end))
print(pcall(function() local m m.x = 1 end)) print(pcall(function() g.x = 1 end)) print(pcall(function() t.x.y = 1 end)) print(pcall(function() return t[1].x end)) print(pcall(function() local k = 'key' return t[k].x end))
print(pcall(function() return (nil).x end)) print(pcall(function() return (l).x end)) print(pcall(function() return t.a[1] end)) print(pcall(function() return l[1] end)) print(pcall(function() return ('x').y.z end)) print(pcall(function() return (1).x end))
--== index of nil, uncompilable forms
print(loadstring('return true.x')) print(loadstring('return 1.x')) print(loadstring('return "x".y')) print(loadstring('return {}.x')) print(loadstring('nil.x = 1'))
--== index with locals in the same function
local function f(p) local q = p.a return q.b.c end
print(pcall(f)) print(pcall(f, {})) print(pcall(f, {a = {}})) print(pcall(f, {a = 5})) print(pcall(f, 'x')) print(pcall(f, {a = 'x'}))
local function g(...) local a, b = ... return b.x, a end print(pcall(g)) print(pcall(g, 1)) print(pcall(g, 1, 2))
for i, v in ipairs {1} do print(pcall(function() return v.x end)) print(pcall(function() return i.x.y end)) end
for k, v in pairs {a = true} do local ok, e = pcall(function() k.x.y = 1 end) print(e) ok, e = pcall(function() v.x = 1 end) print(e) end
--== call of what is no function
local l, t = nil, {n = {}} local up
print(pcall(function() l() end)) print(pcall(function() g() end)) print(pcall(function() t.x() end)) print(pcall(function() t:m() end)) print(pcall(function() t.n.x() end)) print(pcall(function() t.n:m() end)) print(pcall(function() local q q() end)) print(pcall(function() t[1]() end)) print(pcall(function() (nil)() end)) print(pcall(function() (1)() end)) print(pcall(function() ('x')() end)) print(pcall(function() ({})() end)) print(pcall(function() l()() end)) print(pcall(function() return l() end)) print(pcall(function() return t.x(1) end)) print(pcall(function() return t:m(1) end)) print(pcall(function() (l)() end)) print(pcall(function() (l or up)() end)) print(pcall(function() local s = 'x' s:nope() end)) print(pcall(function() ('x'):nope() end)) print(pcall(function() print('x')() end)) print(pcall(function() t.f = 5 t.f() end)) print(pcall(function() string.nope('x') end)) print(pcall(function() math.x.y() end))
--== arithmetic on what is no number
local l, s, t = nil, 'abc', {} local u
print(pcall(function() return l + 1 end)) print(pcall(function() return 1 + l end)) print(pcall(function() return g + 1 end)) print(pcall(function() return t.x + 1 end)) print(pcall(function() return t + 1 end)) print(pcall(function() return s + 1 end)) print(pcall(function() return 1 + s end)) print(pcall(function() return 'abc' + 1 end)) print(pcall(function() return {} + {} end)) print(pcall(function() return -l end)) print(pcall(function() return -t end)) print(pcall(function() return -s end)) print(pcall(function() return -{} end)) print(pcall(function() return l * u end)) print(pcall(function() return t.a.b * 2 end)) print(pcall(function() local a, b = 1 return a + b end)) print(pcall(function() local a, b = 1 return b + a end)) print(pcall(function() return 2 ^ {} end)) print(pcall(function() return {} % 2 end)) print(pcall(function() return nil / 2 end)) print(pcall(function() return true - 1 end)) print(pcall(function() return print * 1 end)) print(pcall(function() local x = {} return x.y.z + 1 end)) print(pcall(function() local x = {} return 1 + x.y end)) print(pcall(function() local x = {} return x[1] + x[2] end)) print(pcall(function() local a = 'x' local b = 'y' return a + b end)) print(pcall(function() local a = {} a = a + 1 end)) print(pcall(function() t.n = t.n + 1 end)) print(pcall(function() count = count + 1 end)) print(pcall(function() l = l + 1 end))
--== arithmetic with results of calls
local function f() end print(pcall(function() return f() + 1 end)) print(pcall(function() return 1 + f() end)) print(pcall(function() return f() + f() end)) print(pcall(function() return (f()) * 2 end)) print(pcall(function(...) return ... + 1 end)) print(pcall(function(...) local a = ... return a + 1 end)) print(pcall(function(...) return (...) + 1 end, 'x')) print(pcall(function() return tonumber('x') + 1 end)) print(pcall(function() return #f + 1 end)) print(pcall(function() return not nil + 1 end))
--== concatenation of what is no string
local l, t = nil, {} local b = true
print(pcall(function() return l .. 'x' end)) print(pcall(function() return 'x' .. l end)) print(pcall(function() return 'x' .. g end)) print(pcall(function() return 'x' .. t.y end)) print(pcall(function() return 'x' .. t end)) print(pcall(function() return t .. 'x' end)) print(pcall(function() return 'a' .. 'b' .. l end)) print(pcall(function() return 'a' .. l .. 'b' end)) print(pcall(function() return l .. 'a' .. 'b' end)) print(pcall(function() return 'x' .. b end)) print(pcall(function() return 'x' .. nil end)) print(pcall(function() return nil .. 'x' end)) print(pcall(function() return 1 .. {} end)) print(pcall(function() return {} .. {} end)) print(pcall(function() local a, c = 'x' return a .. c end)) print(pcall(function() local a, c = 'x' return a .. c .. a end)) print(pcall(function() local a, c = 'x' return c .. a end)) print(pcall(function() return print .. 'x' end)) print(pcall(function() return 'x' .. t.a.b end)) print(pcall(function() return 'x' .. f() end)) print(pcall(function() t.s = t.s .. 'x' end)) print(pcall(function() return l .. t end)) print(pcall(function() return 'v: ' .. t.v .. ' w: ' .. t.w end)) print(pcall(function() return 1 .. 2 .. l .. 3 .. t end))
--== comparison of what cannot be compared
local l, t = nil, {}
print(pcall(function() return 1 < 'x' end)) print(pcall(function() return 'x' < 1 end)) print(pcall(function() return nil < 1 end)) print(pcall(function() return 1 < nil end)) print(pcall(function() return {} < {} end)) print(pcall(function() return {} < 1 end)) print(pcall(function() return nil < nil end)) print(pcall(function() return true < false end)) print(pcall(function() return print < print end)) print(pcall(function() return 1 <= 'x' end)) print(pcall(function() return 1 > 'x' end)) print(pcall(function() return 'x' >= 1 end)) print(pcall(function() return {} > 1 end)) print(pcall(function() return {} >= nil end)) print(pcall(function() return t.x < 5 end)) print(pcall(function() return 5 < t.x end)) print(pcall(function() return l <= l end)) print(pcall(function() return t < print end)) print(pcall(function() return coroutine.create(function() end) < 1 end)) print(pcall(function() return '10' < 5 end)) print(pcall(function() if l > 3 then end end)) print(pcall(function() while l < 3 do end end)) print(pcall(function() return not (l < 1) end)) print(pcall(function() return l < 1 and true or false end)) print(pcall(function() local x = l < 1 return x end)) print(pcall(function() repeat until l >= 1 end))
--== length of what has none
local l, t = nil, {} print(pcall(function() return #l end)) print(pcall(function() return #g end)) print(pcall(function() return #t.x end)) print(pcall(function() return #5 end)) print(pcall(function() return #true end)) print(pcall(function() return #print end)) print(pcall(function() return #nil end)) print(pcall(function() local n = 5 return #n end)) print(pcall(function() return #t.x.y end)) print(pcall(function() return #(l) end)) print(pcall(function() return #l.x end))
--== upvalues are named
local up, upt = nil, {} local function f() return up.x end local function g() up() end local function h() return up + 1 end local function i() return 'x' .. up end local function j() return upt.x.y end local function k() up.x = 1 end local function l() upt.x.y = 1 end local function m() upt:m() end local function n() return #up end local function o() return -up end local function p() return upt.x + 1 end
for _, fn in ipairs {f, g, h, i, j, k, l, m, n, o, p} do print(pcall(fn)) end
--== results of and, or in errors
local a, b = nil, nil local t = {}
print(pcall(function() return (a or b).x end)) print(pcall(function() return (a and b).x end)) print(pcall(function() return (t.x or t.y).z end)) print(pcall(function() local c = a or b return c.x end)) print(pcall(function() return (a or b)() end)) print(pcall(function() return (a or b) + 1 end)) print(pcall(function() return (t and t.x) + 1 end)) print(pcall(function() return (a or t.x) .. 'z' end)) print(pcall(function() return (not a).x end)) print(pcall(function() return (a == b).x end)) print(pcall(function() local x, y = nil, nil return (x or y).z end)) print(pcall(function() local x, y = nil, nil return (x or y) + 1 end)) print(pcall(function() local x, y = 1, nil return (x and y).z end))
--== field names
local t = {} print(pcall(function() return t['x'].y end)) print(pcall(function() return t['a b'].y end)) print(pcall(function() return t[''].y end)) print(pcall(function() return t[1].y end)) print(pcall(function() return t[true].y end)) print(pcall(function() return t[{}].y end)) print(pcall(function() local k = 'k' return t[k].y end)) print(pcall(function() return t[t].y end)) print(pcall(function() return t['x' .. 'y'].z end)) print(pcall(function() return t.x['y'] end)) print(pcall(function() t['x']() end)) print(pcall(function() t[1]() end)) print(pcall(function() t['x']['y']() end)) print(pcall(function() return t['x'] + 1 end)) print(pcall(function() return t[1.5] + 1 end)) print(pcall(function() return t['line\nbreak'].y end))
--== levels of error
local function f(l) error('msg', l) end local function g(l) f(l) end local function h(l) g(l) end
for l = 0, 5 do print(l, pcall(h, l)) end print(pcall(error, 'x')) print(pcall(error, 'x', 1)) print(pcall(error, 'x', 2)) print(pcall(error)) print(pcall(error, nil)) print(pcall(error, 'x', -1)) print(pcall(error, 'x', '2')) print(pcall(error, 'x', 'y')) print(pcall(error, 'x', 100))
--== levels of error and tail calls
local function f(l) error('msg', l) end
local function tail(l) return f(l) end
local function outer(l) tail(l) return 1 end
for l = 0, 5 do print(l, pcall(outer, l)) print(l, pcall(tail, l)) end
local function e(l) return error('direct', l) end for l = 0, 3 do print(pcall(e, l)) end local function e2(l) e(l) return 1 end for l = 0, 4 do print(pcall(e2, l)) end
--== error values of every type
for _, v in ipairs {1, 1.5, true, false, 'str', {}, print} do local ok, e = pcall(error, v) print(ok, type(e), rawequal(e, v)) ok, e = pcall(function() error(v) end) print(ok, type(e), rawequal(e, v), type(e) == 'string' and e) end
print(pcall(function() error() end)) print(pcall(function() error(nil) end)) print(select('#', pcall(error))) print(pcall(function() error(5, 2) end)) print(pcall(function() error('10') end))
--== pcall
print(pcall(function() end)) print(pcall(function() return 1, nil, 3 end)) print(pcall(function(...) return ... end, 1, 2, nil)) print(select('#', pcall(function() end)), select('#', pcall(function() return nil end))) print(pcall(pcall)) print(pcall(pcall, error)) print(pcall(pcall, pcall, error, 'x')) print(pcall(nil)) print(pcall(5)) print(pcall({})) print(pcall('x')) print(pcall(print, 'printed')) print(pcall(type)) print(pcall(function() return pcall(error, 'inner') end)) print((pcall(error, 'x')))
print(pcall(pcall, nil)) print(pcall(string.rep)) print(pcall(string.rep, 'x')) print(pcall(string.rep, 'x', 'y')) print(pcall(string.rep, 'x', 3))
--== nested pcall
print(pcall(function() local ok, e = pcall(function() error('inner') end) print(ok, e) error('outer: ' .. e, 0) end)) print(pcall(function() local ok, e = pcall(error, {1}) error(e) end)) local depth = 0 local function nest() depth = depth + 1 if depth < 20 then local ok, e = pcall(nest) error(e, 0) end error('deepest') end print(pcall(nest))
--== xpcall
print(xpcall(function() return 1, 2 end, print)) print(xpcall(function() error('x') end, function(e) return 'H:' .. e end)) print(xpcall(function() error({}) end, type)) print(xpcall(function() local x = nil; x() end, function(e) return e, 'second' end)) print(xpcall(function() error('x', 0) end, function(e) print('handler', e) end)) print(xpcall(function(...) return select('#', ...) end, print, 1, 2)) print(pcall(xpcall)) print(pcall(xpcall, print)) print(xpcall(nil, function(e) return 'H ' .. e end)) print(xpcall(error, function(e) return e end)) print(xpcall(function() error() end, function(e) return type(e) end))
--== errors in handlers
print(xpcall(function() error('x') end, function(e) error('y') end)) print(xpcall(function() error('x') end, nil)) print(xpcall(function() error('x') end, 5)) print(xpcall(function() error('x') end, function(e) local n = nil return n.x end)) print(xpcall(function() error('x') end, function(e) return pcall(error, 'inside') end)) print(xpcall(function() error('x') end, {}))
--== handlers see the stack before it unwinds
local function f() local v = 1 error('deep') end print(xpcall(f, function(e) return select(2, pcall(error, 'again', 1)) .. ' / ' .. e end)) print(xpcall(function() return xpcall(function() error('in') end, function(e) return 'h1 ' .. e end) end, function(e) return 'h2 ' .. e end)) print(xpcall(function() xpcall(function() error('in') end, function(e) error('h1') end) error('out') end, function(e) return 'h2 ' .. e end))
--== assert
print(assert(1)) print(assert(1, 2, 3)) print(assert('x', nil)) print(pcall(assert, nil)) print(pcall(assert, false, 'msg')) print(pcall(assert, nil, {})) print(pcall(assert)) print(pcall(assert, false, 5)) print(pcall(assert, false, nil)) print(pcall(function() assert(false, 'no position') end)) print(pcall(function() assert(nil) end)) print(pcall(function() assert(loadstring('x =')) end)) print(select('#', assert(1, nil, nil)))
--== bad arguments are named as they were called
local rep, insert = string.rep, table.insert local t = {ins = table.insert, s = {r = string.rep}} grep = string.rep
print(pcall(function() string.rep() end)) print(pcall(function() rep() end)) print(pcall(function() local r = string.rep r() end)) print(pcall(function() grep() end)) print(pcall(function() t.ins() end)) print(pcall(function() t.s.r() end)) print(pcall(function() insert(nil, 1) end)) print(pcall(function() t:ins() end)) print(pcall(function() t.s:r(1) end)) print(pcall(function() ('x'):rep() end)) print(pcall(function() ('x'):rep({}) end)) print(pcall(function() ('x'):rep('y') end)) print(pcall(rep)) print(pcall(table.insert)) print(pcall(function() return rep() end)) print(pcall(function() return string.rep('x') end)) print(pcall(function() ({rep})[1]() end)) print(pcall(function() (rep)() end)) print(pcall(function() (rep or 1)() end)) print(pcall(function() local x = rep('x', {}) end)) print(pcall(function() return (rep('x', {})) end)) print(pcall(function() print(rep('x', nil)) end)) print(pcall(function() string['rep']() end)) print(pcall(function() local k = 'rep' string[k]() end)) print(pcall(function() for _ in rep() do end end)) print(pcall(function() return #rep() end)) print(pcall(function() t[rep()] = 1 end))
--== bad self
local s = setmetatable({}, {__index = string}) print(pcall(function() return s:rep(3) end)) print(pcall(function() return s:upper() end)) local t = setmetatable({}, {__index = table}) print(pcall(function() return t:concat(1, 2, 'x') end)) print(pcall(function() t:insert(1, 2, 3) end)) print(pcall(function() return t:concat({}) end)) t:insert('a') print(t:concat()) local o = {f = math.floor} print(pcall(function() return o:f() end)) print(pcall(function() return o.f(o) end)) print(pcall(function() return ('abc'):format(1):sub({}) end)) print(pcall(function() return ('%d'):format('x') end)) print(pcall(function() return ('%d'):format() end))
--== bad arguments in metamethods and callbacks
print(pcall(string.gsub, 'abc', '.', function(c) return string.rep() end)) print(pcall(function() return setmetatable({}, {__index = string.rep}).x end)) print(pcall(function() return setmetatable({}, {__index = function() return string.rep() end}).x end)) print(pcall(table.sort, {3, 2, 1}, math.floor)) print(pcall(table.sort, {3, 2, 1}, string.rep)) print(pcall(table.foreach, {1}, string.rep)) print(pcall(table.foreach, {a = 1}, setmetatable)) print(pcall(string.gsub, 'abc', '.', setmetatable)) print(pcall(coroutine.wrap, string.rep)) print(coroutine.resume(coroutine.create(function() string.rep() end))) print(pcall(coroutine.wrap(function() string.rep() end))) print(pcall(function() return setmetatable({}, {__add = rawset}) + 1 end)) print(pcall(function() return setmetatable({}, {__call = rawset})() end)) print(pcall(setmetatable({}, {__call = setmetatable})))
--== where errors of the library point
local function wrong()
  local t = {}

  return table.concat(t, '', 1, 1)
end
print(pcall(wrong))
print(pcall(function()
  local x = 1
  setmetatable(
    x,
    {}
  )
end))
--== lines of errors in long expressions
print(pcall(function()
  local a = 1
  return a
    + 2
    + nil
end))
print(pcall(function()
  local t = {}
  return t
    .x
    .y
end))
print(pcall(function()
  return 'a' ..
    'b' ..
    nil
end))
print(pcall(function()
  local t = {
    a = 1,
    b = nil + 1,
    c = 2,
  }
end))
print(pcall(function()
  print(
    1,
    nil .. 'x',
    2
  )
end))
--== lines of errors in calls
local function fail() error('here', 2) end
print(pcall(function()
  fail(
  )
end))
print(pcall(function()
  fail(1,
    2,
    3)
end))
print(pcall(function()
  fail { 1,
    2 }
end))
--== lines of errors in calls with arguments on other lines
local function fail() error('here', 2) end
print(pcall(function() local t = {f = fail}
  t.f(
    1
  )
  return 1
end))
print(pcall(function() local t = {f = fail}
  t
  .f(
    1
  )
end))
print(pcall(function()
  if fail(
    1) then
  end
end))
print(pcall(function() local t = {f = fail}
  t:f
    'x'
end))
--== lines of errors in comparisons and conditions
print(pcall(function()
  if 1
    <
    {} then
    print('x')
  end
end))
print(pcall(function()
  while
    nil < 1
  do end
end))
print(pcall(function()
  local x = 5
  repeat
    x = x - 1
  until x
    < 'a'
end))
print(pcall(function()
  for i = 1,
    'x',
    2 do
  end
end))
print(pcall(function()
  for k, v in
    nil
  do
  end
end))
--== lines of errors in assignments
local t = {}
print(pcall(function()
  t.a,
  t.b.c,
  t.d = 1,
    2,
    3
end))
print(pcall(function()
  local x =
    nil
    + 1
end))
print(pcall(function()
  t[
    nil
  ] =
    5
end))
print(pcall(function()
  return 1,
    2,
    t.x.y,
    3
end))
print(pcall(function()
  return -
    {}
end))
print(pcall(function()
  return #
    nil
end))
--== error positions inside nested functions
local function a()
  local function b()
    local function c()
      error('c')
    end
    c()
  end
  b()
end
print(pcall(a))
local t = {
  f = function()
    return function()
      error('inner function')
    end
  end,
}
print(pcall(t.f()))
--== errors keep state consistent
local n = 0 local t = {} for i = 1, 10 do pcall(function() n = n + 1 t[n] = n if i % 2 == 0 then error('even') end n = n + 100 end) end print(n, #t)
--== errors keep state consistent while unwinding
local log = {} local function f(i) log[#log + 1] = 'in' .. i if i == 3 then error('stop') end f(i + 1) log[#log + 1] = 'out' .. i end pcall(f, 1) print(table.concat(log, ' ')) for i = 1, 3 do local ok, e = pcall(f, 3) print(i, ok, e) end
--== retry loops
local attempts = 0 local function flaky() attempts = attempts + 1 if attempts < 3 then error('try ' .. attempts) end return 'ok', attempts end repeat local ok, r = pcall(flaky) print(ok, r) until ok
--== error objects with methods
local E = {} E.__index = E E.__tostring = function(e) return 'E(' .. e.m .. ')' end local function throw(m) error(setmetatable({m = m}, E)) end local ok, e = pcall(throw, 'custom') print(ok, tostring(e), e.m, getmetatable(e) == E) print(select(2, pcall(throw, 'direct')).m) local ok2, e2 = pcall(function() local ok, e = pcall(throw, 'a') e.m = e.m .. 'b' error(e) end) print(tostring(e2))
--== try and finally
local function try(f, catch, finally) local r = {pcall(f)} if not r[1] and catch then catch(r[2]) end if finally then finally() end return unpack(r, 2) end print(try(function() return 1, 2 end, print, function() print('finally') end)) print(try(function() error('oops', 0) end, function(e) print('caught', e) end, function() print('finally') end))
--== tostring(nil) and such in messages
print(pcall(function() error('got ' .. tostring(nil)) end)) print(pcall(function() error(('%s'):format(nil)) end)) print(pcall(string.format, '%s %s', 1)) print(pcall(string.format, '%d', nil)) print(pcall(string.format, '%d', '10'), pcall(string.format, '%s', nil), pcall(string.format, '%s', true))
--== names of for variables and parameters
print(pcall(function(p) return p.x end)) print(pcall(function(p) p() end)) print(pcall(function(p) return p + 1 end)) for i = 1, 1 do print(pcall(function() return i() end)) print(pcall(function() local j = i return j.x.y end)) end print(pcall(function() for i = 1, 1 do i() end end)) print(pcall(function() for i = 1, 1 do i.x.y = 1 end end)) print(pcall(function() for k, v in pairs {1} do v() end end)) print(pcall(function(self) self:m() end)) print(pcall(function(self) self:m() end, {}))
--== arithmetic where both operands are wrong
print(pcall(function() local a, b = {}, nil return a + b end)) print(pcall(function() local a, b = nil, {} return a + b end)) print(pcall(function() local a, b = 'x', nil return a + b end)) print(pcall(function() local a, b = '5', nil return a + b end)) print(pcall(function() local a, b = nil, 'x' return a .. b end)) print(pcall(function() local a, b = {}, {} return a .. b end)) print(pcall(function() local a, b = 1, {} return a .. b end)) print(pcall(function() local a, b = {}, 1 return a .. b end)) print(pcall(function() local a, b, c = 'x', nil, 'y' return a .. b .. c end))
--== constants in errors
print(pcall(function() return 'a' + 'b' end)) print(pcall(function() return 'a' * 2 end)) print(pcall(function() return 2 - 'a' end)) print(pcall(function() return -'a' end)) print(pcall(function() local t = {} return t + 'x' end)) print(pcall(function() local t = {} return 'x' + t end)) print(pcall(function() return 5 .. nil end)) print(pcall(function() return nil .. 5 end)) print(pcall(function() return 1 < 'a' end)) print(pcall(function() return 'x' < nil end)) print(pcall(function() local x = 5 return x < 'a' end))
--== error after yield
local co = coroutine.create(function() coroutine.yield(1) error('after') end) print(coroutine.resume(co)) print(coroutine.resume(co)) print(coroutine.resume(co)) print(coroutine.status(co))
