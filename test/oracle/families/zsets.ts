// Sorted sets, without blocking. Called by generate.ts.

import {
  alt,
  count,
  counted,
  crowd,
  expand,
  type Family,
  fewOrCrowd,
  type Gen,
  index,
  int,
  junk,
  key,
  lexBound,
  many,
  manyDistinct,
  member,
  opt,
  options,
  type Part,
  pattern,
  positive,
  score,
  scoreBound,
  seq,
} from '../grammar.ts';
import { command } from '../steps.ts';

const k = key('z');
const either = (g: Gen): string => expand([g.random.chance(0.85) ? k : key('e')], g)[0]!;
const some = manyDistinct(1, 4, 'last', score, member);
const crowded = crowd(100, 200, (i) => [String(i % 17), `m${i}`]);
/**
 * LEX ranges are only defined where all scores are equal (otherwise the answer depends on the random levels of
 * Redis' skip list), so they have keys of their own that nothing else writes; x:9 is a string.
 */
const level: Part = (g) => [`x:${g.random.int(0, 3)}`];
const lex: Part = (g) => (g.random.chance(0.93) ? expand([level], g) : [g.random.pick(['x:9', 'x:none'])]);
const flat = fewOrCrowd(
  manyDistinct(1, 4, 'last', '0', member),
  crowd(100, 200, (i) => ['0', `m${i}`]),
);
const limit = opt(0.3, 'LIMIT', index, index);
const lexRange = seq(lexBound, lexBound, 'BYLEX', opt(0.3, 'REV'), limit);
const rangeArgs: Part = alt(
  seq(index, index, opt(0.3, 'REV')),
  seq(scoreBound, scoreBound, 'BYSCORE', opt(0.3, 'REV'), limit),
  seq(index, index, options(0.3, 'BYSCORE', 'BYLEX', 'REV', seq('LIMIT', index, index), junk)),
);
/** WEIGHTS for as many keys as there were, mostly. */
const combine = (min: number, tail: (n: number, g: Gen) => string[]): Part => {
  return (g) => {
    const n = g.random.int(min, 3);
    const keys = Array.from({ length: n }, () => either(g));
    const said = g.random.chance(0.05) ? g.random.pick(['0', '-1', 'x', String(n + 1)]) : String(n);
    return [said, ...keys, ...tail(n, g)];
  };
};
const weights = (n: number, g: Gen): string[] => {
  const out: string[] = [];
  const r = g.random;
  const weight = (): void => {
    if (!r.chance(0.35)) return;
    out.push('WEIGHTS');
    const m = r.chance(0.95) ? n : n + 1;
    for (let i = 0; i < m; i++) out.push(...expand([score], g));
  };
  const aggregate = (): void => {
    if (r.chance(0.4)) out.push('AGGREGATE', r.pick(['SUM', 'MIN', 'MAX', 'sum', 'Min', 'bogus']));
  };
  for (const f of r.shuffle([weight, aggregate])) f();
  return out;
};
const withScores = (g: Gen): string[] => (g.random.chance(0.5) ? ['WITHSCORES'] : []);
const side = alt('MIN', 'MAX', 'MIN', 'MAX', 'MIN', 'MAX', 'bogus');
const noMulti =
  (part: Part): Part =>
  (g) =>
    g.inMulti ? [] : expand([part], g);

export const zsets: Family = {
  name: 'zsets',
  commands: {
    // XX only for one member: 7.2 grows the collection for members that XX then does not add.
    ZADD: [
      14,
      k,
      fewOrCrowd(
        alt(
          some,
          seq(options(0.35, 'NX', alt('GT', 'LT'), 'CH', opt(0.3, 'INCR')), some),
          seq(options(0.5, 'XX', opt(0.1, 'NX'), alt('GT', 'LT'), 'CH', opt(0.3, 'INCR')), score, member),
        ),
        crowded,
      ),
      opt(0.02, member),
    ],
    ZINCRBY: [4, k, score, member],
    ZREM: [4, k, many(1, 3, member)],
    ZSCORE: [3, k, member],
    ZMSCORE: [2, k, many(1, 4, member)],
    ZCARD: [2, k],
    ZCOUNT: [3, k, scoreBound, scoreBound],
    ZLEXCOUNT: [2, lex, lexBound, lexBound],
    ZRANK: [2, k, member, noMulti(opt(0.2, alt('WITHSCORE', 'WITHSCORE', junk)))],
    ZREVRANK: [2, k, member, noMulti(opt(0.2, alt('WITHSCORE', 'WITHSCORE', junk)))],
    ZRANGE: [8, alt(seq(k, rangeArgs), seq(k, rangeArgs), seq(lex, lexRange)), opt(0.4, 'WITHSCORES')],
    ZREVRANGE: [2, k, index, index, opt(0.4, 'WITHSCORES'), opt(0.03, junk)],
    ZRANGEBYSCORE: [4, k, scoreBound, scoreBound, options(0.35, 'WITHSCORES', seq('LIMIT', index, index))],
    ZREVRANGEBYSCORE: [3, k, scoreBound, scoreBound, options(0.35, 'WITHSCORES', seq('LIMIT', index, index))],
    ZRANGEBYLEX: [3, lex, lexBound, lexBound, limit, opt(0.03, 'WITHSCORES')],
    ZREVRANGEBYLEX: [2, lex, lexBound, lexBound, limit],
    ZRANGESTORE: [
      4,
      alt(seq(k, k, rangeArgs), seq(k, k, rangeArgs), seq(level, lex, lexRange)),
      opt(0.03, 'WITHSCORES'),
    ],
    ZREMRANGEBYRANK: [2, k, index, index],
    ZREMRANGEBYSCORE: [2, k, scoreBound, scoreBound],
    ZREMRANGEBYLEX: [2, lex, lexBound, lexBound],
    ZPOPMIN: [3, k, opt(0.5, count)],
    ZPOPMAX: [3, k, opt(0.5, count)],
    ZMPOP: [3, counted(1, 3, k), side, opt(0.4, 'COUNT', count)],
    ZUNION: [3, combine(1, (n, g) => [...weights(n, g), ...withScores(g)])],
    ZINTER: [3, combine(1, (n, g) => [...weights(n, g), ...withScores(g)])],
    ZDIFF: [3, combine(1, (_n, g) => withScores(g))],
    ZUNIONSTORE: [3, k, combine(1, weights)],
    ZINTERSTORE: [3, k, combine(1, weights)],
    ZDIFFSTORE: [2, k, combine(1, (_n, g) => (g.random.chance(0.03) ? ['WITHSCORES'] : []))],
    ZINTERCARD: [
      2,
      combine(1, (_n, g) =>
        g.random.chance(0.4) ? ['LIMIT', g.random.pick(['0', '1', '2', '-1', 'x'])] : [],
      ),
    ],
    ZRANDMEMBER: [3, k, opt(0.7, count, opt(0.4, alt('WITHSCORES', 'WITHSCORES', junk)))],
    ZSCAN: [2, k, '0', options(0.3, seq('MATCH', pattern), seq('COUNT', positive), opt(0.05, junk))],
    'OBJECT ENCODING': [2, k],
    SADD: [1, key('e'), manyDistinct(1, 3, 'last', member)],
    SORT: [0.5, k, opt(0.5, 'ALPHA'), opt(0.3, 'LIMIT', int, int)],
  },
  scenarios: [
    {
      weight: 8,
      make: (g) => [
        command(
          g.conn,
          ...(g.random.chance(0.8)
            ? ['ZADD', ...expand([level, flat], g)]
            : ['ZREM', ...expand([level, member], g)]),
        ),
      ],
    },
    { weight: 0.5, make: (g) => [command(g.conn, 'DEL', ...expand([level], g))] },
    { weight: 0.3, make: (g) => [command(g.conn, 'SET', 'x:9', 'string')] },
  ],
};
