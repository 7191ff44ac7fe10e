-- Programs of the fixed corpus; see corpus.ts.
--== create, resume, yield, status
local co = coroutine.create(function(a, b) print('start', a, b) local c = coroutine.yield(a + b) print('got', c) local d, e = coroutine.yield(c * 2) print('got', d, e) return 'end', d end)
print(coroutine.status(co)) print(coroutine.resume(co, 1, 2)) print(coroutine.status(co)) print(coroutine.resume(co, 10)) print(coroutine.resume(co, 'x', 'y')) print(coroutine.status(co)) print(coroutine.resume(co)) print(type(co))
--== values through yield and resume
local co = coroutine.wrap(function(...) local n = select('#', ...) while true do local r = {coroutine.yield(n, ...)} n = #r end end) print(co()) print(co()) print(co(1)) print(co(1, 2)) print(co(nil))
co = coroutine.create(function(...) print(select('#', ...), ...) print(select('#', coroutine.yield())) print(select('#', coroutine.yield(nil))) print(select('#', coroutine.yield(nil, nil))) return nil, nil end) print(coroutine.resume(co, nil, nil)) print(coroutine.resume(co)) print(coroutine.resume(co, nil)) print(coroutine.resume(co, 1, nil)) print(coroutine.resume(co))
--== status from inside and outside
local co co = coroutine.create(function() print(coroutine.status(co), coroutine.running() == co) local inner = coroutine.create(function() print(coroutine.status(co)) end) coroutine.resume(inner) print(coroutine.status(inner)) end) print(coroutine.status(co)) coroutine.resume(co) print(coroutine.status(co)) print(coroutine.running())
--== generators
local function range(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end for i in range(4) do print(i) end
local function perm(a, n) n = n or #a if n <= 1 then coroutine.yield(a) else for i = 1, n do a[n], a[i] = a[i], a[n] perm(a, n - 1) a[n], a[i] = a[i], a[n] end end end for p in coroutine.wrap(function() perm {1, 2, 3} end) do print(table.concat(p, ' ')) end
local function tree(t) if t then tree(t.l) coroutine.yield(t.v) tree(t.r) end end for v in coroutine.wrap(function() tree {v = 2, l = {v = 1}, r = {v = 4, l = {v = 3}}} end) do print(v) end
--== producers, filters and consumers
local function producer() return coroutine.create(function() for _, w in ipairs {'a', 'b', 'c'} do coroutine.yield(w) end end) end local function filter(p) return coroutine.create(function() local n = 0 while true do local _, v = coroutine.resume(p) if not v then return end n = n + 1 coroutine.yield(n .. ':' .. v) end end) end local f = filter(producer()) while true do local ok, v = coroutine.resume(f) if not v then break end print(ok, v) end print(coroutine.status(f))
--== errors inside
local co = coroutine.create(function() local x = nil; return x.y end) print(coroutine.resume(co)) print(coroutine.status(co)) print(coroutine.resume(co)) co = coroutine.create(function() error({code = 7}) end) local ok, e = coroutine.resume(co) print(ok, type(e), e.code) co = coroutine.create(function() error('msg', 0) end) print(coroutine.resume(co)) co = coroutine.create(function() error() end) print(coroutine.resume(co)) co = coroutine.create(function() error('lvl2', 2) end) print(coroutine.resume(co)) print(pcall(coroutine.create, error))
--== dead and wrong coroutines
local co = coroutine.create(function() end) print(coroutine.resume(co)) print(coroutine.resume(co)) print(pcall(coroutine.resume)) print(pcall(coroutine.resume, nil)) print(pcall(coroutine.resume, {})) print(pcall(coroutine.create)) print(pcall(coroutine.create, 5)) print(pcall(coroutine.wrap)) print(pcall(coroutine.wrap, 'x')) print(pcall(coroutine.status)) print(pcall(coroutine.status, 5)) print(pcall(coroutine.create, print)) print(pcall(coroutine.wrap, print))
local w = coroutine.wrap(function() return 1 end) print(w()) print(pcall(w)) print(pcall(w)) co = coroutine.create(function() return coroutine.resume(co) end) print(coroutine.resume(co))
--== resume of the running and of a normal one
local co co = coroutine.create(function() print(coroutine.resume(co)) local inner = coroutine.create(function() print(coroutine.resume(co)) return coroutine.status(co) end) print(coroutine.resume(inner)) end) print(coroutine.resume(co)) local w w = coroutine.wrap(function() print(pcall(w)) end) w()
--== errors through wrap have a position
local w = coroutine.wrap(function() error('inside') end) print(pcall(w)) w = coroutine.wrap(function() error({1}) end) print(select('#', pcall(w))) w = coroutine.wrap(function() error('plain', 0) end) print(pcall(w)) w = coroutine.wrap(function() local t = nil; t.x = 1 end) print(pcall(w))
print(pcall(function() local v = coroutine.wrap(function() error('nested') end) v() end)) print(pcall(function() for x in coroutine.wrap(function() coroutine.yield(1) error('late') end) do print(x) end end)) local o = coroutine.wrap(function() local i = coroutine.wrap(function() error('two') end) i() end) print(pcall(o)) w = coroutine.wrap(function() end) w() print(pcall(function() w() end)) print(pcall(function() return w() end))
--== yield outside a coroutine
print(pcall(coroutine.yield, 1)) print(pcall(function() coroutine.yield() end)) local y = coroutine.yield print(pcall(function() y(1, 2) end))
coroutine.yield(1)
--== yield across pcall
local co = coroutine.create(function() print(pcall(coroutine.yield, 1)) print(pcall(function() coroutine.yield(2) end)) print(xpcall(function() coroutine.yield(3) end, function(e) return 'H ' .. e end)) return 'end' end) print(coroutine.resume(co)) print(coroutine.status(co))
--== yield across other C functions
local function try(f) print(coroutine.resume(coroutine.create(f))) end
try(function() table.sort({3, 2, 1}, function(a, b) coroutine.yield() return a < b end) end) try(function() return string.gsub('abc', '.', function() coroutine.yield() end) end) try(function() table.foreach({1}, function() coroutine.yield() end) end) try(function() for k in coroutine.yield do print(k) break end end) try(function() return load(coroutine.yield) end) try(function() return tostring(setmetatable({}, {__tostring = coroutine.yield})) end) try(function() return setmetatable({}, {__index = coroutine.yield}).x end) try(function() return setmetatable({}, {__add = coroutine.yield}) + 1 end) try(function() return setmetatable({}, {__call = coroutine.yield})(1) end) try(function() return coroutine.yield(1, 2) end) try(function() return (coroutine.yield(1, 2)) end) print(pcall(try, coroutine.wrap(function() end))) try(function() table.foreachi({1}, coroutine.yield) end)
--== yield in iterators
local co = coroutine.wrap(function() for a, b in function(s, c) return coroutine.yield(s, c) end, 'st', 0 do print('body', a, b) end return 'done' end) print(pcall(co)) print(pcall(co))
--== coroutines in coroutines
local outer = coroutine.wrap(function() local inner = coroutine.wrap(function() coroutine.yield('i1') coroutine.yield('i2') return 'i3' end) for _ = 1, 3 do coroutine.yield(inner()) end return 'o' end) for _ = 1, 4 do print(outer()) end
local function level(n) return coroutine.wrap(function() if n > 0 then for v in level(n - 1) do coroutine.yield(n .. v) end else coroutine.yield('leaf') coroutine.yield('leaf2') end end) end for v in level(5) do print(v) end
--== a scheduler
local tasks, log = {}, {} local function spawn(name, n) tasks[#tasks + 1] = {name = name, co = coroutine.create(function() for i = 1, n do log[#log + 1] = name .. i coroutine.yield() end end)} end spawn('a', 3) spawn('b', 2) spawn('c', 4)
while #tasks > 0 do for i = #tasks, 1, -1 do local t = tasks[i] local ok, e = coroutine.resume(t.co) if coroutine.status(t.co) == 'dead' then table.remove(tasks, i) log[#log + 1] = t.name .. 'X' end end end print(table.concat(log, ' '))
--== yield in every kind of expression
local y = coroutine.yield local co = coroutine.wrap(function() local a = y(1) + y(2) local b = y(3) .. y(4) local t = {y(5), k = y(6), [y(7)] = y(8), y(9)} t[y(10)] = y(11) local c = y(12) and y(13) or y(14) if y(15) then print('then') else print('else') end for i = y(16), y(17), y(18) do print('for', i) end while y(19) do print('while') end repeat local u = y(20) until u print(a, b, t[1], t.k, t.key, t[2], t.z, c) return (y(21)), y(22) end)
local feed = {10, 20, 'x', 'y', 't1', 'tk', 'key', 'tkey', 't2', 'z', 'tz', true, 'c', false, 1, 3, 2, true, false, false, true, 'r1', 'r2'} print(co()) for i = 1, #feed do print(co(feed[i])) end
--== yield in arguments, methods and indexes
local y = coroutine.yield local co = coroutine.wrap(function() local o = {n = 5, m = function(self, a, b) return self.n, a, b end} print(o:m(y('a'), y('b'))) print(y('f')(y('g'), y('h'))) print(y('t')[y('k')]) print(#y('len'), -y('neg'), not y('not')) print(y('l') < y('r'), y('l') == y('r')) local x x, o.n, o[y('i')] = y('v1'), y('v2'), y('v3') print(x, o.n, o.idx) return y('last') end)
for _, v in ipairs {'start', 'A', 'B', math.max, 3, 9, {key = 'val'}, 'key', 'four', 7, false, 1, 2, 3, 3, 'idx', 'x1', 'x2', 'x3', 'end'} do print(co(v)) end
--== yield from nested Lua functions
local co = coroutine.wrap(function() local function a(n) if n == 0 then return coroutine.yield('deep') end return (a(n - 1)) end local function b(n) if n == 0 then return coroutine.yield('tail') end return b(n - 1) end print(a(50)) print(b(1000)) return 'ok' end) print(co()) print(co('r1')) print(co('r2'))
--== upvalues shared between coroutines
local n = 0 local function make(s) return coroutine.wrap(function() while true do n = n + s coroutine.yield(n) end end) end local a, b = make(1), make(10) print(a(), b(), a(), b(), n) n = 100 print(a(), b())
--== locals survive a yield
local co = coroutine.wrap(function(...) local a, b, c = ... local t = {...} for i = 1, 3 do local x = i * 2 local f = function() x = x + 1 return x end coroutine.yield(f(), a, b, c, #t) f() coroutine.yield(x) end end) for _ = 1, 6 do print(co('a', 'b', 'c')) end
--== a coroutine that ends with a tail call
local co = coroutine.create(function(...) return math.max(...) end) print(coroutine.resume(co, 1, 5, 3)) co = coroutine.create(function() return coroutine.yield('t') end) print(coroutine.resume(co)) print(coroutine.resume(co, 'back')) print(coroutine.status(co)) co = coroutine.create(function(f) return f() end) print(coroutine.resume(co, function() return error('tail error') end))
--== running
print(coroutine.running()) coroutine.wrap(function() print(type(coroutine.running())) end)() local a = coroutine.create(function() return coroutine.running() end) local _, b = coroutine.resume(a) print(a == b)
--== wrap in metamethods and as fields
local o = {next = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)} print(o.next(), o.next(), o:next()) local t = setmetatable({}, {__call = coroutine.wrap(function(self, x) while true do _, x = coroutine.yield(x * 2) end end)}) print(t(1), t(2), t(3)) local s = setmetatable({}, {__index = coroutine.wrap(function(t, k) while true do t, k = coroutine.yield(k .. '!') end end)}) print(s.a, s.b)
--== many coroutines
local cos = {} for i = 1, 500 do cos[i] = coroutine.wrap(function() local s = 0 while true do s = s + i coroutine.yield(s) end end) end local sum = 0 for r = 1, 3 do for i = 1, 500 do sum = sum + cos[i]() end end print(sum)
--== deep recursion inside a coroutine
local function depth(n) if n == 0 then coroutine.yield('bottom') return 0 end return 1 + depth(n - 1) end local co = coroutine.create(function() return depth(5000) end) print(coroutine.resume(co)) print(coroutine.resume(co)) local function endless(n) return 1 + endless(n) end co = coroutine.create(endless) local ok, e = coroutine.resume(co) print(ok, e:match('stack overflow'))
--== coroutines resume each other without end
local function f() return coroutine.wrap(f)() end local ok, e = pcall(f) print(ok, (tostring(e):match('stack overflow')))
--== pcall inside coroutines without yield
local co = coroutine.wrap(function() print(pcall(error, 'e1')) coroutine.yield(1) print(pcall(function() return 'fine', 2 end)) coroutine.yield(2) error('final') end) print(co()) print(co()) print(pcall(co))
--== error in a resumed coroutine inside pcall
local co = coroutine.create(function() coroutine.yield() error('late') end) coroutine.resume(co) print(pcall(function() assert(coroutine.resume(co)) end)) print(pcall(function() local ok, e = coroutine.resume(coroutine.create(function() error('x') end)) error(e) end))
--== sorting and gsub run inside coroutines
local co = coroutine.wrap(function() local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) coroutine.yield(table.concat(t)) coroutine.yield((string.gsub('abc', '%w', function(c) return c .. c end))) local inner = coroutine.wrap(function() coroutine.yield('in') end) table.sort(t, function(a, b) inner = inner or nil return a < b end) coroutine.yield(table.concat(t)) end) print(co(), co(), co())
--== coroutine inside a sort comparison
local t = {3, 1, 2} table.sort(t, function(a, b) local r for v in coroutine.wrap(function() coroutine.yield(a < b) end) do r = v end return r end) print(table.concat(t, ' ')) print((string.gsub('abc', '.', coroutine.wrap(function(c) while true do c = coroutine.yield(c:upper()) end end))))
--== what the coroutine library has
local names = {} for k in pairs(coroutine) do names[#names + 1] = k end table.sort(names) print(table.concat(names, ' '))
