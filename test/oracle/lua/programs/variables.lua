-- Programs of the fixed corpus; see corpus.ts.
--== scope of locals
local x = 1
do local x = 2 print(x) do local x = x + 1 print(x) end print(x) end
print(x)
local x = x + 10
print(x)
local function f() return x end
local x = 'new'
print(f(), x)
--== a local is not in scope in its own value
local a = 5
local a = a and a + 1
print(a)
local f = function(n) return n > 0 and f end
print(f(1))
local function g(n) return n > 0 and type(g) end
print(g(1))
--== multiple assignment
local a, b, c = 1, 2, 3
a, b, c = c, a, b
print(a, b, c)
a, b = b, a print(a, b)
a, b, c = 1 print(a, b, c)
a, b = 1, 2, 3 print(a, b)
a, b, c = (function() return 7, 8, 9 end)() print(a, b, c)
a, b, c = (function() return 7, 8, 9 end)(), 'x' print(a, b, c)
a, b, c = ((function() return 7, 8, 9 end)()) print(a, b, c)
a, b, c = 0, (function() return 7, 8, 9 end)() print(a, b, c)
--== order of evaluation and assignment
local function v(name, value) print('eval ' .. name) return value end
local log = setmetatable({}, {__newindex = function(t, k, x) print('set', k, x) rawset(t, k, x) end})
v('t', log)[v('k1', 1)], v('t2', log)[v('k2', 2)], log.z = v('v1', 'a'), v('v2', 'b'), v('v3', 'c')
log[v('k', 'same')], log.same = 1, 2
print(log.same)
--== targets are evaluated before the assignment
local i, a = 1, {10, 20, 30}
i, a[i] = i + 1, 'x'
print(i, a[1], a[2])
i, a[i], a[i + 1] = 3, 'second', 'third'
print(i, a[2], a[3])
local t = {} t.a, t.b, t.a = 1, 2, 3 print(t.a, t.b)
local p = {next = {}} p.next, p.next.val = {tag = 'new'}, 5 print(p.next.tag, p.next.val)
--== assignment reads the old values
local a, b = 1, 2
a, b = b, a + b print(a, b)
local t = {1, 2, 3}
t[1], t[2], t[3] = t[3], t[1], t[2]
print(t[1], t[2], t[3])
t, t[1] = {9}, 'old' print(t[1])
--== a function changes a local in the same expression
local a = 1
local function f() a = 2 return 1 end
print(a + f())
a = 1 print(f() + a)
a = 1 print(a, f(), a)
a = 1 print(a * a + f() * a)
a = 1 print(a .. f() .. a)
a = 1 print(a < f(), a)
a = 1 print(({a, f(), a})[1], ({a, f(), a})[3])
--== a function changes a local between arguments
local n = 0
local function inc() n = n + 1 return n end
print(n, inc(), n, inc(), n)
print(inc() + n * inc(), n)
local t = {n, inc(), n, [inc()] = n, n}
print(t[1], t[2], t[3], t[4], n)
print(n == inc(), inc() == n, n)
local x, y, z = n, inc(), n print(x, y, z)
--== captured table fields in the same expression
local t = {v = 1}
local function set(x) t.v = x return x end
print(t.v + set(5), t.v + set(7) + t.v, set(1) + t.v)
print(t.v, set(2), t.v)
local function replace() t = {v = 100} return 0 end
print(t.v + replace(), t.v)
t.v, t = replace(), t print(t.v)
--== globals and locals of the same name
x = 'global'
local function show() return x end
local x = 'local'
print(x, show(), _G.x)
x = 'changed' print(x, show(), _G.x)
_G.x = 'G' print(x, show())
do local _G = {x = 'shadow'} print(_G.x) end
--== undefined globals are nil
print(undefinedName, _G.undefinedName, type(undefinedName), rawget(_G, 'undefinedName'))
undefinedName = 1 print(undefinedName, _G['undefinedName']) undefinedName = nil print(undefinedName)
--== long names and keywords of JavaScript
local var, new, this, class, null, undefined, typeof = 1, 2, 3, 4, 5, 6, 7
print(var + new + this + class + null + undefined + typeof)
local arguments, eval, await, async, yield, let, const = 'a', 'b', 'c', 'd', 'e', 'f', 'g'
print(arguments .. eval .. await .. async .. yield .. let .. const)
local function switch(case, default) local delete, void, with = case, default, 0 return delete + void + with end
print(switch(1, 2))
NaN, Infinity, Object, Math, console = 1, 2, 3, 4, 5
print(NaN, Infinity, Object, Math, console, window, globalThis, process, require)
local __proto__, constructor, toString, hasOwnProperty = 1, 2, 3, 4
print(__proto__, constructor, toString, hasOwnProperty)
local _, __, a_b, A1, aAa = 1, 2, 3, 4, 5 print(_, __, a_b, A1, aAa)
local catch, try, throw, finally, enum, export, import, super, static, instanceof = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
print(catch, try, throw, finally, enum, export, import, super, static, instanceof)
--== fields that JavaScript objects have
local t = {}
print(t.constructor, t.__proto__, t.toString, t.hasOwnProperty, t.length, t.valueOf, t['prototype'])
t.constructor, t.__proto__, t.length = 1, 2, 3
print(t.constructor, t.__proto__, t.length, #t)
for _, k in ipairs {'__proto__', 'constructor', 'toString', 'valueOf', '__defineGetter__'} do print(k, _G[k], ({})[k], ('')[k], rawget({}, k)) end
--== and, or, not
print(nil and 1, false and 1, 1 and 2, nil or 1, false or nil, 1 or error('never'), nil and error('never'))
print(not nil, not false, not 0, not '', not {}, not not nil, not not 1)
local function yes() print('yes') return true end
local function no() print('no') return false end
print(yes() and no(), no() and yes(), yes() or no(), no() or yes(), no() or no() and yes())
local a = nil local b = a and a.b.c or 'default' print(b)
print(false == nil, (nil or false) == false, 1 and nil == nil, nil == nil and 'x')
--== conditions
for _, v in ipairs {0, '', 'x', {}, false} do if v then print('true', type(v)) else print('false', type(v)) end end
if nil then print('a') elseif false then print('b') elseif 0 then print('c') else print('d') end
local x = 5
if x > 3 and x < 10 or x == 0 then print('in') end
if not (x > 3) then print('no') elseif x ~= 5 then print('no') else print('five') end
--== many locals
local a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13,a14,a15,a16,a17,a18,a19,a20 = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20
print(a1+a2+a3+a4+a5+a6+a7+a8+a9+a10+a11+a12+a13+a14+a15+a16+a17+a18+a19+a20)
local function all() return a1, a10, a20 end a10 = 'ten' print(all())
--== semicolons and layout
local a = 1; local b = 2;
a = a + 1; b = b
+ 1; print(a, b);
--== a semicolon alone
do ; end
--== semicolons between statements
local a = 1; do local b = 2; end; if a then a = 2; end; while a < 3 do a = a + 1; end; print(a);
local f = function() return 1; end; print(f());
