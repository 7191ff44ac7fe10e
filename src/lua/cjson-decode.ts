// cjson.decode: Lua values from JSON. One pass over the bytes of the text; objects follow the layouts of those
// before. lib-cjson.ts is the caller.
import { writeString } from '../resp/bytes.ts';
import { spell } from './cjson-encode.ts';
import { KEPT_BYTES, LONG, Refusal, raised, type Settings } from './cjson-settings.ts';
import { fail } from './errors.ts';
import { emptyLayout, type Layout } from './layout.ts';
import { parseNumber } from './number.ts';
import { charge, spend } from './state.ts';
import { LuaTable } from './table.ts';
import { type LuaValue, NULL_POINTER } from './value.ts';

// Here as well as in cjson-encode.ts: in these loops, constants that are imported cost a tenth of the time.
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
let settings: Settings;
/** First key of the object that was read last: the likely one of the next in the same place. */
let firstKey: Layout | null = null;
/** Bytes of memory that have not been charged for yet. */
let taken = 0;

/** The value that a text of JSON stands for, by these settings. */
export function decodeJson(text: string, using: Settings): LuaValue {
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
    throw raised(error, tooManyNested(), using.state);
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
