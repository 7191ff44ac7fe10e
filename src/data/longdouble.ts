// Arithmetic of C's `long double` on x86 (80 bits, 64 of them mantissa), for INCRBYFLOAT and HINCRBYFLOAT. Redis adds and
// prints in that format, and its replies show it: 0.1 + 0.2 is "0.3", and 1000.1 + 0.1 is "1000.19999999999999996". Exact
// rational arithmetic on BigInt, rounded where the C library rounds; a shortcut serves everyday numbers.

import { bitLength, parseHex, parseInt64, shiftRounded } from './numbers.ts';

/** A number ±mantissa × 2^exponent, with mantissa < 2^64; the exponent is Infinity for an infinite one. */
export type LongDouble = { negative: boolean; mantissa: bigint; exponent: number };

const MANTISSA_BITS = 64;

/** Exponent of the lowest bit of a subnormal number: 2^-16382 is the least normal one, with 63 bits below its first. */
const MIN_EXPONENT = -16382 - 63;

/** Exponent of the first bit of the largest number. */
const MAX_TOP = 16383;

/** Redis copies the text into a buffer of this size (with a final NUL) before it reads it, and refuses what does not fit. */
const BUFFER_SIZE = 5 * 1024;

/** Digits after the point in Redis' human-friendly form: "%.17Lf". */
const PLACES = 17;

const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/**
 * Reads a long double as Redis' string2ld does: all of C's strtold but NaN, with nothing before or after it, no overflow
 * and nothing that would round to zero. Infinities are read, for Redis refuses them only in the sum.
 */
export function parseLongDouble(s: string): LongDouble | null {
  if (s.length === 0 || s.length >= BUFFER_SIZE) return null;
  const m = DECIMAL.exec(s);
  if (m !== null) {
    const digits = `${m[2]}${m[3]}`;
    if (digits === '') return null;
    return fromDecimal(m[1] === '-', BigInt(digits), Number(m[4] ?? 0) - m[3]!.length);
  }
  const infinite = INFINITE.exec(s);
  if (infinite !== null) return { negative: infinite[1] === '-', mantissa: 1n, exponent: Infinity };
  const hex = parseHex(s);
  if (hex === null) return null;
  const { negative, mantissa, exponent } = hex;
  if (mantissa === 0n) return zero(negative);
  const top = bitLength(mantissa) + exponent;
  if (top > MAX_TOP + 2 || top < MIN_EXPONENT - 2) return null;
  return finite(round(negative, mantissa, exponent));
}

/** a + b, rounded to 64 bits; null when the sum is NaN or infinite. */
export function addLong(a: LongDouble, b: LongDouble): LongDouble | null {
  if (a.exponent === Infinity || b.exponent === Infinity) return null;
  if (a.mantissa === 0n) return b;
  if (b.mantissa === 0n) return a;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = signedAt(a, exponent) + signedAt(b, exponent);
  if (sum === 0n) return zero(false);
  return finite(round(sum < 0n, sum < 0n ? -sum : sum, exponent));
}

/** Prints a finite long double as Redis' ld2string does for people: up to 17 decimals, none of them trailing zeros. */
export function formatLong(x: LongDouble): string {
  const scaled = x.mantissa * 10n ** BigInt(PLACES);
  const units = x.exponent >= 0 ? scaled << BigInt(x.exponent) : shiftRounded(scaled, -x.exponent);
  return formatScaled(x.negative, `${units}`, PLACES);
}

/** The sum of two numbers in text as INCRBYFLOAT computes and prints it, or why there is none. */
export type LongSum = { sum: string } | { error: 'invalid' | 'infinite' };

/** Adds as INCRBYFLOAT does. 'invalid': one of the two is not a number to Redis. 'infinite': the sum is NaN or infinite. */
export function addLongDouble(a: string, b: string): LongSum {
  const quick = addShortDecimals(a, b);
  if (quick !== null) return { sum: quick };
  const x = parseLongDouble(a);
  const y = parseLongDouble(b);
  if (x === null || y === null) return { error: 'invalid' };
  const sum = addLong(x, y);
  return sum === null ? { error: 'infinite' } : { sum: formatLong(sum) };
}

/** Sums of magnitudes from here on may show the rounding of the format in their seventeenth decimal. */
const EXACT_LIMIT = 40;

/**
 * The sum of two plain decimals where it is sure to print as the exact decimal sum, or null where it may not, or where
 * the text is of another form. Sure, because reading a, reading b and adding each err by at most 2^-64 of their result:
 * together at most (|a| + |b| + |a + b|) 2^-64 <= 80 × 2^-64 < 0.44e-17 when |a| + |b| <= 40. The exact sum is a multiple
 * of 1e-17, so that anything within 0.5e-17 of it rounds to it at 17 decimals. Integers do not err at all.
 */
function addShortDecimals(a: string, b: string): string | null {
  const x = parseInt64(a);
  const y = parseInt64(b);
  if (typeof x === 'number' && typeof y === 'number') {
    const sum = x + y;
    return Number.isSafeInteger(sum) ? `${sum}` : null;
  }
  const places = Math.max(placesOf(a), placesOf(b));
  if (places > 15) return null;
  const scaledA = scaledValue(a, places);
  const scaledB = scaledValue(b, places);
  // NaN, from text of another form, fails the comparison.
  if (!(Math.abs(scaledA) + Math.abs(scaledB) <= EXACT_LIMIT * 10 ** places)) return null;
  if (Math.abs(scaledA) + Math.abs(scaledB) > Number.MAX_SAFE_INTEGER) return null;
  const sum = scaledA + scaledB;
  return formatScaled(sum < 0, `${Math.abs(sum)}`, places);
}

function placesOf(s: string): number {
  const point = s.indexOf('.');
  return point === -1 ? 0 : s.length - point - 1;
}

/** A decimal of digits and at most one point, times 10^places, or NaN when it is not one or has too many digits to be exact. */
function scaledValue(s: string, places: number): number {
  const start = s.charCodeAt(0) === 0x2d ? 1 : 0;
  let value = 0;
  let point = -1;
  for (let i = start; i < s.length; i++) {
    const digit = s.charCodeAt(i) - 0x30;
    if (digit === -2 && point === -1) point = i;
    else if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else return Number.NaN;
  }
  if (s.length - start === (point === -1 ? 0 : 1)) return Number.NaN;
  value *= 10 ** (places - placesOf(s));
  if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
  return start === 1 ? -value : value;
}

/** digits / 10^places in plain notation, without trailing zeros; never "-0". */
function formatScaled(negative: boolean, digits: string, places: number): string {
  const padded = digits.padStart(places + 1, '0');
  const cut = padded.length - places;
  let end = padded.length;
  while (end > cut && padded.charCodeAt(end - 1) === 0x30) end--;
  const text = end === cut ? padded.slice(0, cut) : `${padded.slice(0, cut)}.${padded.slice(cut, end)}`;
  return negative && text !== '0' ? `-${text}` : text;
}

function zero(negative: boolean): LongDouble {
  return { negative, mantissa: 0n, exponent: MIN_EXPONENT };
}

function signedAt(x: LongDouble, exponent: number): bigint {
  const size = x.mantissa << BigInt(x.exponent - exponent);
  return x.negative ? -size : size;
}

/** The long double nearest to ±digits × 10^power, or null when that is infinite, or zero though the digits are not. */
function fromDecimal(negative: boolean, digits: bigint, power: number): LongDouble | null {
  if (digits === 0n) return zero(negative);
  // Before 10^power is computed, exclude what is far outside the range: it may have any size.
  const top = bitLength(digits) * 0.302 + power;
  if (top > 6600 || power < -12_000) return null;
  if (power >= 0) return finite(round(negative, digits * 10n ** BigInt(power), 0));
  // Enough bits of the quotient that rounding it rounds the fraction: 64, one to see the half, one for the division's rest.
  const divisor = 10n ** BigInt(-power);
  const shift = Math.max(0, bitLength(divisor) - bitLength(digits) + MANTISSA_BITS + 2);
  const scaled = digits << BigInt(shift);
  const quotient = scaled / divisor;
  const rest = scaled - quotient * divisor;
  // A rest is worth less than a unit; as one more bit at the end it keeps a half from looking exact.
  return finite(round(negative, (quotient << 1n) | (rest === 0n ? 0n : 1n), -shift - 1));
}

/** ±mantissa × 2^exponent rounded to the format, but for its upper end. The mantissa is not zero; the result's may be. */
function round(negative: boolean, mantissa: bigint, exponent: number): LongDouble {
  const shift = Math.max(bitLength(mantissa) - MANTISSA_BITS, MIN_EXPONENT - exponent, 0);
  return { negative, mantissa: shiftRounded(mantissa, shift), exponent: exponent + shift };
}

/** `x`, or null when rounding has taken it out of the range at either end. */
function finite(x: LongDouble): LongDouble | null {
  if (x.mantissa === 0n || bitLength(x.mantissa) - 1 + x.exponent > MAX_TOP) return null;
  return x;
}
