// Questions about parsed replies that the comparison asks: canonical text, multisets, numbers.
// Called by normalise.ts, execute.ts and walk.ts.

import type { Value } from '../support/wire.ts';

/** A text that is equal exactly when two values are equal, kinds included. */
export function canon(v: Value): string {
  if (v.items.length === 0) return `${v.kind}:${v.text.length}:${v.text}`;
  return `${v.kind}[${v.items.map(canon).join(',')}]`;
}

export function sortedCanon(items: readonly Value[]): string[] {
  return items.map(canon).sort();
}

/** The elements two by two, each pair as one canonical text. */
export function pairs(items: readonly Value[]): string[] {
  const out: string[] = [];
  for (let i = 0; i + 1 < items.length; i += 2) out.push(`${canon(items[i]!)}=${canon(items[i + 1]!)}`);
  return out;
}

export function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

export function sameMultiset(a: readonly string[], b: readonly string[]): boolean {
  return sameList([...a].sort(), [...b].sort());
}

const NUMBER = /^[+-]?(\d+(\.\d+)?(e[+-]?\d+)?|inf)$/;

/** The double a reply text stands for, or undefined when it is not the print of one. */
export function doubleOf(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  if (text.endsWith('inf')) return text.startsWith('-') ? -Infinity : Infinity;
  return Number(text);
}

/** Short text of a reply's kind, for grouping differences: `error WRONGTYPE`, `array(3)`, `bulk`. */
export function kindOf(v: Value): string {
  if (v.kind === 'error') return `error ${v.text.split(' ', 1)[0]}`;
  if (v.kind === 'status') return `status ${v.text}`;
  return v.kind;
}

/**
 * Is this how 7.2 lays out a double? Integers up to 2^62 in full; otherwise the shortest digits, plainly when the
 * exponent is small and as d.ddde+x when it is not.
 */
export function laidOutBy72(text: string): boolean {
  const value = doubleOf(text);
  if (value === undefined) return false;
  if (!Number.isFinite(value) || value === 0) return text === canonText(value);
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 62) return text === BigInt(value).toString();
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text);
  if (parts === null) return false;
  const [, sign, whole, fraction = '', exponent = '0'] = parts;
  const all = whole! + fraction;
  const digits = all.replace(/^0+/, '').replace(/0+$/, '');
  const scale = Number(exponent) - fraction.length + (all.length - all.replace(/0+$/, '').length);
  // The algorithm of 7.2 (grisu2) misses the shortest now and then, as for 1e23.
  const shortest = value.toExponential().replace(/e.*|[-.]/g, '').length;
  return digits.length <= Math.max(shortest + 1, 16) && text === sign + layout(digits, scale);
}

/** digits * 10^scale */
function layout(digits: string, scale: number): string {
  const exponent = scale + digits.length - 1;
  const size = Math.abs(exponent);
  if (scale >= 0 && size < digits.length + 7) return digits + '0'.repeat(scale);
  if (scale < 0 && (scale > -7 || size < 4)) {
    const point = digits.length + scale;
    return point <= 0
      ? `0.${'0'.repeat(-point)}${digits}`
      : `${digits.slice(0, point)}.${digits.slice(point)}`;
  }
  const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${digits[0]}${rest}e${exponent < 0 ? '-' : '+'}${size}`;
}

const canonText = (value: number): string =>
  value === 0 ? (Object.is(value, -0) ? '-0' : '0') : value > 0 ? 'inf' : '-inf';
