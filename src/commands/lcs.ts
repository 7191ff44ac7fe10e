// LCS: the longest common subsequence of two strings. A family of its own because the algorithm is most of it.

import { RawString, stringOf, type Value } from '../keyspace/values.ts';
import { MapReply, type Reply, ReplyError } from '../resp/reply.ts';
import { integer } from './args.ts';
import { SYNTAX } from './errors.ts';
import { type Arg, command, keysAt } from './spec.ts';

const NOT_STRINGS = new ReplyError('ERR The specified keys must contain string values');
const LEN_AND_IDX = new ReplyError('ERR If you want both the length and indexes, please just use IDX.');
const TOO_LARGE = new ReplyError(
  'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len',
);

/** Position of the first and last byte of a match in a string. */
type Span = [first: number, last: number];

export const lcs = {
  lcs: command<
    [key1: Arg, key2: Arg, ...options: Arg[]],
    string | number | { matches: ([Span, Span] | [Span, Span, number])[]; len: number }
  >({
    arity: -3,
    flags: ['readonly'],
    group: 'string',
    since: '7.0.0',
    summary: 'Finds the longest common subsequence of two strings.',
    complexity: 'O(N*M) where N and M are the lengths of the two strings.',
    syntax: 'key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]',
    keys: [keysAt('RO access', 1, 2)],
    run: (db, args, env) => {
      const a = text(db.lookup(args[1]));
      const b = text(db.lookup(args[2]));
      if (a === null || b === null) throw NOT_STRINGS;
      let wantsLength = false;
      let wantsMatches = false;
      let withLength = false;
      let least = 0;
      for (let i = 3; i < args.length; i++) {
        const option = args[i].toUpperCase();
        if (option === 'IDX') wantsMatches = true;
        else if (option === 'LEN') wantsLength = true;
        else if (option === 'WITHMATCHLEN') withLength = true;
        else if (option === 'MINMATCHLEN' && i + 1 < args.length) least = integer(args[++i]);
        else throw SYNTAX;
      }
      if (wantsLength && wantsMatches) throw LEN_AND_IDX;
      // Redis counts four bytes for each cell of its table; the limit is part of the behaviour.
      if ((a.length + 1) * (b.length + 1) * 4 > env.maxBulk) throw TOO_LARGE;
      const table = lengths(a, b);
      const length = table[table.length - 1];
      if (wantsLength) return length;
      const runs = matches(a, b, table);
      if (!wantsMatches) return subsequence(a, runs);
      const found: Reply[] = [];
      for (const { aAt, bAt, count } of runs) {
        if (count < least) continue;
        const spans: Reply[] = [
          [aAt, aAt + count - 1],
          [bAt, bAt + count - 1],
        ];
        if (withLength) spans.push(count);
        found.push(spans);
      }
      return new MapReply(['matches', found, 'len', length]);
    },
  }),
};

/** The string, '' where the key is missing, null for another type. */
function text(value: Value | undefined): string | null {
  if (value === undefined) return '';
  return typeof value === 'object' && !(value instanceof RawString) ? null : stringOf(value);
}

/** Table of (a.length + 1) rows of (b.length + 1): length of the LCS of the first i bytes of a and j of b. */
function lengths(a: string, b: string): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    const byte = a.charCodeAt(i - 1);
    const row = i * width;
    let left = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = table[row - width + j];
      if (byte === b.charCodeAt(j - 1)) left = table[row - width + j - 1] + 1;
      else if (above > left) left = above;
      table[row + j] = left;
    }
  }
  return table;
}

/** Bytes that match one after the other in both strings. */
interface Run {
  aAt: number;
  bAt: number;
  count: number;
}

/** The runs of one LCS from the last to the first, chosen among several as Redis chooses. */
function matches(a: string, b: string, table: Uint32Array): Run[] {
  const width = b.length + 1;
  const runs: Run[] = [];
  let run: Run | null = null;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a.charCodeAt(i - 1) === b.charCodeAt(j - 1)) {
      i--;
      j--;
      if (run === null) runs.push((run = { aAt: i, bAt: j, count: 1 }));
      else {
        run.aAt = i;
        run.bAt = j;
        run.count++;
      }
    } else {
      run = null;
      if (table[(i - 1) * width + j] > table[i * width + j - 1]) i--;
      else j--;
    }
  }
  return runs;
}

function subsequence(a: string, runs: readonly Run[]): string {
  let out = '';
  for (let i = runs.length - 1; i >= 0; i--) out += a.slice(runs[i].aAt, runs[i].aAt + runs[i].count);
  return out;
}
