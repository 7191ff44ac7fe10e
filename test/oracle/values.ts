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
