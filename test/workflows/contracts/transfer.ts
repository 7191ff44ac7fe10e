// Contract of transfer: the sum of balances is constant; none goes below its floor.
import { expect, it } from 'vitest';
import { type Driver, transfer } from '../../../src/workflows/index.ts';
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

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

export const transferContract: Contract = {
  workflow: 'transfer',
  suite(world) {
    const make = async (
      accounts: Record<string, { balance?: bigint; floor?: bigint }>,
      options: { maxEntries?: number } = {},
    ) => {
      const prefix = freshPrefix();
      const ledger = transfer(world().driver, { prefix, ...options });
      for (const [account, wanted] of Object.entries(accounts)) {
        (await ledger.open('eu', account, wanted)).orThrow();
      }
      const balances = async () =>
        Promise.all(
          Object.keys(accounts).map(async (each) => (await ledger.balance('eu', each)).orThrow().balance),
        );
      const move = (from: string, to: string, amount: bigint, requestId?: string) =>
        ledger.transfer('eu', { from, to, amount }, requestId === undefined ? undefined : { requestId });
      return { prefix, ledger, balances, move };
    };

    it('moves an amount, and says so in the ledger', async () => {
      const { ledger, balances, move } = await make({ ada: { balance: 100n }, bo: {} });
      const moved = await move('ada', 'bo', 30n);
      expect(moved).toMatchObject({ ok: true, status: 'transferred', fromBalance: 70n, toBalance: 30n });
      expect(await balances()).toEqual([70n, 30n]);
      const { entries } = (await ledger.entries('eu', 2)).orThrow();
      expect(entries[0]).toMatchObject({ kind: 'transfer', from: 'ada', to: 'bo', amount: 30n, note: '' });
      expect(entries[0].atMs).toBeGreaterThan(1_600_000_000_000);
      expect(entries[1]).toMatchObject({ kind: 'open', from: '', to: 'bo', amount: 0n });
    });

    it('nobody goes below the floor, which may be below zero', async () => {
      const { balances, move } = await make({ ada: { balance: 100n, floor: -50n }, bo: {} });
      expect(await move('ada', 'bo', 151n)).toMatchObject({
        ok: false,
        status: 'insufficient',
        balance: 100n,
        floor: -50n,
      });
      expect(await move('ada', 'bo', 150n)).toMatchObject({ status: 'transferred', fromBalance: -50n });
      expect(await move('ada', 'bo', 1n)).toMatchObject({ status: 'insufficient', balance: -50n });
      expect(await move('bo', 'ada', 151n)).toMatchObject({
        status: 'insufficient',
        balance: 150n,
        floor: 0n,
      });
      expect(await balances()).toEqual([-50n, 150n]);
    });

    it('a missing account is found before the first write, on either side', async () => {
      const { prefix, balances, move } = await make({ ada: { balance: 100n } });
      expect(await move('ada', 'bo', 1n)).toMatchObject({ status: 'missing_account', account: 'bo' });
      expect(await move('bo', 'ada', 1n)).toMatchObject({ status: 'missing_account', account: 'bo' });
      expect(await balances()).toEqual([100n]);
      expect(await raw(world().driver, 'HLEN', `${prefix}:{eu}:balances`)).toBe(1);
    });

    it('is exact at the ends of 64 bits, and refuses what goes beyond before the first write', async () => {
      const { balances, move } = await make({
        ada: { balance: MAX },
        bo: { balance: MIN, floor: MIN },
        cy: { balance: 9007199254740993n },
      });
      expect(await move('cy', 'ada', 1n)).toMatchObject({ status: 'overflow', account: 'ada', balance: MAX });
      expect(await move('bo', 'cy', 1n)).toMatchObject({ status: 'insufficient', balance: MIN, floor: MIN });
      expect(await balances()).toEqual([MAX, MIN, 9007199254740993n]);
      expect(await move('cy', 'bo', 9007199254740992n)).toMatchObject({
        status: 'transferred',
        fromBalance: 1n,
      });
      expect(await move('ada', 'bo', MAX)).toMatchObject({ fromBalance: 0n, toBalance: 9007199254740991n });
      expect(await move('bo', 'ada', MAX)).toMatchObject({ fromBalance: MIN + 9007199254740992n });
      expect(await move('bo', 'ada', 1n)).toMatchObject({ status: 'overflow' });
      expect(await balances()).toEqual([MAX, MIN + 9007199254740992n, 1n]);
    });

    it('compares balances with floors exactly, whatever their digits', async () => {
      const { ledger, move } = await make({ sink: { balance: 0n } });
      const near = [0n, 1n, 9_999_999n, 10_000_000n, 10_000_001n, 99_999_999_999_999n, 10n ** 14n, 2n ** 62n];
      for (const [i, balance] of near.entries()) {
        for (const [j, below] of near.slice(0, 6).entries()) {
          const account = `a${i}-${j}`;
          await ledger.open('eu', account, { balance, floor: balance - below });
          expect(await move(account, 'sink', below + 1n)).toMatchObject({ status: 'insufficient', balance });
          if (below > 0n) {
            expect(await move(account, 'sink', below)).toMatchObject({ fromBalance: balance - below });
          }
        }
      }
    });

    it('the same request id moves once and answers the same; other arguments are refused', async () => {
      const { balances, move } = await make({ ada: { balance: 100n }, bo: {} });
      const first = await move('ada', 'bo', 10n, 'r1');
      expect(first.meta).toMatchObject({ replayed: false, retry: 'same-request-id', requestId: 'r1' });
      await move('ada', 'bo', 10n);
      const again = await move('ada', 'bo', 10n, 'r1');
      expect(again).toMatchObject({ status: 'transferred', fromBalance: 90n, meta: { replayed: true } });
      expect(await move('ada', 'bo', 11n, 'r1')).toMatchObject({ ok: false, status: 'request_reused' });
      expect(await balances()).toEqual([80n, 20n]);
      expect((await move('bo', 'ada', 1n)).meta.retry).toBe('never');
    });

    it('opening never overwrites', async () => {
      const { ledger, balances } = await make({ ada: { balance: 100n } });
      expect(await ledger.open('eu', 'ada', { balance: 5n })).toMatchObject({
        status: 'exists',
        balance: 100n,
      });
      expect(await balances()).toEqual([100n]);
      expect(await ledger.balance('eu', 'bo')).toMatchObject({ ok: false, status: 'missing_account' });
      expect(await ledger.balance('us', 'ada')).toMatchObject({ ok: false, status: 'missing_account' });
    });

    it('keeps so many entries and no more', async () => {
      const { prefix, ledger, move } = await make({ ada: { balance: 100n }, bo: {} }, { maxEntries: 3 });
      for (let i = 1n; i <= 5n; i++) await move('ada', 'bo', i);
      const { entries } = (await ledger.entries('eu')).orThrow();
      expect(entries.map(({ amount }) => amount)).toEqual([5n, 4n, 3n]);
      expect(await raw(world().driver, 'LLEN', `${prefix}:{eu}:entries`)).toBe(3);
    });

    it('what is no integer is refused before anything is written', async () => {
      const { prefix, balances, move } = await make({ ada: { balance: 100n }, bo: {} });
      for (const value of ['1.5', 'x', '007', '9223372036854775808']) {
        await raw(world().driver, 'HSET', `${prefix}:{eu}:balances`, 'odd', value);
        expect(await move('ada', 'odd', 1n)).toMatchObject({ status: 'not_an_integer', account: 'odd' });
        expect(await move('odd', 'ada', 1n)).toMatchObject({ status: 'not_an_integer', account: 'odd' });
      }
      expect(await balances()).toEqual([100n, 0n]);
    });

    it('refuses self-transfers and wrong amounts before sending them', async () => {
      const { ledger, move } = await make({});
      const calls = [
        () => move('ada', 'ada', 1n),
        () => move('ada', 'bo', 0n),
        () => move('ada', 'bo', -1n),
        () => move('ada', 'bo', MAX + 1n),
        () => move('ada', 'bo', 1.5 as never),
        () => move('', 'bo', 1n),
        () => ledger.open('eu', 'ada', { balance: 1n, floor: 2n }),
        () => ledger.entries('eu', 0),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    });
  },
};

const ACCOUNTS = 6;
const EACH = 50n;

export const transferStress: Stress = {
  workflow: 'transfer',
  async setup(driver, prefix) {
    const ledger = transfer(driver, { prefix });
    for (let i = 0; i < ACCOUNTS; i++) {
      await ledger.open('eu', `a${i}`, { balance: EACH, requestId: `open-${i}` });
    }
  },
  async client(driver: Driver, prefix: string, index: number, random: () => number): Promise<Tally> {
    const tally: Tally = {};
    const ledger = transfer(driver, { prefix });
    for (let i = 0; i < 30; i++) {
      const from = Math.floor(random() * ACCOUNTS);
      const to = (from + 1 + Math.floor(random() * (ACCOUNTS - 1))) % ACCOUNTS;
      const amount = 1 + Math.floor(random() * 60);
      const order = { from: `a${from}`, to: `a${to}`, amount: BigInt(amount) };
      const moved = await attempt(tally, () => ledger.transfer('eu', order, { requestId: `${index}-${i}` }));
      if (moved === null) continue;
      if (moved.ok && moved.fromBalance < 0n) count(tally, 'broken');
      if (moved.ok) {
        count(tally, `net a${from}`, -amount);
        count(tally, `net a${to}`, amount);
      }
      if (unsure(moved)) {
        count(tally, `perhaps from a${from}`, amount);
        count(tally, `perhaps to a${to}`, amount);
      }
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    expect(tally.broken ?? 0).toBe(0);
    let sum = 0;
    for (let i = 0; i < ACCOUNTS; i++) {
      const balance = Number(await raw(driver, 'HGET', `${prefix}:{eu}:balances`, `a${i}`));
      expect(balance).toBeGreaterThanOrEqual(0);
      const [less, more] = [tally[`perhaps from a${i}`] ?? 0, tally[`perhaps to a${i}`] ?? 0];
      expectWithin(balance, Number(EACH) + (tally[`net a${i}`] ?? 0) - less, less + more);
      sum += balance;
    }
    expect(sum).toBe(ACCOUNTS * Number(EACH));
  },
};
