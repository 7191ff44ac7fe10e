-- Programs of the fixed corpus; see corpus.ts.
--== numeric for
for i = 1, 3 do print(i) end for i = 3, 1, -1 do print(i) end for i = 1, 0 do print('never') end for i = 5, 5 do print(i) end
for i = 1, 10, 4 do print(i) end for i = 10, 1, -4 do print(i) end for i = -2, 2 do print(i) end for i = 0.5, 2.5 do print(i) end
for i = 1, 3.9 do print(i) end for i = '1', '2' do print(i, type(i)) end for i = 1, 2, '1' do print(type(i)) end
--== numeric for with step zero
local n = 0 for i = 1, 0, 0 do n = n + 1 if n > 3 then break end end print(n)
n = 0 for i = 1, 3, 0 do n = n + 1 if n > 3 then break end end print(n)
n = 0 for i = 3, 1, 0 do n = n + 1 if n > 3 then break end end print(n)
--== numeric for with infinities and nan
local n = 0 for i = 1, math.huge do n = n + 1 if n == 3 then break end end print(n)
for i = 1, -math.huge do print('never') end for i = math.huge, 1 do print('never') end
for i = 1, 0 / 0 do print('never') end for i = 0 / 0, 1 do print('never') end for i = 1, 3, 0 / 0 do print('never') break end
for i = 1, 3, math.huge do print(i) end for i = -math.huge, 0, math.huge do print(i) if i ~= i then break end end
--== numeric for at the limits of exactness
for i = 2 ^ 53 - 2, 2 ^ 53 - 1 do print(i == 2 ^ 53 - 1) end
local n = 0 for i = 1e15, 1e15 + 2 do n = n + 1 end print(n)
--== numeric for with wrong values
print(pcall(function() for i = 'a', 2 do end end)) print(pcall(function() for i = 1, {} do end end)) print(pcall(function() for i = 1, 2, nil do end end))
print(pcall(function() for i = nil, 2 do end end)) print(pcall(function() for i = 1, true do end end)) print(pcall(function() for i = 1, 2, 'x' do end end))
--== bounds are evaluated once
local n = 3 local function limit() print('limit') return n end
for i = 1, limit() do n = 10 print(i) end
for i = (function() print('start') return 1 end)(), (function() print('stop') return 2 end)(), (function() print('step') return 1 end)() do print(i) end
--== changing the variable does not change the loop
for i = 1, 3 do local s = i i = 10 print(s, i) end
--== while
local i = 0 while i < 3 do i = i + 1 if i == 2 then print('two') end print(i) end
while true do i = i + 1 if i > 5 then break end end print(i)
while nil do print('never') end while false do print('never') end
local t = {1, 2, 3} while #t > 0 do print(table.remove(t)) end
--== repeat
local i = 0 repeat i = i + 1 print(i) until i >= 3
repeat local done = true until done
repeat local x = i i = i + 1 until x > 4 print(i)
repeat break until false print('out')
--== repeat sees the locals of its block
local i = 0
repeat local x = i i = i + 1 local f = function() return x end until f() >= 2
print(i)
local x = 'outer' repeat local x = 'inner' print(x) until x == 'inner' print(x)
--== break leaves the innermost loop
for i = 1, 3 do for j = 1, 3 do if j == 2 then break end print(i, j) end end
for i = 1, 3 do while true do break end repeat break until false print(i) end
for i = 1, 5 do if i == 3 then break end local f = function() return i end print(f()) end
--== generic for
for k, v in pairs {10, 20} do print(k, v) end for i, v in ipairs {1, 2, nil, 4} do print(i, v) end
for k in pairs {x = 1} do print(k) end for a, b, c in ipairs {5} do print(a, b, c) end
for w in ('one two three'):gmatch('%a+') do print(w) end for k, v in next, {7} do print(k, v) end
--== custom iterators
local function range(n) local i = 0 return function() i = i + 1 if i <= n then return i, i * i end end end
for i, sq in range(3) do print(i, sq) end
local function step(s, c) if c < s.max then return c + s.by end end
for i in step, {max = 10, by = 3}, 0 do print(i) end
for i in (function() local n = 3 return function() n = n - 1 if n >= 0 then return n end end end)() do print(i) end
for a, b, c, d in function(s, c) if c == nil then return 1, s end end, 'state' do print(a, b, c, d) end
--== iterators with false, and with too many values
local n = 0 for v in function() n = n + 1 if n == 1 then return false end end do print(v) end
for a in next, {1}, nil, 'extra' do print(a) end
for a in function() return nil, 'never' end do print(a) end
--== the control variable may be assigned
for i, v in ipairs {1, 2, 3} do i = i * 100 print(i, v) end for k, v in pairs {a = 1} do k = 'z' print(k, v) end
--== iterators that are tables
local it = setmetatable({}, {__call = function(self, s, c) c = (c or 0) + 1 if c <= 3 then return c, self == s end end})
for i, same in it, it do print(i, same) end for i in it do print(i) end
--== generic for with wrong values
print(pcall(function() for k in nil do end end)) print(pcall(function() for k in 5 do end end)) print(pcall(function() for k in {} do end end))
print(pcall(function() for k in pairs(nil) do end end)) print(pcall(function() for k in ipairs() do end end)) print(pcall(function() for k in 'x' do end end))
print(pcall(function() local t = {} for k in t.x do end end)) print(pcall(function() for k, v in next do end end)) print(pcall(function() for k in pairs({}).x do end end))
--== errors in iterators
print(pcall(function() for k in function() error('in iterator') end do end end))
print(pcall(function() for k in function() local x = nil; return x.y end do end end))
--== iterator expression is adjusted to three values
local function f() return function(s, c) print(s, c) if not c then return 1 end end, 's' end
for x in f() do print(x) end for x in (f()) do print(x) end
--== nested loops with closures and break
local out = {}
for i = 1, 3 do local n = 0 while true do n = n + 1 local m = n out[#out + 1] = function() m = m + i return m end if n == i then break end end end
for i, f in ipairs(out) do print(i, f(), f()) end
--== loops in coroutine and closures together
local fs = {} for i = 1, 2 do local co = coroutine.wrap(function() for j = 1, 2 do fs[#fs + 1] = function() return i, j end coroutine.yield() end end) co() co() end
for _, f in ipairs(fs) do print(f()) end
