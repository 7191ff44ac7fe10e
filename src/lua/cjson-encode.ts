// cjson.encode: JSON of Lua values, written into one buffer of bytes. lib-cjson.ts is the caller; cjson-decode.ts
// asks how a key is spelt, to know it again.
import { bytesToString, writeString } from '../resp/bytes.ts';
import { KEPT_BYTES, LONG, Refusal, raised, type Settings } from './cjson-settings.ts';
import type { JsonKey, Layout } from './layout.ts';
import { formatNumber, formatPrecision } from './number.ts';
import { charge, spend } from './state.ts';
import { LuaTable } from './table.ts';
import { type LuaValue, NULL_POINTER, typeName } from './value.ts';

// Here as well as in cjson-decode.ts: in these loops, constants that are imported cost a tenth of the time.
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

/** By character: 0 where it stands for itself, `u` where it becomes \u00XX, else the letter after a backslash. */
const ESCAPES = new Uint8Array(256);
ESCAPES.fill(0x75, 0, 0x20);
ESCAPES[0x7f] = 0x75;
for (const [char, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '//', '\\\\']) {
  ESCAPES[char.charCodeAt(0)] = letter.charCodeAt(0);
}
const HEX = '0123456789abcdef';

/** Characters of which each may become six without much ado. */
const CHUNK = 1024;

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

/** JSON of a value, by these settings. */
export function encodeJson(value: LuaValue, using: Settings): string {
  settings = using;
  fieldsEnd = 0;
  steps = 0;
  try {
    const end = writeValue(value, 0, 0);
    if (steps > 64) spend(steps);
    return bytesToString(out, 0, end);
  } catch (error) {
    throw raised(error, nestedTooDeep(reached), using.state);
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
export function spell(layout: Layout, at: number): JsonKey {
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
