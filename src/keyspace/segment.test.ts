import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Segment } from './segment.ts';

interface Row {
  readonly key: string;
  readonly value: number;
  deadline: number;
  access: number;
}

function rows(seg: Segment): Row[] {
  return Array.from({ length: seg.size }, (_, i) => ({
    key: seg.keys[i],
    value: seg.values[i] as number,
    deadline: seg.deadline(i),
    access: seg.access[i],
  }));
}

const step = fc.record({
  action: fc.constantFrom('append', 'append', 'append', 'remove', 'deadline', 'access', 'swap'),
  at: fc.nat(1000),
  other: fc.nat(1000),
  number: fc.integer({ min: 1, max: 1000 }),
});

describe('Segment', () => {
  test('keeps the columns of deadlines and accesses beside their keys', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const seg = new Segment(0, 1);
        const model: Row[] = [];
        for (const [i, { action, at, other, number }] of steps.entries()) {
          const place = model.length === 0 ? 0 : at % model.length;
          if (action === 'append') {
            seg.append(`k${i}`, i);
            // As Db does for a new key.
            seg.access[model.length] = number;
            model.push({ key: `k${i}`, value: i, deadline: 0, access: number });
          } else if (model.length === 0) {
          } else if (action === 'remove') {
            seg.removeAt(place);
            const last = model.pop() as Row;
            if (place < model.length) model[place] = last;
          } else if (action === 'deadline') {
            seg.setDeadline(place, number % 3 === 0 ? 0 : number);
            model[place].deadline = number % 3 === 0 ? 0 : number;
          } else if (action === 'access') {
            seg.access[place] = number;
            model[place].access = number;
          } else {
            const to = other % model.length;
            seg.swap(place, to);
            [model[place], model[to]] = [model[to], model[place]];
          }
        }
        expect(rows(seg)).toEqual(model);
        for (const [at, { key }] of model.entries()) expect(seg.find(key)).toBe(at);
        const deadlines = model.map((row) => row.deadline).filter((when) => when > 0);
        for (const when of deadlines) expect(seg.soonest).toBeLessThanOrEqual(when);
        expect(rows(seg.copy(0, 2))).toEqual(model);
      }),
    );
  });

  test('a copy of some keys keeps their columns and its own bound of deadlines', () => {
    const seg = new Segment(3, 1);
    for (let i = 0; i < 100; i++) {
      seg.append(`k${i}`, i);
      seg.access[i] = i;
      if (i % 3 === 0) seg.setDeadline(i, 1000 + i);
    }
    const even = seg.copy(4, 2, (hash) => (hash & 1) === 0);
    const odd = seg.copy(4, 2, (hash) => (hash & 1) === 1);
    expect([...rows(even), ...rows(odd)].sort((a, b) => a.access - b.access)).toEqual(rows(seg));
    expect(even.size).toBeGreaterThan(0);
    expect(odd.size).toBeGreaterThan(0);
    for (const part of [even, odd]) {
      const bound = Math.min(...rows(part).flatMap((row) => (row.deadline === 0 ? [] : [row.deadline])));
      expect(part.soonest).toBe(bound);
      expect([part.depth, part.generation]).toEqual([4, 2]);
    }
  });

  test('a copy does not change with its original', () => {
    const seg = new Segment(0, 1);
    for (let i = 0; i < 50; i++) seg.append(`k${i}`, i);
    seg.setDeadline(7, 99);
    const before = rows(seg);
    const copy = seg.copy(0, 2);
    seg.removeAt(0);
    seg.setDeadline(7, 0);
    seg.access[8] = 5;
    seg.append('new', 1);
    expect(rows(copy)).toEqual(before);
  });

  test('costs no column of deadlines until a key has one', () => {
    const seg = new Segment(0, 1);
    seg.append('k', 1);
    seg.setDeadline(0, 0);
    expect(seg.deadlines).toBe(null);
    seg.setDeadline(0, 5);
    expect(seg.deadline(0)).toBe(5);
  });
});
