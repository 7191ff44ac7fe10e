import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Dict, TABLE_LIMIT } from './dict.ts';
import { keyHash, Table } from './table.ts';

/** Sizes that make a dict of one table, of a few, and of many. */
const SIZES = [40, 3000, 20_000];

function filled(size: number, prefix = 'k'): Dict<number> {
  const dict = new Dict<number>();
  for (let i = 0; i < size; i++) dict.set(`${prefix}${i}`, i);
  return dict;
}

function modelOf(size: number): Map<string, number> {
  return new Map(Array.from({ length: size }, (_, i) => [`k${i}`, i]));
}

/** Every way to read the dict agrees with the model, and the ways agree with one another about positions. */
function same(dict: Dict<number>, model: ReadonlyMap<string, number>): void {
  expect(dict.size).toBe(model.size);
  const met: [string, number][] = [];
  dict.forEach((key, value) => {
    met.push([key, value]);
  });
  expect(met.length).toBe(model.size);
  expect(new Map(met)).toEqual(model);
  expect(dict.keys()).toEqual(met.map(([key]) => key));
  // From the end, so that no position is found by walking on.
  for (let i = met.length - 1; i >= 0; i--) {
    const [key, value] = met[i]!;
    if (dict.keyAt(i) !== key || dict.valueAt(i) !== value) expect.fail(`position ${i} is not ${key}`);
    if (dict.find(key) !== i || dict.get(key) !== value || !dict.has(key))
      expect.fail(`${key} is not at ${i}`);
  }
  expect([dict.find('absent'), dict.get('absent'), dict.has('absent')]).toEqual([-1, undefined, false]);
}

type Action = readonly [what: 'set' | 'delete' | 'removeAt' | 'setValueAt' | 'fill' | 'drain', n: number];

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.tuple(fc.constantFrom('set', 'delete', 'removeAt', 'setValueAt'), fc.nat(6000)),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('fill', 'drain'), fc.nat(6000)) },
);
const actions = fc.array(action, { maxLength: 200, size: 'max' });

/** Applies an action to both. `fill` and `drain` cross the sizes where tables are split and joined. */
function apply(dict: Dict<number>, model: Map<string, number>, [what, n]: Action): void {
  const at = dict.size === 0 ? -1 : n % dict.size;
  if (what === 'set') {
    expect(dict.set(`k${n}`, -n)).toBe(!model.has(`k${n}`));
    model.set(`k${n}`, -n);
  } else if (what === 'delete') {
    expect(dict.delete(`k${n}`)).toBe(model.delete(`k${n}`));
  } else if (what === 'fill') {
    for (let i = n; i < n + 3000; i++) {
      if (!model.has(`k${i}`)) dict.append(`k${i}`, i);
      else dict.set(`k${i}`, i);
      model.set(`k${i}`, i);
    }
  } else if (what === 'drain') {
    for (let i = 0; i < 9000; i++) {
      if (i % 50 === n % 50) continue;
      dict.delete(`k${i}`);
      model.delete(`k${i}`);
    }
  } else if (at >= 0 && what === 'removeAt') {
    model.delete(dict.keyAt(at));
    dict.removeAt(at);
  } else if (at >= 0) {
    model.set(dict.keyAt(at), n);
    dict.setValueAt(at, n);
  }
}

/** What `Table` did while `run` ran: entries put in, hashed anew or copied, and how many tables were copied. */
function workOf(run: () => void): { entries: number; copies: number } {
  const work = { entries: 0, copies: 0 };
  const methods = Table.prototype as unknown as Record<
    string,
    (this: Table<unknown>, ...args: unknown[]) => unknown
  >;
  const { append, rehash, load, copyInto } = methods as Record<
    'append' | 'rehash' | 'load' | 'copyInto',
    () => unknown
  >;
  methods.append = function (...args) {
    work.entries++;
    return append.apply(this, args as []);
  };
  methods.rehash = function (...args) {
    work.entries += this.size;
    return rehash.apply(this, args as []);
  };
  methods.load = function (...args) {
    work.entries += (args[0] as string[]).length;
    return load.apply(this, args as []);
  };
  methods.copyInto = function (...args) {
    work.entries += this.size;
    work.copies++;
    return copyInto.apply(this, args as []);
  };
  try {
    run();
  } finally {
    Object.assign(methods, { append, rehash, load, copyInto });
  }
  return work;
}

describe('Dict', () => {
  test('agrees with a Map, whatever is set and removed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SIZES), actions, (size, steps) => {
        const dict = filled(size);
        const model = modelOf(size);
        for (const step of steps) apply(dict, model, step);
        same(dict, model);
      }),
      { numRuns: 25 },
    );
  });

  test('a clone and what it was made of do not see what is done to the other', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SIZES), actions, actions, actions, (size, before, one, other) => {
        const dict = filled(size);
        const model = modelOf(size);
        for (const step of before) apply(dict, model, step);
        const copy = dict.clone();
        const copied = new Map(model);
        for (let i = 0; i < Math.max(one.length, other.length); i++) {
          if (i < one.length) apply(dict, model, one[i]!);
          if (i < other.length) apply(copy, copied, other[i]!);
        }
        same(dict, model);
        same(copy, copied);
        // Three generations: a clone of a clone still shares tables with the first.
        const last = copy.clone();
        const kept = new Map(copied);
        for (const step of before) apply(copy, copied, step);
        same(copy, copied);
        same(last, kept);
        same(dict, model);
      }),
      { numRuns: 15 },
    );
  });

  test('keeps insertion order in one table, and beyond that when asked to', () => {
    const dict = new Dict<number>();
    for (let i = 0; i < TABLE_LIMIT - 1; i++) dict.set(`k${i}`, i);
    expect(dict.keys()).toEqual(Array.from({ length: TABLE_LIMIT - 1 }, (_, i) => `k${i}`));

    const ordered = new Dict<undefined>();
    const names = Array.from({ length: 3 * TABLE_LIMIT }, (_, i) => `k${i}`);
    for (const [i, name] of names.entries()) {
      if (i % 2 === 0) ordered.set(name, undefined, true);
      else ordered.append(name, undefined, true);
    }
    expect(ordered.delete('k7', true)).toBe(true);
    ordered.removeAt(0, true);
    expect(ordered.keys()).toEqual(names.filter((name) => name !== 'k7' && name !== 'k0'));
    // What comes in without order spreads it.
    for (let i = 0; i < 5000; i++) ordered.set(`new${i}`, undefined);
    expect(ordered.size).toBe(names.length - 2 + 5000);
    expect(new Set(ordered.keys()).size).toBe(ordered.size);
    for (const name of names.slice(8)) if (!ordered.has(name)) expect.fail(`${name} is gone`);
  });

  test('positions stay as they are below one that is removed, also where tables are joined', () => {
    for (const size of SIZES) {
      const dict = filled(size);
      const keys = dict.keys();
      for (let at = size - 1; at >= 0; at--) {
        if (dict.keyAt(at) !== keys[at]) expect.fail(`position ${at} has changed`);
        if (at % 97 !== 0) dict.removeAt(at);
      }
      // The removal of a later entry may have moved another into its place, but lost none.
      expect(dict.keys().sort()).toEqual(keys.filter((_, at) => at % 97 === 0).sort());
    }
  });

  test('a position that is not there is refused, or nothing', () => {
    expect(filled(10).keyAt(10)).toBeUndefined();
    expect(() => filled(5000).keyAt(5000)).toThrow(RangeError);
  });

  describe('scan', () => {
    const changes = fc.array(fc.tuple(fc.constantFrom('grow', 'shrink', 'churn', 'clone'), fc.nat(9)), {
      maxLength: 40,
      size: 'max',
    });

    test('meets each entry that stays, whatever is inserted, removed, split and joined meanwhile', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(100, ...SIZES),
          fc.integer({ min: 1, max: 700 }),
          changes,
          (size, count, plan) => {
            // Those that stay are few, so that tables shrink enough to be joined.
            let dict = filled(size, 'stay');
            const extra = { from: 0, to: 0 };
            const met = new Set<string>();
            let cursor = 0;
            let calls = 0;
            do {
              expect(Number.isSafeInteger(cursor) && cursor >= 0).toBe(true);
              cursor = dict.scan(cursor, count, (key) => met.add(key));
              const [what, n] = plan[calls] ?? ['', 0];
              if (what === 'grow') for (let i = 0; i < n * 900; i++) dict.set(`x${extra.to++}`, 0);
              else if (what === 'shrink') while (extra.from < extra.to) dict.delete(`x${extra.from++}`);
              else if (what === 'churn') {
                for (let i = 0; i < n * 300; i++) {
                  dict.set(`x${extra.to++}`, 0);
                  dict.delete(`x${extra.from++}`);
                }
              } else if (what === 'clone') {
                const old = dict;
                dict = dict.clone();
                old.set('x', 1);
              }
              expect(++calls).toBeLessThan(100_000);
            } while (cursor !== 0);
            for (let i = 0; i < size; i++) if (!met.has(`stay${i}`)) expect.fail(`stay${i} was not met`);
          },
        ),
        { numRuns: 60 },
      );
    });

    test('a table that was split and joined again between two calls is visited anew, and the scan ends', () => {
      for (const size of [400, 3000]) {
        const dict = filled(size, 'stay');
        const met = new Set<string>();
        let cursor = 0;
        let calls = 0;
        do {
          cursor = dict.scan(cursor, 25, (key) => met.add(key));
          for (let i = 0; i < 9000; i++) dict.set(`x${i}`, i);
          for (let i = 0; i < 9000; i++) dict.delete(`x${i}`);
          expect(++calls).toBeLessThanOrEqual(size / 25);
        } while (cursor !== 0);
        for (let i = 0; i < size; i++) if (!met.has(`stay${i}`)) expect.fail(`stay${i} was not met`);
      }
    });

    test('visits each entry exactly once while nothing changes, and some `count` of them a call', () => {
      for (const size of SIZES) {
        const dict = filled(size);
        const met: string[] = [];
        let cursor = 0;
        do {
          const before = met.length;
          cursor = dict.scan(cursor, 100, (key) => met.push(key));
          if (cursor !== 0) expect(met.length - before).toBe(100);
        } while (cursor !== 0);
        expect(met.length).toBe(size);
        expect(new Set(met).size).toBe(size);
      }
    });

    test('any cursor is taken, and one that is still in order ends', () => {
      const dict = filled(20_000);
      fc.assert(
        fc.property(fc.maxSafeNat(), (start) => {
          let cursor = start;
          let calls = 0;
          do {
            cursor = dict.scan(cursor, 1000, () => {});
            expect(++calls).toBeLessThan(100);
          } while (cursor !== 0);
        }),
      );
    });
  });

  test('each entry is as likely as any other to lie at a random position', () => {
    // Positions are uniform when they are a bijection, which `same` shows; here that draws see every table alike.
    const dict = filled(50_000);
    const eighths = new Array<number>(8).fill(0);
    let state = 1;
    for (let i = 0; i < 80_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      eighths[keyHash(dict.keyAt(Math.floor((state / 2 ** 32) * dict.size))) >>> 29]!++;
    }
    for (const n of eighths) expect(Math.abs(n - 10_000)).toBeLessThan(700);
  });

  test('no step of growing to a million entries, or of shrinking again, touches more than a few tables', () => {
    const dict = new Dict<undefined>();
    let most = 0;
    let total = 0;
    const step = (run: () => void): void => {
      const { entries } = workOf(run);
      if (entries > most) most = entries;
      total += entries;
    };
    for (let i = 0; i < 1_000_000; i++) step(() => dict.set(`k${i}`, undefined));
    expect(dict.size).toBe(1_000_000);
    expect(most).toBeLessThanOrEqual(TABLE_LIMIT + 1);
    expect(most).toBeGreaterThanOrEqual(TABLE_LIMIT);
    expect(total).toBeLessThan(4 * 1_000_000);

    most = 0;
    for (let i = 0; i < 999_990; i++) step(() => dict.removeAt(dict.size - 1));
    expect(dict.size).toBe(10);
    expect(most).toBeLessThan(TABLE_LIMIT);
  }, 30_000);

  test('a clone copies nothing, and the first write of either side one table', () => {
    const dict = filled(100_000);
    let copy = dict;
    const cloning = workOf(() => {
      copy = dict.clone();
    });
    expect(cloning).toEqual({ entries: 0, copies: 0 });
    for (const side of [dict, copy]) {
      for (const write of [
        () => side.set('k5', -5),
        () => side.delete('k6'),
        () => side.removeAt(70_000),
        () => side.setValueAt(side.find('k8'), -8),
      ]) {
        const { entries, copies } = workOf(write);
        expect(copies).toBeLessThanOrEqual(1);
        expect(entries).toBeLessThanOrEqual(TABLE_LIMIT);
      }
      // The table of k5 is its own by now.
      expect(workOf(() => side.set('k5', 55))).toEqual({ entries: 0, copies: 0 });
    }
    expect(workOf(() => dict.clone().set('k5', 0)).copies).toBe(1);
    expect(workOf(() => dict.clone().delete('absent')).copies).toBe(0);
  });

  test('keys made to share their leading bits blow up neither directory nor cursor', () => {
    const dict = new Dict<undefined>();
    const alike: string[] = [];
    for (let i = 0; alike.length < 4500; i++) if (keyHash(`k${i}`) >>> 24 === 0) alike.push(`k${i}`);
    const { entries } = workOf(() => {
      for (const key of alike) dict.set(key, undefined);
    });
    expect(entries).toBeLessThan(20 * alike.length);
    const met = new Set<string>();
    let cursor = 0;
    do {
      cursor = dict.scan(cursor, 10, (key) => met.add(key));
    } while (cursor !== 0);
    expect(met.size).toBe(alike.length);
    for (const key of alike) expect(dict.has(key)).toBe(true);
  });
});
