// Reads an append-only file unit by unit: batches of ours are checked before anything of them is answered, commands that
// Redis wrote are taken as they stand, up to the last one that ends outside of a MULTI. At the end it says what the file
// is worth: whole, cut off in the middle of a write, or damaged. Used by recovery.ts and by the check tool.
import { Crc64 } from '../../data/crc64.ts';
import { bytesToString } from '../../resp/bytes.ts';
import { textAt } from '../../resp/spell.ts';
import type { ByteSource } from '../rdb/input.ts';
import { type BatchHeader, LONGEST_HEADER, MAGIC, NO_SUM, parseHeader, resemblesHeader } from './format.ts';

/** What is applied whole or not at all: one command, or those between MULTI and EXEC. */
export interface Unit {
  readonly commands: readonly (readonly string[])[];
  /** Offset behind it in the file. */
  readonly end: number;
  /** Unix seconds of the last annotation with a time, 0 before the first. */
  readonly time: number;
}

/** How a file ends. `cut`: the last write was interrupted; `damaged`: what was written has changed since. */
export interface AofEnd {
  readonly state: 'whole' | 'cut' | 'damaged';
  /** Up to here the file is good, and ends with a whole unit. */
  readonly good: number;
  /** Where the trouble was noticed, and what it is; '' where there is none. */
  readonly offset: number;
  readonly why: string;
  /** Where a log goes on behind `good`; null where that part of the file is not of ours. */
  readonly chain: { readonly sequence: number; readonly sum: string } | null;
  /** Whole batches of ours, and up to where they reach: what stands there has been checked. */
  readonly batches: number;
  readonly checked: number;
}

/** Arguments of a command in a file; Redis has no limit, but something must be. */
const MAX_ARGUMENTS = 1024 * 1024 * 16;
/** V8's longest string. */
const MAX_BULK = 2 ** 29 - 24;
/** Batches with a wrong sum that are looked at behind a damaged one: what is only data cannot take for ever. */
const MAX_WRONG = 1000;

const STAR = 0x2a;
const DOLLAR = 0x24;
const HASH = 0x23;
const CR = 0x0d;
const LF = 0x0a;

class Trouble {
  readonly kind: 'cut' | 'damaged';
  readonly offset: number;
  readonly why: string;
  constructor(kind: Trouble['kind'], offset: number, why: string) {
    this.kind = kind;
    this.offset = offset;
    this.why = why;
  }
}

export class AofReader {
  private readonly input: Window;
  private units: Unit[] = [];
  private place = 0;
  private good: number;
  private time = 0;
  private sequence = 0;
  private sum = NO_SUM;
  /** Batches have been read, and nothing else since. */
  private ours = false;
  /** Behind the last batch. */
  private checked = 0;
  private trouble: Trouble | null = null;
  /** Foreign commands since a MULTI. */
  private open: string[][] | null = null;
  private openAt = 0;

  /**
   * @param source the bytes from the beginning of the commands on (behind an RDB preamble)
   * @param offset of the first byte of the source in the file
   */
  constructor(source: ByteSource, offset = 0) {
    this.input = new Window(source, offset);
    this.good = offset;
  }

  /** The next unit, null at the end. */
  next(): Unit | null {
    while (this.place === this.units.length) {
      this.units = [];
      this.place = 0;
      if (this.trouble !== null) return null;
      try {
        if (!this.readMore()) return null;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        this.trouble = error;
      }
    }
    const unit = this.units[this.place++];
    return unit;
  }

  /** Call it once {@link next} has answered null. */
  end(): AofEnd {
    const { trouble, good, ours, sequence, sum } = this;
    const chain = ours ? { sequence, sum } : null;
    const rest = { good, chain, batches: sequence, checked: this.checked };
    if (trouble === null) return { state: 'whole', offset: good, why: '', ...rest };
    return { state: trouble.kind, offset: trouble.offset, why: trouble.why, ...rest };
  }

  // Reads a batch, a command or an annotation; false at the end of the file.
  private readMore(): boolean {
    const { input } = this;
    const byte = input.peek();
    if (byte < 0) {
      if (this.open !== null) throw new Trouble('cut', this.openAt, 'the end of the file before EXEC');
      return false;
    }
    if (byte === HASH) this.annotation();
    else if (byte === STAR) {
      this.ours = false;
      this.command();
    } else {
      throw this.bad(input.offset, `expected a command, found byte 0x${byte.toString(16).padStart(2, '0')}`);
    }
    return true;
  }

  private annotation(): void {
    const { input } = this;
    const at = input.offset;
    const line = input.line(this.ours ? LONGEST_HEADER : 1024 * 1024);
    const header = line === null ? null : parseHeader(line);
    if (header !== null && line !== null && this.open === null) {
      this.batch(header, line, at);
      return;
    }
    if (line === null) throw this.bad(at, 'the end of the file within an annotation', true);
    const time = /^#TS:(\d{1,15})$/.exec(line);
    // Behind ours, redis-server begins with a time if it is told to; whatever else stands there was one of ours.
    if ((this.ours && time === null) || resemblesHeader(line)) throw this.bad(at, 'a damaged annotation');
    this.ours = false;
    if (time !== null) this.time = Number(time[1]);
    if (this.open === null) this.good = input.offset;
  }

  private batch(header: BatchHeader, line: string, at: number): void {
    const { input } = this;
    if (!this.ours && this.sequence > 0) throw this.bad(at, 'a batch behind commands of another writer');
    if (header.sequence !== this.sequence + 1 || header.previous !== this.sum) {
      throw this.bad(at, `batch ${header.sequence} does not follow batch ${this.sequence}`);
    }
    if (header.synced >= header.sequence && header.length > 0) throw this.bad(at, 'an impossible annotation');
    const begin = input.offset;
    if (!input.has(header.length))
      throw this.bad(at, `the end of the file within batch ${header.sequence}`, true, begin);
    const body = input.take(header.length);
    if (sumOf(line, header.summed, body) !== header.sum) {
      throw this.bad(at, `wrong checksum of batch ${header.sequence}`, false, begin);
    }
    const commands = new Parser(body, begin);
    let multi: string[][] | null = null;
    while (!commands.atEnd) {
      const args = commands.next();
      if (args === null)
        throw new Trouble('damaged', begin, `batch ${header.sequence} holds no whole commands`);
      const name = args[0]?.toLowerCase();
      if (name === 'multi' && multi === null) multi = [];
      else if (name === 'exec' && multi !== null) {
        this.units.push({ commands: multi, end: begin + commands.at, time: header.time });
        multi = null;
      } else if (multi !== null) multi.push(args);
      else this.units.push({ commands: [args], end: begin + commands.at, time: header.time });
    }
    if (multi !== null) throw new Trouble('damaged', begin, `batch ${header.sequence} holds half a unit`);
    this.sequence = header.sequence;
    this.sum = header.sum;
    this.time = header.time;
    this.ours = true;
    this.checked = input.offset;
    this.good = input.offset;
  }

  private command(): void {
    const { input } = this;
    const at = input.offset;
    const args = input.command();
    if (args === null) {
      throw new Trouble('cut', this.open === null ? at : this.openAt, 'the end of the file within a command');
    }
    const name = args[0]?.toLowerCase();
    if (name === 'multi') {
      if (this.open !== null) throw new Trouble('damaged', at, 'MULTI within MULTI');
      this.open = [];
      this.openAt = at;
      return;
    }
    if (name === 'exec') {
      if (this.open === null) throw new Trouble('damaged', at, 'EXEC without MULTI');
      this.units.push({ commands: this.open, end: input.offset, time: this.time });
      this.open = null;
    } else if (this.open !== null) {
      this.open.push(args);
      return;
    } else this.units.push({ commands: [args], end: input.offset, time: this.time });
    this.good = input.offset;
  }

  // Something is wrong. Of ours: a batch that was known to be on disk cannot be an interrupted write, and whether it was,
  // those behind it tell. Of another writer: only the end of the file can be one.
  private bad(at: number, why: string, short = false, behind = -1): Trouble {
    const mayBeCut = short || this.ours;
    if (behind >= 0 && this.input.goneOn(behind)) {
      const what = 'redis-server cut an interrupted batch off and went on behind it';
      return new Trouble('damaged', at, `${why}: ${what} (let it BGREWRITEAOF, then its files can be read)`);
    }
    if (mayBeCut && !this.input.knownSynced(at, this.sequence + 1)) return new Trouble('cut', at, why);
    return new Trouble('damaged', at, why);
  }
}

function sumOf(line: string, summed: number, body: Uint8Array): string {
  const head = new Uint8Array(summed);
  for (let i = 0; i < summed; i++) head[i] = line.charCodeAt(i);
  return new Crc64().add(head).add(body).hex();
}

// Most commands have the name of the one before.
let lastName = '';

function nameAt(bytes: Uint8Array, at: number, length: number): string {
  if (length === lastName.length) {
    let i = 0;
    while (i < length && bytes[at + i] === lastName.charCodeAt(i)) i++;
    if (i === length) return lastName;
  }
  const name = textAt(bytes, at, length);
  if (length <= 24) lastName = name;
  return name;
}

/** Commands in bytes that are all there. */
class Parser {
  private readonly bytes: Uint8Array;
  private readonly base: number;
  at = 0;

  constructor(bytes: Uint8Array, base: number, at = 0) {
    this.bytes = bytes;
    this.base = base;
    this.at = at;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The next command; null where the bytes end first. @throws Trouble where it is none. */
  next(): string[] | null {
    const { bytes } = this;
    const begin = this.at;
    const count = this.number(STAR);
    if (count < 0) return null;
    if (count < 1 || count > MAX_ARGUMENTS) throw this.wrong(begin, `a command of ${count} arguments`);
    const args: string[] = [];
    for (let i = 0; i < count; i++) {
      const length = this.number(DOLLAR);
      if (length < 0) return null;
      if (length > MAX_BULK) throw this.wrong(this.at, `an argument of ${length} bytes`);
      const end = this.at + length;
      if (end + 2 > bytes.length) return null;
      if (bytes[end] !== CR || bytes[end + 1] !== LF) throw this.wrong(end, 'an argument that does not end');
      args.push(i === 0 ? nameAt(bytes, this.at, length) : textAt(bytes, this.at, length));
      this.at = end + 2;
    }
    return args;
  }

  // `*3\r\n`: the number, -1 where the bytes end first.
  private number(mark: number): number {
    const { bytes } = this;
    let i = this.at;
    if (i >= bytes.length) return -1;
    if (bytes[i] !== mark) throw this.wrong(i, `expected '${String.fromCharCode(mark)}'`);
    i++;
    const first = i;
    let value = 0;
    for (; i < bytes.length && bytes[i] >= 0x30 && bytes[i] <= 0x39; i++) {
      value = value * 10 + bytes[i] - 0x30;
      if (i - first > 10) throw this.wrong(first, 'a number that is too long');
    }
    if (i + 1 >= bytes.length && (i >= bytes.length || bytes[i] === CR)) return -1;
    if (i === first || bytes[i] !== CR || bytes[i + 1] !== LF) throw this.wrong(i, 'expected a number');
    this.at = i + 2;
    return value;
  }

  private wrong(at: number, why: string): Trouble {
    return new Trouble('damaged', this.base + at, why);
  }
}

/** The bytes at hand of a file that is read from its beginning to its end. */
class Window {
  private readonly source: ByteSource;
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  /** Offset of `bytes[0]` in the file. */
  private base: number;
  private ended = false;

  constructor(source: ByteSource, base: number) {
    this.source = source;
    this.base = base;
  }

  /** Offset of what comes next. */
  get offset(): number {
    return this.base + this.at;
  }

  /** The next byte, -1 at the end. */
  peek(): number {
    return this.has(1) ? this.bytes[this.at] : -1;
  }

  /** Are there so many bytes? Brings them in. */
  has(count: number): boolean {
    if (this.bytes.length - this.at >= count) return true;
    const pieces: Uint8Array[] = [this.bytes.subarray(this.at)];
    let size = pieces[0].length;
    while (size < count && !this.ended) {
      const piece = this.source.next();
      if (piece === null) this.ended = true;
      else {
        pieces.push(piece);
        size += piece.length;
      }
    }
    this.base += this.at;
    this.at = 0;
    if (pieces.length === 2 && pieces[0].length === 0) this.bytes = pieces[1];
    else if (pieces.length > 1) {
      const joined = new Uint8Array(size);
      let to = 0;
      for (const piece of pieces) {
        joined.set(piece, to);
        to += piece.length;
      }
      this.bytes = joined;
    } else this.bytes = pieces[0];
    return this.bytes.length >= count;
  }

  /** So many bytes, which are there. */
  take(count: number): Uint8Array {
    const taken = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    return taken;
  }

  /** A line without its CR LF (or LF), null where the file ends before; one that is longer than `most` is cut off. */
  line(most: number): string | null {
    for (let length = 0; length < most; length++) {
      if (!this.has(length + 1)) return null;
      if (this.bytes[this.at + length] !== LF) continue;
      const end = length > 0 && this.bytes[this.at + length - 1] === CR ? length - 1 : length;
      const line = bytesToString(this.bytes, this.at, this.at + end);
      // Ours end with both.
      const text = end === length && line.startsWith(MAGIC) ? `${line}\n` : line;
      this.at += length + 1;
      return text;
    }
    return bytesToString(this.take(most));
  }

  /** The next command, null where the file ends first. @throws Trouble */
  command(): string[] | null {
    for (let room = 64 * 1024; ; room *= 4) {
      const all = !this.has(room);
      const parser = new Parser(this.bytes, this.base, this.at);
      const args = parser.next();
      if (args !== null) {
        this.at = parser.at;
        return args;
      }
      if (all) return null;
    }
  }

  /**
   * Whether redis-server has gone on in the batch that begins at an offset, of which it took what was whole. It begins with a
   * SELECT, which we write in small letters. Leaves off where batches follow, or what is no command.
   */
  goneOn(offset: number): boolean {
    this.at = offset - this.base;
    try {
      for (;;) {
        const begin = this.offset;
        if (this.peek() === HASH) {
          const line = this.line(LONGEST_HEADER);
          if (line === null || line.startsWith(MAGIC)) {
            this.at = begin - this.base;
            return false;
          }
          continue;
        }
        const args = this.command();
        if (args === null) return false;
        if (args[0] === 'SELECT') return true;
      }
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      return false;
    }
  }

  /**
   * Whether a batch behind an offset is whole and says that `sequence` was on disk before it was written. Under
   * `everysec` that may be thousands of batches on; where it cannot be told, it was, for that only refuses.
   */
  knownSynced(offset: number, sequence: number): boolean {
    this.at = Math.max(0, offset + 1 - this.base);
    for (let wrong = 0; wrong < MAX_WRONG; ) {
      if (!this.has(LONGEST_HEADER) && !this.has(MAGIC.length)) return false;
      const found = indexOfMagic(this.bytes, this.at);
      if (found < 0) {
        this.at = Math.max(this.at, this.bytes.length - MAGIC.length + 1);
        if (this.ended) return false;
        continue;
      }
      this.at = found;
      const line = this.line(LONGEST_HEADER);
      const header = line === null ? null : parseHeader(line);
      if (line === null || header === null) {
        // Another may begin within what looked like one.
        this.at = line === null ? this.at + 1 : Math.max(0, this.at - line.length) + 1;
        continue;
      }
      if (header.synced < sequence || header.sequence <= sequence || !this.has(header.length)) continue;
      const start = this.at;
      const body = this.bytes.subarray(start, start + header.length);
      if (sumOf(line, header.summed, body) === header.sum) return true;
      wrong++;
    }
    return true;
  }
}

function indexOfMagic(bytes: Uint8Array, from: number): number {
  for (let i = bytes.indexOf(HASH, from); i >= 0; i = bytes.indexOf(HASH, i + 1)) {
    if (bytesToString(bytes, i, Math.min(bytes.length, i + MAGIC.length)) === MAGIC) return i;
  }
  return -1;
}
