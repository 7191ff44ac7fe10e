// Bitmaps: strings seen as bits, and as integers of any width at any bit (BITFIELD). The work on bytes is in
// data/bits.ts; here are arguments, ranges, overflow and effects.
import { byteOf, combineBits, countBits, findBit, invertBits, readBits, writeBits } from '../data/bits.ts';
import { parseInt64 } from '../data/numbers.ts';
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { RawString, type StringValue, stringOf } from '../keyspace/values.ts';
import { writeString } from '../resp/bytes.ts';
import { type Reply, ReplyError } from '../resp/reply.ts';
import { int64, integer } from './args.ts';
import { SYNTAX } from './errors.ts';
import type { Env } from './ports.ts';
import { type Arg, command, keysAt } from './spec.ts';
import { editRawOrCreate } from './strings.ts';

const NOT_A_BIT = new ReplyError('ERR bit is not an integer or out of range');
const BAD_OFFSET = new ReplyError('ERR bit offset is not an integer or out of range');
const BIT_IS_0_OR_1 = new ReplyError('ERR The bit argument must be 1 or 0.');
const NOT_HAS_ONE_SOURCE = new ReplyError('ERR BITOP NOT must be called with a single source key.');
const BAD_TYPE = new ReplyError(
  'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
);
const BAD_OVERFLOW = new ReplyError('ERR Invalid OVERFLOW type specified');
const ONLY_GET = new ReplyError('ERR BITFIELD_RO only supports the GET subcommand');

type BitOperation = 'AND' | 'OR' | 'XOR' | 'NOT';
const OPERATIONS: readonly string[] = ['AND', 'OR', 'XOR', 'NOT'];

export const bitmaps = {
  setbit: command<[key: Arg, offset: number | string, bit: 0 | 1], 0 | 1>({
    arity: 4,
    flags: ['write', 'denyoom'],
    group: 'bitmap',
    since: '2.2.0',
    summary: 'Sets or clears the bit at an offset, growing the string as needed; returns the old bit.',
    complexity: 'O(1)',
    syntax: 'key offset value',
    keys: [keysAt('RW access update')],
    run: (db, args, env) => {
      const offset = bitOffset(args[2], 1, env);
      const bit = integer(args[3], NOT_A_BIT);
      if (bit !== 0 && bit !== 1) throw NOT_A_BIT;
      const at = byteOf(offset);
      const raw = editRawOrCreate(db, args[1], at + 1);
      const grows = at >= raw.length;
      const mask = 0x80 >> (offset & 7);
      const old = grows || (raw.bytes[at] & mask) === 0 ? 0 : 1;
      if (grows || old !== bit) {
        const bytes = raw.grow(at + 1);
        bytes[at] = bit === 1 ? bytes[at] | mask : bytes[at] & ~mask;
        db.signal(args[1], Event.string, 'setbit');
      }
      return old;
    },
  }),
  getbit: command<[key: Arg, offset: number | string], 0 | 1>({
    arity: 3,
    flags: ['readonly', 'fast'],
    group: 'bitmap',
    since: '2.2.0',
    summary: 'Returns the bit at an offset of a string, 0 beyond its end.',
    complexity: 'O(1)',
    syntax: 'key offset',
    keys: [keysAt('RO access')],
    run: (db, args, env) => {
      const offset = bitOffset(args[2], 1, env);
      const value = db.readString(args[1]);
      return value !== undefined && (byteAt(value, byteOf(offset)) & (0x80 >> (offset & 7))) !== 0 ? 1 : 0;
    },
  }),
  bitcount: command<[key: Arg, start?: Arg, end?: Arg, unit?: 'BYTE' | 'BIT'], number>({
    arity: -2,
    flags: ['readonly'],
    group: 'bitmap',
    since: '2.6.0',
    summary: 'Counts the set bits of a string, or of a range of it.',
    complexity: 'O(N)',
    syntax: 'key [start end [BYTE|BIT]]',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const value = db.readString(args[1]);
      // Redis 7.2 looks at the arguments only when there is something to count.
      if (value === undefined) return 0;
      if (args.length === 2) return countRange(bytesOf(value), 0, lengthOf(value) * 8);
      if (args.length !== 4 && args.length !== 5) throw SYNTAX;
      const start = int64(args[2]);
      const end = int64(args[3]);
      if (start < 0 && end < 0 && start > end) return 0;
      const range = bitRange(
        Number(start),
        Number(end),
        args.length === 5 && countsBits(args[4]),
        lengthOf(value),
      );
      return range === null ? 0 : countRange(bytesOf(value), range.start, range.end);
    },
  }),
  bitpos: command<[key: Arg, bit: 0 | 1, start?: Arg, end?: Arg, unit?: 'BYTE' | 'BIT'], number>({
    arity: -3,
    flags: ['readonly'],
    group: 'bitmap',
    since: '2.8.7',
    summary: 'Finds the first set or clear bit of a string, or of a range of it.',
    complexity: 'O(N)',
    syntax: 'key bit [start [end [BYTE|BIT]]]',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const bit = integer(args[2]);
      if (bit !== 0 && bit !== 1) throw BIT_IS_0_OR_1;
      const value = db.readString(args[1]);
      // A missing key is an endless row of zeros.
      if (value === undefined) return bit === 1 ? -1 : 0;
      if (args.length > 6) throw SYNTAX;
      const start = args.length > 3 ? integer(args[3]) : 0;
      const inBits = args.length === 6 && countsBits(args[5]);
      const end = args.length > 4 ? integer(args[4]) : -1;
      const range = bitRange(start, end, inBits, lengthOf(value));
      if (range === null) return -1;
      const found = findBit(bytesOf(value), bit, range.start, range.end);
      // Without an end the string counts as followed by zeros.
      return found < 0 && bit === 0 && args.length < 5 ? range.end : found;
    },
  }),
  bitop: command<[operation: BitOperation, destination: Arg, ...keys: Arg[]], number>({
    arity: -4,
    flags: ['write', 'denyoom'],
    group: 'bitmap',
    since: '2.6.0',
    summary: 'Combines strings bit by bit and stores the result; returns its length in bytes.',
    complexity: 'O(N)',
    syntax: '<AND|OR|XOR|NOT> destkey key [key ...]',
    keys: [keysAt('OW update', 2), keysAt('RO access', 3, -1)],
    run: (db, args) => {
      const operation = args[1].toUpperCase();
      if (!OPERATIONS.includes(operation)) throw SYNTAX;
      if (operation === 'NOT' && args.length !== 4) throw NOT_HAS_ONE_SOURCE;
      const sources: StringValue[] = [];
      let length = 0;
      for (let i = 3; i < args.length; i++) {
        const source = db.readString(args[i]) ?? '';
        sources.push(source);
        length = Math.max(length, lengthOf(source));
      }
      const destination = args[2];
      if (length > 0) {
        db.set(destination, combined(operation as BitOperation, sources, length));
        db.signal(destination, Event.string, 'set');
      } else if (db.remove(destination)) db.signal(destination, Event.generic, 'del');
      return length;
    },
  }),
  bitfield: command<[key: Arg, ...operations: Arg[]], (number | null)[]>({
    arity: -2,
    flags: ['write', 'denyoom'],
    group: 'bitmap',
    since: '3.2.0',
    summary: 'Reads, sets and increments integers of any width at any bit of a string.',
    complexity: 'O(1) for each operation.',
    syntax:
      'key [GET encoding offset | [OVERFLOW <WRAP|SAT|FAIL>] <SET encoding offset value | INCRBY encoding offset increment>] ...',
    keys: [
      {
        ...keysAt('RW access update variable_flags'),
        notes: 'This command allows both access and modification of the key',
      },
    ],
    keyFlags: (args) =>
      args.slice(2).some((arg) => /^(set|incrby)$/i.test(arg))
        ? ['RW', 'access', 'update']
        : ['RO', 'access'],
    run: (db, args, env) => {
      const fields = parseFields(args, env);
      for (const field of fields) if (field.kind !== 'GET') return writeFields(db, args[1], fields);
      return readFields(db, args[1], fields);
    },
  }),
  bitfieldRo: command<[key: Arg, ...operations: Arg[]], number[]>({
    arity: -2,
    flags: ['readonly', 'fast'],
    group: 'bitmap',
    since: '6.0.0',
    summary: 'Reads integers of any width at any bit of a string.',
    complexity: 'O(1) for each operation.',
    syntax: 'key [GET encoding offset [GET encoding offset ...]]',
    keys: [keysAt('RO access')],
    run: (db, args, env) => {
      const fields = parseFields(args, env);
      for (const field of fields) if (field.kind !== 'GET') throw ONLY_GET;
      return readFields(db, args[1], fields);
    },
  }),
};

// ---- arguments and ranges

/**
 * Bit offset of a field that ends within the longest string; `#n` means n times the width (BITFIELD only). Redis
 * lets a field end up to eight bytes behind it; here the limit is also what the runtime can hold.
 */
function bitOffset(arg: string, width: number, env: Env, hash = false): number {
  const scaled = hash && arg.charCodeAt(0) === 0x23;
  const offset = parseInt64(scaled ? arg.slice(1) : arg);
  if (typeof offset !== 'number') throw BAD_OFFSET;
  const bit = scaled ? offset * width : offset;
  if (bit < 0 || bit + width > env.maxBulk * 8) throw BAD_OFFSET;
  return bit;
}

function countsBits(unit: string): boolean {
  const name = unit.toUpperCase();
  if (name !== 'BIT' && name !== 'BYTE') throw SYNTAX;
  return name === 'BIT';
}

/** Bits `[start, end)` of an inclusive range with Redis' negative positions; null when it is empty. */
function bitRange(
  first: number,
  last: number,
  inBits: boolean,
  length: number,
): { start: number; end: number } | null {
  const total = inBits ? length * 8 : length;
  const start = first < 0 ? Math.max(0, first + total) : first;
  let end = last < 0 ? Math.max(0, last + total) : last;
  if (end >= total) end = total - 1;
  if (start > end) return null;
  return inBits ? { start, end: end + 1 } : { start: start * 8, end: (end + 1) * 8 };
}

// ---- bytes of a value

const NO_BYTES = new Uint8Array(0);

function lengthOf(value: StringValue): number {
  return value instanceof RawString ? value.length : stringOf(value).length;
}

function byteAt(value: StringValue, at: number): number {
  if (value instanceof RawString) return at < value.length ? value.bytes[at] : 0;
  const text = stringOf(value);
  return at < text.length ? text.charCodeAt(at) : 0;
}

const SCRATCH_LIMIT = 4 * 1024 * 1024;
let scratch = new Uint8Array(1024);

/** The value's bytes, to be read only and before the next call: strings are copied to the same place. */
function bytesOf(value: StringValue): Uint8Array {
  if (value instanceof RawString) return value.bytes.subarray(0, value.length);
  const text = stringOf(value);
  const { length } = text;
  if (length > scratch.length && length <= SCRATCH_LIMIT) scratch = new Uint8Array(length * 2);
  const bytes = length <= scratch.length ? scratch : new Uint8Array(length);
  writeString(bytes, text, 0);
  return bytes.subarray(0, length);
}

function combined(operation: BitOperation, sources: readonly StringValue[], length: number): RawString {
  const result = new RawString('', length);
  const bytes = result.grow(length);
  bytes.set(bytesOf(sources[0]));
  if (operation === 'NOT') invertBits(bytes);
  else for (let i = 1; i < sources.length; i++) combineBits(operation, bytes, bytesOf(sources[i]));
  return result;
}

/** Set bits among the bits `[start, end)`, whose ends may lie inside a byte. */
function countRange(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return 0;
  const first = byteOf(start);
  const last = byteOf(end - 1);
  let count = countBits(bytes, first, last + 1);
  if ((start & 7) !== 0) count -= onesOf(bytes[first] & ~(0xff >> (start & 7)));
  if ((end & 7) !== 0) count -= onesOf(bytes[last] & (0xff >> (end & 7)));
  return count;
}

function onesOf(byte: number): number {
  return countBits(Uint8Array.of(byte), 0, 1);
}

// ---- BITFIELD

type Overflow = 'WRAP' | 'SAT' | 'FAIL';

interface Field {
  readonly kind: 'GET' | 'SET' | 'INCRBY';
  readonly signed: boolean;
  readonly width: number;
  readonly offset: number;
  /** Of SET and INCRBY. */
  readonly operand: number | bigint;
  readonly overflow: Overflow;
}

function parseFields(args: readonly string[], env: Env): Field[] {
  const fields: Field[] = [];
  let overflow: Overflow = 'WRAP';
  for (let i = 2; i < args.length; ) {
    const kind = args[i].toUpperCase();
    const left = args.length - i - 1;
    if (kind === 'OVERFLOW' && left >= 1) {
      const mode = args[i + 1].toUpperCase();
      if (mode !== 'WRAP' && mode !== 'SAT' && mode !== 'FAIL') throw BAD_OVERFLOW;
      overflow = mode;
      i += 2;
      continue;
    }
    const reads = kind === 'GET' && left >= 2;
    if (!reads && !((kind === 'SET' || kind === 'INCRBY') && left >= 3)) throw SYNTAX;
    const width = fieldWidth(args[i + 1]);
    fields.push({
      kind: kind as Field['kind'],
      signed: args[i + 1].charCodeAt(0) === 0x69,
      width,
      offset: bitOffset(args[i + 2], width, env, true),
      operand: reads ? 0 : int64(args[i + 3]),
      overflow,
    });
    i += reads ? 3 : 4;
  }
  return fields;
}

/** Width of an encoding: `i1` to `i64`, `u1` to `u63`. */
function fieldWidth(encoding: string): number {
  const sign = encoding.charCodeAt(0);
  const width = parseInt64(encoding.slice(1));
  if ((sign !== 0x69 && sign !== 0x75) || typeof width !== 'number') throw BAD_TYPE;
  if (width < 1 || width > (sign === 0x69 ? 64 : 63)) throw BAD_TYPE;
  return width;
}

function readFields(db: Db, key: string, fields: readonly Field[]): Reply {
  const value = db.readString(key);
  const bytes = value === undefined ? NO_BYTES : bytesOf(value);
  return fields.map((field) => readBits(bytes, field.offset, field.width, field.signed));
}

function writeFields(db: Db, key: string, fields: readonly Field[]): Reply {
  let needed = 0;
  for (const { kind, offset, width } of fields) {
    if (kind !== 'GET') needed = Math.max(needed, byteOf(offset + width - 1) + 1);
  }
  const raw = editRawOrCreate(db, key, needed);
  const grows = raw.length < needed;
  raw.grow(needed);
  const bytes = raw.bytes.subarray(0, raw.length);
  const replies: Reply[] = [];
  let changes = 0;
  for (const field of fields) {
    const old = readBits(bytes, field.offset, field.width, field.signed);
    if (field.kind === 'GET') {
      replies.push(old);
      continue;
    }
    const next =
      field.kind === 'SET' ? fitted(setOperand(field), field) : fitted(sum(old, field.operand), field);
    if (next === null) {
      replies.push(null);
      continue;
    }
    replies.push(field.kind === 'SET' ? old : next);
    if (next !== old) writeBits(bytes, field.offset, field.width, next);
    if (grows || next !== old) changes++;
  }
  if (changes > 0) db.signal(key, Event.string, 'setbit');
  // All of them failed, yet the string has grown. Redis tells nobody of that; the log must know.
  else if (grows) db.touch(key);
  return replies;
}

/** What SET stores: to an unsigned field a negative number is the 64-bit pattern, far beyond its range. */
function setOperand({ operand, signed, width, overflow }: Field): number | bigint {
  if (!signed) return operand >= 0 ? operand : BigInt.asUintN(64, BigInt(operand));
  // Redis computes maximum - operand in 64 bits. That overflows for the lowest operands, and they saturate as if
  // they were too high.
  const lowest = typeof operand === 'bigint' && operand < 2n ** BigInt(width - 1) - 2n ** 63n;
  return lowest && overflow === 'SAT' && width < 64 ? -operand : operand;
}

/** The value as it fits a field, by the field's way of overflow; null where it fails. */
function fitted(value: number | bigint, { signed, width, overflow }: Field): number | bigint | null {
  const bits = signed ? width - 1 : width;
  if (bits >= 53 && typeof value === 'number' && (signed || value >= 0)) return value;
  const max = bits < 53 ? 2 ** bits - 1 : exact((1n << BigInt(bits)) - 1n);
  const min = signed ? (bits < 53 ? -(2 ** bits) : exact(-(1n << BigInt(bits)))) : 0;
  if (value >= min && value <= max) return value;
  if (overflow === 'FAIL') return null;
  if (overflow === 'SAT') return value > max ? max : min;
  return exact(signed ? BigInt.asIntN(width, BigInt(value)) : BigInt.asUintN(width, BigInt(value)));
}

function sum(a: number | bigint, b: number | bigint): number | bigint {
  const quick = Number(a) + Number(b);
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(quick)) return quick;
  return exact(BigInt(a) + BigInt(b));
}

/** A number where it is exact, else the bigint: equal values then have one form. */
function exact(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
