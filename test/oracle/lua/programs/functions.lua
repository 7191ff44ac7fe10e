-- Programs of the fixed corpus; see corpus.ts.
--== closures share variables
local function counter()
  local n = 0
  return function() n = n + 1 return n end, function() return n end, function(v) n = v end
end
local inc, get, set = counter()
local inc2 = counter()
print(inc(), inc(), get(), inc2()) set(10) print(inc(), get(), inc2())
--== closures in a numeric loop
local fs = {}
for i = 1, 3 do fs[i] = function(d) if d then i = i + d end return i end end
print(fs[1](), fs[2](), fs[3](), fs[1](10), fs[1](), fs[2]())
--== closures in a generic loop
local fs = {}
for k, v in ipairs {'a', 'b', 'c'} do fs[k] = function() v = v .. k return v end end
print(fs[1](), fs[2](), fs[1](), fs[3]())
--== closures in while and repeat
local fs, i = {}, 0
while i < 3 do i = i + 1 local j = i fs[#fs + 1] = function() j = j + 1 return j, i end end
print(fs[1]()) print(fs[1]()) print(fs[3]())
local k = 0
repeat k = k + 1 local j = k * 10 fs[#fs + 1] = function() return j end until j >= 30
print(fs[4](), fs[5](), fs[6](), #fs)
--== a loop's variable is a copy
for i = 1, 3 do local old = i i = i * 10 print(old, i) end
for _, v in ipairs {1, 2} do v = v .. 'x' print(v) end
--== closures of a block that is run again
local list = {}
for pass = 1, 2 do
  local shared = pass * 100
  local function add(n) shared = shared + n return shared end
  list[#list + 1] = add
  list[#list + 1] = function() return shared end
end
print(list[1](1), list[2](), list[3](5), list[4](), list[2]())
--== recursion
local function fact(n) if n <= 1 then return 1 end return n * fact(n - 1) end
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fact(10), fact(20), fib(20))
local even, odd
function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
print(even(10), odd(7), even(10001))
--== mutual recursion through globals
function isEven(n) return n == 0 or isOdd(n - 1) end
function isOdd(n) return n ~= 0 and isEven(n - 1) end
print(isEven(100), isOdd(99), isEven(7))
--== missing and extra arguments
local function f(a, b, c) return a, b, c end
print(f()) print(f(1)) print(f(1, 2, 3, 4)) print((f(1, 2, 3))) print(f(f(1, 2))) print(f((f(1, 2))))
print(f(f(1, 2), f(3, 4)))
--== results are cut and padded
local function none() end
local function two() return 1, 2 end
local function nils() return nil, nil end
print(none()) print((none())) print(two(), none()) print(none(), two()) print(#{two(), two()}, #{two(), (two())})
print(select('#', none()), select('#', (none())), select('#', nils()), select('#', two(), nils()))
local a, b, c = none(), two() print(a, b, c)
print(type(none() == nil), pcall(type, none()))
--== varargs
local function f(...) return select('#', ...), ... end
print(f()) print(f(nil)) print(f(1, nil)) print(f(nil, nil, nil)) print((f(1, 2)))
local function g(a, ...) local b, c = ... return a, b, c, select('#', ...) end
print(g()) print(g(1)) print(g(1, 2)) print(g(1, 2, 3, 4))
local function h(...) return {...}, {..., 'end'}, {'start', ...} end
local x, y, z = h(1, 2, 3) print(#x, #y, #z, y[2], z[4])
print((function(...) return ... end)(1, 2, 3)) print((function(...) return (...) end)(1, 2, 3))
print((function(...) return ..., 'x' end)(1, 2, 3)) print((function(...) return ... end)())
print((function(...) local a = ... return a end)(), (function(...) return ... == nil end)())
--== varargs of the main chunk
print(select('#', ...), ...)
local t = {...} print(#t)
--== varargs pass nils
local function count(...) return select('#', ...) end
print(count(nil), count(nil, nil), count(unpack({}, 1, 3)), count(unpack({1, nil, 3}, 1, 3)), count(count()))
local function pass(...) return ... end
print(count(pass(nil, 1, nil)), count(pass()), count((pass())))
--== select
print(select(1, 'a', 'b', 'c')) print(select(2, 'a', 'b', 'c')) print(select(3, 'a', 'b', 'c')) print(select(4, 'a', 'b', 'c'))
print(select(-1, 'a', 'b', 'c')) print(select(-3, 'a', 'b', 'c')) print(select('#')) print(select('2', 'a', 'b'), select(1.9, 'a', 'b'))
print(pcall(select, 0, 'a')) print(pcall(select, -4, 'a', 'b', 'c')) print(pcall(select)) print(pcall(select, 'x')) print(pcall(select, {}, 1)) print(pcall(select, nil))
--== unpack
print(unpack {1, 2, 3}) print(unpack({1, 2, 3}, 2)) print(unpack({1, 2, 3}, 2, 3)) print(unpack({1, 2}, 1, 4)) print(unpack({}, 1, 0), unpack({}))
print(unpack({1, nil, 3}, 1, 3)) print(unpack({[0] = 0, [1] = 1}, 0, 1)) print(unpack({1, 2, 3}, -1, 1)) print((unpack {1, 2}))
print(pcall(unpack)) print(pcall(unpack, 1)) print(pcall(unpack, {}, 'x')) print(pcall(unpack, {}, 1, 1e8)) print(unpack({1, 2, 3}, '2', '3'))
--== the arg table of Lua 5.0
local function f(...) return arg.n, arg[1], arg[2], #arg, type(arg) end
print(f()) print(f(1)) print(f(nil, 2)) print(f(1, 2, 3))
local function g(a, ...) arg[1] = 'changed' arg.n = nil return arg[1], arg.n, a end
print(g(1, 2, 3))
local function h(...) local function inner() return arg end return inner() end
print(type(h(1)), h(1, 2).n)
--== no arg table where dots are used
local function f(...) local x = ... return arg end
print(f(1, 2))
print(arg)
local arg = 'mine'
local function g(...) local _ = ... return arg end
print(g(1))
--== methods
local o = {n = 1}
function o.static(x) return x end
function o:add(x) self.n = self.n + x return self end
function o.deep() end
o.sub = {m = 2} function o.sub:get(...) return self.m, ... end function o.sub.plain(...) return ... end
print(o.static(5), o:add(2).n, o:add(1):add(1).n, o.sub:get(7), o.sub.plain(8), o['add'](o, 1).n)
print(pcall(o.add, nil, 1)) print(pcall(function() return o.add(1) end))
--== methods of strings
print(('abc'):upper(), ('x'):rep(3), ('%d'):format(5), #('abc'):rep(2), ('a,b'):find(','), ("x"):byte())
local s = 'hello' print(s:len(), s:sub(2, 3), s:upper():lower(), s.len, s:sub(-3))
print(pcall(function() return s:nothing() end)) print(pcall(function() return ('x').y.z end)) print(s.x, s[1])
print(pcall(function() s.x = 1 end))
--== calls without parentheses
print 'literal' print [[long]]
local function id(x) return x end
print(id 'x' .. id "y", id {1}[1], #id {1, 2}, type(id {}))
local o = {m = function(self, x) return x end} print(o:m 'str', o:m {5}[1], o.m(o, 'z'))
--== functions as keys and values
local f, g = function() return 1 end, function() return 2 end
local t = {[f] = 'f', [g] = 'g', h = f}
print(t[f], t[g], t.h(), t[print], f == g, f == t.h)
--== immediately called
print((function() return 'now' end)(), (function(...) return select('#', ...) end)(nil, nil))
local r = (function(n) if n > 0 then return 'pos' else return 'neg' end end)(-1) print(r)
--== tail calls run without growing the stack
local function loop(n, acc) if n == 0 then return acc end return loop(n - 1, acc + 1) end
print(loop(1000000, 0))
local function ping(n) if n == 0 then return 'done' end return (function(m) return ping(m) end)(n - 1) end
print(ping(100000))
--== tail calls through methods and varargs
local o = {} function o:go(n, ...) if n == 0 then return select('#', ...), ... end return self:go(n - 1, ...) end
print(o:go(200000, 'a', nil, 'c'))
local function a(n) if n <= 0 then return 'end' end return o.b(n) end
function o.b(n) return a(n - 1) end
print(a(200000))
--== tail calls out of pcall come back
local function f(n) if n == 0 then error('deep') end return f(n - 1) end
print(pcall(f, 100000))
local function g(n) if n == 0 then return 1, 2, 3 end return g(n - 1) end
print(pcall(g, 100000))
--== deep recursion that fits
local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end
print(depth(10), depth(1000), depth(10000))
--== stack overflow
local function endless(n) return 1 + endless(n + 1) end
local ok, e = pcall(endless, 1)
print(ok, type(e), e:match('stack overflow'))
local function both() local ok, e = pcall(endless, 1) return ok, (e:match('stack overflow')) end
print(both()) print(both())
--== stack overflow in a metamethod
local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. 'x'] end
local ok, e = pcall(function() return t.a end)
print(ok, type(e), (tostring(e):match('stack overflow')))
--== stack overflow keeps what was done before
local n = 0
local function f() n = n + 1 return 1 + f() end
pcall(f) print(n > 1000, n < 1000000)
print(pcall(string.rep, 'x', 3))
--== recursion through pcall has a limit
local function f(n) local ok, e = pcall(f, n + 1) if not ok then error(e, 0) end return e end
local ok, e = pcall(f, 1) print(ok, (tostring(e):match('stack overflow')))
--== recursion through string.gsub
local function f(n) if n == 0 then return 'bottom' end return (string.gsub('x', 'x', function() return f(n - 1) end)) end
print(f(10), f(100)) print(pcall(f, 150))
--== recursion through table.sort
local function f(n) if n == 0 then return 0 end local t = {2, 1} table.sort(t, function(a, b) if a < b then f(n - 1) end return a < b end) return t[1] end
print(f(5))
--== upvalues of upvalues
local function a() local x = 1 local function b() local function c() x = x + 1 return x end return c end return b()(), x end
print(a())
local x = 0 local function outer() return function() return function() x = x + 1 return x end end end
print(outer()()(), outer()()(), x)
--== parameters are captured and assigned
local function f(a, b) local function g() a = a + 1 return a + b end b = 10 return g(), a, g(), a end
print(f(1, 2))
local function swap(a, b) a, b = b, a return function() return a, b end end print(swap(1, 2)())
--== function names with dots
a = {b = {c = {}}} function a.b.c.f(x) return x * 2 end function a.b.c:g(x) return self == a.b.c, x end
print(a.b.c.f(21), a.b.c:g(1)) local function local_fn() return 'l' end print(local_fn())
--== return in the middle of a block
local function f(x) do if x then return 'early' end end for i = 1, 3 do if i == 2 then return i end end return 'late' end
print(f(true), f(false)) local function g() while true do do return 'out' end end end print(g())
local function h(x) repeat if x then return 'r' end until true return 's' end print(h(true), h(false))
