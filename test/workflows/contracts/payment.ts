// Contract of payment: a payment id is applied once.
import { expect, it } from 'vitest';
import { payment, transfer } from '../../../src/workflows/index.ts';
import { inGenerations } from '../generations.ts';
import {
  attempt,
  type Contract,
  count,
  freshPrefix,
  raw,
  type Stress,
  sleep,
  type Tally,
  unsure,
} from '../world.ts';

export const paymentContract: Contract = {
  workflow: 'payment',
  suite(world) {
    const make = async (balance: bigint, options: { paymentTtlMs?: number } = {}) => {
      const prefix = freshPrefix();
      const ledger = transfer(world().driver, { prefix });
      (await ledger.open('eu', 'ada', { balance })).orThrow();
      const payments = payment(world().driver, { prefix, ...options });
      const pay = (paymentId: string, amount: bigint, account = 'ada') =>
        payments.apply('eu', { paymentId, account, amount });
      const left = async () => (await ledger.balance('eu', 'ada')).orThrow().balance;
      return { prefix, ledger, payments, pay, left };
    };

    it('applies an id once and answers already_processed with the first outcome', async () => {
      const { pay, left, ledger } = await make(100n);
      const first = await pay('p1', -30n);
      expect(first).toMatchObject({ ok: true, status: 'applied', balance: 70n });
      expect(first.meta).toMatchObject({ replayed: false, retry: 'always' });
      await pay('p2', 5n);
      const again = await pay('p1', -30n);
      expect(again).toMatchObject({ ok: true, status: 'already_processed', balance: 70n });
      expect(again.meta.replayed).toBe(true);
      expect(first.ok && again.ok && again.atMs === first.atMs).toBe(true);
      expect(await left()).toBe(75n);
      const { entries } = (await ledger.entries('eu')).orThrow();
      expect(entries.map(({ kind, from, to, amount, note }) => [kind, from, to, amount, note])).toEqual([
        ['payment', '', 'ada', 5n, 'p2'],
        ['payment', 'ada', '', 30n, 'p1'],
        ['open', '', 'ada', 100n, ''],
      ]);
    });

    it('a declined payment stays declined, also when there is enough later', async () => {
      const { pay, left, payments } = await make(10n);
      expect(await pay('p1', -11n)).toMatchObject({
        ok: false,
        status: 'declined',
        reason: 'insufficient',
        balance: 10n,
        meta: { replayed: false },
      });
      await pay('p2', 90n);
      expect(await pay('p1', -11n)).toMatchObject({
        status: 'declined',
        reason: 'insufficient',
        balance: 10n,
        meta: { replayed: true },
      });
      expect(await pay('p3', -11n)).toMatchObject({ status: 'applied', balance: 89n });
      expect(await left()).toBe(89n);
      expect(await payments.get('eu', 'p1')).toMatchObject({ outcome: 'insufficient', amount: -11n });
    });

    it('another amount or account under the same id is a conflict, and changes nothing', async () => {
      const { pay, left, ledger } = await make(100n);
      await ledger.open('eu', 'bo');
      await pay('p1', 1n);
      expect(await pay('p1', 2n)).toMatchObject({ ok: false, status: 'conflict' });
      expect(await pay('p1', 1n, 'bo')).toMatchObject({ ok: false, status: 'conflict' });
      expect(await left()).toBe(101n);
    });

    it('a missing account is not remembered, so that it can be opened', async () => {
      const { pay, ledger, payments } = await make(0n);
      expect(await pay('p1', 7n, 'bo')).toMatchObject({ status: 'missing_account', account: 'bo' });
      expect(await payments.get('eu', 'p1')).toMatchObject({ ok: false, status: 'unknown_payment' });
      await ledger.open('eu', 'bo');
      expect(await pay('p1', 7n, 'bo')).toMatchObject({ status: 'applied', balance: 7n });
      expect(await payments.get('eu', 'p1')).toMatchObject({
        ok: true,
        outcome: 'applied',
        account: 'bo',
        amount: 7n,
        balance: 7n,
      });
    });

    it('is exact at the ends of 64 bits', async () => {
      const max = 2n ** 63n - 1n;
      const { pay, left } = await make(9007199254740993n);
      expect(await pay('p1', max)).toMatchObject({ status: 'declined', reason: 'overflow' });
      expect(await pay('p2', max - 9007199254740993n)).toMatchObject({ status: 'applied', balance: max });
      expect(await pay('p3', -max)).toMatchObject({ status: 'applied', balance: 0n });
      expect(await pay('p4', -max)).toMatchObject({ status: 'declined', reason: 'insufficient' });
      expect(await left()).toBe(0n);
    });

    it('many deliveries at once apply it once', async () => {
      const { prefix, left } = await make(100n);
      const clients = [world().driver, world().other].map((driver) => payment(driver, { prefix }));
      const deliveries = Array.from({ length: 40 }, (_, i) =>
        clients[i % 2].apply('eu', { paymentId: 'p1', account: 'ada', amount: -1n }),
      );
      const statuses = (await Promise.all(deliveries)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 'applied')).toHaveLength(1);
      expect(statuses.filter((status) => status === 'already_processed')).toHaveLength(39);
      expect(await left()).toBe(99n);
    });

    it('an id is remembered for its time', async () => {
      const { pay, prefix } = await make(0n, { paymentTtlMs: 60 });
      await pay('p1', 1n);
      expect(await raw(world().driver, 'PTTL', `${prefix}:{eu}:payment:p1`)).toBeLessThanOrEqual(60);
      await sleep(120);
      expect(await pay('p1', 1n)).toMatchObject({ status: 'applied', balance: 2n });
    });

    it('refuses what is no payment before sending it', async () => {
      const { pay } = await make(0n);
      for (const amount of [0n, 2n ** 63n, -(2n ** 63n), 1 as never]) {
        await expect(pay('p1', amount)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      }
      await expect(pay('', 1n)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      await expect(pay('p1', 1n, '')).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    });
  },
};

const START = 40n;
const PAYMENTS = 200;

export const paymentStress: Stress = inGenerations({
  workflow: 'payment',
  async open(driver, prefix, id) {
    await transfer(driver, { prefix }).open(id, 'ada', { balance: START, requestId: 'open' });
  },
  async client(driver, prefix, { id, random }) {
    const tally: Tally = {};
    const payments = payment(driver, { prefix });
    for (let i = 0; i < 30; i++) {
      // All clients deliver the same payments, in an order of their own.
      const n = Math.floor(random() * PAYMENTS);
      const order = { paymentId: `p${n}`, account: 'ada', amount: n % 3 === 0 ? 7n : -5n };
      const paid = await attempt(tally, () => payments.apply(id, order));
      if (paid?.status === 'applied') count(tally, `applied p${n}`);
      // The one that applied it may not have heard so.
      if (paid !== null && (unsure(paid) || paid.meta.attempts > 1)) count(tally, `unsure p${n}`);
    }
    return tally;
  },
  async check(driver, prefix, id, tally) {
    // What the records say was applied is what the balance shows, whatever was lost on the way.
    const payments = payment(driver, { prefix });
    let sum = Number(START);
    for (let n = 0; n < PAYMENTS; n++) {
      const found = await payments.get(id, `p${n}`);
      const isApplied = found.ok && found.outcome === 'applied';
      if (isApplied) sum += Number(found.amount);
      const told = tally[`applied p${n}`] ?? 0;
      expect(told, `p${n}`).toBeLessThanOrEqual(isApplied ? 1 : 0);
      if (isApplied) expect(told + (tally[`unsure p${n}`] ?? 0), `p${n}`).toBeGreaterThanOrEqual(1);
    }
    const balance = Number(await raw(driver, 'HGET', `${prefix}:{${id}}:balances`, 'ada'));
    expect(balance).toBe(sum);
    expect(balance).toBeGreaterThanOrEqual(0);
  },
});
