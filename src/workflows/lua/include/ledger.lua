-- Balances of a ledger: integers of 64 bits as text, which Lua's numbers cannot hold. Sums are compared limb by limb,
-- so that all is decided before the first write. Needs int64.
local MAX, MIN = '9223372036854775807', '-9223372036854775808'

local function is_int64(a)
  return is_int(a) and not int_less(MAX, a) and not int_less(a, MIN)
end

-- Three limbs of seven digits, each with the number's sign.
local function limbs(a)
  local sign = 1
  if a:sub(1, 1) == '-' then sign, a = -1, a:sub(2) end
  a = ('0'):rep(21 - #a) .. a
  return {sign * a:sub(1, 7), sign * a:sub(8, 14), sign * a:sub(15, 21)}
end

-- Whether a + b < c, exactly.
local function sum_less(a, b, c)
  a, b, c = limbs(a), limbs(b), limbs(c)
  local carry = 0
  for i = 3, 2, -1 do carry = math.floor((a[i] + b[i] - c[i] + carry) / 10000000) end
  return a[1] + b[1] - c[1] + carry < 0
end

local function negated(a)
  return a:sub(1, 1) == '-' and a:sub(2) or '-' .. a
end

-- Why an amount (not the least integer) cannot be added, or nil. It may be taken only down to the floor.
local function obstacle(balance, amount, floor)
  if amount:sub(1, 1) ~= '-' then
    return sum_less(MAX, negated(amount), balance) and 'overflow' or nil
  end
  return sum_less(balance, amount, floor) and 'insufficient' or nil
end

-- One entry, the newest first; at most so many are kept.
local function enter(key, most, entry)
  redis.call('LPUSH', key, cjson.encode(entry))
  redis.call('LTRIM', key, 0, most - 1)
end
