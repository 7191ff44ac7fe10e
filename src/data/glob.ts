// Glob patterns over byte strings, with the exact answers of Redis' stringmatchlen, its odd ones included: KEYS, SCAN
// MATCH, PSUBSCRIBE, CONFIG GET and ACL patterns all rest on them. Knows nothing of keys; used by the commands.

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;

/**
 * Whether `text` matches `pattern`; `nocase` folds ASCII letters. `*` is any run of bytes, `?` any one byte, `[...]` one
 * byte of a class (`^` first negates, `a-z` is a range whichever way round), and a backslash makes the next byte literal.
 *
 * The empty text matches only the empty pattern, and so not `*`. Redis' KEYS and SCAN never ask: they take the pattern
 * `*` itself to mean every key. Their callers here must do the same.
 */
export function globMatch(pattern: string, text: string, nocase = false): boolean {
  if (text.length === 0) return pattern.length === 0;
  let p = 0;
  let t = 0;
  // The only place worth trying again after a mismatch is the last star: if what follows it matches nowhere in the rest
  // of the text, a longer run for an earlier star leaves less text and cannot help. So there is one pair of positions to
  // go back to, no recursion, and at worst pattern × text steps. (Redis 7.2.6 gives up, with no match, on patterns of
  // more than 1000 stars to save its stack; nothing here needs that.)
  let afterStar = -1;
  let starAt = 0;
  while (true) {
    if (p < pattern.length && pattern.charCodeAt(p) === STAR) {
      while (p < pattern.length && pattern.charCodeAt(p) === STAR) p++;
      if (p === pattern.length) return true;
      afterStar = p;
      starAt = t;
    }
    // A pattern that ends before the text does is a mismatch like any other.
    p = p < pattern.length ? matchOne(pattern, p, text.charCodeAt(t), nocase) : -1;
    if (p !== -1) {
      t++;
      if (t < text.length) continue;
      while (p < pattern.length && pattern.charCodeAt(p) === STAR) p++;
      if (p === pattern.length) return true;
    }
    if (afterStar === -1) return false;
    p = afterStar;
    t = ++starAt;
    if (t === text.length) return false;
  }
}

/** Matches byte `c` against the one element (not a star) at `p`. Returns the place after the element, or -1. */
function matchOne(pattern: string, p: number, c: number, nocase: boolean): number {
  let wanted = pattern.charCodeAt(p);
  if (wanted === QUESTION) return p + 1;
  if (wanted === OPEN) return matchClass(pattern, p + 1, c, nocase);
  // A backslash that ends the pattern stands for itself.
  if (wanted === BACKSLASH && p + 1 < pattern.length) wanted = pattern.charCodeAt(++p);
  return wanted === c || (nocase && lower(wanted) === lower(c)) ? p + 1 : -1;
}

/**
 * Matches byte `c` against the class whose first byte (after the bracket) is at `p`. Returns the place after the class,
 * or -1. A class that is never closed ends with the pattern; `]` closes even as the first byte.
 */
function matchClass(pattern: string, p: number, c: number, nocase: boolean): number {
  const negated = pattern.charCodeAt(p) === CARET;
  if (negated) p++;
  let match = false;
  for (; p < pattern.length; p++) {
    const left = pattern.length - p;
    const here = pattern.charCodeAt(p);
    if (here === BACKSLASH && left >= 2) {
      // Redis forgets `nocase` for an escaped byte.
      if (pattern.charCodeAt(++p) === c) match = true;
    } else if (here === CLOSE) {
      break;
    } else if (left >= 3 && pattern.charCodeAt(p + 1) === DASH) {
      // The end of a range may be any byte, the closing bracket or a backslash too: `[a-]` is a range, never closed.
      p += 2;
      if (inRange(here, pattern.charCodeAt(p), c, nocase)) match = true;
    } else if (here === c || (nocase && lower(here) === lower(c))) {
      match = true;
    }
  }
  if (match === negated) return -1;
  // Past the bracket, or at the end of the pattern when there is none.
  return Math.min(p + 1, pattern.length);
}

function inRange(start: number, end: number, c: number, nocase: boolean): boolean {
  let low = signed(start);
  let high = signed(end);
  if (low > high) [low, high] = [high, low];
  // Redis puts the ends in order first and folds them after, so that `[Z-a]` becomes the empty range z to a.
  if (nocase) return lower(low) <= lower(signed(c)) && lower(signed(c)) <= lower(high);
  return low <= signed(c) && signed(c) <= high;
}

/** Redis compares ranges as C's signed char: bytes from 0x80 on come before all others. */
function signed(byte: number): number {
  return byte < 128 ? byte : byte - 256;
}

function lower(c: number): number {
  return c >= 65 && c <= 90 ? c + 32 : c;
}
