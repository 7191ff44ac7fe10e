// Whole databases, the command table, a few settings. Called by generate.ts.

import { alt, type Family, many, opt, type Part, pattern } from '../grammar.ts';

const db: Part = (g) => [
  g.random.chance(0.9) ? g.random.pick(['0', '1', '2']) : g.random.pick(['-1', '16', 'x', '99999999999']),
];
const mode = opt(0.3, alt('ASYNC', 'SYNC', 'bogus'));
const commandName: Part = (g) => [
  g.random.chance(0.9) ? g.any()[0]! : g.random.pick(['nosuch', 'config|get', 'object|encoding', '']),
];

export const server: Family = {
  name: 'server',
  commands: {
    DBSIZE: [3],
    SWAPDB: [2, db, db],
    FLUSHDB: [0.3, mode],
    FLUSHALL: [0.1, mode],
    TIME: [0.5],
    'COMMAND COUNT': [0.5],
    'COMMAND INFO': [2, many(1, 3, commandName)],
    'COMMAND GETKEYS': [5, (g) => g.any()],
    'COMMAND GETKEYSANDFLAGS': [4, (g) => g.any()],
    'COMMAND LIST': [
      0.5,
      opt(0.7, 'FILTERBY', alt('PATTERN', 'ACLCAT', 'MODULE', 'bogus'), alt(pattern, 'set', 'z*')),
    ],
    'CONFIG GET': [
      1,
      many(
        1,
        2,
        alt('hash-max-listpack-entries', 'notify-keyspace-events', 'databases', 'nosuch', 'set-max-intset-*'),
      ),
    ],
    'DEBUG STRINGMATCH-LEN': [0],
  },
};
