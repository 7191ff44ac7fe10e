// Bits of byte arrays, counted and searched 32 at a time: bitmaps of megabytes are ordinary. Bit 0 is the highest
// bit of byte 0, as Redis numbers them. Knows no commands; bitmaps.ts calls it.

/** Number of set bits of each byte. */
const COUNTS = new Uint8Array(256);
for (let i = 1; i < 256; i++) COUNTS[i] = COUNTS[i >> 1] + (i & 1);

/** The bytes `[start, end)` as 32-bit words, in three parts: bytes before, aligned words, bytes behind. */
function wordsOf(bytes: Uint8Array, start: number, end: number): { from: number; to: number; words: Uint32Array } {
  const head = -(bytes.byteOffset + start) & 3;
  const from = Math.min(start + head, end);
  const count = (end - from) >>> 2;
  // A view of no words may begin anywhere that is aligned: at the start of the buffer.
  const words = new Uint32Array(bytes.buffer, count === 0 ? 0 : bytes.byteOffset + from, count);
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
function countWords(words: Uint32Array): number {
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

/**
 * Position of the first bit of a value within bits `[start, end)`, or -1.
 */
export function findBit(bytes: Uint8Array, bit: 0 | 1, start: number, end: number): number {
  if (start >= end) return -1;
  const first = start >>> 3;
  const last = (end - 1) >>> 3;
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
  const same = skip === 0 ? 0 : 0xffffffff;
  let w = 0;
  while (w < words.length && words[w] === same) w++;
  i = w < words.length ? from + w * 4 : to;
  while (i < last && bytes[i] === skip) i++;
  return i;
}

export type BitOperation = 'AND' | 'OR' | 'XOR' | 'NOT';

/** Combines the sources, each padded with zeros to the longest. NOT takes one source. */
export function combineBits(operation: BitOperation, sources: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const source of sources) length = Math.max(length, source.length);
  const out = new Uint8Array(length);
  out.set(sources[0]);
  if (operation === 'NOT') invert(out);
  for (let i = 1; i < sources.length; i++) combine(operation, out, sources[i]);
  return out;
}

// `out` is new and thus aligned; `source` may lie anywhere in its buffer.
function combine(operation: BitOperation, out: Uint8Array, source: Uint8Array): void {
  const aligned = (source.byteOffset & 3) === 0;
  const count = aligned ? source.length >>> 2 : 0;
  const to = new Uint32Array(out.buffer, 0, count);
  const from = new Uint32Array(source.buffer, aligned ? source.byteOffset : 0, count);
  if (operation === 'AND') {
    and(to, from);
    and(out.subarray(count * 4), source.subarray(count * 4));
    out.fill(0, source.length);
  } else if (operation === 'OR') {
    or(to, from);
    or(out.subarray(count * 4), source.subarray(count * 4));
  } else {
    xor(to, from);
    xor(out.subarray(count * 4), source.subarray(count * 4));
  }
}

// One loop per operation, over words or bytes: a choice inside the loop would cost more than the operation.
type Cells = Uint32Array | Uint8Array;

function and(to: Cells, from: Cells): void {
  for (let i = 0; i < from.length; i++) to[i] &= from[i];
}

function or(to: Cells, from: Cells): void {
  for (let i = 0; i < from.length; i++) to[i] |= from[i];
}

function xor(to: Cells, from: Cells): void {
  for (let i = 0; i < from.length; i++) to[i] ^= from[i];
}

function invert(out: Uint8Array): void {
  const words = new Uint32Array(out.buffer, 0, out.length >>> 2);
  for (let i = 0; i < words.length; i++) words[i] = ~words[i];
  for (let i = words.length * 4; i < out.length; i++) out[i] = ~out[i];
}

/** Unsigned integer of up to 64 bits at a bit offset; zeros behind the end. A bigint beyond 2^53. */
export function readBits(bytes: Uint8Array, offset: number, width: number): number | bigint {
  // 53 bits fit a number whole; wider fields are put together from two.
  if (width <= 53) return readNarrow(bytes, offset, width);
  const high = readNarrow(bytes, offset, width - 32);
  const value = (BigInt(high) << 32n) | BigInt(readNarrow(bytes, offset + width - 32, 32));
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function readNarrow(bytes: Uint8Array, offset: number, width: number): number {
  let value = 0;
  let at = offset >>> 3;
  let left = width;
  // What the first byte has in its low bits, then whole bytes, then the high bits of the last.
  for (let room = 8 - (offset & 7); left > 0; room = 8, at++) {
    const byte = at < bytes.length ? bytes[at] & ((1 << room) - 1) : 0;
    const take = Math.min(room, left);
    value = value * 2 ** take + (byte >>> (room - take));
    left -= take;
  }
  return value;
}

/** Writes the low `width` bits of an unsigned integer at a bit offset; the bytes must be there. */
export function writeBits(bytes: Uint8Array, offset: number, width: number, value: number | bigint): void {
  if (width <= 53) {
    writeNarrow(bytes, offset, width, Number(value));
    return;
  }
  const exact = BigInt(value);
  writeNarrow(bytes, offset, width - 32, Number(exact >> 32n));
  writeNarrow(bytes, offset + width - 32, 32, Number(exact & 0xffffffffn));
}

function writeNarrow(bytes: Uint8Array, offset: number, width: number, value: number): void {
  let rest = value;
  // From the last byte to the first.
  for (let end = offset + width; end > offset; ) {
    const at = (end - 1) >>> 3;
    const take = Math.min(end - at * 8, end - offset);
    const shift = at * 8 + 8 - end;
    const mask = ((1 << take) - 1) << shift;
    const low = rest % 2 ** take;
    bytes[at] = (bytes[at] & ~mask) | (low << shift);
    rest = (rest - low) / 2 ** take;
    end -= take;
  }
}
