// Contract of sweep: no call does more than its limit, and no planned member is lost before it is acknowledged.
import { expect, it } from 'vitest';
import { type SweepOptions, sweep } from '../../../src/workflows/index.ts';
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
} from '../world.ts';

/** 2100: not due while a test runs. */
const LATE = Date.UTC(2100, 0);

export const sweepContract: Contract = {
  workflow: 'sweep',
  suite(world) {
    const make = (options: SweepOptions = {}) => {
      const prefix = freshPrefix();
      return { prefix, key: `${prefix}:{g}`, plan: sweep(world().driver, { prefix, ...options }) };
    };

    it('claims what is due, earliest first, and leaves the rest', async () => {
      const { plan } = make();
      await plan.schedule('g', 'b', 2000);
      await plan.schedule('g', 'late', LATE);
      await plan.schedule('g', 'a', 1000);
      const swept = await plan.run('g');
      expect(swept).toMatchObject({ ok: true, status: 'done' });
      const { members, nextInMs } = swept.orThrow();
      expect(members).toMatchObject([
        { member: 'a', dueMs: 1000, attempt: 1 },
        { member: 'b', dueMs: 2000, attempt: 1 },
      ]);
      expect(new Set(members.map(({ token }) => token)).size).toBe(2);
      expect(nextInMs).toBeGreaterThan(20_000);
      expect((await plan.run('g')).orThrow().members).toEqual([]);
    });

    it('does no more than its limit and says that there is more', async () => {
      const { plan } = make();
      for (let i = 0; i < 5; i++) await plan.schedule('g', `m${i}`, 1000 + i);
      const sizes: unknown[] = [];
      for (let i = 0; i < 4; i++) {
        const swept = (await plan.run('g', { limit: 2 })).orThrow();
        sizes.push([swept.status, swept.members.length]);
        await plan.ack('g', swept.members);
      }
      expect(sizes).toEqual([
        ['partial', 2],
        ['partial', 2],
        ['done', 1],
        ['done', 0],
      ]);
      expect((await plan.run('g')).orThrow().nextInMs).toBeNull();
    });

    it('acknowledged members are gone, with everything about them', async () => {
      const { plan, key } = make();
      await plan.schedule('g', 'a', 1000);
      const { members } = (await plan.run('g')).orThrow();
      expect(await plan.ack('g', members)).toMatchObject({
        ok: true,
        status: 'settled',
        settled: 1,
        stale: [],
      });
      expect(await plan.ack('g', members)).toMatchObject({ settled: 0, stale: ['a'] });
      expect(await raw(world().driver, 'EXISTS', key)).toBe(0);
      expect(await raw(world().driver, 'EXISTS', `${key}:claims`)).toBe(0);
    });

    it('what a crashed worker had claimed is due again after its lease', async () => {
      const { plan, prefix } = make({ leaseMs: 60 });
      await plan.schedule('g', 'a', 1000);
      const lost = (await plan.run('g')).orThrow().members;
      await sleep(80);
      const other = sweep(world().other, { prefix, leaseMs: 60_000 });
      const again = (await other.run('g')).orThrow().members;
      expect(again).toMatchObject([{ member: 'a', attempt: 2 }]);
      // The first one wakes up: it is not its own any more.
      expect(await plan.ack('g', lost)).toMatchObject({ settled: 0, stale: ['a'] });
      expect(await plan.release('g', lost, 0)).toMatchObject({ settled: 0, stale: ['a'] });
      expect(await other.ack('g', again)).toMatchObject({ settled: 1 });
    });

    it('two workers never claim the same', async () => {
      const { plan, prefix } = make();
      const other = sweep(world().other, { prefix });
      for (let i = 0; i < 30; i++) await plan.schedule('g', `m${i}`, 1000);
      const runs = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 ? plan : other).run('g', { limit: 4 })),
      );
      const members = runs.flatMap((result) => result.orThrow().members.map(({ member }) => member));
      expect(members).toHaveLength(30);
      expect(new Set(members).size).toBe(30);
    });

    it('what is given back is due again, and its attempts count on', async () => {
      const { plan } = make();
      await plan.schedule('g', 'a', 1000);
      const first = (await plan.run('g')).orThrow().members;
      expect(await plan.release('g', first, 0)).toMatchObject({ settled: 1 });
      expect(await plan.ack('g', first)).toMatchObject({ stale: ['a'] });
      const second = (await plan.run('g')).orThrow().members;
      expect(second).toMatchObject([{ member: 'a', attempt: 2 }]);
      await plan.release('g', second, 60_000);
      const swept = (await plan.run('g')).orThrow();
      expect(swept.members).toEqual([]);
      expect(swept.nextInMs).toBeGreaterThan(30_000);
    });

    it('a claim can be held for longer', async () => {
      const { plan } = make({ leaseMs: 2000 });
      await plan.schedule('g', 'a', 1000);
      const { members } = (await plan.run('g')).orThrow();
      await sleep(60);
      const before = (await plan.run('g')).orThrow().nextInMs;
      await plan.extend('g', members);
      expect((await plan.run('g')).orThrow().nextInMs).toBeGreaterThan(before ?? Number.NaN);
      expect(await plan.ack('g', members)).toMatchObject({ settled: 1 });
      expect(await plan.extend('g', members)).toMatchObject({ stale: ['a'] });
    });

    it('planning again moves a member, and ends the claim on it', async () => {
      const { plan, key } = make();
      expect(await plan.schedule('g', 'a', LATE)).toMatchObject({
        ok: true,
        status: 'scheduled',
        dueMs: LATE,
      });
      expect(await plan.schedule('g', 'a', 1000)).toMatchObject({ status: 'moved', dueMs: 1000 });
      expect(await raw(world().driver, 'ZCARD', key)).toBe(1);
      const { members } = (await plan.run('g')).orThrow();
      await plan.schedule('g', 'a', 3000);
      expect(await plan.ack('g', members)).toMatchObject({ settled: 0, stale: ['a'] });
      expect((await plan.run('g')).orThrow().members).toMatchObject([
        { member: 'a', dueMs: 3000, attempt: 1 },
      ]);
    });

    it('a delay is by the clock of the server', async () => {
      const { plan } = make();
      const planned = await plan.scheduleIn('g', 'a', 60);
      expect(planned.status === 'scheduled' && planned.dueMs - (planned.meta.serverTimeMs ?? 0)).toBe(60);
      await sleep(80);
      expect((await plan.run('g')).orThrow().members).toMatchObject([{ member: 'a' }]);
    });

    it('what is cancelled is never claimed', async () => {
      const { plan } = make();
      await plan.schedule('g', 'a', 1000);
      await plan.schedule('g', 'b', 1000);
      const [first] = (await plan.run('g', { limit: 1 })).orThrow().members;
      expect(first.member).toBe('a');
      expect(await plan.cancel('g', 'a')).toMatchObject({ ok: true, status: 'cancelled' });
      expect(await plan.cancel('g', 'b')).toMatchObject({ status: 'cancelled' });
      expect(await plan.cancel('g', 'b')).toMatchObject({ ok: false, status: 'not_scheduled' });
      expect(await plan.ack('g', [first])).toMatchObject({ stale: ['a'] });
      expect((await plan.run('g')).orThrow()).toMatchObject({ members: [], nextInMs: null });
    });

    it('reads the plan page by page, without a claim', async () => {
      const { plan } = make();
      for (let i = 0; i < 7; i++) await plan.schedule('g', `m${i}`, LATE + (i >> 1));
      const seen: string[] = [];
      const statuses: string[] = [];
      let after: { member: string; dueMs: number } | undefined;
      do {
        const page = (await plan.list('g', { limit: 3, after })).orThrow();
        statuses.push(page.status);
        seen.push(...page.members.map(({ member }) => member));
        after = page.status === 'partial' ? page.members.at(-1) : undefined;
      } while (after !== undefined);
      expect(seen).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6']);
      expect(statuses).toEqual(['partial', 'partial', 'done']);
      expect(await plan.list('g')).toMatchObject({ total: 7 });
    });

    it('a cursor whose member has gone misses nobody', async () => {
      const { plan } = make();
      for (const member of ['a', 'b', 'c', 'd']) await plan.schedule('g', member, LATE);
      const page = (await plan.list('g', { limit: 2 })).orThrow();
      const after = page.members.at(-1);
      await plan.cancel('g', 'b');
      const rest = (await plan.list('g', { after })).orThrow().members.map(({ member }) => member);
      expect(rest).toEqual(['a', 'c', 'd']);
    });

    it('the plan says what is claimed', async () => {
      const { plan } = make();
      await plan.schedule('g', 'a', 1000);
      await plan.schedule('g', 'b', LATE);
      await plan.run('g');
      const { members } = (await plan.list('g')).orThrow();
      expect(members).toMatchObject([
        { member: 'a', claimed: true, attempt: 1 },
        { member: 'b', claimed: false, attempt: 0, dueMs: LATE },
      ]);
    });

    it('takes a thousand in one call', async () => {
      const { plan, key } = make();
      const words = Array.from({ length: 1001 }, (_, i) => [1000, `m${i}`]).flat();
      await raw(world().driver, 'ZADD', key, ...words);
      const swept = (await plan.run('g', { limit: 1000 })).orThrow();
      expect([swept.status, swept.members.length]).toEqual(['partial', 1000]);
      expect(await plan.ack('g', swept.members)).toMatchObject({ settled: 1000, stale: [] });
      expect(await raw(world().driver, 'ZCARD', key)).toBe(1);
    });

    it('refuses what makes no sense before anything is sent', async () => {
      const bad = { code: 'BAD_ARGUMENT' };
      const { plan } = make();
      await expect(plan.schedule('', 'a', 1)).rejects.toMatchObject(bad);
      await expect(plan.schedule('g', '', 1)).rejects.toMatchObject(bad);
      await expect(plan.schedule('g', 'a', 1.5)).rejects.toMatchObject(bad);
      await expect(plan.scheduleIn('g', 'a', -1)).rejects.toMatchObject(bad);
      await expect(plan.run('g', { limit: 0 })).rejects.toMatchObject(bad);
      await expect(plan.run('g', { limit: 1001 })).rejects.toMatchObject(bad);
      await expect(plan.ack('g', [{ member: 'a', token: 0 }])).rejects.toMatchObject(bad);
      await expect(plan.release('g', [], -1)).rejects.toMatchObject(bad);
      expect(() => make({ leaseMs: 0 })).toThrow(expect.objectContaining(bad));
    });
  },
};

const OWN = 8;

export const sweepStress: Stress = {
  workflow: 'sweep',
  async setup() {},
  async client(driver, prefix, index, random) {
    const tally: Tally = {};
    const plan = sweep(driver, { prefix });
    for (let i = 0; i < OWN; i++) {
      const planned = await attempt(tally, () => plan.schedule('hot', `${index}-${i}`, 1000 + i));
      if (planned?.ok) count(tally, 'planned');
      // Each further send may have planned it anew when its work was done.
      if (planned !== null) count(tally, 'perhaps planned', planned.meta.attempts - (planned.ok ? 1 : 0));
      const swept = await attempt(tally, () => plan.run('hot', { limit: 3 }));
      if (!swept?.ok || swept.members.length === 0) continue;
      const { members } = swept;
      if (members.length > 3) count(tally, 'broken');
      // Some workers crash here, and some give back.
      const fate = random();
      if (fate < 0.2) continue;
      if (fate < 0.4) {
        await attempt(tally, () => plan.release('hot', members, 0));
        continue;
      }
      const settled = await attempt(tally, () => plan.ack('hot', members));
      if (settled === null) continue;
      if (settled.ok) count(tally, 'acked', settled.settled);
      // A repetition calls stale what the send before it has settled.
      if (!settled.ok || settled.meta.attempts > 1) count(tally, 'perhaps acked', members.length);
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    const left = Number(await raw(driver, 'ZCARD', `${prefix}:{hot}`));
    expect(tally.broken ?? 0).toBe(0);
    // Every member was acknowledged once or is there: nobody's crash lost one.
    const acked = tally['perhaps acked'] ?? 0;
    const known = left + (tally.acked ?? 0);
    expectWithin(known, (tally.planned ?? 0) - acked, acked + (tally['perhaps planned'] ?? 0));
    const claims = Number(await raw(driver, 'HLEN', `${prefix}:{hot}:claims`));
    expect(claims).toBeLessThanOrEqual(left);
  },
};
