// Bytes of an RDB file or payload on their way out: lengths and strings in their encodings, in chunks of bounded size,
// with the checksum of all that was written. encode.ts, writer.ts and payload.ts write through it.
import { Crc64 } from '../../data/crc64.ts';
import { compress } from '../../data/lzf.ts';
import { parseInt64 } from '../../data/numbers.ts';
import { bytesToString, writeString } from '../../resp/bytes.ts';
import { SHORTEST_COMPRESSED } from './format.ts';

/** A chunk is as long as all before it, within these bounds: payloads are small, files large. */
const SHORTEST_CHUNK = 256;
const LONGEST_CHUNK = 64 * 1024;

const scratch = new DataView(new ArrayBuffer(8));

/** Where the bytes of a string lie while they are compressed, unless it is a long one. */
const spelled = new Uint8Array(16 * 1024);

export class RdbOutput {
  private readonly compressed: boolean;
  private readonly crc = new Crc64();
  private chunk = new Uint8Array(SHORTEST_CHUNK);
  private end = 0;
  private finished: Uint8Array[] = [];
  private written = 0;

  /** @param compressed whether long strings are compressed */
  constructor(compressed: boolean) {
    this.compressed = compressed;
  }

  /** How many bytes have been written. */
  get size(): number {
    return this.written + this.end;
  }

  /** The full chunks, which are forgotten here. */
  take(): Uint8Array[] {
    const { finished } = this;
    this.finished = [];
    return finished;
  }

  /** Ends the last chunk, so that {@link take} answers all that was written. */
  flush(): void {
    this.finish(SHORTEST_CHUNK);
  }

  /** Writes the checksum of everything before it. */
  checksum(): void {
    this.room(8);
    this.crc.add(this.chunk, 0, this.end).write(this.chunk, this.end);
    this.written += this.end + 8;
    this.finished.push(this.chunk.subarray(0, this.end + 8));
    this.chunk = new Uint8Array(0);
    this.end = 0;
  }

  byte(value: number): void {
    if (this.end === this.chunk.length) this.room(1);
    this.chunk[this.end++] = value;
  }

  length(value: number): void {
    if (value < 64) {
      this.byte(value);
    } else if (value < 16384) {
      this.byte(0x40 | (value >> 8));
      this.byte(value & 255);
    } else if (value < 2 ** 32) {
      this.byte(0x80);
      this.bigEndian(value);
    } else {
      this.byte(0x81);
      this.bigEndian(Math.floor(value / 2 ** 32));
      this.bigEndian(value % 2 ** 32);
    }
  }

  /** A length of up to 64 bits. */
  uint64(value: bigint): void {
    if (value <= Number.MAX_SAFE_INTEGER) {
      this.length(Number(value));
      return;
    }
    this.byte(0x81);
    this.bigEndian(Number(value >> 32n));
    this.bigEndian(Number(value & 0xffffffffn));
  }

  /** Eight bytes, the lowest first. */
  int64(value: bigint): void {
    scratch.setBigInt64(0, value, true);
    this.eight();
  }

  double(value: number): void {
    scratch.setFloat64(0, value, true);
    this.eight();
  }

  /** A string in the shortest of its encodings. */
  string(text: string): void {
    const { length } = text;
    if (length <= 11 && this.integer(text)) return;
    if (this.compressed && length >= SHORTEST_COMPRESSED) {
      const bytes = length <= spelled.length ? spelled.subarray(0, length) : new Uint8Array(length);
      writeString(bytes, text, 0);
      if (this.packed(bytes)) return;
    }
    this.length(length);
    this.text(text);
  }

  /** The same for bytes, which are no integer. */
  blob(bytes: Uint8Array): void {
    if (this.compressed && bytes.length >= SHORTEST_COMPRESSED && this.packed(bytes)) return;
    this.length(bytes.length);
    this.bytes(bytes);
  }

  /** A string as it is, without its length. */
  text(text: string): void {
    for (let at = 0; at < text.length; ) {
      this.room(1);
      const part = Math.min(text.length - at, this.chunk.length - this.end);
      writeString(this.chunk, part === text.length ? text : text.slice(at, at + part), this.end);
      this.end += part;
      at += part;
    }
  }

  private bytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      this.room(1);
      const part = Math.min(bytes.length - at, this.chunk.length - this.end);
      this.chunk.set(bytes.subarray(at, at + part), this.end);
      this.end += part;
      at += part;
    }
  }

  // Digits that an integer of 32 bits would print.
  private integer(text: string): boolean {
    const n = parseInt64(text);
    if (typeof n !== 'number' || n !== (n | 0)) return false;
    const size = n >= -128 && n <= 127 ? 1 : n >= -32768 && n <= 32767 ? 2 : 4;
    this.byte(size === 1 ? 0xc0 : size === 2 ? 0xc1 : 0xc2);
    for (let i = 0; i < size; i++) this.byte((n >> (8 * i)) & 255);
    return true;
  }

  private packed(bytes: Uint8Array): boolean {
    const packed = compress(bytes, bytes.length - 4);
    if (packed === null) return false;
    this.byte(0xc3);
    this.length(packed.length);
    this.length(bytes.length);
    this.bytes(packed);
    return true;
  }

  private bigEndian(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.byte((value >>> shift) & 255);
  }

  private eight(): void {
    for (let i = 0; i < 8; i++) this.byte(scratch.getUint8(i));
  }

  private room(count: number): void {
    if (this.chunk.length - this.end >= count) return;
    this.finish(Math.min(LONGEST_CHUNK, Math.max(SHORTEST_CHUNK, this.size)));
  }

  private finish(next: number): void {
    if (this.end > 0) {
      this.crc.add(this.chunk, 0, this.end);
      this.finished.push(this.chunk.subarray(0, this.end));
      this.written += this.end;
    }
    this.chunk = new Uint8Array(next);
    this.end = 0;
  }
}

/** Chunks as one byte string. */
export function textOf(chunks: readonly Uint8Array[]): string {
  return chunks.map((chunk) => bytesToString(chunk)).join('');
}
