// A long string as bytes, for the matching and replacing of patterns.ts and lib-string.ts: reading an element of
// an array takes a third of the time that a char code takes, and joining thousands of short strings takes
// several times as long as writing their bytes one after the other.
//
// Bytes and strings are converted by TextEncoder and TextDecoder where the platform has them; they do so at
// memory speed, but only ASCII comes out byte for byte. Without them everything works on strings.
import { MAX_STRING } from './operations.ts';
import { charge, spend } from './state.ts';
import type { LuaTable } from './table.ts';
import { LuaError, type LuaValue } from './value.ts';

/** Shorter strings are not worth the trouble, longer ones would take too much room. */
export const MIN_LENGTH = 1000;
const MAX_LENGTH = 2 ** 20;

const encoder = typeof TextEncoder === 'undefined' ? null : new TextEncoder();
const decoder = typeof TextDecoder === 'undefined' ? null : new TextDecoder();

/** The string whose bytes are at hand. There is one only. */
let heldText = '';
/** Its bytes, at the beginning. */
export let heldBytes = new Uint8Array(2 * MIN_LENGTH);
let heldWords = new DataView(heldBytes.buffer);
/** Number of the string among those that were held: who calls Lua in between has to look again. */
export let heldNumber = 0;
/** The last string that was searched, and one that is not ASCII. */
let lastText = '';
let refusedText = '';
let seen = 0;

/** Searches in the same string after which its bytes are worth fetching. */
const WORTH = 8;

/** A string of at least MIN_LENGTH is searched; answers whether its bytes are at hand now. */
export function searched(text: string): boolean {
  if (text === heldText) {
    // Maybe another string with the same contents: now it is this one, and the next comparison is quick.
    heldText = text;
    return true;
  }
  if (text.length > MAX_LENGTH) return false;
  if (text !== lastText) seen = 0;
  lastText = text;
  seen++;
  return seen > WORTH && hold(text) > 0;
}

/** Fetches the bytes of a string that will be read to its end. Answers its number, 0 where there are none. */
export function hold(text: string): number {
  const { length } = text;
  if (encoder === null || length < MIN_LENGTH || length > MAX_LENGTH) return 0;
  if (text === heldText) return heldNumber;
  if (text === refusedText) {
    refusedText = text;
    return 0;
  }
  heldText = '';
  heldNumber++;
  if (length + WORD > heldBytes.length) {
    heldBytes = new Uint8Array(Math.max(length + WORD, heldBytes.length * 2));
    heldWords = new DataView(heldBytes.buffer);
  }
  const { read, written } = encoder.encodeInto(text, heldBytes);
  if (read !== length || written !== length) {
    refusedText = text;
    return 0;
  }
  heldText = text;
  return heldNumber;
}

/** Bytes that a string may have before anybody asks whether there is room for it. */
const FREE = 16384;
const MIN_BUFFER = 16384;
const MAX_BUFFER = 2 ** 20;
/** Longer pieces are not copied byte by byte. */
const LONG_COPY = 96;
const LONG_TEXT = 64;
/** Fewer bytes between two long pieces are not worth a buffer. */
const SHORT_RUN = 256;
const MAX_SHORT_RUNS = 4;
/** Pieces that are joined at once. */
const MAX_PIECES = 1024;

/** Bytes are copied by eights, as numbers: several times faster. As it is ASCII, none of them is a NaN, whose
 *  bits might change on the way. */
const WORD = 8;

interface Buffer {
  readonly bytes: Uint8Array;
  readonly words: DataView;
  /** A word may be written from here, still. */
  readonly capacity: number;
}

function makeBuffer(size: number): Buffer {
  const bytes = new Uint8Array(size);
  return { bytes, words: new DataView(bytes.buffer), capacity: Math.max(0, size - WORD) };
}

const NO_BUFFER = makeBuffer(0);
// A buffer that no builder uses. One more is made where builders run inside each other.
let spare: Buffer | null = null;

/** V8 keeps the pieces that a string was made of, at several times their size, until somebody reads of it. A
 *  regular expression does, in a way that no optimization leaves out. */
export function joinPieces(text: string): void {
  ANY.test(text);
}
const ANY = /^/;

/** Puts a string together from pieces of a subject and other strings. */
export class Builder {
  private readonly subject: string;
  /** The subject's, see {@link hold}. */
  readonly number: number;
  /** The pieces of `last` come behind `out`. */
  private out = '';
  private last = '';
  private pieces = 0;
  /** Bytes that come behind `last`; without capacity where all goes to `last` directly. */
  private buffer: Buffer = NO_BUFFER;
  private used = 0;
  private shortRuns = 0;
  private paid = FREE;

  constructor(subject: string) {
    this.subject = subject;
    this.number = subject.length < MIN_LENGTH || decoder === null ? 0 : hold(subject);
    if (this.number > 0) {
      this.buffer = spare ?? makeBuffer(MIN_BUFFER);
      spare = null;
    }
  }

  /** Appends the subject between these places. */
  copy(from: number, to: number): void {
    const { buffer, used } = this;
    const end = used + to - from;
    if (end > buffer.capacity || to - from > LONG_COPY || heldNumber !== this.number) {
      this.append(this.subject.slice(from, to));
      return;
    }
    const { words } = buffer;
    const source = heldWords;
    for (let i = used, j = from; i < end; i += WORD, j += WORD) words.setFloat64(i, source.getFloat64(j));
    this.used = end;
  }

  /** Appends a string. */
  add(text: string): void {
    const { buffer, used } = this;
    const { length } = text;
    if (used + length > buffer.capacity || length > LONG_TEXT) {
      this.append(text);
      return;
    }
    const { bytes } = buffer;
    let all = 0;
    for (let i = 0; i < length; i++) {
      const c = text.charCodeAt(i);
      bytes[used + i] = c;
      all |= c;
    }
    if (all < 0x80) this.used = used + length;
    else this.append(text);
  }

  /** Appends a string that does not fit the buffer, one way or another. */
  private append(text: string): void {
    const { used } = this;
    const size = this.out.length + this.last.length + used + text.length;
    if (size > this.paid) this.pay(size);
    if (used > 0) this.flush();
    this.last += text;
    this.pieces++;
    if (this.pieces === MAX_PIECES) this.join();
    const { capacity } = this.buffer;
    if (capacity === 0) return;
    if (used < SHORT_RUN) {
      // Between long pieces there is little to gather.
      this.shortRuns++;
      if (this.shortRuns > MAX_SHORT_RUNS) this.release();
    } else if (used > capacity - LONG_COPY && capacity < MAX_BUFFER) {
      this.buffer = makeBuffer(4 * capacity);
    }
  }

  /** All that was appended. The builder must not be used any more. */
  finish(): string {
    const { used, out, last } = this;
    if (used > 0) {
      const size = out.length + last.length + used;
      if (size > this.paid) this.pay(size);
      this.flush();
    }
    if (this.buffer.capacity > 0) this.release();
    return this.out + this.last;
  }

  private join(): void {
    joinPieces(this.last);
    this.out += this.last;
    this.last = '';
    this.pieces = 0;
  }

  private flush(): void {
    this.last += decoder!.decode(this.buffer.bytes.subarray(0, this.used));
    this.used = 0;
  }

  private release(): void {
    spare = this.buffer;
    this.buffer = NO_BUFFER;
  }

  private pay(size: number): void {
    if (size > MAX_STRING) throw new LuaError('not enough memory');
    const more = Math.max(size - this.paid, FREE);
    spend(more >>> 2);
    charge(more);
    this.paid += more;
  }
}

const SLOTS = 1024;
/** So many more failures than successes show that the keys do not repeat. */
const MAX_LOSS = 200;
/** Which bits of its first and second four bytes belong to a key, by its length. */
const LOW_MASKS = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
const HIGH_MASKS = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);
const MAX_KEY = 8;

/** The slot of a key's bytes. */
function slotOf(low: number, high: number): number {
  return (Math.imul(low ^ Math.imul(high, 0x2c1b3c6d), 0x297a2d39) >>> 20) & (SLOTS - 1);
}

/** Four bytes of a key as they are read from the subject. */
function wordOf(key: string, at: number): number {
  let word = 0;
  for (let i = Math.min(at + 4, key.length) - 1; i >= at; i--) word = (word << 8) | key.charCodeAt(i);
  return word;
}

/**
 * What a table holds for keys that are pieces of the held subject. Short keys need no string for most of them,
 * nor looking that up, which takes several times as long: their bytes say that the table has no such key, or
 * what it had for them the last time. The table must not change meanwhile.
 */
export class Lookup {
  private readonly table: LuaTable;
  private readonly subject: string;
  private readonly number: number;
  /** Slots where a short key of the table may be (1); null where nobody knows. */
  private readonly possible: Uint8Array | null;
  // Of the key that was last seen with a slot: its bytes, its length (0: none was), its value.
  private readonly lows = new Int32Array(SLOTS);
  private readonly highs = new Int32Array(SLOTS);
  private readonly lengths = new Uint8Array(SLOTS);
  private readonly values: LuaValue[] = new Array(SLOTS).fill(undefined);
  private loss = 0;

  constructor(table: LuaTable, subject: string, number: number) {
    this.table = table;
    this.subject = subject;
    this.number = number;
    const layout = table.fields([], 0);
    this.possible = layout === null ? null : new Uint8Array(SLOTS);
    if (layout === null || this.possible === null) return;
    for (const key of layout.keys()) {
      if (key.length <= MAX_KEY) this.possible[slotOf(wordOf(key, 0), wordOf(key, 4))] = 1;
    }
  }

  get(from: number, to: number): LuaValue {
    const length = to - from;
    if (length > MAX_KEY || length === 0 || heldNumber !== this.number) {
      return this.table.field(this.subject.slice(from, to));
    }
    const low = heldWords.getInt32(from, true) & LOW_MASKS[length];
    const high = heldWords.getInt32(from + 4, true) & HIGH_MASKS[length];
    const slot = slotOf(low, high);
    const { possible } = this;
    if (possible !== null && possible[slot] === 0) return undefined;
    if (this.loss > MAX_LOSS) return this.table.field(this.subject.slice(from, to));
    if (this.lows[slot] === low && this.highs[slot] === high && this.lengths[slot] === length) {
      this.loss--;
      return this.values[slot];
    }
    this.loss++;
    const value = this.table.field(this.subject.slice(from, to));
    this.lows[slot] = low;
    this.highs[slot] = high;
    this.lengths[slot] = length;
    this.values[slot] = value;
    return value;
  }
}
