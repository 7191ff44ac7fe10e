// Lists: pushing, popping, ranges, searching, moving between lists. The commands that wait for an element are in
// lists-blocking.ts and use the helpers exported here.
import { parseInt64 } from '../data/numbers.ts';
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { ListValue } from '../keyspace/list-value.ts';
import { EMPTY, NULL_ARRAY, OK, type Reply, ReplyError } from '../resp/reply.ts';
import { following, int64, integer, positiveCount } from './args.ts';
import { INDEX_OUT_OF_RANGE, NO_SUCH_KEY, SYNTAX, wrongArity } from './errors.ts';
import type { Env } from './ports.ts';
import { type Arg, command, keysAt, keysCounted } from './spec.ts';

/** End of a list, in any case. */
export type Side = 'LEFT' | 'RIGHT' | 'left' | 'right';

const NUMKEYS = new ReplyError('ERR numkeys should be greater than 0');
const COUNT_ZERO = new ReplyError('ERR count should be greater than 0');
const RANK_ZERO = new ReplyError(
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
);
const RANK_RANGE = new ReplyError(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
);
const COUNT_NEGATIVE = new ReplyError("ERR COUNT can't be negative");
const MAXLEN_NEGATIVE = new ReplyError("ERR MAXLEN can't be negative");
const INT64_MIN = -9223372036854775808n;

const PUSH_FLAGS = ['write', 'denyoom', 'fast'] as const;
const PUSH_COMPLEXITY = 'O(N) with the number of elements pushed';

export const lists = {
  lpush: command<[key: Arg, ...elements: Arg[]], number>({
    arity: -3,
    flags: PUSH_FLAGS,
    group: 'list',
    since: '1.0.0',
    summary: 'Puts elements in front of a list, each before the previous one; a missing list is created.',
    complexity: PUSH_COMPLEXITY,
    syntax: 'key element [element ...]',
    keys: [keysAt('RW insert')],
    run: (db, args) => push(db, args, true, false),
  }),
  rpush: command<[key: Arg, ...elements: Arg[]], number>({
    arity: -3,
    flags: PUSH_FLAGS,
    group: 'list',
    since: '1.0.0',
    summary: 'Puts elements at the end of a list; a missing list is created.',
    complexity: PUSH_COMPLEXITY,
    syntax: 'key element [element ...]',
    keys: [keysAt('RW insert')],
    run: (db, args) => push(db, args, false, false),
  }),
  lpushx: command<[key: Arg, ...elements: Arg[]], number>({
    arity: -3,
    flags: PUSH_FLAGS,
    group: 'list',
    since: '2.2.0',
    summary: 'Puts elements in front of a list if it exists.',
    complexity: PUSH_COMPLEXITY,
    syntax: 'key element [element ...]',
    keys: [keysAt('RW insert')],
    run: (db, args) => push(db, args, true, true),
  }),
  rpushx: command<[key: Arg, ...elements: Arg[]], number>({
    arity: -3,
    flags: PUSH_FLAGS,
    group: 'list',
    since: '2.2.0',
    summary: 'Puts elements at the end of a list if it exists.',
    complexity: PUSH_COMPLEXITY,
    syntax: 'key element [element ...]',
    keys: [keysAt('RW insert')],
    run: (db, args) => push(db, args, false, true),
  }),
  lpop: command<[key: Arg, count?: number], string | string[] | null>({
    arity: -2,
    flags: ['write', 'fast'],
    group: 'list',
    since: '1.0.0',
    summary: 'Takes the first element, or the first few, off a list.',
    complexity: 'O(N) with the number of elements taken',
    syntax: 'key [count]',
    keys: [keysAt('RW access delete')],
    run: (db, args) => pop(db, args, true),
  }),
  rpop: command<[key: Arg, count?: number], string | string[] | null>({
    arity: -2,
    flags: ['write', 'fast'],
    group: 'list',
    since: '1.0.0',
    summary: 'Takes the last element, or the last few, off a list.',
    complexity: 'O(N) with the number of elements taken',
    syntax: 'key [count]',
    keys: [keysAt('RW access delete')],
    run: (db, args) => pop(db, args, false),
  }),
  lmpop: command<[numkeys: number, ...keysSideAndCount: Arg[]], [key: string, elements: string[]] | null>({
    arity: -4,
    flags: ['write'],
    group: 'list',
    since: '7.0.0',
    summary: 'Takes elements off the first of several lists that has any.',
    complexity: 'O(N+M) with the number of keys and of elements taken',
    syntax: 'numkeys key [key ...] <LEFT|RIGHT> [COUNT count]',
    keys: [keysCounted('RW access delete')],
    run: (db, args, env) => {
      const { first, last, front, count } = parseMultiPop(args, 1);
      return popFirstOf(db, args, first, last, front, count, env) ?? NULL_ARRAY;
    },
  }),
  llen: command<[key: Arg], number>({
    arity: 2,
    flags: ['readonly', 'fast'],
    group: 'list',
    since: '1.0.0',
    summary: 'Returns the number of elements of a list.',
    complexity: 'O(1)',
    syntax: 'key',
    keys: [keysAt('RO')],
    run: (db, args) => db.read(args[1], ListValue)?.size ?? 0,
  }),
  lindex: command<[key: Arg, index: number], string | null>({
    arity: 3,
    flags: ['readonly'],
    group: 'list',
    since: '1.0.0',
    summary: 'Returns the element at an index; negative ones count from the end.',
    complexity: 'O(log N)',
    syntax: 'key index',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const list = db.read(args[1], ListValue);
      if (list === undefined) return null;
      const index = integer(args[2]);
      const at = index < 0 ? list.size + index : index;
      return at < 0 || at >= list.size ? null : list.at(at);
    },
  }),
  lset: command<[key: Arg, index: number, element: Arg], 'OK'>({
    arity: 4,
    flags: ['write', 'denyoom'],
    group: 'list',
    since: '1.0.0',
    summary: 'Replaces the element at an index.',
    complexity: 'O(log N)',
    syntax: 'key index element',
    keys: [keysAt('RW update')],
    run: lset,
  }),
  lrange: command<[key: Arg, start: number, stop: number], string[]>({
    arity: 4,
    flags: ['readonly'],
    group: 'list',
    since: '1.0.0',
    summary: 'Returns the elements of a range of indexes, both ends included.',
    complexity: 'O(log S+N) with the size of the list and of the range',
    syntax: 'key start stop',
    keys: [keysAt('RO access')],
    run: (db, args) => {
      const start = integer(args[2]);
      const stop = integer(args[3]);
      const list = db.read(args[1], ListValue);
      if (list === undefined) return EMPTY;
      const { size } = list;
      const from = Math.max(0, start < 0 ? size + start : start);
      const to = Math.min(size - 1, stop < 0 ? size + stop : stop);
      return from > to ? EMPTY : list.slice(from, to + 1);
    },
  }),
  ltrim: command<[key: Arg, start: number, stop: number], 'OK'>({
    arity: 4,
    flags: ['write'],
    group: 'list',
    since: '1.0.0',
    summary: 'Removes all elements outside a range of indexes.',
    complexity: 'O(N) with the number of elements removed',
    syntax: 'key start stop',
    keys: [keysAt('RW delete')],
    run: ltrim,
  }),
  lrem: command<[key: Arg, count: number, element: Arg], number>({
    arity: 4,
    flags: ['write'],
    group: 'list',
    since: '1.0.0',
    summary: 'Removes elements equal to a value: the first, the last (negative count) or all (0) of them.',
    complexity: 'O(N) with the size of the list',
    syntax: 'key count element',
    keys: [keysAt('RW delete')],
    run: (db, args) => {
      const count = integer(args[2]);
      const list = db.edit(args[1], ListValue);
      if (list === undefined) return 0;
      const removed = list.removeMatching(args[3], count);
      if (removed > 0) shrunk(db, args[1], list, 'lrem');
      return removed;
    },
  }),
  linsert: command<[key: Arg, where: 'BEFORE' | 'AFTER', pivot: Arg, element: Arg], number>({
    arity: 5,
    flags: ['write', 'denyoom'],
    group: 'list',
    since: '2.2.0',
    summary: 'Puts an element before or after the first one equal to a pivot.',
    complexity: 'O(N) with the number of elements before the pivot',
    syntax: 'key <BEFORE|AFTER> pivot element',
    keys: [keysAt('RW insert')],
    run: linsert,
  }),
  lpos: command<[key: Arg, element: Arg, ...options: Arg[]], number | number[] | null>({
    arity: -3,
    flags: ['readonly'],
    group: 'list',
    since: '6.0.6',
    summary: 'Returns the index of a matching element, or of several.',
    complexity: 'O(N) with the number of elements compared',
    syntax: 'key element [RANK rank] [COUNT num-matches] [MAXLEN len]',
    keys: [keysAt('RO access')],
    run: lpos,
  }),
  lmove: command<[source: Arg, destination: Arg, from: Side, to: Side], string | null>({
    arity: 5,
    flags: ['write', 'denyoom'],
    group: 'list',
    since: '6.2.0',
    summary: 'Takes an element off one end of a list, pushes it to one end of another and returns it.',
    complexity: 'O(1)',
    syntax: 'source destination <LEFT|RIGHT> <LEFT|RIGHT>',
    keys: [keysAt('RW access delete'), keysAt('RW insert', 2)],
    run: (db, args) => {
      const from = isLeft(args[3]);
      const to = isLeft(args[4]);
      return move(db, args[1], args[2], from, to);
    },
  }),
  rpoplpush: command<[source: Arg, destination: Arg], string | null>({
    arity: 3,
    flags: ['write', 'denyoom'],
    group: 'list',
    since: '1.2.0',
    summary: 'Takes the last element off a list, pushes it in front of another and returns it.',
    complexity: 'O(1)',
    syntax: 'source destination',
    keys: [keysAt('RW access delete'), keysAt('RW insert', 2)],
    run: (db, args) => move(db, args[1], args[2], false, true),
  }),
};

function push(db: Db, args: readonly string[], front: boolean, onlyIfExists: boolean): Reply {
  const key = args[1];
  const list = onlyIfExists ? db.edit(key, ListValue) : db.editOrCreate(key, ListValue);
  if (list === undefined) return 0;
  list.push(args, 2, front, db.space.limits.listMaxListpackSize);
  db.changed(key, list, Event.list, front ? 'lpush' : 'rpush');
  return list.size;
}

function pop(db: Db, args: readonly string[], front: boolean): Reply {
  const key = args[1];
  if (args.length > 3) throw wrongArity(front ? 'lpop' : 'rpop');
  const counted = args.length === 3;
  const count = counted ? positiveCount(args[2]) : 1;
  const list = db.edit(key, ListValue);
  if (list === undefined) return counted ? NULL_ARRAY : null;
  if (count === 0) return EMPTY;
  const reply = counted ? list.popMany(count, front) : list.pop(front);
  popped(db, key, list, front);
  return reply;
}

function popped(db: Db, key: string, list: ListValue, front: boolean): void {
  shrunk(db, key, list, front ? 'lpop' : 'rpop');
}

// What follows a loss of elements: the encoding may go back to listpack, an emptied list goes.
function shrunk(db: Db, key: string, list: ListValue, event: string): void {
  list.shrink(db.space.limits.listMaxListpackSize);
  db.changed(key, list, Event.list, event);
}

/** LEFT or RIGHT, as `is it left?`; a syntax error otherwise. */
export function isLeft(arg: string): boolean {
  if (arg === 'LEFT') return true;
  if (arg === 'RIGHT') return false;
  const upper = arg.toUpperCase();
  if (upper === 'LEFT') return true;
  if (upper === 'RIGHT') return false;
  throw SYNTAX;
}

/** Takes an element off one list and pushes it to another (perhaps the same); null where the source is missing. */
export function move(
  db: Db,
  source: string,
  target: string,
  fromLeft: boolean,
  toLeft: boolean,
): string | null {
  const from = db.edit(source, ListValue);
  if (from === undefined) return null;
  // Its type is checked before anything is taken off the source.
  const existing = db.edit(target, ListValue);
  const element = from.pop(fromLeft);
  const to = existing ?? db.editOrCreate(target, ListValue);
  to.push([element], 0, toLeft, db.space.limits.listMaxListpackSize);
  db.changed(target, to, Event.list, toLeft ? 'lpush' : 'rpush');
  popped(db, source, from, fromLeft);
  return element;
}

/** What LMPOP and BLMPOP read behind `numkeys`, which stands at an index. */
export interface MultiPop {
  readonly first: number;
  readonly last: number;
  readonly front: boolean;
  readonly count: number;
}

export function parseMultiPop(args: readonly string[], at: number): MultiPop {
  const numkeys = boundedFrom1(args[at], NUMKEYS);
  const where = at + numkeys + 1;
  if (where >= args.length) throw SYNTAX;
  const front = isLeft(args[where]);
  let count = 0;
  for (let i = where + 1; i < args.length; i += 2) {
    if (count !== 0 || args[i].toUpperCase() !== 'COUNT') throw SYNTAX;
    count = boundedFrom1(following(args, i), COUNT_ZERO);
  }
  return { first: at + 1, last: at + numkeys, front, count: count || 1 };
}

// Redis gives these arguments one error for whatever is wrong with them.
function boundedFrom1(arg: string, error: ReplyError): number {
  const value = parseInt64(arg);
  if (value === null || value < 1) throw error;
  return Number(value);
}

/** Takes up to `count` elements off the first list that exists: `[key, elements]`, or null where none does. */
export function popFirstOf(
  db: Db,
  args: readonly string[],
  first: number,
  last: number,
  front: boolean,
  count: number,
  env: Env,
): Reply {
  for (let i = first; i <= last; i++) {
    const key = args[i];
    const list = db.edit(key, ListValue);
    if (list === undefined) continue;
    const elements = list.popMany(count, front);
    popped(db, key, list, front);
    env.propagate([front ? 'LPOP' : 'RPOP', key, String(elements.length)]);
    return [key, elements];
  }
  return null;
}

/** Takes one element off the first list that exists: `[key, element]`, or null where none does. */
export function popOneOf(
  db: Db,
  args: readonly string[],
  first: number,
  last: number,
  front: boolean,
  env: Env,
): Reply {
  for (let i = first; i <= last; i++) {
    const key = args[i];
    const list = db.edit(key, ListValue);
    if (list === undefined) continue;
    const element = list.pop(front);
    popped(db, key, list, front);
    env.propagate([front ? 'LPOP' : 'RPOP', key]);
    return [key, element];
  }
  return null;
}

function lset(db: Db, args: readonly string[]): Reply {
  const [, key, indexText, element] = args;
  const list = db.edit(key, ListValue);
  if (list === undefined) throw NO_SUCH_KEY;
  const index = integer(indexText);
  const { listMaxListpackSize } = db.space.limits;
  list.grow(element.length, 1, listMaxListpackSize);
  const at = index < 0 ? list.size + index : index;
  if (at < 0 || at >= list.size) throw INDEX_OUT_OF_RANGE;
  list.set(at, element);
  shrunk(db, key, list, 'lset');
  return OK;
}

function ltrim(db: Db, args: readonly string[], env: Env): Reply {
  const start = integer(args[2]);
  const stop = integer(args[3]);
  const list = db.edit(args[1], ListValue);
  if (list === undefined) return OK;
  const { size } = list;
  const from = Math.max(0, start < 0 ? size + start : start);
  const to = Math.min(size - 1, stop < 0 ? size + stop : stop);
  if (from > to) {
    list.removeRange(0, size);
  } else {
    list.removeRange(to + 1, size - to - 1);
    list.removeRange(0, from);
    // Redis announces a trim that removes nothing, and WATCH sees it, but the log does not record it.
    if (from === 0 && to === size - 1) env.propagate();
  }
  shrunk(db, args[1], list, 'ltrim');
  return OK;
}

function linsert(db: Db, args: readonly string[]): Reply {
  const [, key, where, pivot, element] = args;
  const side = where.toUpperCase();
  if (side !== 'AFTER' && side !== 'BEFORE') throw SYNTAX;
  const list = db.edit(key, ListValue);
  if (list === undefined) return 0;
  // Redis makes room before it looks for the pivot, so even a miss may change the encoding.
  list.grow(element.length, 1, db.space.limits.listMaxListpackSize);
  const at = list.indexOf(pivot);
  if (at < 0) return -1;
  list.insert(at, element, side === 'AFTER');
  db.changed(key, list, Event.list, 'linsert');
  return list.size;
}

function lpos(db: Db, args: readonly string[]): Reply {
  let rank = 1;
  let count = -1;
  let maxlen = 0;
  for (let i = 3; i < args.length; i += 2) {
    const option = args[i].toUpperCase();
    const known = option === 'RANK' || option === 'COUNT' || option === 'MAXLEN';
    if (!known) throw SYNTAX;
    const arg = following(args, i);
    if (option === 'RANK') rank = rankOf(arg);
    else if (option === 'COUNT') count = notNegative(arg, COUNT_NEGATIVE);
    else maxlen = notNegative(arg, MAXLEN_NEGATIVE);
  }
  const list = db.read(args[1], ListValue);
  if (list === undefined) return count < 0 ? null : EMPTY;
  const found = positions(list, args[2], rank, count < 0 ? 1 : count, maxlen);
  return count < 0 ? (found[0] ?? null) : found;
}

function rankOf(arg: string): number {
  const rank = int64(arg);
  if (rank === 0) throw RANK_ZERO;
  if (rank === INT64_MIN) throw RANK_RANGE;
  return Number(rank);
}

function notNegative(arg: string, error: ReplyError): number {
  const value = parseInt64(arg);
  if (value === null || value < 0) throw error;
  return Number(value);
}

// Indexes of up to `count` (0: all) matches from the one of this rank on, comparing `maxlen` (0: all) elements.
function positions(list: ListValue, element: string, rank: number, count: number, maxlen: number): number[] {
  const found: number[] = [];
  const step = rank < 0 ? -1 : 1;
  let skip = Math.abs(rank) - 1;
  let left = maxlen === 0 ? list.size : Math.min(maxlen, list.size);
  list.forEachFrom(step === 1 ? 0 : list.size - 1, step, (value, index) => {
    if (left-- <= 0) return true;
    if (value !== element) return false;
    if (skip > 0) {
      skip--;
      return false;
    }
    found.push(index);
    return found.length === count;
  });
  return found;
}
