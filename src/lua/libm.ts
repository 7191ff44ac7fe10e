// exp, log, pow and the trigonometric functions, rounded as the C library rounds them: in JavaScript's own, one of
// twenty results is off by one in the last bit, and scripts pass such digits on. Used by lib-math.ts and, for
// `^`, by operations.ts.
//
// Each works with some 70 bits: a value is `high + low`, the argument's distance from the nearest entry of a table
// is small, and a short series does the rest. Where JavaScript's result is at the end of its range, it stays.

/** Bits after the point of the integers that tables are made from. */
const FIXED = 128n;
const FIXED_SCALE = 2 ** 128;
const ONE = 1n << FIXED;

function times(a: bigint, b: bigint): bigint {
  return (a * b) >> FIXED;
}

/** x + x^2/2! + x^3/3! … or, with -1 for `sign`, x - x^3/3! + x^5/5! … */
function series(x: bigint, step: bigint, sign: bigint): bigint {
  const factor = step === 1n ? x : times(x, x);
  let term = x;
  let sum = 0n;
  for (let n = 1n; term !== 0n; n += step) {
    sum += term;
    term = (sign * times(term, factor)) / (step === 1n ? n + 1n : (n + 1n) * (n + 2n));
  }
  return sum;
}

/** arctanh of p/q */
function arctanh(p: bigint, q: bigint): bigint {
  let power = (ONE * p) / q;
  const square = (ONE * p * p) / (q * q);
  let sum = 0n;
  // Shifting rounds down: a negative power would end at -1.
  for (let n = 1n; power !== 0n && power !== -1n; n += 2n) {
    sum += power / n;
    power = times(power, square);
  }
  return sum;
}

function high(x: bigint): number {
  return Number(x) / FIXED_SCALE;
}

/** What the double nearest to `x` lacks. */
function low(x: bigint): number {
  return high(x - BigInt(high(x) * FIXED_SCALE));
}

// Constants in parts: the first ones have room for a factor, so that its multiples are exact.
const LN2_1 = 0.6931471803691238;
const LN2_2 = 1.9082149292705877e-10;
/** ln 2 / 128 */
const STEP_1 = LN2_1 / 128;
const STEP_2 = LN2_2 / 128;
const STEPS = 128 / Math.LN2;
/** π/2 */
const QUARTER_1 = 1.5707963267341256;
const QUARTER_2 = 6.077100506303966e-11;
const QUARTER_3 = 2.0222662487111665e-21;
const QUARTER_4 = 8.478427660368901e-32;
const HALF_PI = Math.PI / 2;
const HALF_PI_LOW = 6.123233995736766e-17;
/** log10 2 */
const LOG10_2_1 = 0.30102999566361177;
const LOG10_2_2 = 3.694239077158931e-13;

/** 2^(i/128) */
const POWER_HIGH = new Float64Array(128);
const POWER_LOW = new Float64Array(128);
/** About 1/c for the middle c of [1 + i/128, 1 + (i + 1)/128), and its logarithm; from √2 on halved. */
const INVERSE = new Float64Array(128);
const LOG_HIGH = new Float64Array(128);
const LOG_LOW = new Float64Array(128);
/** From here on a mantissa counts as one of [0.7, 1). */
const LOG_SPLIT = 53;
/** Of j/64 */
const SIN_HIGH = new Float64Array(52);
const SIN_LOW = new Float64Array(52);
const COS_HIGH = new Float64Array(52);
const COS_LOW = new Float64Array(52);

let ready = false;

function makeTables(): void {
  ready = true;
  const root = ONE + series((2n * arctanh(1n, 3n)) / 128n, 1n, 1n);
  let power = ONE;
  const one = 2 ** 60;
  for (let i = 0; i < 128; i++) {
    POWER_HIGH[i] = high(power);
    POWER_LOW[i] = low(power);
    power = times(power, root);
    // Next to 1 the logarithm must not be a difference.
    const near1 = i === 0 || i === 127;
    INVERSE[i] = near1 ? 1 : (i < LOG_SPLIT ? 256 : 512) / (257 + 2 * i);
    const inverse = INVERSE[i] * one;
    const log = near1 ? 0n : -2n * arctanh(BigInt(inverse - one), BigInt(inverse) + BigInt(one));
    LOG_HIGH[i] = high(log);
    LOG_LOW[i] = low(log);
  }
  const step = ONE / 64n;
  const stepSine = series(step, 2n, -1n);
  // cos x = 1 - 2 sin² x/2
  const halfSine = series(step / 2n, 2n, -1n);
  const stepCosine = ONE - 2n * times(halfSine, halfSine);
  let sine = 0n;
  let cosine = ONE;
  for (let j = 0; j < 52; j++) {
    SIN_HIGH[j] = high(sine);
    SIN_LOW[j] = low(sine);
    COS_HIGH[j] = high(cosine);
    COS_LOW[j] = low(cosine);
    const next = times(sine, stepCosine) + times(cosine, stepSine);
    cosine = times(cosine, stepCosine) - times(sine, stepSine);
    sine = next;
  }
}

const SPLITTER = 2 ** 27 + 1;

/** What a * b lacks of the true product. */
function productLow(a: number, b: number, product: number): number {
  const x = a * SPLITTER;
  const a1 = x - (x - a);
  const a2 = a - a1;
  const y = b * SPLITTER;
  const b1 = y - (y - b);
  const b2 = b - b1;
  return a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2);
}

/** What a + b lacks of the true sum. */
function sumLow(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}

/** Smaller results may not have all their bits. */
const SMALLEST = 1e-290;

// ---- exp, log, pow

/** e^(x + xLow), which is known to be a normal number. */
function expOf(x: number, xLow: number): number {
  if (!ready) makeTables();
  const k = Math.round(x * STEPS);
  const r1 = x - k * STEP_1;
  const r2 = -k * STEP_2;
  const r = r1 + r2;
  const rLow = sumLow(r1, r2, r) + xLow;
  const q = rLow + rLow * r + r * r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720)))));
  const i = k & 127;
  const power = POWER_HIGH[i];
  const product = power * r;
  const sum = power + product;
  const rest =
    product - (sum - power) + productLow(power, r, product) + power * q + POWER_LOW[i] + POWER_LOW[i] * r;
  const exponent = k >> 7;
  return exponent > 1000 ? (sum + rest) * 2 ** (exponent - 1) * 2 : (sum + rest) * 2 ** exponent;
}

export function exp(x: number): number {
  const near = Math.exp(x);
  return near > SMALLEST && near < Number.POSITIVE_INFINITY ? expOf(x, 0) : near;
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);
const TOP = new Uint8Array(new Uint16Array([1]).buffer)[0];

let logLow = 0;

/** log x for a positive normal number; what it lacks is left in logLow. */
function logOf(x: number): number {
  if (!ready) makeTables();
  double[0] = x;
  const top = words[TOP];
  const i = (top >> 13) & 127;
  const halved = i < LOG_SPLIT ? 0 : 1;
  const k = (top >> 20) - 1023 + halved;
  words[TOP] = (top & 0xfffff) | ((1023 - halved) << 20);
  const z = double[0];
  const inverse = INVERSE[i];
  const product = z * inverse;
  const r = product - 1;
  const rLow = productLow(z, inverse, product);
  const square = r * r;
  const cube =
    square *
    r *
    (1 / 3 +
      r *
        (-1 / 4 +
          r * (1 / 5 + r * (-1 / 6 + r * (1 / 7 + r * (-1 / 8 + r * (1 / 9 + r * (-1 / 10 + r / 11))))))));
  const a0 = k * LN2_1;
  const a1 = LOG_HIGH[i];
  const a = a0 + a1;
  const b = a + r;
  const c = b - square / 2;
  const rest =
    sumLow(a0, a1, a) +
    sumLow(a, r, b) +
    sumLow(b, -square / 2, c) -
    productLow(r, r, square) / 2 +
    (rLow - r * rLow) +
    (LOG_LOW[i] + k * LN2_2) +
    cube;
  const log = c + rest;
  logLow = rest - (log - c);
  return log;
}

function isNormal(x: number): boolean {
  return x >= 2 ** -1022 && x < Number.POSITIVE_INFINITY;
}

export function log(x: number): number {
  return isNormal(x) ? logOf(x) : Math.log(x);
}

/** Not rounded to the last bit in C either, but in its own way. */
export function log10(x: number): number {
  if (!isNormal(x)) return Math.log10(x);
  double[0] = x;
  const exponent = (words[TOP] >> 20) - 1023;
  const below1 = exponent < 0 ? 1 : 0;
  words[TOP] = (words[TOP] & 0xfffff) | ((1023 - below1) << 20);
  const k = exponent + below1;
  return k * LOG10_2_2 + Math.LOG10E * logOf(double[0]) + k * LOG10_2_1;
}

/** x^y, where JavaScript and C agree on what it is (JavaScript has no 1^NaN). */
export function pow(x: number, y: number): number {
  const near = x ** y;
  const size = Math.abs(near);
  const base = Math.abs(x);
  if (!(size > SMALLEST && size < Number.POSITIVE_INFINITY && isNormal(base))) return near;
  // Powers of whole numbers are often wanted, and exact while they are below 2^53.
  if (size <= 2 ** 53 && base > 1 && y > 0 && Number.isInteger(x) && Number.isInteger(y)) {
    let power = x;
    for (let i = 1; i < y; i++) power *= x;
    return power;
  }
  const log = logOf(base);
  const product = log * y;
  const power = expOf(product, productLow(log, y, product) + logLow * y);
  return near < 0 ? -power : power;
}

// ---- circular functions

let sineHigh = 0;
let sineLow = 0;
let cosineHigh = 1;
let cosineLow = 0;

/** What these functions are computed for; beyond, JavaScript's own answer. */
const SMALLEST_ANGLE = 1e-8;
const LARGEST_ANGLE = 2 ** 20;

/** Leaves the sine and the cosine of `x`, smaller than {@link LARGEST_ANGLE}, in the variables above. */
function setSineAndCosine(x: number): void {
  if (!ready) makeTables();
  const angle = Math.abs(x);
  // Less whole quarters of the circle: -π/4 to π/4 remain.
  const quarters = Math.round(angle / (Math.PI / 2));
  let r = angle;
  let rLow = 0;
  if (quarters > 0) {
    const r1 = angle - quarters * QUARTER_1;
    const q2 = -quarters * QUARTER_2;
    const r2 = r1 + q2;
    const q3 = -quarters * QUARTER_3;
    const r3 = r2 + q3;
    const rest = sumLow(r1, q2, r2) + sumLow(r2, q3, r3) - quarters * QUARTER_4;
    r = r3 + rest;
    rLow = rest - (r - r3);
  }
  const mirrored = r < 0;
  if (mirrored) {
    r = -r;
    rLow = -rLow;
  }
  // Less the nearest angle of the table.
  const j = Math.round(r * 64);
  const d = r - j / 64;
  const square = d * d;
  const sineRest = d * square * (-1 / 6 + square * (1 / 120 - square * (1 / 5040)));
  const cosineRest = square * (-1 / 2 + square * (1 / 24 - square * (1 / 720)));
  const tableSine = SIN_HIGH[j];
  const tableCosine = COS_HIGH[j];
  const up = tableCosine * d;
  const sine0 = tableSine + up;
  const sine1 =
    sumLow(tableSine, up, sine0) +
    productLow(tableCosine, d, up) +
    (SIN_LOW[j] + COS_LOW[j] * d + (tableCosine - tableSine * d) * rLow) +
    (tableSine * cosineRest + tableCosine * sineRest);
  const down = -tableSine * d;
  const cosine0 = tableCosine + down;
  const cosine1 =
    sumLow(tableCosine, down, cosine0) +
    productLow(-tableSine, d, down) +
    (COS_LOW[j] - SIN_LOW[j] * d - (tableSine + tableCosine * d) * rLow) +
    (tableCosine * cosineRest - tableSine * sineRest);
  let sine = sine0 + sine1;
  let sineTail = sine1 - (sine - sine0);
  const cosine = cosine0 + cosine1;
  const cosineTail = cosine1 - (cosine - cosine0);
  if (mirrored) {
    sine = -sine;
    sineTail = -sineTail;
  }
  const odd = (quarters & 1) === 1;
  const sineSign = ((quarters & 2) !== 0) !== x < 0 ? -1 : 1;
  const cosineSign = ((quarters + 1) & 2) !== 0 ? -1 : 1;
  sineHigh = sineSign * (odd ? cosine : sine);
  sineLow = sineSign * (odd ? cosineTail : sineTail);
  cosineHigh = cosineSign * (odd ? sine : cosine);
  cosineLow = cosineSign * (odd ? sineTail : cosineTail);
}

function isAngle(x: number): boolean {
  const size = Math.abs(x);
  return size > SMALLEST_ANGLE && size < LARGEST_ANGLE;
}

export function sin(x: number): number {
  if (!isAngle(x)) return Math.sin(x);
  setSineAndCosine(x);
  return sineHigh;
}

export function cos(x: number): number {
  if (!isAngle(x)) return Math.cos(x);
  setSineAndCosine(x);
  return cosineHigh;
}

export function tan(x: number): number {
  if (!isAngle(x)) return Math.tan(x);
  setSineAndCosine(x);
  const quotient = sineHigh / cosineHigh;
  const product = quotient * cosineHigh;
  const rest =
    sineHigh - product - productLow(quotient, cosineHigh, product) + sineLow - quotient * cosineLow;
  return quotient + rest / cosineHigh;
}

let arcLow = 0;

/** The arc whose sine is `s + sLow`, up to 0.75; what it lacks is left in arcLow. */
function arcOf(s: number, sLow: number): number {
  const near = Math.asin(s);
  setSineAndCosine(near);
  arcLow = (s - sineHigh + (sLow - sineLow)) / cosineHigh;
  return near;
}

/** Half the arc whose cosine is `x`, from 0.5 up to less than 1. */
function halfArcOf(x: number): number {
  const square = (1 - x) / 2;
  const sine = Math.sqrt(square);
  const product = sine * sine;
  return arcOf(sine, (square - product - productLow(sine, sine, product)) / (2 * sine));
}

export function asin(x: number): number {
  const size = Math.abs(x);
  if (!(size > SMALLEST_ANGLE && size < 1)) return Math.asin(x);
  if (size <= 0.5) return arcOf(x, 0) + arcLow;
  const half = 2 * halfArcOf(size);
  const arc = HALF_PI - half;
  const whole = arc + (sumLow(HALF_PI, -half, arc) + (HALF_PI_LOW - 2 * arcLow));
  return x < 0 ? -whole : whole;
}

export function acos(x: number): number {
  const size = Math.abs(x);
  if (!(size > SMALLEST_ANGLE && size < 1)) return Math.acos(x);
  if (x > 0.5) return 2 * (halfArcOf(x) + arcLow);
  const part = size > 0.5 ? halfArcOf(size) : arcOf(x, 0);
  const arc = HALF_PI - part;
  const whole = arc + (sumLow(HALF_PI, -part, arc) + (HALF_PI_LOW - arcLow));
  return size > 0.5 ? 2 * whole : whole;
}

export function atan(x: number): number {
  return atan2(x, 1);
}

export function atan2(y: number, x: number): number {
  const near = Math.atan2(y, x);
  const [a, b] = [Math.abs(y), Math.abs(x)];
  // The products below must neither overflow nor vanish.
  if (!(a > 1e-100 && a < 1e100 && b > 1e-100 && b < 1e100 && Math.abs(near) > SMALLEST_ANGLE)) return near;
  setSineAndCosine(near);
  const up = y * cosineHigh;
  const down = x * sineHigh;
  const rest = up - down + (productLow(y, cosineHigh, up) - productLow(x, sineHigh, down));
  return near + (rest + (y * cosineLow - x * sineLow)) / (x * cosineHigh + y * sineHigh);
}

// ---- hyperbolic functions: by exp, the way C libraries go

/** Up to here e^-x counts beside e^x. */
const ONE_SIDED = 22;

export function cosh(x: number): number {
  const size = Math.abs(x);
  if (!(size >= Math.LN2 / 2 && size < 709)) return Math.cosh(x);
  const power = exp(size);
  return size < ONE_SIDED ? power / 2 + 0.5 / power : power / 2;
}

export function sinh(x: number): number {
  const size = Math.abs(x);
  if (!(size >= ONE_SIDED && size < 709)) return Math.sinh(x);
  return (x < 0 ? -0.5 : 0.5) * exp(size);
}
