// Lists, without blocking. Called by generate.ts.

import {
  alt,
  count,
  counted,
  crowd,
  type Family,
  fewOrCrowd,
  index,
  int,
  junk,
  key,
  many,
  opt,
  options,
  type Part,
  seq,
  value,
} from '../grammar.ts';

const k = key('l');
const items = fewOrCrowd(
  many(1, 4, value),
  crowd(100, 700, (i) => [`item number ${i}`]),
);
const side: Part = alt('LEFT', 'RIGHT', 'LEFT', 'RIGHT', 'LEFT', 'RIGHT', 'LEFT', 'RIGHT', 'bogus');

export const lists: Family = {
  name: 'lists',
  commands: {
    LPUSH: [6, k, items],
    RPUSH: [8, k, items],
    LPUSHX: [2, k, items],
    RPUSHX: [2, k, items],
    LPOP: [4, k, opt(0.4, count)],
    RPOP: [4, k, opt(0.4, count)],
    LLEN: [2, k],
    LINDEX: [3, k, index],
    LSET: [3, k, index, value],
    LINSERT: [3, k, alt('BEFORE', 'AFTER', 'BEFORE', 'AFTER', 'bogus'), value, value],
    LRANGE: [6, k, index, index],
    LTRIM: [2, k, index, index],
    LREM: [3, k, count, value],
    LPOS: [
      4,
      k,
      value,
      options(0.3, seq('RANK', index), seq('COUNT', count), seq('MAXLEN', int), opt(0.1, junk)),
    ],
    LMOVE: [4, k, k, side, side],
    RPOPLPUSH: [3, k, k],
    LMPOP: [3, counted(1, 3, k), side, opt(0.4, 'COUNT', count)],
    'OBJECT ENCODING': [1, k],
  },
};
