// Contract of reservation: available + held + sold = total; one of confirm, cancel and expire ends a hold.
import { expect, it } from 'vitest';
import { reservation } from '../../../src/workflows/index.ts';
import { inGenerations } from '../generations.ts';
import {
  attempt,
  type Contract,
  count,
  expectWithin,
  freshPrefix,
  raw,
  type Stress,
  sleep,
  type Tally,
  unsure,
} from '../world.ts';

/** Long enough for no test to see its end. */
const LONG = 60_000;

export const reservationContract: Contract = {
  workflow: 'reservation',
  suite(world) {
    const make = async (total: number, options: { rememberMs?: number; rememberMost?: number } = {}) => {
      const prefix = freshPrefix();
      const pool = reservation(world().driver, { prefix, ...options });
      if (total > 0) (await pool.add('p', total)).orThrow();
      const counts = async () => {
        const { total, available, held, sold } = (await pool.read('p')).orThrow();
        expect(available + held + sold).toBe(total);
        return { available, held, sold };
      };
      const hold = (holdId: string, quantity: number, holdMs = LONG) =>
        pool.reserve('p', { holdId, quantity, holdMs });
      return { prefix, pool, counts, hold };
    };

    it('holds, confirms and cancels, and every count stays in the sum', async () => {
      const { pool, counts, hold } = await make(10);
      const held = await hold('h1', 4);
      expect(held).toMatchObject({ ok: true, status: 'held', meta: { replayed: false, retry: 'always' } });
      expect(held.ok && held.dueMs).toBe(Number(held.meta.serverTimeMs) + LONG);
      await hold('h2', 3);
      expect(await counts()).toEqual({ available: 3, held: 7, sold: 0 });
      expect(await hold('h3', 4)).toMatchObject({ ok: false, status: 'insufficient', available: 3 });
      expect(await pool.confirm('p', 'h1')).toMatchObject({ status: 'confirmed', quantity: 4 });
      expect(await pool.cancel('p', 'h2')).toMatchObject({ status: 'cancelled', quantity: 3 });
      expect(await counts()).toEqual({ available: 6, held: 0, sold: 4 });
    });

    it('repeats change nothing and answer the same', async () => {
      const { pool, counts, hold } = await make(10);
      const first = await hold('h1', 4);
      const again = await hold('h1', 4, 5);
      expect(again).toMatchObject({ status: 'held', meta: { replayed: true } });
      expect(again.ok && first.ok && again.dueMs === first.dueMs).toBe(true);
      expect(await hold('h1', 5)).toMatchObject({ ok: false, status: 'hold_reused' });
      for (const replayed of [false, true, true]) {
        expect(await pool.confirm('p', 'h1')).toMatchObject({ status: 'confirmed', meta: { replayed } });
      }
      expect(await pool.cancel('p', 'h1')).toMatchObject({ ok: false, status: 'already_confirmed' });
      expect(await hold('h1', 4)).toMatchObject({ ok: false, status: 'already_confirmed' });
      await hold('h2', 1);
      for (const replayed of [false, true]) {
        expect(await pool.cancel('p', 'h2')).toMatchObject({ status: 'cancelled', meta: { replayed } });
      }
      expect(await pool.confirm('p', 'h2')).toMatchObject({ ok: false, status: 'already_cancelled' });
      expect(await hold('h2', 1)).toMatchObject({ ok: false, status: 'already_cancelled' });
      expect(await counts()).toEqual({ available: 6, held: 0, sold: 4 });
    });

    it('an expired hold gives its stock back (a hold with a TTL loses it)', async () => {
      const { prefix, counts, hold, pool } = await make(5);
      await hold('h1', 5, 60);
      expect(await raw(world().driver, 'PTTL', `${prefix}:{p}:holds`)).toBe(-1);
      expect(await raw(world().driver, 'PTTL', `${prefix}:{p}`)).toBe(-1);
      await sleep(100);
      expect(await hold('h2', 5)).toMatchObject({ status: 'held' });
      expect(await hold('h1', 5)).toMatchObject({ ok: false, status: 'already_expired' });
      expect(await pool.cancel('p', 'h1')).toMatchObject({ ok: false, status: 'already_expired' });
      expect(await counts()).toEqual({ available: 0, held: 5, sold: 0 });
    });

    it('a hold that is due cannot be confirmed, swept or not', async () => {
      const { pool, counts, hold } = await make(200);
      // More than one lazy sweep takes, so that the last ones are due and not swept.
      for (let i = 0; i < 120; i++) await hold(`h${i}`, 1, 150);
      await sleep(200);
      expect(await pool.confirm('p', 'h119')).toMatchObject({ ok: false, status: 'already_expired' });
      expect(await counts()).toMatchObject({ sold: 0 });
    });

    it('sweeps by bounded steps: partial, then done', async () => {
      const { pool, counts, hold } = await make(20);
      for (let i = 0; i < 5; i++) await hold(`h${i}`, 2, 500);
      await hold('long', 1);
      await sleep(550);
      expect(await pool.sweep('p', 3)).toMatchObject({ ok: true, status: 'partial', holds: 3, freed: 6 });
      expect(await pool.sweep('p', 3)).toMatchObject({ status: 'done', holds: 2, freed: 4 });
      expect(await pool.sweep('p', 3)).toMatchObject({ status: 'done', holds: 0, freed: 0 });
      expect(await counts()).toEqual({ available: 19, held: 1, sold: 0 });
    });

    it('of confirm, cancel and expire at the same time exactly one wins', async () => {
      const { prefix, pool, counts, hold } = await make(40);
      const other = reservation(world().other, { prefix });
      let sold = 0;
      for (let i = 0; i < 40; i++) {
        await hold(`h${i}`, 1, 1 + (i % 8));
        const ends = await Promise.all([pool.confirm('p', `h${i}`), other.cancel('p', `h${i}`)]);
        const winners = ends.filter((end) => end.ok).length;
        const expired = ends.filter((end) => end.status === 'already_expired').length;
        expect(winners === 1 ? expired : expired - 2).toBe(0);
        if (ends[0].ok) sold++;
      }
      expect(await counts()).toEqual({ available: 40 - sold, held: 0, sold });
    });

    it('finished holds are forgotten by number and by time, and their counts stay', async () => {
      const few = await make(10, { rememberMost: 2 });
      for (const id of ['h1', 'h2', 'h3']) {
        await few.hold(id, 1);
        await few.pool.confirm('p', id);
      }
      expect(await few.pool.confirm('p', 'h1')).toMatchObject({ status: 'unknown_hold' });
      expect(await few.pool.confirm('p', 'h3')).toMatchObject({ status: 'confirmed' });
      expect(await few.counts()).toEqual({ available: 7, held: 0, sold: 3 });
      expect(await raw(world().driver, 'HLEN', `${few.prefix}:{p}:holds`)).toBe(2);

      const short = await make(10, { rememberMs: 50 });
      await short.hold('h1', 1);
      await short.pool.cancel('p', 'h1');
      await sleep(100);
      await short.pool.sweep('p');
      expect(await raw(world().driver, 'HLEN', `${short.prefix}:{p}:holds`)).toBe(0);
      expect(await raw(world().driver, 'ZCARD', `${short.prefix}:{p}:done`)).toBe(0);
      expect(await short.pool.cancel('p', 'h1')).toMatchObject({ status: 'unknown_hold' });
      expect(await short.counts()).toEqual({ available: 10, held: 0, sold: 0 });
    });

    it('a pool that is missing is not an empty one, and grows by add', async () => {
      const { pool, counts, hold } = await make(0);
      expect(await hold('h1', 1)).toMatchObject({ ok: false, status: 'unknown_pool' });
      expect(await pool.read('p')).toMatchObject({ ok: false, status: 'unknown_pool' });
      expect(await pool.confirm('p', 'h1')).toMatchObject({ status: 'unknown_hold' });
      const more = () => pool.add('p', 3, { requestId: 'r' });
      expect(await more()).toMatchObject({ status: 'added', total: 3, available: 3 });
      expect(await more()).toMatchObject({ status: 'added', total: 3, meta: { replayed: true } });
      expect(await pool.add('p', 4, { requestId: 'r' })).toMatchObject({ status: 'request_reused' });
      expect(await pool.add('p', Number.MAX_SAFE_INTEGER)).toMatchObject({ status: 'too_many', total: 3 });
      expect(await counts()).toEqual({ available: 3, held: 0, sold: 0 });
    });

    it('refuses what makes no sense before sending it', async () => {
      const { pool, hold } = await make(1);
      const calls = [
        () => hold('', 1),
        () => hold('h', 0),
        () => hold('h', 1.5),
        () => hold('h', 1, 0),
        () => hold('h', 1, 1e12),
        () => pool.add('p', -1),
        () => pool.sweep('p', 0),
        () => pool.confirm('', 'h'),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    });
  },
};

const TOTAL = 30;

export const reservationStress: Stress = inGenerations({
  workflow: 'reservation',
  async open(driver, prefix, id) {
    await reservation(driver, { prefix }).add(id, TOTAL, { requestId: 'open' });
  },
  async client(driver, prefix, { id, index, random }) {
    const tally: Tally = {};
    const pool = reservation(driver, { prefix });
    for (let i = 0; i < 20; i++) {
      const holdId = `${index}-${i}`;
      const quantity = 1 + Math.floor(random() * 3);
      const holdMs = 1 + Math.floor(random() * 40);
      const held = await attempt(tally, () => pool.reserve(id, { holdId, quantity, holdMs }));
      if (held === null || !(held.ok || unsure(held))) continue;
      // Both at once: one of them, or the time limit, wins. Few are confirmed, so that the pool lasts.
      const cancelled = attempt(tally, () => pool.cancel(id, holdId));
      const confirmed = random() < 0.2 ? attempt(tally, () => pool.confirm(id, holdId)) : null;
      const [ended, sold] = [await cancelled, await confirmed];
      if (ended?.ok && sold?.ok) count(tally, 'broken');
      if (sold?.ok) count(tally, 'sold', quantity);
      if (sold && unsure(sold)) count(tally, 'perhaps', quantity);
    }
    return tally;
  },
  async check(driver, prefix, id, tally) {
    const fields = ['total', 'available', 'held', 'sold'];
    const answer = (await raw(driver, 'HMGET', `${prefix}:{${id}}`, ...fields)) as (string | null)[];
    const [total, available, held, sold] = answer.map(Number);
    expect(total).toBe(TOTAL);
    expect(available + held + sold).toBe(total);
    expect(Math.min(available, held, sold)).toBeGreaterThanOrEqual(0);
    expect(tally.broken ?? 0).toBe(0);
    expectWithin(sold, tally.sold, tally.perhaps);
    // Once all holds are over, nothing is held.
    await sleep(50);
    const later = await reservation(driver, { prefix }).sweep(id, 1000);
    expect(later.ok).toBe(true);
    const last = (await raw(driver, 'HMGET', `${prefix}:{${id}}`, ...fields)) as (string | null)[];
    expect(last.map(Number)).toEqual([TOTAL, TOTAL - sold, 0, sold]);
  },
});
