// The library cjson (lua-cjson 2.1.0 as Redis ships it): JSON from and to Lua values. Every table of functions
// (scripts can make more with cjson.new) has settings of its own. index.ts opens it.
import { bytesToString, writeString } from '../resp/bytes.ts';
import { checkInt, checkString } from './arguments.ts';
import { badArgument, fail } from './errors.ts';
import { emptyLayout, type JsonKey, type Layout } from './layout.ts';
import { formatNumber, parseNumber, toEven } from './number.ts';
import { charge, type LuaState, spend } from './state.ts';
import { LuaTable } from './table.ts';
import { type LuaResult, type LuaValue, NULL_POINTER, native, typeName } from './value.ts';

interface Settings {
  readonly state: LuaState;
  /** What to do with an array that is excessively sparse: write it as an object, else refuse it. */
  sparseConvert: number;
  sparseRatio: number;
  sparseSafe: number;
  encodeDepth: number;
  decodeDepth: number;
  /** 0: NaN and infinity are refused, 1: written as they are, 2: written as null. */
  encodeInvalid: number;
  /** Whether what only C takes for a number is read: hexadecimal, inf, nan, leading zeros. */
  decodeInvalid: number;
  precision: number;
  /** Of no consequence here. */
  keepBuffer: number;
}

/** An error inside; the functions of the library make it one of Lua, for only they stand close enough to the
 *  calling Lua code to find its position. */
class Refusal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What to throw instead of an error from inside. `nesting` is the text where the nesting was too deep for
 *  JavaScript, which happens only beyond the depth that the settings begin with. */
function raised(error: unknown, nesting: string): unknown {
  if (error instanceof Refusal) return fail(error.text);
  // Outside of the suspendable form, the run is repeated there, where more stack is free.
  if (error instanceof RangeError && settings.state.isWhollySuspendable && /call stack/.test(error.message))
    return fail(nesting);
  return error;
}

// ------------------------------------------------------------------------------------------------ encoding

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const BEGIN_ARRAY = 0x5b;
const END_ARRAY = 0x5d;
const BEGIN_OBJECT = 0x7b;
const END_OBJECT = 0x7d;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** By character: 0 where it stands for itself, `u` where it becomes \u00XX, else the letter after a backslash. */
const ESCAPES = new Uint8Array(256);
ESCAPES.fill(0x75, 0, 0x20);
ESCAPES[0x7f] = 0x75;
for (const [char, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '//', '\\\\']) {
  ESCAPES[char.charCodeAt(0)] = letter.charCodeAt(0);
}
const HEX = '0123456789abcdef';

/** Strings from this length on are copied by native code. */
const LONG = 64;
/** Characters of which each may become six without much ado. */
const CHUNK = 1024;
/** A buffer beyond this is given back after the call. */
const KEPT_BYTES = 1 << 17;

// The text so far is in out[0..end). Functions that write are handed the end and answer the new one.
let out = new Uint8Array(4096);
let outWords = new DataView(out.buffer);
let settings: Settings;
// Fields of tables without a layout of their own while they are written: see writeObject.
const fields: LuaValue[] = [];
let fieldsEnd = 0;
/** Depth of the table that is being written. */
let reached = 0;
/** Steps that have not been charged for yet. */
let steps = 0;

function encodeJson(value: LuaValue, using: Settings): string {
  settings = using;
  fieldsEnd = 0;
  steps = 0;
  try {
    const end = writeValue(value, 0, 0);
    if (steps > 64) spend(steps);
    return bytesToString(out, 0, end);
  } catch (error) {
    throw raised(error, nestedTooDeep(reached));
  } finally {
    if (fields.length > 0) fields.length = 0;
    if (out.length > KEPT_BYTES) useBuffer(new Uint8Array(4096));
  }
}

/** Makes room for so many bytes. */
function reserve(end: number, bytes: number): void {
  if (end + bytes > out.length) grow(end, bytes);
}

function grow(end: number, bytes: number): void {
  const size = Math.max(end + bytes, out.length * 2);
  if (size > KEPT_BYTES) charge(size);
  const larger = new Uint8Array(size);
  larger.set(out.subarray(0, end));
  useBuffer(larger);
}

function useBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  out = buffer;
  outWords = new DataView(buffer.buffer);
}

function writeValue(value: LuaValue, end: number, depth: number): number {
  if (typeof value === 'string') return writeText(value, end);
  if (typeof value === 'number') return writeNumber(value, end);
  if (typeof value === 'boolean') return writeName(value ? 'true' : 'false', end);
  if (value instanceof LuaTable) return writeTable(value, end, depth + 1);
  if (value === NULL_POINTER || value === undefined) return writeName('null', end);
  throw refusal(value, 'type not supported');
}

function refusal(value: LuaValue, reason: string): Refusal {
  return new Refusal(`Cannot serialise ${typeName(value)}: ${reason}`);
}

function nestedTooDeep(depth: number): string {
  return `Cannot serialise, excessive nesting (${depth})`;
}

/** Plain ASCII. */
function writeName(name: string, end: number): number {
  reserve(end, name.length);
  const bytes = out;
  for (let i = 0; i < name.length; i++) bytes[end++] = name.charCodeAt(i);
  return end;
}

function writeText(text: string, from: number): number {
  const { length } = text;
  if (length >= LONG) return writeLong(text, from);
  reserve(from, length * 6 + 2);
  out[from] = QUOTE;
  const end = writeEscaped(text, 0, length, from + 1);
  out[end] = QUOTE;
  return end + 1;
}

function writeEscape(code: number, end: number): number {
  const letter = ESCAPES[code];
  out[end++] = BACKSLASH;
  out[end++] = letter;
  if (letter !== 0x75) return end;
  out[end++] = ZERO;
  out[end++] = ZERO;
  out[end++] = HEX.charCodeAt(code >> 4);
  out[end++] = HEX.charCodeAt(code & 15);
  return end;
}

function writeLong(text: string, from: number): number {
  const { length } = text;
  if (length > 4096) spend(length >>> 3);
  reserve(from, length + 2);
  out[from] = QUOTE;
  const start = from + 1;
  writeString(out, text, start);
  let end = plainUntil(start, start + length);
  // From the first character that needs an escape on, one by one.
  for (let i = end - start; i < length; i += CHUNK) {
    end = writeEscaped(text, i, Math.min(i + CHUNK, length), end);
  }
  reserve(end, 1);
  out[end] = QUOTE;
  return end + 1;
}

function writeEscaped(text: string, from: number, to: number, at: number): number {
  reserve(at, (to - from) * 6);
  const bytes = out;
  let end = at;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (ESCAPES[code] === 0) bytes[end++] = code;
    else end = writeEscape(code, end);
  }
  return end;
}

/** The first byte of the buffer that needs an escape, between these places. */
function plainUntil(start: number, end: number): number {
  const bytes = out;
  const view = outWords;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    // Of four bytes at once: a subtraction borrows from the top bit of those that are too small (below a space,
    // or zero after the comparison by xor), the addition carries into that of 7f. Bytes from 80 on are plain.
    const word = view.getInt32(i, true);
    const tops =
      (word - 0x20202020) |
      (word + 0x01010101) |
      ((word ^ 0x22222222) - 0x01010101) |
      ((word ^ 0x2f2f2f2f) - 0x01010101) |
      ((word ^ 0x5c5c5c5c) - 0x01010101);
    // A neighbour may be to blame: the bytes themselves decide.
    if ((tops & ~word & 0x80808080) !== 0) {
      for (let j = i; j < i + 4; j++) if (ESCAPES[bytes[j]] !== 0) return j;
    }
  }
  while (i < end && ESCAPES[bytes[i]] === 0) i++;
  return i;
}

function writeNumber(n: number, end: number): number {
  if (settings.precision === 14) {
    if ((n | 0) === n) {
      if (n > 0 || (n < 0 && n !== -(2 ** 31))) return writeInteger(n, end);
    } else if (n > 0 && n < 1e9) {
      // Hundredths whose quotient is this very number are how it prints: fewer than fourteen digits.
      const hundredths = Math.round(n * 100);
      if (hundredths / 100 === n) return writeHundredths(hundredths, end);
    } else if (n > 0 && n < 1e14 && Math.floor(n) === n) {
      const high = Math.floor(n / 1e6);
      return writeDigits(n - high * 1e6, 6, writeInteger(high, end));
    }
  }
  return writeName(numberText(n), end);
}

function numberText(n: number): string {
  if (!Number.isFinite(n)) {
    if (settings.encodeInvalid === 0) throw refusal(n, 'must not be NaN or Inf');
    if (settings.encodeInvalid === 2) return 'null';
    if (Number.isNaN(n)) return 'nan';
  }
  return settings.precision === 14 ? formatNumber(n) : formatPrecision(n, settings.precision);
}

/** Not 0 needs no care; not the smallest int. */
function writeInteger(n: number, end: number): number {
  reserve(end, 11);
  let rest = n;
  if (n < 0) {
    out[end++] = MINUS;
    rest = -n;
  }
  let digits = 1;
  for (let bound = 10; digits < 10 && rest >= bound; bound *= 10) digits++;
  return writeDigits(rest, digits, end);
}

function writeDigits(n: number, digits: number, end: number): number {
  reserve(end, digits);
  const bytes = out;
  let rest = n | 0;
  for (let i = end + digits - 1; i >= end; i--) {
    const tenth = (rest / 10) | 0;
    bytes[i] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return end + digits;
}

/** Not a multiple of 100. */
function writeHundredths(n: number, from: number): number {
  const whole = Math.floor(n / 100);
  let end = writeInteger(whole, from);
  reserve(end, 3);
  out[end++] = POINT;
  const fraction = n - whole * 100;
  const tenths = (fraction / 10) | 0;
  out[end++] = ZERO + tenths;
  if (fraction !== tenths * 10) out[end++] = ZERO + fraction - tenths * 10;
  return end;
}

/** `%.{precision}g` of C, for fewer than fourteen digits. */
function formatPrecision(n: number, precision: number): string {
  if (n === 0 || !Number.isFinite(n)) return formatNumber(n);
  const size = Math.abs(n);
  const text = size.toExponential(precision - 1);
  const at = text.indexOf('e');
  const exponent = Number(text.slice(at + 1));
  const digits = toEven(text.slice(0, at), size, precision - 1 - exponent).replace('.', '');
  const sign = n < 0 ? '-' : '';
  if (exponent < -4 || exponent >= precision) {
    const power = Math.abs(exponent);
    const mantissa = withoutZeros(`${digits[0]}.${digits.slice(1)}`);
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${power < 10 ? '0' : ''}${power}`;
  }
  if (exponent < 0) return sign + withoutZeros(`0.${'0'.repeat(-exponent - 1)}${digits}`);
  return sign + withoutZeros(`${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`);
}

function withoutZeros(text: string): string {
  return text.replace(/\.?0*$/, '');
}

function writeTable(table: LuaTable, end: number, depth: number): number {
  if (depth > settings.encodeDepth) throw new Refusal(nestedTooDeep(depth));
  reached = depth;
  const layout = table.array.length === 1 ? table.fields(fields, fieldsEnd) : null;
  if (layout !== null) return writeRecord(layout, table.initialNodes, end, depth);
  const count = elementCount(table);
  return count > 0 ? writeArray(table, count, end, depth) : writeObject(table, end, depth);
}

/** The number of elements to write of an array; 0 or less for an object. */
function elementCount(table: LuaTable): number {
  const { array } = table;
  const keys = table.nodeKeys();
  // Kept as C keeps it, in an int: what is too large becomes the smallest.
  let most = 0;
  let items = 0;
  if (array.length > 1) {
    const border = table.length();
    if (keys.length === 0 && table.dense(array.length - 1) !== null) return array.length - 1;
    if (keys.length === 0 && border > 0 && table.dense(border) !== null) return border;
    for (let i = 1; i < array.length; i++) {
      if (array[i] === undefined) continue;
      most = i;
      items++;
    }
  }
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (table.get(key) === undefined) continue;
    if (typeof key !== 'number' || key < 1 || Math.floor(key) !== key) return -1;
    if (key > most) most = key < 2 ** 31 ? key : -(2 ** 31);
    items++;
  }
  const { sparseRatio } = settings;
  if (sparseRatio > 0 && most > Math.imul(items, sparseRatio) && most > settings.sparseSafe) {
    if (settings.sparseConvert === 0) throw refusal(table, 'excessively sparse array');
    return -1;
  }
  return most;
}

/** Counts work, and charges for it now and then. */
function work(elements: number): void {
  steps += elements * 8;
  if (steps > 4096) {
    const due = steps;
    steps = 0;
    spend(due);
  }
}

/** A table whose fields are those of a layout; their values are the last ones in `fields`. */
function writeRecord(layout: Layout, initialNodes: number, from: number, depth: number): number {
  const walk = layout.walk(initialNodes);
  const base = fieldsEnd;
  fieldsEnd += walk.length;
  const end = writeItems(walk, fields, base, walk.length, from, depth);
  fieldsEnd = base;
  return endObject(from, end);
}

function writeArray(table: LuaTable, count: number, from: number, depth: number): number {
  const { array } = table;
  let items = array;
  if (count >= array.length) {
    // Elements among the nodes, or missing: a sparse array.
    if (count > 4096) charge(count * 8);
    spend(count);
    const all: LuaValue[] = [];
    for (let i = 0; i <= count; i++) all.push(table.get(i));
    items = all;
  }
  const end = writeItems(null, items, 1, count, from, depth);
  reserve(end, 1);
  out[end] = END_ARRAY;
  return end + 1;
}

/**
 * The inside of an array or a record: everything that is frequent stands in one loop, for calls are what is dear
 * here.
 * @param walk the keys of a record, null of an array
 * @param values those of the record by slot, or the elements, from `base` on
 */
function writeItems(
  walk: readonly Layout[] | null,
  values: readonly LuaValue[],
  base: number,
  count: number,
  from: number,
  depth: number,
): number {
  work(count);
  const escapes = ESCAPES;
  let end = from;
  for (let i = 0; i < count; i++) {
    let value: LuaValue;
    let key: JsonKey | null = null;
    if (walk === null) value = values[base + i];
    else {
      const step = walk[i];
      value = values[base + step.slot];
      if (value === undefined) continue;
      key = step.json ?? spell(step, end);
    }
    const text = typeof value === 'string' ? value : '';
    const { length } = text;
    // Of a key, a short string with all of it escaped, or an integer.
    const room = (key === null ? 0 : key.size) + (length < LONG ? length * 6 : 0) + 16;
    if (end + room > out.length) grow(end, room);
    const bytes = out;
    if (key === null) bytes[end] = i === 0 ? BEGIN_ARRAY : COMMA;
    else {
      bytes[end] = end === from ? BEGIN_OBJECT : COMMA;
      const { words, size } = key;
      const view = outWords;
      const last = words.length - 1;
      for (let j = 0; j < last; j++) view.setInt32(end + 1 + j * 4, words[j], true);
      end += size;
      view.setInt32(end - 3, words[last], true);
    }
    end++;
    if (typeof value === 'string' && length < LONG) {
      bytes[end++] = QUOTE;
      for (let j = 0; j < length; j++) {
        const code = text.charCodeAt(j);
        if (escapes[code] === 0) bytes[end++] = code;
        else end = writeEscape(code, end);
      }
      bytes[end++] = QUOTE;
    } else if (typeof value === 'number') end = writeNumber(value, end);
    else if (typeof value === 'boolean') end = writeName(value ? 'true' : 'false', end);
    else end = writeValue(value, end, depth);
  }
  return end;
}

/** Works out how JSON spells the layout's last key; uses the buffer from `at` on. */
function spell(layout: Layout, at: number): JsonKey {
  let end = writeText(layout.key, at);
  reserve(end, 1);
  out[end++] = COLON;
  const size = end - at;
  const words = new Int32Array(Math.ceil(size / 4));
  for (let i = 0; i < words.length; i++) words[i] = outWords.getInt32(Math.min(at + i * 4, end - 4), true);
  layout.json = { size, words };
  return layout.json;
}

function writeObject(table: LuaTable, from: number, depth: number): number {
  const { array } = table;
  const keys = table.nodeKeys();
  let end = from;
  for (let i = 1; i < array.length; i++) {
    if (array[i] !== undefined) end = writeField(i, array[i], from, end, depth);
  }
  for (let i = 0; i < keys.length; i++) {
    const value = table.get(keys[i]);
    if (value !== undefined) end = writeField(keys[i], value, from, end, depth);
  }
  return endObject(from, end);
}

function writeField(key: LuaValue, value: LuaValue, from: number, at: number, depth: number): number {
  work(1);
  reserve(at, 1);
  out[at] = at === from ? BEGIN_OBJECT : COMMA;
  let end = at + 1;
  if (typeof key === 'string') end = writeText(key, end);
  else if (typeof key === 'number') {
    reserve(end, 1);
    out[end] = QUOTE;
    end = writeNumber(key, end + 1);
    reserve(end, 1);
    out[end++] = QUOTE;
  } else throw refusal(key, 'table key must be a number or string');
  reserve(end, 1);
  out[end] = COLON;
  return writeValue(value, end + 1, depth);
}

function endObject(from: number, end: number): number {
  reserve(end, 2);
  if (end === from) out[end++] = BEGIN_OBJECT;
  out[end] = END_OBJECT;
  return end + 1;
}

// ------------------------------------------------------------------------------------------------ decoding

const NEWLINE = 0x0a;
const TAB = 0x09;
const RETURN = 0x0d;
const SPACE = 0x20;
const MANTISSA_DIGITS = 15;

// The text, its bytes with a zero after them (as in C, a zero byte is the end), and where we are.
let source = '';
let bytes = new Uint8Array(4096);
let words = new DataView(bytes.buffer);
let at = 0;
/** The end: the length, or the first zero byte. */
let limit = 0;
/** A backslash, with none between it and where it was looked for. */
let backslash = 0;
let depth = 0;
/** First key of the object that was read last: the likely one of the next in the same place. */
let firstKey: Layout | null = null;
/** Bytes of memory that have not been charged for yet. */
let taken = 0;

function decodeJson(text: string, using: Settings): LuaValue {
  const { length } = text;
  if (length >= 2 && (text.charCodeAt(0) === 0 || text.charCodeAt(1) === 0)) {
    throw fail('JSON parser does not support UTF-16 or UTF-32');
  }
  spend(length >>> 2);
  settings = using;
  source = text;
  const zero = text.indexOf('\0');
  limit = zero < 0 ? length : zero;
  at = 0;
  backslash = -1;
  depth = 0;
  taken = 0;
  try {
    if (length >= bytes.length) {
      if (length > KEPT_BYTES) charge(length);
      bytes = new Uint8Array(length + (length >>> 1) + 1);
      words = new DataView(bytes.buffer);
    }
    writeString(bytes, text, 0);
    bytes[length] = 0;
    const value = readValue(skipSpace());
    if (skipSpace() !== 0) throw unexpected('the end');
    return value;
  } catch (error) {
    throw raised(error, tooManyNested());
  } finally {
    source = '';
    firstKey = null;
    if (bytes.length > KEPT_BYTES) {
      bytes = new Uint8Array(4096);
      words = new DataView(bytes.buffer);
    }
  }
}

/** Answers the character of the next token, and goes there. */
function skipSpace(): number {
  const text = bytes;
  let code = text[at];
  while (code === SPACE || code === NEWLINE || code === RETURN || code === TAB) code = text[++at];
  return code;
}

/** The value that begins with this character. */
function readValue(code: number): LuaValue {
  if (code === QUOTE) return readText('value');
  if (code === BEGIN_OBJECT) return readObject(null);
  if (code === BEGIN_ARRAY) return readArray();
  if ((code >= ZERO && code <= NINE) || code === MINUS) return readNumber(code);
  if (code === 0x74 && follows('true')) return true;
  if (code === 0x66 && follows('false')) return false;
  if (code === 0x6e && follows('null')) return NULL_POINTER;
  return readInvalidNumber();
}

function follows(name: string): boolean {
  for (let i = 1; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false;
  at += name.length;
  return true;
}

function readText(expected: string): string {
  const text = bytes;
  const start = at + 1;
  const soon = start + LONG;
  for (let i = start; i < soon; i++) {
    const code = text[i];
    if (code === QUOTE) {
      at = i + 1;
      return source.slice(start, i);
    }
    if (code === BACKSLASH || code === 0) return readEscapes(start, i, expected);
  }
  return readLong(start, soon, expected);
}

/** A string without an escape before `from`: native code looks for its end. */
function readLong(start: number, from: number, expected: string): string {
  const end = source.indexOf('"', from);
  if (end < 0 || end > limit) return readEscapes(start, from, expected);
  if (backslash < from) {
    const next = source.indexOf('\\', from);
    backslash = next < 0 ? limit : next;
  }
  if (backslash < end) return readEscapes(start, backslash, expected);
  at = end + 1;
  return source.slice(start, end);
}

/** By the letter after a backslash: the character; empty where there is none. */
const UNESCAPED: string[] = new Array(256).fill('');
for (const [letter, char] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  UNESCAPED[letter.charCodeAt(0)] = char;
}

/** A string from its first escape (or zero byte) on. */
function readEscapes(start: number, from: number, expected: string): string {
  const text = bytes;
  let value = '';
  let run = start;
  let i = from;
  for (;;) {
    const code = text[i];
    if (code === QUOTE) {
      at = i + 1;
      return run === i ? value : value + source.slice(run, i);
    }
    if (code === 0) throw unexpected(expected);
    if (code !== BACKSLASH) {
      i++;
      continue;
    }
    if (run < i) value += source.slice(run, i);
    const letter = text[i + 1];
    if (letter === 0x75) {
      const point = codePoint(i);
      if (point < 0) throw unexpected(expected);
      value += utf8(point);
      i += point > 0xffff ? 12 : 6;
    } else {
      const char = UNESCAPED[letter];
      if (char === '') throw unexpected(expected);
      value += char;
      i += 2;
    }
    run = i;
  }
}

/** What \uXXXX, or a pair of them, at `i` stands for; -1 where it is malformed. */
function codePoint(i: number): number {
  const unit = hex4(i + 2);
  if (unit < 0 || (unit & 0xf800) !== 0xd800) return unit;
  if ((unit & 0x400) !== 0 || bytes[i + 6] !== BACKSLASH || bytes[i + 7] !== 0x75) return -1;
  const low = hex4(i + 8);
  if (low < 0 || (low & 0xfc00) !== 0xdc00) return -1;
  return 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
}

function hex4(from: number): number {
  let value = 0;
  for (let i = from; i < from + 4; i++) {
    const digit = hexDigit(bytes[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function utf8(point: number): string {
  if (point < 0x80) return String.fromCharCode(point);
  const last = 0x80 | (point & 0x3f);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), last);
  const third = 0x80 | ((point >> 6) & 0x3f);
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12), third, last);
  return String.fromCharCode(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f), third, last);
}

const POWERS_OF_TEN = [1];
for (let i = 1; i <= MANTISSA_DIGITS; i++) POWERS_OF_TEN.push(POWERS_OF_TEN[i - 1] * 10);

function readNumber(first: number): number {
  const text = bytes;
  const digitsAt = first === MINUS ? at + 1 : at;
  let i = digitsAt;
  let n = 0;
  let code = text[i];
  while (code >= ZERO && code <= NINE) {
    n = n * 10 + (code - ZERO);
    code = text[++i];
  }
  let count = i - digitsAt;
  let decimals = 0;
  if (code === POINT) {
    const point = i;
    code = text[++i];
    while (code >= ZERO && code <= NINE) {
      n = n * 10 + (code - ZERO);
      code = text[++i];
    }
    decimals = i - point - 1;
    count += decimals;
  }
  const letter = code | 0x20;
  if (count === 0 || count > MANTISSA_DIGITS || letter === 0x65 || letter === 0x78) return readOtherNumber();
  if (settings.decodeInvalid === 0 && text[digitsAt] === ZERO && isDigit(text[digitsAt + 1])) {
    throw unexpected('value');
  }
  at = i;
  // Both exact, so that the quotient is the nearest number.
  if (decimals > 0) n /= POWERS_OF_TEN[decimals];
  return first === MINUS ? -n : n;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** What begins like a number: as C's strtod reads it. */
function readOtherNumber(): number {
  if (settings.decodeInvalid === 0 && isInvalidNumber(at)) throw unexpected('value');
  const length = numberLength(at);
  if (length === 0) throw unexpected('value');
  const text = source.slice(at, at + length);
  at += length;
  return parseNumber(text) as number;
}

/** What begins neither like a number of JSON nor like anything else. */
function readInvalidNumber(): number {
  if (settings.decodeInvalid === 0 || !isInvalidNumber(at)) throw unexpected('value');
  return readOtherNumber();
}

/** What is a number for C only. */
const INVALID_NUMBER = /\+|-?(?:0[x0-9]|inf|nan)/iy;
/** What strtod takes for a number. */
const ANY_NUMBER =
  /[-+]?(?:0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[-+]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?|nan(?:\([0-9a-z_]*\))?)/iy;

function isInvalidNumber(from: number): boolean {
  INVALID_NUMBER.lastIndex = from;
  return INVALID_NUMBER.test(source);
}

function numberLength(from: number): number {
  ANY_NUMBER.lastIndex = from;
  return ANY_NUMBER.test(source) ? ANY_NUMBER.lastIndex - from : 0;
}

/** The innermost table is one level deeper. */
function descend(): void {
  if (++depth > settings.decodeDepth) throw new Refusal(tooManyNested());
}

function tooManyNested(): string {
  return `Found too many nested data structures (${depth}) at character ${at + 1}`;
}

/** A table with so many values is about to exist. */
function take(values: number): void {
  taken += 128 + values * 24;
  if (taken > 1 << 16) {
    charge(taken);
    spend(taken >>> 4);
    taken = 0;
  }
}

function readArray(): LuaTable {
  descend();
  const text = bytes;
  let code = text[++at];
  if (code <= SPACE) code = skipSpace();
  const items: LuaValue[] = [undefined];
  if (code === END_ARRAY) {
    at++;
    depth--;
    take(0);
    return new LuaTable();
  }
  let hint: Layout | null = null;
  for (;;) {
    if (code === BEGIN_OBJECT) {
      items.push(readObject(hint));
      hint = firstKey;
    } else items.push(readValue(code));
    code = text[at];
    if (code <= SPACE) code = skipSpace();
    if (code === COMMA) {
      code = text[++at];
      if (code <= SPACE) code = skipSpace();
    } else if (code === END_ARRAY) break;
    else throw unexpected('comma or array end');
  }
  at++;
  depth--;
  // As large as appending makes an array part.
  const count = items.length - 1;
  take(count);
  let size = 1;
  while (size < count) size *= 2;
  for (let i = count; i < size; i++) items.push(undefined);
  return LuaTable.of(items);
}

/** @param hint the layout of its first key, if it is like the object that stood in its place before */
function readObject(hint: Layout | null): LuaTable {
  descend();
  const text = bytes;
  let code = text[++at];
  if (code <= SPACE) code = skipSpace();
  if (code === END_OBJECT) {
    at++;
    depth--;
    take(0);
    return new LuaTable();
  }
  // As long as the keys make a layout, only the values are kept.
  let layout = emptyLayout();
  const values: LuaValue[] = [];
  let table: LuaTable | null = null;
  let first: Layout | null = null;
  let next: Layout | null = hint;
  for (;;) {
    let key = '';
    if (next === null || !reads(next)) {
      if (code !== QUOTE) throw unexpected('object key string');
      key = readText('object key string');
      if (skipSpace() !== COLON) throw unexpected('colon');
      at++;
      next = table === null ? layout.follow(key) : null;
    }
    code = text[at];
    if (code <= SPACE) code = skipSpace();
    let value: LuaValue;
    if (code === BEGIN_OBJECT && next !== null) {
      value = readObject(next.inner);
      next.inner = firstKey;
    } else value = readValue(code);
    if (next !== null) {
      first ??= next;
      layout = next;
      values.push(value);
      next = layout.likely;
    } else {
      table ??= layout.count === 0 ? new LuaTable() : LuaTable.record(layout, values);
      table.set(key, value);
    }
    code = text[at];
    if (code <= SPACE) code = skipSpace();
    if (code === COMMA) {
      code = text[++at];
      if (code <= SPACE) code = skipSpace();
    } else if (code === END_OBJECT) break;
    else throw unexpected('comma or object end');
  }
  at++;
  depth--;
  firstKey = first;
  if (table !== null) return table;
  take(values.length);
  return LuaTable.record(layout, values);
}

/** Whether the layout's last key stands here, with the colon; goes behind it. */
function reads(layout: Layout): boolean {
  const { size, words: expected } = layout.json ?? spell(layout, 0);
  const end = at + size;
  if (end > limit) return false;
  const view = words;
  const last = expected.length - 1;
  for (let i = 0; i < last; i++) if (view.getInt32(at + i * 4, true) !== expected[i]) return false;
  if (view.getInt32(end - 4, true) !== expected[last]) return false;
  at = end;
  return true;
}

// -------------------------------------------------------------------------------------------------- errors

const TOKENS: Record<number, string> = {
  123: 'T_OBJ_BEGIN',
  125: 'T_OBJ_END',
  91: 'T_ARR_BEGIN',
  93: 'T_ARR_END',
  58: 'T_COLON',
  44: 'T_COMMA',
  0: 'T_END',
};

/** The error that the token here is not what was expected. */
function unexpected(expected: string): Refusal {
  const code = bytes[at];
  let index = at;
  let found: string;
  if (code === QUOTE) {
    index = brokenAt(at + 1);
    if (index < 0) found = 'T_STRING';
    else if (bytes[index] === 0) found = 'unexpected end of string';
    else found = bytes[index + 1] === 0x75 ? 'invalid unicode escape code' : 'invalid escape code';
    if (index < 0) index = at;
  } else if (isDigit(code) || code === MINUS) {
    const refused = settings.decodeInvalid === 0 && isInvalidNumber(at);
    found = refused || numberLength(at) === 0 ? 'invalid number' : 'T_NUMBER';
  } else if (code === 0x74 && follows('true')) found = 'T_BOOLEAN';
  else if (code === 0x66 && follows('false')) found = 'T_BOOLEAN';
  else if (code === 0x6e && follows('null')) found = 'T_NULL';
  else if (settings.decodeInvalid !== 0 && isInvalidNumber(at)) {
    found = numberLength(at) === 0 ? 'invalid number' : 'T_NUMBER';
  } else found = TOKENS[code] ?? 'invalid token';
  return new Refusal(`Expected ${expected} but found ${found} at character ${index + 1}`);
}

/** Where a string is malformed (a backslash, or its unexpected end); -1 if it is not. */
function brokenAt(start: number): number {
  for (let i = start; ; i++) {
    const code = bytes[i];
    if (code === QUOTE) return -1;
    if (code === 0) return i;
    if (code !== BACKSLASH) continue;
    const letter = bytes[i + 1];
    if (letter === 0x75) {
      const point = codePoint(i);
      if (point < 0) return i;
      i += point > 0xffff ? 11 : 5;
    } else if (UNESCAPED[letter] === '') return i;
    else i++;
  }
}

// ----------------------------------------------------------------------------------------------- functions

const ON_OFF = ['off', 'on'];
const ON_OFF_NULL = ['off', 'on', 'null'];

/** The value of a setting that is chosen by name, or by true and false. */
function choice(
  value: LuaValue,
  index: number,
  count: number,
  now: number,
  names: readonly string[],
): number {
  if (value === undefined) return now;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const name = checkString(value, index, count);
  const chosen = names.indexOf(name);
  if (chosen < 0) throw badArgument(index, `invalid option '${name}'`);
  return chosen;
}

/** The value of a setting that is an integer. */
function integer(
  value: LuaValue,
  index: number,
  count: number,
  now: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return now;
  const n = checkInt(value, index, count);
  // The original blames the first argument, whichever it is.
  if (n < least || n > most) throw badArgument(1, `expected integer between ${least} and ${most}`);
  return n;
}

function atMost(most: number, count: number): void {
  if (count > most) throw badArgument(most + 1, 'found too many arguments');
}

const INT_MAX = 0x7fffffff;

function functionsOf(own: Settings): Record<string, (...args: never[]) => LuaResult> {
  function encode(value: LuaValue): LuaResult {
    if (arguments.length !== 1) throw badArgument(1, 'expected 1 argument');
    return encodeJson(value, own);
  }
  function decode(text: LuaValue): LuaResult {
    if (arguments.length !== 1) throw badArgument(1, 'expected 1 argument');
    return decodeJson(checkString(text, 1, 1), own);
  }
  function encode_sparse_array(convert: LuaValue, ratio: LuaValue, safe: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(3, count);
    own.sparseConvert = choice(convert, 1, count, own.sparseConvert, ON_OFF);
    own.sparseRatio = integer(ratio, 2, count, own.sparseRatio, 0, INT_MAX);
    own.sparseSafe = integer(safe, 3, count, own.sparseSafe, 0, INT_MAX);
    return [own.sparseConvert === 1, own.sparseRatio, own.sparseSafe];
  }
  function encode_max_depth(most: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.encodeDepth = integer(most, 1, count, own.encodeDepth, 1, INT_MAX);
    return own.encodeDepth;
  }
  function decode_max_depth(most: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.decodeDepth = integer(most, 1, count, own.decodeDepth, 1, INT_MAX);
    return own.decodeDepth;
  }
  function encode_number_precision(digits: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.precision = integer(digits, 1, count, own.precision, 1, 14);
    return own.precision;
  }
  function encode_keep_buffer(keep: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.keepBuffer = choice(keep, 1, count, own.keepBuffer, ON_OFF);
    return own.keepBuffer === 1;
  }
  function encode_invalid_numbers(how: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.encodeInvalid = choice(how, 1, count, own.encodeInvalid, ON_OFF_NULL);
    return own.encodeInvalid === 2 ? 'null' : own.encodeInvalid === 1;
  }
  function decode_invalid_numbers(how: LuaValue): LuaResult {
    const count = arguments.length;
    atMost(1, count);
    own.decodeInvalid = choice(how, 1, count, own.decodeInvalid, ON_OFF);
    return own.decodeInvalid === 1;
  }
  return {
    encode,
    decode,
    encode_sparse_array,
    encode_max_depth,
    decode_max_depth,
    encode_number_precision,
    encode_keep_buffer,
    encode_invalid_numbers,
    decode_invalid_numbers,
    new() {
      return library(own.state);
    },
  };
}

function library(state: LuaState): LuaTable {
  const table = new LuaTable();
  const functions = functionsOf({
    state,
    sparseConvert: 0,
    sparseRatio: 2,
    sparseSafe: 10,
    encodeDepth: 1000,
    decodeDepth: 1000,
    encodeInvalid: 0,
    decodeInvalid: 1,
    precision: 14,
    keepBuffer: 1,
  });
  for (const [name, f] of Object.entries(functions)) table.set(name, native(f));
  table.set('null', NULL_POINTER);
  table.set('_NAME', 'cjson');
  table.set('_VERSION', '2.1.0');
  return table;
}

export function openCjson(state: LuaState): LuaTable {
  return library(state);
}
