// Hashes: HSET, HGET and their kin, counters, random fields, HSCAN.
import { addLongDouble, parseLongDouble } from '../data/longdouble.ts';
import { parseDouble, parseInt64 } from '../data/numbers.ts';
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { HashValue } from '../keyspace/hash-value.ts';
import { EMPTY, MapReply, OK, type Reply, ReplyError } from '../resp/reply.ts';
import { int64 } from './args.ts';
import { NAN_OR_INFINITY, NOT_FLOAT, OUT_OF_RANGE, OVERFLOW, SYNTAX, wrongArity } from './errors.ts';
import type { Env } from './ports.ts';
import { randomCount, samplePositions } from './sample.ts';
import { parseScan, scanCursor, scanMatches, scanReply } from './scan.ts';
import { type Arg, command, keysAt } from './spec.ts';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

const HASH_NOT_INTEGER = new ReplyError('ERR hash value is not an integer');
const HASH_NOT_FLOAT = new ReplyError('ERR hash value is not a float');
const INCREMENT_NOT_FINITE = new ReplyError('ERR value is NaN or Infinity');

/** Half of the largest count: WITHVALUES answers two elements for each. */
const MAX_PAIRS = 4611686018427387903n;

export const hashes = {
  hset: command<[key: Arg, field: Arg, value: Arg, ...fieldsAndValues: Arg[]], number>({
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Sets fields of a hash, creating it where it is missing; answers how many fields are new.',
    complexity: 'O(N) with the number of fields given',
    syntax: 'key field value [field value ...]',
    keys: [keysAt('RW update')],
    run: (db, args) => setFields(db, args, 'hset'),
  }),
  hmset: command<[key: Arg, field: Arg, value: Arg, ...fieldsAndValues: Arg[]], 'OK'>({
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Sets fields of a hash; HSET does the same and says more.',
    complexity: 'O(N) with the number of fields given',
    syntax: 'key field value [field value ...]',
    keys: [keysAt('RW update')],
    run: (db, args) => {
      setFields(db, args, 'hmset');
      return OK;
    },
  }),
  hsetnx: command<[key: Arg, field: Arg, value: Arg], number>({
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Sets a field of a hash unless it is there.',
    complexity: 'O(1)',
    syntax: 'key field value',
    keys: [keysAt('RW insert')],
    run: (db, args) => {
      const hash = db.editOrCreate(args[1], HashValue);
      if (hash.has(args[2])) return 0;
      hash.set(args[2], args[3], db.space.limits);
      db.changed(args[1], hash, Event.hash, 'hset');
      return 1;
    },
  }),
  hget: command<[key: Arg, field: Arg], string | null>({
    arity: 3,
    flags: ['readonly', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Returns the value of a field.',
    complexity: 'O(1)',
    syntax: 'key field',
    keys: [keysAt('RO access')],
    run: (db, args) => db.read(args[1], HashValue)?.get(args[2]) ?? null,
  }),
  hmget: command<[key: Arg, ...fields: Arg[]], (string | null)[]>({
    arity: -3,
    flags: ['readonly', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Returns the values of several fields.',
    complexity: 'O(N) with the number of fields asked for',
    syntax: 'key field [field ...]',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const hash = db.read(args[1], HashValue);
      const values: Reply[] = [];
      for (let i = 2; i < args.length; i++) values.push(hash?.get(args[i]) ?? null);
      return values;
    },
  }),
  hgetall: command<[key: Arg], Record<string, string>>({
    arity: 2,
    flags: ['readonly'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Returns all fields and values of a hash.',
    complexity: 'O(N) with the size of the hash',
    syntax: 'key',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output_order'],
    run: (db, args) => {
      const items: Reply[] = [];
      const hash = db.read(args[1], HashValue);
      for (let i = 0, n = hash?.size ?? 0; i < n; i++) items.push(hash!.fieldAt(i), hash!.valueAt(i));
      return new MapReply(items);
    },
  }),
  hdel: command<[key: Arg, ...fields: Arg[]], number>({
    arity: -3,
    flags: ['write', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Removes fields of a hash, and the hash with its last one; answers how many were there.',
    complexity: 'O(N) with the number of fields given',
    syntax: 'key field [field ...]',
    keys: [keysAt('RW delete')],
    run: (db, args) => {
      const hash = db.edit(args[1], HashValue);
      if (hash === undefined) return 0;
      let removed = 0;
      for (let i = 2; i < args.length; i++) if (hash.delete(args[i])) removed++;
      if (removed > 0) db.changed(args[1], hash, Event.hash, 'hdel');
      return removed;
    },
  }),
  hlen: command<[key: Arg], number>({
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Returns how many fields a hash has.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RO')],
    run: (db, args) => db.read(args[1], HashValue)?.size ?? 0,
  }),
  hstrlen: command<[key: Arg, field: Arg], number>({
    arity: 3,
    flags: ['readonly', 'fast'],
    group: 'hash',
    since: '3.2.0',
    summary: 'Returns the length in bytes of the value of a field.',
    complexity: 'O(1)',
    syntax: 'key field',
    keys: [keysAt('RO')],
    run: (db, args) => db.read(args[1], HashValue)?.get(args[2])?.length ?? 0,
  }),
  hexists: command<[key: Arg, field: Arg], number>({
    arity: 3,
    flags: ['readonly', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Tells whether a hash has a field.',
    complexity: 'O(1)',
    syntax: 'key field',
    keys: [keysAt('RO')],
    run: (db, args) => (db.read(args[1], HashValue)?.has(args[2]) ? 1 : 0),
  }),
  hkeys: command<[key: Arg], string[]>({
    arity: 2,
    flags: ['readonly'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Returns all fields of a hash.',
    complexity: 'O(N) with the size of the hash',
    syntax: 'key',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output_order'],
    run: (db, args) => {
      const fields: Reply[] = [];
      const hash = db.read(args[1], HashValue);
      for (let i = 0, n = hash?.size ?? 0; i < n; i++) fields.push(hash!.fieldAt(i));
      return fields;
    },
  }),
  hvals: command<[key: Arg], string[]>({
    arity: 2,
    flags: ['readonly'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Returns all values of a hash.',
    complexity: 'O(N) with the size of the hash',
    syntax: 'key',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output_order'],
    run: (db, args) => {
      const values: Reply[] = [];
      const hash = db.read(args[1], HashValue);
      for (let i = 0, n = hash?.size ?? 0; i < n; i++) values.push(hash!.valueAt(i));
      return values;
    },
  }),
  hincrby: command<[key: Arg, field: Arg, increment: number | bigint | string], number>({
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    group: 'hash',
    since: '2.0.0',
    summary: 'Adds to the integer of a field; a missing field counts as 0.',
    complexity: 'O(1)',
    syntax: 'key field increment',
    keys: [keysAt('RW access update')],
    run: increment,
  }),
  hincrbyfloat: command<[key: Arg, field: Arg, increment: number | string], string>({
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    group: 'hash',
    since: '2.6.0',
    summary: 'Adds to the floating point number of a field; a missing field counts as 0.',
    complexity: 'O(1)',
    syntax: 'key field increment',
    keys: [keysAt('RW access update')],
    run: incrementByFloat,
  }),
  hrandfield: command<
    [key: Arg, count?: number, withValues?: 'WITHVALUES'],
    string | null | string[] | [field: string, value: string][]
  >({
    arity: -2,
    flags: ['readonly'],
    group: 'hash',
    since: '6.2.0',
    summary:
      'Returns random fields of a hash: different ones, or with repetition where the count is negative.',
    complexity: 'O(N) with the number of fields returned',
    syntax: 'key [count [WITHVALUES]]',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output'],
    run: randomFields,
  }),
  hscan: command<[key: Arg, cursor: Arg, ...options: Arg[]], [cursor: string, fieldsAndValues: string[]]>({
    arity: -3,
    flags: ['readonly'],
    group: 'hash',
    since: '2.8.0',
    summary: 'Walks through the fields and values of a hash, some at a time.',
    complexity: 'O(1) for every call, O(N) for a complete walk',
    syntax: 'key cursor [MATCH pattern] [COUNT count]',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output'],
    run: (db, args) => {
      scanCursor(args[2]);
      const hash = db.read(args[1], HashValue);
      if (hash === undefined) return scanReply(0, []);
      const options = parseScan(args, 2, false);
      const found: Reply[] = [];
      const next = hash.scan(options.cursor, options.count, (field, value) => {
        if (scanMatches(options, field)) found.push(field, value);
      });
      return scanReply(next, found);
    },
  }),
};

/** HSET and HMSET: answers how many fields are new. */
function setFields(db: Db, args: readonly string[], name: string): number {
  const { length } = args;
  if (length % 2 === 1) throw wrongArity(name);
  const key = args[1];
  const hash = db.editOrCreate(key, HashValue);
  const { limits } = db.space;
  hash.expect((length - 2) / 2, limits);
  let created = 0;
  for (let i = 2; i < length; i += 2) if (hash.set(args[i], args[i + 1], limits)) created++;
  if (created === hash.size) hash.trim();
  db.changed(key, hash, Event.hash, 'hset');
  return created;
}

function increment(db: Db, args: readonly string[]): Reply {
  const key = args[1];
  const field = args[2];
  const by = int64(args[3]);
  const hash = db.editOrCreate(key, HashValue);
  const text = hash.get(field);
  const old = text === undefined ? 0 : parseInt64(text);
  if (old === null) throw HASH_NOT_INTEGER;
  let sum: number | bigint = Number.NaN;
  if (typeof old === 'number' && typeof by === 'number') sum = old + by;
  if (!Number.isSafeInteger(sum)) {
    const exact = BigInt(old) + BigInt(by);
    if (exact > INT64_MAX || exact < INT64_MIN) throw OVERFLOW;
    sum = exact;
  }
  hash.set(field, String(sum), db.space.limits);
  db.changed(key, hash, Event.hash, 'hincrby');
  return sum;
}

function incrementByFloat(db: Db, args: readonly string[], env: Env): Reply {
  const key = args[1];
  const field = args[2];
  const by = args[3];
  checkFinite(by);
  const hash = db.editOrCreate(key, HashValue);
  const added = addLongDouble(hash.get(field) ?? '0', by);
  if ('error' in added) throw added.error === 'invalid' ? HASH_NOT_FLOAT : NAN_OR_INFINITY;
  const text = added.sum;
  hash.set(field, text, db.space.limits);
  db.changed(key, hash, Event.hash, 'hincrbyfloat');
  // The result, so that a reader of the log with other floating point numbers gets the same.
  env.propagate(['HSET', key, field, text]);
  return text;
}

function checkFinite(increment: string): void {
  // What is a finite double of reasonable length is a finite long double too.
  if (increment.length < 100 && Number.isFinite(parseDouble(increment) ?? Number.NaN)) return;
  const exact = parseLongDouble(increment);
  if (exact === null) throw NOT_FLOAT;
  if (exact.exponent === Number.POSITIVE_INFINITY) throw INCREMENT_NOT_FINITE;
}

function randomFields(db: Db, args: readonly string[], env: Env): Reply {
  if (args.length === 2) {
    const hash = db.read(args[1], HashValue);
    return hash === undefined ? null : hash.fieldAt(db.space.randomInt(hash.size));
  }
  const count = randomCount(args[2]);
  const withValues = args.length === 4 && args[3].toUpperCase() === 'WITHVALUES';
  if (args.length > 3 && !withValues) throw SYNTAX;
  if (withValues && !Number.isSafeInteger(count) && !pairsFit(BigInt(args[2]))) throw OUT_OF_RANGE;
  const hash = db.read(args[1], HashValue);
  if (hash === undefined || count === 0) return EMPTY;
  const positions = samplePositions(db.space, hash.size, count);
  const items: Reply[] = [];
  for (const at of positions) {
    const field = hash.fieldAt(at);
    if (!withValues) items.push(field);
    else if (env.protocol === 3) items.push([field, hash.valueAt(at)]);
    else items.push(field, hash.valueAt(at));
  }
  return items;
}

function pairsFit(count: bigint): boolean {
  return count <= MAX_PAIRS && count >= -MAX_PAIRS;
}
