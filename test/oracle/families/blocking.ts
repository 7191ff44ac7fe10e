// Blocking pops and moves: who is served, in which order, with what, and how they time out. Every client that
// may block is released by a CLIENT UNBLOCK some steps later. Called by generate.ts.

import type { Family, Gen, Part } from '../grammar.ts';
import { command, type Step } from '../steps.ts';

const SPEAKERS = 4;
const timeout: Part = (g) => {
  const r = g.random;
  if (r.chance(0.75)) return ['0'];
  if (r.chance(0.3)) return ['0.01'];
  if (r.chance(0.4)) return ['1000'];
  return [r.pick(['-1', 'abc', '', 'nan', 'inf', '1e30', '9223372036854775807', '0x0', '-0'])];
};
const listKey = (g: Gen): string =>
  g.random.chance(0.9) ? `bl:${g.random.int(0, 2)}` : g.random.pick(['bz:0', 's:0']);
const zsetKey = (g: Gen): string =>
  g.random.chance(0.9) ? `bz:${g.random.int(0, 1)}` : g.random.pick(['bl:0', 's:0']);
const some = (g: Gen, make: (g: Gen) => string): string[] =>
  Array.from({ length: g.random.chance(0.65) ? 1 : g.random.int(2, 3) }, () => make(g));
const side = (g: Gen): string => g.random.pick(['LEFT', 'RIGHT']);
const limit = (g: Gen): string[] =>
  g.random.chance(0.5) ? ['COUNT', g.random.pick(['1', '2', '10', '0', '-1'])] : [];
const wait = (g: Gen): string => (timeout as (g: Gen) => string[])(g)[0]!;

function waiting(g: Gen): string[] {
  const r = g.random;
  const lists = some(g, listKey);
  const zsets = some(g, zsetKey);
  return r.pick([
    () => ['BLPOP', ...lists, wait(g)],
    () => ['BRPOP', ...lists, wait(g)],
    () => ['BLMOVE', listKey(g), listKey(g), side(g), side(g), wait(g)],
    () => ['BRPOPLPUSH', listKey(g), listKey(g), wait(g)],
    () => ['BLMPOP', wait(g), String(lists.length), ...lists, side(g), ...limit(g)],
    () => ['BZPOPMIN', ...zsets, wait(g)],
    () => ['BZPOPMAX', ...zsets, wait(g)],
    () => ['BZMPOP', wait(g), String(zsets.length), ...zsets, r.pick(['MIN', 'MAX']), ...limit(g)],
  ])();
}

/** Commands that may make one of the awaited keys ready, or take it away. */
function feeding(g: Gen): string[] {
  const r = g.random;
  const l = listKey(g);
  const z = zsetKey(g);
  return r.pick([
    () => ['RPUSH', l, 'a'],
    () => ['RPUSH', l, 'a', 'b', 'c'],
    () => ['LPUSH', l, 'x', 'y'],
    () => ['RPUSH', l, 'a'],
    () => ['LPUSHX', l, 'q'],
    () => ['LMOVE', 'l:0', l, 'LEFT', 'RIGHT'],
    () => ['RPOPLPUSH', l, listKey(g)],
    () => ['SORT', 'l:0', 'STORE', l],
    () => ['SORT', 'nosuch', 'STORE', l],
    () => ['RENAME', 'l:1', l],
    () => ['RENAME', 'z:1', z],
    () => ['COPY', 'l:2', l, 'REPLACE'],
    () => ['COPY', 'z:2', z, 'REPLACE'],
    () => ['ZADD', z, '1', 'a'],
    () => ['ZADD', z, '1', 'a', '2', 'b', '3', 'c'],
    () => ['ZINCRBY', z, '1', 'n'],
    () => ['ZUNIONSTORE', z, '1', 'z:0'],
    () => ['ZRANGESTORE', z, 'z:0', '0', '1'],
    () => ['SET', l, 'string'],
    () => ['SADD', z, 'set'],
    () => ['DEL', l, z],
    () => ['LPOP', l],
    () => ['ZPOPMIN', z],
    () => ['SWAPDB', '0', '1'],
    () => ['LINSERT', l, 'BEFORE', 'a', 'i'],
  ])();
}

/** One to three clients wait, somebody feeds (plainly or in a transaction), the rest is released. */
function queue(g: Gen): Step[] {
  const r = g.random;
  const speakers = Math.min(SPEAKERS, g.connections);
  const waiters = r.shuffle(Array.from({ length: speakers }, (_, i) => i)).slice(0, r.int(1, speakers - 1));
  const feeder = Array.from({ length: speakers }, (_, i) => i).find((i) => !waiters.includes(i))!;
  const steps: Step[] = [];
  if (r.chance(0.5)) steps.push(command(feeder, 'DEL', 'bl:0', 'bl:1', 'bl:2', 'bz:0', 'bz:1'));
  for (const conn of waiters) steps.push(command(conn, ...waiting(g)));
  const transaction = r.chance(0.35);
  if (transaction) steps.push(command(feeder, 'MULTI'));
  for (let n = r.int(1, 4); n > 0; n--) steps.push(command(feeder, ...feeding(g)));
  if (transaction) steps.push(command(feeder, 'EXEC'));
  const release = (conn: number): Step =>
    command(feeder, 'CLIENT', 'UNBLOCK', `{id:${conn}}`, ...r.pick([[], ['TIMEOUT'], ['ERROR']]));
  for (const conn of waiters) {
    if (r.chance(0.5)) steps.push(release(conn));
    else g.later(r.int(2, 30), release(conn));
  }
  return steps;
}

const waitingArgs =
  (name: string): Part =>
  (g) => {
    let args = waiting(g);
    for (let i = 0; i < 200 && args[0] !== name; i++) args = waiting(g);
    g.later(g.random.int(2, 20), command((g.conn + 1) % SPEAKERS, 'CLIENT', 'UNBLOCK', `{id:${g.conn}}`));
    return args[0] === name ? args.slice(1) : [];
  };

export const blocking: Family = {
  name: 'blocking',
  commands: {
    BLPOP: [0.5, waitingArgs('BLPOP')],
    BRPOP: [0.5, waitingArgs('BRPOP')],
    BLMOVE: [0.5, waitingArgs('BLMOVE')],
    BRPOPLPUSH: [0.5, waitingArgs('BRPOPLPUSH')],
    BLMPOP: [0.5, waitingArgs('BLMPOP')],
    BZPOPMIN: [0.5, waitingArgs('BZPOPMIN')],
    BZPOPMAX: [0.5, waitingArgs('BZPOPMAX')],
    BZMPOP: [0.5, waitingArgs('BZMPOP')],
    RPUSH: [1, (g) => [listKey(g)], 'a', 'b'],
    ZADD: [1, (g) => [zsetKey(g)], '1', 'a'],
  },
  scenarios: [{ weight: 4, make: queue }],
};
