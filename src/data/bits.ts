// Bits of byte arrays, counted and searched 32 at a time: bitmaps of megabytes are ordinary. Bit 0 is the highest
// bit of byte 0, as Redis numbers them. Knows no commands; bitmaps.ts calls it.

/** Index of the byte that holds a bit. No shift: in half a gigabyte the bits' numbers pass 32 bits. */
export function byteOf(bit: number): number {
  return Math.floor(bit / 8);
}

/** Number of set bits of each byte. */
const COUNTS = new Uint8Array(256);
for (let i = 1; i < 256; i++) COUNTS[i] = COUNTS[i >> 1] + (i & 1);

/** The bytes `[start, end)` as 32-bit words, in three parts: bytes before, aligned words, bytes behind. */
function wordsOf(
  bytes: Uint8Array,
  start: number,
  end: number,
): { from: number; to: number; words: Int32Array } {
  const head = -(bytes.byteOffset + start) & 3;
  const from = Math.min(start + head, end);
  const count = (end - from) >>> 2;
  // A view of no words may begin anywhere that is aligned: at the start of the buffer.
  const words = new Int32Array(bytes.buffer, count === 0 ? 0 : bytes.byteOffset + from, count);
  return { from, to: from + count * 4, words };
}

/** Number of set bits in `bytes[start..end)`. */
export function countBits(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 32) return countBytes(bytes, start, end);
  const { from, to, words } = wordsOf(bytes, start, end);
  return countBytes(bytes, start, from) + countWords(words) + countBytes(bytes, to, end);
}

function countBytes(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) count += COUNTS[bytes[i]];
  return count;
}

/**
 * Population count of words: the parallel sums of "Hacker's Delight", stopped at sums of eight bits, of which
 * several words' fit in a byte (three words make at most 24), so that the last steps are shared.
 */
function countWords(words: Int32Array): number {
  const { length } = words;
  let count = 0;
  let i = 0;
  for (; i + 3 <= length; i += 3) {
    count += sumBytes(byteCounts(words[i]) + byteCounts(words[i + 1]) + byteCounts(words[i + 2]));
  }
  for (; i < length; i++) count += sumBytes(byteCounts(words[i]));
  return count;
}

/** In each byte of the result the number of set bits of that byte of `w`. */
function byteCounts(w: number): number {
  const pairs = w - ((w >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return (fours + (fours >>> 4)) & 0x0f0f0f0f;
}

function sumBytes(w: number): number {
  return Math.imul(w, 0x01010101) >>> 24;
}

/** Position of the first bit of this value among the bits `[start, end)`, or -1. */
export function findBit(bytes: Uint8Array, bit: 0 | 1, start: number, end: number): number {
  if (start >= end) return -1;
  const first = byteOf(start);
  const last = byteOf(end - 1);
  // Looking for a zero is looking for a one in the inverted bytes.
  const flip = bit === 1 ? 0 : 0xff;
  const at = first + 1;
  let byte = (bytes[first] ^ flip) & (0xff >>> (start & 7));
  let found = first;
  if (byte === 0 && at <= last) {
    found = findByteNot(bytes, flip, at, last);
    byte = bytes[found] ^ flip;
  }
  if (byte === 0) return -1;
  const position = found * 8 + Math.clz32(byte) - 24;
  return position < end ? position : -1;
}

/** First index from `start` on whose byte differs from `skip` (0 or 255); `last` when none before it does. */
function findByteNot(bytes: Uint8Array, skip: number, start: number, last: number): number {
  const { from, to, words } = wordsOf(bytes, start, last);
  let i = start;
  while (i < from && bytes[i] === skip) i++;
  if (i < from) return i;
  const same = skip === 0 ? 0 : -1;
  let w = 0;
  // Four words a step: all the same when nothing is left of them.
  while (
    w + 4 <= words.length &&
    ((words[w] ^ same) | (words[w + 1] ^ same) | (words[w + 2] ^ same) | (words[w + 3] ^ same)) === 0
  ) {
    w += 4;
  }
  while (w < words.length && words[w] === same) w++;
  i = w < words.length ? from + w * 4 : to;
  while (i < last && bytes[i] === skip) i++;
  return i;
}

/** Combines `out` with a source that is no longer than it; the source counts as padded with zeros. */
export function combineBits(operation: 'AND' | 'OR' | 'XOR', out: Uint8Array, source: Uint8Array): void {
  // Words must be aligned; `out` begins its buffer.
  const bytes = (source.byteOffset & 3) === 0 ? source : source.slice();
  const count = bytes.length >>> 2;
  const to = new Int32Array(out.buffer, 0, count);
  const from = new Int32Array(bytes.buffer, bytes.byteOffset, count);
  // One loop per operation: a choice inside the loop would cost more than the operation.
  if (operation === 'AND') for (let i = 0; i < count; i++) to[i] &= from[i];
  else if (operation === 'OR') for (let i = 0; i < count; i++) to[i] |= from[i];
  else for (let i = 0; i < count; i++) to[i] ^= from[i];
  for (let i = count * 4; i < bytes.length; i++) {
    if (operation === 'AND') out[i] &= bytes[i];
    else if (operation === 'OR') out[i] |= bytes[i];
    else out[i] ^= bytes[i];
  }
  if (operation === 'AND') out.fill(0, bytes.length);
}

/** Inverts every bit; `out` begins its buffer. */
export function invertBits(out: Uint8Array): void {
  const words = new Int32Array(out.buffer, 0, out.length >>> 2);
  for (let i = 0; i < words.length; i++) words[i] = ~words[i];
  for (let i = words.length * 4; i < out.length; i++) out[i] = ~out[i];
}

const WORD = 2 ** 32;

/** Integer of up to 64 bits at a bit offset, zeros behind the end; a bigint where a number is not exact. */
export function readBits(bytes: Uint8Array, offset: number, width: number, signed: boolean): number | bigint {
  if (width <= 53) return readPart(bytes, offset, width, signed);
  // Wider fields are put together from the upper bits and the lower 32.
  const high = readPart(bytes, offset, width - 32, signed);
  const low = readPart(bytes, offset + width - 32, 32, false);
  const value = high * WORD + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) + BigInt(low);
}

function readPart(bytes: Uint8Array, offset: number, width: number, signed: boolean): number {
  let value = 0;
  let at = byteOf(offset);
  let left = width;
  // What the first byte has in its low bits, then whole bytes, then the high bits of the last.
  for (let room = 8 - (offset & 7); left > 0; room = 8, at++) {
    const byte = at < bytes.length ? bytes[at] & ((1 << room) - 1) : 0;
    const take = Math.min(room, left);
    value = value * (1 << take) + (byte >>> (room - take));
    left -= take;
  }
  return signed && value >= 2 ** (width - 1) ? value - 2 ** width : value;
}

/** Writes an integer that fits into `width` bits, signed or not, at a bit offset; the bytes must be there. */
export function writeBits(bytes: Uint8Array, offset: number, width: number, value: number | bigint): void {
  if (width <= 53) {
    writePart(bytes, offset, width, Number(value));
    return;
  }
  const high = typeof value === 'number' ? Math.floor(value / WORD) : Number(value >> 32n);
  const low = typeof value === 'number' ? value - high * WORD : Number(value & 0xffffffffn);
  writePart(bytes, offset, width - 32, high);
  writePart(bytes, offset + width - 32, 32, low);
}

function writePart(bytes: Uint8Array, offset: number, width: number, value: number): void {
  let rest = value < 0 ? value + 2 ** width : value;
  // From the last byte to the first.
  for (let end = offset + width; end > offset; ) {
    const at = byteOf(end - 1);
    const take = Math.min(end - at * 8, end - offset);
    const shift = at * 8 + 8 - end;
    const size = 1 << take;
    const low = rest % size;
    bytes[at] = (bytes[at] & ~((size - 1) << shift)) | (low << shift);
    rest = (rest - low) / size;
    end -= take;
  }
}
