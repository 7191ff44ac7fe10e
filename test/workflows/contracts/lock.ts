// Contract of lock: one live owner, growing fences, and a lost lock that is never taken for a held one.
import { expect, it } from 'vitest';
import { type Driver, type Lock, Lost, lock } from '../../../src/workflows/index.ts';
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

/** A lease that a busy machine does not outlast by chance. */
const LONG = 20_000;

export const lockContract: Contract = {
  workflow: 'lock',
  suite(world) {
    const make = (leaseMs = LONG) => {
      const prefix = freshPrefix();
      const mine = lock(world().driver, { prefix, leaseMs });
      return { prefix, mine, theirs: lock(world().other, { prefix, leaseMs }) };
    };
    const held = async (locks: Lock, id = 'a') => (await locks.acquire(id)).orThrow();

    it('gives a lock to one and says busy to the other, until it is given back', async () => {
      const { mine, theirs } = make();
      const hold = await held(mine);
      expect(hold.leaseLeftMs).toBeLessThanOrEqual(LONG);
      expect(hold.owner).toMatch(/^[0-9a-f-]{36}$/);
      const busy = await theirs.acquire('a');
      expect(busy).toMatchObject({ ok: false, status: 'busy' });
      if (busy.status === 'busy') expect(busy.leaseLeftMs).toBeGreaterThan(LONG / 2);
      expect((await theirs.acquire('b')).status).toBe('acquired');
      expect((await mine.release('a', hold)).status).toBe('released');
      expect((await theirs.acquire('a')).status).toBe('acquired');
    });

    it('only the owner extends or releases', async () => {
      const { mine, theirs, prefix } = make();
      const hold = await held(mine);
      const forged = { owner: 'somebody', fence: hold.fence };
      expect((await theirs.extend('a', forged)).status).toBe('lost');
      expect((await theirs.release('a', forged)).status).toBe('lost');
      expect((await theirs.release('a', { ...hold, fence: hold.fence + 1 })).status).toBe('lost');
      expect((await mine.extend('a', hold)).status).toBe('extended');
      expect(await raw(world().driver, 'PTTL', `${prefix}:{a}`)).toBeGreaterThan(LONG / 2);
    });

    it('the fence grows with every acquisition and outlives the lock', async () => {
      const { mine, prefix } = make();
      let last = 0;
      for (let i = 0; i < 5; i++) {
        const hold = await held(mine);
        expect(hold.fence).toBeGreaterThan(last);
        last = hold.fence;
        await mine.release('a', hold);
      }
      expect(Number(await raw(world().driver, 'GET', `${prefix}:{a}:fence`))).toBe(last);
    });

    it('fence keys that never expire (redisson#6510): they expire, and then do not begin anew', async () => {
      const { mine, prefix } = make();
      const hold = await held(mine);
      const ttl = Number(await raw(world().driver, 'PTTL', `${prefix}:{a}:fence`));
      expect(ttl).toBeGreaterThan(29 * 86_400_000);
      expect(ttl).toBeLessThanOrEqual(30 * 86_400_000);
      await mine.release('a', hold);
      await raw(world().driver, 'DEL', `${prefix}:{a}:fence`);
      await sleep(5);
      expect((await held(mine)).fence).toBeGreaterThan(hold.fence);
    });

    it('the same owner comes again: same fence, fresh lease, one release frees it', async () => {
      const { mine, theirs } = make();
      const first = (await mine.acquire('a', { owner: 'me' })).orThrow();
      const again = await mine.acquire('a', { owner: 'me' });
      expect(again).toMatchObject({ status: 'acquired', fence: first.fence, meta: { replayed: true } });
      expect(again.meta).toMatchObject({ retry: 'always', requestId: 'me' });
      await mine.release('a', first);
      expect((await theirs.acquire('a')).status).toBe('acquired');
    });

    it('extend fails or hangs, release of an expired lock errors (node-redlock#283, #313): both say lost', async () => {
      const { mine, theirs } = make(60);
      const hold = await held(mine);
      await sleep(120);
      expect(await mine.extend('a', hold)).toMatchObject({ ok: false, status: 'lost' });
      expect(await mine.release('a', hold)).toMatchObject({ ok: false, status: 'lost' });
      expect((await theirs.acquire('a')).status).toBe('acquired');
    });

    it('extend never revives a missing key', async () => {
      const { mine, prefix } = make();
      const hold = await held(mine);
      await raw(world().driver, 'DEL', `${prefix}:{a}`);
      expect((await mine.extend('a', hold)).status).toBe('lost');
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{a}`)).toBe(0);
    });

    it('a late release frees nobody else, not even a later hold of the same owner', async () => {
      const { mine, prefix } = make();
      const first = (await mine.acquire('a', { owner: 'me' })).orThrow();
      await raw(world().driver, 'DEL', `${prefix}:{a}`);
      const second = (await mine.acquire('a', { owner: 'me' })).orThrow();
      expect((await mine.release('a', first)).status).toBe('lost');
      expect((await mine.extend('a', second)).status).toBe('extended');
    });

    it('a release that is sent again says released, also when another has it by then', async () => {
      const { mine, theirs } = make();
      const hold = await held(mine);
      expect((await mine.release('a', hold)).meta.replayed).toBe(false);
      await held(theirs);
      expect(await mine.release('a', hold)).toMatchObject({ status: 'released', meta: { replayed: true } });
      expect((await mine.acquire('a')).status).toBe('busy');
    });

    it('waits for its turn, and no longer than it was told', async () => {
      const { mine, theirs } = make();
      const hold = await held(mine);
      const waiting = theirs.acquire('a', { waitMs: 10_000 });
      await sleep(40);
      await mine.release('a', hold);
      expect((await waiting).status).toBe('acquired');
      const start = performance.now();
      expect((await mine.acquire('a', { waitMs: 60 })).status).toBe('busy');
      expect(performance.now() - start).toBeGreaterThanOrEqual(55);
    });

    it('a signal ends the waiting', async () => {
      const { mine, theirs } = make();
      await held(mine);
      const abort = new AbortController();
      const waiting = theirs.acquire('a', { waitMs: 60_000, signal: abort.signal });
      setTimeout(() => abort.abort(), 30);
      expect(await stopped(waiting)).toBe(true);
    });

    it('several of a group are taken together or not at all', async () => {
      const { mine, theirs, prefix } = make();
      const one = await theirs.acquire({ group: 'g', ids: ['b'] });
      expect((await mine.acquire({ group: 'g', ids: ['a', 'b', 'c'] })).status).toBe('busy');
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{g}:lock:a`)).toBe(0);
      await theirs.release({ group: 'g', ids: ['b'] }, one.orThrow());
      const all = { group: 'g', ids: ['a', 'b', 'c'] };
      const hold = (await mine.acquire(all)).orThrow();
      expect(hold.fence).toBeGreaterThan(one.orThrow().fence);
      expect((await theirs.acquire({ group: 'g', ids: ['c'] })).status).toBe('busy');
      expect((await mine.extend(all, hold)).status).toBe('extended');
      await raw(world().driver, 'DEL', `${prefix}:{g}:lock:c`);
      expect((await mine.extend(all, hold)).status).toBe('lost');
      expect((await mine.release(all, hold)).status).toBe('lost');
      expect((await theirs.acquire(all)).status).toBe('acquired');
    });

    it('an owner that holds a part is told so, and mints no fence', async () => {
      const { mine, prefix } = make();
      const part = (await mine.acquire({ group: 'g', ids: ['a'] }, { owner: 'me' })).orThrow();
      expect((await mine.acquire({ group: 'g', ids: ['a', 'b'] }, { owner: 'me' })).status).toBe(
        'partly_held',
      );
      expect(Number(await raw(world().driver, 'GET', `${prefix}:{g}:fence:a`))).toBe(part.fence);
    });

    // Again where the machine stood still for longer than the lease.
    it('use() renews, gives the value, and gives the lock back', { retry: 4 }, async () => {
      const { mine, theirs } = make(400);
      const used = await mine.use('a', async ({ signal, fence }) => {
        await sleep(650);
        expect((await theirs.acquire('a')).status).toBe('busy');
        return { aborted: signal.aborted, fence };
      });
      expect(used).toMatchObject({ ok: true, status: 'done', value: { aborted: false } });
      expect((await theirs.acquire('a')).status).toBe('acquired');
    });

    it('use() gives the lock back when its function throws', async () => {
      const { mine, theirs } = make();
      const failing = mine.use('a', () => {
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect((await theirs.acquire('a')).status).toBe('acquired');
      expect(await mine.use('a', () => 1)).toMatchObject({ ok: false, status: 'busy' });
    });

    it('missed renewals, no callback (redisson#5698, #4698): the signal fires and onLost is called', async () => {
      const { mine, prefix } = make(90);
      const told: string[] = [];
      const used = await mine.use(
        'a',
        async ({ signal }) => {
          await raw(world().driver, 'DEL', `${prefix}:{a}`);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return signal.reason.code;
        },
        { onLost: ({ code }) => told.push(code) },
      );
      expect(used).toMatchObject({ ok: false, status: 'lost', value: 'LEASE_LOST' });
      expect(told).toEqual(['LEASE_LOST']);
    });

    it('a lost lock is silently taken again (redis-semaphore#175): use() does not', async () => {
      const { mine, theirs, prefix } = make(90);
      const used = await mine.use('a', async ({ signal }) => {
        await raw(world().driver, 'DEL', `${prefix}:{a}`);
        const { fence } = (await theirs.acquire('a')).orThrow();
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await raw(world().driver, 'DEL', `${prefix}:{a}`);
        await sleep(100);
        expect(await raw(world().driver, 'EXISTS', `${prefix}:{a}`)).toBe(0);
        return fence;
      });
      expect(used.status).toBe('lost');
      if (used.status === 'lost') expect(used.fence).toBeLessThan(used.value);
    });

    // Again where the machine stood still for longer than the lease.
    it('a renewal without a reply loses the lock when the lease is over, not before', {
      retry: 4,
    }, async () => {
      const { prefix } = make();
      const { driver } = world();
      let cut = false;
      const cuttable: Driver = {
        ...driver,
        facts: driver.facts,
        send: (request) => (cut ? Promise.reject(new Lost('cut')) : driver.send(request)),
      };
      const locks = lock(cuttable, { prefix, leaseMs: 150 });
      const used = await locks.use('a', async ({ signal }) => {
        // Behind some renewals, none of which may count for more than one lease.
        await sleep(130);
        const started = performance.now();
        cut = true;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        cut = false;
        return performance.now() - started;
      });
      expect(used.status).toBe('lost');
      if (used.status !== 'lost') return;
      expect(used.value).toBeGreaterThan(50);
      expect(used.value).toBeLessThan(1000);
    });

    it('a blocked event loop that outlasts the lease is a lost lock, and no late renewal revives it', async () => {
      const { mine, prefix } = make(60);
      const used = await mine.use('a', ({ signal }) => {
        const until = performance.now() + 120;
        while (performance.now() < until);
        return signal.aborted;
      });
      expect(used.status).toBe('lost');
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{a}`)).toBe(0);
    });

    it("the function's signal follows the caller's", async () => {
      const { mine, theirs } = make();
      const abort = new AbortController();
      const used = await mine.use(
        'a',
        async ({ signal }) => {
          setTimeout(() => abort.abort('enough'), 20);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return signal.reason;
        },
        { signal: abort.signal },
      );
      expect(used).toMatchObject({ status: 'done', value: 'enough' });
      expect((await theirs.acquire('a')).status).toBe('acquired');
    });

    it('an acquisition without a reply is unknown, and repeating it with its token finds out', async () => {
      const { mine, prefix } = make();
      const { driver } = world();
      const mute: Driver = {
        ...driver,
        facts: driver.facts,
        async send(request) {
          await driver.send(request);
          throw new Lost('the reply');
        },
      };
      await mine.acquire('warm');
      const unknown = await lock(mute, { prefix, leaseMs: LONG }).acquire('a', { deadlineMs: 100 });
      expect(unknown).toMatchObject({ ok: false, status: 'unknown' });
      const owner = unknown.meta.requestId ?? '';
      expect((await mine.acquire('a')).status).toBe('busy');
      expect(await mine.acquire('a', { owner })).toMatchObject({
        status: 'acquired',
        meta: { replayed: true },
      });
    });

    it('refuses wrong arguments before anything is sent', async () => {
      const { mine } = make();
      const wrong = { code: 'BAD_ARGUMENT' };
      expect(() => lock(world().driver, { leaseMs: 0 })).toThrow(expect.objectContaining(wrong));
      expect(() => lock(world().driver, { leaseMs: 1.5 })).toThrow(expect.objectContaining(wrong));
      expect(() => lock(world().driver, { leaseMs: 1000, fenceTtlMs: 5000 })).toThrow(
        expect.objectContaining(wrong),
      );
      await expect(mine.acquire('')).rejects.toMatchObject(wrong);
      await expect(mine.acquire('a', { owner: '' })).rejects.toMatchObject(wrong);
      await expect(mine.acquire('a', { waitMs: -1 })).rejects.toMatchObject(wrong);
      await expect(mine.acquire({ group: 'g', ids: [] })).rejects.toMatchObject(wrong);
      await expect(mine.acquire({ group: 'g', ids: ['a', 'a'] })).rejects.toMatchObject(wrong);
      await expect(mine.release('a', { owner: 'x', fence: 0 })).rejects.toMatchObject(wrong);
    });
  },
};

export const lockStress: Stress = {
  workflow: 'lock',
  async setup() {},
  async client(driver: Driver, prefix: string, index: number, _random: () => number): Promise<Tally> {
    const tally: Tally = {};
    // No lease ends while this runs.
    const locks = lock(driver, { prefix, leaseMs: 600_000 });
    for (let i = 0; i < 10; i++) {
      const who = `${index}-${i}`;
      const take = () => attempt(tally, () => locks.acquire('hot', { owner: who, waitMs: 200 }));
      let hold = await take();
      // What may be held is asked for again, or it would stand in the others' way for the whole lease.
      for (let again = 0; again < 5 && hold !== null && unsure(hold); again++) hold = await take();
      if (hold?.status === 'unknown') count(tally, 'perhaps held');
      if (hold?.status !== 'acquired') continue;
      const { fence } = hold;
      const held = { owner: who, fence };
      count(tally, 'acquired');
      await visit(driver, `${prefix}:{hot}`, { who, fence, most: 1 }, tally);
      const released = await attempt(tally, () => locks.release('hot', held));
      count(tally, released?.status ?? 'kept');
      if (released?.status === 'unknown') count(tally, 'perhaps held');
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    expect(tally.lost ?? 0).toBe(0);
    expect(tally.acquired ?? 0).toBeGreaterThan(0);
    await checkVisits(driver, `${prefix}:{hot}`, 1, tally);
    // It is held where a release was certainly not done, may be where nobody heard, and is free otherwise.
    const kept = (tally.acquired ?? 0) - (tally.released ?? 0) - (tally.unknown ?? 0);
    const held = Number(await raw(driver, 'EXISTS', `${prefix}:{hot}`));
    expect(kept).toBe(tally.kept ?? 0);
    expectWithin(held, kept, tally['perhaps held']);
  },
};
