// Sets. Called by generate.ts.

import {
  alt,
  count,
  counted,
  crowd,
  expand,
  type Family,
  fewOrCrowd,
  type Gen,
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
} from '../grammar.ts';

const k = key('e');
const ints = manyDistinct(
  1,
  4,
  'last',
  alt('1', '2', '3', '4', '5', '100', '70000', '-3', '5000000000', '-9223372036854775808'),
);
const members = fewOrCrowd(
  alt(ints, manyDistinct(1, 4, 'last', member)),
  alt(
    crowd(100, 200, (i) => [`m${i}`]),
    crowd(400, 600, (i) => [String(i)]),
  ),
);
/** Inside MULTI nobody can bring the two sets back together, so there it takes everything. */
const popCount = (g: Gen): string[] => {
  if (g.inMulti) return ['100000'];
  return g.random.chance(0.6) ? expand([count], g) : [];
};

export const sets: Family = {
  name: 'sets',
  commands: {
    SADD: [10, k, members],
    SREM: [5, k, many(1, 3, member)],
    SMEMBERS: [4, k],
    SISMEMBER: [2, k, member],
    SMISMEMBER: [2, k, many(1, 4, member)],
    SCARD: [2, k],
    SMOVE: [3, k, k, member],
    SPOP: [3, k, popCount],
    SRANDMEMBER: [3, k, opt(0.7, count), opt(0.02, junk)],
    SINTER: [2, many(1, 3, k)],
    SUNION: [2, many(1, 3, k)],
    SDIFF: [2, many(1, 3, k)],
    SINTERSTORE: [2, k, many(1, 3, k)],
    SUNIONSTORE: [2, k, many(1, 3, k)],
    SDIFFSTORE: [2, k, many(1, 3, k)],
    SINTERCARD: [2, counted(1, 3, k), opt(0.4, 'LIMIT', int), opt(0.03, junk)],
    SSCAN: [2, k, '0', options(0.3, seq('MATCH', pattern), seq('COUNT', positive), opt(0.05, junk))],
    'OBJECT ENCODING': [2, k],
  },
};
