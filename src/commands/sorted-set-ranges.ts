// Ranges of a sorted set by rank, score or member: ZRANGE and the older commands that it stands for, ZRANGESTORE,
// counts, and removal by range.
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import type { EncodingLimits } from '../keyspace/values.ts';
import { type Ranks, unsignedZero, ZsetValue } from '../keyspace/zset-value.ts';
import { EMPTY, type Reply, ReplyError } from '../resp/reply.ts';
import { integer } from './args.ts';
import { SYNTAX } from './errors.ts';
import type { Env } from './ports.ts';
import { storeSorted } from './sorted-set-algebra.ts';
import { lexRange, pushPair, scoreRange } from './sorted-set-args.ts';
import { type Arg, type Command, command, keysAt } from './spec.ts';

const LIMIT_BY_RANK = new ReplyError(
  'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
);
const WITHSCORES_BY_LEX = new ReplyError(
  'ERR syntax error, WITHSCORES not supported in combination with BYLEX',
);

type By = 'rank' | 'score' | 'lex';
/** Pairs where WITHSCORES was asked for. */
type Members = string[] | [member: string, score: number][];
type RangeCommand = Command<[key: Arg, from: Arg, to: Arg, ...options: Arg[]], Members>;

/** What a range command was asked for; `null` in the first two leaves it to the options. */
interface Form {
  readonly by: By | null;
  readonly reverse: boolean | null;
  /** ZRANGESTORE: no WITHSCORES. */
  readonly store: boolean;
}

const BY_NAMES: Record<By, string> = { rank: 'ranks', score: 'scores', lex: 'members of equal scores' };

export const sortedSetRanges = {
  zrange: command<[key: Arg, from: Arg, to: Arg, ...options: Arg[]], Members>({
    arity: -4,
    flags: ['readonly'],
    group: 'sorted-set',
    since: '1.2.0',
    summary: 'Members in a range of ranks, scores or members, in either direction.',
    complexity: 'O(log(N)+M) with M members returned of N',
    syntax: 'key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]',
    keys: [keysAt('RO access')],
    run: (db, args, env) => range(db, args, env, { by: null, reverse: null, store: false }),
  }),
  zrevrange: rangeCommand('1.2.0', 'rank', true, 'start stop [WITHSCORES]'),
  zrangebyscore: rangeCommand('1.0.5', 'score', false, 'min max [WITHSCORES] [LIMIT offset count]'),
  zrevrangebyscore: rangeCommand('2.2.0', 'score', true, 'max min [WITHSCORES] [LIMIT offset count]'),
  zrangebylex: rangeCommand('2.8.9', 'lex', false, 'min max [LIMIT offset count]'),
  zrevrangebylex: rangeCommand('2.8.9', 'lex', true, 'max min [LIMIT offset count]'),
  zrangestore: command<[destination: Arg, source: Arg, from: Arg, to: Arg, ...options: Arg[]], number>({
    arity: -5,
    flags: ['write', 'denyoom'],
    group: 'sorted-set',
    since: '6.2.0',
    summary: 'Stores a range of a sorted set in another key; answers its size.',
    complexity: 'O(log(N)+M) with M members stored of N',
    syntax: 'dst src min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]',
    keys: [keysAt('OW update'), keysAt('RO access', 2)],
    run: rangeStore,
  }),
  zcount: command<[key: Arg, min: Arg, max: Arg], number>({
    arity: 4,
    flags: ['readonly', 'fast'],
    group: 'sorted-set',
    since: '2.0.0',
    summary: 'Number of members with a score in a range.',
    complexity: 'O(log(N))',
    syntax: 'key min max',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const scores = scoreRange(args[2], args[3]);
      return countRanks(db.read(args[1], ZsetValue)?.ranksByScore(scores));
    },
  }),
  zlexcount: command<[key: Arg, min: Arg, max: Arg], number>({
    arity: 4,
    flags: ['readonly', 'fast'],
    group: 'sorted-set',
    since: '2.8.9',
    summary: 'Number of members between two members, where all scores are equal.',
    complexity: 'O(log(N))',
    syntax: 'key min max',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const members = lexRange(args[2], args[3]);
      return countRanks(db.read(args[1], ZsetValue)?.ranksByLex(members));
    },
  }),
  zremrangebyrank: command<[key: Arg, start: Arg, stop: Arg], number>({
    arity: 4,
    flags: ['write'],
    group: 'sorted-set',
    since: '2.0.0',
    summary: 'Removes the members in a range of ranks; answers how many.',
    complexity: 'O(log(N)+M) with M members removed of N',
    syntax: 'key start stop',
    keys: [keysAt('RW delete')],
    run: (db, args) => {
      const start = integer(args[2]);
      const stop = integer(args[3]);
      return removeRange(db, args[1], 'zremrangebyrank', (zset) => ranksBetween(zset.size, start, stop));
    },
  }),
  zremrangebyscore: command<[key: Arg, min: Arg, max: Arg], number>({
    arity: 4,
    flags: ['write'],
    group: 'sorted-set',
    since: '1.2.0',
    summary: 'Removes the members with a score in a range; answers how many.',
    complexity: 'O(log(N)+M) with M members removed of N',
    syntax: 'key min max',
    keys: [keysAt('RW delete')],
    run: (db, args) => {
      const scores = scoreRange(args[2], args[3]);
      return removeRange(db, args[1], 'zremrangebyscore', (zset) => zset.ranksByScore(scores));
    },
  }),
  zremrangebylex: command<[key: Arg, min: Arg, max: Arg], number>({
    arity: 4,
    flags: ['write'],
    group: 'sorted-set',
    since: '2.8.9',
    summary: 'Removes the members between two members, where all scores are equal; answers how many.',
    complexity: 'O(log(N)+M) with M members removed of N',
    syntax: 'key min max',
    keys: [keysAt('RW delete')],
    run: (db, args) => {
      const members = lexRange(args[2], args[3]);
      return removeRange(db, args[1], 'zremrangebylex', (zset) => zset.ranksByLex(members));
    },
  }),
};

// The commands from before ZRANGE knew BYSCORE, BYLEX and REV.
function rangeCommand(since: string, by: By, reverse: boolean, syntax: string): RangeCommand {
  const form: Form = { by, reverse, store: false };
  return {
    arity: -4,
    flags: ['readonly'],
    group: 'sorted-set',
    since,
    summary: `Members in a range of ${BY_NAMES[by]}, from the ${reverse ? 'highest down' : 'lowest up'}.`,
    complexity: 'O(log(N)+M) with M members returned of N',
    syntax: `key ${syntax}`,
    keys: [keysAt('RO access')],
    run: (db, args, env) => range(db, args, env, form),
  };
}

/** A range as parsed. */
interface Query {
  readonly by: By;
  readonly reverse: boolean;
  readonly withScores: boolean;
  /** Most members to answer. */
  readonly limit: number;
  /** Which ranks, without what LIMIT's offset skips. */
  ranks(zset: ZsetValue): Ranks;
}

/** Parses `key from to [options]` where `at` is the key's index. */
function parseRange(args: readonly string[], at: number, form: Form): Query {
  let { by, reverse } = form;
  let withScores = false;
  let offset = 0;
  let limit = -1;
  for (let i = at + 3; i < args.length; i++) {
    const option = args[i].toLowerCase();
    if (option === 'withscores' && !form.store) withScores = true;
    else if (option === 'limit' && i + 2 < args.length) {
      offset = integer(args[i + 1]);
      limit = integer(args[i + 2]);
      i += 2;
    } else if (option === 'rev' && reverse === null) reverse = true;
    else if (option === 'bylex' && by === null) by = 'lex';
    else if (option === 'byscore' && by === null) by = 'score';
    else throw SYNTAX;
  }
  by ??= 'rank';
  if (limit !== -1 && by === 'rank') throw LIMIT_BY_RANK;
  if (withScores && by === 'lex') throw WITHSCORES_BY_LEX;
  const backwards = reverse ?? false;
  const bounds: [string, string] = [args[at + 1], args[at + 2]];
  // By score and by member, a reverse range starts with its maximum.
  if (backwards && by !== 'rank') bounds.reverse();
  return {
    by,
    reverse: backwards,
    withScores,
    limit: limit < 0 || by === 'rank' ? Number.POSITIVE_INFINITY : limit,
    ranks: finderOf(by, bounds, backwards, offset),
  };
}

function finderOf(by: By, [from, to]: [string, string], reverse: boolean, offset: number): Query['ranks'] {
  switch (by) {
    case 'rank': {
      const start = integer(from);
      const stop = integer(to);
      return (zset) => {
        const ranks = ranksBetween(zset.size, start, stop);
        return reverse ? { start: zset.size - ranks.end, end: zset.size - ranks.start } : ranks;
      };
    }
    case 'score': {
      const scores = scoreRange(from, to);
      return (zset) => (offset < 0 ? NOTHING : skip(zset.ranksByScore(scores), offset, reverse));
    }
    case 'lex': {
      const members = lexRange(from, to);
      return (zset) => (offset < 0 ? NOTHING : zset.ranksByLex(members, reverse, offset));
    }
  }
}

const NOTHING: Ranks = { start: 0, end: 0 };

function skip({ start, end }: Ranks, offset: number, reverse: boolean): Ranks {
  if (start + offset >= end) return NOTHING;
  return reverse ? { start, end: end - offset } : { start: start + offset, end };
}

// Ranks that may count from the end (-1 is the last), both included.
function ranksBetween(size: number, start: number, stop: number): Ranks {
  const from = Math.max(0, start < 0 ? size + start : start);
  const to = Math.min(size - 1, stop < 0 ? size + stop : stop);
  return from > to ? { start: 0, end: 0 } : { start: from, end: to + 1 };
}

/** Visits the members of a query in its order and within its LIMIT. */
function visit(zset: ZsetValue, query: Query, take: (member: string, score: number) => void): void {
  const { start, end } = query.ranks(zset);
  const count = Math.min(end - start, query.limit);
  if (count > 0) zset.forEach(query.reverse ? end - 1 : start, count, query.reverse, take);
}

function range(db: Db, args: readonly string[], env: Env, form: Form): Reply {
  const query = parseRange(args, 1, form);
  const zset = db.read(args[1], ZsetValue);
  if (zset === undefined) return EMPTY;
  const items: Reply[] = [];
  if (query.withScores) {
    const nested = env.protocol === 3;
    visit(zset, query, (member, score) => pushPair(items, member, score, nested));
  } else visit(zset, query, (member) => items.push(member));
  return items;
}

function rangeStore(db: Db, args: readonly string[]): Reply {
  const query = parseRange(args, 2, { by: null, reverse: null, store: true });
  const members: string[] = [];
  const scores: number[] = [];
  const zset = db.read(args[2], ZsetValue);
  if (zset !== undefined) {
    visit(zset, query, (member, score) => {
      members.push(member);
      scores.push(score);
    });
  }
  const { limits } = db.space;
  // Only a range by rank tells its size ahead, so that Redis starts a big result as a skiplist.
  if (query.by !== 'rank' || members.length <= limits.zsetMaxListpackEntries)
    passListpack(members, scores, limits);
  if (query.reverse) {
    members.reverse();
    scores.reverse();
  }
  return storeSorted(db, args[1], members, scores, 'zrangestore');
}

// ZRANGESTORE's result starts as a listpack, and so its first members lose the sign of a zero score even where it
// ends as a skiplist.
function passListpack(members: readonly string[], scores: number[], limits: EncodingLimits): void {
  for (let i = 0; i < members.length && i < limits.zsetMaxListpackEntries; i++) {
    if (members[i].length > limits.zsetMaxListpackValue) return;
    scores[i] = unsignedZero(scores[i]);
  }
}

function countRanks(ranks: Ranks | undefined): number {
  return ranks === undefined ? 0 : ranks.end - ranks.start;
}

function removeRange(db: Db, key: string, event: string, find: (zset: ZsetValue) => Ranks): Reply {
  const zset = db.edit(key, ZsetValue);
  if (zset === undefined) return 0;
  const { start, end } = find(zset);
  if (start === end) return 0;
  zset.removeRanks(start, end - start);
  db.changed(key, zset, Event.zset, event);
  return end - start;
}
