// The LZF format, in which Redis keeps long strings in RDB files and DUMP payloads. The compressor finds exactly the
// matches that Redis' finds, so that payloads come out the same to the byte. Used by persistence/rdb.
//
// A compressed text is a row of runs. A byte below 32 says that one more than that many bytes follow as they are. Any
// other byte begins a reference to text before: three bits of length (7: the next byte has more of it) and, with the
// byte behind, thirteen bits of how far back.

const HASH_BITS = 16;
const MAX_LITERAL = 32;
const MAX_OFFSET = 8192;
const MAX_MATCH = 264;

/**
 * Where three bytes were last seen, plus `seenBefore`; no more than that for never. So what an earlier call left there
 * counts as never, and the table is emptied only once the numbers run out: doing so for each short string takes 20 times
 * as long as compressing it.
 */
let seen: Int32Array | null = null;
let seenBefore = 0;

/**
 * Room for results, kept from call to call: for a short text an array of its own takes longer than the work. Each of
 * the two functions has its own, as one may be given what the other has answered.
 */
const KEPT = 64 * 1024;
let compressed = new Uint8Array(0);
let decompressed = new Uint8Array(0);

/** Compressed bytes, which stand until the next call; null where they would be more than `limit`. */
export function compress(input: Uint8Array, limit: number): Uint8Array | null {
  const { length } = input;
  if (length === 0 || limit <= 0) return null;
  seen ??= new Int32Array(1 << HASH_BITS);
  const table = seen;
  if (seenBefore + length >= 2 ** 31) {
    table.fill(0);
    seenBefore = 0;
  }
  // The first place is kept as 1 more than this.
  const before = seenBefore;
  seenBefore += length;
  if (limit + 4 <= KEPT && compressed.length === 0) compressed = new Uint8Array(KEPT);
  const out = limit + 4 <= KEPT ? compressed : new Uint8Array(limit + 4);
  let at = 0;
  let literals = 0;
  // The place before the first literal is left for their number.
  let end = 1;
  let hash = (input[0] << 8) | input[1];
  while (at < length - 2) {
    hash = ((hash << 8) | input[at + 2]) & 0xffffff;
    const slot = ((hash >>> 8) - hash * 5) & 0xffff;
    const from = table[slot] - before - 1;
    table[slot] = before + at + 1;
    const offset = at - from - 1;
    if (
      from > 0 &&
      offset < MAX_OFFSET &&
      input[from] === input[at] &&
      input[from + 1] === input[at + 1] &&
      input[from + 2] === input[at + 2]
    ) {
      const match = matchLength(input, from, at);
      // The literals end here; where there were none, their place is not needed.
      if (end - (literals === 0 ? 1 : 0) + 4 >= limit) return null;
      out[end - literals - 1] = literals - 1;
      if (literals === 0) end--;
      const size = match - 2;
      if (size < 7) out[end++] = (offset >> 8) + (size << 5);
      else {
        out[end++] = (offset >> 8) + (7 << 5);
        out[end++] = size - 7;
      }
      out[end++] = offset;
      literals = 0;
      end++;
      at += match;
      if (at >= length - 2) break;
      // Of the places inside the match, the last two are remembered.
      at -= 2;
      hash = (input[at] << 8) | input[at + 1];
      for (let i = 0; i < 2; i++) {
        hash = ((hash << 8) | input[at + 2]) & 0xffffff;
        table[((hash >>> 8) - hash * 5) & 0xffff] = before + at + 1;
        at++;
      }
    } else {
      if (end >= limit) return null;
      out[end++] = input[at++];
      if (++literals === MAX_LITERAL) {
        out[end - literals - 1] = literals - 1;
        literals = 0;
        end++;
      }
    }
  }
  if (end + 3 > limit) return null;
  while (at < length) {
    out[end++] = input[at++];
    if (++literals === MAX_LITERAL) {
      out[end - literals - 1] = literals - 1;
      literals = 0;
      end++;
    }
  }
  out[end - literals - 1] = literals - 1;
  if (literals === 0) end--;
  return out.subarray(0, end);
}

// How many bytes from `from` and from `at` are the same; three are known to be. A match near the end leaves two bytes,
// unless it is among the first sixteen that are compared without a look at the end.
function matchLength(input: Uint8Array, from: number, at: number): number {
  const most = Math.min(input.length - at - 2, MAX_MATCH);
  let length = 2;
  if (most > 16) {
    for (let i = 0; i < 16; i++) {
      length++;
      if (input[from + length] !== input[at + length]) return length;
    }
  }
  do length++;
  while (length < most && input[from + length] === input[at + length]);
  return length;
}

/**
 * The `length` bytes that were compressed, which stand until the next call; null where the input is not
 * what compress answers for so many.
 */
export function decompress(input: Uint8Array, length: number): Uint8Array | null {
  if (length <= KEPT && decompressed.length === 0) decompressed = new Uint8Array(KEPT);
  const out = length <= KEPT ? decompressed : new Uint8Array(length);
  let end = 0;
  let at = 0;
  while (at < input.length) {
    const first = input[at++];
    if (first < MAX_LITERAL) {
      const count = first + 1;
      if (end + count > length || at + count > input.length) return null;
      // At most 32 of them: quicker one by one than as a range.
      for (let left = count; left > 0; left--) out[end++] = input[at++];
      continue;
    }
    let count = first >> 5;
    if (count === 7) {
      if (at >= input.length) return null;
      count += input[at++];
    }
    count += 2;
    if (at >= input.length) return null;
    let from = end - ((first & 31) << 8) - input[at++] - 1;
    if (from < 0 || end + count > length) return null;
    // Byte by byte: a reference may reach into what it writes itself.
    for (; count > 0; count--) out[end++] = out[from++];
  }
  return end === length ? out.subarray(0, length) : null;
}
