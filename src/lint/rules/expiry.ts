// Rules about times to live: keys that need one and have none, and keys that must not have one. index.ts runs them.
import { fills, hasWord, keysOf, writes } from '../commands.ts';
import type { Rule } from '../finding.ts';
import { hasAny, wordsFor, wordsOf } from '../names.ts';
import type { RedisCall, Run } from '../run.ts';
import type { Script } from '../script.ts';
import { contains, core, identity, isSame, shown, textOf, type Value } from '../values.ts';

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

/** Names of what lives for a while. */
const TEMPORARY = words(
  'lock lease mutex rate ratelimit limit limiter window throttle idem idempotency idempotent dedup dedupe session otp token cache cached temp tmp',
);
/** Names of what stays, whatever else the name says. */
const DURABLE = words(
  'index idx due fence fencing queue ledger stream log audit stock balance account config settings counter total version seq sequence users user_sessions holders bucket_config pending all',
);

const SETS_DEADLINE = /^P?EXPIRE(?:AT)?$/;
const WITH_DEADLINE = /^(?:P?SETEX|GETEX)$/;

/** Does the call give this key a time to live (or take it away on purpose)? */
function setsDeadline(call: RedisCall, key: Value): boolean {
  const name = call.name ?? '';
  if (!isKeyOf(call, key)) return false;
  if (SETS_DEADLINE.test(name) || WITH_DEADLINE.test(name) || name === 'PERSIST') return true;
  // A computed option may be one of these.
  const options = call.args.slice(3);
  return (
    name === 'SET' &&
    (hasWord(call, 'EX', 'PX', 'EXAT', 'PXAT', 'KEEPTTL') ||
      call.open ||
      options.some((arg) => textOf(arg) === null))
  );
}

function isKeyOf(call: RedisCall, key: Value): boolean {
  return keysOf(call).some(({ value }) => identity(core(value)) === identity(core(key)));
}

const missingTtl: Rule = {
  id: 'missing-ttl',
  severity: 'warning',
  why: 'The key stays for ever: a lock is never free again, a window never ends, memory is never given back.',
  remedy: 'Set the time to live in the same script: SET … PX, or EXPIRE right behind the write.',
  wrong: "-- KEYS[1] = lock key\nreturn redis.call('SET', KEYS[1], ARGV[1], 'NX')",
  right: "-- KEYS[1] = lock key\nreturn redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])",
  check(script, tell) {
    for (const run of script.runs) {
      const told = new Set<string>();
      for (const call of run.calls) {
        const key = keysOf(call)[0];
        if (key === undefined || !fills(call, key) || told.has(identity(core(key.value)))) continue;
        if (!needsDeadline(script, run, call, key.value)) continue;
        if (run.calls.some((other) => setsDeadline(other, key.value))) continue;
        told.add(identity(core(key.value)));
        tell(
          { line: call.line, at: call.node.args[0] },
          `${call.name} makes ${shown(key.value)} without a time to live`,
        );
      }
    }
  },
};

function needsDeadline(script: Script, run: Run, call: RedisCall, key: Value): boolean {
  const names = wordsFor(run, key);
  // A script with one key is named after what it does to that key.
  if (keysWritten(run).size === 1) {
    for (const word of wordsOf(`${run.root.name ?? ''} ${script.fileName}`)) names.add(word);
  }
  if (hasAny(names, DURABLE)) return false;
  if (call.name === 'SETNX' || (call.name === 'SET' && hasWord(call, 'NX'))) return true;
  if (!hasAny(names, TEMPORARY)) return false;
  // What looks at the key first may only change what is there, with the time to live that it has. SET takes it away.
  return (
    call.name === 'SET' || !run.calls.some((other) => other.order < call.order && looksAt(run, other, key))
  );
}

function keysWritten(run: Run): Set<string> {
  return new Set(
    run.calls.filter(writes).flatMap((call) => keysOf(call).map(({ value }) => identity(core(value)))),
  );
}

function looksAt(run: Run, call: RedisCall, key: Value): boolean {
  if (writes(call) || !isKeyOf(call, key)) return false;
  const isReply = (part: Value): boolean => part.kind === 'reply' && part.call === call;
  return (
    run.comparisons.some(({ left, right }) => contains(left, isReply) || contains(right, isReply)) ||
    run.calls.some((other) => other.guards.some((guard) => contains(guard, isReply)))
  );
}

/** Names of what holds part of a stock for a while. */
const HOLDS = words(
  'hold holds reservation reservations reserve reserved cart basket booking booked allocation',
);
/** Names of records that only remember, so that nothing is lost with them. */
const RECORDS = words(
  'idem idempotency dedup request requests req replay result results seen processed token lock lease rate limit window payment log audit cache session',
);

const expiringHold: Rule = {
  id: 'expiring-hold',
  severity: 'error',
  why: 'When the hold expires, what it took from the stock is gone: nothing gives it back.',
  remedy: 'Keep the hold without a time to live, index it by its due time, and sweep the overdue ones.',
  wrong: `local n = tonumber(ARGV[1])
redis.call('DECRBY', KEYS[1], n)
redis.call('HSET', KEYS[2], 'quantity', n)
redis.call('EXPIRE', KEYS[2], 300)`,
  right: `local n = tonumber(ARGV[1])
redis.call('DECRBY', KEYS[1], n)
redis.call('HSET', KEYS[2], 'quantity', n)
redis.call('ZADD', KEYS[3], redis.call('TIME')[1] + 300, ARGV[2])`,
  check({ runs }, tell) {
    for (const run of runs) {
      const taken = run.calls.flatMap(takes);
      if (taken.length === 0) continue;
      for (const call of run.calls) {
        const key = keysOf(call)[0]?.value;
        if (key === undefined || call.name === 'PERSIST' || !setsDeadline(call, key)) continue;
        const stock = taken.find((each) => isHold(run, key, each));
        if (stock === undefined) continue;
        tell(
          { line: call.line, at: call.node.args[0] },
          `${shown(key)} expires, and holds what was taken from ${shown(stock.from)} (line ${stock.line})`,
        );
      }
    }
  },
};

interface Taking {
  readonly from: Value;
  readonly amount: Value | null;
  readonly line: number;
}

function takes(call: RedisCall): Taking[] {
  const { name, args, line } = call;
  if (name === 'DECR') return [{ from: args[1], amount: null, line }];
  if (name === 'DECRBY') return [{ from: args[1], amount: args[2], line }];
  const amount = name === 'INCRBY' ? args[2] : name === 'HINCRBY' ? args[3] : undefined;
  if (amount === undefined) return [];
  const isNegative =
    (amount.kind === 'constant' && Number(amount.value) < 0) ||
    (amount.kind === 'computed' && amount.operator === '-' && amount.operands.length === 1);
  if (!isNegative) return [];
  return [{ from: args[1], amount: amount.kind === 'computed' ? amount.operands[0] : null, line }];
}

function isHold(run: Run, key: Value, { from, amount }: Taking): boolean {
  if (identity(core(key)) === identity(core(from))) return false;
  const written = run.calls.filter((call) => writes(call) && isKeyOf(call, key));
  if (!written.some((call) => keysOf(call).some((each) => fills(call, each)))) return false;
  const names = wordsFor(run, key);
  if (hasAny(names, HOLDS)) return true;
  if (hasAny(names, RECORDS) || amount === null) return false;
  return written.some((call) => call.args.slice(2).some((arg) => isSame(arg, amount)));
}

/** Times to live. */
export const EXPIRY_RULES: readonly Rule[] = [missingTtl, expiringHold];
