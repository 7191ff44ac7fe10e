// The library `math` of Lua 5.1, its random numbers being those of Redis. base.ts opens it with the other
// libraries; scripting keeps the generator.
import { checkInt, checkNumber } from './arguments.ts';
import { badArgument, fail } from './errors.ts';
import * as libm from './libm.ts';
import { power } from './operations.ts';
import type { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { type LuaFunction, type LuaResult, type LuaValue, NOTHING, native } from './value.ts';

/** 2^24: the generator's 48 bits are kept in two halves, whose products are exact. */
const HALF = 0x1000000;
const MULTIPLIER_HIGH = 0x5de;
const MULTIPLIER_LOW = 0xece66d;
const INCREMENT = 0xb;
/** The lowest 16 bits after seeding. */
const SEED_LOW = 0x330e;
const INT_MAX = 0x7fffffff;

/** The generator of Redis (that of drand48): the same numbers for the same seed, everywhere. */
export class MathRandom {
  private high = 0x1234ab;
  private low = 0xcd330e;

  /** The next of the numbers from 0 to 2^31 - 1. */
  next(): number {
    const product = this.low * MULTIPLIER_LOW + INCREMENT;
    const carry = Math.floor(product / HALF);
    const high = carry + this.high * MULTIPLIER_LOW + this.low * MULTIPLIER_HIGH;
    this.low = product - carry * HALF;
    this.high = high - Math.floor(high / HALF) * HALF;
    return this.high * 128 + (this.low >>> 17);
  }

  /** @param seed 32 bits */
  seed(seed: number): void {
    this.high = seed >>> 8;
    this.low = ((seed & 0xff) << 16) | SEED_LOW;
  }

  /** The whole state as a number, for {@link restore}. */
  save(): number {
    return this.high * HALF + this.low;
  }

  restore(saved: number): void {
    this.high = Math.floor(saved / HALF);
    this.low = saved % HALF;
  }
}

export function openMath(_state: LuaState, random: MathRandom): LuaTable {
  // Size and order of the fields as in C, so that pairs(math) goes through them as there.
  const table = new LuaTable(0, 28);
  table.set('abs', native(abs));
  table.set('acos', unary(libm.acos));
  table.set('asin', unary(libm.asin));
  table.set('atan2', native(atan2));
  table.set('atan', unary(libm.atan));
  table.set('ceil', native(ceil));
  table.set('cosh', unary(libm.cosh));
  table.set('cos', unary(libm.cos));
  table.set('deg', native(deg));
  table.set('exp', unary(libm.exp));
  table.set('floor', native(floor));
  table.set('fmod', native(fmod));
  table.set('frexp', native(frexp));
  table.set('ldexp', native(ldexp));
  table.set('log10', unary(libm.log10));
  table.set('log', unary(libm.log));
  table.set('max', native(max));
  table.set('min', native(min));
  table.set('modf', native(modf));
  table.set('pow', native(pow));
  table.set('rad', native(rad));
  table.set('random', drawer(random));
  table.set('randomseed', seeder(random));
  table.set('sinh', unary(libm.sinh));
  table.set('sin', unary(libm.sin));
  table.set('sqrt', native(sqrt));
  table.set('tanh', unary(Math.tanh));
  table.set('tan', unary(libm.tan));
  table.set('pi', Math.PI);
  table.set('huge', Number.POSITIVE_INFINITY);
  table.set('mod', table.get('fmod'));
  return table;
}

function unary(f: (x: number) => number): LuaFunction {
  return native(function (x: LuaValue): LuaResult {
    return f(checkNumber(x, 1, arguments.length));
  });
}

function abs(x: LuaValue): LuaResult {
  return Math.abs(checkNumber(x, 1, arguments.length));
}

function ceil(x: LuaValue): LuaResult {
  return Math.ceil(checkNumber(x, 1, arguments.length));
}

function floor(x: LuaValue): LuaResult {
  return Math.floor(checkNumber(x, 1, arguments.length));
}

function sqrt(x: LuaValue): LuaResult {
  return Math.sqrt(checkNumber(x, 1, arguments.length));
}

function deg(x: LuaValue): LuaResult {
  return checkNumber(x, 1, arguments.length) / (Math.PI / 180);
}

function rad(x: LuaValue): LuaResult {
  return checkNumber(x, 1, arguments.length) * (Math.PI / 180);
}

// Of two arguments the second is looked at first, as C compilers have it.

function atan2(y: LuaValue, x: LuaValue): LuaResult {
  const count = arguments.length;
  const right = checkNumber(x, 2, count);
  return libm.atan2(checkNumber(y, 1, count), right);
}

function fmod(a: LuaValue, b: LuaValue): LuaResult {
  const count = arguments.length;
  const divisor = checkNumber(b, 2, count);
  return checkNumber(a, 1, count) % divisor;
}

function pow(a: LuaValue, b: LuaValue): LuaResult {
  const count = arguments.length;
  const exponent = checkNumber(b, 2, count);
  return power(checkNumber(a, 1, count), exponent);
}

function ldexp(m: LuaValue, e: LuaValue): LuaResult {
  const count = arguments.length;
  const exponent = checkInt(e, 2, count);
  return scale(checkNumber(m, 1, count), exponent);
}

function frexp(x: LuaValue): LuaResult {
  const n = checkNumber(x, 1, arguments.length);
  if (n === 0 || !Number.isFinite(n)) return [n, 0];
  const exponent = exponentOf(n);
  return [scale(n, -exponent), exponent];
}

function modf(x: LuaValue): LuaResult {
  const n = checkNumber(x, 1, arguments.length);
  const whole = Math.trunc(n);
  if (n === whole) return [whole, n < 0 || Object.is(n, -0) ? -0 : 0];
  return [whole, n - whole];
}

function max(x: LuaValue, y: LuaValue): LuaResult {
  const count = arguments.length;
  let best = checkNumber(x, 1, count);
  if (count === 1) return best;
  const second = checkNumber(y, 2, count);
  if (second > best) best = second;
  for (let i = 2; i < count; i++) {
    const n = checkNumber(arguments[i], i + 1, count);
    if (n > best) best = n;
  }
  return best;
}

function min(x: LuaValue, y: LuaValue): LuaResult {
  const count = arguments.length;
  let best = checkNumber(x, 1, count);
  if (count === 1) return best;
  const second = checkNumber(y, 2, count);
  if (second < best) best = second;
  for (let i = 2; i < count; i++) {
    const n = checkNumber(arguments[i], i + 1, count);
    if (n < best) best = n;
  }
  return best;
}

function drawer(random: MathRandom): LuaFunction {
  return native(function (a: LuaValue, b: LuaValue): LuaResult {
    // Drawn also where an argument turns out to be wrong.
    const drawn = random.next();
    const r = drawn === INT_MAX ? 0 : drawn / INT_MAX;
    const count = arguments.length;
    if (count === 0) return r;
    if (count > 2) throw fail('wrong number of arguments');
    const low = count === 1 ? 1 : checkInt(a, 1, count);
    const high = count === 1 ? checkInt(a, 1, count) : checkInt(b, 2, count);
    if (low > high) throw badArgument(count, 'interval is empty');
    // The width is an int in C and may overflow.
    return Math.floor(r * ((high - low + 1) | 0)) + low;
  });
}

function seeder(random: MathRandom): LuaFunction {
  return native(function (seed: LuaValue): LuaResult {
    random.seed(checkInt(seed, 1, arguments.length));
    return NOTHING;
  });
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
/** The word with sign and exponent. */
const TOP = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** The exponent that makes |n| = m * 2^exponent with 0.5 <= m < 1; `n` is finite and not 0. */
function exponentOf(n: number): number {
  double[0] = n;
  const bits = (words[TOP] >>> 20) & 0x7ff;
  return bits === 0 ? exponentOf(n * 2 ** 64) - 64 : bits - 1022;
}

/** n * 2^exponent, rounded once. */
function scale(n: number, exponent: number): number {
  if (n === 0 || !Number.isFinite(n)) return n;
  const before = exponentOf(n);
  const after = before + exponent;
  if (after > 1024) return n * Number.POSITIVE_INFINITY;
  if (after < -1075) return n * 0;
  // To 0.5 <= m < 1 and from there; all but the last multiplication are exact.
  const m = n * twoTo(-before >> 1) * twoTo(-before - (-before >> 1));
  return after < -1021 ? m * twoTo(-1021) * twoTo(after + 1021) : m * 2 * twoTo(after - 1);
}

/** 2^exponent for -1022 <= exponent <= 1023. */
function twoTo(exponent: number): number {
  words[1 - TOP] = 0;
  words[TOP] = (exponent + 1023) << 20;
  return double[0];
}
