// Loads of the toolkit itself, beside those of the workflows: transactions over WATCH, batches, and scripts that must
// not be repeated. Called by run.ts and child.ts; the last one, for the test of chaos, breaks its promise.
import { expect } from 'vitest';
import { AtomicError, batch, type Driver, transaction } from '../../src/workflows/index.ts';
import { STRESS } from '../workflows/contracts/index.ts';
import { counting } from '../workflows/faults/support.ts';
import { attempt, count, raw, type Stress, type Tally } from '../workflows/world.ts';

const PAIRS = 4;
const KEYS = 3;

async function number(driver: Driver, key: string): Promise<number> {
  return Number(await raw(driver, 'GET', key));
}

/** Each success is there once, each unknown at most once. */
function expectExact(value: number, ok = 0, unknown = 0): void {
  expect(value).toBeGreaterThanOrEqual(ok);
  expect(value).toBeLessThanOrEqual(ok + unknown);
}

/** Moves between two accounts and a journal of it, in one transaction that is never repeated blindly. */
const transfers: Stress = {
  workflow: 'kit.transaction',
  async setup() {},
  async client(driver, prefix, index, random) {
    const tally: Tally = {};
    for (let i = 0; i < 10; i++) {
      const pair = Math.floor(random() * PAIRS);
      const [from, to, journal] = ['from', 'to', 'journal'].map((name) => `${prefix}:{${pair}}:${name}`);
      const result = await attempt(tally, () =>
        transaction(driver, { watch: [from!, to!], attempts: 30 }, async (tx) => {
          const [a, b] = await Promise.all([tx.read.get(from!), tx.read.get(to!)]);
          return tx.commit((queue) => {
            queue.set(from!, Number(a) - 1);
            queue.set(to!, Number(b) + 1);
            queue.rpush(journal!, `${index}-${i}`);
          });
        }),
      );
      if (result !== null) count(tally, `${result.status} ${pair}`);
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    for (let pair = 0; pair < PAIRS; pair++) {
      const base = `${prefix}:{${pair}}`;
      const moved = await number(driver, `${base}:to`);
      expect(await number(driver, `${base}:from`)).toBe(-moved);
      const journal = (await raw(driver, 'LRANGE', `${base}:journal`, 0, -1)) as string[];
      expect(journal.length).toBe(moved);
      expect(new Set(journal).size).toBe(moved);
      expectExact(moved, tally[`committed ${pair}`], tally[`unknown ${pair}`]);
    }
  },
};

/** Batches over several slots of a script that must not be repeated. */
const batches: Stress = {
  workflow: 'kit.batch',
  async setup() {},
  async client(driver, prefix, _index, random) {
    const tally: Tally = {};
    for (let i = 0; i < 10; i++) {
      const picked = Array.from({ length: 6 }, () => Math.floor(random() * KEYS));
      const calls = picked.map((key) =>
        counting('never').call({ keys: { counter: `${prefix}:{${key}}` }, args: {} }),
      );
      for (const [at, each] of (await batch(driver, calls)).entries()) {
        const key = picked[at]!;
        const result = await attempt(tally, async () => {
          if (each instanceof AtomicError) throw each;
          return each;
        });
        if (result !== null) count(tally, `${result.status} ${key}`);
      }
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    for (let key = 0; key < KEYS; key++) {
      const value = await number(driver, `${prefix}:{${key}}`);
      expectExact(value, tally[`counted ${key}`], tally[`unknown ${key}`]);
    }
  },
};

function counts(workflow: string, retry: 'never' | 'always'): Stress {
  return {
    workflow,
    async setup() {},
    async client(driver, prefix) {
      const tally: Tally = {};
      for (let i = 0; i < 20; i++) {
        const result = await attempt(tally, () =>
          counting(retry).run(driver, { keys: { counter: `${prefix}:{n}` }, args: {} }),
        );
        if (result !== null) count(tally, result.status);
      }
      return tally;
    },
    async check(driver, prefix, tally) {
      expectExact(await number(driver, `${prefix}:{n}`), tally.counted, tally.unknown);
    },
  };
}

/** All that chaos runs. */
export const LOADS: readonly Stress[] = [...STRESS, transfers, batches, counts('kit.script', 'never')];

/** Says that it may always be repeated and counts twice when it is: chaos must find that out. */
export const LIAR: Stress = counts('liar', 'always');
