-- Programs of the fixed corpus; see corpus.ts.
--== arithmetic events
local mt = {}
for _, e in ipairs {'add', 'sub', 'mul', 'div', 'mod', 'pow', 'concat'} do
  mt['__' .. e] = function(a, b) return e .. ' ' .. (type(a) == 'table' and a.n or tostring(a)) .. ' ' .. (type(b) == 'table' and b.n or tostring(b)) end
end
mt.__unm = function(a, b) return 'unm ' .. a.n .. ' ' .. tostring(rawequal(a, b)) end
local x, y = setmetatable({n = 'x'}, mt), setmetatable({n = 'y'}, mt)
print(x + y, x - 1, 2 * x, x / 'a', 'b' % x, x ^ 2, -x, x .. y, x .. 's', 's' .. x, 1 .. x, x .. 1)
print('a' .. 'b' .. x, x .. 'a' .. 'b', 'a' .. x .. 'b', 1 .. 2 .. x, x + 1 .. 'z')
--== events of the left operand come first
local a = setmetatable({}, {__add = function() return 'left' end})
local b = setmetatable({}, {__add = function() return 'right' end})
print(a + b, b + a, a + 1, 1 + a, 1 + b, a + {}, {} + b) print(pcall(function() return {} + {} end)) print(pcall(function() return {} + 1 end)) print(a + nil, nil + b, a + 'x', true + a)
--== results of events are cut to one
local mt = {__add = function() return 1, 2, 3 end, __concat = function() end, __unm = function() return nil, 1 end, __call = function(...) return ... end}
local o = setmetatable({}, mt) print(o + 1, (o + 1)) print(o .. 'x') print(-o) print(select('#', o + 1), select('#', o .. 1), select('#', o(1, 2)))
--== comparison events
local mt = {__lt = function(a, b) print('lt') return a.n < b.n end, __le = function(a, b) print('le') return a.n <= b.n end, __eq = function(a, b) print('eq') return a.n == b.n end}
local a, b, c = setmetatable({n = 1}, mt), setmetatable({n = 2}, mt), setmetatable({n = 1}, mt)
print(a < b, a > b, a <= b, a >= b, a == b, a ~= b, a == c, a ~= c, a == a) print(a == 1, 1 == a, a == 'x', a ~= nil)
--== le is made from lt
local mt = {__lt = function(a, b) print('lt', a.n, b.n) return a.n < b.n end}
local a, b = setmetatable({n = 1}, mt), setmetatable({n = 2}, mt) print(a <= b, b <= a, a >= b, a <= a)
--== results of comparisons are booleans
local mt = {__lt = function() return 'x' end, __eq = function() return 1 end, __le = function() return nil end}
local a, b = setmetatable({}, mt), setmetatable({}, mt) print(a < b, a == b, a <= b, a ~= b, a > b, a >= b, not (a < b)) if a < b then print('yes') end if a <= b then print('no') else print('else') end
--== eq needs the same function on both sides
local eq = function() return true end
local a, b, c = setmetatable({}, {__eq = eq}), setmetatable({}, {__eq = eq}), setmetatable({}, {__eq = function() return true end}) print(a == b, a == c, a == {}, {} == a)
--== lt needs the same function on both sides
local lt = function() return true end
local a, b, c = setmetatable({}, {__lt = lt}), setmetatable({}, {__lt = lt}), setmetatable({}, {__lt = function() return true end})
print(a < b) print(pcall(function() return a < c end)) print(pcall(function() return a < 1 end)) print(pcall(function() return 1 < a end)) print(pcall(function() return a < 'x' end)) print(pcall(function() return {} < {} end)) print(pcall(function() return a <= c end))
--== index by table and function
local base = {x = 'base x', y = 'base y'} local t = setmetatable({x = 'own'}, {__index = base}) print(t.x, t.y, t.z) base.z = 'late' print(t.z)
local f = setmetatable({}, {__index = function(t, k) return k .. '!', 'extra' end}) print(f.a, f['b c'], f[1], (f.x)) print(pcall(function() return f[nil] end)) print(select('#', f.x))
local chain = setmetatable({}, {__index = setmetatable({a = 1}, {__index = setmetatable({b = 2}, {__index = function(_, k) return 'end ' .. k end})})}) print(chain.a, chain.b, chain.c)
--== index sees the original table only for functions
local log = function(t, k) return rawget(t, 'name') end
local inner = setmetatable({name = 'inner'}, {__index = log}) local outer = setmetatable({name = 'outer'}, {__index = inner}) print(outer.foo) local third = setmetatable({}, {__index = log}) print(third.foo)
--== index of strings
print(('x').len, #('x'), ('abc'):len(), ('x').nothing) local m = getmetatable('') print(type(m), m.__index == string, m.__metatable, next(m))
m.__index = function(s, k) if type(k) == 'number' then return s:sub(k, k) end return string[k] end local s = 'hello' print(s[1], s[5], s:upper(), s[9]) m.__add = function(a, b) return a .. '+' .. b end print(pcall(function() return 'a' + 'b' end), '1' + 2) m.__index = string m.__add = nil
m.__call = function(s, x) return s .. x end print(('fmt')('arg')) m.__call = nil m.__unm = function(s) return s:reverse() end print(-'abc', -'12') m.__unm = nil
--== index of the string library can be extended
function string.shout(s) return s:upper() .. '!' end print(('hey'):shout()) string.shout = nil print(pcall(function() return ('x'):shout() end))
--== newindex
local log = {} local t = setmetatable({a = 1}, {__newindex = function(t, k, v) log[#log + 1] = tostring(k) rawset(t, k, v) end}) t.a = 2 t.b = 3 t.b = 4 t[1] = 'x' t.b = nil t.b = 5 print(table.concat(log, ' '), t.a, t.b)
local store = {} local p = setmetatable({}, {__newindex = store}) p.x = 1 print(rawget(p, 'x'), store.x, p.x) local c = setmetatable({}, {__newindex = setmetatable({}, {__newindex = function(t, k, v) print('far', k, v) end})}) c.k = 'v'
local r = setmetatable({}, {__newindex = function() error('read only', 2) end}) print(pcall(function() r.x = 1 end))
print(pcall(function() setmetatable({}, {__newindex = function() end})[nil] = 1 end)) print(pcall(function() setmetatable({}, {__newindex = {}})[nil] = 1 end))
--== newindex and existing nil
local t = setmetatable({x = 1}, {__newindex = function(t, k, v) print('new', k) end}) t.x = nil t.x = 2 print(t.x)
--== call
local c = setmetatable({}, {__call = function(self, ...) return select('#', ...), ... end}) print(c(), c(1, 2), c(nil)) print(pcall(c, 1)) print((c(5))) local d = setmetatable({}, {__call = c}) print(pcall(function() return d(1) end))
local e = setmetatable({}, {__call = 5}) print(pcall(function() e() end)) print(pcall(e)) local o = {m = c} print(o:m(1), o.m(2)) for a, b in c, 1, 2 do print(a, b) break end
print(pcall(setmetatable({}, {__call = function(s, x) error('in call ' .. x) end}), 'arg')) local t = setmetatable({}, {__call = function(s, n) if n == 0 then return 'end' end return s(n - 1) end}) print(t(1000)) print(tostring(setmetatable({}, {__tostring = function() return 'str' end})))
--== call through sort, gsub and pcall
local callable = setmetatable({}, {__call = function(self, a, b) return a > b end}) print(pcall(table.sort, {1, 2, 3}, callable)) print(pcall(string.gsub, 'abc', '.', setmetatable({}, {__call = function(_, c) return c:upper() end}))) print(pcall(setmetatable({}, {__call = print}), 1) == true, xpcall(setmetatable({}, {__call = function() return 'x' end}), print)) print((string.gsub('abc', '.', setmetatable({}, {__index = function(_, k) return k .. k end}))))
--== tostring
local function t(v) return pcall(tostring, setmetatable({}, {__tostring = v})) end
print(t(function() return 'text' end)) print(t(function() return 5 end)) print(t(function() return nil end)) print(t(function() return 'a', 'b' end)) print(t(function() error('bad') end)) print(t(5)) print((select(2, t(nil)):gsub('0x%x+', '')))
print(pcall(print, setmetatable({}, {__tostring = function() return {} end}))) print(setmetatable({}, {__tostring = function() return 'shown' end})) print(pcall(string.format, '%s', setmetatable({}, {__tostring = function() return 'f' end}))) print(pcall(table.concat, {setmetatable({}, {__tostring = function() return 'f' end})})) print(pcall(function() return setmetatable({}, {__tostring = function() return 'f' end}) .. '' end))
--== a metatable that is hidden
local t = setmetatable({}, {__metatable = 'locked'}) print(getmetatable(t), pcall(setmetatable, t, {})) print(getmetatable('x') == getmetatable('y'), getmetatable(1), getmetatable(nil), getmetatable(print), getmetatable({}), getmetatable(true)) local f = setmetatable({}, {__metatable = false}) print(getmetatable(f), pcall(setmetatable, f, nil))
--== setmetatable
local t = {} print(setmetatable(t, nil) == t, getmetatable(t)) print(setmetatable(t, {}) == t, type(getmetatable(t))) print(pcall(setmetatable, 1, {})) print(pcall(setmetatable, {}, 1)) print(pcall(setmetatable, {})) print(pcall(setmetatable)) print(pcall(setmetatable, {}, 'x')) print(pcall(getmetatable)) setmetatable(t, nil) print(getmetatable(t))
--== len, pairs and ipairs are not asked in 5.1
local t = setmetatable({1, 2}, {__len = function() return 100 end, __pairs = function() return function() end end, __ipairs = function() return function() end end, __index = function(t, i) if i <= 4 then return i * 10 end end}) print(#t) for k, v in pairs(t) do print(k, v) end for i, v in ipairs(t) do print(i, v) end print(table.concat(t, ','), unpack(t, 1, 4))
--== weak tables, gc and modes do nothing here
local t = setmetatable({}, {__mode = 'kv', __gc = function() print('never') end}) local k = {} t[k] = 1 t[1] = k print(t[k], t[1] == k)
--== an event that is no function
print(pcall(function() return setmetatable({}, {__add = 5}) + 1 end)) print(pcall(function() return setmetatable({}, {__index = 5}).x end)) print(pcall(function() return setmetatable({}, {__index = 'str'}).len == string.len end)) print(pcall(function() return setmetatable({}, {__lt = {}}) < setmetatable({}, {}) end)) print(pcall(function() setmetatable({}, {__newindex = 5}).x = 1 end)) print(pcall(function() return setmetatable({}, {__concat = {}}) .. 'x' end)) print(pcall(function() return -setmetatable({}, {__unm = 'x'}) end)) print(pcall(function() return setmetatable({}, {__index = true}).x end))
--== events that are callable tables
local f = setmetatable({}, {__call = function(self, a, b) return 'called' end}) print(setmetatable({}, {__add = f}) + 1, setmetatable({}, {__concat = f}) .. 'x', -setmetatable({}, {__unm = f})) print(pcall(function() return setmetatable({}, {__index = f}).x end)) print(pcall(tostring, setmetatable({}, {__tostring = f})))
--== metatables are looked at raw
local mt = setmetatable({}, {__index = {__add = function() return 'inherited' end}}) print(pcall(function() return setmetatable({}, mt) + 1 end))
--== an index loop
local t = {} setmetatable(t, {__index = t}) print(pcall(function() return t.x end)) local a, b = {}, {} setmetatable(a, {__index = b}) setmetatable(b, {__index = a}) print(pcall(function() return a.x end)) setmetatable(t, {__newindex = t}) print(pcall(function() t.x = 1 end))
--== inheritance
local Animal = {} Animal.__index = Animal function Animal.new(name) return setmetatable({name = name}, Animal) end function Animal:speak() return self.name .. ' speaks' end function Animal:rename(n) self.name = n return self end
local Dog = setmetatable({}, {__index = Animal}) Dog.__index = Dog function Dog.new(name) local d = Animal.new(name) return setmetatable(d, Dog) end function Dog:speak() return Animal.speak(self) .. ' woof' end
local a, d = Animal.new('cat'), Dog.new('rex') print(a:speak(), d:speak(), d:rename('max'):speak(), getmetatable(d) == Dog, rawget(d, 'speak')) print(pcall(function() return a:fly() end)) print(pcall(function() return Dog.fly() end)) print(pcall(Animal.speak)) print(pcall(a.speak, {}))
--== multiple inheritance by function
local A, B = {a = function() return 'A.a' end}, {b = function() return 'B.b' end} local C = setmetatable({}, {__index = function(t, k) for _, p in ipairs {A, B} do if p[k] then t[k] = p[k] return p[k] end end end}) print(C.a(), C.b(), C.c, rawget(C, 'a') == A.a)
--== properties and defaults
local P = {} P.__index = function(t, k) local g = P['get_' .. k] if g then return g(t) end return rawget(P, k) end P.get_area = function(t) return t.w * t.h end local r = setmetatable({w = 3, h = 4}, P) print(r.area, r.w, r.none) local d = setmetatable({}, {__index = function() return 0 end}) d.x = d.x + 1 d.x = d.x + 1 print(d.x, d.y)
--== fibonacci memo
local fib = setmetatable({[0] = 0, [1] = 1}, {__index = function(t, n) local v = t[n - 1] + t[n - 2] t[n] = v return v end}) print(fib[30], fib[50], rawget(fib, 20))
--== vectors
local V = {} V.__index = V local function v(x, y) return setmetatable({x = x, y = y}, V) end V.__add = function(a, b) return v(a.x + b.x, a.y + b.y) end V.__mul = function(a, b) if type(a) == 'number' then return v(a * b.x, a * b.y) elseif type(b) == 'number' then return v(a.x * b, a.y * b) end return a.x * b.x + a.y * b.y end V.__eq = function(a, b) return a.x == b.x and a.y == b.y end V.__tostring = function(a) return '(' .. a.x .. ', ' .. a.y .. ')' end V.__unm = function(a) return v(-a.x, -a.y) end V.__call = function(a, k) return a[k] end V.__lt = function(a, b) return a.x < b.x end
print(tostring(v(1, 2) + v(3, 4)), tostring(2 * v(1, 2)), tostring(v(1, 2) * 3), v(1, 2) * v(3, 4), v(1, 2) == v(1, 2), tostring(-v(1, 2)), v(5, 6)('y'), v(1, 0) < v(2, 0), v(1, 0) <= v(2, 0))
--== errors in events
local mt = {__add = function(a, b) error('in add') end, __index = function(t, k) error('no field ' .. k, 2) end, __lt = function() local x = nil return x.y end, __concat = function() return nil .. 'x' end, __eq = function() error({}) end} local a, b = setmetatable({}, mt), setmetatable({}, mt)
print(pcall(function() return a + 1 end)) print(pcall(function() return a.field end)) print(pcall(function() return a < b end)) print(pcall(function() return a .. 'x' end)) print(select('#', pcall(function() return a == b end)))
--== yield in an event
local t = setmetatable({}, {__index = function(_, k) return coroutine.yield(k) end, __add = function() return coroutine.yield('add') end, __call = function(_, x) return coroutine.yield('call' .. x) end}) print(coroutine.resume(coroutine.create(function() return t.x end))) print(coroutine.resume(coroutine.create(function() return t + 1 end))) local co = coroutine.create(function() return t(5) end) print(coroutine.resume(co)) print(coroutine.resume(co, 'back'))
--== concat of many operands calls events from the right
local mt = {__concat = function(a, b) local function n(x) return type(x) == 'table' and x.n or x end print('concat', n(a), n(b)) return setmetatable({n = '(' .. n(a) .. n(b) .. ')'}, getmetatable(type(a) == 'table' and a or b)) end} local function o(n) return setmetatable({n = n}, mt) end
print((o 'a' .. o 'b' .. o 'c').n) print(('x' .. 'y' .. o 'b' .. 'z' .. 'w').n) print((1 .. 2 .. o 'c').n) print((o 'a' .. 1 .. 2).n)
