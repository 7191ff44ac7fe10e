// The bytes of an RDB file or payload, pulled from a source piece by piece: numbers, lengths and strings in their
// encodings, the place reached and the checksum up to it. The decoders and readers of this folder read through it.
import { Crc64 } from '../../data/crc64.ts';
import { decompress } from '../../data/lzf.ts';
import { bytesToString } from '../../resp/bytes.ts';
import { textAt } from '../../resp/spell.ts';
import { LONGEST_STRING, RdbError } from './format.ts';

/** Where bytes come from. A piece that was answered is never written to again. */
export interface ByteSource {
  /** The next piece, null at the end. */
  next(): Uint8Array | null;
}

/** A source of one piece. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  let left: Uint8Array | null = bytes;
  return {
    next: () => {
      const piece = left;
      left = null;
      return piece;
    },
  };
}

/** A byte of LZF stands for at most this many (three bytes for 264). */
const MOST_EXPANDED = 88;

const NOTHING = new Uint8Array(0);

const scratch = new DataView(new ArrayBuffer(8));

export class RdbInput {
  private readonly source: ByteSource;
  private bytes: Uint8Array = NOTHING;
  private at = 0;
  /** Offset of `bytes[0]`. */
  private base = 0;
  private readonly crc = new Crc64();
  /** How much of `bytes` is in the checksum. */
  private summed = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.base + this.at;
  }

  /** The checksum of all that has been read. */
  checksum(): Crc64 {
    this.crc.add(this.bytes, this.summed, this.at);
    this.summed = this.at;
    return this.crc;
  }

  /** What has been pulled from the source and not been read. */
  rest(): Uint8Array {
    return this.bytes.subarray(this.at);
  }

  byte(): number {
    if (this.at === this.bytes.length) this.need(1);
    return this.bytes[this.at++];
  }

  /** The next bytes; they stay as they are only until more is read. */
  take(count: number): Uint8Array {
    this.need(count);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** A length; one beyond 2^53 is an error. */
  length(): number {
    return this.lengthFrom(this.byte());
  }

  /** A length that may be any number of 64 bits. */
  uint64(): bigint {
    const first = this.byte();
    if (first !== 0x81) return BigInt(this.lengthFrom(first));
    this.load8();
    return scratch.getBigUint64(0);
  }

  /** Eight bytes, the lowest first. */
  int64(): bigint {
    this.load8();
    return scratch.getBigInt64(0, true);
  }

  double(): number {
    this.load8();
    return scratch.getFloat64(0, true);
  }

  /** Four bytes, the lowest first. */
  int32(): number {
    const b = this.take(4);
    return b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24);
  }

  /** A string in any of its encodings. */
  string(): string {
    const first = this.byte();
    if (first < 0xc0) return this.text(this.lengthFrom(first));
    if (first === 0xc3) return bytesToString(this.unpacked());
    return String(this.integer(first));
  }

  /** The bytes of a string; they stay as they are only until more is read. */
  blob(): Uint8Array {
    const first = this.byte();
    if (first < 0xc0) return this.take(boundedLength(this.lengthFrom(first)));
    if (first === 0xc3) return this.unpacked();
    return Uint8Array.from(String(this.integer(first)), (digit) => digit.charCodeAt(0));
  }

  /** As many bytes as a string. */
  text(length: number): string {
    if (length > this.bytes.length - this.at) this.need(boundedLength(length));
    const { bytes, at } = this;
    this.at += length;
    return textAt(bytes, at, length);
  }

  private lengthFrom(first: number): number {
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 0x3f) << 8) | this.byte();
    if (first === 0x80) return this.bigEndian();
    if (first !== 0x81) throw new RdbError('not a length');
    const length = this.bigEndian() * 2 ** 32 + this.bigEndian();
    if (length > Number.MAX_SAFE_INTEGER) throw new RdbError('length out of range');
    return length;
  }

  private bigEndian(): number {
    const b = this.take(4);
    return b[0] * 2 ** 24 + ((b[1] << 16) | (b[2] << 8) | b[3]);
  }

  private integer(first: number): number {
    switch (first) {
      case 0xc0:
        return (this.byte() << 24) >> 24;
      case 0xc1: {
        const b = this.take(2);
        return b[0] | (b[1] << 8) | ((b[1] & 0x80) === 0 ? 0 : -65536) | 0;
      }
      case 0xc2:
        return this.int32();
      default:
        throw new RdbError('unknown string encoding');
    }
  }

  private unpacked(): Uint8Array {
    const packed = this.length();
    const length = this.length();
    if (length > boundedLength(packed) * MOST_EXPANDED)
      throw new RdbError('wrong length of a compressed string');
    boundedLength(length);
    // First what is there, then room for what it says it stands for.
    const bytes = decompress(this.take(packed), length);
    if (bytes === null) throw new RdbError('a compressed string is broken');
    return bytes;
  }

  private load8(): void {
    const b = this.take(8);
    for (let i = 0; i < 8; i++) scratch.setUint8(i, b[i]);
  }

  private need(count: number): void {
    if (this.bytes.length - this.at < count && !this.pull(count)) throw new RdbError('ends too early');
  }

  // Makes `count` bytes lie in one piece behind `at`; false, with nothing changed but the piece, where there are fewer.
  // Room is made for what the source has given, never for what a length promises.
  private pull(count: number): boolean {
    const pieces = [this.bytes.subarray(this.at)];
    let have = pieces[0].length;
    while (have < count) {
      const piece = this.source.next();
      if (piece === null) break;
      pieces.push(piece);
      have += piece.length;
    }
    this.checksum();
    this.base += this.at;
    this.bytes = pieces.length === 2 && pieces[0].length === 0 ? pieces[1] : joined(pieces, have);
    this.at = 0;
    this.summed = 0;
    return have >= count;
  }
}

function boundedLength(length: number): number {
  if (length > LONGEST_STRING) throw new RdbError(`a string of ${length} bytes is too long`);
  return length;
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.length;
  }
  return bytes;
}
