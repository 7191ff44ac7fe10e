// The library struct (Roberto Ierusalimschy's, version 1.4 as Redis ships it): numbers and strings from and to
// binary data, laid out by a format. index.ts opens it.
import { bytesToString } from '../resp/bytes.ts';
import { checkNumber, checkString, optionalInteger } from './arguments.ts';
import { badArgument, fail } from './errors.ts';
import { parseNumber } from './number.ts';
import { charge, type LuaState, spend } from './state.ts';
import { LuaTable } from './table.ts';
import { type LuaResult, type LuaValue, native } from './value.ts';

/** Most bytes of an integer (`i32`). */
const MOST_BYTES = 32;
const INT_MAX = 0x7fffffff;
/** Alignment that `!` alone means. */
const NATIVE_ALIGNMENT = 8;
/** Lua's limit of values on a C function's stack; unpack keeps two places free. */
const MOST_VALUES = 8000 - 2;

/** Goes through a format: one option after the other, with the state that options change. */
class Format {
  readonly text: string;
  at = 0;
  /** The option that {@link next} read, and its size in bytes; 0 for those without one. */
  option = '';
  size = 0;
  big = false;
  private align = 1;

  constructor(text: string) {
    // As C reads it, the format ends at a zero byte.
    const end = text.indexOf('\0');
    this.text = end < 0 ? text : text.slice(0, end);
    spend(this.text.length);
  }

  next(): boolean {
    if (this.at >= this.text.length) return false;
    this.option = this.text[this.at++];
    this.size = this.sizeOf(this.option);
    return true;
  }

  private sizeOf(option: string): number {
    switch (option) {
      case 'b':
      case 'B':
      case 'x':
        return 1;
      case 'h':
      case 'H':
        return 2;
      case 'f':
        return 4;
      case 'l':
      case 'L':
      case 'T':
      case 'd':
        return 8;
      case 'c':
        return this.number(1);
      case 'i':
      case 'I': {
        const size = this.number(4);
        if (size > MOST_BYTES) throw fail(`integral size ${size} is larger than limit of ${MOST_BYTES}`);
        return size;
      }
      default:
        return 0;
    }
  }

  private number(otherwise: number): number {
    if (!this.atDigit()) return otherwise;
    let n = 0;
    do {
      n = n * 10 + (this.text.charCodeAt(this.at++) - 0x30);
      if (n > INT_MAX) throw fail('integral size overflow');
    } while (this.atDigit());
    return n;
  }

  private atDigit(): boolean {
    const code = this.text.charCodeAt(this.at);
    return code >= 0x30 && code <= 0x39;
  }

  /** Bytes to skip before the option, at this position. */
  padding(position: number): number {
    let { size } = this;
    if (size === 0 || this.option === 'c') return 0;
    if (size > this.align) size = this.align;
    return (size - (position & (size - 1))) & (size - 1);
  }

  /** The options without a value. */
  control(): void {
    switch (this.option) {
      case ' ':
        return;
      case '>':
        this.big = true;
        return;
      case '<':
        this.big = false;
        return;
      case '!': {
        const n = this.number(NATIVE_ALIGNMENT);
        if (n === 0 || (n & (n - 1)) !== 0) throw fail(`alignment ${n} is not a power of 2`);
        this.align = n;
        return;
      }
      default:
        throw badArgument(1, `invalid format option '${this.option}'`);
    }
  }
}

// ------------------------------------------------------------------------------------------------ packing

const scratch = new Uint8Array(MOST_BYTES);
const view = new DataView(scratch.buffer);

function pack(fmt: LuaValue): string {
  const count = arguments.length;
  const format = new Format(checkString(fmt, 1, count));
  // A missing argument is nil, not "no value": the original has put a nil behind the arguments.
  let next = 1;
  let out = '';
  while (format.next()) {
    const padding = format.padding(out.length);
    if (padding > 0) out += '\0'.repeat(padding);
    const { option } = format;
    let { size } = format;
    switch (option) {
      case 'b':
      case 'B':
      case 'h':
      case 'H':
      case 'l':
      case 'L':
      case 'T':
      case 'i':
      case 'I': {
        const index = ++next;
        out += integerBytes(checkNumber(arguments[index - 1], index, index), size, format.big);
        break;
      }
      case 'x':
        out += '\0';
        break;
      case 'f':
      case 'd': {
        const index = ++next;
        out += floatBytes(checkNumber(arguments[index - 1], index, index), size, format.big);
        break;
      }
      case 'c':
      case 's': {
        const index = ++next;
        const text = checkString(arguments[index - 1], index, index);
        if (size === 0) size = text.length;
        // The original counts one too far.
        if (text.length < size) throw badArgument(index + 1, 'string too short');
        if (size > 4096) charge(size);
        out += size === text.length ? text : text.slice(0, size);
        if (option === 's') out += '\0';
        break;
      }
      default:
        format.control();
    }
  }
  return out;
}

function integerBytes(value: number, size: number, big: boolean): string {
  if (size === 1) return String.fromCharCode(lowHalf(value) & 0xff);
  const low = lowHalf(value);
  const high = highHalf(value);
  for (let i = 0; i < size; i++) {
    const byte = i < 4 ? low >>> (i * 8) : i < 8 ? high >>> (i * 8 - 32) : 0;
    scratch[big ? size - 1 - i : i] = byte;
  }
  return text(size);
}

// A number becomes 64 bits as x86-64 converts it: what is too small, or no number, is the smallest integer;
// what is too big is 0.
function lowHalf(value: number): number {
  if ((value | 0) === value) return value;
  if (!(value >= -(2 ** 63) && value < 2 ** 64)) return 0;
  const whole = Math.trunc(value);
  return (whole - Math.floor(whole / 2 ** 32) * 2 ** 32) | 0;
}

function highHalf(value: number): number {
  if ((value | 0) === value) return value < 0 ? -1 : 0;
  if (value >= 2 ** 64) return 0;
  if (!(value >= -(2 ** 63))) return -(2 ** 31);
  const high = Math.floor(Math.trunc(value) / 2 ** 32);
  return high >= 2 ** 31 ? high - 2 ** 32 : high;
}

function floatBytes(value: number, size: number, big: boolean): string {
  if (size === 4) view.setFloat32(0, value, !big);
  else view.setFloat64(0, value, !big);
  // NaN is negative on x86-64.
  if (Number.isNaN(value)) scratch[big ? 0 : size - 1] |= 0x80;
  return text(size);
}

function text(size: number): string {
  if (size === 4) return String.fromCharCode(scratch[0], scratch[1], scratch[2], scratch[3]);
  if (size === 2) return String.fromCharCode(scratch[0], scratch[1]);
  return bytesToString(scratch, 0, size);
}

// ---------------------------------------------------------------------------------------------- unpacking

function unpack(fmt: LuaValue, bytes: LuaValue, from: LuaValue): LuaResult {
  const count = arguments.length;
  const format = new Format(checkString(fmt, 1, count));
  const data = checkString(bytes, 2, count);
  const offset = optionalInteger(from, 3, count, 1);
  if (offset === 0) throw badArgument(3, 'offset must be 1 or greater');
  const { length } = data;
  let position = offset - 1;
  const results: LuaValue[] = [];
  while (format.next()) {
    const { option } = format;
    let { size } = format;
    position += format.padding(position);
    if (position < 0 || position + size > length) throw badArgument(2, 'data string too short');
    // The format and the data are on the stack too.
    if (results.length + 2 > MOST_VALUES) throw fail('stack overflow (too many results)');
    switch (option) {
      case 'b':
      case 'h':
      case 'l':
      case 'i':
        results.push(readInteger(data, position, size, format.big, true));
        break;
      case 'B':
      case 'H':
      case 'L':
      case 'T':
      case 'I':
        results.push(readInteger(data, position, size, format.big, false));
        break;
      case 'x':
        break;
      case 'f':
      case 'd':
        results.push(readFloat(data, position, size, format.big));
        break;
      case 'c':
        if (size === 0) {
          size = previousSize(results);
          if (position + size > length) throw badArgument(2, 'data string too short');
        }
        results.push(data.slice(position, position + size));
        break;
      case 's': {
        const end = data.indexOf('\0', position);
        if (end < 0) throw fail('unfinished string in data');
        results.push(data.slice(position, end));
        size = end - position + 1;
        break;
      }
      default:
        format.control();
    }
    position += size;
  }
  results.push(position + 1);
  return results;
}

/** Takes the number back that was read before `c0`: the size of the string. */
function previousSize(results: LuaValue[]): number {
  const previous = results.length === 0 ? undefined : results[results.length - 1];
  const n = typeof previous === 'string' ? parseNumber(previous) : previous;
  if (typeof n !== 'number') throw fail("format 'c0' needs a previous size");
  results.pop();
  // As the processor converts it: too big is 0; negative or no number, an enormous size.
  if (n >= 2 ** 64) return 0;
  return n > -1 ? Math.trunc(n) : Number.POSITIVE_INFINITY;
}

function readInteger(data: string, at: number, size: number, big: boolean, signed: boolean): number {
  if (size === 1) {
    const byte = data.charCodeAt(at);
    return signed ? (byte << 24) >> 24 : byte;
  }
  // The last eight bytes count, read from the most significant one.
  let low = 0;
  let high = 0;
  for (let i = 0; i < size; i++) {
    const byte = data.charCodeAt(big ? at + i : at + size - 1 - i);
    high = (high << 8) | (low >>> 24);
    low = (low << 8) | byte;
  }
  if (!signed) return (high >>> 0) * 2 ** 32 + (low >>> 0);
  // The sign bit, by a shift that the processor takes modulo 64.
  const bit = (size * 8 - 1) & 63;
  if (bit >= 32) {
    const mask = -1 << (bit - 32);
    if ((high & mask) !== 0) high |= mask;
  } else {
    const mask = -1 << bit;
    if (high !== 0 || (low & mask) !== 0) {
      low |= mask;
      high = -1;
    }
  }
  return high * 2 ** 32 + (low >>> 0);
}

function readFloat(data: string, at: number, size: number, big: boolean): number {
  for (let i = 0; i < size; i++) scratch[i] = data.charCodeAt(at + i);
  return size === 4 ? view.getFloat32(0, !big) : view.getFloat64(0, !big);
}

// --------------------------------------------------------------------------------------------------- size

function size(fmt: LuaValue): number {
  const format = new Format(checkString(fmt, 1, arguments.length));
  let position = 0;
  while (format.next()) {
    const { option } = format;
    position += format.padding(position);
    if (option === 's') throw badArgument(1, "option 's' has no fixed size");
    if (option === 'c' && format.size === 0) throw badArgument(1, "option 'c0' has no fixed size");
    // Unknown letters and digits are let through.
    if (!/[A-Za-z0-9]/.test(option)) format.control();
    position += format.size;
  }
  return position;
}

export function openStruct(_state: LuaState): LuaTable {
  const table = new LuaTable(0, 3);
  for (const [name, f] of Object.entries({ pack, unpack, size })) table.set(name, native(f));
  return table;
}
