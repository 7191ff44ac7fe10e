// Deadlines of keys: EXPIRE and its kin, TTL and its kin, PERSIST. Db purges what is over; SET … EX and GETEX
// (strings.ts) set deadlines of their own.
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import { type Reply, ReplyError } from '../resp/reply.ts';
import { int64 } from './args.ts';
import { invalidExpire } from './errors.ts';
import type { Env } from './ports.ts';
import { type Arg, command, keysAt } from './spec.ts';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
/** Seconds below this, turned into milliseconds and added to the time, stay exact numbers. */
const PLAIN_SECONDS = 2 ** 42;

const NX_EXCLUDES = new ReplyError('ERR NX and XX, GT or LT options at the same time are not compatible');
const GT_EXCLUDES_LT = new ReplyError('ERR GT and LT options at the same time are not compatible');

/** Bits of the conditions under which a deadline is set. */
const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;

type Condition = 'NX' | 'XX' | 'GT' | 'LT';

const WRITE = {
  arity: -3,
  flags: ['write', 'fast'],
  group: 'generic',
  complexity: 'O(1)',
  keys: [keysAt('RW update')],
} as const;

const READ = {
  arity: 2,
  flags: ['readonly', 'fast'],
  group: 'generic',
  complexity: 'O(1)',
  syntax: 'key',
  keys: [keysAt('RO access')],
} as const;

export const expiry = {
  expire: command<[key: Arg, seconds: number | bigint | string, ...conditions: Condition[]], number>({
    ...WRITE,
    since: '1.0.0',
    summary: 'Sets how many seconds a key has to live.',
    syntax: 'key seconds [NX|XX|GT|LT]',
    run: (db, args, env) => expire(db, args, env, 'expire', 1000, true),
  }),
  pexpire: command<[key: Arg, milliseconds: number | bigint | string, ...conditions: Condition[]], number>({
    ...WRITE,
    since: '2.6.0',
    summary: 'Sets how many milliseconds a key has to live.',
    syntax: 'key milliseconds [NX|XX|GT|LT]',
    run: (db, args, env) => expire(db, args, env, 'pexpire', 1, true),
  }),
  expireat: command<[key: Arg, unixSeconds: number | bigint | string, ...conditions: Condition[]], number>({
    ...WRITE,
    since: '1.2.0',
    summary: 'Sets the Unix time in seconds at which a key ends.',
    syntax: 'key unix-time-seconds [NX|XX|GT|LT]',
    run: (db, args, env) => expire(db, args, env, 'expireat', 1000, false),
  }),
  pexpireat: command<[key: Arg, unixMs: number | bigint | string, ...conditions: Condition[]], number>({
    ...WRITE,
    since: '2.6.0',
    summary: 'Sets the Unix time in milliseconds at which a key ends.',
    syntax: 'key unix-time-milliseconds [NX|XX|GT|LT]',
    run: (db, args, env) => expire(db, args, env, 'pexpireat', 1, false),
  }),
  ttl: command<[key: Arg], number>({
    ...READ,
    since: '1.0.0',
    summary: 'Answers the seconds a key has left; -1 without a deadline, -2 where there is no key.',
    tips: ['nondeterministic_output'],
    run: (db, args) => remaining(db, args[1], true, false),
  }),
  pttl: command<[key: Arg], number>({
    ...READ,
    since: '2.6.0',
    summary: 'Answers the milliseconds a key has left; -1 without a deadline, -2 where there is no key.',
    tips: ['nondeterministic_output'],
    run: (db, args) => remaining(db, args[1], false, false),
  }),
  expiretime: command<[key: Arg], number>({
    ...READ,
    since: '7.0.0',
    summary:
      'Answers the Unix time in seconds at which a key ends; -1 without one, -2 where there is no key.',
    run: (db, args) => remaining(db, args[1], true, true),
  }),
  pexpiretime: command<[key: Arg], number>({
    ...READ,
    since: '7.0.0',
    summary:
      'Answers the Unix time in milliseconds at which a key ends; -1 without one, -2 where there is no key.',
    run: (db, args) => remaining(db, args[1], false, true),
  }),
  persist: command<[key: Arg], number>({
    ...WRITE,
    arity: 2,
    since: '2.2.0',
    summary: 'Takes the deadline off a key.',
    syntax: 'key',
    run: (db, args) => {
      const key = args[1];
      if (db.lookupWrite(key) === undefined || db.deadline(key) === 0) return 0;
      db.setDeadline(key, 0);
      db.signal(key, Event.generic, 'persist');
      return 1;
    },
  }),
};

function expire(
  db: Db,
  args: readonly string[],
  env: Env,
  name: string,
  unit: 1 | 1000,
  relative: boolean,
): Reply {
  const conditions = args.length > 3 ? parseConditions(args) : 0;
  const { space } = db;
  const when = absolute(int64(args[2]), unit, relative ? space.now() : 0, name);
  const key = args[1];
  if (db.lookupWrite(key) === undefined) return 0;
  if (conditions !== 0 && !mayReplace(db.deadline(key), Number(when), conditions)) return 0;
  // While a log is loaded a time that is over is set as any other: its DEL follows in the log.
  if (when <= space.now() && space.mayExpire) {
    db.remove(key);
    db.signal(key, Event.generic, 'del');
    env.propagate(['DEL', key]);
    return 1;
  }
  db.setDeadline(key, Math.max(1, Number(when)));
  db.signal(key, Event.generic, 'expire');
  if (relative || unit !== 1) env.propagate(['PEXPIREAT', key, String(when), ...args.slice(3)]);
  return 1;
}

function parseConditions(args: readonly string[]): number {
  let conditions = 0;
  for (let i = 3; i < args.length; i++) {
    switch (args[i].toLowerCase()) {
      case 'nx':
        conditions |= NX;
        break;
      case 'xx':
        conditions |= XX;
        break;
      case 'gt':
        conditions |= GT;
        break;
      case 'lt':
        conditions |= LT;
        break;
      default:
        throw new ReplyError(`ERR Unsupported option ${printable(args[i])}`);
    }
  }
  if (conditions & NX && conditions & (XX | GT | LT)) throw NX_EXCLUDES;
  if (conditions & GT && conditions & LT) throw GT_EXCLUDES_LT;
  return conditions;
}

// An error is one line, and C's text ends at a NUL.
function printable(option: string): string {
  const nul = option.indexOf('\0');
  return (nul < 0 ? option : option.slice(0, nul)).replace(/[\r\n]/g, ' ');
}

// No deadline counts as one that never comes: GT never passes there, LT always.
function mayReplace(current: number, when: number, conditions: number): boolean {
  if (conditions & NX && current !== 0) return false;
  if (conditions & XX && current === 0) return false;
  if (conditions & GT && (current === 0 || when <= current)) return false;
  return !(conditions & LT && current !== 0 && when >= current);
}

/** Unix ms of a time argument, within 64 bits as Redis checks them: overflow is an error, a negative time is not. */
function absolute(time: number | bigint, unit: 1 | 1000, base: number, name: string): number | bigint {
  if (typeof time === 'number' && Math.abs(time) < PLAIN_SECONDS) return time * unit + base;
  let exact = BigInt(time);
  if (unit === 1000) {
    if (exact > INT64_MAX / 1000n || exact < INT64_MIN / 1000n) throw invalidExpire(name);
    exact *= 1000n;
  }
  if (exact > INT64_MAX - BigInt(base)) throw invalidExpire(name);
  return exact + BigInt(base);
}

function remaining(db: Db, key: string, seconds: boolean, asTime: boolean): Reply {
  if (db.probe(key) === undefined) return -2;
  const when = db.deadline(key);
  if (when === 0) return -1;
  const ms = Math.max(0, asTime ? when : when - db.space.now());
  if (seconds) return Math.floor((ms + 500) / 1000);
  if (Number.isSafeInteger(ms)) return ms;
  // A deadline some 285,000 years ahead is kept rounded; the reply must stay a 64-bit integer.
  const rounded = BigInt(ms);
  return rounded > INT64_MAX ? INT64_MAX : rounded;
}
