// The payload of FUNCTION DUMP and RESTORE: for each library a type byte and its code as a string of an RDB file, then
// the version of that format and a checksum. Used by functions.ts.
import { Crc64 } from '../data/crc64.ts';
import { compress, decompress } from '../data/lzf.ts';
import { bytesToString, writeString } from '../resp/bytes.ts';
import { ReplyError } from '../resp/reply.ts';

/** What stands in front of a library; before Redis 7.0 was released it was another byte. */
const LIBRARY = 0xf5;
const LIBRARY_BEFORE_RELEASE = 0xf6;

/** Version of the format that we write: that of Redis 7.0, so that 7.0 takes it as well as 7.2. */
const WRITTEN_VERSION = 10;
/** Latest version that we read: that of Redis 7.2, which has its libraries in the same form. */
const READ_VERSION = 11;

/** Version and checksum. */
const FOOTER = 10;

/** Shorter strings are never compressed. */
const SHORTEST_COMPRESSED = 21;
/** A compressed byte stands for at most this many (three bytes for 264). */
const MOST_EXPANDED = 88;

const WRONG_FOOTER = new ReplyError('ERR DUMP payload version or checksum are wrong');
const NO_LIBRARY = new ReplyError('ERR given type is not a function');
const TOO_OLD = new ReplyError('ERR Pre-GA function format not supported');
const BROKEN = new ReplyError('ERR Failed loading library payload');

/** The payload that holds these libraries. */
export function dumpLibraries(codes: Iterable<string>): string {
  let text = '';
  for (const code of codes) text += String.fromCharCode(LIBRARY) + stringText(code);
  const bytes = new Uint8Array(text.length + FOOTER);
  writeString(bytes, text, 0);
  bytes[text.length] = WRITTEN_VERSION & 255;
  bytes[text.length + 1] = WRITTEN_VERSION >> 8;
  new Crc64().add(bytes, 0, text.length + 2).write(bytes, text.length + 2);
  return bytesToString(bytes);
}

/**
 * The codes of the libraries in a payload, one by one: what is wrong with the second shows once the first was taken.
 * @throws ReplyError what FUNCTION RESTORE answers
 */
export function* dumpedLibraries(payload: string): Generator<string, void, void> {
  if (payload.length < FOOTER) throw WRONG_FOOTER;
  const bytes = new Uint8Array(payload.length);
  writeString(bytes, payload, 0);
  const footer = bytes.length - FOOTER;
  const version = bytes[footer] | (bytes[footer + 1] << 8);
  if (version > READ_VERSION) throw WRONG_FOOTER;
  if (!new Crc64().add(bytes, 0, footer + 2).matches(bytes, footer + 2)) throw WRONG_FOOTER;
  const reader = new Reader(bytes);
  while (reader.at < footer) {
    const type = reader.byte();
    if (type === LIBRARY_BEFORE_RELEASE) throw TOO_OLD;
    if (type !== LIBRARY) throw NO_LIBRARY;
    yield reader.string();
  }
}

function stringText(code: string): string {
  if (code.length >= SHORTEST_COMPRESSED) {
    const bytes = new Uint8Array(code.length);
    writeString(bytes, code, 0);
    const packed = compress(bytes, code.length - 4);
    if (packed !== null) {
      return `\xc3${lengthText(packed.length)}${lengthText(code.length)}${bytesToString(packed)}`;
    }
  }
  return lengthText(code.length) + code;
}

function lengthText(length: number): string {
  if (length < 64) return String.fromCharCode(length);
  if (length < 16384) return String.fromCharCode(0x40 | (length >> 8), length & 255);
  // Strings of V8 are shorter than 2^31.
  return String.fromCharCode(0x80, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255);
}

/** Reads strings of an RDB file. What ends too early is BROKEN. */
class Reader {
  at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw BROKEN;
    return this.bytes[this.at++];
  }

  string(): string {
    const first = this.byte();
    if (first < 0xc0) return bytesToString(this.take(this.length(first)));
    switch (first & 0x3f) {
      case 0:
        return String((this.byte() << 24) >> 24);
      case 1:
        return String(((this.byte() << 16) | (this.byte() << 24)) >> 16);
      case 2:
        return String(this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24));
      case 3: {
        const packed = this.length(this.byte());
        const length = this.length(this.byte());
        if (length > packed * MOST_EXPANDED) throw BROKEN;
        const unpacked = decompress(this.take(packed), length);
        if (unpacked === null) throw BROKEN;
        return bytesToString(unpacked);
      }
      default:
        throw BROKEN;
    }
  }

  private length(first: number): number {
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 0x3f) << 8) | this.byte();
    if (first === 0x80) return this.bigEndian();
    if (first === 0x81) return this.bigEndian() * 2 ** 32 + this.bigEndian();
    throw BROKEN;
  }

  private bigEndian(): number {
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + this.byte();
    return value;
  }

  private take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw BROKEN;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
