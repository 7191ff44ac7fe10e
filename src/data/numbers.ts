// Text forms of integers and doubles, as Redis reads and writes them: strict decimal integers of 64 bits, C's strtod with
// Redis' refusals, and the two ways Redis has printed a double. Knows no commands; used by all that take or reply numbers.

import { grisu2 } from './grisu.ts';

const MINUS = 0x2d;
const ZERO = 0x30;

const MAX_INT64 = '9223372036854775807';
const MIN_INT64 = '9223372036854775808';

/**
 * Reads an integer as Redis' string2ll does: canonical decimal within 64 bits, with no plus sign, leading zeros or spaces,
 * and no "-0". Returns null for anything else, a bigint beyond the safe integers.
 */
export function parseInt64(s: string): number | bigint | null {
  const { length } = s;
  const start = s.charCodeAt(0) === MINUS ? 1 : 0;
  const count = length - start;
  if (count === 0 || count > 19) return null;
  const first = s.charCodeAt(start) - ZERO;
  if (first === 0) return length === 1 ? 0 : null;
  let value = 0;
  for (let i = start; i < length; i++) {
    const digit = s.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  // Rounding above 2^53 is monotonic, so a sum at or below the limit is exact.
  if (value <= Number.MAX_SAFE_INTEGER) return start === 0 ? value : -value;
  // Among strings of 19 digits, text order is numeric order.
  if (count === 19 && s.slice(start) > (start === 0 ? MAX_INT64 : MIN_INT64)) return null;
  return BigInt(s);
}

/** Whether `parseInt64` reads this string: Redis would keep such a value in its integer encoding. */
export function isInt64String(s: string): boolean {
  return parseInt64(s) !== null;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;
const HEX = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/i;

/**
 * Reads a double as Redis does (string2d, getDoubleFromObject): all that C's strtod takes, with nothing before or after it.
 * That includes "inf", "-Infinity", "0x1p3", "5." and ".5". Null for the rest: the empty string, leading or trailing
 * space, "nan", and what leaves the range of a double, as "1e400" does, or "1e-400", which would be zero. What ends among
 * the subnormal numbers ("1e-320") is taken.
 */
export function parseDouble(s: string): number | null {
  if (DECIMAL.test(s)) {
    const value = Number(s);
    if (!Number.isFinite(value)) return null;
    return value === 0 && hasNonZeroDigit(s) ? null : value;
  }
  if (INFINITE.test(s)) return s.charCodeAt(0) === MINUS ? -Infinity : Infinity;
  const hex = parseHex(s);
  if (hex === null) return null;
  const size = roundHex(hex.mantissa, hex.exponent);
  if (size === null) return null;
  return hex.negative ? -size : size;
}

/** Whether the digits before the exponent hold one other than zero: such a number is not zero, whatever it rounds to. */
function hasNonZeroDigit(decimal: string): boolean {
  for (let i = 0; i < decimal.length; i++) {
    const c = decimal.charCodeAt(i);
    if (c > ZERO && c <= ZERO + 9) return true;
    if (c === 0x65 || c === 0x45) return false;
  }
  return false;
}

/** A number mantissa × 2^exponent, exactly. */
export type Binary = { negative: boolean; mantissa: bigint; exponent: number };

/** Reads C's hexadecimal floating notation without rounding ("0x1.8p3", "0x10", "-0X.8P-1"), or returns null. */
export function parseHex(s: string): Binary | null {
  const m = HEX.exec(s);
  if (m === null) return null;
  const [, sign, whole, fraction, exponent] = m;
  const text = `${whole}${fraction}`;
  if (text === '') return null;
  return {
    negative: sign === '-',
    mantissa: BigInt(`0x${text}`),
    exponent: (exponent === undefined ? 0 : Number(exponent)) - 4 * fraction!.length,
  };
}

/** Number of bits up to and with the highest set one. */
export function bitLength(n: bigint): number {
  if (n === 0n) return 0;
  const hex = n.toString(16);
  return (hex.length - 1) * 4 + 32 - Math.clz32(Number.parseInt(hex[0]!, 16));
}

/** n / 2^shift (shift >= 0) to the nearest integer, ties to even. */
export function shiftRounded(n: bigint, shift: number): bigint {
  if (shift === 0) return n;
  const by = BigInt(shift);
  const quotient = n >> by;
  const rest = n - (quotient << by);
  const half = 1n << (by - 1n);
  const up = rest > half || (rest === half && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** The double nearest to mantissa × 2^exponent, or null when that is infinite, or zero though the mantissa is not. */
function roundHex(mantissa: bigint, exponent: number): number | null {
  if (mantissa === 0n) return 0;
  const length = bitLength(mantissa);
  const top = length - 1 + exponent;
  if (top > 1023 || top < -1076) return null;
  // Down to 2^-1022 a double has 53 bits; below that, those from 2^-1074 up.
  const precision = Math.min(53, top + 1075);
  const shift = Math.max(0, length - precision);
  const rounded = Number(shiftRounded(mantissa, shift));
  // In two steps, for 2^exponent may lie outside the range of a double where the product does not.
  const scale = exponent + shift;
  const part = Math.trunc(scale / 2);
  const value = rounded * 2 ** part * 2 ** (scale - part);
  return value === 0 || value === Infinity ? null : value;
}

/** Largest magnitude that Redis prints as an integer: LLONG_MAX / 2 as a double, which is 2^62. */
const INTEGER_LIMIT = 2 ** 62;

/**
 * Prints a double as Redis 7.2 does (d2string): integers up to 2^62 in plain digits, others in the digits of its fpconv
 * library, with an exponent (of as few digits as it needs: "1e+20", "1e-7") when that would take many zeros. NaN, the
 * infinities and zeros are "nan", "inf", "-inf", "0", "-0".
 */
export function formatDouble(d: number): string {
  if (Number.isInteger(d)) {
    if (d === 0) return Object.is(d, -0) ? '-0' : '0';
    if (Number.isSafeInteger(d)) return `${d}`;
    if (Math.abs(d) <= INTEGER_LIMIT) return `${BigInt(d)}`;
  } else if (!Number.isFinite(d)) {
    return special(d);
  }
  const { digits, k } = grisu2(Math.abs(d));
  return (d < 0 ? '-' : '') + layOut(digits, k);
}

/** fpconv's choice between plain digits, a decimal point and an exponent. */
function layOut(digits: string, k: number): string {
  const count = digits.length;
  const exponent = k + count - 1;
  if (k >= 0 && exponent < count + 7) return digits + '0'.repeat(k);
  if (k < 0 && (k > -7 || Math.abs(exponent) < 4)) {
    const point = count + k;
    if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
    return `${digits.slice(0, point)}.${digits.slice(point)}`;
  }
  const fraction = count > 1 ? `.${digits.slice(1)}` : '';
  return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
}

/** Prints a double as C's "%.17g", which Redis used up to 7.0. */
export function formatDouble17(d: number): string {
  if (!Number.isFinite(d)) return special(d);
  if (d === 0) return Object.is(d, -0) ? '-0' : '0';
  const [mantissa, exponentText] = Math.abs(d).toExponential(16).split('e') as [string, string];
  let digits = mantissa[0] + mantissa.slice(2);
  if (isTie(d) && Number(digits[16]) % 2 === 1) {
    // JavaScript rounds a tie up, C to the even digit; an odd digit has come from the even one below it.
    digits = digits.slice(0, 16) + (Number(digits[16]) - 1);
  }
  digits = digits.replace(/0+$/, '');
  const exponent = Number(exponentText);
  const sign = d < 0 ? '-' : '';
  if (exponent < -4 || exponent >= 17) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = `${Math.abs(exponent)}`.padStart(2, '0');
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, '0');
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** Whether a double lies exactly half way between two numbers of 17 digits: its eighteenth digit is a 5, and its last. */
function isTie(d: number): boolean {
  // A tie is a multiple of a power of two near 2^-60 at the least, so that its digits end well before the sixtieth.
  const digits = Math.abs(d).toExponential(60);
  return digits[18] === '5' && /^0*$/.test(digits.slice(19, digits.indexOf('e')));
}

function special(d: number): string {
  return Number.isNaN(d) ? 'nan' : d > 0 ? 'inf' : '-inf';
}
