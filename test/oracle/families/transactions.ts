// MULTI, EXEC, DISCARD, WATCH and UNWATCH among several connections. Called by generate.ts.

import { anyKey, anyKeyName, type Family, type Gen, many } from '../grammar.ts';
import { command, type Step } from '../steps.ts';

const SPEAKERS = 4;

/** WATCH, perhaps somebody's write, MULTI, some commands, EXEC. */
function optimistic(g: Gen): Step[] {
  const r = g.random;
  const { conn } = g;
  const k = anyKeyName(g);
  const steps: Step[] = [];
  if (r.chance(0.6)) steps.push(command(conn, 'WATCH', k, ...(r.chance(0.3) ? [anyKeyName(g)] : [])));
  if (r.chance(0.6)) {
    const who = r.chance(0.3) ? conn : r.int(0, Math.min(SPEAKERS, g.connections) - 1);
    const write = r.pick([
      ['SET', k, 'x'],
      ['DEL', k],
      ['APPEND', k, ''],
      ['INCR', k],
      ['EXPIRE', k, '5000'],
      ['PERSIST', k],
      ['TOUCH', k],
      ['GET', k],
      ['SADD', k, 'a'],
      ['SREM', k, 'nobody'],
      ['RENAME', k, 's:3'],
      ['RENAME', 's:3', k],
      ['COPY', 's:1', k, 'REPLACE'],
      ['SWAPDB', '0', '1'],
      ['FLUSHDB'],
      ['SORT', 'l:0', 'STORE', k],
      ['SINTERSTORE', k, 'e:0', 'e:1'],
      ['ZUNIONSTORE', k, '1', 'z:0'],
      ['LREM', k, '0', 'nothing'],
      ['LTRIM', k, '0', '-1'],
      ['HSET', k, 'a', 'a'],
      ['SETRANGE', k, '0', ''],
      ['GETEX', k],
      ['GETEX', k, 'PERSIST'],
      ['MOVE', k, '1'],
    ]);
    steps.push(command(who, ...write));
  }
  if (r.chance(0.1)) steps.push(command(conn, 'UNWATCH'));
  steps.push(command(conn, 'MULTI'));
  const inside = { ...g, inMulti: true };
  for (let n = r.int(0, 6); n > 0; n--) {
    if (r.chance(0.05))
      steps.push(command(conn, ...r.pick([['NOSUCH', 'x'], ['GET'], ['MULTI'], ['WATCH', k]])));
    else steps.push(command(conn, ...inside.any()));
  }
  if (r.chance(0.1)) {
    steps.push(command(r.int(0, Math.min(SPEAKERS, g.connections) - 1), 'SET', k, 'late'));
  }
  steps.push(command(conn, r.chance(0.93) ? 'EXEC' : 'DISCARD'));
  return steps;
}

export const transactions: Family = {
  name: 'transactions',
  commands: {
    MULTI: [2],
    EXEC: [3],
    DISCARD: [1],
    WATCH: [2, many(1, 3, anyKey)],
    UNWATCH: [1],
  },
  scenarios: [{ weight: 3, make: optimistic }],
};
