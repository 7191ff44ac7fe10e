// Strings: every command that reads or writes string values. Called by generate.ts.

import {
  alt,
  atMillis,
  atSeconds,
  type Family,
  float,
  index,
  int,
  junk,
  key,
  many,
  millis,
  opt,
  options,
  type Part,
  seconds,
  seq,
  value,
} from '../grammar.ts';

const k = key('s');
const expiry: Part = alt(
  seq('EX', seconds),
  seq('PX', millis),
  seq('EXAT', atSeconds),
  seq('PXAT', atMillis),
  'KEEPTTL',
);
const offset: Part = (g) => [
  g.random.chance(0.95)
    ? g.random.pick(['0', '1', '2', '5', '10', '50', '600'])
    : g.random.pick(['-1', '536870912', '9223372036854775807', 'x']),
];

export const strings: Family = {
  name: 'strings',
  commands: {
    GET: [8, k],
    SET: [10, k, value, opt(0.3, options(0.4, expiry, alt('NX', 'XX'), 'GET', opt(0.05, junk)))],
    SETNX: [2, k, value],
    SETEX: [2, k, seconds, value],
    PSETEX: [2, k, millis, value],
    GETSET: [2, k, value],
    GETDEL: [2, k],
    GETEX: [
      3,
      k,
      opt(
        0.7,
        alt(
          seq('EX', seconds),
          seq('PX', millis),
          seq('EXAT', atSeconds),
          seq('PXAT', atMillis),
          'PERSIST',
          junk,
        ),
        opt(0.1, alt('PERSIST', seq('EX', seconds))),
      ),
    ],
    MGET: [3, many(1, 4, k)],
    MSET: [3, many(1, 3, k, value), opt(0.05, k)],
    MSETNX: [2, many(1, 3, k, value), opt(0.05, k)],
    APPEND: [4, k, value],
    STRLEN: [2, k],
    GETRANGE: [3, k, index, index],
    SUBSTR: [1, k, index, index],
    SETRANGE: [3, k, offset, value],
    INCR: [4, k],
    DECR: [2, k],
    INCRBY: [3, k, int],
    DECRBY: [2, k, int],
    INCRBYFLOAT: [4, k, float],
    LCS: [3, k, k, options(0.3, 'LEN', 'IDX', seq('MINMATCHLEN', int), 'WITHMATCHLEN', opt(0.1, junk))],
  },
};
