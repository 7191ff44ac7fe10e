-- Programs of the fixed corpus; see corpus.ts.
--== escapes
print('a\tb', 'a\\b', 'a\'b', "a\"b", 'a\65b', 'a\065b', '\0651', #'\0', #'\0\0', ('\a\b\f\n\r\t\v'):byte(1, -1))
print('\x41', '\z', '\q', '\%', #'\255', '\1234', ('\10'):byte(), ('\200\201'):byte(1, 2), 'line1\
line2')
--== long strings
print([[a
b]], [==[x]]y]==], [[
first newline dropped]], [[

second kept]], #[[]], [[\n not escaped]], [=[[[nested]]]=], [===[=]==]=]===])
--== comments
print(1) -- to the end of the line
--[[ a long
comment ]] print(2)
--[==[ with ]] inside ]==] print(3) --[[x]] print(4)
--[ not long
print(5) ---- [[ still a line
print(6) --[=
print(7)
--== carriage returns count as lines
print(pcall(loadstring, 'x = 1\r\ny = = 2')) print(loadstring('\r\r\n\n\rx = = 1', '=c')) print(loadstring('a = [[\r\n\r\n]] = 1', '=c')) print(#loadstring('return [[a\r\nb\rc\n\rd]]')(), loadstring('return [[a\r\nb\rc\n\rd]]')()) print(#loadstring("return 'a\\\r\nb'")())
--== upper, lower, reverse, rep, len
print(('abcXYZ123'):upper(), ('abcXYZ123'):lower(), ('abc'):reverse(), (''):reverse(), ('ab'):rep(3), ('ab'):rep(0), ('ab'):rep(-1), ('ab'):rep(1.9), ('a\0b'):len(), #('a\0b'), ('\228\246'):upper():byte(1, -1))
print(pcall(string.upper)) print(pcall(string.len, {})) print(string.len(123), string.upper(12.5), pcall(string.reverse, nil)) print(pcall(string.rep, 'x')) print(pcall(string.rep, 'x', {}))
--== sub
local s = 'hello' for i = -7, 7 do print(i, s:sub(i), s:sub(i, i), s:sub(1, i), s:sub(i, -1), s:sub(i, 3), s:sub(2, i)) end
print(s:sub(2.9, 3.9), s:sub('2', '3'), s:sub(-100, 100), s:sub(3, 2), s:sub(1 / 0), s:sub(-1 / 0), s:sub(0), ('').sub('', 1, 1)) print(pcall(string.sub, 'x')) print(pcall(string.sub)) print(pcall(string.sub, 'x', 'y')) print(pcall(string.sub, 'x', 1, {})) print(s:sub(1, nil))
--== byte and char
print(('A'):byte(), ('ABC'):byte(2), ('ABC'):byte(1, -1), ('ABC'):byte(10), ('ABC'):byte(-1), ('').byte(''), ('ABC'):byte(0), ('ABC'):byte(2, 1), ('\0\255'):byte(1, 2)) print(string.char(72, 105), string.char(), #string.char(0, 0), string.char('65')) print(pcall(string.char, 256)) print(pcall(string.char, -1)) print(pcall(string.char, 'x')) print(pcall(string.char, 65, nil)) print(pcall(string.byte)) print(pcall(string.byte, 'x', {})) print(select('#', ('abc'):byte(4)), select('#', string.byte('abc', 1, 0)))
--== find
print(('hello'):find('l'), ('hello'):find('xyz'), ('hello'):find(''), ('hello'):find('', 10), ('hello'):find('', 6), ('hello'):find('l', 4), ('hello'):find('l', -2), ('hello'):find('h', -10), ('hello'):find('(l)(l)'), ('a.b'):find('.', 1, true), ('a.b'):find('%.'), ('a+b'):find('+', 1, true), ('hello'):find('l', 1, false), ('hello'):find('lo$'), ('hello'):find('^h'), ('hello'):find('^e'), ('hello'):find('^e', 2), ('x'):find('x', 2), ('abc'):find('b', nil), ('abc'):find('c', 3), ('a\0b'):find('\0'), ('a\0b'):find('b'), ('a\0b'):find('%z'))
print(pcall(string.find, 'x')) print(pcall(string.find)) print(pcall(string.find, 'x', {})) print(pcall(string.find, 'x', 'x', {})) print(string.find(123, 2), string.find('123', 2))
--== match
print(('key = value'):match('(%w+)%s*=%s*(%w+)'), ('2024-01-15'):match('(%d+)-(%d+)-(%d+)'), ('abc'):match('b'), ('abc'):match('()b()'), ('abc'):match('x'), ('  trim  '):match('^%s*(.-)%s*$'), ('abc123'):match('%a+'), ('abc123'):match('%d+', 5), ('abc'):match('.-'), ('abc'):match('.-$'), ('[tag]'):match('%[(.-)%]'), ('f(a(b)c)d'):match('%b()'), ('THE (quick) fox'):find('%((%a+)%)'), ('x'):match('(x)(y?)'), ('abc'):match('((a)(b))'), ('hello world'):match('^(%w+)'), ('aaa'):match('a-b'), ('aaab'):match('a-b'))
--== character classes
for _, c in ipairs {'%a', '%d', '%l', '%u', '%s', '%w', '%p', '%x', '%c', '%z', '%A', '%D', '%L', '%U', '%S', '%W', '%P', '%X', '%C', '%Z', '.', '[a-f]', '[^a-f]', '[%d_]', '[]]', '[^]]', '[a-]', '[-a]', '[%]]', '[a%-z]', '[%a-z]', '[.]', '[^%s]'} do
  local n, sum = 0, 0 for i = 0, 255 do if string.char(i):find(c) then n = n + 1 sum = sum + i end end print(c, n, sum)
end
--== repetitions
for _, p in ipairs {'a*', 'a+', 'a-', 'a?', 'a*b', 'a+b', 'a-b', 'a?b', '.*', '.+', '.-', '.-b', '[ab]*', '[ab]+c', '%w-%s', 'a*a', 'a+a+', '^a*$', 'ba*', 'b-a', '(a*)b', '(a+)(b*)', '(a-)(b-)$'} do print(p, ('aaabbb c'):find(p)) print(p, (''):find(p)) print(p, ('bbb'):match(p)) end
--== frontier and back references
print(('THE (quick) fox'):gsub('%f[%a]%a+', 'W'), ('foo.bar'):gsub('%f[%w]%w+%f[%W]', '<%0>'), ('say "hi" and \'yo\''):gsub('(["\'])(.-)%1', '<%2>'), ('abab'):find('(ab)%1'), ('abac'):find('(ab)%1'), ('aa bb cd'):gsub('(%a)%1', 'X'), ('[[x]]'):match('(%[%[)(.-)%]%]'), ('hello'):find('%f[%z]'), ('x'):find('%f[x]'))
--== malformed patterns
for _, p in ipairs {'%', '[', '[a', '[^', '[]', '[^]', '[%', '[a-', '(', '(a', ')', 'a)', '(()', '%b', '%bx', '%f', '%fa', '%1', '%2', '(a)%2', '(a%1)', '%9', '%0', '[%a', '[a%', '()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()', 'a**', '^^a', 'a$b', '$', '^', '*a', '+', '?', '-', '%%', '[]a]', '[^]a]', '[a-%d]', '[%d-z]'} do print(p, pcall(string.find, 'aab]-z', p)) print(p, pcall(string.gsub, 'aab]-z', p, 'X')) end
--== gsub with a string
print(('hello'):gsub('l', 'L'), ('hello'):gsub('l', 'L', 1), ('hello'):gsub('x', 'y'), ('hello'):gsub('', '-'), ('abc'):gsub('%w', '%0%0'), ('abc'):gsub('(%w)(%w)', '%2%1'), ('abc'):gsub('%w', '%%'), ('hello world'):gsub('o', '0', 0), ('hello'):gsub('l', 'L', -1), ('abc'):gsub('b', '%1'), ('a b c'):gsub(' ', ''), ('abc'):gsub('.', {a = 1}), ('x'):gsub('x', '\0'), ('abc'):gsub('$', 'end'), ('abc'):gsub('^', 'start'), ('aaa'):gsub('^a', 'b'), ('abc'):gsub('b*', 'x'), ('hello'):gsub('l+', 5))
print(pcall(string.gsub, 'abc', '(b)', '%2')) print(pcall(string.gsub, 'abc', 'b', '%2')) print(pcall(string.gsub, 'abc', 'b', '%')) print(pcall(string.gsub, 'abc', 'b', '%x')) print(pcall(string.gsub, 'abc', 'b', nil)) print(pcall(string.gsub, 'abc', 'b', true)) print(pcall(string.gsub, 'abc', 'b')) print(pcall(string.gsub, 'abc')) print(pcall(string.gsub)) print(pcall(string.gsub, 'abc', 'b', 'x', 'y'))
--== gsub with a function
print(('hello'):gsub('l', function(c) return c:upper() end), ('abc'):gsub('%w', function(c) if c == 'b' then return nil end return c .. c end), ('abc'):gsub('%w', function() return false end), ('abc'):gsub('(a)(b)', function(x, y) return y .. x end), ('abc'):gsub('()', function(p) return p end), ('1 2 3'):gsub('%d', function(d) return d * 2 end), ('abc'):gsub('.', function() return 'x', 'y' end), ('abc'):gsub('.', function(...) return select('#', ...) end))
print(pcall(string.gsub, 'abc', 'b', function() return {} end)) print(pcall(string.gsub, 'abc', 'b', function() return true end)) print(pcall(string.gsub, 'abc', 'b', function() error('cb') end)) print(pcall(string.gsub, 'abc', 'b', function() error({}) end)) local n = 0 print(('aaaa'):gsub('a', function() n = n + 1 return n end, 2), n) print(('abc'):gsub('%w', print))
--== gsub with a table
print(('$name is $age'):gsub('%$(%w+)', {name = 'Bob', age = 42}), ('abc'):gsub('%w', {a = '1', b = true and 'B', c = false}), ('abc'):gsub('(a)(b)', {a = 'first'}), ('x y'):gsub('%w', setmetatable({}, {__index = function(_, k) return k .. '!' end})), ('123'):gsub('%d', {[1] = 'number', ['1'] = 'string'}), ('ab'):gsub('()', {'x', 'y'})) print(pcall(string.gsub, 'abc', '%w', {a = {}})) print(pcall(string.gsub, 'abc', '%w', {a = true})) print(pcall(string.gsub, 'a', 'a', setmetatable({}, {__index = function() error('idx') end})))
--== gmatch
for w in ('one two  three'):gmatch('%a+') do print(w) end for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do print(k, v) end for p in ('abc'):gmatch('()') do print(p) end for m in ('aXbX'):gmatch('(.-)X') do print(m) end for m in ('abc'):gmatch('') do print(#m) end for m in ('aaa'):gmatch('^a') do print('anchor', m) end for m in (''):gmatch('.*') do print('empty', #m) end for a in ('x'):gmatch('y') do print('never') end
print(pcall(string.gmatch, 'x')) print(pcall(string.gmatch)) print(type(string.gmatch('a', 'a')), pcall(string.gmatch('a', '('))) local it = ('ab'):gmatch('.') print(it(), it(), it(), it()) print(string.gfind == string.gmatch)
--== format
print(string.format('%s %s', 1, 'x'), pcall(string.format, '%s', true), string.format('%5s|%-5s|%.2s|%5.1s', 'abc', 'abc', 'abc', 'abc'), string.format('%d%%', 50), string.format('%c%c', 72, 105), string.format('%q', 'a "quoted"\nline\0\r\\'), pcall(string.format, '%s', nil), string.format('%10.4f|', math.pi), string.format('%-10d|', 5), string.format('%+d %+d', 5, -5), string.format('%#x %#o', 255, 8), string.format('no args'), string.format(''), string.format('%%'), string.format('%s', 1.5), string.format('%d', 3.7), string.format('%d', -3.7), string.format('%i', 42), string.format('%x', 3.9), string.format('%5c|', 65), string.format('%.0s', 'abc'), string.format('%.20s', 'abc'), string.format('%s', 'a\0b') == 'a\0b', #string.format('%s', 'a\0b'), #string.format('%c', 0))
print(pcall(string.format, '%d', 'x')) print(pcall(string.format, '%d')) print(pcall(string.format, '%s')) print(pcall(string.format, '%y', 1)) print(pcall(string.format, '%')) print(pcall(string.format, '%10')) print(pcall(string.format, '%123d', 1)) print(pcall(string.format, '%.123d', 1)) print(pcall(string.format, '%------d', 1)) print(pcall(string.format)) print(pcall(string.format, {})) print(pcall(string.format, '%q')) print(pcall(string.format, '%s', {}) == true) print(pcall(string.format, '%d', {})) print(string.format('%d', '42'), pcall(string.format, '%s', setmetatable({}, {__tostring = function() return 'meta' end}))) print(pcall(string.format, '%d %d', 1)) print(pcall(string.format, '%l', 1)) print(pcall(string.format, '%00005d', 1)) print(pcall(string.format, '%*d', 5, 1))
--== format of quoted strings
for _, s in ipairs {'', 'plain', '"', '\\', '\n', '\r', '\0', '\0001', '\t', 'a\nb\rc\0d"e\\f', '\255', '\127', "it's"} do print(string.format('%q', s)) print(loadstring('return ' .. string.format('%q', s))() == s) end
--== long formats and widths
print(string.format('%99d', 5), #string.format('%99s', 'x'), #string.format('%-99s', 'x'), #string.format('%s', ('x'):rep(1000)), #string.format('%.50s', ('x'):rep(1000)), #string.format('%99.99s', ('x'):rep(1000)), #string.format('%99.99f', 1e300), #string.format('%f', 1e308))
--== comparison and equality of strings
print('a' == 'a', 'a' == 'b', 'a\0' == 'a', 'a\0b' == 'a\0b', 'abc' < 'abd', 'abc' < 'ab', '' < 'a', 'Z' < 'a', 'a' < 'b', '\200' > '\100', 'a' .. 'b' == 'ab', ('x'):rep(1000) == ('x'):rep(1000))
--== concatenation of many
local s = '' for i = 1, 100 do s = s .. i .. ',' end print(s, #s) local t = {} for i = 1, 1000 do t[#t + 1] = 'x' end print(#table.concat(t)) print('a' .. 'b' .. 'c' .. 'd' .. 'e' .. 'f' .. 1 .. 2 .. 3 .. 4.5 .. 'end')
--== splitting and joining
local function split(s, sep) local out = {} for piece in (s .. sep):gmatch('(.-)' .. sep:gsub('%p', '%%%0')) do out[#out + 1] = piece end return out end print(table.concat(split('a,b,,c', ','), '|'), #split('', ','), table.concat(split('1.2.3', '.'), ' ')) print((('  x  '):gsub('^%s+', ''):gsub('%s+$', '')) .. '|', ('CamelCaseString'):gsub('(%u)', ' %1'), ('a-b_c'):gsub('[-_](%w)', string.upper)) print(('%d items'):format(3), ('%5.2f'):format(2.5), ('x'):rep(3, ','))
--== url and hex encoding
local function enc(s) return (s:gsub('[^%w]', function(c) return string.format('%%%02X', c:byte()) end)) end local function dec(s) return (s:gsub('%%(%x%x)', function(h) return string.char(tonumber(h, 16)) end)) end print(enc('a b&c=\0/\255'), dec(enc('a b&c=\0/\255')) == 'a b&c=\0/\255') print((('abc'):gsub('.', function(c) return ('%02x'):format(c:byte()) end)))
--== a small parser
local function parse(s) local pos = 1 local function ws() pos = s:match('^%s*()', pos) end local value local function array() local t = {} pos = pos + 1 ws() while s:sub(pos, pos) ~= ']' do t[#t + 1] = value() ws() if s:sub(pos, pos) == ',' then pos = pos + 1 ws() end end pos = pos + 1 return t end function value() ws() local c = s:sub(pos, pos) if c == '[' then return array() elseif c == '"' then local str, e = s:match('^"([^"]*)"()', pos) pos = e return str else local num, e = s:match('^(-?%d+%.?%d*)()', pos) pos = e return tonumber(num) end end return value() end
local r = parse('[1, "two", [3, [4.5, -6]], []]') print(#r, r[1], r[2], r[3][1], r[3][2][1], r[3][2][2], #r[4])
--== what the string library has
local names = {} for k in pairs(string) do if k ~= 'dump' then names[#names + 1] = k end end table.sort(names) print(table.concat(names, ' '))
--== strings are bytes
local s = '\195\164\226\130\172' print(#s, s:byte(1, -1)) print(s:sub(1, 2) == '\195\164', s:upper() == s, s:reverse():byte(1, -1)) for c in s:gmatch('[%z\1-\127\194-\244][\128-\191]*') do print(#c) end print(('\255\254'):find('\254'), ('\255'):match('[\250-\255]') == '\255', ('\128'):find('%a'), ('\233'):lower() == '\233')
--== very long strings
local s = ('ab'):rep(50000) print(#s, s:find('ba', 99990), s:sub(-3), select(2, s:gsub('a', 'b')), #s:upper(), s:find('b$'), #s:reverse(), s:byte(-1)) print(#table.concat({s, s}), (s .. s == ('ab'):rep(100000)))
--== gsub with anchors and empty matches
print(('abc'):gsub('x*', '-'), ('hello world'):gsub('o*', 'x'), ('abc'):gsub('^', 'x'), ('abc'):gsub('$', 'x'), ('abc'):gsub('^$', 'x'), (''):gsub('^$', 'x'), (''):gsub('.*', 'x'), ('abc'):gsub('.*', 'x'), ('a,b,c'):gsub(',', ', '), ('abc'):gsub('%w*', '<%0>'), (' a b '):gsub('%s*', ''))
