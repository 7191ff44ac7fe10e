// Parsing of arguments, apart from running: each function turns one argument into a value or throws the error
// that the client sees. Families use them; nothing here knows a keyspace.
import { parseDouble, parseInt64 } from '../data/numbers.ts';
import type { ReplyError } from '../resp/reply.ts';
import {
  MUST_BE_POSITIVE,
  NOT_FLOAT,
  NOT_INTEGER,
  SYNTAX,
  TIMEOUT_NEGATIVE,
  TIMEOUT_NOT_FLOAT,
  TIMEOUT_OUT_OF_RANGE,
} from './errors.ts';

/** A 64-bit integer; exact, as a bigint beyond 2^53. */
export function int64(arg: string, error: ReplyError = NOT_INTEGER): number | bigint {
  const value = parseInt64(arg);
  if (value === null) throw error;
  return value;
}

/** A 64-bit integer clamped to what a number holds exactly: for indexes and counts, where more makes no difference. */
export function integer(arg: string, error: ReplyError = NOT_INTEGER): number {
  const value = parseInt64(arg);
  if (value === null) throw error;
  if (typeof value === 'number') return value;
  return value < 0n ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
}

/** A count that may not be negative: `value is out of range, must be positive`. */
export function positiveCount(arg: string): number {
  const value = parseInt64(arg);
  if (value === null || value < 0) throw MUST_BE_POSITIVE;
  return Number(value);
}

/** A floating point number, infinities included, NaN not. */
export function float(arg: string, error: ReplyError = NOT_FLOAT): number {
  const value = parseDouble(arg);
  if (value === null) throw error;
  return value;
}

/** Timeout of a blocking command: seconds with fractions in, whole milliseconds (rounded up) out. */
export function timeout(arg: string): number {
  const seconds = parseDouble(arg);
  if (seconds === null) throw TIMEOUT_NOT_FLOAT;
  const ms = Math.ceil(seconds * 1000);
  if (ms > 2 ** 63) throw TIMEOUT_OUT_OF_RANGE;
  if (ms < 0) throw TIMEOUT_NEGATIVE;
  return ms;
}

/** The argument behind an option; a syntax error where there is none. */
export function following(args: readonly string[], at: number): string {
  if (at + 1 >= args.length) throw SYNTAX;
  return args[at + 1];
}
