// DUMP and RESTORE: a key's value as bytes that another database or server takes. The format is persistence/rdb's.
import type { Db } from '../keyspace/db.ts';
import { Event } from '../keyspace/events.ts';
import type { Value } from '../keyspace/values.ts';
import { RdbError } from '../persistence/rdb/format.ts';
import { dumpValue, openPayload, payloadValue } from '../persistence/rdb/payload.ts';
import { OK, type Reply, ReplyError } from '../resp/reply.ts';
import { int64 } from './args.ts';
import { SYNTAX } from './errors.ts';
import type { Env } from './ports.ts';
import { type Arg, command, keysAt } from './spec.ts';

const BUSY_KEY = new ReplyError('BUSYKEY Target key name already exists.');
const BAD_TTL = new ReplyError('ERR Invalid TTL value, must be >= 0');
const BAD_IDLE_TIME = new ReplyError('ERR Invalid IDLETIME value, must be >= 0');
const BAD_FREQUENCY = new ReplyError('ERR Invalid FREQ value, must be >= 0 and <= 255');
const WRONG_FOOTER = new ReplyError('ERR DUMP payload version or checksum are wrong');
const BAD_FORMAT = new ReplyError('ERR Bad data format');

export const dumps = {
  dump: command<[key: Arg], Uint8Array | null>({
    arity: 2,
    flags: ['readonly'],
    group: 'generic',
    since: '2.6.0',
    summary: 'Answers the value of a key as bytes, for RESTORE; null where there is none.',
    complexity: 'O(N) with the size of the value',
    syntax: 'key',
    keys: [keysAt('RO access')],
    tips: ['nondeterministic_output'],
    binary: true,
    run: (db, args) => {
      const value = db.lookup(args[1]);
      return value === undefined ? null : dumpValue(value);
    },
  }),
  restore: command<[key: Arg, ttl: number | bigint | string, payload: Uint8Array, ...options: Arg[]], 'OK'>({
    arity: -4,
    flags: ['write', 'denyoom'],
    group: 'generic',
    since: '2.6.0',
    summary: 'Makes a key of what DUMP answered, with a lifetime in milliseconds (0: for ever).',
    complexity: 'O(N*log(N)) with the size of the value at most',
    syntax: 'key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]',
    keys: [keysAt('OW update')],
    categories: ['dangerous'],
    run: restore,
  }),
};

interface Options {
  replace: boolean;
  absolute: boolean;
  /** Seconds since the last access, and the counter of accesses; -1 where they are not given. */
  idle: number;
  frequency: number;
}

function parseOptions(args: readonly string[]): Options {
  const options: Options = { replace: false, absolute: false, idle: -1, frequency: -1 };
  for (let i = 4; i < args.length; i++) {
    const option = args[i].toLowerCase();
    const hasMore = i + 1 < args.length;
    if (option === 'replace') options.replace = true;
    else if (option === 'absttl') options.absolute = true;
    else if (option === 'idletime' && hasMore && options.frequency < 0) {
      options.idle = Number(int64(args[++i]));
      if (options.idle < 0) throw BAD_IDLE_TIME;
    } else if (option === 'freq' && hasMore && options.idle < 0) {
      options.frequency = Number(int64(args[++i]));
      if (options.frequency < 0 || options.frequency > 255) throw BAD_FREQUENCY;
    } else throw SYNTAX;
  }
  return options;
}

function restore(db: Db, args: readonly string[], env: Env): Reply {
  const key = args[1];
  const options = parseOptions(args);
  if (!options.replace && db.lookupWrite(key) !== undefined) throw BUSY_KEY;
  const ttl = int64(args[2]);
  if (ttl < 0) throw BAD_TTL;
  const value = read(db, args[3]);
  const replaced = options.replace && db.remove(key);
  const { space } = db;
  const when = options.absolute || ttl === 0 ? Number(ttl) : laterBy(ttl, space.now());
  if (when !== 0 && when <= space.now() && space.mayExpire) {
    // It is over already: all that is left to do is what REPLACE did.
    if (replaced) {
      env.propagate(['DEL', key]);
      db.signal(key, Event.generic, 'del');
    }
    return OK;
  }
  db.put(key, value);
  if (when !== 0) {
    db.setDeadline(key, when);
    if (!options.absolute) {
      env.propagate([args[0], key, String(BigInt(when)), ...args.slice(3), 'ABSTTL']);
    }
  }
  if (space.lfu && options.frequency >= 0) db.setAccessWord(key, space.frequencyWord(options.frequency));
  else if (!space.lfu && options.idle >= 0) db.setAccessWord(key, space.idleWord(options.idle));
  db.signal(key, Event.generic, 'restore');
  return OK;
}

function read(db: Db, payload: string): Value {
  const open = openPayload(payload);
  if (open === null) throw WRONG_FOOTER;
  try {
    return payloadValue(open, db.space.limits);
  } catch (error) {
    throw error instanceof RdbError ? BAD_FORMAT : error;
  }
}

// What does not fit 64 bits turns negative, as in C, and so is over.
function laterBy(ttl: number | bigint, now: number): number {
  return Number(BigInt.asIntN(64, BigInt(ttl) + BigInt(now)));
}
