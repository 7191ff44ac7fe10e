// Union, intersection and difference of sorted sets and plain sets (whose members count with score 1), answered or
// stored: ZUNION, ZINTER, ZDIFF, their STORE forms and ZINTERCARD.
import { Table } from '../data/table.ts';
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { SetValue } from '../keyspace/set-value.ts';
import { WRONGTYPE } from '../keyspace/values.ts';
import { ZsetValue } from '../keyspace/zset-value.ts';
import { type Reply, ReplyError } from '../resp/reply.ts';
import { float, integer } from './args.ts';
import { SYNTAX } from './errors.ts';
import type { Env } from './ports.ts';
import { pushPair } from './sorted-set-args.ts';
import { type Arg, type Command, command, keysAt, keysCounted } from './spec.ts';

const WEIGHT_NOT_FLOAT = new ReplyError('ERR weight value is not a float');
const LIMIT_NEGATIVE = new ReplyError("ERR LIMIT can't be negative");

type Operation = 'union' | 'inter' | 'diff';
type Members = string[] | [member: string, score: number][];

const UNION_COST = 'O(N)+O(M*log(M)) for N members in all sets together and M in the result';
const INTER_COST = 'O(N*K)+O(M*log(M)) for N members in the smallest of K sets and M in the result';
const DIFF_COST = 'O(N*K)+O(M*log(M)) for N members in the first of K sets and M in the result';
const WEIGHTED = '[WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX]';

export const sortedSetAlgebra = {
  zunion: readCommand('union', 'Members of any of the sets.', UNION_COST, `${WEIGHTED} [WITHSCORES]`),
  zinter: readCommand('inter', 'Members of all of the sets.', INTER_COST, `${WEIGHTED} [WITHSCORES]`),
  zdiff: readCommand(
    'diff',
    'Members of the first set that are in none of the others.',
    DIFF_COST,
    '[WITHSCORES]',
  ),
  zunionstore: storeCommand('union', '2.0.0', 'Stores the members of any of the sets.', UNION_COST, WEIGHTED),
  zinterstore: storeCommand('inter', '2.0.0', 'Stores the members of all of the sets.', INTER_COST, WEIGHTED),
  zdiffstore: storeCommand(
    'diff',
    '6.2.0',
    'Stores the members of the first set that are in none of the others.',
    DIFF_COST,
    '',
  ),
  zintercard: command<[numkeys: number | string, ...keysAndOptions: Arg[]], number>({
    arity: -3,
    flags: ['readonly'],
    group: 'sorted-set',
    since: '7.0.0',
    summary: 'Number of members that all of the sets have, counted up to a limit.',
    complexity: 'O(N*K) for N members in the smallest of K sets',
    syntax: 'numkeys key [key ...] [LIMIT limit]',
    keys: [keysCounted('RO access')],
    run: interCard,
  }),
};

function readCommand(
  operation: Operation,
  summary: string,
  complexity: string,
  options: string,
): Command<[numkeys: number | string, ...keysAndOptions: Arg[]], Members> {
  return {
    arity: -3,
    flags: ['readonly'],
    group: 'sorted-set',
    since: '6.2.0',
    summary,
    complexity,
    syntax: `numkeys key [key ...] ${options}`,
    keys: [keysCounted('RO access')],
    run: (db, args, env) => answer(db, args, env, operation),
  };
}

function storeCommand(
  operation: Operation,
  since: string,
  summary: string,
  complexity: string,
  options: string,
): Command<[destination: Arg, numkeys: number | string, ...keysAndOptions: Arg[]], number> {
  return {
    arity: -4,
    flags: ['write', 'denyoom'],
    group: 'sorted-set',
    since,
    summary,
    complexity,
    syntax: `destination numkeys key [key ...] ${options}`.trimEnd(),
    keys: [keysAt('OW update'), keysCounted('RO access', 2)],
    run: (db, args) => {
      const request = parseRequest(db, args, 2, operation, 'store');
      const [members, scores] = inOrder(compute(request));
      return storeSorted(db, args[1], members, scores, `z${operation}store`);
    },
  };
}

function answer(db: Db, args: readonly string[], env: Env, operation: Operation): Reply {
  const request = parseRequest(db, args, 1, operation, 'read');
  const [members, scores] = inOrder(compute(request));
  if (!request.withScores) return members;
  const items: Reply[] = [];
  for (let i = 0; i < members.length; i++) pushPair(items, members[i], scores[i], env.protocol === 3);
  return items;
}

/**
 * Puts a key in place of whatever it held, or removes it where there are no members; answers their number. Members
 * are in order; ZRANGESTORE stores through here too.
 */
export function storeSorted(db: Db, key: string, members: string[], scores: number[], event: string): number {
  if (members.length === 0) {
    if (db.remove(key)) db.signal(key, Event.generic, 'del');
    return 0;
  }
  db.set(key, ZsetValue.fromSorted(members, scores, db.space.limits));
  db.signal(key, Event.zset, event);
  return members.length;
}

// ---- arguments

type Aggregate = 'sum' | 'min' | 'max';

/** One set to combine; undefined where the key is missing. */
interface Source {
  readonly value: ZsetValue | SetValue | undefined;
  weight: number;
}

interface Request {
  readonly operation: Operation;
  readonly sources: Source[];
  aggregate: Aggregate;
  withScores: boolean;
  /** Of ZINTERCARD; 0 is none. */
  limit: number;
}

/** Parses `numkeys key [key ...] [options]` where `at` is the index of numkeys. Redis looks the keys up before the options. */
function parseRequest(
  db: Db,
  args: readonly string[],
  at: number,
  operation: Operation,
  form: 'read' | 'store' | 'card',
): Request {
  const numkeys = integer(args[at]);
  if (numkeys < 1) {
    const name = form === 'card' ? 'zintercard' : `z${operation}${form === 'store' ? 'store' : ''}`;
    throw new ReplyError(`ERR at least 1 input key is needed for '${name}' command`);
  }
  if (numkeys > args.length - at - 1) throw SYNTAX;
  const sources: Source[] = [];
  for (let i = 1; i <= numkeys; i++) sources.push({ value: sourceAt(db, args[at + i]), weight: 1 });
  const request: Request = { operation, sources, aggregate: 'sum', withScores: false, limit: 0 };
  const weighted = operation !== 'diff' && form !== 'card';
  for (let i = at + 1 + numkeys; i < args.length; i++) {
    const option = args[i].toLowerCase();
    const left = args.length - 1 - i;
    if (option === 'weights' && weighted && left >= numkeys) {
      for (const source of sources) source.weight = float(args[++i], WEIGHT_NOT_FLOAT);
    } else if (option === 'aggregate' && weighted && left >= 1) {
      request.aggregate = aggregateArg(args[++i]);
    } else if (option === 'withscores' && form === 'read') {
      request.withScores = true;
    } else if (option === 'limit' && form === 'card' && left >= 1) {
      request.limit = integer(args[++i], LIMIT_NEGATIVE);
      if (request.limit < 0) throw LIMIT_NEGATIVE;
    } else throw SYNTAX;
  }
  return request;
}

function sourceAt(db: Db, key: string): Source['value'] {
  const value = db.lookup(key);
  if (value === undefined || value instanceof ZsetValue || value instanceof SetValue) return value;
  throw WRONGTYPE;
}

function aggregateArg(arg: string): Aggregate {
  const name = arg.toLowerCase();
  if (name !== 'sum' && name !== 'min' && name !== 'max') throw SYNTAX;
  return name;
}

// ---- the algebra

// A table and not a Map, which holds no more than 2^24 entries.
type Scored = Table<number>;

function compute(request: Request): Scored {
  switch (request.operation) {
    case 'union':
      return union(request);
    case 'inter':
      return intersection(request);
    case 'diff':
      return difference(request.sources);
  }
}

function sizeOf({ value }: Source): number {
  return value === undefined ? 0 : value.size;
}

// From the smallest to the largest, which is quick to intersect; floating point sums depend on this order.
function bySize(sources: readonly Source[]): Source[] {
  return sources.slice().sort((a, b) => sizeOf(a) - sizeOf(b));
}

function scoreIn({ value }: Source, member: string): number | undefined {
  if (value instanceof ZsetValue) return value.get(member);
  return value?.has(member) ? 1 : undefined;
}

function visitSource({ value }: Source, visit: (member: string, score: number) => void): void {
  if (value instanceof ZsetValue) value.forEach(0, value.size, false, visit);
  else for (let i = 0; value !== undefined && i < value.size; i++) visit(value.at(i), 1);
}

// An infinity times 0 counts as 0, and so does the sum of both infinities.
function weigh(score: number, weight: number): number {
  const product = score * weight;
  return Number.isNaN(product) ? 0 : product;
}

function combine(a: number, b: number, aggregate: Aggregate): number {
  switch (aggregate) {
    case 'sum': {
      const sum = a + b;
      return Number.isNaN(sum) ? 0 : sum;
    }
    // A NaN on the right never wins, unlike with Math.min and Math.max.
    case 'min':
      return b < a ? b : a;
    case 'max':
      return b > a ? b : a;
  }
}

function union({ sources, aggregate }: Request): Scored {
  const result: Scored = new Table();
  for (const source of bySize(sources)) {
    visitSource(source, (member, score) => {
      const mine = weigh(score, source.weight);
      const at = result.find(member);
      if (at < 0) result.append(member, mine);
      else result.values[at] = combine(result.values[at], mine, aggregate);
    });
  }
  return result;
}

function intersection({ sources, aggregate }: Request): Scored {
  const result: Scored = new Table();
  const [first, ...others] = bySize(sources);
  visitSource(first, (member, score) => {
    let total = weigh(score, first.weight);
    for (const other of others) {
      const theirs = scoreIn(other, member);
      if (theirs === undefined) return;
      // Not weighed as above: here Redis lets NaN through to the aggregation.
      total = combine(total, theirs * other.weight, aggregate);
    }
    result.append(member, total);
  });
  return result;
}

function difference([first, ...others]: readonly Source[]): Scored {
  const result: Scored = new Table();
  visitSource(first, (member, score) => {
    for (const other of others) if (scoreIn(other, member) !== undefined) return;
    result.append(member, score);
  });
  return result;
}

function interCard(db: Db, args: readonly string[]): Reply {
  const { sources, limit } = parseRequest(db, args, 1, 'inter', 'card');
  const [first, ...others] = bySize(sources);
  let count = 0;
  const { value } = first;
  for (let i = 0; value !== undefined && i < value.size; i++) {
    const member = value instanceof ZsetValue ? value.memberAt(i) : value.at(i);
    if (others.some((other) => scoreIn(other, member) === undefined)) continue;
    count++;
    if (count === limit) break;
  }
  return count;
}

/** Members by score and then by bytes, and their scores. */
function inOrder({ keys, values, size }: Scored): [members: string[], scores: number[]] {
  const places = Array.from({ length: size }, (_, i) => i);
  places.sort((a, b) => values[a] - values[b] || (keys[a] < keys[b] ? -1 : 1));
  return [places.map((at) => keys[at]), places.map((at) => values[at])];
}
