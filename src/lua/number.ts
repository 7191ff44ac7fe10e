// Numbers as Lua 5.1 prints and reads them: formatNumber is C's "%.14g", parseNumber its luaO_str2d (strtod with
// spaces around). Used wherever strings and numbers are converted into each other: concatenation, arithmetic,
// tostring, tonumber, the lexer, arguments of natives, JSON.
//
// JavaScript hides the sign of NaN, x86-64 does not: there, every NaN that arithmetic makes (0/0, inf-inf, sqrt(-1))
// is negative and prints as "-nan". So NaN is "-nan" here, always; in C, -(0/0) and tonumber('nan') are "nan".
import { bitLength, shiftRounded } from '../data/numbers.ts';

const PRECISION = 14;

/** `%.14g`. */
export function formatNumber(n: number): string {
  if ((n | 0) === n && n !== 0) return `${n}`;
  if (n === 0) return 1 / n < 0 ? '-0' : '0';
  const size = Math.abs(n);
  // Up to what does not round to 1e+14.
  if (size >= 1e-4 && size < 99999999999999.5) {
    // The shortest digits that read back as n: when there are at most fourteen, "%.14g" prints the same. Not
    // worth finding where there are probably more.
    const millionths = n * 1e6;
    if (Math.floor(millionths) === millionths) {
      const shortest = `${n}`;
      if (shortest.length <= PRECISION + 1) return shortest;
    }
    const text = size.toPrecision(PRECISION);
    const point = text.indexOf('.');
    return withoutZeros(sign(n) + toEven(text, size, point < 0 ? 0 : text.length - 1 - point));
  }
  if (Number.isNaN(n)) return '-nan';
  if (size === Number.POSITIVE_INFINITY) return n > 0 ? 'inf' : '-inf';
  const text = size.toExponential(PRECISION - 1);
  const at = text.indexOf('e');
  const exponent = Number(text.slice(at + 1));
  // Rounded up to what needs no exponent.
  if (exponent === -4) return `${sign(n)}0.0001`;
  const digits = toEven(text.slice(0, at), size, PRECISION - 1 - exponent);
  const power = Math.abs(exponent);
  return `${withoutZeros(sign(n) + digits)}e${exponent < 0 ? '-' : '+'}${power < 10 ? '0' : ''}${power}`;
}

/** `%.{precision}g` of C, for fewer than fourteen digits. */
export function formatPrecision(n: number, precision: number): string {
  if (n === 0 || !Number.isFinite(n)) return formatNumber(n);
  const size = Math.abs(n);
  const text = size.toExponential(precision - 1);
  const at = text.indexOf('e');
  const exponent = Number(text.slice(at + 1));
  const digits = toEven(text.slice(0, at), size, precision - 1 - exponent).replace('.', '');
  if (exponent < -4 || exponent >= precision) {
    const power = Math.abs(exponent);
    const mantissa = withoutZeros(`${digits[0]}.${digits.slice(1)}`);
    return `${sign(n)}${mantissa}e${exponent < 0 ? '-' : '+'}${power < 10 ? '0' : ''}${power}`;
  }
  if (exponent < 0) return sign(n) + withoutZeros(`0.${'0'.repeat(-exponent - 1)}${digits}`);
  return sign(n) + withoutZeros(`${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`);
}

function sign(n: number): string {
  return n < 0 ? '-' : '';
}

/** Digits of `size` > 0, rounded to so many decimals (below zero: to tens, hundreds…) by JavaScript, which rounds a
 *  tie up, as C rounds it: to the even digit. */
export function toEven(text: string, size: number, decimals: number): string {
  const last = text.charCodeAt(text.length - 1) - 0x30;
  if ((last & 1) === 0 || !isTie(size, decimals)) return text;
  return text.slice(0, -1) + (last - 1);
}

function isTie(size: number, decimals: number): boolean {
  // A fraction of k bits has exactly k decimals, the last of them a 5.
  if (decimals >= 0) return (size * 2 ** decimals * 2) % 2 === 1;
  // Of a number of 53 bits, 5^23 is no factor.
  if (decimals < -22 || !Number.isInteger(size)) return false;
  const unit = 10n ** BigInt(-decimals);
  return BigInt(size) % unit === unit / 2n;
}

function withoutZeros(text: string): string {
  if (text.indexOf('.') < 0) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  if (text.charCodeAt(end - 1) === 0x2e) end--;
  return text.slice(0, end);
}

const SPACE = 0x20;
const TAB = 0x09;
const RETURN = 0x0d;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;

function isSpace(c: number): boolean {
  return c === SPACE || (c >= TAB && c <= RETURN);
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** The number that a text spells, with spaces around, up to its end or a zero byte; or undefined. */
export function parseNumber(text: string): number | undefined {
  const { length } = text;
  let at = 0;
  while (at < length && isSpace(text.charCodeAt(at))) at++;
  const start = at;
  let c = text.charCodeAt(at);
  const negative = c === MINUS;
  if (negative || c === PLUS) c = text.charCodeAt(++at);
  const digitsAt = at;
  let whole = 0;
  while (isDigit(c)) {
    whole = whole * 10 + c - 0x30;
    c = text.charCodeAt(++at);
  }
  let count = at - digitsAt;
  // Up to 2^53 every step above was exact: that takes in microseconds since 1970, which have sixteen digits.
  if (at === length && count > 0 && count < 17 && whole <= Number.MAX_SAFE_INTEGER) {
    return negative ? -whole : whole;
  }
  if (count === 1 && whole === 0 && (c | 0x20) === 0x78) return parseHex(text, at + 1, negative);
  if (c === POINT) {
    c = text.charCodeAt(++at);
    const fractionAt = at;
    while (isDigit(c)) c = text.charCodeAt(++at);
    count += at - fractionAt;
  }
  if (count === 0) return parseSpecial(text, digitsAt, negative);
  let end = at;
  if ((c | 0x20) === 0x65) {
    c = text.charCodeAt(++at);
    if (c === PLUS || c === MINUS) c = text.charCodeAt(++at);
    while (isDigit(c)) {
      c = text.charCodeAt(++at);
      end = at;
    }
  }
  if (!endsAt(text, end)) return undefined;
  return Number(start === 0 && end === length ? text : text.slice(start, end));
}

/** Whether nothing but spaces follows. */
function endsAt(text: string, position: number): boolean {
  let at = position;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at === text.length || text.charCodeAt(at) === 0;
}

/** Infinities and NaN. */
function parseSpecial(text: string, start: number, negative: boolean): number | undefined {
  const word = /^(?:inf(?:inity)?|nan(?:\(\w*\))?)/i.exec(text.slice(start));
  if (word === null || !endsAt(text, start + word[0].length)) return undefined;
  if ((text.charCodeAt(start) | 0x20) === 0x6e) return Number.NaN;
  return negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

// More hexadecimal digits than a double can hold; what follows them matters only by not being zero.
const HEX_DIGITS = 32;

/** A hexadecimal number, also with a fraction and a binary exponent, whose digits begin at `start`. */
function parseHex(text: string, start: number, negative: boolean): number | undefined {
  let mantissa = 0n;
  let taken = 0;
  let exponent = 0;
  let sticky = false;
  let any = false;
  let point = false;
  let at = start;
  for (; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === POINT && !point) {
      point = true;
      continue;
    }
    const digit = hexDigit(c);
    if (digit < 0) break;
    any = true;
    if (taken < HEX_DIGITS) {
      if (digit !== 0 || taken > 0) {
        mantissa = mantissa * 16n + BigInt(digit);
        taken++;
      }
      if (point) exponent -= 4;
    } else {
      if (digit !== 0) sticky = true;
      if (!point) exponent += 4;
    }
  }
  if (!any) return undefined;
  let end = at;
  if ((text.charCodeAt(at) | 0x20) === 0x70) {
    let c = text.charCodeAt(++at);
    const down = c === MINUS;
    if (down || c === PLUS) c = text.charCodeAt(++at);
    let power = 0;
    while (isDigit(c)) {
      power = Math.min(power * 10 + c - 0x30, 2 ** 53);
      c = text.charCodeAt(++at);
      end = at;
    }
    if (end === at) exponent += down ? -power : power;
  }
  if (!endsAt(text, end)) return undefined;
  const size = nearest(sticky ? mantissa * 2n + 1n : mantissa, sticky ? exponent - 1 : exponent);
  return negative ? -size : size;
}

function hexDigit(c: number): number {
  if (isDigit(c)) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

/** The double nearest to mantissa × 2^exponent. */
function nearest(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const length = bitLength(mantissa);
  const top = length - 1 + exponent;
  if (top > 1023) return Number.POSITIVE_INFINITY;
  if (top < -1076) return 0;
  // Down to 2^-1022 a double has 53 bits; below that, those from 2^-1074 up.
  const shift = Math.max(0, length - Math.min(53, top + 1075));
  const rounded = Number(shiftRounded(mantissa, shift));
  // In two steps, for 2^exponent may lie outside the range of a double where the product does not.
  const scale = exponent + shift;
  const part = Math.trunc(scale / 2);
  return rounded * 2 ** part * 2 ** (scale - part);
}
