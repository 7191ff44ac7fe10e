import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type EncodingLimits } from './values.ts';
import { ZsetValue } from './zset-value.ts';

type Entry = [member: string, score: number];
type Step =
  | { readonly kind: 'put'; readonly member: string; readonly score: number }
  | { readonly kind: 'remove'; readonly member: string }
  | { readonly kind: 'cut'; readonly start: number; readonly count: number };

const member = fc.oneof(
  fc.integer({ min: 0, max: 60 }).map((n) => `m${n}`),
  fc.constantFrom('', '\0', '\xff', 'a', 'a\0', 'B'),
);
const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5, 1e300),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('put' as const), member, score }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), member }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      start: fc.nat(50),
      count: fc.integer({ min: 1, max: 8 }),
    }),
  },
);

const inOrder = ([a, x]: Entry, [b, y]: Entry) => (x < y ? -1 : x > y ? 1 : a < b ? -1 : 1);

/** What the set should hold, as plainly as can be. */
class Model {
  entries: Entry[] = [];

  apply(step: Step): void {
    if (step.kind === 'cut') this.entries.splice(step.start, step.count);
    else this.entries = this.entries.filter(([name]) => name !== step.member);
    if (step.kind === 'put') this.entries.push([step.member, step.score]);
    this.entries.sort(inOrder);
  }
}

function apply(zset: ZsetValue, step: Step, limits: EncodingLimits): void {
  if (step.kind === 'cut') {
    if (step.start < zset.size) zset.removeRanks(step.start, Math.min(step.count, zset.size - step.start));
    return;
  }
  const place = zset.find(step.member);
  if (step.kind === 'remove') {
    if (place >= 0) zset.removeAt(place);
  } else if (place >= 0) zset.update(place, step.score);
  else zset.insert(step.member, step.score, limits);
}

function entries(zset: ZsetValue): Entry[] {
  const found: Entry[] = [];
  zset.forEach(0, zset.size, false, (name, value) => found.push([name, value]));
  return found;
}

describe.each([
  ['small', { ...DEFAULT_LIMITS, zsetMaxListpackEntries: 1000 }],
  ['growing', { ...DEFAULT_LIMITS, zsetMaxListpackEntries: 20 }],
  ['big', { ...DEFAULT_LIMITS, zsetMaxListpackEntries: 0 }],
])('a sorted set, %s', (_, limits) => {
  it('holds what a sorted list of pairs holds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), score, score, (steps, min, max) => {
        const zset = new ZsetValue();
        const model = new Model();
        for (const one of steps) {
          apply(zset, one, limits);
          model.apply(one);
        }
        expect(entries(zset)).toEqual(model.entries);
        const backwards: Entry[] = [];
        zset.forEach(zset.size - 1, zset.size, true, (name, value) => backwards.push([name, value]));
        expect(backwards).toEqual([...model.entries].reverse());
        model.entries.forEach(([name, value], rank) => {
          const place = zset.find(name);
          expect([zset.memberAt(place), zset.scoreAt(place), zset.rankAt(place)]).toEqual([
            name,
            value,
            rank,
          ]);
        });
        const { start, end } = zset.ranksByScore({ min, minExclusive: true, max, maxExclusive: false });
        const inRange = model.entries.filter(([, value]) => value > min && value <= max);
        expect(entries(zset).slice(start, end)).toEqual(inRange);
      }),
    );
  });

  it('is not changed by what happens to its clone, nor the clone by it', () => {
    fc.assert(
      fc.property(fc.array(step), fc.array(step), fc.array(step), (before, mine, theirs) => {
        const zset = new ZsetValue();
        for (const one of before) apply(zset, one, limits);
        const held = entries(zset);
        const clone = zset.clone();
        for (const one of theirs) apply(clone, one, limits);
        expect(entries(zset)).toEqual(held);
        const cloned = entries(clone);
        for (const one of mine) apply(zset, one, limits);
        expect(entries(clone)).toEqual(cloned);
        for (const [name, value] of cloned) expect(clone.get(name)).toBe(value);
      }),
    );
  });
});
