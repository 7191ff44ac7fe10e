// The library cmsgpack (lua-cmsgpack 0.4.0 as Redis ships it): MessagePack from and to Lua values. index.ts
// opens it.
import { bytesToString, writeString } from '../resp/bytes.ts';
import { checkInteger, checkString, optionalInteger } from './arguments.ts';
import { badArgument, fail } from './errors.ts';
import { emptyLayout, type Layout } from './layout.ts';
import { charge, type LuaState, spend } from './state.ts';
import { LuaTable } from './table.ts';
import { type LuaResult, type LuaValue, native } from './value.ts';

const float = new DataView(new ArrayBuffer(8));

// ------------------------------------------------------------------------------------------------ packing

/** Tables nested deeper become nil. */
const MOST_NESTED = 16;
/** A buffer beyond this is given back after the call. */
const KEPT_BYTES = 1 << 16;

let out = new Uint8Array(1024);
let end = 0;

function pack(): string {
  const count = arguments.length;
  if (count === 0) throw badArgument(0, 'MessagePack pack needs input.');
  end = 0;
  for (let i = 0; i < count; i++) packValue(arguments[i], 0);
  const packed = bytesToString(out, 0, end);
  if (out.length > KEPT_BYTES) out = new Uint8Array(1024);
  return packed;
}

/** Makes room for so many bytes after {@link end}. */
function reserve(bytes: number): void {
  if (end + bytes <= out.length) return;
  const size = Math.max(end + bytes, out.length * 2);
  if (size > KEPT_BYTES) charge(size);
  const larger = new Uint8Array(size);
  larger.set(out.subarray(0, end));
  out = larger;
}

function packValue(value: LuaValue, level: number): void {
  reserve(9);
  switch (typeof value) {
    case 'string':
      packString(value);
      return;
    case 'number':
      packNumber(value);
      return;
    case 'boolean':
      out[end++] = value ? 0xc3 : 0xc2;
      return;
    case 'object':
      if (value instanceof LuaTable && level < MOST_NESTED) {
        packTable(value, level + 1);
        return;
      }
  }
  // Functions, threads and what cjson.null is become nil.
  out[end++] = 0xc0;
}

function packString(text: string): void {
  const { length } = text;
  if (length < 32) out[end++] = 0xa0 | length;
  else if (length <= 0xff) {
    out[end++] = 0xd9;
    out[end++] = length;
  } else header(0xda, length);
  reserve(length);
  if (length > 4096) spend(length >>> 4);
  writeString(out, text, end);
  end += length;
}

/** A type's byte and a length of 16 bits, or the next type's with 32. */
function header(type: number, length: number): void {
  if (length <= 0xffff) out[end++] = type;
  else {
    out[end++] = type + 1;
    out[end++] = length >>> 24;
    out[end++] = length >>> 16;
  }
  out[end++] = length >>> 8;
  out[end++] = length;
}

function packNumber(n: number): void {
  if (Number.isInteger(n) && n >= -(2 ** 63) && n < 2 ** 63) packInteger(n);
  else if (Math.fround(n) === n) {
    out[end++] = 0xca;
    float.setFloat32(0, n);
    for (let i = 0; i < 4; i++) out[end++] = float.getUint8(i);
  } else {
    out[end++] = 0xcb;
    float.setFloat64(0, n);
    // NaN is negative on x86-64.
    if (Number.isNaN(n)) float.setUint8(0, 0xff);
    for (let i = 0; i < 8; i++) out[end++] = float.getUint8(i);
  }
}

function packInteger(n: number): void {
  if (n >= 0) {
    if (n <= 0x7f) {
      out[end++] = n;
      return;
    }
    if (n <= 0xff) {
      out[end++] = 0xcc;
      out[end++] = n;
      return;
    }
    if (n <= 0xffffffff) {
      header(0xcd, n);
      return;
    }
    out[end++] = 0xcf;
  } else if (n >= -32) {
    out[end++] = n;
    return;
  } else if (n >= -128) {
    out[end++] = 0xd0;
    out[end++] = n;
    return;
  } else if (n >= -32768) {
    out[end++] = 0xd1;
    out[end++] = n >> 8;
    out[end++] = n;
    return;
  } else if (n >= -(2 ** 31)) {
    out[end++] = 0xd2;
    word(n);
    return;
  } else out[end++] = 0xd3;
  const high = Math.floor(n / 2 ** 32);
  word(high);
  word(n - high * 2 ** 32);
}

function word(n: number): void {
  out[end++] = n >>> 24;
  out[end++] = n >>> 16;
  out[end++] = n >>> 8;
  out[end++] = n;
}

function packTable(table: LuaTable, level: number): void {
  const { array } = table;
  const keys = table.nodeKeys();
  spend(array.length + keys.length);
  const count = elementCount(table, array, keys);
  if (count >= 0) {
    if (count <= 15) out[end++] = 0x90 | count;
    else header(0xdc, count);
    for (let i = 1; i <= count; i++) packValue(i < array.length ? array[i] : table.get(i), level);
    return;
  }
  let pairs = 0;
  for (let i = 1; i < array.length; i++) if (array[i] !== undefined) pairs++;
  for (let i = 0; i < keys.length; i++) if (table.get(keys[i]) !== undefined) pairs++;
  if (pairs <= 15) out[end++] = 0x80 | pairs;
  else header(0xde, pairs);
  for (let i = 1; i < array.length; i++) {
    if (array[i] === undefined) continue;
    packValue(i, level);
    packValue(array[i], level);
  }
  for (let i = 0; i < keys.length; i++) {
    const value = table.get(keys[i]);
    if (value === undefined) continue;
    packValue(keys[i], level);
    packValue(value, level);
  }
}

/** The number of elements of a table that has elements 1 to n and nothing else; -1 of others. */
function elementCount(table: LuaTable, array: readonly LuaValue[], keys: readonly LuaValue[]): number {
  let count = 0;
  let most = 0;
  for (let i = 1; i < array.length; i++) {
    if (array[i] === undefined) continue;
    count++;
    most = i;
  }
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (table.get(key) === undefined) continue;
    if (typeof key !== 'number' || key <= 0 || (key | 0) !== key) return -1;
    if (key > most) most = key;
    count++;
  }
  return most === count ? count : -1;
}

// ---------------------------------------------------------------------------------------------- unpacking

/** Lua's limit of values on a C function's stack, which bounds both nesting and the number of results. */
const MOST_VALUES = 8000;
const TOO_MANY = 'too many return values at once; use unpack_one or unpack_limit instead.';

const NOTHING_YET: LuaValue[] = [];

/** A table that is being unpacked. */
class Frame {
  /** Values, or keys and values, that are still to come. */
  left = 0;
  isMap = false;
  /** Elements as long as none is nil; index 0 is unused. */
  items: LuaValue[] = NOTHING_YET;
  /** Fields as long as their keys make a layout. */
  layout: Layout = emptyLayout();
  values: LuaValue[] = NOTHING_YET;
  /** The table where it is neither. */
  table: LuaTable | null = null;
  hasKey = false;
  key: LuaValue = undefined;

  begin(isMap: boolean, length: number): void {
    this.isMap = isMap;
    this.left = isMap ? length * 2 : length;
    this.table = null;
    this.hasKey = false;
    if (isMap) {
      this.layout = emptyLayout();
      this.values = [];
    } else this.items = [undefined];
  }

  add(value: LuaValue): void {
    this.left--;
    if (!this.isMap) {
      if (value !== undefined && this.table === null) this.items.push(value);
      else this.element(value);
    } else if (this.hasKey) {
      this.hasKey = false;
      this.field(this.key, value);
    } else {
      this.hasKey = true;
      this.key = value;
    }
  }

  // An array with nil in it: its parts take the sizes that single assignments give them.
  private element(value: LuaValue): void {
    const { items } = this;
    let { table } = this;
    if (table === null) {
      this.table = table = new LuaTable();
      for (let i = 1; i < items.length; i++) table.rawSet(i, items[i]);
    }
    table.rawSet(items.length, value);
    items.push(value);
  }

  private field(key: LuaValue, value: LuaValue): void {
    const { layout } = this;
    let { table } = this;
    if (table === null) {
      const next = typeof key === 'string' && value !== undefined ? layout.follow(key) : null;
      if (next !== null) {
        this.layout = next;
        this.values.push(value);
        return;
      }
      this.table = table = layout.count === 0 ? new LuaTable() : LuaTable.record(layout, this.values);
    }
    table.rawSet(key, value);
  }

  finish(): LuaTable {
    const { table, items, layout, values } = this;
    this.table = null;
    this.key = undefined;
    this.items = NOTHING_YET;
    this.values = NOTHING_YET;
    if (table !== null) return table;
    if (this.isMap) return layout.count === 0 ? new LuaTable() : LuaTable.record(layout, values);
    if (items.length === 1) return new LuaTable();
    // As large as appending makes an array part.
    let size = 1;
    while (size < items.length - 1) size *= 2;
    if (size > 4096) charge(size * 8);
    while (items.length <= size) items.push(undefined);
    return LuaTable.of(items);
  }
}

let source = '';
let at = 0;
let limit = 0;
const frames: Frame[] = [];

/** Unpacks one value; `used` places of the stack are taken. */
function unpackValue(used: number): LuaValue {
  let depth = 0;
  let steps = 0;
  for (;;) {
    need(1);
    if (used >= MOST_VALUES) throw fail(`stack overflow (${TOO_MANY})`);
    const type = source.charCodeAt(at);
    const length = containerLength(type);
    let value: LuaValue;
    if (length < 0) value = unpackScalar(type);
    else {
      const isMap = type < 0x90 || type >= 0xde;
      used++;
      if (!isMap && used >= MOST_VALUES) throw fail('stack overflow (in function mp_decode_to_lua_array)');
      if (frames.length === depth) frames.push(new Frame());
      const frame = frames[depth++];
      frame.begin(isMap, length);
      if (length > 0) {
        // An array's index is on the stack while its element is unpacked.
        if (!isMap) used++;
        continue;
      }
      depth--;
      used--;
      value = frame.finish();
    }
    // Into the innermost table; where that is complete, it is the next value.
    for (;;) {
      if (depth === 0) return value;
      const frame = frames[depth - 1];
      frame.add(value);
      if (++steps === 1024) {
        spend(steps * 8);
        steps = 0;
      }
      if (frame.left > 0) {
        if (frame.isMap) used += frame.hasKey ? 1 : -1;
        break;
      }
      value = frame.finish();
      depth--;
      used -= 2;
    }
  }
}

/** @throws LuaError where fewer bytes are left */
function need(bytes: number): void {
  if (limit - at < bytes) throw fail('Missing bytes in input.');
}

/** Elements or pairs of the table that begins with this byte (the header is consumed); -1 for no table. */
function containerLength(type: number): number {
  if (type >= 0x80 && type <= 0x9f) {
    at++;
    return type & 0xf;
  }
  if (type < 0xdc || type > 0xdf) return -1;
  const wide = (type & 1) !== 0;
  need(wide ? 5 : 3);
  const length = wide ? uint32(at + 1) : uint16(at + 1);
  at += wide ? 5 : 3;
  return length;
}

function unpackScalar(type: number): LuaValue {
  if (type < 0x80) {
    at++;
    return type;
  }
  if (type >= 0xe0) {
    at++;
    return type - 0x100;
  }
  if (type <= 0xbf) return unpackString(1, type & 0x1f);
  switch (type) {
    case 0xc0:
      at++;
      return undefined;
    case 0xc2:
    case 0xc3:
      at++;
      return type === 0xc3;
    case 0xcc:
    case 0xd0: {
      need(2);
      const byte = source.charCodeAt(at + 1);
      at += 2;
      return type === 0xcc ? byte : (byte << 24) >> 24;
    }
    case 0xcd:
    case 0xd1: {
      need(3);
      const n = uint16(at + 1);
      at += 3;
      return type === 0xcd ? n : (n << 16) >> 16;
    }
    case 0xce:
    case 0xd2: {
      need(5);
      const n = uint32(at + 1);
      at += 5;
      return type === 0xce ? n : n | 0;
    }
    case 0xcf:
    case 0xd3: {
      // Both are taken for signed.
      need(9);
      const n = (uint32(at + 1) | 0) * 2 ** 32 + uint32(at + 5);
      at += 9;
      return n;
    }
    case 0xca:
      need(5);
      float.setUint32(0, uint32(at + 1));
      at += 5;
      return float.getFloat32(0);
    case 0xcb:
      need(9);
      float.setUint32(0, uint32(at + 1));
      float.setUint32(4, uint32(at + 5));
      at += 9;
      return float.getFloat64(0);
    case 0xd9:
      need(2);
      return unpackString(2, source.charCodeAt(at + 1));
    case 0xda:
      need(3);
      return unpackString(3, uint16(at + 1));
    case 0xdb:
      need(5);
      return unpackString(5, uint32(at + 1));
    default:
      throw fail('Bad data format in input.');
  }
}

function unpackString(header: number, length: number): string {
  need(header + length);
  const start = at + header;
  at = start + length;
  return source.slice(start, at);
}

function uint16(from: number): number {
  return (source.charCodeAt(from) << 8) | source.charCodeAt(from + 1);
}

function uint32(from: number): number {
  return uint16(from) * 0x10000 + uint16(from + 2);
}

/** @param taken arguments that are on the stack while values are unpacked */
function unpackAll(text: string, most: number, offset: number, taken: number): LuaResult {
  const { length } = text;
  if (offset < 0 || most < 0) {
    // The original prints the length for the limit.
    throw fail(`Invalid request to unpack with offset of ${int(offset)} and limit of ${length}.`);
  }
  if (offset > length) throw fail(`Start offset ${int(offset)} greater than input length ${length}.`);
  const everything = most === 0 && offset === 0;
  const values: LuaValue[] = everything ? [] : [0];
  source = text;
  at = offset;
  limit = length;
  const count = everything ? Number.POSITIVE_INFINITY : most;
  for (let i = 0; i < count && at < length; i++) values.push(unpackValue(taken + i));
  source = '';
  if (everything) return values;
  if (taken + values.length - 1 >= MOST_VALUES) throw fail('stack overflow (in function mp_unpack_full)');
  values[0] = at === length ? -1 : at;
  return values;
}

/** As C prints an integer of 64 bits with `%d`. */
function int(n: number): number {
  return Number.isSafeInteger(n) ? n | 0 : Number(BigInt.asIntN(32, BigInt(n)));
}

function unpack(text: LuaValue): LuaResult {
  const count = arguments.length;
  return unpackAll(checkString(text, 1, count), 0, 0, count);
}

function unpack_one(text: LuaValue, from: LuaValue): LuaResult {
  const count = arguments.length;
  const offset = optionalInteger(from, 2, count, 0);
  return unpackAll(checkString(text, 1, count), 1, offset, 1);
}

function unpack_limit(text: LuaValue, most: LuaValue, from: LuaValue): LuaResult {
  const count = arguments.length;
  const limit = checkInteger(most, 2, count);
  const offset = optionalInteger(from, 3, count, 0);
  return unpackAll(checkString(text, 1, count), limit, offset, 1);
}

export function openCmsgpack(_state: LuaState): LuaTable {
  const table = new LuaTable();
  const all = { pack, unpack, unpack_one, unpack_limit };
  for (const [name, f] of Object.entries(all)) table.set(name, native(f));
  table.set('_NAME', 'cmsgpack');
  table.set('_VERSION', 'lua-cmsgpack 0.4.0');
  table.set('_COPYRIGHT', 'Copyright (C) 2012, Salvatore Sanfilippo');
  table.set('_DESCRIPTION', 'MessagePack C implementation for Lua');
  return table;
}
