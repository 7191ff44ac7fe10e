// The listpack of Redis 7: a row of strings and integers in one piece of memory, each entry behind its encoding and in
// front of its length, so that it can be read from both ends. decode.ts, encode.ts and stream.ts use it.
import { parseInt64 } from '../../data/numbers.ts';
import { writeString } from '../../resp/bytes.ts';
import { textAt } from '../../resp/spell.ts';
import { RdbError } from './format.ts';

const HEADER = 6;
const END = 0xff;
/** The number of entries, where it is not counted. */
const UNCOUNTED = 65535;

const SMALL = Array.from({ length: 128 }, (_, n) => String(n));

function broken(what: string): RdbError {
  return new RdbError(`listpack: ${what}`);
}

/**
 * The entries of a listpack, integers as their digits.
 * @throws RdbError where anything about it is wrong
 */
export function readListpack(bytes: Uint8Array): string[] {
  const last = bytes.length - 1;
  if (last < HEADER) throw broken('too short');
  if (uint32(bytes, 0) !== bytes.length) throw broken('wrong number of bytes');
  if (bytes[last] !== END) throw broken('no end mark');
  const entries: string[] = [];
  for (let at = HEADER; at < last; ) {
    const first = bytes[at];
    const start = textStart(first);
    let size: number;
    if (start > 0) {
      if (at + start > last) throw broken('an entry reaches beyond the end');
      const length = textLength(bytes, at, first);
      size = start + length;
      if (at + size >= last) throw broken('an entry reaches beyond the end');
      entries.push(textAt(bytes, at + start, length));
    } else {
      size = integerSize(first);
      if (at + size >= last) throw broken('an entry reaches beyond the end');
      entries.push(first < 0x80 ? SMALL[first] : String(integerAt(bytes, at, first)));
    }
    at = behindLength(bytes, at + size, size);
    if (at > last) throw broken('an entry reaches beyond the end');
  }
  const count = bytes[4] | (bytes[5] << 8);
  if (count !== UNCOUNTED && count !== entries.length) throw broken('wrong number of entries');
  return entries;
}

// Bytes before the text of an entry, 0 for an integer.
function textStart(first: number): number {
  if (first < 0x80) return 0;
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 0;
  if (first < 0xf0) return 2;
  return first === 0xf0 ? 5 : 0;
}

function textLength(bytes: Uint8Array, at: number, first: number): number {
  if (first < 0xc0) return first & 0x3f;
  if (first < 0xf0) return ((first & 0x0f) << 8) | bytes[at + 1];
  return uint32(bytes, at + 1);
}

function integerSize(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  switch (first) {
    case 0xf1:
      return 3;
    case 0xf2:
      return 4;
    case 0xf3:
      return 5;
    case 0xf4:
      return 9;
    default:
      throw broken('unknown encoding');
  }
}

function integerAt(bytes: Uint8Array, at: number, first: number): number | bigint {
  if (first < 0xe0) return (((first & 0x1f) << 27) >> 19) | bytes[at + 1];
  switch (first) {
    case 0xf1:
      return ((bytes[at + 1] << 16) | (bytes[at + 2] << 24)) >> 16;
    case 0xf2:
      return ((bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >> 8;
    case 0xf3:
      return uint32(bytes, at + 1) | 0;
    default:
      return BigInt.asIntN(64, (BigInt(uint32(bytes, at + 5)) << 32n) | BigInt(uint32(bytes, at + 1)));
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

// The length behind an entry: seven bits a byte, the highest first, all but the first byte marked.
function behindLength(bytes: Uint8Array, at: number, size: number): number {
  if (size < 128) {
    if (bytes[at] !== size) throw broken('wrong length behind an entry');
    return at + 1;
  }
  const count = lengthBytes(size);
  for (let i = 0; i < count; i++) {
    const expected = (Math.floor(size / 2 ** (7 * (count - 1 - i))) & 127) | (i === 0 ? 0 : 128);
    if (bytes[at + i] !== expected) throw broken('wrong length behind an entry');
  }
  return at + count;
}

function lengthBytes(size: number): number {
  return size < 128 ? 1 : size < 16384 ? 2 : size < 2097152 ? 3 : size < 268435456 ? 4 : 5;
}

/** Room that is kept for the next listpack. */
const KEPT = 64 * 1024;

/** Makes listpacks, one after the other. */
export class ListpackBuilder {
  private bytes = new Uint8Array(1024);
  private view = new DataView(this.bytes.buffer);
  private end = HEADER;
  private count = 0;

  /** Bytes so far. */
  get size(): number {
    return this.end + 1;
  }

  add(text: string): void {
    const n = text.length > 0 && text.length <= 20 ? parseInt64(text) : null;
    this.reserve(n === null ? text.length + 10 : 10);
    const start = this.end;
    if (n === null) this.text(text);
    else this.integer(n);
    const size = this.end - start;
    const count = lengthBytes(size);
    for (let i = count - 1; i >= 0; i--) {
      this.bytes[this.end++] = (Math.floor(size / 2 ** (7 * i)) & 127) | (i === count - 1 ? 0 : 128);
    }
    this.count++;
  }

  /** The listpack, valid until the next entry is added. The builder is empty then. */
  build(): Uint8Array {
    this.bytes[this.end] = END;
    const total = this.size;
    this.view.setUint32(0, total, true);
    this.view.setUint16(4, Math.min(this.count, UNCOUNTED), true);
    this.end = HEADER;
    this.count = 0;
    const built = this.bytes.subarray(0, total);
    if (this.bytes.length > 2 * KEPT) {
      this.bytes = new Uint8Array(KEPT);
      this.view = new DataView(this.bytes.buffer);
    }
    return built;
  }

  private text(text: string): void {
    const { length } = text;
    if (length < 64) {
      this.bytes[this.end++] = 0x80 | length;
    } else if (length < 4096) {
      this.bytes[this.end++] = 0xe0 | (length >> 8);
      this.bytes[this.end++] = length & 255;
    } else {
      this.bytes[this.end] = 0xf0;
      this.view.setUint32(this.end + 1, length, true);
      this.end += 5;
    }
    writeString(this.bytes, text, this.end);
    this.end += length;
  }

  private integer(n: number | bigint): void {
    const { bytes, view, end } = this;
    if (n >= 0 && n <= 127) {
      bytes[this.end++] = Number(n);
    } else if (n >= -4096 && n <= 4095) {
      bytes[end] = 0xc0 | ((Number(n) >> 8) & 0x1f);
      bytes[end + 1] = Number(n) & 255;
      this.end += 2;
    } else if (n >= -32768 && n <= 32767) {
      bytes[end] = 0xf1;
      view.setInt16(end + 1, Number(n), true);
      this.end += 3;
    } else if (n >= -8388608 && n <= 8388607) {
      bytes[end] = 0xf2;
      view.setInt16(end + 1, Number(n) & 0xffff, true);
      bytes[end + 3] = (Number(n) >> 16) & 255;
      this.end += 4;
    } else if (n >= -2147483648 && n <= 2147483647) {
      bytes[end] = 0xf3;
      view.setInt32(end + 1, Number(n), true);
      this.end += 5;
    } else {
      bytes[end] = 0xf4;
      view.setBigInt64(end + 1, BigInt(n), true);
      this.end += 9;
    }
  }

  private reserve(count: number): void {
    // One more for the end mark.
    if (this.end + count + 1 <= this.bytes.length) return;
    const more = new Uint8Array(Math.max(this.bytes.length * 2, this.end + count + 1));
    more.set(this.bytes.subarray(0, this.end));
    this.bytes = more;
    this.view = new DataView(more.buffer);
  }
}
