// Contract of semaphore: never more than N live holders.
import { expect, it } from 'vitest';
import { type Driver, semaphore } from '../../../src/workflows/index.ts';
import { checkVisits, visit } from '../inside.ts';
import {
  attempt,
  type Contract,
  count,
  expectWithin,
  freshPrefix,
  raw,
  type Stress,
  sleep,
  stopped,
  type Tally,
  unsure,
} from '../world.ts';

const LONG = 20_000;

export const semaphoreContract: Contract = {
  workflow: 'semaphore',
  suite(world) {
    const make = (permits: number, leaseMs = LONG) => {
      const prefix = freshPrefix();
      const mine = semaphore(world().driver, { prefix, permits, leaseMs });
      return { prefix, mine, theirs: semaphore(world().other, { prefix, permits, leaseMs }) };
    };

    it('has N places and no more', async () => {
      const { mine, theirs } = make(2);
      const first = (await mine.acquire('a')).orThrow();
      expect(await theirs.acquire('a')).toMatchObject({ status: 'acquired', holders: 2 });
      const full = await theirs.acquire('a');
      expect(full).toMatchObject({ ok: false, status: 'full', holders: 2 });
      if (full.status === 'full') expect(full.leaseLeftMs).toBeGreaterThan(LONG / 2);
      expect((await mine.release('a', first.owner)).status).toBe('released');
      expect((await theirs.acquire('a')).status).toBe('acquired');
      expect((await theirs.acquire('b')).status).toBe('acquired');
    });

    it('a holder that crashed frees its place when its lease is over', async () => {
      const { mine, theirs } = make(1, 60);
      const crashed = (await mine.acquire('a')).orThrow();
      expect((await theirs.acquire('a', { waitMs: 10_000 })).status).toBe('acquired');
      expect((await mine.extend('a', crashed.owner)).status).toBe('lost');
      expect((await mine.release('a', crashed.owner)).status).toBe('lost');
    });

    it('only a live holder extends or releases', async () => {
      const { mine, prefix } = make(2);
      const { owner } = (await mine.acquire('a')).orThrow();
      expect((await mine.extend('a', 'somebody')).status).toBe('lost');
      expect((await mine.release('a', 'somebody')).status).toBe('lost');
      expect((await mine.extend('a', owner)).status).toBe('extended');
      expect(await raw(world().driver, 'ZCARD', `${prefix}:{a}`)).toBe(1);
      await raw(world().driver, 'DEL', `${prefix}:{a}`);
      expect((await mine.extend('a', owner)).status).toBe('lost');
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{a}`)).toBe(0);
    });

    it('the same holder comes again and keeps one place', async () => {
      const { mine, prefix } = make(1);
      await mine.acquire('a', { owner: 'me' });
      const again = await mine.acquire('a', { owner: 'me' });
      expect(again).toMatchObject({
        status: 'acquired',
        holders: 1,
        meta: { replayed: true, retry: 'always' },
      });
      expect(await raw(world().driver, 'ZCARD', `${prefix}:{a}`)).toBe(1);
    });

    it('a release that is sent again says released, but not for a later place of the same holder', async () => {
      const { mine, prefix } = make(1);
      await mine.acquire('a', { owner: 'me' });
      expect((await mine.release('a', 'me')).meta.replayed).toBe(false);
      expect(await mine.release('a', 'me')).toMatchObject({ status: 'released', meta: { replayed: true } });
      await mine.acquire('a', { owner: 'me' });
      await raw(world().driver, 'DEL', `${prefix}:{a}`);
      expect((await mine.release('a', 'me')).status).toBe('lost');
    });

    it('missing TTL (upstash#95): the key goes away with the last lease', async () => {
      const { mine, prefix } = make(2, 60);
      const { driver } = world();
      await semaphore(driver, { prefix, permits: 2, leaseMs: LONG }).acquire('a');
      await mine.acquire('a');
      const ttl = Number(await raw(driver, 'PTTL', `${prefix}:{a}`));
      expect(ttl).toBeGreaterThan(LONG / 2);
      expect(ttl).toBeLessThanOrEqual(LONG);
      await mine.acquire('b');
      await sleep(120);
      expect(await raw(driver, 'EXISTS', `${prefix}:{b}`)).toBe(0);
    });

    it('waits for a place and stops when its signal fires', async () => {
      const { mine, theirs } = make(1);
      const { owner } = (await mine.acquire('a')).orThrow();
      const waiting = theirs.acquire('a', { waitMs: 10_000 });
      await sleep(30);
      await mine.release('a', owner);
      expect((await waiting).status).toBe('acquired');
      expect(await stopped(mine.acquire('a', { waitMs: 60_000, signal: AbortSignal.timeout(40) }))).toBe(
        true,
      );
    });

    // Again where the machine stood still for longer than the lease.
    it('reaper kills live locks (sidekiq-unique-jobs#488): use() renews its place, and tells of a lost one', {
      retry: 4,
    }, async () => {
      const { mine, theirs, prefix } = make(1, 400);
      const used = await mine.use('a', async ({ signal }) => {
        await sleep(650);
        expect((await theirs.acquire('a')).status).toBe('full');
        return signal.aborted;
      });
      expect(used).toMatchObject({ ok: true, status: 'done', value: false });
      const told: string[] = [];
      const lost = await mine.use(
        'a',
        async ({ signal }) => {
          await raw(world().driver, 'DEL', `${prefix}:{a}`);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return 'stopped';
        },
        { onLost: ({ code }) => told.push(code) },
      );
      expect(lost).toMatchObject({ ok: false, status: 'lost', value: 'stopped' });
      expect(told).toEqual(['LEASE_LOST']);
    });

    it('refuses wrong arguments before anything is sent', async () => {
      const { mine } = make(1);
      const wrong = { code: 'BAD_ARGUMENT' };
      for (const permits of [0, 1.5, 10_001]) {
        const making = () => semaphore(world().driver, { permits, leaseMs: 100 });
        expect(making).toThrow(expect.objectContaining(wrong));
      }
      await expect(mine.acquire('')).rejects.toMatchObject(wrong);
      await expect(mine.extend('a', '')).rejects.toMatchObject(wrong);
      await expect(mine.release('a', 'x'.repeat(201))).rejects.toMatchObject(wrong);
    });
  },
};

const PERMITS = 3;

export const semaphoreStress: Stress = {
  workflow: 'semaphore',
  async setup() {},
  async client(driver: Driver, prefix: string, index: number, random: () => number): Promise<Tally> {
    const tally: Tally = {};
    // No lease ends while this runs.
    const places = semaphore(driver, { prefix, permits: PERMITS, leaseMs: 600_000 });
    for (let i = 0; i < 20; i++) {
      const who = `${index}-${i}`;
      const options = { owner: who, waitMs: random() < 0.5 ? 0 : 200 };
      const take = () => attempt(tally, () => places.acquire('hot', options));
      let place = await take();
      // What may be held is asked for again, or it would stand in the others' way for the whole lease.
      for (let again = 0; again < 5 && place !== null && unsure(place); again++) place = await take();
      if (place?.status === 'unknown') count(tally, 'perhaps held');
      if (place?.status !== 'acquired') continue;
      count(tally, 'acquired');
      if (place.holders > PERMITS) count(tally, 'tooMany');
      await visit(driver, `${prefix}:{hot}`, { who, fence: 0, most: PERMITS }, tally);
      const released = await attempt(tally, () => places.release('hot', who));
      count(tally, released?.status ?? 'kept');
      if (released?.status === 'unknown') count(tally, 'perhaps held');
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    expect(tally.tooMany ?? 0).toBe(0);
    expect(tally.lost ?? 0).toBe(0);
    expect(tally.acquired ?? 0).toBeGreaterThan(0);
    await checkVisits(driver, `${prefix}:{hot}`, PERMITS, tally);
    const held = Number(await raw(driver, 'ZCARD', `${prefix}:{hot}`));
    expect(held).toBeLessThanOrEqual(PERMITS);
    const kept = (tally.acquired ?? 0) - (tally.released ?? 0) - (tally.unknown ?? 0);
    expect(kept).toBe(tally.kept ?? 0);
    expectWithin(held, kept, tally['perhaps held']);
  },
};
