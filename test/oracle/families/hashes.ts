// Hashes. Called by generate.ts.

import {
  alt,
  count,
  counted,
  crowd,
  type Family,
  fewOrCrowd,
  float,
  int,
  junk,
  key,
  many,
  manyDistinct,
  member,
  opt,
  options,
  pattern,
  positive,
  seq,
  value,
} from '../grammar.ts';

const k = key('h');
const pairs = fewOrCrowd(
  manyDistinct(1, 4, 'first', member, value),
  crowd(100, 200, (i) => [`f${i}`, String(i)]),
);

export const hashes: Family = {
  name: 'hashes',
  commands: {
    HSET: [10, k, pairs, opt(0.03, member)],
    HMSET: [2, k, manyDistinct(1, 3, 'first', member, value), opt(0.05, member)],
    HSETNX: [3, k, member, value],
    HGET: [5, k, member],
    HMGET: [3, k, many(1, 4, member)],
    HDEL: [5, k, many(1, 3, member)],
    HLEN: [2, k],
    HSTRLEN: [1, k, member],
    HEXISTS: [2, k, member],
    HGETALL: [4, k],
    HKEYS: [2, k],
    HVALS: [2, k],
    HINCRBY: [4, k, member, int],
    HINCRBYFLOAT: [4, k, member, float],
    HRANDFIELD: [3, k, opt(0.7, count, opt(0.4, alt('WITHVALUES', 'WITHVALUES', junk)))],
    HSCAN: [3, k, '0', options(0.3, seq('MATCH', pattern), seq('COUNT', positive), opt(0.05, junk))],
    'OBJECT ENCODING': [1, k],
    HGETDEL: [0.05, k, 'FIELDS', counted(1, 2, member)],
  },
};
