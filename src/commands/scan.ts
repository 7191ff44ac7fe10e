// Arguments and reply that SCAN, SSCAN, HSCAN and ZSCAN share: cursor, MATCH, COUNT, TYPE.
import { globMatch } from '../data/glob.ts';
import type { Reply } from '../resp/reply.ts';
import { integer } from './args.ts';
import { INVALID_CURSOR, SYNTAX } from './errors.ts';

const MAX_CURSOR = 18446744073709551615n;
const DEFAULT_COUNT = 10;

export interface ScanOptions {
  readonly cursor: number;
  /** Glob, null where everything matches. */
  readonly match: string | null;
  /** At least 1. */
  readonly count: number;
  /** Lower-case name of a type, known or not; null for all. */
  readonly type: string | null;
}

/**
 * A cursor as C's strtoul reads it: 64 bits, a sign allowed (`-1` wraps), no space in front, the empty string 0.
 * No scan gives out a cursor above 2^53, so that what is larger is clamped.
 */
export function scanCursor(arg: string): number {
  const nul = arg.indexOf('\0');
  const text = nul < 0 ? arg : arg.slice(0, nul);
  if (text === '') return 0;
  if (!/^[+-]?[0-9]+$/.test(text)) throw INVALID_CURSOR;
  const negative = text[0] === '-';
  const digits = negative || text[0] === '+' ? text.slice(1) : text;
  const exact = Number(digits);
  if (exact <= Number.MAX_SAFE_INTEGER) return negative && exact !== 0 ? Number.MAX_SAFE_INTEGER : exact;
  if (exact > 2e19 || BigInt(digits) > MAX_CURSOR) throw INVALID_CURSOR;
  return Number.MAX_SAFE_INTEGER;
}

/**
 * Cursor at `from`, options behind it. Redis reads the options of SSCAN, HSCAN and ZSCAN only after it found the key:
 * there call {@link scanCursor} first, then look up, then this.
 */
export function parseScan(args: readonly string[], from: number, allowType: boolean): ScanOptions {
  const cursor = scanCursor(args[from]);
  let match: string | null = null;
  let count = DEFAULT_COUNT;
  let type: string | null = null;
  for (let i = from + 1; i < args.length; i += 2) {
    if (i + 1 >= args.length) throw SYNTAX;
    const value = args[i + 1];
    switch (args[i].toLowerCase()) {
      case 'count':
        count = integer(value);
        if (count < 1) throw SYNTAX;
        break;
      case 'match':
        match = value === '*' ? null : value;
        break;
      case 'type':
        if (!allowType) throw SYNTAX;
        type = value.toLowerCase();
        break;
      default:
        throw SYNTAX;
    }
  }
  return { cursor, match, count, type };
}

/** Does a key, member or field pass the scan's MATCH? */
export function scanMatches(options: ScanOptions, text: string): boolean {
  return options.match === null || globMatch(options.match, text);
}

/** `[cursor, items]`; a cursor is a bulk string. */
export function scanReply(cursor: number, items: Reply[]): Reply {
  return [String(cursor), items];
}
