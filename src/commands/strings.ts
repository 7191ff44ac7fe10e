// Strings: GET, SET and their kin, counters, ranges. Bitmaps are in bitmaps.ts, LCS in lcs.ts. GET, SET and INCR
// are the server's hot path: they allocate nothing beyond the reply.
import { addLongDouble } from '../data/longdouble.ts';
import { isInt64String, parseInt64 } from '../data/numbers.ts';
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { RawString, type StringValue, stringOf } from '../keyspace/values.ts';
import { bytesToString } from '../resp/bytes.ts';
import { OK, type Reply, ReplyError } from '../resp/reply.ts';
import { int64, integer } from './args.ts';
import {
  invalidExpire,
  NAN_OR_INFINITY,
  NOT_FLOAT,
  NOT_INTEGER,
  OVERFLOW,
  STRING_TOO_LONG,
  SYNTAX,
  wrongArity,
} from './errors.ts';
import type { Env } from './ports.ts';
import { type Arg, command, keysAt } from './spec.ts';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

const DECREMENT_OVERFLOW = new ReplyError('ERR decrement would overflow');
const NEGATIVE_OFFSET = new ReplyError('ERR offset is out of range');

export const strings = {
  get: command<[key: Arg], string | null>({
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Returns the string value of a key.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RO access')],
    run: (db, args) => bulk(db.readString(args[1])),
  }),
  set: command<[key: Arg, value: Arg, ...options: Arg[]], 'OK' | string | null>({
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'string',
    since: '1.0.0',
    summary: 'Sets the string value of a key, whatever it held before.',
    complexity: 'O(1)',
    syntax:
      'key value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]',
    keys: [
      {
        ...keysAt('RW access update variable_flags'),
        notes: 'RW and ACCESS due to the optional `GET` argument',
      },
    ],
    keyFlags: (args) =>
      args.slice(3).some((arg) => arg.toUpperCase() === 'GET')
        ? ['RW', 'access', 'update']
        : ['OW', 'update'],
    run: (db, args, env) => {
      if (args.length > 3) return setWithOptions(db, args, env);
      db.set(args[1], args[2]);
      db.signal(args[1], Event.string, 'set');
      return OK;
    },
  }),
  setnx: command<[key: Arg, value: Arg], 0 | 1>({
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Sets the value of a key only when the key is missing.',
    complexity: 'O(1)',
    syntax: 'key value',
    keys: [keysAt('OW insert')],
    run: (db, args) => {
      if (db.lookupWrite(args[1]) !== undefined) return 0;
      db.set(args[1], args[2]);
      db.signal(args[1], Event.string, 'set');
      return 1;
    },
  }),
  setex: command<[key: Arg, seconds: Arg, value: Arg], 'OK'>({
    arity: 4,
    flags: ['write', 'denyoom'],
    group: 'string',
    since: '2.0.0',
    summary: 'Sets the value of a key and lets it expire after some seconds.',
    complexity: 'O(1)',
    syntax: 'key seconds value',
    keys: [keysAt('OW update')],
    run: (db, args, env) => {
      setUntil(db, args[1], args[3], deadline(db, args[2], 1000, true, 'setex'), env);
      return OK;
    },
  }),
  psetex: command<[key: Arg, milliseconds: Arg, value: Arg], 'OK'>({
    arity: 4,
    flags: ['write', 'denyoom'],
    group: 'string',
    since: '2.6.0',
    summary: 'Sets the value of a key and lets it expire after some milliseconds.',
    complexity: 'O(1)',
    syntax: 'key milliseconds value',
    keys: [keysAt('OW update')],
    run: (db, args, env) => {
      setUntil(db, args[1], args[3], deadline(db, args[2], 1, true, 'psetex'), env);
      return OK;
    },
  }),
  getset: command<[key: Arg, value: Arg], string | null>({
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Sets the value of a key and returns the old one; SET with GET does the same.',
    complexity: 'O(1)',
    syntax: 'key value',
    keys: [keysAt('RW access update')],
    run: (db, args, env) => {
      const old = bulk(db.readString(args[1]));
      db.set(args[1], args[2]);
      db.signal(args[1], Event.string, 'set');
      env.propagate(['SET', args[1], args[2]]);
      return old;
    },
  }),
  getdel: command<[key: Arg], string | null>({
    arity: 2,
    flags: ['write', 'fast'],
    group: 'string',
    since: '6.2.0',
    summary: 'Returns the string value of a key and deletes the key.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RW access delete')],
    run: (db, args, env) => {
      const value = bulk(db.readString(args[1]));
      if (value !== null) remove(db, args[1], env);
      return value;
    },
  }),
  getex: command<[key: Arg, ...options: Arg[]], string | null>({
    arity: -2,
    flags: ['write', 'fast'],
    group: 'string',
    since: '6.2.0',
    summary: 'Returns the string value of a key and sets or clears its time to live.',
    complexity: 'O(1)',
    syntax: 'key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST]',
    keys: [{ ...keysAt('RW access update'), notes: 'RW and UPDATE because it changes the TTL' }],
    run: getAndExpire,
  }),
  mget: command<[...keys: Arg[]], (string | null)[]>({
    arity: -2,
    flags: ['readonly', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Returns the string values of several keys; null for a missing key or another type.',
    complexity: 'O(N) where N is the number of keys to retrieve.',
    syntax: 'key [key ...]',
    keys: [keysAt('RO access', 1, -1)],
    tips: ['request_policy:multi_shard'],
    run: (db, args) => {
      const values: Reply[] = [];
      for (let i = 1; i < args.length; i++) {
        const value = db.lookup(args[i]);
        const isString = typeof value !== 'object' || value instanceof RawString;
        values.push(isString ? bulk(value) : null);
      }
      return values;
    },
  }),
  mset: command<[...pairs: Arg[]], 'OK'>({
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'string',
    since: '1.0.1',
    summary: 'Sets several keys at once.',
    complexity: 'O(N) where N is the number of keys to set.',
    syntax: 'key value [key value ...]',
    keys: [keysAt('OW update', 1, -1, 2)],
    tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
    run: (db, args) => {
      if (args.length % 2 === 0) throw wrongArity('mset');
      setAll(db, args);
      return OK;
    },
  }),
  msetnx: command<[...pairs: Arg[]], 0 | 1>({
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'string',
    since: '1.0.1',
    summary: 'Sets several keys at once, only when all of them are missing.',
    complexity: 'O(N) where N is the number of keys to set.',
    syntax: 'key value [key value ...]',
    keys: [keysAt('OW insert', 1, -1, 2)],
    run: (db, args) => {
      if (args.length % 2 === 0) throw wrongArity('msetnx');
      for (let i = 1; i < args.length; i += 2) if (db.lookupWrite(args[i]) !== undefined) return 0;
      setAll(db, args);
      return 1;
    },
  }),
  incr: command<[key: Arg], number>({
    arity: 2,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Adds one to the integer at a key; a missing key counts as 0.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RW access update')],
    run: (db, args) => increment(db, args[1], 1),
  }),
  decr: command<[key: Arg], number>({
    arity: 2,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Subtracts one from the integer at a key; a missing key counts as 0.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RW access update')],
    run: (db, args) => increment(db, args[1], -1),
  }),
  incrby: command<[key: Arg, increment: number | bigint | string], number>({
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Adds to the integer at a key; a missing key counts as 0.',
    complexity: 'O(1)',
    syntax: 'key increment',
    keys: [keysAt('RW access update')],
    run: (db, args) => increment(db, args[1], int64(args[2])),
  }),
  decrby: command<[key: Arg, decrement: number | bigint | string], number>({
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Subtracts from the integer at a key; a missing key counts as 0.',
    complexity: 'O(1)',
    syntax: 'key decrement',
    keys: [keysAt('RW access update')],
    run: (db, args) => {
      const by = int64(args[2]);
      if (by === INT64_MIN) throw DECREMENT_OVERFLOW;
      return increment(db, args[1], -by);
    },
  }),
  incrbyfloat: command<[key: Arg, increment: number | string], string>({
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '2.6.0',
    summary: 'Adds to the floating point number at a key; a missing key counts as 0.',
    complexity: 'O(1)',
    syntax: 'key increment',
    keys: [keysAt('RW access update')],
    run: (db, args, env) => {
      const old = db.readStringForWrite(args[1]);
      const result = addLongDouble(old === undefined ? '0' : stringOf(old), args[2]);
      if ('error' in result) throw result.error === 'invalid' ? NOT_FLOAT : NAN_OR_INFINITY;
      db.put(args[1], embedded(result.sum));
      db.signal(args[1], Event.string, 'incrbyfloat');
      // The log keeps the result: a reader that rounds differently must not come to another one.
      env.propagate(['SET', args[1], result.sum, 'KEEPTTL']);
      return result.sum;
    },
  }),
  append: command<[key: Arg, value: Arg], number>({
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '2.0.0',
    summary: 'Appends to the string at a key, creates a missing one; returns the new length.',
    complexity: 'O(N) where N is the length of the appended value; the string grows in amortized steps.',
    syntax: 'key value',
    keys: [keysAt('RW insert')],
    run: (db, args, env) => {
      const [, key, tail] = args;
      const old = db.readStringForWrite(key);
      let length = tail.length;
      if (old === undefined) db.put(key, tail);
      else {
        const start = lengthOf(old);
        length += start;
        if (length > env.maxBulk) throw STRING_TOO_LONG;
        db.editRaw(key, length)?.write(tail, start);
      }
      db.signal(key, Event.string, 'append');
      return length;
    },
  }),
  strlen: command<[key: Arg], number>({
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'string',
    since: '2.2.0',
    summary: 'Returns the length of the string at a key, 0 when it is missing.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RO')],
    run: (db, args) => lengthOf(db.readString(args[1])),
  }),
  setrange: command<[key: Arg, offset: Arg, value: Arg], number>({
    arity: 4,
    flags: ['write', 'denyoom'],
    group: 'string',
    since: '2.2.0',
    summary: 'Overwrites part of a string from an offset on, padding with zero bytes; returns the length.',
    complexity: 'O(M) where M is the length of the value.',
    syntax: 'key offset value',
    keys: [keysAt('RW update')],
    run: (db, args, env) => {
      const [, key, , part] = args;
      const offset = integer(args[2]);
      if (offset < 0) throw NEGATIVE_OFFSET;
      const old = db.readStringForWrite(key);
      if (part.length === 0) return lengthOf(old);
      const end = offset + part.length;
      if (end > env.maxBulk) throw STRING_TOO_LONG;
      const raw = editRawOrCreate(db, key, Math.max(end, lengthOf(old)));
      raw.write(part, offset);
      db.signal(key, Event.string, 'setrange');
      return raw.length;
    },
  }),
  getrange: command<[key: Arg, start: Arg, end: Arg], string>({
    arity: 4,
    flags: ['readonly'],
    group: 'string',
    since: '2.4.0',
    summary: 'Returns part of the string at a key; negative positions count from its end.',
    complexity: 'O(N) where N is the length of the returned string.',
    syntax: 'key start end',
    keys: [keysAt('RO access')],
    run: getRange,
  }),
  substr: command<[key: Arg, start: Arg, end: Arg], string>({
    arity: 4,
    flags: ['readonly'],
    group: 'string',
    since: '1.0.0',
    summary: 'The old name of GETRANGE.',
    complexity: 'O(N) where N is the length of the returned string.',
    syntax: 'key start end',
    keys: [keysAt('RO access')],
    run: getRange,
  }),
};

/** A string as the bulk reply, null where it is missing. */
function bulk(value: StringValue | undefined): string | null {
  if (typeof value === 'string') return value;
  return value === undefined ? null : stringOf(value);
}

function lengthOf(value: StringValue | undefined): number {
  if (typeof value === 'string') return value.length;
  if (value === undefined) return 0;
  return typeof value === 'number' ? String(value).length : value.length;
}

// ---- SET and GETEX

/** Options of SET and GETEX as bits. */
const Option = {
  nx: 1,
  xx: 2,
  get: 4,
  keepttl: 8,
  persist: 16,
  ex: 32,
  px: 64,
  exat: 128,
  pxat: 256,
} as const;
const TIMES = Option.ex | Option.px | Option.exat | Option.pxat;
/** At most one of these; the same one may be repeated, and its last value counts. */
const LIFETIMES = TIMES | Option.keepttl | Option.persist;
const OF_SET = Option.nx | Option.xx | Option.get | Option.keepttl | TIMES;
const OF_GETEX = Option.persist | TIMES;

/** By name: the option's bit, and the options that it cannot follow. */
const OPTIONS = new Map<string, { readonly bit: number; readonly excludes: number }>([
  ['NX', { bit: Option.nx, excludes: Option.xx }],
  ['XX', { bit: Option.xx, excludes: Option.nx }],
  ['GET', { bit: Option.get, excludes: 0 }],
  ['KEEPTTL', { bit: Option.keepttl, excludes: LIFETIMES & ~Option.keepttl }],
  ['PERSIST', { bit: Option.persist, excludes: LIFETIMES & ~Option.persist }],
  ['EX', { bit: Option.ex, excludes: LIFETIMES & ~Option.ex }],
  ['PX', { bit: Option.px, excludes: LIFETIMES & ~Option.px }],
  ['EXAT', { bit: Option.exat, excludes: LIFETIMES & ~Option.exat }],
  ['PXAT', { bit: Option.pxat, excludes: LIFETIMES & ~Option.pxat }],
]);

/** The options from an argument on, as bits, and the time that one of them takes ('' without). */
function parseOptions(
  args: readonly string[],
  from: number,
  allowed: number,
): { bits: number; time: string } {
  let bits = 0;
  let time = '';
  for (let i = from; i < args.length; i++) {
    const option = OPTIONS.get(args[i].toUpperCase());
    if (option === undefined || (option.bit & allowed) === 0 || (option.excludes & bits) !== 0) throw SYNTAX;
    bits |= option.bit;
    if ((option.bit & TIMES) !== 0) {
      if (++i === args.length) throw SYNTAX;
      time = args[i];
    }
  }
  return { bits, time };
}

/** Unix ms that an expire option names; exact, as a bigint beyond 2^53. */
function optionDeadline(db: Db, bits: number, time: string, name: string): number | bigint {
  const unit = (bits & (Option.ex | Option.exat)) !== 0 ? 1000 : 1;
  return deadline(db, time, unit, (bits & (Option.ex | Option.px)) !== 0, name);
}

/** Unix ms of a time in units of so many ms, relative to now or absolute; must lie after 0 and within 64 bits. */
function deadline(db: Db, time: string, unit: 1 | 1000, relative: boolean, name: string): number | bigint {
  const n = int64(time);
  if (n <= 0) throw invalidExpire(name);
  const start = relative ? db.space.now() : 0;
  if (typeof n === 'number') {
    const when = n * unit + start;
    if (Number.isSafeInteger(when)) return when;
  }
  const when = BigInt(n) * BigInt(unit) + BigInt(start);
  if (when > INT64_MAX) throw invalidExpire(name);
  return when;
}

function setWithOptions(db: Db, args: readonly string[], env: Env): Reply {
  const [, key, value] = args;
  const { bits, time } = parseOptions(args, 3, OF_SET);
  const when = (bits & TIMES) !== 0 ? optionDeadline(db, bits, time, 'set') : 0;
  const gets = (bits & Option.get) !== 0;
  const old = gets ? bulk(db.readString(key)) : null;
  const exists = db.lookupWrite(key) !== undefined;
  if ((bits & (exists ? Option.nx : Option.xx)) !== 0) return old;
  if ((bits & TIMES) !== 0) setUntil(db, key, value, when, env);
  else {
    if ((bits & Option.keepttl) !== 0) db.put(key, value);
    else db.set(key, value);
    db.signal(key, Event.string, 'set');
    // What GET reads is no effect.
    if (gets) env.propagate(args.filter((arg, i) => i < 3 || arg.toUpperCase() !== 'GET'));
  }
  return gets ? old : OK;
}

/** Sets a key that expires at a time, which the log records as absolute. */
function setUntil(db: Db, key: string, value: string, when: number | bigint, env: Env): void {
  db.set(key, value);
  db.signal(key, Event.string, 'set');
  db.setDeadline(key, Number(when));
  db.signal(key, Event.generic, 'expire');
  env.propagate(['SET', key, value, 'PXAT', String(when)]);
}

function getAndExpire(db: Db, args: readonly string[], env: Env): Reply {
  const key = args[1];
  const { bits, time } = parseOptions(args, 2, OF_GETEX);
  const value = bulk(db.readString(key));
  if (value === null) return null;
  if ((bits & TIMES) !== 0) {
    const when = optionDeadline(db, bits, time, 'getex');
    if (when <= db.space.now()) remove(db, key, env);
    else {
      db.setDeadline(key, Number(when));
      db.signal(key, Event.generic, 'expire');
      env.propagate(['PEXPIREAT', key, String(when)]);
    }
  } else if ((bits & Option.persist) !== 0 && db.deadline(key) > 0) {
    db.setDeadline(key, 0);
    db.signal(key, Event.generic, 'persist');
    env.propagate(['PERSIST', key]);
  }
  return value;
}

function remove(db: Db, key: string, env: Env): void {
  db.remove(key);
  db.signal(key, Event.generic, 'del');
  env.propagate(['DEL', key]);
}

function setAll(db: Db, args: readonly string[]): void {
  for (let i = 1; i < args.length; i += 2) {
    db.set(args[i], args[i + 1]);
    db.signal(args[i], Event.string, 'set');
  }
}

// ---- counters

/** Adds to the integer at a key within 64 bits; the new value is the reply. */
function increment(db: Db, key: string, by: number | bigint): Reply {
  const old = integerAt(db.readStringForWrite(key));
  let sum: number | bigint = Number.NaN;
  if (typeof old === 'number' && typeof by === 'number') sum = old + by;
  if (!Number.isSafeInteger(sum)) {
    sum = BigInt(old) + BigInt(by);
    if (sum > INT64_MAX || sum < INT64_MIN) throw OVERFLOW;
    if (Number.isSafeInteger(Number(sum))) sum = Number(sum);
  }
  // A bigint is stored as its digits: Value holds exact numbers only.
  db.put(key, typeof sum === 'number' ? sum : String(sum));
  db.signal(key, Event.string, 'incrby');
  return sum;
}

// Redis leaves the digits of INCRBYFLOAT as they are: an integer among them does not count as `int`.
function embedded(sum: string): StringValue {
  if (!isInt64String(sum)) return sum;
  const raw = new RawString(sum);
  raw.embedded = true;
  return raw;
}

function integerAt(value: StringValue | undefined): number | bigint {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const n = parseInt64(typeof value === 'string' ? value : stringOf(value));
  if (n === null) throw NOT_INTEGER;
  return n;
}

// ---- ranges

/** The string at a key for changes in place, created empty where it is missing; `room` bytes are expected. */
export function editRawOrCreate(db: Db, key: string, room: number): RawString {
  const raw = db.editRaw(key, room);
  if (raw !== undefined) {
    // Redis makes the string raw before it looks whether anything changes.
    raw.embedded = false;
    return raw;
  }
  const fresh = new RawString('', room);
  db.put(key, fresh);
  return fresh;
}

function getRange(db: Db, args: readonly string[]): Reply {
  const first = int64(args[2]);
  const last = int64(args[3]);
  const value = db.readString(args[1]);
  if (value === undefined) return '';
  if (first < 0 && last < 0 && first > last) return '';
  const length = lengthOf(value);
  const start = first < 0 ? Math.max(0, Number(first) + length) : Number(first);
  const end = last < 0 ? Math.max(0, Number(last) + length) : Math.min(Number(last), length - 1);
  if (start > end || length === 0) return '';
  if (value instanceof RawString) return bytesToString(value.bytes, start, end + 1);
  return stringOf(value).slice(start, end + 1);
}
