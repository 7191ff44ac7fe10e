-- Programs of the fixed corpus; see corpus.ts.
--== constructors
local t = {1, 2, x = 'x', [10] = 'ten', 3; ['key with space'] = true, [1 + 1] = 'overwritten?', 4,}
print(#t, t[1], t[2], t[3], t[4], t.x, t[10], t['key with space'])
print(#{}, #{nil}, #{1, nil}, #{nil, 2}, #{1, nil, 3}, #{nil, nil, 3}, #{1, 2, 3, nil, 5}, #{1, 2, 3, nil, 5, nil})
print(#{n = 1}, #{[1] = 'a', [2] = 'b'}, #{[1] = 'a', [3] = 'c'}, #{[0] = 0}, #{[1] = 1, 2, 3})
--== constructors with calls and varargs
local function f() return 1, 2, 3 end
print(#{f()}, #{f(), f()}, #{f(), 'x'}, #{(f())}, #{f(), nil}, #{nil, f()}, #{x = f()}, #{[1] = f()})
local function v(...) return #{...}, #{..., 1}, #{1, ...}, #{(...)} end
print(v()) print(v(1)) print(v(1, 2, 3)) print(v(nil, 2)) print(v(nil, nil)) print(v(1, nil, 3, nil))
--== positional items override keyed ones
local t = {[1] = 'k', 'p'} print(t[1]) t = {'p', [1] = 'k'} print(t[1]) t = {[2] = 'k', 'a', 'b'} print(t[2]) t = {x = 1, x = 2} print(t.x)
--== more than fifty items
local t = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,96,97,98,99,100,101,102, x = 'x'}
local sum = 0 for i, n in ipairs(t) do sum = sum + n end print(#t, sum, t.x, t[51], t[101])
--== borders after assignment of nil
local t = {1, 2, 3, 4, 5} t[5] = nil print(#t) t[3] = nil print(#t) t[4] = nil print(#t) t[2] = nil print(#t) t[1] = nil print(#t)
t = {1, 2, 3, 4, 5, 6, 7, 8} t[4] = nil print(#t) t[8] = nil print(#t) t[7] = nil t[6] = nil t[5] = nil print(#t)
t = {} for i = 1, 10 do t[i] = i end t[5] = nil print(#t) t[10] = nil print(#t) t[9] = nil print(#t)
t = {n = 1, 1, 2} t[3] = 3 t[2] = nil print(#t) t[4] = 4 print(#t) t[3] = nil print(#t)
--== borders of tables filled in strange order
local t = {} for i = 10, 1, -1 do t[i] = i print(#t) end
t = {} t[1] = 1 t[3] = 3 print(#t) t[2] = 2 print(#t) t[5] = 5 t[4] = 4 print(#t) t[7] = 7 print(#t)
t = {} t[2] = 2 print(#t) t[1] = 1 print(#t) t[4] = 4 print(#t) t[8] = 8 print(#t) t[16] = 16 print(#t)
t = {nil, 2} print(#t) t = {nil, 2, nil, 4} print(#t) t = {nil, nil, 3, nil} print(#t) t = {1, nil, nil, 4} print(#t)
t = {[1] = 1, [2] = 2, [4] = 4} print(#t) t = {1, 2, nil, 4, nil} print(#t)
--== borders while growing with holes
local t = {}
for i = 1, 40 do if i % 3 ~= 0 then t[i] = i end if i % 5 == 0 then print(i, #t, table.maxn(t)) end end
for i = 40, 1, -1 do t[i] = nil if i % 7 == 0 then print(i, #t, table.maxn(t)) end end
--== a table as a queue and a stack
local q = {first = 1, last = 0}
local function push(v) q.last = q.last + 1 q[q.last] = v end
local function pop() local v = q[q.first] q[q.first] = nil q.first = q.first + 1 return v end
for i = 1, 20 do push(i) if i % 3 == 0 then io = pop() end end
print(io, q.first, q.last, #q == 0 or #q == q.last) while q.first <= q.last do io = pop() end print(io)
local s = {} for i = 1, 5 do s[#s + 1] = i end while #s > 0 do print(s[#s]) s[#s] = nil end
--== insert
local t = {} table.insert(t, 'a') table.insert(t, 1, 'b') table.insert(t, 2, 'c') table.insert(t, #t + 1, 'd')
print(table.concat(t, ' '), #t) table.insert(t, 10, 'far') print(#t, t[10], t[5]) table.insert(t, 0, 'zero') print(t[0], t[1])
t = {1, 2, 3} table.insert(t, -1, 'neg') print(t[-1], t[0], t[1], t[4]) t = {1, 2, 3} table.insert(t, 1.9, 'x') print(table.concat(t, ','))
t = {} table.insert(t, nil) print(#t) table.insert(t, '1', 'str') print(t[1])
print(pcall(table.insert, {1, 2, 3}, 1, 2, 3)) print(pcall(table.insert, {})) print(pcall(table.insert)) print(pcall(table.insert, nil, 1)) print(pcall(table.insert, {}, 'x', 1)) print(pcall(table.insert, 5, 5))
--== remove
local t = {'a', 'b', 'c', 'd'} print(table.remove(t)) print(table.remove(t, 1)) print(table.concat(t, ' '), #t) print(table.remove(t, 5)) print(table.remove(t, 0)) print(table.remove(t, -1))
print(table.remove({})) print(table.remove({}, 1)) print(table.remove({nil, 2}, 1)) print(select('#', table.remove({})), select('#', table.remove({}, 1)), select('#', table.remove({1}, 2)))
print(pcall(table.remove)) print(pcall(table.remove, {}, 'x')) print(pcall(table.remove, 1)) print(table.remove({1, 2, 3}, '2'))
t = {1, 2, 3, n = 3} table.remove(t, 3) print(t.n, #t)
--== concat
print(table.concat {}, table.concat({1, 2, 3}), table.concat({1, 2, 3}, ', '), table.concat({'a', 'b', 'c'}, '-', 2), table.concat({'a', 'b', 'c'}, '-', 2, 3), table.concat({'a', 'b'}, '-', 3), table.concat({'a'}, 'x', 1, 1))
print(table.concat({1.5, 2, 1e15, 'x'}, '|'), table.concat({1, 2}, 0), table.concat({[0] = 'z', 'a'}, '', 0, 1), table.concat({}, 'x', 1, 0))
print(pcall(table.concat, {1, {}, 3})) print(pcall(table.concat, {1, nil, 3}, ',', 1, 3)) print(pcall(table.concat, {true})) print(pcall(table.concat, {}, '', 1, 1)) print(pcall(table.concat)) print(pcall(table.concat, {}, {})) print(pcall(table.concat, {1}, '', 'x')) print(pcall(table.concat, {print}, ','))
--== sort
local t = {3, 1, 2} table.sort(t) print(unpack(t)) t = {'b', 'a', 'C', ''} table.sort(t) print(unpack(t)) t = {} table.sort(t) print(#t) t = {1} table.sort(t) print(t[1])
t = {5, 3, 8, 1, 9, 2, 7} table.sort(t, function(a, b) return a > b end) print(unpack(t)) table.sort(t, function(a, b) return tostring(a) < tostring(b) end) print(unpack(t))
t = {} for i = 1, 50 do t[i] = (i * 37) % 53 end table.sort(t) print(table.concat(t, ' '))
t = {'10', '9', '2', '33'} table.sort(t, function(a, b) return tonumber(a) < tonumber(b) end) print(unpack(t))
t = {1.5, -1, 1e10, 0, -1e10, 0.1} table.sort(t) print(unpack(t))
--== sort is not stable, always in the same way
local t = {} for i = 1, 20 do t[i] = {k = i % 3, n = i} end
table.sort(t, function(a, b) return a.k < b.k end)
for i, e in ipairs(t) do print(e.k, e.n) end
--== the comparisons that sort makes
local t = {5, 2, 8, 1, 9, 3} local n = 0
table.sort(t, function(a, b) n = n + 1 print(a, b) return a < b end) print(n, unpack(t))
--== sort with a function that is no order
for _, f in ipairs {function() return true end, function() return false end, function(a, b) return a <= b end, function(a, b) return a ~= b end, function() end} do
  for _, n in ipairs {1, 2, 3, 4, 5, 8, 13} do local t = {} for i = 1, n do t[i] = (i * 7) % 11 end print(n, pcall(table.sort, t, f)) print(table.concat(t, ' ')) end
end
--== sort of what cannot be compared
print(pcall(table.sort, {1, 'a'})) print(pcall(table.sort, {{}, {}})) print(pcall(table.sort, {1, nil, 3})) print(pcall(table.sort, {true, false})) print(pcall(table.sort)) print(pcall(table.sort, {1, 2}, 5)) print(pcall(table.sort, {3, 1, 2}, nil)) print(pcall(table.sort, {'b', 1, 'a'}))
print(pcall(table.sort, {3, 2, 1}, function(a, b) error('cmp') end)) print(pcall(table.sort, {3, 2, 1}, function(a, b) error({}) end))
--== sort with metamethods
local mt = {__lt = function(a, b) return a.v < b.v end} local function o(v) return setmetatable({v = v}, mt) end
local t = {o(3), o(1), o(2)} table.sort(t) print(t[1].v, t[2].v, t[3].v)
--== getn, maxn, foreach, foreachi
print(table.getn {1, 2, 3}, table.getn {}, table.maxn {1, 2, nil, 4}, table.maxn {[10] = 1, [3.5] = 1}, table.maxn {}, table.maxn {[-1] = 1}, table.maxn {x = 1}, table.getn {n = 10, 1})
print(table.foreach({1, 2}, function(k, v) print(k, v) end)) print(table.foreachi({1, 2, 3}, function(k, v) print(k, v) if k == 2 then return 'stop' end end)) print(table.foreach({x = 1}, function(k, v) return false end))
print(pcall(table.foreach)) print(pcall(table.foreach, {}, 1)) print(pcall(table.foreachi, {1})) print(pcall(table.getn)) print(pcall(table.maxn, 1)) print(pcall(table.setn, {}, 1))
--== what the table library has
local names = {} for k in pairs(table) do names[#names + 1] = k end table.sort(names) print(table.concat(names, ' '))
--== next
print(next {}) print(next {5}) print(next({5}, 1)) print(next({1, 2}, 1)) print(pcall(next)) print(pcall(next, {}, 'nokey')) print(pcall(next, {1, 2}, 3)) print(pcall(next, 1)) print(pcall(next, {}, nil)) print(next({}, nil))
print(pcall(next, {a = 1}, 'b')) print(pcall(next, {1, 2, 3}, 1.5)) print(pcall(next, {1, 2, 3}, 0)) print(rawequal(next, pairs {}))
--== pairs in the order of insertion of few keys
local t = {} for _, k in ipairs {'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'} do t[k] = #k end
for k, v in pairs(t) do print(k, v) end
t = {zebra = 1, apple = 2, mango = 3, kiwi = 4, plum = 5, fig = 6} for k, v in pairs(t) do print(k, v) end
--== pairs of mixed keys
local t = {1, 2, 3, x = 'x', y = 'y', [10] = 10, [-1] = -1, [0.5] = 'half', [true] = 'true', [false] = 'false', [1e10] = 'big', [100] = 100}
for k, v in pairs(t) do print(k, v) end
--== pairs of many keys
local t = {} for i = 1, 100 do t['key' .. i] = i end for k, v in pairs(t) do print(k, v) end
--== pairs of sparse integers
local t = {} for i = 1, 200, 7 do t[i] = i end for k in pairs(t) do print(k) end print(#t > 0)
t = {} for i = 1, 20 do t[i * i] = i end for k in pairs(t) do print(k) end
t = {} for i = 20, 1, -1 do t[i] = i end for k in pairs(t) do print(k) end
t = {} for i = -5, 5 do t[i] = i end for k in pairs(t) do print(k) end
t = {} for i = 1, 10 do t[i + 0.5] = i end for k in pairs(t) do print(k) end
t = {} for i = 0, 10 do t[2 ^ i] = i t[-2 ^ i] = i end for k in pairs(t) do print(k) end
--== removing while traversing
local t = {} for i = 1, 20 do t['k' .. i] = i t[i] = i end
for k, v in pairs(t) do if v % 2 == 0 then t[k] = nil end end
for k, v in pairs(t) do print(k, v) end
for k in pairs(t) do t[k] = nil end print(next(t))
--== changing while traversing
local t = {a = 1, b = 2, c = 3, d = 4} for k, v in pairs(t) do t[k] = v * 10 end for k, v in pairs(t) do print(k, v) end
--== pairs starts over after removal and insertion
local t = {a = 1, b = 2, c = 3, d = 4} t.a = nil t.c = nil for k, v in pairs(t) do print(k, v) end t.a = 5 t.c = 6 for k, v in pairs(t) do print(k, v) end
--== longer strings as keys (from 32 bytes on Redis' Lua hashes them otherwise than lua5.1)
local t = {} for i = 1, 10 do t[('abc'):rep(i)] = i end for k, v in pairs(t) do print(#k, v) end
--== ipairs stops at nil
local t = {1, 2, nil, 4} for i in ipairs(t) do print(i) end t = {[0] = 0, 1} for i in ipairs(t) do print(i) end for i in ipairs {} do print(i) end
t = {1, 2, 3} for i, v in ipairs(t) do if i == 1 then t[4] = 4 t[2] = nil end print(i, v) end for i, v in ipairs {false, 1} do print(i, v) end
print(pcall(ipairs)) print(pcall(ipairs, nil)) print(pcall(pairs)) print(pcall(pairs, 'x')) print(type(ipairs {}), select('#', ipairs {}), select(3, ipairs {}), select('#', pairs {}))
--== bad keys
local t = {} print(pcall(function() t[nil] = 1 end)) print(pcall(function() t[0 / 0] = 1 end)) print(t[nil], t[0 / 0]) print(pcall(rawset, t, nil, 1)) print(pcall(rawset, t, 0 / 0, 1)) print(pcall(function() return {[nil] = 1} end)) print(pcall(function() t[nil] = nil end)) print(pcall(function() local k t[k] = 1 end))
--== rawget, rawset, rawequal
local t = setmetatable({}, {__index = function() return 'meta' end, __newindex = function() print('newindex') end, __eq = function() return true end})
print(t.x, rawget(t, 'x')) t.x = 1 print(rawget(t, 'x')) print(rawset(t, 'x', 2) == t, t.x, rawget(t, 'x')) print(t == setmetatable({}, getmetatable(t)), rawequal(t, {}), rawequal(t, t), rawequal(1, 1), rawequal('a', 'a'), rawequal(1, '1'))
print(pcall(rawget)) print(pcall(rawget, 1, 2)) print(pcall(rawget, {})) print(pcall(rawset, {}, 1)) print(pcall(rawset, {})) print(pcall(rawequal, 1)) print(pcall(rawset, 'x', 1, 1)) print(pcall(rawget, nil, 1))
--== tables that hold themselves
local t = {} t.self = t t[t] = t print(t.self.self == t, t[t] == t, next(t) ~= nil) local a, b = {}, {} a.b, b.a = b, a print(a.b.a == a)
--== nested tables
local t = {a = {b = {c = {1, 2, {d = 'deep'}}}}} print(t.a.b.c[3].d, #t.a.b.c, t['a']['b'].c[1]) t.a.b.c[3].d = 'new' print(t.a.b.c[3].d) t.a.b = nil print(t.a.b)
--== a matrix
local m = {} for i = 1, 3 do m[i] = {} for j = 1, 3 do m[i][j] = i * j end end for i = 1, 3 do print(table.concat(m[i], ' ')) end
--== booleans and tables as keys
local k1, k2 = {}, {} local t = {[k1] = 1, [k2] = 2, [true] = 't', [false] = 'f'} print(t[k1], t[k2], t[true], t[false], t[{}], t[not true])
--== large tables
local t = {} for i = 1, 10000 do t[i] = i end print(#t) for i = 10000, 5001, -1 do t[i] = nil end print(#t, t[5000], t[5001]) for i = 1, 10000 do t['k' .. i] = i end local n = 0 for k in pairs(t) do n = n + 1 end print(n)
--== big table of constants
local t = {'a','b','c','d','e','f','g','h','i','j','k','l','m','n','o','p','q','r','s','t','u','v','w','x','y','z',a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9,j=10,k=11,l=12,m=13,n=14,o=15,p=16,q=17,r=18,s=19,t=20,u=21,v=22,w=23,x=24,y=25,z=26}
print(#t) for k, v in pairs(t) do print(k, v) end
--== order of keys after a table was filled twice
local t = {} for i = 1, 8 do t['a' .. i] = i end for i = 1, 8 do t['a' .. i] = i * 2 end for i = 1, 3 do t['b' .. i] = i end for k, v in pairs(t) do print(k, v) end
--== order of keys in constructors of different sizes
for _, t in ipairs {{a=1}, {a=1,b=2}, {a=1,b=2,c=3}, {c=3,b=2,a=1}, {a=1,b=2,c=3,d=4,e=5}, {e=5,d=4,c=3,b=2,a=1}, {1,2,a=1,b=2}, {[1]=1,[2]=2,[3]=3}, {[3]=3,[2]=2,[1]=1}, {[1]=1,2,[3]=3}} do
  local out = {} for k, v in pairs(t) do out[#out + 1] = tostring(k) end print(table.concat(out, ' '), #t)
end
