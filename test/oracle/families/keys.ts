// Keys of any type: life, names, expiry, SORT, SCAN, databases. Called by generate.ts.

import { Type } from '../../../src/persistence/rdb/format.ts';
import { SAMPLES } from '../../support/rdb-samples.ts';
import {
  alt,
  anyKey,
  anyKeyName,
  atMillis,
  atSeconds,
  expand,
  type Family,
  type Gen,
  index,
  junk,
  key,
  many,
  millis,
  opt,
  options,
  type Part,
  past,
  pattern,
  positive,
  seconds,
  seq,
  value,
} from '../grammar.ts';
import { sealed } from '../payloads.ts';
import { command, type Step } from '../steps.ts';

const when = opt(0.5, many(1, 2, alt('NX', 'XX', 'GT', 'LT', opt(0.1, junk))));
const sortable = alt(key('l'), key('e'), key('z'), anyKey);
const db: Part = (g) => [
  g.random.chance(0.9) ? g.random.pick(['0', '1', '2']) : g.random.pick(['-1', '16', 'x', '99999']),
];
const by = (g: Gen): string[] =>
  g.random.chance(0.6)
    ? ['BY', g.random.pick(['nosort', 'w_*', 'h:*->f', 's:*', 'nosuch_*', 'w_*->', 'x'])]
    : [];
const get = (g: Gen): string[] => {
  const out: string[] = [];
  while (g.random.chance(0.25))
    out.push('GET', g.random.pick(['#', 'w_*', 'h:*->a', 's:*', '*', 'x', 'h:*->']));
  return out;
};

/** SORT: BY with ALPHA leaves ties open, so what depends on their order (STORE, LIMIT) is left out there. */
const sort = (g: Gen): string[] => {
  const ordering = by(g);
  const alpha = g.random.chance(0.4);
  const tied = ordering.length > 0 && (alpha || !ordering[1]!.includes('*'));
  const parts: Part[] = [() => ordering, opt(alpha ? 1 : 0, 'ALPHA'), opt(0.3, alt('DESC', 'ASC')), get];
  if (!tied) parts.push(opt(0.3, seq('LIMIT', index, index)));
  const args = g.random.shuffle(parts).flatMap((part) => expand([part], g));
  if (!tied && g.random.chance(0.2)) args.push('STORE', anyKeyName(g));
  if (g.random.chance(0.03)) args.push(g.random.pick(['bogus', 'LIMIT', 'BY', 'GET', 'STORE']));
  return args;
};
const sortRo: Part = (g: Gen) => sort(g).filter((_, i, all) => all[i] !== 'STORE' && all[i - 1] !== 'STORE');

/** A key that expires now: set a deadline a millisecond away, let it pass, look, and let a plain read remove it. */
function expireNow(g: Gen): Step[] {
  if (g.inMulti) return [];
  const r = g.random;
  const k = anyKeyName(g);
  const { conn } = g;
  const deadline: string[] = r.pick([
    ['PEXPIRE', k, '1'],
    ['PEXPIRE', k, '1', 'LT'],
    ['SET', k, 'v', 'PX', '1'],
    ['SET', k, 'v', 'PXAT', '1'],
    ['SET', k, '7', 'EXAT', '1000'],
    ['PSETEX', k, '1', 'v'],
    ['GETEX', k, 'PX', '1'],
  ]);
  const other = r.int(0, Math.min(3, g.connections - 1));
  const look: string[] = r.pick([
    ['GET', k],
    ['TTL', k],
    ['EXISTS', k, k],
    ['TYPE', k],
    ['APPEND', k, 'z'],
    ['INCR', k],
    ['SET', k, 'w', 'NX'],
    ['SET', k, 'w', 'XX', 'GET'],
    ['RPUSH', k, 'a'],
    ['SADD', k, 'm'],
    ['HSET', k, 'f', 'v'],
    ['ZADD', k, '1', 'm'],
    ['DEL', k],
    ['UNLINK', k],
    ['TOUCH', k],
    ['PERSIST', k],
    ['EXPIRE', k, '5000'],
    ['RENAME', k, 's:9'],
    ['RENAMENX', 's:0', k],
    ['COPY', k, 's:9'],
    ['COPY', 's:0', k],
    ['MOVE', k, '1'],
    ['OBJECT', 'ENCODING', k],
    ['SORT', k],
    ['LLEN', k],
    ['HGETALL', k],
    ['ZCARD', k],
    ['SCARD', k],
    ['DBSIZE'],
    ['GETSET', k, 'n'],
    ['GETDEL', k],
    ['SETRANGE', k, '3', 'q'],
    ['BITCOUNT', k],
    ['MGET', k, k],
    ['SINTERSTORE', k, k],
    ['KEYS', k],
  ]);
  const watched = r.chance(0.4);
  const steps: Step[] = [];
  if (watched && r.chance(0.6)) steps.push(command(conn, 'WATCH', k));
  steps.push(command(conn, ...deadline), { kind: 'sleep', ms: 4 });
  if (watched && r.chance(0.4)) steps.push(command(conn, 'WATCH', k));
  if (r.chance(0.75)) steps.push(command(r.chance(0.5) ? conn : other, ...look));
  if (watched) steps.push(command(conn, 'MULTI'), command(conn, ...look), command(conn, 'EXEC'));
  // RENAME, MOVE and COPY may have carried a live deadline elsewhere only when the key was still there.
  steps.push(command(conn, 'EXISTS', k, 's:9'));
  return steps;
}

// What 7.0 knows: neither listpacks of sets nor the streams of 7.2.
const BODIES = SAMPLES.filter(({ type }) => type <= Type.stream2).map(
  ({ type, body }) => String.fromCharCode(type) + body,
);
const payload: Part = (g) => {
  const r = g.random;
  const whole = sealed(
    r.chance(0.95) ? r.pick(BODIES) : r.pick(['', '\x00', '\x00\x05abc', '\x02\x00', '\x63', '\xf5\x01a']),
    r.pick([10, 10, 10, 10, 9, 6, 99]),
  );
  return [r.chance(0.96) ? whole : whole.slice(0, r.int(0, whole.length - 1))];
};
const lifetime = alt('0', '0', millis);
const restoring = options(
  0.4,
  'REPLACE',
  'replace',
  seq('IDLETIME', alt('0', '77', '100000', '-1', 'x')),
  seq('FREQ', alt('0', '255', '256', 'x')),
  opt(0.05, junk),
);

/**
 * Each side restores what it has dumped itself. A hash table whose values have become short again would come back as a
 * listpack, in the order that the table had by chance.
 */
const DUMP_AND_RESTORE = `
if redis.call('type', KEYS[1]).ok == 'hash' and redis.call('object', 'encoding', KEYS[1]) == 'hashtable' then return end
return redis.call('restore', KEYS[2], ARGV[1], redis.call('dump', KEYS[1]), 'replace')`;

function dumpAndRestore(g: Gen): Step[] {
  const [from, to] = [anyKeyName(g), anyKeyName(g)];
  return [
    command(g.conn, 'EVAL', DUMP_AND_RESTORE, '2', from, to, ...expand([lifetime], g)),
    command(g.conn, 'DUMP', to),
    command(g.conn, 'TYPE', to),
  ];
}

export const keys: Family = {
  name: 'keys',
  commands: {
    DEL: [4, many(1, 3, anyKey)],
    UNLINK: [2, many(1, 3, anyKey)],
    EXISTS: [3, many(1, 4, anyKey)],
    TYPE: [3, anyKey],
    TOUCH: [1, many(1, 3, anyKey)],
    RENAME: [3, anyKey, anyKey],
    RENAMENX: [2, anyKey, anyKey],
    COPY: [3, anyKey, anyKey, options(0.3, seq('DB', db), 'REPLACE', opt(0.1, junk))],
    MOVE: [2, anyKey, db],
    KEYS: [2, pattern],
    RANDOMKEY: [1],
    SCAN: [
      3,
      alt('0', '0', '0', '0', '0', 'x', '17', '-1'),
      options(
        0.4,
        seq('MATCH', pattern),
        seq('COUNT', positive),
        seq('TYPE', alt('string', 'hash', 'LIST', 'set', 'zset', 'stream', 'bogus')),
        opt(0.05, junk),
      ),
    ],
    EXPIRE: [4, anyKey, seconds, when],
    PEXPIRE: [3, anyKey, millis, when],
    EXPIREAT: [3, anyKey, alt(atSeconds, atSeconds, past), when],
    PEXPIREAT: [3, anyKey, alt(atMillis, atMillis, past), when],
    TTL: [3, anyKey],
    PTTL: [2, anyKey],
    EXPIRETIME: [2, anyKey],
    PEXPIRETIME: [2, anyKey],
    PERSIST: [3, anyKey],
    SORT: [6, sortable, sort],
    SORT_RO: [2, sortable, sortRo],
    'OBJECT ENCODING': [5, anyKey],
    // Inside MULTI the queued arguments of Redis hold references to the values that they became.
    'OBJECT REFCOUNT': [1, (g) => (g.inMulti ? ['nosuch'] : expand([anyKey], g))],
    'OBJECT IDLETIME': [1, anyKey],
    'OBJECT FREQ': [1, anyKey],
    'OBJECT bogus': [0.3, opt(0.5, anyKey)],
    DUMP: [2, anyKey],
    RESTORE: [
      3,
      anyKey,
      (g) =>
        g.random.chance(0.7)
          ? expand([lifetime, payload, restoring], g)
          : expand([alt(atMillis, past, '0'), payload, 'ABSTTL', restoring], g),
    ],
    DBSIZE: [1],
    SET: [2, alt('w_1', 'w_2', 'w_3', 'w_a', 'w_b', 'w_c', 's:1', 's:2'), value],
    HSET: [1, alt('h:1', 'h:2', 'h:a', 'h:b'), alt('f', 'a'), value],
  },
  scenarios: [
    { weight: 1.2, make: expireNow },
    { weight: 1.5, make: dumpAndRestore },
  ],
};
