// The items of a Lua pattern: what patterns.ts walks through and pattern-compiler.ts makes JavaScript of.
//
// A pattern has no alternatives: its items follow each other, and only repetitions try again. So the captures
// that are open or closed at an item are known beforehand, and with them most errors. As in C, an error is
// raised when the matching arrives at its place, not before: the items end with it.

/** What an item does; `set`, `a`, `b` and `text` are its operands. */
export type Op = (typeof OP)[keyof typeof OP];
export const OP = {
  /** One byte of the set; `a` is the byte where the set has one only, else -1. */
  ONE: 0,
  /** As many of the set as there are: giving one back could not help. */
  RUN: 1,
  /** One of the set if it is there: doing without could not help. */
  MAYBE: 2,
  /** As many of the set as possible, then fewer. */
  GREEDY: 3,
  /** One of the set, then none. */
  OPTION: 4,
  /** As few of the set as possible, then more. */
  LAZY: 5,
  /** Capture `a` begins. */
  OPEN: 6,
  /** Capture `a` ends. */
  CLOSE: 7,
  /** `%b`: from byte `a` to the `b` that balances it. */
  BALANCE: 8,
  /** `%f`: from outside the set to inside. */
  FRONTIER: 9,
  /** The text of capture `a` again. */
  BACK: 10,
  /** The end of the subject. */
  END: 11,
  /** The pattern is at its end. */
  ACCEPT: 12,
  /** The pattern is wrong here: `text` says how. */
  ERROR: 13,
  /** Nothing matches. */
  NEVER: 14,
  /** Matches nothing at all, always. */
  EMPTY: 15,
  /** The text itself, byte by byte; the set has its first byte. */
  LITERAL: 16,
} as const;

/** Which of the 256 bytes belong: 1, others 0. */
export type ByteSet = Uint8Array;

export class Item {
  op: Op;
  readonly set: ByteSet;
  readonly a: number;
  readonly b: number;
  readonly text: string;
  constructor(op: Op, set: ByteSet = NO_BYTES, a = 0, b = 0, text = '') {
    this.op = op;
    this.set = set;
    this.a = a;
    this.b = b;
    this.text = text;
  }
}

/** Kinds of captures. */
export const TEXT = 0;
export const POSITION = 1;
export const UNFINISHED = 2;

const MAX_CAPTURES = 32;

/** Where the last match ended, and the beginning and end of its captures: of capture k at 1 + 2k and 2 + 2k.
 *  Good until the next search. */
export const MATCH = new Int32Array(1 + 2 * MAX_CAPTURES);

/**
 * Finds the first match that begins at `from` or later (an anchored pattern: at `from`), leaves it in
 * {@link MATCH} and answers its beginning, or -1. There are two kinds: one reads the subject, the other its
 * `bytes`.
 */
export type Search = (subject: string, bytes: Uint8Array, from: number) => number;

/** Steps between two looks at the budget. */
export const STEPS = 4096;

// ---- sets of bytes

export const CARET = 0x5e;
const ESCAPE = 0x25;
const DOLLAR = 0x24;
const POINT = 0x2e;
const MINUS = 0x2d;
const PLUS = 0x2b;
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const NO_BYTES: ByteSet = new Uint8Array(256);
export const ALL_BYTES: ByteSet = new Uint8Array(256).fill(1);
/** Bytes that mean something in a pattern. */
export const SPECIAL: ByteSet = setOf('^$*+?.([%-');
const NOT_LITERAL: ByteSet = setOf('^$*+?.([%-)');
const SUFFIXES: ByteSet = setOf('*+-?');

function setOf(bytes: string): ByteSet {
  const set = new Uint8Array(256);
  for (let i = 0; i < bytes.length; i++) set[bytes.charCodeAt(i)] = 1;
  return set;
}

const singles: ByteSet[] = [];

function single(byte: number): ByteSet {
  return (singles[byte] ??= setOf(String.fromCharCode(byte)));
}

function complement(set: ByteSet): ByteSet {
  return set.map((member) => 1 - member);
}

/** The classes of C's ctype.h in the locale "C", by their letters. */
const classes = new Map<number, ByteSet>();
for (const [letter, belongs] of [
  ['a', (c: number) => isLower(c | 0x20) && c < 0x80],
  ['c', (c: number) => c < 0x20 || c === 0x7f],
  ['d', isDigit],
  ['l', isLower],
  ['p', (c: number) => c > 0x20 && c < 0x7f && !isDigit(c) && !isLower(c | 0x20)],
  ['s', (c: number) => c === 0x20 || (c >= 0x09 && c <= 0x0d)],
  ['u', (c: number) => c >= 0x41 && c <= 0x5a],
  ['w', (c: number) => isDigit(c) || (isLower(c | 0x20) && c < 0x80)],
  ['x', (c: number) => isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66)],
  ['z', (c: number) => c === 0],
] as [string, (c: number) => boolean][]) {
  const set = new Uint8Array(256);
  for (let c = 0; c < 256; c++) if (belongs(c)) set[c] = 1;
  classes.set(letter.charCodeAt(0), set);
  classes.set(letter.charCodeAt(0) - 0x20, complement(set));
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function isLower(c: number): boolean {
  return c >= 0x61 && c <= 0x7a;
}

/** The set of `%x`. */
function classSet(byte: number): ByteSet {
  return classes.get(byte) ?? single(byte);
}

/** The set of a `[…]`; `end` is the place of its last bracket. */
function bracketSet(source: string, start: number, end: number): ByteSet {
  const set = new Uint8Array(256);
  let at = start;
  const negative = source.charCodeAt(at + 1) === CARET;
  if (negative) at++;
  while (++at < end) {
    const c = source.charCodeAt(at);
    if (c === ESCAPE) {
      // After a range up to '%' this may be the last bracket itself, in C as well.
      const escaped = classSet(source.charCodeAt(++at));
      for (let i = 0; i < 256; i++) set[i] |= escaped[i];
    } else if (source.charCodeAt(at + 1) === MINUS && at + 2 < end) {
      at += 2;
      for (let i = c; i <= source.charCodeAt(at); i++) set[i] = 1;
    } else set[c] = 1;
  }
  return negative ? complement(set) : set;
}

/** Where the single-byte item that starts here ends, or -1 where its bracket is missing. */
function bracketEnd(source: string, start: number): number {
  let at = start + 1;
  if (source.charCodeAt(at) === CARET) at++;
  // The first byte of the set may be a bracket.
  do {
    if (at >= source.length) return -1;
    if (source.charCodeAt(at++) === ESCAPE && at < source.length) at++;
  } while (source.charCodeAt(at) !== CLOSE_BRACKET);
  return at + 1;
}

// ---- reading

/** The items of a pattern up to its end or to its first error. */
export function parse(source: string): { items: Item[]; captures: number[] } {
  const items: Item[] = [];
  const captures: number[] = [];
  // Bytes that stand for themselves, not yet made an item of.
  let literal = '';
  const push = (op: Op, set: ByteSet = NO_BYTES, a = 0, b = 0, text = '') => {
    if (literal !== '') items.push(new Item(OP.LITERAL, single(literal.charCodeAt(0)), 0, 0, literal));
    literal = '';
    items.push(new Item(op, set, a, b, text));
  };
  const error = (message: string) => {
    push(OP.ERROR, NO_BYTES, 0, 0, message);
    return { items, captures };
  };
  const { length } = source;
  let at = 0;
  while (at < length) {
    const c = source.charCodeAt(at);
    if (NOT_LITERAL[c] === 0) {
      let end = at + 1;
      while (end < length && NOT_LITERAL[source.charCodeAt(end)] === 0) end++;
      // A suffix belongs to the last byte only.
      if (end < length && SUFFIXES[source.charCodeAt(end)] !== 0) end--;
      literal += source.slice(at, end);
      at = end;
      if (at === length) break;
    }
    const start = source.charCodeAt(at);
    if (start === OPEN_PAREN) {
      if (captures.length >= MAX_CAPTURES) return error('too many captures');
      push(OP.OPEN, NO_BYTES, captures.length);
      const position = source.charCodeAt(at + 1) === CLOSE_PAREN;
      captures.push(position ? POSITION : UNFINISHED);
      at += position ? 2 : 1;
      continue;
    }
    if (start === CLOSE_PAREN) {
      const capture = captures.lastIndexOf(UNFINISHED);
      if (capture < 0) return error('invalid pattern capture');
      captures[capture] = TEXT;
      push(OP.CLOSE, NO_BYTES, capture);
      at++;
      continue;
    }
    if (start === DOLLAR && at + 1 === length) {
      push(OP.END);
      at++;
      continue;
    }
    let set: ByteSet;
    let byte = -1;
    if (start === ESCAPE) {
      if (at + 1 === length) return error("malformed pattern (ends with '%')");
      const escaped = source.charCodeAt(at + 1);
      at += 2;
      if (escaped === 0x62) {
        if (at + 2 > length) return error('unbalanced pattern');
        push(OP.BALANCE, NO_BYTES, source.charCodeAt(at), source.charCodeAt(at + 1));
        at += 2;
        continue;
      }
      if (escaped === 0x66) {
        if (source.charCodeAt(at) !== OPEN_BRACKET) return error("missing '[' after '%f' in pattern");
        const end = bracketEnd(source, at);
        if (end < 0) return error("malformed pattern (missing ']')");
        push(OP.FRONTIER, bracketSet(source, at, end - 1));
        at = end;
        continue;
      }
      if (isDigit(escaped)) {
        const capture = escaped - 0x31;
        const kind = captures[capture];
        if (kind === undefined || kind === UNFINISHED) return error('invalid capture index');
        push(kind === POSITION ? OP.NEVER : OP.BACK, NO_BYTES, capture);
        continue;
      }
      set = classSet(escaped);
      if (!classes.has(escaped)) byte = escaped;
    } else if (start === OPEN_BRACKET) {
      const end = bracketEnd(source, at);
      if (end < 0) return error("malformed pattern (missing ']')");
      set = bracketSet(source, at, end - 1);
      at = end;
    } else {
      set = start === POINT ? ALL_BYTES : single(start);
      if (start !== POINT) byte = start;
      at++;
    }
    const suffix = source.charCodeAt(at);
    if (SUFFIXES[suffix] === 1) at++;
    switch (suffix) {
      case PLUS:
        push(OP.ONE, set, byte);
        push(OP.GREEDY, set);
        break;
      case STAR:
        push(OP.GREEDY, set);
        break;
      case MINUS:
        push(OP.LAZY, set);
        break;
      case QUESTION:
        push(OP.OPTION, set);
        break;
      default:
        if (byte < 0) push(OP.ONE, set, -1);
        else literal += String.fromCharCode(byte);
    }
  }
  push(OP.ACCEPT);
  return { items, captures };
}

/**
 * Finds the repetitions that never have to try again, because what follows cannot begin with a byte that they
 * could give back or take more of, or because what follows always matches. Answers the bytes that a match can
 * begin with, null for any or none.
 */
export function settleRepetitions(items: readonly Item[]): ByteSet | null {
  // Of the items behind the one looked at: the bytes they can begin with, and whether they match anything (or
  // raise an error, which ends the matching too).
  let first: ByteSet | null = null;
  let always = true;
  for (let k = items.length - 1; k >= 0; k--) {
    const item = items[k];
    const { set, op } = item;
    switch (op) {
      case OP.GREEDY:
      case OP.OPTION:
      case OP.LAZY:
        if (always) item.op = op === OP.GREEDY ? OP.RUN : op === OP.OPTION ? OP.MAYBE : OP.EMPTY;
        else if (first !== null && disjoint(set, first)) item.op = op === OP.OPTION ? OP.MAYBE : OP.RUN;
        if (first !== null) first = first.map((member, byte) => member | set[byte]);
        break;
      case OP.ONE:
      case OP.LITERAL:
        first = set;
        always = false;
        break;
      case OP.BALANCE:
        first = single(item.a);
        always = false;
        break;
      case OP.FRONTIER:
        first = set;
        always = false;
        break;
      case OP.END:
      case OP.NEVER:
        first = NO_BYTES;
        always = false;
        break;
      case OP.BACK:
        first = null;
        always = false;
        break;
      default:
        // Captures take nothing; ACCEPT and ERROR are the end, as above.
        break;
    }
  }
  return first;
}

function disjoint(a: ByteSet, b: ByteSet): boolean {
  if (a === b) return false;
  for (let i = 0; i < 256; i++) if ((a[i] & b[i]) !== 0) return false;
  return true;
}

export function needsByte(items: readonly Item[]): boolean {
  for (const { op } of items) {
    switch (op) {
      case OP.ONE:
      case OP.LITERAL:
      case OP.BALANCE:
      case OP.NEVER:
        return true;
      case OP.FRONTIER:
      case OP.BACK:
      case OP.END:
      case OP.ACCEPT:
      case OP.ERROR:
        return false;
      default:
        break;
    }
  }
  return false;
}

export function prefixOf(items: readonly Item[]): string {
  return literalFrom(items, 0);
}

/** The bytes that must come at item k, one by one. */
export function literalFrom(items: readonly Item[], k: number): string {
  let text = '';
  for (let at = k; at < items.length; at++) {
    const item = items[at];
    if (item.op === OP.OPEN || item.op === OP.CLOSE) continue;
    if (item.op === OP.LITERAL) text += item.text;
    else if (item.op === OP.ONE && item.a >= 0) text += String.fromCharCode(item.a);
    else break;
  }
  return text;
}
