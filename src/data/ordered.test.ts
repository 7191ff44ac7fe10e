import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OrderedIndex } from './ordered.ts';

type Pair = { score: number; member: string };

function compare(a: Pair, b: Pair): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return a.member < b.member ? -1 : a.member > b.member ? 1 : 0;
}

function all(index: OrderedIndex): Pair[] {
  const out: Pair[] = [];
  index.forEach(0, Infinity, false, (member, score) => void out.push({ score, member }));
  return out;
}

/** Every public reading of `index` agrees with the sorted array `model`. */
function same(index: OrderedIndex, model: Pair[]): void {
  expect(index.size).toBe(model.length);
  expect(all(index)).toEqual(model);
  for (const [rank, pair] of model.entries()) {
    if (rank % 17 !== 0 && rank !== model.length - 1) continue;
    expect(index.rankOf(pair.score, pair.member)).toBe(rank);
    expect(index.at(rank)).toEqual(pair);
    expect(index.scoreAt(rank)).toBe(pair.score);
    expect(index.memberAt(rank)).toBe(pair.member);
    for (const score of [pair.score, pair.score + 0.5]) {
      expect(index.rankOfScore(score, false)).toBe(model.filter((p) => p.score < score).length);
      expect(index.rankOfScore(score, true)).toBe(model.filter((p) => p.score <= score).length);
    }
  }
}

// Few distinct scores and members, so that ties, deletions of what is there and re-insertions are common.
const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-0, Infinity, -Infinity, 0.1, -1e300, 5e-324),
);
const member = fc.oneof(
  fc.integer({ min: 0, max: 999 }).map((n) => `m${n}`),
  fc.constantFrom('', '\x00', '\xff', 'a', 'a\x00', 'ab'),
);
const place = fc.double({ min: 0, max: 1, noNaN: true });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('insert'),
      pairs: fc.array(fc.tuple(score, member), { maxLength: 400, size: 'max' }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('delete'), at: place, times: fc.integer({ min: 1, max: 200 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('removeRange'), at: place, part: place }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('clone') }) },
);
type Step = { op: string; pairs?: [number, string][]; at?: number; part?: number; times?: number };

function run(index: OrderedIndex, model: Pair[], s: Step): void {
  if (s.op === 'insert') {
    for (const [score, member] of s.pairs!) {
      const pair = { score, member };
      if (model.some((p) => compare(p, pair) === 0)) continue;
      index.insert(score, member);
      const at = model.findIndex((p) => compare(p, pair) > 0);
      model.splice(at === -1 ? model.length : at, 0, pair);
      // Ask now and then, so that the sums are both kept up to date and rebuilt.
      if (model.length % 5 === 0) expect(index.rankOf(score, member)).toBe(model.indexOf(pair));
    }
  } else if (s.op === 'delete') {
    for (let n = 0; n < s.times! && model.length > 0; n++) {
      const [gone] = model.splice(Math.floor(s.at! * (model.length - 1)), 1);
      expect(index.delete(gone!.score, gone!.member)).toBe(true);
      expect(index.delete(gone!.score, gone!.member)).toBe(false);
      expect(index.rankOf(gone!.score, gone!.member)).toBe(-1);
    }
  } else if (s.op === 'removeRange') {
    const start = Math.floor(s.at! * model.length);
    // A few entries, or a good part of all.
    const count = Math.floor(s.part! < 0.5 ? s.part! * 20 : s.part! * (model.length - start));
    const seen: Pair[] = [];
    const removed = index.removeRange(start, count, (member, score) => void seen.push({ score, member }));
    const expected = model.splice(start, count);
    expect(seen).toEqual(expected);
    expect(removed).toBe(expected.length);
  }
}

describe('OrderedIndex', () => {
  test('agrees with a sorted array over any sequence of operations, clones included', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15, size: 'max' }), (steps) => {
        const kept: { index: OrderedIndex; model: Pair[] }[] = [];
        let index = new OrderedIndex();
        let model: Pair[] = [];
        for (const s of steps as Step[]) {
          if (s.op === 'clone') {
            kept.push({ index, model });
            index = index.clone();
            model = [...model];
          } else {
            run(index, model, s);
            same(index, model);
          }
        }
        for (const old of kept) {
          same(old.index, old.model);
          run(old.index, old.model, {
            op: 'insert',
            pairs: [
              [7, 'late'],
              [-7, 'early'],
            ],
          });
          run(old.index, old.model, { op: 'delete', at: 0.5, times: 3 });
          same(old.index, old.model);
        }
        same(index, model);
      }),
      { numRuns: 60 },
    );
  });

  test('walks from any rank in either direction, for any count, and stops when told', () => {
    fc.assert(
      fc.property(fc.nat(600), place, fc.nat(700), fc.boolean(), (n, a, count, reverse) => {
        const model = Array.from({ length: n + 1 }, (_, i) => ({ score: i, member: `m${i}` }));
        const index = OrderedIndex.fromSorted(
          model.map((p) => p.member),
          model.map((p) => p.score),
        );
        same(index, model);
        const start = Math.floor(a * n);
        const seen: Pair[] = [];
        index.forEach(start, count, reverse, (member, score) => void seen.push({ score, member }));
        const expected = reverse ? model.slice(0, start + 1).reverse() : model.slice(start);
        expect(seen).toEqual(expected.slice(0, count));
        let calls = 0;
        index.forEach(start, Infinity, reverse, () => ++calls === 3);
        expect(calls).toBe(Math.min(3, expected.length));
      }),
      { numRuns: 60 },
    );
  });

  test('rankOfLex counts members when all scores are equal', () => {
    fc.assert(
      fc.property(fc.uniqueArray(member, { maxLength: 500, size: 'max' }), member, (members, probe) => {
        const index = new OrderedIndex();
        for (const m of members) index.insert(0, m);
        expect(index.rankOfLex(probe, false)).toBe(members.filter((m) => m < probe).length);
        expect(index.rankOfLex(probe, true)).toBe(members.filter((m) => m <= probe).length);
      }),
    );
  });

  test('ranks stay right after a few entries go from the middle, with nothing split or joined', () => {
    const model = Array.from({ length: 1000 }, (_, n) => ({ score: n, member: `m${n}` }));
    const index = new OrderedIndex();
    for (const pair of model) index.insert(pair.score, pair.member);
    for (const [start, count] of [
      [300, 3],
      [120, 10],
      [0, 2],
      [600, 1],
    ] as const) {
      same(index, model);
      expect(index.removeRange(start, count)).toBe(count);
      model.splice(start, count);
    }
    same(index, model);
    expect(index.delete(500, 'm500')).toBe(true);
    model.splice(
      model.findIndex((p) => p.score === 500),
      1,
    );
    same(index, model);
  });

  test('-0 and 0 are one score, and each is read back as it was given', () => {
    const index = new OrderedIndex();
    index.insert(-0, 'b');
    index.insert(0, 'a');
    index.insert(-0, 'c');
    expect(all(index)).toEqual([
      { score: 0, member: 'a' },
      { score: -0, member: 'b' },
      { score: -0, member: 'c' },
    ]);
    expect(index.rankOf(0, 'b')).toBe(1);
    expect(index.delete(0, 'c')).toBe(true);
    expect(index.rankOfScore(-0, false)).toBe(0);
    expect(index.rankOfScore(-0, true)).toBe(2);
  });

  test('nothing is found in an empty index, and a rank outside it is an error', () => {
    const index = new OrderedIndex();
    expect(index.rankOf(1, 'a')).toBe(-1);
    expect(index.delete(1, 'a')).toBe(false);
    expect(index.rankOfScore(Infinity, true)).toBe(0);
    expect(index.rankOfLex('z', true)).toBe(0);
    expect(index.removeRange(0, 5)).toBe(0);
    expect(() => index.at(0)).toThrow(RangeError);
    index.insert(1, 'a');
    expect(() => index.at(1)).toThrow(RangeError);
    expect(() => index.scoreAt(-1)).toThrow(RangeError);
    expect(index.removeRange(0, 5)).toBe(1);
    expect(index.size).toBe(0);
  });

  test('growing scores fill their blocks', () => {
    const index = new OrderedIndex();
    for (let n = 0; n < 12_800; n++) index.insert(n, `m${n}`);
    expect((index as unknown as { blocks: unknown[] }).blocks.length).toBe(100);
    expect(index.rankOf(9999, 'm9999')).toBe(9999);
  });
});
