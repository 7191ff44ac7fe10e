// Arguments and replies that the sorted-set families share: scores, ranges of scores and of members, and pairs of
// member and score in either protocol.
import { formatDouble, parseDouble, parseHex } from '../data/numbers.ts';
import type { LexRange, ScoreRange } from '../keyspace/zset-value.ts';
import { Double, type Reply, ReplyError } from '../resp/reply.ts';
import { float } from './args.ts';

const NOT_SCORE_RANGE = new ReplyError('ERR min or max is not a float');
const NOT_LEX_RANGE = new ReplyError('ERR min or max not valid string range item');

const DOT = 0x2e;
const MINUS = 0x2d;
const ZERO = 0x30;
const POWERS = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);

/**
 * A score. Decimals of up to 15 digits are read by hand: their digits and the power of ten are exact doubles, so
 * that one division rounds as strtod does.
 */
export function scoreArg(arg: string): number {
  const { length } = arg;
  const start = arg.charCodeAt(0) === MINUS ? 1 : 0;
  if (length - start > 15 || length === start) return float(arg);
  let digits = 0;
  let dot = -1;
  for (let i = start; i < length; i++) {
    const c = arg.charCodeAt(i);
    const digit = c - ZERO;
    if (digit >= 0 && digit <= 9) digits = digits * 10 + digit;
    else if (c === DOT && dot < 0 && i > start) dot = i;
    else return float(arg);
  }
  const size = dot < 0 ? digits : digits / POWERS[length - 1 - dot];
  return start === 1 ? -size : size;
}

/** Bounds such as `1.5`, `(2`, `-inf`. */
export function scoreRange(min: string, max: string): ScoreRange {
  const minExclusive = min[0] === '(';
  const maxExclusive = max[0] === '(';
  return {
    min: boundary(minExclusive ? min.slice(1) : min),
    minExclusive,
    max: boundary(maxExclusive ? max.slice(1) : max),
    maxExclusive,
  };
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

// Redis takes a boundary as strtod leaves it, without its checks on scores: the empty text is 0, blanks may stand
// in front, a zero byte ends it, and what leaves the range of doubles is an infinity or zero.
function boundary(arg: string): number {
  const strict = parseDouble(arg);
  if (strict !== null) return strict;
  const nul = arg.indexOf('\0');
  const text = nul < 0 ? arg : arg.slice(0, nul);
  if (text === '') return 0;
  const number = text.replace(/^[ \t\n\v\f\r]+/, '');
  if (DECIMAL.test(number)) return Number(number);
  const value = parseDouble(number);
  if (value !== null) return value;
  const hex = parseHex(number);
  if (hex === null) throw NOT_SCORE_RANGE;
  const size = hex.exponent > 0 ? Number.POSITIVE_INFINITY : 0;
  return hex.negative ? -size : size;
}

/** Bounds such as `[a`, `(b`, `-`, `+`. */
export function lexRange(min: string, max: string): LexRange {
  const low = lexBound(min);
  const high = lexBound(max);
  const minExclusive = min[0] !== '[';
  const maxExclusive = max[0] !== '[';
  return {
    min: low.text,
    minExclusive,
    max: high.text,
    maxExclusive,
    empty:
      low.side > 0 ||
      high.side < 0 ||
      (low.side === 0 &&
        high.side === 0 &&
        (low.text > high.text || (low.text === high.text && (minExclusive || maxExclusive)))),
  };
}

type LexBound = { readonly side: -1 | 1; readonly text: null } | { readonly side: 0; readonly text: string };

function lexBound(arg: string): LexBound {
  switch (arg[0]) {
    case '(':
    case '[':
      return { side: 0, text: arg.slice(1) };
    case '-':
    case '+':
      if (arg.length === 1 || arg[1] === '\0') return { side: arg[0] === '-' ? -1 : 1, text: null };
  }
  throw NOT_LEX_RANGE;
}

/** A score as a reply. */
export function scoreReply(score: number): Double {
  return new Double(score, formatDouble(score));
}

/** Appends member and score: nested pairs where RESP3 has them, flat otherwise. */
export function pushPair(to: Reply[], member: string, score: number, nested: boolean): void {
  if (nested) to.push([member, scoreReply(score)]);
  else to.push(member, scoreReply(score));
}
