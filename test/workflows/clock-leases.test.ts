// Jumps of the server's clock under workflows that hold leases and windows.
import { describe, expect, it } from 'vitest';
import { type Database, open, VirtualClock } from '../../src/index.ts';
import {
  type Driver,
  dedup,
  embedded,
  idempotency,
  lock,
  semaphore,
  session,
  uniqueEvent,
  versioned,
} from '../../src/workflows/index.ts';

async function withClock(test: (driver: Driver, clock: VirtualClock, db: Database) => Promise<void>) {
  const clock = new VirtualClock();
  const db = await open({ clock });
  try {
    await test(embedded(db), clock, db);
  } finally {
    db.close();
  }
}

describe('lock', () => {
  const LEASE = 10_000;

  it('a jump forwards ends the lease: the next owner has a greater fence, the last one hears lost', () =>
    withClock(async (driver, clock) => {
      const locks = lock(driver, { leaseMs: LEASE });
      const first = (await locks.acquire('a')).orThrow();
      clock.advance(LEASE);
      expect((await locks.acquire('a')).status).toBe('busy');
      clock.advance(1);
      const second = (await locks.acquire('a')).orThrow();
      expect(second.fence).toBeGreaterThan(first.fence);
      expect((await locks.extend('a', first)).status).toBe('lost');
      expect((await locks.release('a', first)).status).toBe('lost');
      expect((await locks.extend('a', second)).status).toBe('extended');
    }));

  it('a jump backwards gives no smaller fence', () =>
    withClock(async (driver, clock) => {
      const locks = lock(driver, { leaseMs: LEASE });
      const first = (await locks.acquire('a')).orThrow();
      await locks.release('a', first);
      clock.advance(-86_400_000);
      const second = (await locks.acquire('a')).orThrow();
      expect(second.fence).toBe(first.fence + 1);
    }));

  it('a fence that has expired is passed by the next one', () =>
    withClock(async (driver, clock, db) => {
      const locks = lock(driver, { leaseMs: LEASE, fenceTtlMs: 10 * LEASE });
      let last = 0;
      for (let i = 0; i < 50; i++) {
        const hold = (await locks.acquire('a')).orThrow();
        last = hold.fence;
        await locks.release('a', hold);
      }
      clock.advance(10 * LEASE + 1);
      expect(db.exists('lock:{a}:fence')).toBe(0);
      expect((await locks.acquire('a')).orThrow().fence).toBeGreaterThan(last);
    }));

  it('extending keeps the fence for as long as the lock', () =>
    withClock(async (driver, clock, db) => {
      const locks = lock(driver, { leaseMs: LEASE, fenceTtlMs: 10 * LEASE });
      const hold = (await locks.acquire('a')).orThrow();
      for (let i = 0; i < 40; i++) {
        clock.advance(LEASE / 2);
        expect((await locks.extend('a', hold)).status).toBe('extended');
      }
      expect(db.exists('lock:{a}:fence')).toBe(1);
      expect((await locks.acquire('a', { owner: hold.owner })).orThrow().fence).toBe(hold.fence);
    }));
});

describe('semaphore', () => {
  const LEASE = 10_000;

  it('a jump forwards frees the places, and the holders hear of it', () =>
    withClock(async (driver, clock) => {
      const places = semaphore(driver, { permits: 2, leaseMs: LEASE });
      const first = (await places.acquire('a')).orThrow();
      await places.acquire('a');
      clock.advance(LEASE - 1);
      expect(await places.acquire('a')).toMatchObject({ status: 'full', leaseLeftMs: 1 });
      clock.advance(1);
      expect((await places.acquire('a')).status).toBe('acquired');
      expect((await places.extend('a', first.owner)).status).toBe('lost');
      expect((await places.release('a', first.owner)).status).toBe('lost');
    }));

  it('a holder whose time is over is lost, also while others hold theirs', () =>
    withClock(async (driver, clock) => {
      const places = semaphore(driver, { permits: 2, leaseMs: LEASE });
      const late = (await places.acquire('a')).orThrow();
      clock.advance(LEASE / 2);
      const other = (await places.acquire('a')).orThrow();
      clock.advance(LEASE / 2);
      expect((await places.extend('a', late.owner)).status).toBe('lost');
      expect((await places.release('a', late.owner)).status).toBe('lost');
      expect((await places.extend('a', other.owner)).status).toBe('extended');
    }));

  it('a jump backwards lets nobody in', () =>
    withClock(async (driver, clock) => {
      const places = semaphore(driver, { permits: 1, leaseMs: LEASE });
      const { owner } = (await places.acquire('a')).orThrow();
      clock.advance(-60_000);
      expect((await places.acquire('a')).status).toBe('full');
      expect((await places.extend('a', owner)).status).toBe('extended');
      clock.advance(LEASE);
      expect((await places.acquire('a')).status).toBe('acquired');
    }));
});

describe('idempotency', () => {
  const LEASE = 10_000;
  const print = { fingerprint: 'f' };

  it('a jump forwards lets another take over, a jump backwards does not', () =>
    withClock(async (driver, clock) => {
      const once = idempotency(driver, { leaseMs: LEASE });
      await once.begin('k', { ...print, owner: 'one' });
      clock.advance(-60_000);
      expect((await once.begin('k', print)).status).toBe('in_progress');
      clock.advance(60_000 + LEASE);
      expect(await once.begin('k', { ...print, owner: 'two' })).toMatchObject({ attempt: 2, takeover: true });
      expect((await once.complete('k', 'one', 1)).status).toBe('stale');
    }));

  it('a result outlives the lease and goes when its own time is up', () =>
    withClock(async (driver, clock) => {
      const once = idempotency(driver, { leaseMs: LEASE, recordTtlMs: 10 * LEASE });
      await once.run('k', 'f', () => 1);
      clock.advance(10 * LEASE);
      expect((await once.begin('k', print)).status).toBe('completed');
      clock.advance(1);
      expect(await once.begin('k', print)).toMatchObject({ status: 'started', attempt: 1 });
    }));
});

describe('dedup', () => {
  it('a request is known until its window is over, whatever the lease was', () =>
    withClock(async (driver, clock) => {
      const claims = dedup(driver, { leaseMs: 1000, windowMs: 60_000 });
      await claims.claim('r', { owner: 'one' });
      clock.advance(-30_000);
      expect((await claims.claim('r')).status).toBe('in_flight');
      await claims.done('r', 'one', 'x');
      clock.advance(60_000);
      expect((await claims.claim('r')).status).toBe('done');
      clock.advance(1);
      expect((await claims.claim('r')).status).toBe('claimed');
    }));
});

describe('uniqueEvent', () => {
  const WINDOW = 60_000;

  for (const maxEvents of [undefined, 10]) {
    it(`a window ends by the server's clock, ${maxEvents ? 'bounded' : 'a key for each'}`, () =>
      withClock(async (driver, clock) => {
        const events = uniqueEvent(driver, { windowMs: WINDOW, maxEvents });
        await events.seen('s', 'e');
        clock.advance(-30_000);
        expect((await events.seen('s', 'e')).status).toBe('duplicate');
        clock.advance(30_000 + WINDOW - 1);
        expect((await events.seen('s', 'e')).status).toBe('duplicate');
        clock.advance(2);
        expect((await events.seen('s', 'e')).status).toBe('first');
      }));
  }

  it('after a jump backwards the oldest is still the first to be forgotten', () =>
    withClock(async (driver, clock) => {
      const events = uniqueEvent(driver, { windowMs: WINDOW, maxEvents: 2 });
      await events.seen('s', 'old');
      clock.advance(1000);
      await events.seen('s', 'newer');
      clock.advance(-10_000);
      expect(await events.seen('s', 'newest')).toMatchObject({ status: 'first', forgotten: 1 });
      expect((await events.seen('s', 'newer')).status).toBe('duplicate');
      expect((await events.seen('s', 'newest')).status).toBe('duplicate');
      expect(await events.seen('s', 'last')).toMatchObject({ forgotten: 1 });
      expect((await events.seen('s', 'newest')).status).toBe('duplicate');
    }));
});

describe('versioned', () => {
  it('no jump of the clock lets an old version in, while the floor lives', () =>
    withClock(async (driver, clock) => {
      const values = versioned(driver, { ttlMs: 1000, floorTtlMs: 10_000 });
      await values.write('a', 'x', 5n);
      clock.advance(10_000);
      expect((await values.write('a', 'old', 4n)).status).toBe('stale');
      clock.advance(-3_600_000);
      expect((await values.write('a', 'old', 4n)).status).toBe('stale');
      expect((await values.write('a', 'new', 6n)).status).toBe('written');
    }));
});

describe('session', () => {
  const TTL = 60_000;

  it('a jump forwards ends sessions that were not touched, a jump backwards revives none', () =>
    withClock(async (driver, clock) => {
      const sessions = session(driver, { ttlMs: TTL });
      await sessions.create('u', 1, { sessionId: 'a' });
      clock.advance(TTL - 1);
      await sessions.create('u', 1, { sessionId: 'b' });
      expect((await sessions.read('u', 'a')).status).toBe('found');
      clock.advance(1);
      expect((await sessions.touch('u', 'a')).status).toBe('gone');
      await sessions.prune('u');
      clock.advance(-TTL);
      expect((await sessions.touch('u', 'a')).status).toBe('gone');
      expect((await sessions.touch('u', 'b')).status).toBe('touched');
    }));

  it('create prunes a bounded number, prune the rest', () =>
    withClock(async (driver, clock, db) => {
      const sessions = session(driver, { ttlMs: TTL });
      for (let i = 0; i < 120; i++) await sessions.create('u', i);
      clock.advance(TTL - 1);
      await sessions.create('u', 0, { sessionId: 'b' });
      clock.advance(1);
      await sessions.create('u', 0, { sessionId: 'c' });
      expect(db.zcard('session:{u}')).toBe(72);
      expect(await sessions.prune('u', { limit: 60 })).toMatchObject({
        status: 'partial',
        count: 60,
        left: 10,
      });
      expect(await sessions.prune('u')).toMatchObject({ status: 'pruned', count: 10, left: 0 });
      expect(db.hkeys('session:{u}:data')).toEqual(['b', 'c']);
    }));
});
