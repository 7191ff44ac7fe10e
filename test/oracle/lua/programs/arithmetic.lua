-- Programs of the fixed corpus; see corpus.ts.
--== basic operators
print(1 + 2, 5 - 7, 3 * 4, 7 / 2, 7 % 3, 2 ^ 10, -5)
print(1 + 2 * 3 - 4 / 2, (1 + 2) * 3, 2 ^ 3 ^ 2, -2 ^ 2, (-2) ^ 2, 2 ^ -1)
print(10 - 3 - 2, 100 / 10 / 2, 7 - -3, - -3, - - -3)
print(1 + 1 .. 2 + 2, 2 * 3 .. '', -1 .. '')
--== modulo
local values = {5, -5, 5.5, -5.5, 3, -3, 0.1, 1e15, -1e15, 7}
for _, a in ipairs(values) do
  for _, b in ipairs {3, -3, 2.5, -2.5, 1, -1, 7, 1e10} do
    print(a, b, a % b, string.format('%.17g', a % b))
  end
end
--== modulo of infinities, zero and nan
local inf, nan = 1 / 0, 0 / 0
for _, a in ipairs {1, -1, 0, inf, -inf, nan, 2.5} do
  for _, b in ipairs {1, -1, 0, inf, -inf, nan} do print(a, b, a % b, a / b, a * b, a + b, a - b) end
end
--== minus zero
local zero = 0
local one = -1
print(zero * one, 1 / (zero * one), zero * one == 0, 0 + zero * one)
print(string.format('%.1f %g %d', zero * one, zero * one, zero * one))
print(math.abs(zero * one), math.floor(zero * one), -zero, tostring(-zero), 1 / -zero, math.ceil(-0.5))
print(math.max(zero, -zero), math.min(zero, -zero), (-zero) % 5, -zero ^ 1)
--== a constant of minus zero alone
print(-0, 1 / -0)
--== minus zero after zero in the same function
print(0, -0, 1 / -0)
--== minus zero before zero in the same function
local a, b = -0, 0
print(a, b, 1 / a, 1 / b)
--== constants are folded
print(2 ^ 53 + 1, 1 / 3 * 3, -(5), 3 % -2, 2 - 3 * 4, 1e308 * 10, -1e308 * 10, 0 * -1)
print(5 % 0 ~= 5 % 0, 0 / 0 ~= 0 / 0, 1 / 0, -1 / 0)
--== division by zero
print(1 / 0, -1 / 0, 1 % 0 ~= 1 % 0, 0 / 0 == 0 / 0, 1 / 0 == 1 / 0, math.huge == 1 / 0, -math.huge == -1 / 0)
--== nan compares with nothing
local nan = 0 / 0
print(nan == nan, nan ~= nan, nan < nan, nan > nan, nan <= nan, nan >= nan, nan < 1, nan > 1, not (nan < 1))
print(math.max(nan, 1) == 1, math.max(1, nan) == 1, math.min(nan, 1) == 1, math.min(1, nan) == 1)
--== big integers
print(2 ^ 53, 2 ^ 53 + 1, 2 ^ 63, 2 ^ 64, 9007199254740993, 123456789012345678)
print(string.format('%d %d', 2 ^ 53, -2 ^ 53), 99999999999999, 999999999999999, 100000000000000)
print(1e14, 1e15, 1e16, 12345678901234, 123456789012345, 1234567890123456, 0.1 + 0.2, 1 / 3, 100 / 3)
--== powers
for _, x in ipairs {0, 1, 2, -2, 10, 0.5} do
  for _, y in ipairs {0, 1, 2, 3, -1, 10} do print(x, y, x ^ y) end
end
print(0 ^ 0, (-8) ^ 2, 4 ^ 0.5, 10 ^ 15, 10 ^ -3, 2 ^ 0.5, (-1) ^ 0.5 ~= (-1) ^ 0.5)
print((1 / 0) ^ 0, 1 ^ (1 / 0), 2 ^ (1 / 0), 0.5 ^ (1 / 0), (0 / 0) ^ 0)
--== strings become numbers in arithmetic
print('10' + 5, '3' * '4', 10 .. 20, '0x10' + 0, ' 7 ' + 1, '1e2' / 1, -'5', '2' ^ '3', '7' % '4', '10' - '1')
print('.5' + 0, '5.' + 0, '  -3' + 0, '\t1\n' + 0, '0x0A' * 1, '1E+2' + 0, '+5' + 0)
for _, s in ipairs {'', ' ', 'x', '1x', '0x', '1e', '1 2', '--1', '1,5', '0xg', 'e5', '.', '+', '1e+'} do
  print(s, pcall(function() return s + 1 end))
end
--== numbers become strings in concatenation
print(1 .. '', 1.5 .. '', 1e100 .. '', -0.1 .. '|' .. 2 ^ 53 .. '|' .. 1 / 3 .. '|' .. 1e15 .. '|' .. 1 / 0)
print(10 == '10', '10' == '10.0', 0 == '0', '1' .. 1 == '11')
--== floor, ceil and friends
for _, x in ipairs {1.5, -1.5, 2, -2, 0.4, -0.4, 1e20, -1e20, 1 / 0} do
  print(x, math.floor(x), math.ceil(x), math.abs(x), math.fmod(x, 2), math.modf(x))
end
print(math.frexp(8), math.frexp(0.3), math.frexp(0), math.frexp(-5), math.ldexp(0.5, 4), math.ldexp(1, -3))
print(math.sqrt(2), math.exp(0), math.log(1), math.log10(1000), math.pi, math.deg(math.pi), math.rad(180))
print(math.sin(0), math.cos(0), math.tan(0), math.asin(0), math.acos(1), math.atan(0), math.atan2(0, 1), math.sinh(0), math.cosh(0), math.tanh(0))
print(math.max(1, 5, 3), math.min(4, 2, 8), math.max('10', 9), math.pow(2, 8), math.mod and math.mod(7, 3))
--== fmod keeps the dividend's sign
for _, a in ipairs {7, -7, 7.5, -7.5} do for _, b in ipairs {3, -3, 0.7} do print(a, b, math.fmod(a, b), a % b) end end
print(pcall(math.fmod, 1), pcall(math.fmod, 'x', 1), pcall(math.fmod), pcall(math.floor, {}), pcall(math.max))
--== precedence
print(1 + 2 < 4 and 'yes' or 'no', not 1 == 2, not (1 == 2), -2 ^ -2, 2 ^ -2 ^ 2, 1 .. 2 == '12', 1 < 2 == true)
print(1 or 2 and 3, (1 or 2) and 3, nil and 1 or 2, false or nil, nil or false, 1 and nil, not nil == true)
print(#'abc' + 1, -#'abc', not #'', #'a' .. 'b', pcall(function() return #'xyz' ^ 2 end), 5 - #{1, 2} % 2)
print('a' .. 'b' == 'ab', 'a' .. 1 + 2 .. 'b', 1 .. 2 .. 3, 'x' < 'y' == (1 < 2))
--== accumulated rounding
local sum = 0
for i = 1, 1000 do sum = sum + 0.1 end
print(sum, string.format('%.17g', sum), sum == 100)
local product = 1
for i = 1, 25 do product = product * i print(i, product) end
