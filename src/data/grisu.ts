// Decimal digits of a double, as Redis 7.2 finds them: by Grisu2, the algorithm of its fpconv library. JavaScript's own
// digits are always the shortest and closest; Grisu2's are not for about one double in a thousand, and replies must agree
// with Redis to the byte. Used by numbers.ts alone.
//
// Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers", 2010. A 64-bit number is a pair
// of unsigned 32-bit halves here (names end in H and L), which costs no allocation, as BigInt would at every step.

const TWO32 = 0x1_0000_0000;

/** A power of ten as a 64-bit fraction (top bit set) times a power of two. */
type Power = { fracH: number; fracL: number; exponent: number };

// Every eighth power of ten from 10^-348 on is enough to bring any double into the range where the digits are cut off.
const FIRST_POWER = -348;
const POWER_STEP = 8;
const POWER_COUNT = 87;
const powers: (Power | undefined)[] = [];

function power(index: number): Power {
  return (powers[index] ??= computePower(FIRST_POWER + index * POWER_STEP));
}

function computePower(k: number): Power {
  // 10^k to more bits than needed, then rounded to 64.
  const spare = 1300n;
  const scaled = k >= 0 ? (10n ** BigInt(k)) << spare : (1n << (spare * 2n)) / 10n ** BigInt(-k);
  const shift = scaled.toString(2).length - 64;
  const frac = ((scaled >> BigInt(shift - 1)) + 1n) >> 1n;
  return {
    fracH: Number(frac >> 32n),
    fracL: Number(frac & 0xffffffffn),
    exponent: shift - Number(k >= 0 ? spare : spare * 2n),
  };
}

// Result of the helpers below. A pair returned would be an allocation, and so would a number above 2^31 in a variable of
// the module: each store would make a new heap number.
const result = new Float64Array(2);

/** Upper 32 bits of the product of two unsigned 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const aH = a >>> 16;
  const aL = a & 0xffff;
  const bH = b >>> 16;
  const bL = b & 0xffff;
  const middle = aH * bL + ((aL * bL) >>> 16);
  return aH * bH + Math.floor(middle / 0x10000) + Math.floor((aL * bH + (middle & 0xffff)) / 0x10000);
}

/** Sets the result to the upper 64 bits of a product, rounded as fpconv rounds it. */
function multiply(aH: number, aL: number, bH: number, bL: number): void {
  const carry = (Math.imul(aH, bL) >>> 0) + (Math.imul(aL, bH) >>> 0) + mulHigh(aL, bL) + 0x8000_0000;
  const low = (Math.imul(aH, bH) >>> 0) + mulHigh(aH, bL) + mulHigh(aL, bH) + Math.floor(carry / TWO32);
  result[1] = low >>> 0;
  result[0] = mulHigh(aH, bH) + Math.floor(low / TWO32);
}

/** Sets the result to a - b, where a >= b. */
function subtract(aH: number, aL: number, bH: number, bL: number): void {
  result[0] = aH - bH;
  result[1] = aL - bL;
  if (result[1]! < 0) {
    result[1] += TWO32;
    result[0]!--;
  }
}

function less(aH: number, aL: number, bH: number, bL: number): boolean {
  return aH < bH || (aH === bH && aL < bL);
}

const bits = new DataView(new ArrayBuffer(8));
const digits = new Uint8Array(24);

/** Significant digits of a double and the power of ten of the last one: 12.5 is { digits: '125', k: -1 }. */
export type Decimal = { digits: string; k: number };

/** The digits that fpconv finds for a finite double greater than zero. */
export function grisu2(value: number): Decimal {
  bits.setFloat64(0, value);
  let wH = bits.getUint32(0);
  let wL = bits.getUint32(4);
  let exponent = wH >>> 20;
  wH &= 0xfffff;
  // Half the distance to the next double above is 2^halfBit in the scale of w below; to the one beneath it is half of
  // that again when the fraction is zero, for there the exponent changes.
  let halfBit = 10;
  const lowerBit = wH === 0 && wL === 0 ? 9 : 10;
  if (exponent !== 0) {
    wH |= 0x100000;
  } else {
    exponent = 1;
    while ((wH & 0x100000) === 0) {
      wH = (wH << 1) | (wL >>> 31);
      wL = (wL << 1) >>> 0;
      exponent--;
      halfBit++;
    }
  }
  // value = w × 2^exponent, with the top bit of w set.
  wH = ((wH << 11) | (wL >>> 21)) >>> 0;
  wL = (wL << 11) >>> 0;
  exponent -= 1023 + 52 + 11;
  const halfH = halfBit >= 32 ? 2 ** (halfBit - 32) : 0;
  const halfL = halfBit >= 32 ? 0 : 2 ** halfBit;
  let upperH = wH + halfH;
  let upperL = wL + halfL;
  if (upperL >= TWO32) {
    upperL -= TWO32;
    upperH++;
  }
  if (halfBit === 10) subtract(wH, wL, 0, 2 ** lowerBit);
  else subtract(wH, wL, halfH, halfL);
  let lowerH = result[0]!;
  let lowerL = result[1]!;

  // A cached power that leaves between 32 and 60 bits after the binary point: then one 32-bit half holds the integer part.
  const guess = Math.trunc(-(exponent + POWER_COUNT) * 0.30102999566398114);
  let index = Math.trunc((guess - FIRST_POWER) / POWER_STEP);
  let point = 0;
  while (true) {
    point = -(exponent + power(index).exponent + 64);
    if (point > 60) index++;
    else if (point < 32) index--;
    else break;
  }
  const { fracH, fracL } = power(index);
  multiply(wH, wL, fracH, fracL);
  wH = result[0]!;
  wL = result[1]!;
  multiply(upperH, upperL, fracH, fracL);
  subtract(result[0]!, result[1]!, 0, 1);
  upperH = result[0]!;
  upperL = result[1]!;
  multiply(lowerH, lowerL, fracH, fracL);
  lowerL = result[1]! + 1;
  lowerH = result[0]!;
  if (lowerL === TWO32) {
    lowerL = 0;
    lowerH++;
  }
  return generate(wH, wL, upperH, upperL, lowerH, lowerL, point, -(FIRST_POWER + index * POWER_STEP));
}

/** Cuts digits off `upper` until what is left is smaller than the interval, then steps the last digit towards `w`. */
function generate(
  wH: number,
  wL: number,
  upperH: number,
  upperL: number,
  lowerH: number,
  lowerL: number,
  point: number,
  k: number,
): Decimal {
  subtract(upperH, upperL, wH, wL);
  let gapH = result[0]!;
  let gapL = result[1]!;
  subtract(upperH, upperL, lowerH, lowerL);
  let deltaH = result[0]!;
  let deltaL = result[1]!;
  const shift = point - 32;
  const mask = 2 ** shift - 1;
  let whole = upperH >>> shift;
  let restH = upperH & mask;
  let restL = upperL;
  let count = 0;

  let kappa = 10;
  for (let div = 1_000_000_000; kappa > 0; div /= 10) {
    const digit = Math.floor(whole / div);
    if (digit !== 0 || count !== 0) digits[count++] = digit;
    whole -= digit * div;
    kappa--;
    const leftH = whole * 2 ** shift + restH;
    if (!less(deltaH, deltaL, leftH, restL)) {
      roundLast(count, deltaH, deltaL, leftH, restL, div * 2 ** shift, gapH, gapL);
      return finish(count, k + kappa);
    }
  }
  while (true) {
    let product = restL * 10;
    restL = product >>> 0;
    restH = restH * 10 + Math.floor(product / TWO32);
    product = deltaL * 10;
    deltaL = product >>> 0;
    deltaH = deltaH * 10 + Math.floor(product / TWO32);
    product = gapL * 10;
    gapL = product >>> 0;
    gapH = gapH * 10 + Math.floor(product / TWO32);
    kappa--;
    const digit = restH >>> shift;
    if (digit !== 0 || count !== 0) digits[count++] = digit;
    restH &= mask;
    if (less(restH, restL, deltaH, deltaL)) {
      roundLast(count, deltaH, deltaL, restH, restL, 2 ** shift, gapH, gapL);
      return finish(count, k + kappa);
    }
  }
}

/** Lowers the last digit while that brings the number (upper - rest) nearer to w (upper - gap) and keeps it in the interval. */
function roundLast(
  count: number,
  deltaH: number,
  deltaL: number,
  restH: number,
  restL: number,
  unitH: number,
  gapH: number,
  gapL: number,
): void {
  while (less(restH, restL, gapH, gapL)) {
    subtract(deltaH, deltaL, restH, restL);
    if (result[0]! < unitH) return;
    const nextH = restH + unitH;
    if (!less(nextH, restL, gapH, gapL)) {
      subtract(gapH, gapL, restH, restL);
      const nearH = result[0]!;
      const nearL = result[1]!;
      subtract(nextH, restL, gapH, gapL);
      if (!less(result[0]!, result[1]!, nearH, nearL)) return;
    }
    digits[count - 1]!--;
    restH = nextH;
  }
}

/** The digits as text. Two small integers become text several times faster than seventeen digits one by one. */
function finish(count: number, k: number): Decimal {
  const split = Math.min(count, 9);
  let head = 0;
  for (let i = 0; i < split; i++) head = head * 10 + digits[i]!;
  if (count === split) return { digits: `${head}`, k };
  // A leading 1 keeps the zeros at the beginning of the tail.
  let tail = 1;
  for (let i = split; i < count; i++) tail = tail * 10 + digits[i]!;
  return { digits: `${head}${`${tail}`.slice(1)}`, k };
}
