// Keys whatever they hold: DEL, EXISTS, TYPE, KEYS, SCAN, RENAME, COPY, MOVE, OBJECT and their kin. Deadlines are
// in expiry.ts, SORT in sort.ts, whole databases in databases.ts.
import { globMatch } from '../data/glob.ts';
import { parseInt64 } from '../data/numbers.ts';
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { Collection, encodingName, typeOf, type Value } from '../keyspace/values.ts';
import { OK, type Reply, ReplyError, Status } from '../resp/reply.ts';
import { databaseAt } from './databases.ts';
import { NO_SUCH_KEY, SYNTAX } from './errors.ts';
import { parseScan, scanMatches, scanReply } from './scan.ts';
import { type Arg, command, container, keysAt } from './spec.ts';

const SAME_OBJECT = new ReplyError('ERR source and destination objects are the same');
const SWITCHING =
  'Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.';
const NOT_LFU = new ReplyError(
  `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`,
);
const IS_LFU = new ReplyError(`ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`);

/** Redis shares one object for each small integer; OBJECT REFCOUNT shows this number for them. */
const SHARED_INTEGERS = 10000;
const SHARED_REFCOUNT = 2147483647;

const MULTI_SHARD = ['request_policy:multi_shard', 'response_policy:agg_sum'] as const;

export const keys = {
  del: command<[...keys: [Arg, ...Arg[]]], number>({
    arity: -2,
    flags: ['write'],
    group: 'generic',
    since: '1.0.0',
    summary: 'Removes keys; answers how many there were.',
    complexity: 'O(N) with the number of keys',
    syntax: 'key [key ...]',
    keys: [keysAt('RM delete', 1, -1)],
    tips: MULTI_SHARD,
    run: remove,
  }),
  unlink: command<[...keys: [Arg, ...Arg[]]], number>({
    arity: -2,
    flags: ['write', 'fast'],
    group: 'generic',
    since: '4.0.0',
    summary: 'Removes keys as DEL does; memory is given back in the background in either case.',
    complexity: 'O(N) with the number of keys',
    syntax: 'key [key ...]',
    keys: [keysAt('RM delete', 1, -1)],
    tips: MULTI_SHARD,
    run: remove,
  }),
  exists: command<[...keys: [Arg, ...Arg[]]], number>({
    arity: -2,
    flags: ['readonly', 'fast'],
    group: 'generic',
    since: '1.0.0',
    summary: 'Counts which of the keys exist; a key named twice counts twice.',
    complexity: 'O(N) with the number of keys',
    syntax: 'key [key ...]',
    keys: [keysAt('RO', 1, -1)],
    tips: MULTI_SHARD,
    run: (db, args) => {
      let found = 0;
      for (let i = 1; i < args.length; i++) if (db.probe(args[i]) !== undefined) found++;
      return found;
    },
  }),
  type: command<[key: Arg], 'none' | 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream'>({
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'generic',
    since: '1.0.0',
    summary: 'Answers which type of value a key holds.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RO')],
    run: (db, args) => {
      const value = db.probe(args[1]);
      return new Status(value === undefined ? 'none' : typeOf(value));
    },
  }),
  touch: command<[...keys: [Arg, ...Arg[]]], number>({
    arity: -2,
    flags: ['readonly', 'fast'],
    group: 'generic',
    since: '3.2.1',
    summary: 'Marks keys as used just now; answers how many there are.',
    complexity: 'O(N) with the number of keys',
    syntax: 'key [key ...]',
    keys: [keysAt('RO', 1, -1)],
    tips: MULTI_SHARD,
    touches: true,
    run: (db, args) => {
      let found = 0;
      for (let i = 1; i < args.length; i++) if (db.lookup(args[i]) !== undefined) found++;
      return found;
    },
  }),
  keys: command<[pattern: Arg], string[]>({
    arity: 2,
    flags: ['readonly'],
    group: 'generic',
    since: '1.0.0',
    summary: 'Answers all keys that match a glob pattern.',
    complexity: 'O(N) with the number of keys in the database',
    syntax: 'pattern',
    categories: ['dangerous'],
    tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
    run: (db, args) => {
      const pattern = args[1];
      const found: string[] = [];
      db.forEach((key) => {
        if (pattern === '*' || globMatch(pattern, key)) found.push(key);
      });
      return found;
    },
  }),
  randomkey: command<[], string | null>({
    arity: 1,
    flags: ['readonly'],
    group: 'generic',
    since: '1.0.0',
    summary: 'Answers a key by chance, null where there is none.',
    complexity: 'O(1)',
    tips: ['request_policy:all_shards', 'nondeterministic_output'],
    run: (db) => db.randomKey() ?? null,
  }),
  scan: command<[cursor: Arg, ...options: Arg[]], [cursor: string, keys: string[]]>({
    arity: -2,
    flags: ['readonly'],
    group: 'generic',
    since: '2.8.0',
    summary: 'Walks the keys in steps: begin with cursor 0, go on with the one it answers, until that is 0.',
    complexity: 'O(1) for each call, O(N) for all keys',
    syntax: 'cursor [MATCH pattern] [COUNT count] [TYPE type]',
    tips: ['nondeterministic_output', 'request_policy:special'],
    run: scan,
  }),
  rename: command<[key: Arg, newkey: Arg], 'OK'>({
    arity: 3,
    flags: ['write'],
    group: 'generic',
    since: '1.0.0',
    summary: 'Gives a key another name, replacing what had that name.',
    complexity: 'O(1)',
    syntax: 'key newkey',
    keys: [keysAt('RW access delete'), keysAt('OW update', 2)],
    run: (db, args) => {
      rename(db, args[1], args[2], true);
      return OK;
    },
  }),
  renamenx: command<[key: Arg, newkey: Arg], number>({
    arity: 3,
    flags: ['write', 'fast'],
    group: 'generic',
    since: '1.0.0',
    summary: 'Gives a key another name unless that name is taken.',
    complexity: 'O(1)',
    syntax: 'key newkey',
    keys: [keysAt('RW access delete'), keysAt('OW insert', 2)],
    run: (db, args) => (rename(db, args[1], args[2], false) ? 1 : 0),
  }),
  copy: command<[source: Arg, destination: Arg, ...options: Arg[]], number>({
    arity: -3,
    flags: ['write', 'denyoom'],
    group: 'generic',
    since: '6.2.0',
    summary: 'Copies the value and the deadline of a key to another key, in this or another database.',
    complexity: 'O(N) with the size of the value',
    syntax: 'source destination [DB destination-db] [REPLACE]',
    keys: [keysAt('RO access'), keysAt('OW update', 2)],
    run: copy,
  }),
  move: command<[key: Arg, db: number], number>({
    arity: 3,
    flags: ['write', 'fast'],
    group: 'generic',
    since: '1.0.0',
    summary: 'Moves a key to another database unless it has a key of that name.',
    complexity: 'O(1)',
    syntax: 'key db',
    keys: [keysAt('RW access update')],
    run: move,
  }),
  object: container(
    { arity: -2, group: 'generic', since: '2.2.3', summary: 'Tells how a value is kept.' },
    {
      encoding: command<[key: Arg], string | null>({
        ...inspection('2.2.3', 'Names the internal form of a value.'),
        run: (db, args) => {
          const value = db.probe(args[2], false);
          return value === undefined ? null : encodingName(value);
        },
      }),
      freq: command<[key: Arg], number | null>({
        ...inspection('4.0.0', 'Answers the counter of accesses that the LFU policies keep.'),
        run: (db, args) => {
          const word = accessWord(db, args[2]);
          if (word === null) return null;
          return db.space.lfu ? db.space.frequency(word) : NOT_LFU;
        },
      }),
      idletime: command<[key: Arg], number | null>({
        ...inspection('2.2.3', 'Answers the seconds since the last access.'),
        run: (db, args) => {
          const word = accessWord(db, args[2]);
          if (word === null) return null;
          return db.space.lfu ? IS_LFU : db.space.idleSeconds(word);
        },
      }),
      refcount: command<[key: Arg], number | null>({
        ...inspection('2.2.3', 'Answers how often a value is referred to.'),
        run: (db, args) => {
          const value = db.probe(args[2], false);
          return value === undefined ? null : refcount(value);
        },
      }),
      help: command<[], string[]>({
        arity: 2,
        flags: ['loading', 'stale'],
        group: 'generic',
        since: '6.2.0',
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        categories: ['keyspace'],
        control: () =>
          [
            'OBJECT <subcommand> <key>',
            'ENCODING: the internal form of the value',
            'FREQ: counter of accesses, under an LFU policy',
            'IDLETIME: seconds since the last access, unless under an LFU policy',
            'REFCOUNT: how often the value is referred to',
          ].map((line) => new Status(line)),
      }),
    },
  ),
};

function inspection(since: string, summary: string) {
  return {
    arity: 3,
    flags: ['readonly'] as const,
    group: 'generic' as const,
    since,
    summary,
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RO', 2)],
    tips: ['nondeterministic_output'] as const,
  };
}

function remove(db: Db, args: readonly string[]): Reply {
  let removed = 0;
  for (let i = 1; i < args.length; i++) {
    if (!db.remove(args[i])) continue;
    db.signal(args[i], Event.generic, 'del');
    removed++;
  }
  return removed;
}

function scan(db: Db, args: readonly string[]): Reply {
  const options = parseScan(args, 1, true);
  const met: string[] = [];
  const next = db.scan(options.cursor, options.count, (key) => {
    if (scanMatches(options, key)) met.push(key);
  });
  // Only what MATCH lets through is looked at, and purged where it is over; TYPE's look is a read that counts.
  const { type } = options;
  const found = met.filter((key) => {
    if (type === null) return db.exists(key);
    const value = db.probe(key, false);
    return value !== undefined && typeOf(value) === type;
  });
  return scanReply(next, found);
}

/** Moves a value to another name; false where that is taken and may not be replaced, or is the same. */
function rename(db: Db, from: string, to: string, replace: boolean): boolean {
  const value = db.lookupWrite(from);
  if (value === undefined) throw NO_SUCH_KEY;
  if (from === to) return false;
  const taken = db.lookupWrite(to) !== undefined;
  if (taken && !replace) return false;
  // Removed rather than replaced: the key is a new one, with its own `new` event.
  if (taken) db.remove(to);
  transfer(db, from, value, db, to);
  db.signal(from, Event.generic, 'rename_from');
  db.signal(to, Event.generic, 'rename_to');
  return true;
}

function move(db: Db, args: readonly string[]): Reply {
  const key = args[1];
  const target = databaseAt(db.space.dbs, args[2]);
  if (target === db) return SAME_OBJECT;
  const value = db.lookupWrite(key);
  if (value === undefined || target.lookupWrite(key) !== undefined) return 0;
  transfer(db, key, value, target, key);
  db.signal(key, Event.generic, 'move_from');
  target.signal(key, Event.generic, 'move_to');
  return 1;
}

// Value, deadline and access history go over to a name that is free.
function transfer(db: Db, from: string, value: Value, target: Db, to: string): void {
  const deadline = db.deadline(from);
  const access = db.accessWord(from) as number;
  db.remove(from);
  target.put(to, value);
  if (deadline !== 0) target.setDeadline(to, deadline);
  target.setAccessWord(to, access);
}

function copy(db: Db, args: readonly string[]): Reply {
  const [, from, to] = args;
  let target = db;
  let replace = false;
  for (let i = 3; i < args.length; i++) {
    const option = args[i].toLowerCase();
    if (option === 'replace') replace = true;
    else if (option === 'db' && i + 1 < args.length) target = databaseAt(db.space.dbs, args[++i]);
    else throw SYNTAX;
  }
  if (target === db && from === to) return SAME_OBJECT;
  const value = db.lookup(from);
  if (value === undefined) return 0;
  const deadline = db.deadline(from);
  if (target.lookupWrite(to) !== undefined) {
    if (!replace) return 0;
    target.remove(to);
  }
  target.put(to, value instanceof Collection ? value.clone() : value);
  if (deadline !== 0) target.setDeadline(to, deadline);
  target.signal(to, Event.generic, 'copy_to');
  return 1;
}

function accessWord(db: Db, key: string): number | null {
  return db.probe(key, false) === undefined ? null : (db.accessWord(key) as number);
}

function refcount(value: Value): number {
  const integer = typeof value === 'string' && value.length <= 4 ? parseInt64(value) : value;
  const shared = typeof integer === 'number' && integer >= 0 && integer < SHARED_INTEGERS;
  return shared ? SHARED_REFCOUNT : 1;
}
