// Sets: members, random members, moves, and the algebra of several sets with its STORE forms; SSCAN.
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { SetValue } from '../keyspace/set-value.ts';
import { WRONGTYPE } from '../keyspace/values.ts';
import { EMPTY, type Reply, ReplyError, SetReply } from '../resp/reply.ts';
import { integer, positiveCount } from './args.ts';
import { SYNTAX } from './errors.ts';
import type { Env } from './ports.ts';
import { distinctPositions, randomCount, samplePositions } from './sample.ts';
import { parseScan, scanCursor, scanMatches, scanReply } from './scan.ts';
import { type Arg, command, keysAt, keysCounted } from './spec.ts';

const NUMKEYS_TOO_SMALL = new ReplyError('ERR numkeys should be greater than 0');
const NUMKEYS_TOO_LARGE = new ReplyError("ERR Number of keys can't be greater than number of args");
const LIMIT_NEGATIVE = new ReplyError("ERR LIMIT can't be negative");

/** SPOP takes the members to keep instead of those to give once it gives more than this many times as many. */
const SPOP_KEEP_FACTOR = 5;

/** Most members in one SREM that the log records for an SPOP. */
const SREM_BATCH = 1024;

type Sets = readonly (SetValue | undefined)[];

export const sets = {
  sadd: command<[key: Arg, ...members: Arg[]], number>({
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    group: 'set',
    since: '1.0.0',
    summary: 'Adds members to a set, creating it where it is missing; answers how many are new.',
    complexity: 'O(N) with the number of members given',
    syntax: 'key member [member ...]',
    keys: [keysAt('RW insert')],
    run: (db, args) => {
      const key = args[1];
      const { limits } = db.space;
      const set = db.editOrCreate(key, SetValue);
      set.expect(args[2], args.length - 2, limits);
      let added = 0;
      for (let i = 2; i < args.length; i++) if (set.add(args[i], limits)) added++;
      if (added === 0) return 0;
      if (added === set.size) set.trim();
      db.changed(key, set, Event.set, 'sadd');
      return added;
    },
  }),
  srem: command<[key: Arg, ...members: Arg[]], number>({
    arity: -3,
    flags: ['write', 'fast'],
    group: 'set',
    since: '1.0.0',
    summary: 'Removes members of a set, and the set with its last one; answers how many were there.',
    complexity: 'O(N) with the number of members given',
    syntax: 'key member [member ...]',
    keys: [keysAt('RW delete')],
    run: (db, args) => {
      const set = db.edit(args[1], SetValue);
      if (set === undefined) return 0;
      let removed = 0;
      for (let i = 2; i < args.length; i++) if (set.delete(args[i])) removed++;
      if (removed > 0) db.changed(args[1], set, Event.set, 'srem');
      return removed;
    },
  }),
  sismember: command<[key: Arg, member: Arg], number>({
    arity: 3,
    flags: ['readonly', 'fast'],
    group: 'set',
    since: '1.0.0',
    summary: 'Tells whether a set has a member.',
    complexity: 'O(1)',
    syntax: 'key member',
    keys: [keysAt('RO')],
    run: (db, args) => (db.read(args[1], SetValue)?.has(args[2]) ? 1 : 0),
  }),
  smismember: command<[key: Arg, ...members: Arg[]], number[]>({
    arity: -3,
    flags: ['readonly', 'fast'],
    group: 'set',
    since: '6.2.0',
    summary: 'Tells of each of several members whether a set has it.',
    complexity: 'O(N) with the number of members asked for',
    syntax: 'key member [member ...]',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const set = db.read(args[1], SetValue);
      const found: Reply[] = [];
      for (let i = 2; i < args.length; i++) found.push(set?.has(args[i]) ? 1 : 0);
      return found;
    },
  }),
  scard: command<[key: Arg], number>({
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'set',
    since: '1.0.0',
    summary: 'Returns how many members a set has.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RO')],
    run: (db, args) => db.read(args[1], SetValue)?.size ?? 0,
  }),
  smembers: command<[key: Arg], string[]>({
    arity: 2,
    flags: ['readonly'],
    group: 'set',
    since: '1.0.0',
    summary: 'Returns all members of a set.',
    complexity: 'O(N) with the size of the set',
    syntax: 'key',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output_order'],
    run: (db, args) => new SetReply(db.read(args[1], SetValue)?.members() ?? []),
  }),
  spop: command<[key: Arg, count?: number], string | null | string[]>({
    arity: -2,
    flags: ['write', 'fast'],
    group: 'set',
    since: '1.0.0',
    summary: 'Removes random members of a set and returns them.',
    complexity: 'O(1) without a count, O(N) with the count otherwise',
    syntax: 'key [count]',
    keys: [keysAt('RW access delete')],
    tips: ['nondeterministic_output'],
    run: (db, args, env) => {
      if (args.length > 3) throw SYNTAX;
      return args.length === 3 ? popMany(db, args[1], args[2], env) : popOne(db, args[1], env);
    },
  }),
  srandmember: command<[key: Arg, count?: number], string | null | string[]>({
    arity: -2,
    flags: ['readonly'],
    group: 'set',
    since: '1.0.0',
    summary:
      'Returns random members of a set: different ones, or with repetition where the count is negative.',
    complexity: 'O(1) without a count, O(N) with the count otherwise',
    syntax: 'key [count]',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output'],
    run: randomMembers,
  }),
  smove: command<[source: Arg, destination: Arg, member: Arg], number>({
    arity: 4,
    flags: ['write', 'fast'],
    group: 'set',
    since: '1.0.0',
    summary: 'Moves a member from one set to another; answers 0 where the first does not have it.',
    complexity: 'O(1)',
    syntax: 'source destination member',
    keys: [keysAt('RW access delete', 1), keysAt('RW insert', 2)],
    run: move,
  }),
  sinter: command<[...keys: Arg[]], string[]>({
    arity: -2,
    flags: ['readonly'],
    group: 'set',
    since: '1.0.0',
    summary: 'Returns the members that all sets have.',
    complexity: 'O(N*M) with the size of the smallest set and the number of sets',
    syntax: 'key [key ...]',
    keys: [keysAt('RO access', 1, -1)],
    tips: ['nondeterministic_output_order'],
    run: (db, args) => {
      const members: string[] = [];
      eachCommon(readSets(db, args, 1, args.length), 0, (member) => members.push(member));
      return new SetReply(members);
    },
  }),
  sinterstore: command<[destination: Arg, ...keys: Arg[]], number>({
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'set',
    since: '1.0.0',
    summary: 'Stores the members that all sets have; answers how many they are.',
    complexity: 'O(N*M) with the size of the smallest set and the number of sets',
    syntax: 'destination key [key ...]',
    keys: [keysAt('RW update', 1), keysAt('RO access', 2, -1)],
    run: (db, args) => {
      const result = intersection(db, readSets(db, args, 2, args.length));
      return store(db, args[1], result, 'sinterstore');
    },
  }),
  sintercard: command<[numkeys: number, ...keysAndLimit: Arg[]], number>({
    arity: -3,
    flags: ['readonly'],
    group: 'set',
    since: '7.0.0',
    summary: 'Counts the members that all sets have, up to a limit.',
    complexity: 'O(N*M) with the size of the smallest set and the number of sets',
    syntax: 'numkeys key [key ...] [LIMIT limit]',
    keys: [keysCounted('RO access')],
    run: countIntersection,
  }),
  sunion: command<[...keys: Arg[]], string[]>({
    arity: -2,
    flags: ['readonly'],
    group: 'set',
    since: '1.0.0',
    summary: 'Returns the members that any of the sets has.',
    complexity: 'O(N) with the members of all sets',
    syntax: 'key [key ...]',
    keys: [keysAt('RO access', 1, -1)],
    tips: ['nondeterministic_output_order'],
    run: (db, args) => new SetReply(union(db, readSets(db, args, 1, args.length)).members()),
  }),
  sunionstore: command<[destination: Arg, ...keys: Arg[]], number>({
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'set',
    since: '1.0.0',
    summary: 'Stores the members that any of the sets has; answers how many they are.',
    complexity: 'O(N) with the members of all sets',
    syntax: 'destination key [key ...]',
    keys: [keysAt('OW update', 1), keysAt('RO access', 2, -1)],
    run: (db, args) => store(db, args[1], union(db, readSets(db, args, 2, args.length)), 'sunionstore'),
  }),
  sdiff: command<[...keys: Arg[]], string[]>({
    arity: -2,
    flags: ['readonly'],
    group: 'set',
    since: '1.0.0',
    summary: 'Returns the members of the first set that no other set has.',
    complexity: 'O(N) with the members of all sets',
    syntax: 'key [key ...]',
    keys: [keysAt('RO access', 1, -1)],
    tips: ['nondeterministic_output_order'],
    run: (db, args) => new SetReply(difference(db, readSets(db, args, 1, args.length)).members()),
  }),
  sdiffstore: command<[destination: Arg, ...keys: Arg[]], number>({
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'set',
    since: '1.0.0',
    summary: 'Stores the members of the first set that no other set has; answers how many they are.',
    complexity: 'O(N) with the members of all sets',
    syntax: 'destination key [key ...]',
    keys: [keysAt('OW update', 1), keysAt('RO access', 2, -1)],
    run: (db, args) => store(db, args[1], difference(db, readSets(db, args, 2, args.length)), 'sdiffstore'),
  }),
  sscan: command<[key: Arg, cursor: Arg, ...options: Arg[]], [cursor: string, members: string[]]>({
    arity: -3,
    flags: ['readonly'],
    group: 'set',
    since: '2.8.0',
    summary: 'Walks through the members of a set, some at a time.',
    complexity: 'O(1) for every call, O(N) for a complete walk',
    syntax: 'key cursor [MATCH pattern] [COUNT count]',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output'],
    run: (db, args) => {
      scanCursor(args[2]);
      const set = db.read(args[1], SetValue);
      if (set === undefined) return scanReply(0, []);
      const options = parseScan(args, 2, false);
      const found: Reply[] = [];
      const next = set.scan(options.cursor, options.count, (member) => {
        if (scanMatches(options, member)) found.push(member);
      });
      return scanReply(next, found);
    },
  }),
};

function move(db: Db, args: readonly string[]): Reply {
  const [, from, to, member] = args;
  const source = db.edit(from, SetValue);
  if (source === undefined) return 0;
  const target = db.lookupWrite(to);
  if (target !== undefined && !(target instanceof SetValue)) throw WRONGTYPE;
  if (from === to) return source.has(member) ? 1 : 0;
  if (!source.delete(member)) return 0;
  db.changed(from, source, Event.set, 'srem');
  const destination = db.editOrCreate(to, SetValue);
  destination.expect(member, 1, db.space.limits);
  if (destination.add(member, db.space.limits)) db.changed(to, destination, Event.set, 'sadd');
  return 1;
}

// ---- random members

function popOne(db: Db, key: string, env: Env): Reply {
  const set = db.edit(key, SetValue);
  if (set === undefined) return null;
  const member = set.takeAt(db.space.randomInt(set.size));
  db.changed(key, set, Event.set, 'spop');
  env.propagate(['SREM', key, member]);
  return member;
}

function popMany(db: Db, key: string, countArg: string, env: Env): Reply {
  const count = positiveCount(countArg);
  const set = db.edit(key, SetValue);
  if (set === undefined || count === 0) return new SetReply([]);
  if (count >= set.size) {
    const all = set.members();
    db.remove(key);
    db.signal(key, Event.set, 'spop');
    db.signal(key, Event.generic, 'del');
    env.propagate(['DEL', key]);
    return new SetReply(all);
  }
  const rest = set.size - count;
  const popped =
    rest * SPOP_KEEP_FACTOR > count
      ? take(db, set, count)
      : keep(db, key, set, distinctPositions(db.space, set.size, rest));
  db.signal(key, Event.set, 'spop');
  const effects: string[][] = [];
  for (let i = 0; i < count; i += SREM_BATCH) effects.push(['SREM', key, ...popped.slice(i, i + SREM_BATCH)]);
  env.propagate(...effects);
  return new SetReply(popped);
}

// Takes `count` members out. A listpack gives them in its order, as Redis does.
function take(db: Db, set: SetValue, count: number): string[] {
  const popped: string[] = [];
  if (set.encoding() !== 'listpack') {
    for (let i = 0; i < count; i++) popped.push(set.takeAt(db.space.randomInt(set.size)));
    return popped;
  }
  const positions = distinctPositions(db.space, set.size, count);
  for (let i = count - 1; i >= 0; i--) popped.push(set.takeAt(positions[i]));
  return popped.reverse();
}

// Replaces the set by one of the members at these positions, which starts over with a small encoding, as in Redis;
// answers the others.
function keep(db: Db, key: string, set: SetValue, positions: readonly number[]): string[] {
  const { limits } = db.space;
  const rest = set.encoding() === 'intset' ? new SetValue() : SetValue.listpack();
  const popped: string[] = [];
  let next = 0;
  for (let at = 0; at < set.size; at++) {
    if (at !== positions[next]) popped.push(set.at(at));
    else {
      rest.add(set.at(at), limits);
      next++;
    }
  }
  db.put(key, rest);
  return popped;
}

function randomMembers(db: Db, args: readonly string[]): Reply {
  if (args.length > 3) throw SYNTAX;
  const { space } = db;
  if (args.length === 2) {
    const set = db.read(args[1], SetValue);
    return set === undefined ? null : set.at(space.randomInt(set.size));
  }
  const count = randomCount(args[2]);
  const set = db.read(args[1], SetValue);
  if (set === undefined || count === 0) return EMPTY;
  return samplePositions(space, set.size, count).map((at) => set.at(at));
}

// ---- algebra

/** The sets at the keys `args[from]`.. before `args[end]`; a missing one is undefined. */
function readSets(db: Db, args: readonly string[], from: number, end: number): Sets {
  const found: (SetValue | undefined)[] = [];
  for (let i = from; i < end; i++) found.push(db.read(args[i], SetValue));
  return found;
}

/** Visits the members that all sets have, in the order of the smallest; at most `limit` of them, 0 for all. */
function eachCommon(given: Sets, limit: number, visit: (member: string) => void): void {
  const ordered = bySize(given);
  if (ordered === null) return;
  const [smallest, ...others] = ordered;
  let found = 0;
  for (let i = 0; i < smallest.size; i++) {
    const member = smallest.at(i);
    if (!others.every((set) => set === smallest || set.has(member))) continue;
    visit(member);
    if (++found === limit) return;
  }
}

/** The sets by size; null where one is missing, for then nothing is common. */
function bySize(given: Sets): SetValue[] | null {
  if (given.includes(undefined)) return null;
  return (given as SetValue[]).slice().sort((a, b) => a.size - b.size);
}

function intersection(db: Db, given: Sets): SetValue {
  const { limits } = db.space;
  const smallest = bySize(given)?.[0];
  const result = smallest?.encoding() === 'intset' ? new SetValue() : SetValue.listpack();
  eachCommon(given, 0, (member) => result.add(member, limits));
  result.toIntset(limits);
  return result;
}

function countIntersection(db: Db, args: readonly string[]): Reply {
  const numkeys = integer(args[1], NUMKEYS_TOO_SMALL);
  if (numkeys < 1) throw NUMKEYS_TOO_SMALL;
  if (numkeys > args.length - 2) throw NUMKEYS_TOO_LARGE;
  let limit = 0;
  for (let i = 2 + numkeys; i < args.length; i += 2) {
    if (args[i].toUpperCase() !== 'LIMIT' || i + 1 >= args.length) throw SYNTAX;
    limit = integer(args[i + 1], LIMIT_NEGATIVE);
    if (limit < 0) throw LIMIT_NEGATIVE;
  }
  let count = 0;
  eachCommon(readSets(db, args, 2, 2 + numkeys), limit, () => count++);
  return count;
}

function union(db: Db, given: Sets): SetValue {
  const { limits } = db.space;
  const result = new SetValue();
  for (const set of given) {
    for (let i = 0; i < (set?.size ?? 0); i++) result.add(set!.at(i), limits);
  }
  return result;
}

function difference(db: Db, given: Sets): SetValue {
  const { limits } = db.space;
  const result = new SetValue();
  const first = given[0];
  if (first === undefined || given.indexOf(first, 1) > 0) return result;
  const others = given.slice(1).filter((set) => set !== undefined);
  if (probingIsCheaper(first, others)) {
    for (let i = 0; i < first.size; i++) {
      const member = first.at(i);
      if (!others.some((set) => set.has(member))) result.add(member, limits);
    }
    return result;
  }
  for (let i = 0; i < first.size; i++) result.add(first.at(i), limits);
  for (const set of others) {
    for (let i = 0; i < set.size && result.size > 0; i++) result.delete(set.at(i));
  }
  return result;
}

// Redis' choice: look up each member of the first set in the others, or take the members of the others out of a
// copy of the first. It shows in the encoding of what SDIFFSTORE stores.
function probingIsCheaper(first: SetValue, others: readonly SetValue[]): boolean {
  const probing = first.size * (others.length + 1);
  let removing = first.size;
  for (const set of others) removing += set.size;
  return Math.floor(probing / 2) <= removing;
}

/** Stores the result of a STORE form; an empty one deletes the key. Answers its size. */
function store(db: Db, key: string, result: SetValue, event: string): number {
  if (result.size > 0) {
    db.set(key, result);
    db.signal(key, Event.set, event);
  } else if (db.remove(key)) {
    db.signal(key, Event.generic, 'del');
  }
  return result.size;
}
