import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Table } from './table.ts';

type Entry = [key: string, value: number];

/** Keys, values and every way to find them agree with the model. */
function same(table: Table<number>, model: readonly Entry[]): void {
  expect(table.size).toBe(model.length);
  expect(table.keys).toEqual(model.map(([key]) => key));
  expect(table.values).toEqual(model.map(([, value]) => value));
  for (const [at, [key]] of model.entries()) expect(table.find(key)).toBe(at);
  expect(table.find('absent')).toBe(-1);
}

function put(model: Entry[], key: string, value: number): boolean {
  const known = model.find((entry) => entry[0] === key);
  if (known === undefined) model.push([key, value]);
  else known[1] = value;
  return known === undefined;
}

// An ordered removal shifts the tail down; the other moves the last entry into the hole.
function take(model: Entry[], key: string, ordered: boolean): boolean {
  const at = model.findIndex((entry) => entry[0] === key);
  if (at < 0) return false;
  if (ordered) model.splice(at, 1);
  else {
    model[at] = model[model.length - 1]!;
    model.pop();
  }
  return true;
}

const step = fc.record({
  key: fc.integer({ min: 0, max: 60 }).map((n) => `k${n}`),
  action: fc.constantFrom('set', 'set', 'delete'),
});

describe('Table', () => {
  for (const ordered of [true, false]) {
    test(`behaves as a list of entries, removals ${ordered ? 'keeping order' : 'filling the hole'}`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
          const table = new Table<number>();
          const model: Entry[] = [];
          steps.forEach(({ key, action }, i) => {
            if (action === 'set') expect(table.set(key, i)).toBe(put(model, key, i));
            else expect(table.delete(key, ordered)).toBe(take(model, key, ordered));
          });
          same(table, model);
          same(table.clone(), model);
        }),
        { numRuns: 60 },
      );
    });
  }

  test('finds everything at each size, growing and shrinking in order', () => {
    const table = new Table<number>();
    const model: Entry[] = [];
    for (let i = 0; i < 140; i++) {
      table.set(`k${i}`, i);
      put(model, `k${i}`, i);
      same(table, model);
    }
    for (let i = 0; i < 140; i++) {
      const key = i % 2 === 0 ? model[0]![0] : model[model.length >> 1]![0];
      expect(table.delete(key, true)).toBe(take(model, key, true));
      same(table, model);
    }
  });

  test('a table of keys alone keeps no values', () => {
    const table = new Table<undefined>();
    for (let i = 0; i < 50; i++) expect(table.set(`k${i}`, undefined)).toBe(true);
    expect(table.set('k7', undefined)).toBe(false);
    expect(table.delete('k0')).toBe(true);
    expect(table.delete('k1', true)).toBe(true);
    expect(table.values).toEqual([]);
    expect(table.clone().size).toBe(48);
    expect([...table.keys].every((key, at) => table.find(key) === at)).toBe(true);
  });

  test('a scan meets each entry that stays, whatever goes and comes meanwhile', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 60 }), (removals) => {
        const table = new Table<number>();
        for (let i = 0; i < 100; i++) table.set(`k${i}`, i);
        const met = new Set<string>();
        const queue = [...removals];
        let cursor = 0;
        do {
          cursor = table.scan(cursor, 7, (key) => met.add(key));
          for (const n of queue.splice(0, 4)) table.delete(`k${n}`);
          table.set(`new${cursor}`, cursor);
        } while (cursor !== 0);
        for (let i = 0; i < 100; i++) if (!removals.includes(i)) expect(met).toContain(`k${i}`);
      }),
    );
  });

  test('agrees with a Map over thousands of keys, whatever is set, removed either way and exchanged', () => {
    const action = fc.tuple(fc.constantFrom('set', 'set', 'set', 'delete', 'ordered', 'swap'), fc.nat(4000));
    fc.assert(
      fc.property(fc.array(action, { minLength: 3000, maxLength: 6000, size: 'max' }), (actions) => {
        const table = new Table<number>();
        const model = new Map<string, number>();
        actions.forEach(([what, n], i) => {
          const key = `\xff${n}`.repeat(1 + (n % 3));
          if (what === 'set') {
            expect(table.set(key, i)).toBe(!model.has(key));
            model.set(key, i);
          } else if (what === 'swap') {
            if (table.size > 0) table.swap(n % table.size, i % table.size);
          } else expect(table.delete(key, what === 'ordered')).toBe(model.delete(key));
        });
        expect(new Map(table.keys.map((key, at) => [key, table.values[at]!]))).toEqual(model);
        expect(table.keys.every((key, at) => table.find(key) === at)).toBe(true);
      }),
      { numRuns: 10 },
    );
  });
});
