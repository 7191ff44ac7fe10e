// Sorted sets, member by member: adding, removing, scores, ranks, random members, ZSCAN. Ranges, pops and set
// algebra stand in the files sorted-set-*.ts beside this one.
import { formatDouble, formatDouble17 } from '../data/numbers.ts';
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { ZsetValue } from '../keyspace/zset-value.ts';
import { EMPTY, NULL_ARRAY, type Reply, ReplyError } from '../resp/reply.ts';
import { OUT_OF_RANGE, SYNTAX, wrongArity } from './errors.ts';
import type { Env } from './ports.ts';
import { randomCount, samplePositions } from './sample.ts';
import { parseScan, scanCursor, scanMatches, scanReply } from './scan.ts';
import { pushPair, scoreArg, scoreReply } from './sorted-set-args.ts';
import { type Arg, command, keysAt } from './spec.ts';

const NAN_SCORE = new ReplyError('ERR resulting score is not a number (NaN)');
const XX_AND_NX = new ReplyError('ERR XX and NX options at the same time are not compatible');
const GT_LT_NX = new ReplyError('ERR GT, LT, and/or NX options at the same time are not compatible');
const INCR_PAIRS = new ReplyError('ERR INCR option supports a single increment-element pair');

export const sortedSets = {
  zadd: command<[key: Arg, ...optionsAndPairs: Arg[]], number | null>({
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    group: 'sorted-set',
    since: '1.2.0',
    summary: 'Adds members with their scores, or changes the scores of members that are there.',
    complexity: 'O(log(N)) for each member added, with N members in the sorted set',
    syntax: 'key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]',
    keys: [keysAt('RW update')],
    run: (db, args) => zadd(db, args),
  }),
  zincrby: command<[key: Arg, increment: number | string, member: Arg], number>({
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    group: 'sorted-set',
    since: '1.2.0',
    summary: 'Adds to the score of a member; a missing member counts as 0.',
    complexity: 'O(log(N)) with N members in the sorted set',
    syntax: 'key increment member',
    keys: [keysAt('RW access update')],
    run: (db, args) => addPairs(db, args, 2, Option.incr),
  }),
  zrem: command<[key: Arg, ...members: Arg[]], number>({
    arity: -3,
    flags: ['write', 'fast'],
    group: 'sorted-set',
    since: '1.2.0',
    summary: 'Removes members; answers how many there were.',
    complexity: 'O(M*log(N)) for M members to remove from N',
    syntax: 'key member [member ...]',
    keys: [keysAt('RW delete')],
    run: zrem,
  }),
  zcard: command<[key: Arg], number>({
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'sorted-set',
    since: '1.2.0',
    summary: 'Number of members.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RO')],
    run: (db, args) => db.read(args[1], ZsetValue)?.size ?? 0,
  }),
  zscore: command<[key: Arg, member: Arg], number | null>({
    arity: 3,
    flags: ['readonly', 'fast'],
    group: 'sorted-set',
    since: '1.2.0',
    summary: 'Score of a member.',
    complexity: 'O(1)',
    syntax: 'key member',
    keys: [keysAt('RO access')],
    run: (db, args) => scoreOrNull(db.read(args[1], ZsetValue), args[2]),
  }),
  zmscore: command<[key: Arg, ...members: Arg[]], (number | null)[]>({
    arity: -3,
    flags: ['readonly', 'fast'],
    group: 'sorted-set',
    since: '6.2.0',
    summary: 'Scores of several members, null for those that are missing.',
    complexity: 'O(N) with N members asked for',
    syntax: 'key member [member ...]',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const zset = db.read(args[1], ZsetValue);
      return args.slice(2).map((member) => scoreOrNull(zset, member));
    },
  }),
  zrank: command<
    [key: Arg, member: Arg, withScore?: 'WITHSCORE'],
    number | [rank: number, score: number] | null
  >({
    arity: -3,
    flags: ['readonly', 'fast'],
    group: 'sorted-set',
    since: '2.0.0',
    summary: 'Rank of a member, counted from the lowest score.',
    complexity: 'O(log(N))',
    syntax: 'key member [WITHSCORE]',
    keys: [keysAt('RO access')],
    run: (db, args) => rank(db, args, 'zrank', false),
  }),
  zrevrank: command<
    [key: Arg, member: Arg, withScore?: 'WITHSCORE'],
    number | [rank: number, score: number] | null
  >({
    arity: -3,
    flags: ['readonly', 'fast'],
    group: 'sorted-set',
    since: '2.0.0',
    summary: 'Rank of a member, counted from the highest score.',
    complexity: 'O(log(N))',
    syntax: 'key member [WITHSCORE]',
    keys: [keysAt('RO access')],
    run: (db, args) => rank(db, args, 'zrevrank', true),
  }),
  zrandmember: command<
    [key: Arg, count?: number | string, withScores?: 'WITHSCORES'],
    string | null | string[] | [member: string, score: number][]
  >({
    arity: -2,
    flags: ['readonly'],
    group: 'sorted-set',
    since: '6.2.0',
    summary: 'Random members: distinct ones, or with a negative count independent draws.',
    complexity: 'O(N) with N members returned',
    syntax: 'key [count [WITHSCORES]]',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output'],
    run: zrandmember,
  }),
  zscan: command<[key: Arg, cursor: Arg, ...options: Arg[]], [cursor: string, items: string[]]>({
    arity: -3,
    flags: ['readonly'],
    group: 'sorted-set',
    since: '2.8.0',
    summary: 'Visits members and scores step by step.',
    complexity: 'O(1) for every call, O(N) for all calls of a whole iteration',
    syntax: 'key cursor [MATCH pattern] [COUNT count]',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output'],
    run: zscan,
  }),
};

// ---- ZADD, ZINCRBY, ZREM

const Option = { nx: 1, xx: 2, gt: 4, lt: 8, ch: 16, incr: 32 } as const;

function zadd(db: Db, args: readonly string[]): Reply {
  let at = 2;
  let options = 0;
  for (; at < args.length; at++) {
    const bit = optionBit(args[at]);
    if (bit === 0) break;
    options |= bit;
  }
  const left = args.length - at;
  if (left === 0 || left % 2 !== 0) throw SYNTAX;
  if (options !== 0) {
    const has = (bit: number): boolean => (options & bit) !== 0;
    if (has(Option.nx) && has(Option.xx)) throw XX_AND_NX;
    if ((has(Option.nx) && has(Option.gt | Option.lt)) || (has(Option.gt) && has(Option.lt))) throw GT_LT_NX;
    if (has(Option.incr) && left > 2) throw INCR_PAIRS;
  }
  return addPairs(db, args, at, options);
}

function optionBit(arg: string): number {
  // Most scores start with a digit or a sign, which come before all letters.
  if (arg.length < 2 || arg.length > 4 || arg.charCodeAt(0) < 0x41) return 0;
  switch (arg.toLowerCase()) {
    case 'nx':
      return Option.nx;
    case 'xx':
      return Option.xx;
    case 'gt':
      return Option.gt;
    case 'lt':
      return Option.lt;
    case 'ch':
      return Option.ch;
    case 'incr':
      return Option.incr;
  }
  return 0;
}

// Pairs of score and member from `at` on. All scores are read before anything is changed.
function addPairs(db: Db, args: readonly string[], at: number, options: number): Reply {
  const scores: number[] = [];
  for (let i = at; i < args.length; i += 2) scores.push(scoreArg(args[i]));
  const { limits } = db.space;
  const key = args[1];
  let zset = db.edit(key, ZsetValue);
  if (zset === undefined) {
    if ((options & Option.xx) !== 0) return (options & Option.incr) !== 0 ? null : 0;
    zset = new ZsetValue();
    db.put(key, zset);
  }
  if (scores.length > limits.zsetMaxListpackEntries) zset.grow();
  let added = 0;
  let updated = 0;
  let result: number | null = null;
  for (let i = 0; i < scores.length; i++) {
    const member = args[at + 1 + i * 2];
    const place = zset.find(member);
    if (place < 0) {
      if ((options & Option.xx) !== 0) continue;
      zset.insert(member, scores[i], limits);
      result = scores[i];
      added++;
      continue;
    }
    if ((options & Option.nx) !== 0) continue;
    const old = zset.scoreAt(place);
    let score = scores[i];
    if ((options & Option.incr) !== 0) {
      score += old;
      // Only ever with a single pair: nothing has been changed yet.
      if (Number.isNaN(score)) throw NAN_SCORE;
    }
    if ((options & Option.gt) !== 0 && score <= old) continue;
    if ((options & Option.lt) !== 0 && score >= old) continue;
    result = score;
    if (score !== old) {
      zset.update(place, score);
      updated++;
    }
  }
  if (added + updated > 0) db.signal(key, Event.zset, (options & Option.incr) !== 0 ? 'zincr' : 'zadd');
  if ((options & Option.incr) !== 0) return result === null ? null : scoreReply(result);
  return (options & Option.ch) !== 0 ? added + updated : added;
}

function zrem(db: Db, args: readonly string[]): Reply {
  const zset = db.edit(args[1], ZsetValue);
  if (zset === undefined) return 0;
  let removed = 0;
  for (let i = 2; i < args.length; i++) {
    const place = zset.find(args[i]);
    if (place < 0) continue;
    zset.removeAt(place);
    removed++;
  }
  if (removed > 0) db.changed(args[1], zset, Event.zset, 'zrem');
  return removed;
}

// ---- reading

function scoreOrNull(zset: ZsetValue | undefined, member: string): Reply {
  const score = zset?.get(member);
  return score === undefined ? null : scoreReply(score);
}

function rank(db: Db, args: readonly string[], name: string, reverse: boolean): Reply {
  if (args.length > 4) throw wrongArity(name);
  const withScore = args.length === 4;
  if (withScore && args[3].toLowerCase() !== 'withscore') throw SYNTAX;
  const zset = db.read(args[1], ZsetValue);
  const place = zset === undefined ? -1 : zset.find(args[2]);
  if (zset === undefined || place < 0) return withScore ? NULL_ARRAY : null;
  const fromLowest = zset.rankAt(place);
  const answer = reverse ? zset.size - 1 - fromLowest : fromLowest;
  return withScore ? [answer, scoreReply(zset.scoreAt(place))] : answer;
}

// A small set is answered whole with its scores as its listpack holds them; the hash table of a big one prints
// them as long doubles, the only place that still does.
function zscan(db: Db, args: readonly string[]): Reply {
  scanCursor(args[2]);
  const zset = db.read(args[1], ZsetValue);
  if (zset === undefined) return scanReply(0, []);
  const options = parseScan(args, 2, false);
  const print = zset.encoding() === 'listpack' ? formatDouble : formatDouble17;
  const items: Reply[] = [];
  const next = zset.scan(options.cursor, options.count, (member, score) => {
    if (scanMatches(options, member)) items.push(member, print(score));
  });
  return scanReply(next, items);
}

// ---- ZRANDMEMBER

function zrandmember(db: Db, args: readonly string[], env: Env): Reply {
  if (args.length === 2) {
    const zset = db.read(args[1], ZsetValue);
    return zset === undefined ? null : zset.memberAt(db.space.randomInt(zset.size));
  }
  const count = randomCount(args[2]);
  if (args.length > 4 || (args.length === 4 && args[3].toLowerCase() !== 'withscores')) throw SYNTAX;
  const withScores = args.length === 4;
  // Twice the count has to fit a C long.
  if (withScores && Math.abs(count) >= 2 ** 62) throw OUT_OF_RANGE;
  const zset = db.read(args[1], ZsetValue);
  if (zset === undefined || count === 0) return EMPTY;
  const items: Reply[] = [];
  const nested = env.protocol === 3;
  const take = (member: string, score: number): void => {
    if (withScores) pushPair(items, member, score, nested);
    else items.push(member);
  };
  // The whole set comes from the highest score down, as Redis walks it.
  if (count >= zset.size) zset.forEach(zset.size - 1, zset.size, true, take);
  else
    for (const at of samplePositions(db.space, zset.size, count)) take(zset.memberAt(at), zset.scoreAt(at));
  return items;
}
