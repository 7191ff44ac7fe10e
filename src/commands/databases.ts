// Whole databases: SELECT, SWAPDB, FLUSHDB, FLUSHALL, DBSIZE. The work is done by Db and Space; COPY and MOVE
// (keys.ts) read their database argument by `databaseAt`.
import { parseInt64 } from '../data/numbers.ts';
import type { Db } from '../keyspace/db.ts';
import { OK, ReplyError } from '../resp/reply.ts';
import { int64 } from './args.ts';
import { DB_OUT_OF_RANGE, SYNTAX } from './errors.ts';
import { command } from './spec.ts';

const INT_MIN = -2147483648;
const INT_MAX = 2147483647;
const NOT_INT = new ReplyError(`ERR value is out of range, value must between ${INT_MIN} and ${INT_MAX}`);

const FLUSH_TIPS = ['request_policy:all_shards', 'response_policy:all_succeeded'] as const;

export const databases = {
  select: command<[index: number], 'OK'>({
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    group: 'connection',
    since: '1.0.0',
    summary: 'Chooses the database that the following commands of this connection use.',
    complexity: 'O(1)',
    syntax: 'index',
    control: (session, args, engine) => {
      session.db = databaseAt(engine.space.dbs, args[1]);
      return OK;
    },
  }),
  swapdb: command<[index1: number, index2: number], 'OK'>({
    arity: 3,
    flags: ['write', 'fast'],
    group: 'server',
    since: '4.0.0',
    summary: 'Exchanges the contents of two databases at once.',
    complexity: 'O(N) with the number of keys that clients watch or wait for in them',
    syntax: 'index1 index2',
    categories: ['keyspace', 'dangerous'],
    run: (db, args) => {
      const { dbs } = db.space;
      const first = swapIndex(args[1], 'first');
      const second = swapIndex(args[2], 'second');
      const one = dbs[first];
      const other = dbs[second];
      if (one === undefined || other === undefined) throw DB_OUT_OF_RANGE;
      if (one === other) db.space.dirty++;
      else one.exchange(other);
      return OK;
    },
  }),
  flushdb: command<[mode?: 'ASYNC' | 'SYNC'], 'OK'>({
    arity: -1,
    flags: ['write'],
    group: 'server',
    since: '1.0.0',
    summary: 'Removes all keys of the current database.',
    complexity: 'O(1)',
    syntax: '[ASYNC|SYNC]',
    categories: ['keyspace', 'dangerous'],
    tips: FLUSH_TIPS,
    run: (db, args) => {
      checkFlushMode(args);
      db.clear();
      return OK;
    },
  }),
  flushall: command<[mode?: 'ASYNC' | 'SYNC'], 'OK'>({
    arity: -1,
    flags: ['write'],
    group: 'server',
    since: '1.0.0',
    summary: 'Removes all keys of all databases.',
    complexity: 'O(N) with the number of databases',
    syntax: '[ASYNC|SYNC]',
    categories: ['keyspace', 'dangerous'],
    tips: FLUSH_TIPS,
    run: (db, args) => {
      checkFlushMode(args);
      for (const one of db.space.dbs) one.clear();
      return OK;
    },
  }),
  dbsize: command<[], number>({
    arity: 1,
    flags: ['readonly', 'fast'],
    group: 'server',
    since: '1.0.0',
    summary: 'Counts the keys of the current database, expired ones that are not yet purged included.',
    complexity: 'O(1)',
    categories: ['keyspace'],
    tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
    run: (db) => db.size,
  }),
};

/** The database that an argument names: it must be an `int` of C, and one of those there are. */
export function databaseAt(dbs: readonly Db[], arg: string): Db {
  const index = int64(arg);
  if (index < INT_MIN || index > INT_MAX) throw NOT_INT;
  const db = dbs[Number(index)];
  if (db === undefined) throw DB_OUT_OF_RANGE;
  return db;
}

// SWAPDB has words of its own for what is no index.
function swapIndex(arg: string, which: 'first' | 'second'): number {
  const index = parseInt64(arg);
  if (index === null || index < INT_MIN || index > INT_MAX) {
    throw new ReplyError(`ERR invalid ${which} DB index`);
  }
  return Number(index);
}

// Both modes are one here: dropping the contents is O(1), the collector frees them later.
function checkFlushMode(args: readonly string[]): void {
  if (args.length === 1) return;
  const mode = args[1].toLowerCase();
  if (args.length > 2 || (mode !== 'async' && mode !== 'sync')) throw SYNTAX;
}
