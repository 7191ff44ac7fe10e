// Contract of boundedCounter: min ≤ value ≤ max.
import { expect, it } from 'vitest';
import { boundedCounter, type Driver } from '../../../src/workflows/index.ts';
import {
  attempt,
  type Contract,
  count,
  expectWithin,
  freshPrefix,
  raw,
  type Stress,
  type Tally,
  unsure,
} from '../world.ts';

export const boundedCounterContract: Contract = {
  workflow: 'boundedCounter',
  suite(world) {
    const make = (options: { min?: bigint; max: bigint }) => {
      const prefix = freshPrefix();
      return { prefix, counter: boundedCounter(world().driver, { prefix, ...options }) };
    };

    it('adds and subtracts within its bounds', async () => {
      const { counter } = make({ max: 10n });
      expect(await counter.add('a', 7n)).toMatchObject({ ok: true, status: 'added', value: 7n });
      expect(await counter.add('a', 4n)).toMatchObject({ ok: false, status: 'out_of_bounds', value: 7n });
      expect(await counter.add('a', -8n)).toMatchObject({ status: 'out_of_bounds', value: 7n });
      expect(await counter.add('a', -7n)).toMatchObject({ status: 'added', value: 0n });
    });

    it('counts exactly up to the ends of 64 bits and refuses what goes beyond', async () => {
      const max = 9223372036854775807n;
      const { counter } = make({ min: -max, max });
      expect(await counter.add('a', max - 1n)).toMatchObject({ value: max - 1n });
      expect(await counter.add('a', 1n)).toMatchObject({ value: max });
      expect(await counter.add('a', 1n)).toMatchObject({ status: 'out_of_bounds', value: max });
      expect(await counter.add('b', -max)).toMatchObject({ value: -max });
      expect(await counter.add('b', -1n)).toMatchObject({ status: 'out_of_bounds', value: -max });
    });

    it('a denial leaves no key behind', async () => {
      const { counter, prefix } = make({ max: 1n });
      await counter.add('a', 2n);
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{a}`)).toBe(0);
    });

    it('what is no integer is refused before anything is written', async () => {
      const { counter, prefix } = make({ max: 10n });
      for (const value of ['1.5', 'x', '007', '99999999999999999999']) {
        await raw(world().driver, 'SET', `${prefix}:{a}`, value);
        expect(await counter.add('a', 1n)).toMatchObject({ ok: false, status: 'not_an_integer' });
        expect(await raw(world().driver, 'GET', `${prefix}:{a}`)).toBe(value);
      }
    });

    it('a repeated request id adds once and answers the same', async () => {
      const { counter } = make({ max: 10n });
      const first = await counter.add('a', 3n, { requestId: 'r1' });
      const again = await counter.add('a', 3n, { requestId: 'r1' });
      expect(first.meta.replayed).toBe(false);
      expect(again).toMatchObject({ status: 'added', value: 3n, meta: { replayed: true } });
      expect(await counter.add('a', 4n, { requestId: 'r1' })).toMatchObject({ status: 'request_reused' });
      expect(await counter.add('a', 1n)).toMatchObject({ value: 4n });
    });

    it('is safe to repeat only with a request id, and says so', async () => {
      const { counter } = make({ max: 10n });
      expect((await counter.add('a', 1n)).meta.retry).toBe('never');
      expect((await counter.add('a', 1n, { requestId: 'r' })).meta).toMatchObject({
        retry: 'same-request-id',
        requestId: 'r',
      });
    });
  },
};

const MAX = 50n;

export const boundedCounterStress: Stress = {
  workflow: 'boundedCounter',
  async setup() {},
  async client(driver: Driver, prefix: string, index: number, random: () => number): Promise<Tally> {
    const tally: Tally = {};
    const counter = boundedCounter(driver, { prefix, max: MAX });
    for (let i = 0; i < 20; i++) {
      const amount = random() < 0.6 ? 1n : -1n;
      const result = await attempt(tally, () => counter.add('hot', amount, { requestId: `${index}-${i}` }));
      if (result === null) continue;
      count(tally, result.status);
      if (unsure(result)) count(tally, amount > 0n ? 'perhaps more' : 'perhaps less');
      if (result.ok) count(tally, 'sum', Number(amount));
      if (result.ok && (result.value < 0n || result.value > MAX)) count(tally, 'broken');
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    const value = Number(await raw(driver, 'GET', `${prefix}:{hot}`));
    expect(tally.broken ?? 0).toBe(0);
    expectWithin(value, 0, Number(MAX));
    // Each unsure request was done or not.
    const less = tally['perhaps less'] ?? 0;
    expectWithin(value, (tally.sum ?? 0) - less, less + (tally['perhaps more'] ?? 0));
  },
};
