// Lua patterns: reads them, keeps them, and matches. A pattern begins as a list of items that an interpreter
// here walks through; one that is used much is compiled to JavaScript (pattern-compiler.ts). lib-string.ts is
// the caller.
import { TextCache } from './cache.ts';
import { fail } from './errors.ts';
import { compilePattern } from './pattern-compiler.ts';
import {
  type ByteSet,
  CARET,
  type Item,
  MATCH,
  needsByte,
  OP,
  parse,
  prefixOf,
  type Search,
  SPECIAL,
  STEPS,
  settleRepetitions,
} from './pattern-items.ts';
import { Pause } from './requests.ts';
import { charge, shouldPause, spend } from './state.ts';
import { heldBytes, heldNumber, MIN_LENGTH, searched } from './subject.ts';
import type { LuaResult, Request } from './value.ts';

/** Work after which a pattern is worth compiling, in about the time of a byte compared. */
const WORTH = 8000;
const WORK_PER_SEARCH = 40;

/** Larger patterns stay with the interpreter, whose room grows with the pattern only. */
const MAX_COMPILED_ITEMS = 100;
const MAX_COMPILED_LOOPS = 12;

export class Pattern {
  readonly items: readonly Item[];
  /** Kind of each capture. */
  readonly captures: readonly number[];
  readonly anchored: boolean;
  /** Bytes that a match can begin with; null: any, or none at all. */
  readonly first: ByteSet | null;
  /** A match takes at least one byte, and the first item sees to it. */
  readonly needsByte: boolean;
  /** What every match begins with, byte by byte; '' where the pattern is anchored. */
  readonly prefix: string;
  /** Worth compiling, and compiled as soon as it is used again. */
  isCompiled = false;
  private inText: Search | null = null;
  private inBytes: Search | null = null;
  private work = 0;

  constructor(source: string, anchored: boolean) {
    const { items, captures } = parse(source);
    this.captures = captures;
    this.anchored = anchored;
    this.first = settleRepetitions(items);
    this.items = items;
    this.needsByte = needsByte(items);
    this.prefix = anchored ? '' : prefixOf(items);
  }

  /** Finds the first match that begins at `from` or later (an anchored pattern: at `from`), leaves it in
   *  {@link MATCH} and answers its beginning, or -1. */
  search(subject: string, from: number): number {
    if (watched) return watchedSearch(this, subject, 0, from);
    if (subject.length >= MIN_LENGTH && !this.anchored && searched(subject)) {
      return this.inBytes === null ? this.slow(subject, from, true) : this.inBytes(subject, heldBytes, from);
    }
    return this.inText === null ? this.slow(subject, from, false) : this.inText(subject, heldBytes, from);
  }

  /** The same for who holds the subject (subject.ts) by this number, or 0. */
  searchHeld(subject: string, number: number, from: number): number {
    if (watched) return watchedSearch(this, subject, number, from);
    if (number > 0 && number === heldNumber) {
      return this.inBytes === null ? this.slow(subject, from, true) : this.inBytes(subject, heldBytes, from);
    }
    return this.inText === null ? this.slow(subject, from, false) : this.inText(subject, heldBytes, from);
  }

  private slow(subject: string, from: number, held: boolean): number {
    if (!this.isCompiled) return interpret(this, subject, from, null);
    if (held) this.inBytes = compilePattern(this, true, pay);
    else this.inText = compilePattern(this, false, pay);
    return held ? this.searchHeld(subject, heldNumber, from) : this.searchHeld(subject, 0, from);
  }

  /** The interpreter has done that much; from some point on the pattern is compiled. */
  addWork(work: number): void {
    this.work += work;
    if (this.work < WORTH) return;
    this.work = Number.NEGATIVE_INFINITY;
    const { items } = this;
    let loops = 0;
    for (const { op } of items) if (op === OP.GREEDY || op === OP.OPTION || op === OP.LAZY) loops++;
    this.isCompiled = items.length <= MAX_COMPILED_ITEMS && loops <= MAX_COMPILED_LOOPS;
  }
}

// ---- the patterns in use

const CACHED_PATTERNS = 256;
const MAX_CACHED_LENGTH = 400;
/** An item may take a hundred times the room of its text. */
const ROOM_PER_BYTE = 110;
const MAX_LENGTH = 2 ** 20;
const cache = new TextCache<Pattern>(CACHED_PATTERNS);
let lastText = '';
let last = new Pattern('', false);

/** The pattern of a text, as find, match and gsub take it: `^` anchors. */
export function patternOf(text: string): Pattern {
  return text === lastText ? last : lookUp(text);
}

/** The pattern of a text as gmatch takes it: `^` is nothing special. */
export function unanchoredPatternOf(text: string): Pattern {
  return patternOf(text.charCodeAt(0) === CARET ? `%${text}` : text);
}

function lookUp(text: string): Pattern {
  let pattern = cache.get(text);
  if (pattern === undefined) {
    // To C, a zero byte ends a pattern.
    const zero = text.indexOf('\0');
    const source = zero < 0 ? text : text.slice(0, zero);
    if (source.length > MAX_CACHED_LENGTH) {
      if (source.length > MAX_LENGTH) throw fail('pattern too complex');
      spend(source.length * ROOM_PER_BYTE);
      charge(source.length * ROOM_PER_BYTE);
    }
    const anchored = source.charCodeAt(0) === CARET;
    pattern = new Pattern(anchored ? source.slice(1) : source, anchored);
    if (text.length > MAX_CACHED_LENGTH) return pattern;
    cache.set(text, pattern);
  }
  lastText = text;
  last = pattern;
  return pattern;
}

/** Whether find may look for the text as it stands. As in C, what follows a zero byte is not looked at. */
export function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0) return true;
    if (SPECIAL[c] !== 0) return false;
  }
  return true;
}

// ---- searches that pause
//
// Where a script must be able to pause anywhere, a search that takes long is given up, and made by the interpreter, which
// can stop and go on; then its answer is found here when the native asks again.

/** Where the interpreter stopped. */
interface Stop {
  readonly begin: number;
  readonly k: number;
  readonly i: number;
  readonly stack: readonly number[];
  readonly match: Int32Array;
}
const STOPPED = -2;
let stopped: Stop | null = null;
/** The interpreter is to stop when it is time to pause. */
let stopping = false;
/** Searches are to be given up when it is time to pause. */
let givingUp = false;
/** Either, or an answer waits. */
let watched = false;

interface Wanted {
  readonly pattern: Pattern;
  readonly subject: string;
  readonly from: number;
}
let underWay: Wanted | null = null;
let answer: (Wanted & { readonly begin: number; readonly match: Int32Array }) | null = null;

class GivenUp {}
const GIVEN_UP = new GivenUp();

/** Tells the host of steps done in a search, which it may end; gives it up where it can be made again in pieces. */
function pay(steps: number): void {
  spend(steps);
  if (givingUp && shouldPause()) throw GIVEN_UP;
}

function watchedSearch(pattern: Pattern, subject: string, number: number, from: number): number {
  if (answer !== null && answer.pattern === pattern && answer.from === from && answer.subject === subject) {
    MATCH.set(answer.match);
    return answer.begin;
  }
  underWay = { pattern, subject, from };
  watched = false;
  try {
    return pattern.searchHeld(subject, number, from);
  } finally {
    watched = true;
  }
}

/**
 * Runs something that makes one search, and nothing else of consequence before it, so that it can be begun again: as a
 * part of a native's suspendable form.
 */
export function* pausing<T>(run: () => T): Generator<Request, T, LuaResult> {
  for (;;) {
    givingUp = true;
    watched = true;
    try {
      return run();
    } catch (error) {
      if (error !== GIVEN_UP) throw error;
    } finally {
      givingUp = false;
      watched = false;
      answer = null;
    }
    const { pattern, subject, from } = underWay as unknown as Wanted;
    let stop: Stop | null = null;
    let begin: number;
    do {
      yield new Pause();
      stopping = true;
      try {
        begin = interpret(pattern, subject, from, stop);
      } finally {
        stopping = false;
      }
      stop = stopped;
      stopped = null;
    } while (begin === STOPPED);
    answer = { pattern, subject, from, begin, match: MATCH.slice() };
  }
}

// ---- matching

// Repetitions that can try again, innermost last: three numbers each, the item, the last place to go back to
// and the present one. There is at most one entry for an item.
const stack: number[] = [];
let steps = 0;

/** The search of patterns that are not compiled; {@link STOPPED} only while `stopping`. */
function interpret(pattern: Pattern, subject: string, from: number, stop: Stop | null): number {
  const { anchored, first, prefix } = pattern;
  steps = WORK_PER_SEARCH;
  let begin = stop === null ? from : stop.begin;
  let end = -1;
  let resumed = stop;
  for (;;) {
    if (!anchored && resumed === null) {
      const before = begin;
      if (prefix !== '') {
        begin = subject.indexOf(prefix, begin);
        if (begin < 0) break;
      } else if (first !== null) {
        while (begin < subject.length && first[subject.charCodeAt(begin)] === 0) begin++;
        if (begin === subject.length && pattern.needsByte) break;
      }
      steps += begin - before;
    }
    end = matchAt(pattern, subject, begin, resumed);
    if (end === STOPPED) return STOPPED;
    resumed = null;
    if (end >= 0 || anchored || begin >= subject.length) break;
    begin++;
    if (steps > STEPS) {
      pattern.addWork(steps);
      pay(steps);
      steps = 0;
    }
    // Enough work for this search alone.
    if (pattern.isCompiled && !stopping) return pattern.search(subject, begin);
  }
  pattern.addWork(steps);
  if (steps > STEPS) spend(steps);
  if (end < 0) return -1;
  MATCH[0] = end;
  return begin;
}

/** End of the match that begins at `begin`, or -1. */
function matchAt(pattern: Pattern, s: string, begin: number, stop: Stop | null): number {
  const { items } = pattern;
  const { length } = s;
  let top = 0;
  let k = 0;
  let i = begin;
  if (stop !== null) {
    ({ k, i } = stop);
    top = stop.stack.length;
    for (let q = 0; q < top; q++) stack[q] = stop.stack[q];
    MATCH.set(stop.match);
  }
  for (;;) {
    const item = items[k];
    const { set } = item;
    let matched = true;
    steps++;
    switch (item.op) {
      case OP.ONE:
        if (i < length && set[s.charCodeAt(i)] !== 0) i++;
        else matched = false;
        break;
      case OP.LITERAL: {
        const { text } = item;
        const size = text.length;
        matched = i + size <= length;
        for (let q = 0; matched && q < size; q++) matched = s.charCodeAt(i + q) === text.charCodeAt(q);
        i += size;
        break;
      }
      case OP.MAYBE:
        if (i < length && set[s.charCodeAt(i)] !== 0) i++;
        break;
      case OP.RUN: {
        const low = i;
        while (i < length && set[s.charCodeAt(i)] !== 0) i++;
        steps += i - low;
        break;
      }
      case OP.GREEDY: {
        const low = i;
        while (i < length && set[s.charCodeAt(i)] !== 0) i++;
        steps += i - low;
        stack[top] = k;
        stack[top + 1] = low;
        stack[top + 2] = i;
        top += 3;
        break;
      }
      case OP.OPTION: {
        const low = i;
        if (i < length && set[s.charCodeAt(i)] !== 0) i++;
        stack[top] = k;
        stack[top + 1] = low;
        stack[top + 2] = i;
        top += 3;
        break;
      }
      case OP.LAZY:
        stack[top] = k;
        stack[top + 1] = i;
        stack[top + 2] = i;
        top += 3;
        break;
      case OP.OPEN:
        MATCH[1 + 2 * item.a] = i;
        break;
      case OP.CLOSE:
        MATCH[2 + 2 * item.a] = i;
        break;
      case OP.BALANCE: {
        const end = balanced(s, i, item.a, item.b);
        steps += (end < 0 ? length : end) - i;
        if (end < 0) matched = false;
        else i = end;
        break;
      }
      case OP.FRONTIER:
        matched = set[i > 0 ? s.charCodeAt(i - 1) : 0] === 0 && set[i < length ? s.charCodeAt(i) : 0] !== 0;
        break;
      case OP.BACK: {
        const start = MATCH[1 + 2 * item.a];
        const size = MATCH[2 + 2 * item.a] - start;
        steps += size >> 3;
        if (i + size <= length && s.startsWith(s.slice(start, start + size), i)) i += size;
        else matched = false;
        break;
      }
      case OP.END:
        matched = i === length;
        break;
      case OP.ACCEPT:
        return i;
      case OP.ERROR:
        throw fail(item.text);
      case OP.NEVER:
        matched = false;
        break;
      default:
        break;
    }
    if (matched) {
      k++;
      continue;
    }
    // Back to the last repetition that can try again.
    for (;;) {
      if (top === 0) return -1;
      k = stack[top - 3];
      i = stack[top - 1];
      if (items[k].op === OP.LAZY) {
        if (i < length && items[k].set[s.charCodeAt(i)] !== 0) {
          i++;
          break;
        }
      } else if (i > stack[top - 2]) {
        i--;
        break;
      }
      top -= 3;
    }
    stack[top - 1] = i;
    k++;
    if (steps > STEPS) {
      pattern.addWork(steps);
      pay(steps);
      steps = 0;
      if (stopping && shouldPause()) {
        stopped = { begin, k, i, stack: stack.slice(0, top), match: MATCH.slice() };
        return STOPPED;
      }
    }
  }
}

/** End of the balanced text that begins here, or -1. */
function balanced(s: string, start: number, open: number, close: number): number {
  if (start >= s.length || s.charCodeAt(start) !== open) return -1;
  let depth = 1;
  for (let i = start + 1; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c === close) {
      depth--;
      if (depth === 0) return i + 1;
    } else if (c === open) depth++;
  }
  return -1;
}
