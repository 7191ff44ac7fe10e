// Strings: GET, SET and their kin, counters, ranges, LCS. Bitmaps are in bitmaps.ts.
import { Event } from '../keyspace/events.ts';
import type { Db } from '../keyspace/db.ts';
import { type StringValue, stringOf } from '../keyspace/values.ts';
import { parseInt64 } from '../data/numbers.ts';
import { OK, type Reply } from '../resp/reply.ts';
import { int64 } from './args.ts';
import { NOT_INTEGER, OVERFLOW } from './errors.ts';
import { type Arg, command, keysAt } from './spec.ts';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

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
    run: (db, args) => {
      const value = db.readString(args[1]);
      return value === undefined ? null : typeof value === 'string' ? value : stringOf(value);
    },
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
    keys: [keysAt('RW access update variable_flags')],
    run: (db, args) => {
      db.set(args[1], args[2]);
      db.signal(args[1], Event.string, 'set');
      return OK;
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
  decrby: command<[key: Arg, decrement: number | bigint | string], number>({
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'string',
    since: '1.0.0',
    summary: 'Subtracts from the integer at a key; a missing key counts as 0.',
    complexity: 'O(1)',
    syntax: 'key decrement',
    keys: [keysAt('RW access update')],
    run: (db, args) => increment(db, args[1], -int64(args[2])),
  }),
};

/** Adds to the integer at a key within 64 bits; the new value is the reply. */
function increment(db: Db, key: string, by: number | bigint): Reply {
  const old = integerAt(db.readStringForWrite(key));
  let sum: number | bigint = NaN;
  if (typeof old === 'number' && typeof by === 'number') sum = old + by;
  if (!Number.isSafeInteger(sum)) {
    const exact = BigInt(old) + BigInt(by);
    if (exact > INT64_MAX || exact < INT64_MIN) throw OVERFLOW;
    sum = exact;
  }
  // A bigint is stored as its digits: Value holds exact numbers only.
  db.put(key, typeof sum === 'number' ? sum : String(sum));
  db.signal(key, Event.string, 'incrby');
  return sum;
}

function integerAt(value: StringValue | undefined): number | bigint {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const n = parseInt64(typeof value === 'string' ? value : stringOf(value));
  if (n === null) throw NOT_INTEGER;
  return n;
}
