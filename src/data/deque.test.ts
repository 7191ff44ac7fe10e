import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deque } from './deque.ts';

/** Every public reading of `list` agrees with the plain array `model`. */
function same(list: Deque, model: string[]): void {
  expect(list.length).toBe(model.length);
  expect(list.bytes).toBe(model.reduce((sum, value) => sum + value.length, 0));
  expect(list.toArray()).toEqual(model);
  for (const i of [0, 1, model.length >> 1, model.length - 2, model.length - 1]) {
    if (i >= 0 && i < model.length) expect(list.at(i)).toBe(model[i]);
  }
}

/** LREM on a plain array, in place. */
function lrem(model: string[], value: string, count: number): number {
  const places = model.flatMap((v, i) => (v === value ? [i] : []));
  const taken = count === 0 ? places : count > 0 ? places.slice(0, count) : places.slice(count);
  for (const i of taken.toReversed()) model.splice(i, 1);
  return taken.length;
}

// Bulk steps make lists of many chunks; `at` is a fraction of the length, so that any place may be hit.
const place = fc.double({ min: 0, max: 1, noNaN: true });
const value = fc.constantFrom('a', 'b', 'cc', '', 'ddd\xff');
const step = fc.oneof(
  fc.record({ op: fc.constantFrom('pushFront', 'pushBack'), value, times: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ op: fc.constantFrom('popFront', 'popBack'), times: fc.integer({ min: 1, max: 300 }) }),
  fc.record({
    op: fc.constantFrom('insert', 'set'),
    value,
    at: place,
    times: fc.integer({ min: 1, max: 200 }),
  }),
  fc.record({ op: fc.constant('removeAt'), at: place, times: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ op: fc.constant('removeRange'), at: place, part: place }),
  fc.record({ op: fc.constant('removeMatching'), value, count: fc.integer({ min: -150, max: 150 }) }),
  fc.record({ op: fc.constant('clone') }),
);
type Step = { op: string; value?: string; at?: number; part?: number; times?: number; count?: number };

let serial = 0;

function run(list: Deque, model: string[], s: Step): void {
  const fill = s.value ?? '';
  for (let n = 0; n < (s.times ?? 1); n++) {
    // Mostly distinct, so that nothing can change places unseen; with repetitions, for removeMatching.
    const value = n % 4 === 0 ? fill : `${fill}${serial++}`;
    const i = Math.min(Math.floor((s.at ?? 0) * model.length), Math.max(model.length - 1, 0));
    if (s.op === 'pushFront') {
      list.pushFront(value);
      model.unshift(value);
    } else if (s.op === 'pushBack') {
      list.pushBack(value);
      model.push(value);
    } else if (s.op === 'popFront') {
      expect(list.popFront()).toBe(model.shift());
    } else if (s.op === 'popBack') {
      expect(list.popBack()).toBe(model.pop());
    } else if (s.op === 'insert') {
      list.insert(i, value);
      model.splice(i, 0, value);
    } else if (s.op === 'set' && model.length > 0) {
      list.set(i, value);
      model[i] = value;
    } else if (s.op === 'removeAt' && model.length > 0) {
      expect(list.removeAt(i)).toBe(model.splice(i, 1)[0]);
    } else if (s.op === 'removeRange') {
      const count = Math.floor((s.part ?? 0) * (model.length - i));
      list.removeRange(i, count);
      model.splice(i, count);
    } else if (s.op === 'removeMatching') {
      expect(list.removeMatching(fill, s.count!)).toBe(lrem(model, fill, s.count!));
    }
    // A wrong start in the chunk table shows only when something is looked up before the table is recomputed.
    if (model.length > 0) {
      const probe = (n * 7919 + model.length * 31) % model.length;
      if (list.at(probe) !== model[probe]) throw new Error(`at(${probe}) differs after ${s.op}`);
    }
  }
}

describe('Deque', () => {
  test('agrees with a plain array over any sequence of operations, clones included', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25, size: 'max' }), (steps) => {
        const kept: { list: Deque; model: string[] }[] = [];
        let list = new Deque();
        let model: string[] = [];
        for (const s of steps as Step[]) {
          if (s.op === 'clone') {
            // Go on with the copy; the original must stay as it was, and take writes of its own.
            kept.push({ list, model });
            list = list.clone();
            model = [...model];
          } else {
            run(list, model, s);
            same(list, model);
          }
        }
        for (const old of kept) {
          same(old.list, old.model);
          run(old.list, old.model, { op: 'pushFront', value: 'z', times: 3 });
          run(old.list, old.model, { op: 'popBack', times: 2 });
          run(old.list, old.model, { op: 'insert', value: 'y', at: 0.5, times: 2 });
          same(old.list, old.model);
        }
        same(list, model);
      }),
      { numRuns: 200 },
    );
  });

  test('slice and forEachFrom visit what an array would', () => {
    fc.assert(
      fc.property(fc.nat(700), fc.nat(300), place, place, (back, front, a, b) => {
        const model: string[] = [];
        const list = new Deque();
        run(list, model, { op: 'insert', value: 'v', at: 0.4, times: back });
        run(list, model, { op: 'pushFront', value: 'f', times: front });
        const last = Math.max(model.length - 1, 0);
        const [start, stop] = [Math.floor(a * last), Math.floor(b * model.length)];
        expect(list.slice(start, stop)).toEqual(model.slice(start, stop));
        const up: [string, number][] = [];
        const down: [string, number][] = [];
        list.forEachFrom(start, 1, (v, i) => void up.push([v, i]));
        list.forEachFrom(start, -1, (v, i) => void down.push([v, i]));
        const all = model.map((v, i): [string, number] => [v, i]);
        expect(up).toEqual(all.slice(start));
        expect(down).toEqual(all.slice(0, start + 1).toReversed());
      }),
      { numRuns: 60 },
    );
  });

  test('forEachFrom stops when told, and visits nothing outside the list', () => {
    const list = Deque.from(['a', 'b', 'c', 'd']);
    const seen: string[] = [];
    list.forEachFrom(1, 1, (v) => {
      seen.push(v);
      return v === 'c';
    });
    list.forEachFrom(4, 1, (v) => void seen.push(v));
    list.forEachFrom(-1, -1, (v) => void seen.push(v));
    expect(seen).toEqual(['b', 'c']);
  });

  test('removeMatching counts from the head, the tail or everywhere', () => {
    const values = ['x', 'a', 'x', 'b', 'x'];
    const cases: [number, string[], number][] = [
      [1, ['a', 'x', 'b', 'x'], 1],
      [-1, ['x', 'a', 'x', 'b'], 1],
      [-2, ['x', 'a', 'b'], 2],
      [0, ['a', 'b'], 3],
      [9, ['a', 'b'], 3],
    ];
    for (const [count, rest, removed] of cases) {
      const list = Deque.from(values);
      expect(list.removeMatching('x', count)).toBe(removed);
      expect(list.toArray()).toEqual(rest);
    }
  });

  test('an index outside the list is an error, an empty list pops nothing', () => {
    const list = Deque.from(['a']);
    expect(() => list.at(1)).toThrow(RangeError);
    expect(() => list.at(-1)).toThrow(RangeError);
    expect(() => list.insert(2, 'b')).toThrow(RangeError);
    expect(() => list.removeAt(Number.NaN)).toThrow(RangeError);
    expect(list.popBack()).toBe('a');
    expect(list.popBack()).toBeUndefined();
    expect(list.popFront()).toBeUndefined();
  });

  test('a copy may be written to anywhere, and leaves the other list alone', () => {
    const writes: Step[] = [
      { op: 'pushFront', value: 'x', times: 2 },
      { op: 'popFront', times: 2 },
      { op: 'popBack', times: 2 },
      { op: 'removeRange', at: 0, part: 0.1 },
      { op: 'removeRange', at: 0.2, part: 0.5 },
      { op: 'removeMatching', value: 'v', count: 2 },
      ...['set', 'insert', 'removeAt'].flatMap((op) =>
        [0, 0.1, 0.5, 1].map((at) => ({ op, at, value: 'x' })),
      ),
    ];
    for (const length of [60, 600]) {
      for (const write of writes) {
        const model: string[] = [];
        const list = new Deque();
        // Pushed in front and taken off again: the first chunk has spare room.
        run(list, model, { op: 'pushBack', value: 'v', times: length });
        run(list, model, { op: 'pushFront', value: 'v', times: 20 });
        run(list, model, { op: 'popFront', times: 7 });
        const copy = list.clone();
        const copyModel = [...model];
        run(copy, copyModel, write);
        same(copy, copyModel);
        same(list, model);
        run(list, model, write);
        same(list, model);
        same(copy, copyModel);
      }
    }
  });

  test('an insertion that splits the tail does not make stale starts known', () => {
    const model = Array.from({ length: 512 }, (_, n) => `${n}`);
    const list = Deque.from(model);
    for (const i of [130, 510]) {
      list.insert(i, 'new');
      model.splice(i, 0, 'new');
    }
    expect(model.map((_, i) => list.at(i))).toEqual(model);
  });

  test('a queue does not grow its table for ever', () => {
    const list = new Deque();
    for (let n = 0; n < 10; n++) list.pushBack(`${n}`);
    for (let n = 10; n < 200_000; n++) {
      list.pushBack(`${n}`);
      if (list.popFront() !== `${n - 10}`) throw new Error(`wrong element at ${n}`);
    }
    expect((list as unknown as { chunks: unknown[] }).chunks.length).toBeLessThan(100);
    expect(list.toArray()).toHaveLength(10);
  });

  test('repeated removal in the middle leaves few chunks', () => {
    const list = Deque.from(Array.from({ length: 100_000 }, (_, n) => `${n}`));
    for (let n = 0; n < 99_000; n++) list.removeAt(1 + ((n * 7919) % (list.length - 2)));
    expect(list.length).toBe(1000);
    expect((list as unknown as { chunks: unknown[] }).chunks.length).toBeLessThan(70);
  });
});
