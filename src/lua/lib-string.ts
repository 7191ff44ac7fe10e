// The library `string` of Lua 5.1, over byte strings. base.ts opens it with the other libraries; strings find
// it through their metatable too.
import {
  checkFunction,
  checkInt,
  checkInteger,
  checkNumber,
  checkString,
  optionalInteger,
} from './arguments.ts';
import { runsDirect } from './compile.ts';
import { badArgument, fail } from './errors.ts';
import { format } from './format.ts';
import { formatNumber } from './number.ts';
import { callFromNative, index, indexG, MAX_STRING } from './operations.ts';
import { MATCH, POSITION, TEXT, UNFINISHED } from './pattern-items.ts';
import { isPlain, type Pattern, patternOf, pausing, unanchoredPatternOf } from './patterns.ts';
import { callRequest, Pause } from './requests.ts';
import { charge, isWhollySuspendable, type LuaState, shouldPause, spend } from './state.ts';
import { Builder, hold, joinPieces, Lookup } from './subject.ts';
import { LuaTable } from './table.ts';
import {
  all,
  first,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaValue,
  mostlyDirect,
  NOTHING,
  native,
  paced,
  type Suspendable,
  typeName,
} from './value.ts';

export function openString(_state: LuaState): LuaTable {
  // Size and order of the fields as in C, so that pairs(string) goes through them as there.
  const table = new LuaTable(0, 15);
  table.set('byte', native(byte));
  table.set('char', native(char));
  table.set('dump', native(dump));
  table.set('find', searching(find));
  table.set('format', native(formatArguments));
  const iterate = paced(native(gmatch), 'slow');
  // Its name in Lua 5.0.
  table.set('gfind', iterate);
  table.set('gmatch', iterate);
  table.set('gsub', native(gsub, gsubSuspendable));
  table.set('len', native(len));
  table.set('lower', native(lower));
  table.set('match', searching(match));
  table.set('rep', native(rep));
  table.set('reverse', native(reverse));
  table.set('sub', native(sub));
  table.set('upper', native(upper));
  return table;
}

/** A native that makes one search: a pattern can take long on a short subject. */
function searching(f: (...args: LuaValue[]) => LuaResult): LuaFunction {
  const form = (...args: LuaValue[]): Suspendable => pausing(() => f(...args));
  return paced(mostlyDirect(native(f, form)), 'slow');
}

/** Bytes from which on building or reading a string is worth telling the host. */
const LONG = 16384;

/** A string of this many bytes is about to be built. */
function reserve(bytes: number): void {
  if (bytes > MAX_STRING) throw new LuaError('not enough memory');
  if (bytes >= LONG) {
    spend(bytes >>> 3);
    charge(bytes);
  }
}

/** A position counted from the end where it is negative; 0 where it lies before the beginning. */
function fromStart(position: number, length: number): number {
  if (position >= 0) return position;
  return position + length + 1 > 0 ? position + length + 1 : 0;
}

// ---- pieces of strings

function len(s: LuaValue): LuaResult {
  return typeof s === 'string' ? s.length : checkString(s, 1, arguments.length).length;
}

function sub(s: LuaValue, i: LuaValue, j: LuaValue): LuaResult {
  const text = typeof s === 'string' ? s : checkString(s, 1, arguments.length);
  const { length } = text;
  let from = typeof i === 'number' && (i | 0) === i ? i : checkInteger(i, 2, arguments.length);
  if (from < 0) from += length + 1;
  if (from < 1) from = 1;
  if (j === undefined) return text.slice(from - 1);
  let to = typeof j === 'number' && (j | 0) === j ? j : checkInteger(j, 3, arguments.length);
  if (to < 0) to += length + 1;
  return from <= to ? text.slice(from - 1, to) : '';
}

/** What a C function may push (LUAI_MAXCSTACK). */
const MAX_STACK = 8000;

function byte(s: LuaValue, i: LuaValue, j: LuaValue): LuaResult {
  const count = arguments.length;
  const text = typeof s === 'string' ? s : checkString(s, 1, count);
  const { length } = text;
  if (j === undefined && typeof i === 'number' && i > 0 && i <= length && (i | 0) === i) {
    return text.charCodeAt(i - 1);
  }
  const position = fromStart(optionalInteger(i, 2, count, 1), length);
  let to = fromStart(optionalInteger(j, 3, count, position), length);
  const from = position > 0 ? position : 1;
  if (to > length) to = length;
  if (from > to) return NOTHING;
  if (from === to) return text.charCodeAt(from - 1);
  if (count + to - from + 1 > MAX_STACK) throw fail('stack overflow (string slice too long)');
  const bytes: number[] = [];
  for (let at = from; at <= to; at++) bytes.push(text.charCodeAt(at - 1));
  return bytes;
}

function charOf(value: LuaValue, position: number, count: number): number {
  const c = typeof value === 'number' ? value : checkNumber(value, position, count);
  const code = (c | 0) === c ? c : checkInt(c, position, count);
  if (code >>> 8 !== 0) throw badArgument(position, 'invalid value');
  return code;
}

function char(a: LuaValue, b: LuaValue, c: LuaValue): LuaResult {
  const count = arguments.length;
  if (count === 1) return String.fromCharCode(charOf(a, 1, 1));
  if (count === 2) return String.fromCharCode(charOf(a, 1, 2), charOf(b, 2, 2));
  if (count === 3) return String.fromCharCode(charOf(a, 1, 3), charOf(b, 2, 3), charOf(c, 3, 3));
  const codes: number[] = [];
  for (let k = 0; k < count; k++) codes.push(charOf(arguments[k], k + 1, count));
  return String.fromCharCode(...codes);
}

function rep(s: LuaValue, n: LuaValue): LuaResult {
  const text = checkString(s, 1, arguments.length);
  const times = checkInt(n, 2, arguments.length);
  if (times <= 0 || text === '') return '';
  reserve(text.length * times);
  return text.repeat(times);
}

const NOT_ASCII = /[\x80-\xff]/;

function lower(s: LuaValue): LuaResult {
  const text = checkString(s, 1, arguments.length);
  if (text.length <= SHORT) return mapped(text, LOWER);
  reserve(text.length);
  if (NOT_ASCII.test(text)) return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return text.toLowerCase();
}

function upper(s: LuaValue): LuaResult {
  const text = checkString(s, 1, arguments.length);
  if (text.length <= SHORT) return mapped(text, UPPER);
  reserve(text.length);
  if (NOT_ASCII.test(text)) return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
  return text.toUpperCase();
}

/** By byte: the letter in the other case, as C does it without a locale. */
const LOWER = Uint8Array.from({ length: 256 }, (_, c) => (c >= 0x41 && c <= 0x5a ? c + 0x20 : c));
const UPPER = Uint8Array.from({ length: 256 }, (_, c) => (c >= 0x61 && c <= 0x7a ? c - 0x20 : c));
/** Up to so many bytes it is twice as fast to put the letters together here. */
const SHORT = 8;

function mapped(text: string, table: Uint8Array): string {
  const at = (i: number): number => table[text.charCodeAt(i)];
  const code = String.fromCharCode;
  switch (text.length) {
    case 0:
      return text;
    case 1:
      return code(at(0));
    case 2:
      return code(at(0), at(1));
    case 3:
      return code(at(0), at(1), at(2));
    case 4:
      return code(at(0), at(1), at(2), at(3));
    case 5:
      return code(at(0), at(1), at(2), at(3), at(4));
    case 6:
      return code(at(0), at(1), at(2), at(3), at(4), at(5));
    case 7:
      return code(at(0), at(1), at(2), at(3), at(4), at(5), at(6));
    default:
      return code(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7));
  }
}

function reverse(s: LuaValue): LuaResult {
  const text = checkString(s, 1, arguments.length);
  const { length } = text;
  if (length > LONG) {
    // By parts that go into one piece each.
    const builder = new Builder('');
    for (let end = length; end > 0; end -= PART) builder.add(reversed(text, Math.max(0, end - PART), end));
    return builder.finish();
  }
  return reversed(text, 0, length);
}

const PART = 4096;

function reversed(text: string, from: number, to: number): string {
  let out = '';
  let i = to - 1;
  // Eight at a time: strings are slow to join when they are short.
  for (; i >= from + 7; i -= 8) {
    out += String.fromCharCode(
      text.charCodeAt(i),
      text.charCodeAt(i - 1),
      text.charCodeAt(i - 2),
      text.charCodeAt(i - 3),
      text.charCodeAt(i - 4),
      text.charCodeAt(i - 5),
      text.charCodeAt(i - 6),
      text.charCodeAt(i - 7),
    );
  }
  for (; i >= from; i--) out += text[i];
  if (to - from === PART) joinPieces(out);
  return out;
}

function dump(f: LuaValue): LuaResult {
  checkFunction(f, 1, arguments.length);
  // There is no bytecode to be dumped.
  throw fail('unable to dump given function');
}

function formatArguments(f: LuaValue, ...args: LuaValue[]): LuaResult {
  return format(typeof f === 'string' ? f : checkString(f, 1, arguments.length), args);
}

// ---- matching

/** Capture k of the last match of `pattern`, which began at `begin`; with no captures the whole match is 0. */
function captureOf(pattern: Pattern, s: string, begin: number, k: number): string | number {
  const { captures } = pattern;
  if (k >= captures.length) {
    if (k === 0) return s.slice(begin, MATCH[0]);
    throw fail('invalid capture index');
  }
  const kind = captures[k];
  const start = MATCH[1 + 2 * k];
  if (kind === POSITION) return start + 1;
  if (kind === UNFINISHED) throw fail('unfinished capture');
  return s.slice(start, MATCH[2 + 2 * k]);
}

/** All captures, or the whole match where the pattern has none. */
function capturesOf(pattern: Pattern, s: string, begin: number): LuaResult {
  const { captures } = pattern;
  const { length } = captures;
  if (length === 0) return s.slice(begin, MATCH[0]);
  if (length === 1) return captureOf(pattern, s, begin, 0);
  if (length === 2) return [captureOf(pattern, s, begin, 0), captureOf(pattern, s, begin, 1)];
  const values: LuaValue[] = [];
  for (let k = 0; k < length; k++) values.push(captureOf(pattern, s, begin, k));
  return values;
}

/** Where to begin, from 0 on, within the text. */
function beginning(init: LuaValue, position: number, count: number, length: number): number {
  if (init === undefined) return 0;
  const from = fromStart(checkInteger(init, position, count), length) - 1;
  return from < 0 ? 0 : from > length ? length : from;
}

function find(s: LuaValue, p: LuaValue, init: LuaValue, plain: LuaValue): LuaResult {
  const text = typeof s === 'string' ? s : checkString(s, 1, arguments.length);
  const wanted = typeof p === 'string' ? p : checkString(p, 2, arguments.length);
  const from = beginning(init, 3, arguments.length, text.length);
  if ((plain !== undefined && plain !== false) || isPlain(wanted)) {
    if (text.length - from > LONG) spend((text.length - from) >>> 6);
    const at = text.indexOf(wanted, from);
    return at < 0 ? undefined : [at + 1, at + wanted.length];
  }
  const pattern = patternOf(wanted);
  const begin = pattern.search(text, from);
  if (begin < 0) return undefined;
  const { length } = pattern.captures;
  if (length === 0) return [begin + 1, MATCH[0]];
  const values: LuaValue[] = [begin + 1, MATCH[0]];
  for (let k = 0; k < length; k++) values.push(captureOf(pattern, text, begin, k));
  return values;
}

function match(s: LuaValue, p: LuaValue, init: LuaValue): LuaResult {
  const text = typeof s === 'string' ? s : checkString(s, 1, arguments.length);
  const pattern = patternOf(typeof p === 'string' ? p : checkString(p, 2, arguments.length));
  const begin = pattern.search(text, beginning(init, 3, arguments.length, text.length));
  return begin < 0 ? undefined : capturesOf(pattern, text, begin);
}

function gmatch(s: LuaValue, p: LuaValue): LuaResult {
  const text = checkString(s, 1, arguments.length);
  const pattern = unanchoredPatternOf(checkString(p, 2, arguments.length));
  const { length } = text;
  const whole = pattern.captures.length === 0;
  let from = 0;
  let calls = 0;
  let number = 0;
  return searching(() => {
    if (from > length) return NOTHING;
    // A loop that goes on for long will go on to the end.
    if (calls < LONG_LOOP && ++calls === LONG_LOOP) number = hold(text);
    const begin = pattern.searchHeld(text, number, from);
    if (begin < 0) {
      from = length + 1;
      return NOTHING;
    }
    const end = MATCH[0];
    from = end > begin ? end : end + 1;
    return whole ? text.slice(begin, end) : capturesOf(pattern, text, begin);
  });
}

const LONG_LOOP = 8;

// ---- replacing

/** A replacement string with escapes: text, and numbers for parts of the match. */
class Template {
  /** The whole match is 0, capture k is k + 1. */
  readonly parts: (string | number)[] = [];

  constructor(source: string) {
    const { parts } = this;
    let text = '';
    for (let i = 0; i < source.length; i++) {
      const at = source.indexOf('%', i);
      text += at < 0 ? source.slice(i) : source.slice(i, at);
      if (at < 0) break;
      i = at + 1;
      const digit = source.charCodeAt(i) - 0x30;
      if (digit >= 0 && digit <= 9) {
        if (text !== '') parts.push(text);
        text = '';
        parts.push(digit);
        // Behind the last byte C finds a zero byte.
      } else text += i < source.length ? source[i] : '\0';
    }
    if (text !== '') parts.push(text);
  }
}

let lastTemplateText = '';
let lastTemplate = new Template('');

function templateOf(source: string): Template {
  if (source === lastTemplateText) return lastTemplate;
  const template = new Template(source);
  if (source.length < LONG) {
    lastTemplate = template;
    lastTemplateText = source;
  }
  return template;
}

function gsub(s: LuaValue, p: LuaValue, r: LuaValue, n: LuaValue): LuaResult {
  const count = arguments.length;
  const text = checkString(s, 1, count);
  const pattern = patternOf(typeof p === 'string' ? p : checkString(p, 2, count));
  const max = n === undefined ? text.length + 1 : checkInt(n, 4, count);
  if (typeof r === 'string') {
    if (!r.includes('%')) return replaceByText(text, pattern, r, max);
    return replaceByTemplate(text, pattern, templateOf(r), max);
  }
  if (typeof r === 'function') {
    const job = new Replacement(text, pattern, max);
    replaceByFunction(job, r, null);
    return job.finish();
  }
  if (r instanceof LuaTable) return replaceByTable(text, pattern, r, max);
  if (typeof r === 'number') return replaceByText(text, pattern, formatNumber(r), max);
  throw badArgument(3, 'string/function/table expected');
}

function* gsubSuspendable(s: LuaValue, p: LuaValue, r: LuaValue, n: LuaValue): Suspendable {
  const count = arguments.length;
  if (!isWhollySuspendable() && typeof r !== 'function' && !(r instanceof LuaTable && r.metatable !== null)) {
    // As many arguments as there were: messages tell nil from nothing.
    return gsub.apply(null, arguments as unknown as Parameters<typeof gsub>);
  }
  const text = checkString(s, 1, count);
  const pattern = patternOf(checkString(p, 2, count));
  const job = new Replacement(text, pattern, n === undefined ? text.length + 1 : checkInt(n, 4, count));
  if (typeof r === 'function' && !isWhollySuspendable() && runsDirect(r)) {
    while (!replaceByFunction(job, r, shouldPause)) yield new Pause();
    return job.finish();
  }
  if (typeof r !== 'function' && typeof r !== 'string' && typeof r !== 'number' && !(r instanceof LuaTable)) {
    throw badArgument(3, 'string/function/table expected');
  }
  const find = (): number => job.find();
  for (let begin = yield* pausing(find); begin >= 0; begin = yield* pausing(find)) {
    const end = MATCH[0];
    let value: LuaValue;
    if (typeof r === 'function') value = first(yield callRequest(r, all(capturesOf(pattern, text, begin))));
    else if (r instanceof LuaTable) value = first(yield* indexG(r, captureOf(pattern, text, begin, 0)));
    else value = filled(templateOf(typeof r === 'number' ? formatNumber(r) : r), pattern, text, begin);
    job.replace(begin, end, value);
    if (shouldPause()) yield new Pause();
  }
  return job.finish();
}

/** A template with the parts of a match. */
function filled({ parts }: Template, pattern: Pattern, text: string, begin: number): string {
  const end = MATCH[0];
  let out = '';
  for (const part of parts) {
    if (typeof part === 'string') out += part;
    else if (part === 0 || (part === 1 && pattern.captures.length === 0)) out += text.slice(begin, end);
    else out += String(captureOf(pattern, text, begin, part - 1));
  }
  return out;
}

/** A replacement that asks a function for each match, and can stop in between. */
class Replacement {
  readonly text: string;
  readonly pattern: Pattern;
  private readonly max: number;
  private readonly builder: Builder;
  private last = 0;
  private next = 0;
  private done = 0;

  constructor(text: string, pattern: Pattern, max: number) {
    this.text = text;
    this.pattern = pattern;
    this.max = max;
    this.builder = new Builder(text);
  }

  /** Beginning of the next match (its end is in MATCH), or -1. */
  find(): number {
    const { text, pattern, next } = this;
    if (this.done >= this.max || next > text.length) return -1;
    const begin = pattern.searchHeld(text, this.builder.number, next);
    if (begin < 0) return -1;
    this.done++;
    if ((this.done & LOOK) === 0) spend(LOOK_STEPS);
    const end = MATCH[0];
    this.next = end > begin ? end : end + 1;
    if (pattern.anchored) this.next = text.length + 1;
    return begin;
  }

  replace(begin: number, end: number, value: LuaValue): void {
    if (value === undefined || value === false) return;
    const by = replacement(value);
    if (begin > this.last) this.builder.copy(this.last, begin);
    this.builder.add(by);
    this.last = end;
  }

  finish(): LuaResult {
    return finish(this.text, this.builder, this.last, this.done);
  }
}

/** @returns false where `giveWay` stopped it; to be called again */
function replaceByFunction(job: Replacement, f: LuaFunction, giveWay: (() => boolean) | null): boolean {
  const { text, pattern } = job;
  const isSingle = pattern.captures.length <= 1;
  for (;;) {
    const begin = job.find();
    if (begin < 0) return true;
    const end = MATCH[0];
    const result = isSingle
      ? callFromNative(f, captureOf(pattern, text, begin, 0))
      : callFromNative(f, ...all(capturesOf(pattern, text, begin)));
    job.replace(begin, end, typeof result === 'string' ? result : first(result));
    if (giveWay?.()) return false;
  }
}

/** After how many matches (less one) to look at the budget, and how many steps they may have been. */
const LOOK = 1023;
const LOOK_STEPS = 8192;

function replaceByText(text: string, pattern: Pattern, by: string, max: number): LuaResult {
  const { anchored } = pattern;
  const builder = new Builder(text);
  let last = 0;
  let next = 0;
  let done = 0;
  while (done < max && next <= text.length) {
    const begin = pattern.searchHeld(text, builder.number, next);
    if (begin < 0) break;
    const end = MATCH[0];
    done++;
    if ((done & LOOK) === 0) spend(LOOK_STEPS);
    if (begin > last) builder.copy(last, begin);
    builder.add(by);
    last = end;
    next = end > begin ? end : end + 1;
    if (anchored) break;
  }
  return finish(text, builder, last, done);
}

function replaceByTemplate(text: string, pattern: Pattern, template: Template, max: number): LuaResult {
  const { anchored, captures } = pattern;
  const { parts } = template;
  // Without captures, %1 is the whole match, too. At either end of the replacement it stands beside what is
  // not replaced anyway: one piece with that.
  const whole = captures.length === 0 ? 1 : 0;
  const leading = parts[0] === 0 || parts[0] === whole;
  const final = parts[parts.length - 1];
  const trailing = parts.length > 1 && (final === 0 || final === whole);
  const from = leading ? 1 : 0;
  const to = trailing ? parts.length - 1 : parts.length;
  const builder = new Builder(text);
  let last = 0;
  let next = 0;
  let done = 0;
  while (done < max && next <= text.length) {
    const begin = pattern.searchHeld(text, builder.number, next);
    if (begin < 0) break;
    const end = MATCH[0];
    done++;
    if ((done & LOOK) === 0) spend(LOOK_STEPS);
    const till = leading ? end : begin;
    if (till > last) builder.copy(last, till);
    for (let k = from; k < to; k++) {
      const part = parts[k];
      if (typeof part === 'string') builder.add(part);
      else if (part === 0) builder.copy(begin, end);
      else if (captures[part - 1] === TEXT) builder.copy(MATCH[2 * part - 1], MATCH[2 * part]);
      else {
        const capture = captureOf(pattern, text, begin, part - 1);
        builder.add(typeof capture === 'string' ? capture : `${capture}`);
      }
    }
    last = trailing ? begin : end;
    next = end > begin ? end : end + 1;
    if (anchored) break;
  }
  return finish(text, builder, last, done);
}

function replaceByTable(text: string, pattern: Pattern, table: LuaTable, max: number): LuaResult {
  const { anchored, captures } = pattern;
  const builder = new Builder(text);
  const { number } = builder;
  const lookup = number > 0 && table.metatable === null ? new Lookup(table, text, number) : null;
  // Where in MATCH the key's beginning and end are; it begins with the match where there are no captures.
  const keyAt = captures.length === 0 ? -1 : captures[0] === TEXT ? 1 : 0;
  let last = 0;
  let next = 0;
  let done = 0;
  while (done < max && next <= text.length) {
    const begin = pattern.searchHeld(text, number, next);
    if (begin < 0) break;
    const end = MATCH[0];
    done++;
    if ((done & LOOK) === 0) spend(LOOK_STEPS);
    let value: LuaValue;
    if (lookup !== null && keyAt !== 0) {
      value = keyAt < 0 ? lookup.get(begin, end) : lookup.get(MATCH[1], MATCH[2]);
    } else {
      const key = captureOf(pattern, text, begin, 0);
      value = typeof key === 'string' ? table.field(key) : table.get(key);
      if (value === undefined && table.metatable !== null) value = index(table, key);
    }
    if (value !== undefined && value !== false) {
      const by = replacement(value);
      if (begin > last) builder.copy(last, begin);
      builder.add(by);
      last = end;
    }
    next = end > begin ? end : end + 1;
    if (anchored) break;
  }
  return finish(text, builder, last, done);
}

/** What a function or table gave, as text. */
function replacement(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatNumber(value);
  throw fail(`invalid replacement value (a ${typeName(value)})`);
}

/** Results of gsub: the subject from `last` on stays as it is. */
function finish(text: string, builder: Builder, last: number, count: number): LuaResult {
  if (last < text.length) builder.copy(last, text.length);
  return [builder.finish(), count];
}
