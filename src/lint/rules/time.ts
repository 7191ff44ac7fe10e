// Rules about the clock: one script sees one instant, two scripts may see the same one, and clients disagree. index.ts
// runs them.

import { keysOf } from '../commands.ts';
import type { Rule, Tell } from '../finding.ts';
import { isNamedNow, wordsFor } from '../names.ts';
import type { RedisCall, Run } from '../run.ts';
import { contains, core, identity, isSame, shown, type Value } from '../values.ts';

const isTime = (value: Value): boolean =>
  (value.kind === 'reply' && value.call.name === 'TIME') ||
  (value.kind === 'result' && /^os\.(?:time|clock)$/.test(value.name));

/** The readings of the clock that a value was made of. */
function readings(value: Value): Set<string> {
  const found = new Set<string>();
  contains(value, (part) => {
    if (isTime(part)) found.add(identity(part));
    return false;
  });
  return found;
}

const timeDifference: Rule = {
  id: 'time-difference',
  severity: 'error',
  why: 'TIME stands still while a script runs, so two readings are equal and the duration is always zero.',
  remedy: 'Measure in the client, or compare with a time that an earlier call has stored.',
  wrong: `local t0 = redis.call('TIME')
redis.call('INCR', KEYS[1])
return redis.call('TIME')[2] - t0[2]`,
  right: `local t = redis.call('TIME')
redis.call('INCR', KEYS[1])
return t[1] - redis.call('GET', KEYS[2])`,
  check({ runs }, tell) {
    for (const { computed } of runs) {
      for (const { operator, operands, line } of computed) {
        if (operator !== '-') continue;
        const [left, right] = operands.map(readings);
        const isTwice = left.size === 1 && right.size === 1 && [...left][0] !== [...right][0];
        if (isTwice) tell({ line, at: ' - ' }, 'two readings of TIME in one run are subtracted');
      }
    }
  },
};

interface Member {
  readonly score: Value;
  readonly member: Value;
  readonly at: number;
}

const OPTION = /^(?:NX|XX|GT|LT|CH|INCR)$/i;

/** The pairs of a ZADD. */
export function membersOf(call: RedisCall): Member[] {
  if (call.name !== 'ZADD' || call.open) return [];
  let at = 2;
  while (at < call.args.length) {
    const word = call.args[at];
    if (word.kind !== 'constant' || !OPTION.test(String(word.value))) break;
    at++;
  }
  const found: Member[] = [];
  for (; at + 1 < call.args.length; at += 2) {
    found.push({ score: call.args[at], member: call.args[at + 1], at: at + 1 });
  }
  return found;
}

/** Made of the time and constants only. */
function isOnlyTime(value: Value): boolean {
  const inner = core(value);
  if (isTime(inner)) return true;
  if (inner.kind === 'element') return isOnlyTime(inner.of);
  if (inner.kind !== 'computed') return false;
  const parts = inner.operands.map(core).filter((part) => part.kind !== 'constant');
  return parts.length > 0 && parts.every(isOnlyTime);
}

const timestampMember: Rule = {
  id: 'timestamp-member',
  severity: 'error',
  why: 'A sorted set holds each member once, so two requests of one instant count as one.',
  remedy: 'Put something unique into the member, such as a request id or a counter.',
  wrong:
    "local now = redis.call('TIME')[1]\nredis.call('ZADD', KEYS[1], now, now)\nredis.call('EXPIRE', KEYS[1], 60)",
  right:
    "local now = redis.call('TIME')[1]\nredis.call('ZADD', KEYS[1], now, ARGV[1])\nredis.call('EXPIRE', KEYS[1], 60)",
  check({ runs }, tell) {
    for (const run of runs) {
      for (const call of run.calls) {
        for (const { score, member, at } of membersOf(call)) {
          const isClock = isOnlyTime(member) || isNamedNow(run, member);
          const isScore = isSame(score, member) && isNamedNow(run, score);
          if (!isClock && !isScore) continue;
          tell({ line: call.line, at: call.node.args[at] }, `the member ${shown(member)} is only a time`);
        }
      }
    }
  },
};

const clientClock: Rule = {
  id: 'client-clock',
  severity: 'warning',
  why: 'Clients have clocks of their own, and one that runs ahead shifts the window or lease of all others.',
  remedy: "Read the server's clock in the script with redis.call('TIME').",
  wrong: `local now = tonumber(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - 60)
redis.call('ZADD', KEYS[1], now, ARGV[2])`,
  right: `local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - 60)
redis.call('ZADD', KEYS[1], now, ARGV[2])`,
  check({ runs }, tell) {
    for (const run of runs) {
      const told = new Set<string>();
      const check = (value: Value, line: number, use: string): void => {
        for (const input of clocksIn(run, value)) {
          if (told.has(input)) continue;
          told.add(input);
          tell({ line }, `${input} is the caller's time, and ${use}`);
        }
      };
      for (const call of run.calls) checkScores(call, check);
      for (const { left, right, line } of run.comparisons) {
        for (const side of [left, right]) check(side, line, 'is compared here');
      }
    }
  },
};

function checkScores(call: RedisCall, check: (value: Value, line: number, use: string) => void): void {
  for (const { score } of membersOf(call)) check(score, call.line, 'is a score here');
  if (!/^Z(?:REMRANGEBYSCORE|COUNT|(?:REV)?RANGEBYSCORE)$/.test(call.name ?? '')) return;
  for (const bound of call.args.slice(2, 4)) check(bound, call.line, 'is the bound of a range here');
}

/** Arguments of the caller in a value that are named like the present time. */
function clocksIn(run: Run, value: Value): string[] {
  const found = new Set<string>();
  contains(value, (part) => {
    if (part.kind === 'input' && part.of === 'ARGV' && isNamedNow(run, part)) found.add(shown(part));
    return false;
  });
  return [...found];
}

const timestampId: Rule = {
  id: 'timestamp-id',
  severity: 'error',
  why: 'Two callers of one instant get the same id, and the second overwrites what the first has written.',
  remedy: 'Take the id from INCR, or let the caller pass one that is unique.',
  wrong: "local id = redis.call('TIME')[1]\nredis.call('HSET', KEYS[1], id, ARGV[1])",
  right: "local id = redis.call('INCR', KEYS[2])\nredis.call('HSET', KEYS[1], id, ARGV[1])",
  check({ runs }, tell) {
    for (const run of runs) for (const call of run.calls) checkIds(run, call, tell);
  },
};

function checkIds(run: Run, call: RedisCall, tell: Tell): void {
  const keys = new Set(keysOf(call).map(({ at }) => at));
  call.args.forEach((value, at) => {
    if (at === 0 || !isOnlyTime(value)) return;
    const isKey = keys.has(at) && core(value).kind === 'computed';
    const isId = [...wordsFor(run, value)].some((word) => word === 'id') && call.name !== 'TIME';
    if (isKey || isId)
      tell({ line: call.line, at: call.node.args[at] }, `the id ${shown(value)} is only a time`);
  });
}

/** The clock. */
export const TIME_RULES: readonly Rule[] = [timeDifference, timestampMember, clientClock, timestampId];
