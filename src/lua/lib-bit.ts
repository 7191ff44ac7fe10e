// The library bit (Lua BitOp 1.0.2 as Redis ships it): operations on 32 bits. index.ts opens it.
import { checkNumber } from './arguments.ts';
import type { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { type LuaValue, native } from './value.ts';

// Adding this rounds a number to an integer (ties to even) and leaves its low 32 bits in the double's low half.
const MAGIC = 2 ** 52 + 2 ** 51;
const sum = new Float64Array(1);
const halves = new Int32Array(sum.buffer);

/** The 32 bits of an argument, as a signed integer. */
function bits(value: LuaValue, index: number, count: number): number {
  const n = typeof value === 'number' ? value : checkNumber(value, index, count);
  if ((n | 0) === n || n >>> 0 === n) return n | 0;
  sum[0] = n + MAGIC;
  return halves[0];
}

function tobit(x: LuaValue): number {
  return bits(x, 1, arguments.length);
}

function bnot(x: LuaValue): number {
  return ~bits(x, 1, arguments.length);
}

// Of several arguments, the original looks at the first, then at the others from the last one down: visible
// when more than one is wrong.
function band(a: LuaValue, b: LuaValue): number {
  const count = arguments.length;
  let result = bits(a, 1, count);
  if (count === 2) return result & bits(b, 2, 2);
  for (let i = count; i > 1; i--) result &= bits(arguments[i - 1], i, count);
  return result;
}

function bor(a: LuaValue, b: LuaValue): number {
  const count = arguments.length;
  let result = bits(a, 1, count);
  if (count === 2) return result | bits(b, 2, 2);
  for (let i = count; i > 1; i--) result |= bits(arguments[i - 1], i, count);
  return result;
}

function bxor(a: LuaValue, b: LuaValue): number {
  const count = arguments.length;
  let result = bits(a, 1, count);
  if (count === 2) return result ^ bits(b, 2, 2);
  for (let i = count; i > 1; i--) result ^= bits(arguments[i - 1], i, count);
  return result;
}

function lshift(x: LuaValue, n: LuaValue): number {
  const count = arguments.length;
  return bits(x, 1, count) << bits(n, 2, count);
}

function rshift(x: LuaValue, n: LuaValue): number {
  const count = arguments.length;
  return (bits(x, 1, count) >>> bits(n, 2, count)) | 0;
}

function arshift(x: LuaValue, n: LuaValue): number {
  const count = arguments.length;
  return bits(x, 1, count) >> bits(n, 2, count);
}

function rol(x: LuaValue, n: LuaValue): number {
  const count = arguments.length;
  return rotate(bits(x, 1, count), bits(n, 2, count));
}

function ror(x: LuaValue, n: LuaValue): number {
  const count = arguments.length;
  return rotate(bits(x, 1, count), -bits(n, 2, count));
}

/** To the left. */
function rotate(x: number, n: number): number {
  return (x << n) | (x >>> -n);
}

function bswap(x: LuaValue): number {
  const b = bits(x, 1, arguments.length);
  return (b >>> 24) | ((b >>> 8) & 0xff00) | ((b & 0xff00) << 8) | (b << 24);
}

function tohex(x: LuaValue, digits: LuaValue): string {
  const count = arguments.length;
  const b = bits(x, 1, count) >>> 0;
  const n = count < 2 ? 8 : bits(digits, 2, count);
  const length = Math.min(Math.abs(n), 8);
  const text = b
    .toString(16)
    .padStart(8, '0')
    .slice(8 - length);
  return n < 0 ? text.toUpperCase() : text;
}

export function openBit(_state: LuaState): LuaTable {
  const all = { tobit, bnot, band, bor, bxor, lshift, rshift, arshift, rol, ror, bswap, tohex };
  const table = new LuaTable(0, 12);
  for (const [name, f] of Object.entries(all)) table.set(name, native(f));
  return table;
}
