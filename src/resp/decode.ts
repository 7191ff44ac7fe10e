// Incremental decoder of requests: arrays of bulk strings and inline commands, in any split of the bytes. The
// server gives it what the socket read and takes whole commands; limits and error texts are Redis'.
import { bytesToString } from './bytes.ts';
import { LONGEST_SPELLED, spell } from './spell.ts';

/** The peer broke the protocol: send `-ERR Protocol error: <message>` and close. */
export class ProtocolError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** The peer sent more than the query buffer may hold: close without a word, as Redis does. */
export class QueryBufferOverflow {
  readonly size: number;
  constructor(size: number) {
    this.size = size;
  }
}

export interface DecoderLimits {
  /** proto-max-bulk-len. */
  maxBulk: number;
  /** client-query-buffer-limit: bytes of one request that may be held. */
  maxBuffer: number;
}

/** Longest inline request and header line. */
const MAX_LINE = 64 * 1024;
const MAX_COUNT = 2147483647;
// What a client that has not authenticated may send.
const UNAUTHENTICATED_COUNT = 10;
const UNAUTHENTICATED_BULK = 16384;
const UNAUTHENTICATED_BUFFER = 1024 * 1024;
/** Up to this length slicing the decoded chunk copies (V8's SlicedString starts at 13). */
const COPIED_SLICE = 12;
const MAX_INT64 = '9223372036854775807';
const MIN_INT64 = '9223372036854775808';
// Names of commands as they were last sent, by a hash of three of their bytes.
const NAMES: string[] = new Array(128).fill('');
const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
/** Up to so many arguments the array is made in its size. */
const PREALLOCATED = 16;

export interface ByteSource extends Uint8Array {
  latin1Slice?(start: number, end: number): string;
}

const EMPTY = new Uint8Array(0);

export class Decoder {
  /** Unauthenticated clients get the tight limits. */
  authenticated = true;
  private readonly limits: DecoderLimits;
  private buffer: ByteSource = EMPTY;
  private at = 0;
  private end = 0;
  // The chunk as a string, so that short arguments are cheap slices of it; '' where the buffer is not one chunk.
  private text = '';
  // The bytes carried over from earlier chunks, where a request was cut.
  private held: Uint8Array | null = null;

  private args: string[] | null = null;
  private argBytes = 0;
  private count = 0;
  private filled = 0;
  private bulk = -1;

  constructor(limits: DecoderLimits) {
    this.limits = limits;
  }

  /** Bytes held for a request that is not complete. */
  get pending(): number {
    return this.end - this.at + this.argBytes;
  }

  /**
   * Gives it `length` bytes. They are only borrowed: call {@link next} until it answers null, then {@link keep},
   * before the source is used again.
   */
  feed(source: ByteSource, length: number): void {
    const left = this.end - this.at;
    if (left === 0) {
      this.buffer = source;
      this.at = 0;
      this.end = length;
      this.text =
        source.latin1Slice === undefined ? bytesToString(source, 0, length) : source.latin1Slice(0, length);
      return;
    }
    // A request was cut: append to what is held, in a buffer that doubles.
    let held = this.held as Uint8Array;
    if (held.length - this.end < length) {
      if (held.length < left + length) {
        const more = new Uint8Array(this.room(left + length));
        more.set(held.subarray(this.at, this.end));
        held = more;
      } else {
        held.copyWithin(0, this.at, this.end);
      }
      this.held = held;
      this.at = 0;
      this.end = left;
    }
    held.set(source.subarray(0, length), this.end);
    this.end += length;
    this.buffer = held;
    this.text = '';
  }

  // Twice of what is needed, but no more than the argument that is on its way takes (and one more read).
  private room(needed: number): number {
    const whole = this.bulk < 0 ? 0 : this.bulk + 2;
    const doubled = Math.max(1024, needed * 2);
    return needed < whole ? Math.min(doubled, whole + MAX_LINE) : doubled;
  }

  /** Copies what is left of a borrowed source; see {@link feed}. */
  keep(): void {
    const left = this.end - this.at;
    this.text = '';
    if (left === 0) {
      this.buffer = EMPTY;
      this.at = 0;
      this.end = 0;
      if (this.held !== null && this.held.length > MAX_LINE) this.held = null;
      return;
    }
    if (this.buffer === this.held) return;
    if (this.held === null || this.held.length < left) this.held = new Uint8Array(this.room(left));
    this.held.set(this.buffer.subarray(this.at, this.end));
    this.buffer = this.held;
    this.at = 0;
    this.end = left;
  }

  /**
   * The next complete request, or null when more bytes are needed. Never an empty array.
   * @throws ProtocolError, QueryBufferOverflow
   */
  next(): string[] | null {
    for (;;) {
      if (this.args !== null) return this.bulks(this.args, this.filled);
      if (this.at >= this.end) return null;
      if (this.buffer[this.at] !== STAR) {
        const inline = this.inline();
        if (inline === null) return null;
        if (inline.length > 0) return inline;
        continue;
      }
      if (!this.header()) return null;
      if (this.count > 0) return this.bulks(this.count <= PREALLOCATED ? new Array(this.count) : [], 0);
    }
  }

  // `*<count>\r\n`; false when more bytes are needed. A count of 0 or less is skipped.
  private header(): boolean {
    const line = this.lineEnd('too big mbulk count string');
    if (line < 0) return false;
    const count = this.number(this.at + 1, line);
    this.at = line + 2;
    if (count === null || count > MAX_COUNT) throw new ProtocolError('invalid multibulk length');
    if (count > UNAUTHENTICATED_COUNT && !this.authenticated) {
      throw new ProtocolError('unauthenticated multibulk length');
    }
    this.count = count;
    this.argBytes = 0;
    this.bulk = -1;
    return true;
  }

  // The arguments from number `first` on. They become a field only where the request is cut: storing a young
  // array in an old object at each command costs a write barrier.
  private bulks(args: string[], first: number): string[] | null {
    const { count } = this;
    for (let i = first; i < count; i++) {
      if (this.bulk < 0 && !this.shortHeader() && !this.longHeader()) return this.wait(args, i);
      const stop = this.at + this.bulk;
      // The two bytes behind a bulk are skipped unread, as Redis does.
      if (stop + 2 > this.end) return this.wait(args, i);
      args[i] = i === 0 ? this.nameAt(this.at, stop) : this.slice(this.at, stop);
      this.argBytes += this.bulk;
      this.at = stop + 2;
      this.bulk = -1;
    }
    this.args = null;
    this.argBytes = 0;
    return args;
  }

  // `$<length>\r\n` of any form; false when it is not all there.
  private longHeader(): boolean {
    const { buffer } = this;
    const line = this.lineEnd('too big bulk count string');
    if (line < 0) return false;
    if (buffer[this.at] !== DOLLAR) {
      throw new ProtocolError(`expected '$', got '${String.fromCharCode(buffer[this.at])}'`);
    }
    const length = this.number(this.at + 1, line);
    if (length === null || length < 0 || length > this.limits.maxBulk) {
      throw new ProtocolError('invalid bulk length');
    }
    if (length > UNAUTHENTICATED_BULK && !this.authenticated) {
      throw new ProtocolError('unauthenticated bulk length');
    }
    this.bulk = length;
    this.at = line + 2;
    return true;
  }

  // `$<one or two digits>\r\n`, which is nearly every header, without a loop. False: not of that form, or not
  // all there; nothing has been taken.
  private shortHeader(): boolean {
    const { buffer, at } = this;
    if (at + 5 > this.end || buffer[at] !== DOLLAR) return false;
    const first = buffer[at + 1] - 48;
    if (first < 0 || first > 9) return false;
    if (buffer[at + 2] === CR) {
      this.bulk = first;
      this.at = at + 4;
      return true;
    }
    const second = buffer[at + 2] - 48;
    if (buffer[at + 3] !== CR || first === 0 || second < 0 || second > 9) return false;
    this.bulk = first * 10 + second;
    this.at = at + 5;
    return true;
  }

  private wait(args: string[], filled: number): null {
    this.args = args;
    this.filled = filled;
    const held = this.pending;
    if (held > this.limits.maxBuffer || (!this.authenticated && held > UNAUTHENTICATED_BUFFER)) {
      throw new QueryBufferOverflow(held);
    }
    return null;
  }

  // The name of a command is mostly one of a few: the same string object again is found in the command table
  // without hashing it anew (7 % of a pipelined MULTI … EXEC).
  private nameAt(from: number, to: number): string {
    const { buffer } = this;
    const length = to - from;
    if (length === 0 || length > COPIED_SLICE) return this.slice(from, to);
    const slot = (buffer[from] * 7 + buffer[to - 1] * 3 + length) & (NAMES.length - 1);
    const known = NAMES[slot];
    if (known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === buffer[from + i]) i++;
      if (i === length) return known;
    }
    const name = this.slice(from, to);
    NAMES[slot] = name;
    return name;
  }

  private slice(from: number, to: number): string {
    if (this.text !== '') {
      // A longer slice would keep the whole chunk alive as its parent: copy it out.
      if (to - from <= COPIED_SLICE) return this.text.slice(from, to);
      if (to - from <= LONGEST_SPELLED) return spell(this.buffer, from, to - from);
    }
    const { buffer } = this;
    return buffer.latin1Slice === undefined ? bytesToString(buffer, from, to) : buffer.latin1Slice(from, to);
  }

  // Position of the CR that ends the line at `at`, -1 when it is not all there. Redis finds it by strchr, which
  // stops at a NUL byte.
  private lineEnd(tooLong: string): number {
    const { buffer, end } = this;
    let i = this.at;
    while (i < end && buffer[i] !== CR && buffer[i] !== 0) i++;
    if (i >= end || buffer[i] === 0) {
      if (end - this.at > MAX_LINE) throw new ProtocolError(tooLong);
      return -1;
    }
    return i + 1 < end ? i : -1;
  }

  // Strict decimal, null where it is none.
  private number(from: number, to: number): number | null {
    const { buffer } = this;
    const negative = buffer[from] === 45;
    let i = negative ? from + 1 : from;
    if (i >= to || to - i > 19) return null;
    if (buffer[i] === 48 && (to - i > 1 || negative)) return null;
    // Nobody needs the exact value of so long a number, but it must fit into 64 bits.
    if (to - i === 19 && bytesToString(buffer, i, to) > (negative ? MIN_INT64 : MAX_INT64)) return null;
    let n = 0;
    for (; i < to; i++) {
      const digit = buffer[i] - 48;
      if (digit < 0 || digit > 9) return null;
      n = n * 10 + digit;
    }
    return negative ? -n : n;
  }

  private inline(): string[] | null {
    const { buffer, end } = this;
    let i = this.at;
    while (i < end && buffer[i] !== LF && buffer[i] !== 0) i++;
    if (i >= end || buffer[i] === 0) {
      if (end - this.at > MAX_LINE) throw new ProtocolError('too big inline request');
      return null;
    }
    const stop = i > this.at && buffer[i - 1] === CR ? i - 1 : i;
    const line = bytesToString(buffer, this.at, stop);
    this.at = i + 1;
    const args = splitInline(line);
    if (args === null) throw new ProtocolError('unbalanced quotes in request');
    return args;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
const HEX = /^[0-9a-fA-F]{2}$/;

// C's isspace: what may stand between words and must follow a closing quote.
const isSpace = (c: string): boolean => c === ' ' || (c >= '\t' && c <= '\r');
// What ends a word without quotes. Vertical tab and form feed do not.
const endsWord = (c: string): boolean => c === ' ' || c === '\t' || c === '\n' || c === '\r';

/**
 * Words of an inline command or a line of redis.conf; `"..."` knows \xHH and the usual escapes, `'...'` only \'.
 * A NUL byte ends the line. Null: unbalanced quotes.
 */
export function splitInline(line: string): string[] | null {
  const nul = line.indexOf('\0');
  const end = nul < 0 ? line.length : nul;
  const words: string[] = [];
  let i = 0;
  for (;;) {
    while (i < end && isSpace(line[i])) i++;
    if (i >= end) return words;
    let word = '';
    while (i < end && !endsWord(line[i])) {
      const c = line[i++];
      if (c !== '"' && c !== "'") {
        word += c;
        continue;
      }
      const quoted = c === '"' ? doubleQuoted(line, i, end) : singleQuoted(line, i, end);
      if (quoted === null) return null;
      word += quoted.text;
      i = quoted.next;
      // The closing quote must end the word.
      if (i < end && !isSpace(line[i])) return null;
      break;
    }
    words.push(word);
  }
}

interface Quoted {
  readonly text: string;
  readonly next: number;
}

// From behind the opening quote to behind the closing one.
function doubleQuoted(line: string, from: number, end: number): Quoted | null {
  let text = '';
  for (let i = from; i < end; i++) {
    const c = line[i];
    if (c === '"') return { text, next: i + 1 };
    if (c !== '\\' || i + 1 >= end) text += c;
    else if (line[i + 1] === 'x' && i + 3 < end && HEX.test(line.slice(i + 2, i + 4))) {
      text += String.fromCharCode(Number.parseInt(line.slice(i + 2, i + 4), 16));
      i += 3;
    } else {
      i++;
      text += ESCAPES[line[i]] ?? line[i];
    }
  }
  return null;
}

function singleQuoted(line: string, from: number, end: number): Quoted | null {
  let text = '';
  for (let i = from; i < end; i++) {
    if (line[i] === "'") return { text, next: i + 1 };
    if (line[i] === '\\' && line[i + 1] === "'") i++;
    text += line[i];
  }
  return null;
}
