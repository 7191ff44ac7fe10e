// string.format of Lua 5.1: C's printf on x86-64, without its bugs and with Lua's errors. Formats are read once
// and kept. lib-string.ts is the caller.
import { checkNumber, checkString } from './arguments.ts';
import { TextCache } from './cache.ts';
import { badArgument, fail } from './errors.ts';
import { toEven } from './number.ts';
import { MAX_STRING } from './operations.ts';
import { charge, spend } from './state.ts';
import { LuaError, type LuaValue } from './value.ts';

/** A piece of a format: text, then a conversion (or, at the end, none: ''). */
class Piece {
  text = '';
  /** Letter of the conversion, '' at the end, '!' for an error. */
  conversion = '';
  left = false;
  plus = false;
  space = false;
  alternate = false;
  zero = false;
  width = 0;
  /** -1: not given. */
  precision = -1;
  /** No flags, width or precision. */
  bare = false;
  message = '';
}

const CACHED_FORMATS = 512;
const MAX_CACHED_LENGTH = 2000;
const cache = new TextCache<readonly Piece[]>(CACHED_FORMATS);
let lastText = '';
let lastPieces: readonly Piece[] = parse('');

function piecesOf(text: string): readonly Piece[] {
  if (text === lastText) return lastPieces;
  let pieces = cache.get(text);
  if (pieces === undefined) {
    pieces = parse(text);
    if (text.length > MAX_CACHED_LENGTH) return pieces;
    cache.set(text, pieces);
  }
  lastText = text;
  lastPieces = pieces;
  return pieces;
}

const ESCAPE = 0x25;
const POINT = 0x2e;
const FLAGS = '-+ #0';
const CONVERSIONS = 'cdiouxXeEfgGqs';

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** The pieces of a format, up to its first error. */
function parse(format: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let text = '';
  for (;;) {
    const percent = format.indexOf('%', at);
    const piece = new Piece();
    text += percent < 0 ? format.slice(at) : format.slice(at, percent);
    if (percent >= 0 && format.charCodeAt(percent + 1) === ESCAPE) {
      text += '%';
      at = percent + 2;
      continue;
    }
    piece.text = text;
    text = '';
    pieces.push(piece);
    if (percent < 0) return pieces;
    at = parseConversion(format, percent + 1, piece);
    if (at < 0) return pieces;
  }
}

/** Reads one conversion; answers where it ends, or -1 after an error. */
function parseConversion(format: string, start: number, piece: Piece): number {
  let at = start;
  for (; ; at++) {
    const flag = FLAGS.indexOf(format.charAt(at) || '?');
    if (flag < 0) break;
    if (flag === 0) piece.left = true;
    else if (flag === 1) piece.plus = true;
    else if (flag === 2) piece.space = true;
    else if (flag === 3) piece.alternate = true;
    else piece.zero = true;
  }
  const error = (message: string) => {
    piece.conversion = '!';
    piece.message = message;
    return -1;
  };
  if (at - start > FLAGS.length) return error('invalid format (repeated flags)');
  const digits = () => {
    const first = at;
    while (at < first + 2 && isDigit(format.charCodeAt(at))) at++;
    return Number(format.slice(first, at));
  };
  piece.width = digits();
  if (format.charCodeAt(at) === POINT) {
    at++;
    piece.precision = digits();
  }
  if (isDigit(format.charCodeAt(at))) return error('invalid format (width or precision too long)');
  const conversion = format.charAt(at);
  if (conversion === '' || !CONVERSIONS.includes(conversion)) {
    // A zero byte ends the option's name, as C's strings end.
    return error(`invalid option '%${conversion === '\0' ? '' : conversion}' to 'format'`);
  }
  piece.conversion = conversion;
  piece.bare = at === start;
  return at + 1;
}

/** `args` are those behind the format. */
export function format(text: string, args: readonly LuaValue[]): string {
  const pieces = piecesOf(text);
  const count = args.length + 1;
  let out = '';
  for (let k = 0; k < pieces.length; k++) {
    const piece = pieces[k];
    if (piece.text.length > LONG_TEXT) reserve(out, piece.text.length);
    out += piece.text;
    if (piece.conversion === '') return out;
    if (k >= args.length) throw badArgument(k + 2, 'no value');
    const value = args[k];
    switch (piece.conversion) {
      case 's': {
        const part = formatText(piece, checkString(value, k + 2, count));
        if (part.length > LONG_TEXT) reserve(out, part.length);
        out += part;
        break;
      }
      case 'd':
      case 'i': {
        const n = typeof value === 'number' ? value : checkNumber(value, k + 2, count);
        out += piece.bare && (n | 0) === n ? `${n | 0}` : formatSigned(piece, n);
        break;
      }
      case 'f':
        out += formatFixed(piece, checkNumber(value, k + 2, count));
        break;
      case 'g':
      case 'G':
        out += formatGeneral(piece, checkNumber(value, k + 2, count));
        break;
      case 'e':
      case 'E':
        out += formatExponent(piece, checkNumber(value, k + 2, count));
        break;
      case 'c':
        out += formatCharacter(piece, checkNumber(value, k + 2, count));
        break;
      case 'q': {
        const part = checkString(value, k + 2, count);
        // A zero byte takes four.
        if (part.length > LONG_TEXT) reserve(out, part.length * 4);
        out += quote(part);
        break;
      }
      case '!':
        throw fail(piece.message);
      default:
        out += formatUnsigned(piece, checkNumber(value, k + 2, count));
    }
  }
  return out;
}

/** So many bytes are about to be added. */
function reserve(out: string, bytes: number): void {
  if (out.length + bytes + LONG_TEXT > MAX_STRING) throw new LuaError('not enough memory');
  spend(bytes >>> 3);
  charge(bytes);
}

// ---- text

/** From this length on, C leaves a string as it is. */
const LONG_TEXT = 100;

function formatText(piece: Piece, text: string): string {
  const { precision, bare } = piece;
  if (precision < 0 && text.length >= LONG_TEXT) return text;
  const zero = text.indexOf('\0');
  if (bare && zero < 0) return text;
  let end = zero < 0 ? text.length : zero;
  if (precision >= 0 && end > precision) end = precision;
  return pad(piece, text.slice(0, end));
}

function formatCharacter(piece: Piece, n: number): string {
  const byte = n > -2147483649 && n < 2147483648 ? n & 255 : 0;
  if (byte !== 0) return pad(piece, String.fromCharCode(byte));
  // To C, the zero byte ends what was printed.
  return piece.left || piece.width === 0 ? '' : ' '.repeat(piece.width - 1);
}

const QUOTED = /["\\\n\r\0]/;

function quote(text: string): string {
  if (!QUOTED.test(text)) return `"${text}"`;
  const quoted = text.replace(/["\\\n\r\0]/g, (c) => (c === '\r' ? '\\r' : c === '\0' ? '\\000' : `\\${c}`));
  return `"${quoted}"`;
}

function pad(piece: Piece, text: string): string {
  if (text.length >= piece.width) return text;
  return piece.left ? text.padEnd(piece.width) : text.padStart(piece.width);
}

/** Sign or prefix, then digits; zeros between them where the conversion has `zeros`. */
function padNumber(piece: Piece, sign: string, digits: string, zeros: boolean): string {
  const { width } = piece;
  const length = sign.length + digits.length;
  if (length >= width) return sign === '' ? digits : sign + digits;
  if (zeros && !piece.left) return sign + digits.padStart(width - sign.length, '0');
  return pad(piece, sign + digits);
}

function signOf(piece: Piece, negative: boolean): string {
  return negative ? '-' : piece.plus ? '+' : piece.space ? ' ' : '';
}

// ---- integers

const TWO63 = 2 ** 63;
const TWO64 = 2n ** 64n;

function formatSigned(piece: Piece, n: number): string {
  // A double that does not fit becomes the smallest integer, as x86-64 converts it.
  const whole = n >= -TWO63 && n < TWO63 ? Math.trunc(n) : -TWO63;
  const size = Math.abs(whole);
  const digits = size <= Number.MAX_SAFE_INTEGER ? `${size}` : BigInt(size).toString();
  return formatDigits(piece, signOf(piece, whole < 0), digits);
}

function formatUnsigned(piece: Piece, n: number): string {
  const { conversion, alternate, precision } = piece;
  const base = conversion === 'o' ? 8 : conversion === 'u' ? 10 : 16;
  const whole = unsigned(n);
  let digits = whole.toString(base);
  let sign = '';
  if (alternate && base === 16 && digits !== '0') sign = '0x';
  if (conversion === 'X') {
    digits = digits.toUpperCase();
    sign = sign.toUpperCase();
  }
  if (alternate && base === 8 && digits !== '0' && digits.length >= precision) digits = `0${digits}`;
  return formatDigits(piece, sign, digits, alternate && base === 8);
}

/** A double as x86-64 converts it to 64 bits without sign. */
function unsigned(n: number): number | bigint {
  if (n >= 2 ** 64) return 0;
  const whole = n >= -TWO63 ? Math.trunc(n) : -TWO63;
  if (whole < 0) return TWO64 + BigInt(whole);
  return whole <= Number.MAX_SAFE_INTEGER ? whole : BigInt(whole);
}

function formatDigits(piece: Piece, sign: string, digits: string, keepZero = false): string {
  const { precision } = piece;
  if (precision < 0) return padNumber(piece, sign, digits, piece.zero);
  const shown = precision === 0 && digits === '0' && !keepZero ? '' : digits.padStart(precision, '0');
  return padNumber(piece, sign, shown, false);
}

// ---- floating point

const DEFAULT_PRECISION = 6;

/** Infinities and NaN; the sign of NaN is that of formatNumber. */
function formatSpecial(piece: Piece, n: number): string {
  const nan = Number.isNaN(n);
  const name = nan ? 'nan' : 'inf';
  const { conversion } = piece;
  const upper = conversion === 'E' || conversion === 'G';
  return padNumber(piece, signOf(piece, nan || n < 0), upper ? name.toUpperCase() : name, false);
}

function isNegative(n: number): boolean {
  return n < 0 || (n === 0 && 1 / n < 0);
}

const TENS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
/** Below this, the product with a power of ten is off by less than 2^-12. */
const QUICK_LIMIT = 2 ** 40;

/** `size` in so many decimals where multiplying it out is safe to tell how it rounds, else ''. */
function quickFixed(size: number, precision: number): string {
  if (precision > 6) return '';
  const power = TENS[precision];
  const scaled = size * power;
  if (!(scaled < QUICK_LIMIT)) return '';
  const low = Math.floor(scaled);
  const rest = scaled - low;
  if (Math.abs(rest - 0.5) < 0.001) return '';
  const units = rest < 0.5 ? low : low + 1;
  if (precision === 0) return `${units}`;
  const whole = Math.floor(units / power);
  return `${whole}.${`${units - whole * power + power}`.slice(1)}`;
}

function formatFixed(piece: Piece, n: number): string {
  if (!Number.isFinite(n)) return formatSpecial(piece, n);
  const { alternate, zero } = piece;
  const precision = piece.precision < 0 ? DEFAULT_PRECISION : piece.precision;
  const size = Math.abs(n);
  let digits = quickFixed(size, precision);
  if (digits === '') {
    if (size < 1e21) digits = toEven(size.toFixed(precision), size, precision);
    else digits = precision === 0 ? `${BigInt(size)}` : `${BigInt(size)}.${'0'.repeat(precision)}`;
  }
  if (alternate && precision === 0) digits += '.';
  return padNumber(piece, signOf(piece, isNegative(n)), digits, zero);
}

function formatExponent(piece: Piece, n: number): string {
  if (!Number.isFinite(n)) return formatSpecial(piece, n);
  const precision = piece.precision < 0 ? DEFAULT_PRECISION : piece.precision;
  const { digits, exponent } = toExponent(Math.abs(n), precision);
  const shown = piece.alternate && precision === 0 ? `${digits}.` : digits;
  const letter = piece.conversion === 'E' ? 'E' : 'e';
  return padNumber(piece, signOf(piece, isNegative(n)), shown + exponentText(letter, exponent), piece.zero);
}

function toExponent(size: number, precision: number): { digits: string; exponent: number } {
  const text = size.toExponential(precision);
  const at = text.indexOf('e');
  const exponent = Number(text.slice(at + 1));
  return { digits: toEven(text.slice(0, at), size, precision - exponent), exponent };
}

function exponentText(letter: string, exponent: number): string {
  const size = Math.abs(exponent);
  return `${letter}${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`;
}

function formatGeneral(piece: Piece, n: number): string {
  if (!Number.isFinite(n)) return formatSpecial(piece, n);
  const precision = piece.precision < 0 ? DEFAULT_PRECISION : piece.precision === 0 ? 1 : piece.precision;
  const size = Math.abs(n);
  const { digits, exponent } = toExponent(size, precision - 1);
  let shown: string;
  if (exponent < -4 || exponent >= precision) {
    shown = significant(digits, piece.alternate);
    shown += exponentText(piece.conversion === 'G' ? 'E' : 'e', exponent);
  } else {
    const fixed = toEven(size.toPrecision(precision), size, precision - 1 - exponent);
    shown = significant(fixed, piece.alternate);
  }
  return padNumber(piece, signOf(piece, isNegative(n)), shown, piece.zero);
}

/** Without zeros at the end of the fraction, or with all of them and the point. */
function significant(digits: string, alternate: boolean): string {
  const point = digits.indexOf('.');
  if (alternate) return point < 0 ? `${digits}.` : digits;
  if (point < 0) return digits;
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.slice(0, end - 1 === point ? point : end);
}
