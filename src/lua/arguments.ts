// Checks of a native's arguments, with the conversions and texts of Lua 5.1 (luaL_check*, luaL_opt*).
// `index` counts from 1; `count` is the caller's `arguments.length`.
import { badArgument, wrongType } from './errors.ts';
import { formatNumber, parseNumber } from './number.ts';
import { LuaTable } from './table.ts';
import type { LuaFunction, LuaValue } from './value.ts';

export function checkString(value: LuaValue, index: number, count: number): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatNumber(value);
  throw wrongType(value, index, 'string', count);
}

export function checkNumber(value: LuaValue, index: number, count: number): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    const n = parseNumber(value);
    if (n !== undefined) return n;
  }
  throw wrongType(value, index, 'number', count);
}

/** luaL_checkint: a C `int`; the fraction is dropped and 32 bits are kept. */
export function checkInt(value: LuaValue, index: number, count: number): number {
  const n = typeof value === 'number' ? value : checkNumber(value, index, count);
  return (n | 0) === n ? n : toInt(n);
}

export function optionalInt(value: LuaValue, index: number, count: number, otherwise: number): number {
  return value === undefined ? otherwise : checkInt(value, index, count);
}

/** luaL_checkinteger: a C `ptrdiff_t` (64 bits; beyond 2^53 the nearest double). */
export function checkInteger(value: LuaValue, index: number, count: number): number {
  const n = typeof value === 'number' ? value : checkNumber(value, index, count);
  return (n | 0) === n ? n : toInteger(n);
}

export function optionalInteger(value: LuaValue, index: number, count: number, otherwise: number): number {
  return value === undefined ? otherwise : checkInteger(value, index, count);
}

export function checkTable(value: LuaValue, index: number, count: number): LuaTable {
  if (value instanceof LuaTable) return value;
  throw wrongType(value, index, 'table', count);
}

export function checkFunction(value: LuaValue, index: number, count: number): LuaFunction {
  if (typeof value === 'function') return value;
  throw wrongType(value, index, 'function', count);
}

/** luaL_checkany. */
export function checkAny(index: number, count: number): void {
  if (count < index) throw badArgument(index, 'value expected');
}

// A double as x86-64 converts it: what does not fit becomes the smallest integer.
function toInteger(n: number): number {
  return n >= -(2 ** 63) && n < 2 ** 63 ? Math.trunc(n) : -(2 ** 63);
}

function toInt(n: number): number {
  const whole = toInteger(n);
  return Math.abs(whole) <= Number.MAX_SAFE_INTEGER ? whole | 0 : Number(BigInt.asIntN(32, BigInt(whole)));
}
