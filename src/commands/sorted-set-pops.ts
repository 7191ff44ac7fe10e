// Taking the members with the lowest or highest scores out of sorted sets, at once or by waiting for one.
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { ZsetValue } from '../keyspace/zset-value.ts';
import { Block, EMPTY, NULL_ARRAY, type Reply, ReplyError } from '../resp/reply.ts';
import { integer, positiveCount, timeout } from './args.ts';
import { SYNTAX } from './errors.ts';
import type { Env } from './ports.ts';
import { pushPair } from './sorted-set-args.ts';
import { type Arg, type Command, command, keysAt, keysCounted, type Wait } from './spec.ts';

const NUMKEYS = new ReplyError('ERR numkeys should be greater than 0');
const COUNT = new ReplyError('ERR count should be greater than 0');

type Popped = [] | [member: string, score: number] | [member: string, score: number][];
type PoppedFrom = [key: string, members: [member: string, score: number][]] | null;

export const sortedSetPops = {
  zpopmin: popCommand('Removes and answers the members with the lowest scores.', false),
  zpopmax: popCommand('Removes and answers the members with the highest scores.', true),
  zmpop: command<[numkeys: number | string, ...keysAndOptions: Arg[]], PoppedFrom>({
    arity: -4,
    flags: ['write'],
    group: 'sorted-set',
    since: '7.0.0',
    summary: 'Removes members with the lowest or highest scores from the first sorted set that has any.',
    complexity: 'O(K) + O(M*log(N)) for K keys and M members removed of N',
    syntax: 'numkeys key [key ...] <MIN|MAX> [COUNT count]',
    keys: [keysCounted('RW access delete')],
    run: (db, args, env) => {
      const request = parseMultiPop(args, 1);
      return popNested(db, env, request) ?? NULL_ARRAY;
    },
  }),
  bzpopmin: blockingPopCommand(
    'Removes the member with the lowest score, waiting for one if need be.',
    false,
  ),
  bzpopmax: blockingPopCommand(
    'Removes the member with the highest score, waiting for one if need be.',
    true,
  ),
  bzmpop: command<[timeout: Wait, numkeys: number | string, ...keysAndOptions: Arg[]], Promise<PoppedFrom>>({
    arity: -5,
    flags: ['write', 'blocking'],
    group: 'sorted-set',
    since: '7.0.0',
    summary: 'As ZMPOP, waiting for a member if need be.',
    complexity: 'O(K) + O(M*log(N)) for K keys and M members removed of N',
    syntax: 'timeout numkeys key [key ...] <MIN|MAX> [COUNT count]',
    keys: [keysCounted('RW access delete', 2)],
    run: (db, args, env) => {
      const request = parseMultiPop(args, 2);
      const wait = timeout(args[1]);
      return popNested(db, env, request) ?? new Block(request.keys, 'zset', wait, NULL_ARRAY, NULL_ARRAY);
    },
  }),
};

function popCommand(summary: string, max: boolean): Command<[key: Arg, count?: number | string], Popped> {
  return {
    arity: -2,
    flags: ['write', 'fast'],
    group: 'sorted-set',
    since: '5.0.0',
    summary,
    complexity: 'O(log(N)*M) for M members removed of N',
    syntax: 'key [count]',
    keys: [keysAt('RW access delete')],
    run: (db, args, env) => pop(db, args, env, max),
  };
}

function blockingPopCommand(
  summary: string,
  max: boolean,
): Command<
  [key: Arg, ...keysAndTimeout: (Arg | Wait)[]],
  Promise<[key: string, member: string, score: number] | null>
> {
  return {
    arity: -3,
    flags: ['write', 'blocking', 'fast'],
    group: 'sorted-set',
    since: '5.0.0',
    summary,
    complexity: 'O(log(N)) with N members in the sorted set',
    syntax: 'key [key ...] timeout',
    keys: [keysAt('RW access delete', 1, -2)],
    run: (db, args, env) => blockingPop(db, args, env, max),
  };
}

function pop(db: Db, args: readonly string[], env: Env, max: boolean): Reply {
  if (args.length > 3) throw SYNTAX;
  const counted = args.length === 3;
  const count = counted ? positiveCount(args[2]) : 1;
  const zset = db.edit(args[1], ZsetValue);
  if (zset === undefined || count === 0) return EMPTY;
  return take(db, args[1], zset, count, max, counted && env.protocol === 3);
}

function blockingPop(db: Db, args: readonly string[], env: Env, max: boolean): Reply {
  const wait = timeout(args[args.length - 1]);
  const keys = args.slice(1, -1);
  for (const key of keys) {
    const zset = db.edit(key, ZsetValue);
    if (zset === undefined) continue;
    env.propagate([max ? 'ZPOPMAX' : 'ZPOPMIN', key]);
    return [key, ...take(db, key, zset, 1, max, false)];
  }
  return new Block(keys, 'zset', wait, NULL_ARRAY, NULL_ARRAY);
}

/** What ZMPOP and BZMPOP ask for. */
interface MultiPop {
  readonly keys: readonly string[];
  readonly max: boolean;
  readonly count: number;
}

/** Parses `numkeys key [key ...] <MIN|MAX> [COUNT count]`. */
function parseMultiPop(args: readonly string[], at: number): MultiPop {
  const numkeys = atLeastOne(args[at], NUMKEYS);
  const whereAt = at + numkeys + 1;
  if (whereAt >= args.length) throw SYNTAX;
  const where = args[whereAt].toLowerCase();
  if (where !== 'min' && where !== 'max') throw SYNTAX;
  let count = 0;
  for (let i = whereAt + 1; i < args.length; i += 2) {
    if (count !== 0 || args[i].toLowerCase() !== 'count' || i + 1 >= args.length) throw SYNTAX;
    count = atLeastOne(args[i + 1], COUNT);
  }
  return { keys: args.slice(at + 1, whereAt), max: where === 'max', count: Math.max(count, 1) };
}

function atLeastOne(arg: string, error: ReplyError): number {
  const value = integer(arg, error);
  if (value < 1) throw error;
  return value;
}

// Pops from the first key that exists; undefined where none does.
function popNested(db: Db, env: Env, { keys, count, max }: MultiPop): Reply | undefined {
  for (const key of keys) {
    const zset = db.edit(key, ZsetValue);
    if (zset === undefined) continue;
    env.propagate([max ? 'ZPOPMAX' : 'ZPOPMIN', key, String(Math.min(count, zset.size))]);
    return [key, take(db, key, zset, count, max, true)];
  }
  return undefined;
}

/** Takes up to `count` members from one end, and answers them with their scores. */
function take(db: Db, key: string, zset: ZsetValue, count: number, max: boolean, nested: boolean): Reply[] {
  const items: Reply[] = [];
  const n = Math.min(count, zset.size);
  zset.forEach(max ? zset.size - 1 : 0, n, max, (member, score) => pushPair(items, member, score, nested));
  zset.removeRanks(max ? zset.size - n : 0, n);
  db.changed(key, zset, Event.zset, max ? 'zpopmax' : 'zpopmin');
  return items;
}
