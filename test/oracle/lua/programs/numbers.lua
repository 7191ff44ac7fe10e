-- Programs of the fixed corpus; see corpus.ts.
--== how numbers print
for _, n in ipairs {0, 1, -1, 0.1, -0.1, 1.5, 100, 1e3, 1e5, 1e14, 1e15, 1e16, 1e-4, 1e-5, 123456.789, 1e100, 5e-324, 1.7976931348623157e308} do
  print(n, -n, tostring(n), n .. '')
end
--== fourteen digits
print(3.14159265358979, 2.718281828459045, 1 / 7, 22 / 7, 1e14 + 0.5, 12345678901234.5, 0.1 + 0.7, 1 - 0.9)
print(99999999999999.5, 999999999999995, 9999999999999.95, 0.000012345678901234567, 1.00000000000001, 1.000000000000001)
print(0.5, 0.25, 0.125, 2.5e-5, 1e-10, 123e-7, 1.10, 100.0)
--== literals
print(0x10, 0xff, 0xFF, 0XaB, 0xFFFFFFFF, 0x7fffffff, 1e2, 1E2, 1e+2, 1e-2, .5, 5., 0.5e1, 00012, 3.0)
--== hexadecimal literals beyond 32 bits
print(0x100000000, 0xFFFFFFFFFFFFF, 0x1p4)
--== literals with a hexadecimal fraction
print(pcall(loadstring, 'return 0x.8'), pcall(loadstring, 'return 0x1.8'), loadstring('return 0xA.8'))
--== malformed literals
for _, s in ipairs {'1..2', '1e', '0x', '3x', '1.2.3', '0xg', '1e+', '.e1', '1_000', '08x', '5..', '1ee5', '0x1p', '12abc', '1.e', '2^', '0b1', '1e1.5'} do
  print(s, loadstring('return ' .. s))
end
--== tonumber of strings
for _, s in ipairs {'10', ' 10 ', '10 x', '', ' ', '0x1f', '0X1F', '1e3', '1e', 'e', '-5', '- 5', '+5', '--5', '.5', '5.', '.', '1.5.2', 'inf', 'nan', 'infinity', 'INF', '-inf', '0x1p4', '0x.8', '1\0', '\t5\n', '1e400', '-1e400', '1e-400', '0x', '1,000', '１'} do
  print(string.format('%q', s), tonumber(s))
end
--== tonumber with a base
for _, one in ipairs {{'10', 2}, {'ff', 16}, {'FF', 16}, {'zz', 36}, {'10', 8}, {'8', 8}, {'19', 9}, {' 11 ', 2}, {'-ff', 16}, {'0x10', 16}, {'1.5', 10}, {'1e1', 10}, {'', 10}, {' ', 2}, {'7fffffff', 16}, {'ffffffff', 16}, {'1', 36}, {'12', 2}, {'-', 10}, {'1 1', 2}} do
  print(one[1], one[2], tonumber(one[1], one[2]))
end
print(pcall(tonumber, '10', 1), pcall(tonumber, '10', 37), pcall(tonumber), pcall(tonumber, {}, 16), pcall(tonumber, nil), tonumber(nil))
print(tonumber(5), tonumber('5', 10), tonumber(12, 8), tonumber({}), tonumber(true), tonumber(print), pcall(tonumber, '5', 'x'))
--== large numbers with a base
print(tonumber('ffffffffffffffff', 16), tonumber('fffffffffffffffffff', 16), tonumber('18446744073709551615', 10), tonumber('-1', 16), tonumber('-10', 36))
--== tostring
print(tostring(nil), tostring(true), tostring(false), tostring(1), tostring('x'), tostring(1.5), tostring(-0.0))
print(pcall(tostring), tostring(12345678901234567890), tostring(1e15), tostring(123456789012))
print((tostring({}):gsub('0x%x+', 'A')), (tostring(print):gsub('0x%x+', 'A')), (tostring(coroutine.create(function() end)):gsub('0x%x+', 'A')))
--== format of numbers
for _, n in ipairs {0, 1, -1, 42, 255, 1.5, -1.5, 1e10, 123456789, 0.1, 1 / 3} do
  print(string.format('%d|%5d|%-5d|%05d|%+d|% d|%i', n, n, n, n, n, n, n))
  print(string.format('%g|%f|%e|%.3f|%10.2f|%-10.2f|%G|%E|%.0f|%#.0f', n, n, n, n, n, n, n, n, n, n))
end
for _, n in ipairs {0, 1, 42, 255, 65535, 4294967295} do print(string.format('%x|%X|%#x|%o|%u|%08x|%5u', n, n, n, n, n, n, n)) end
--== format of extremes
print(string.format('%g %g %f %e %d', 1 / 0, -1 / 0, 1 / 0, 1 / 0, 2 ^ 31))
print(string.format('%.14g %.17g %.20g %.1g %.0g %g', 0.1, 0.1, 0.1, 0.15, 2.5, 100000), string.format('%g %g %g', 1e5, 1e6, 123456789))
print(string.format('%5.1f|%-8.3f|%08.3f|%+.2f|% .2f', 3.14159, 3.14159, -3.14159, 3.14159, 3.14159))
print(string.format('%.0f %.0f %.0f %.0f', 0.5, 1.5, 2.5, 3.5), string.format('%.2f %.2f', 1.005, 2.675), string.format('%.99f', 1 / 3))
print(pcall(string.format, '%a', 1))
--== format of negative numbers as unsigned
print(string.format('%x %X %o %u', -1, -255, -8, -1))
--== integers as keys and texts
local t = {}
t[1] = 'int' t[1.5] = 'half' t['1'] = 'string'
print(t[1], t[1.0], t[2 / 2], t['1'], t[1.5], t[3 / 2], t[10 / 10])
t[2 ^ 53] = 'big' print(t[2 ^ 53], t[9007199254740992], t[2 ^ 53 + 1])
t[-0.0] = 'zero' print(t[0], t[-0])
--== comparison of numbers and strings
print(1 < 2, 'a' < 'b', 'a' < 'B', '' < 'a', 'a' < 'aa', 'Z' < 'a', '10' < '9', 'a\0b' < 'a\0c', 'a\0' > 'a', '\255' > 'a')
print(1 <= 1, 2 >= 3, 'x' <= 'x', 'abc' >= 'abd', -1 < 0, 0.1 < 0.2)
--== inequality of types
print(1 == '1', nil == false, 0 == false, '' == false, {} == {}, print == print, 'a' ~= 'a', nil ~= nil, 1 ~= '1')
--== loops of fractions
for x = 0, 1, 0.1 do io = x end print(io)
local n = 0 for x = 0, 1, 0.1 do n = n + 1 end print(n)
for x = 1, 0, -0.25 do print(x) end
for x = 1, 3, 0.75 do print(x) end
