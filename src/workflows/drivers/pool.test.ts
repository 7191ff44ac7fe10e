// The pool of leases with sessions made by hand: turns in order, bounds, and that no place is lost on failures.
import { describe, expect, it } from 'vitest';
import { type Lease, ServerError, Unsent } from '../kit/driver.ts';
import { LeasePool, MOST_LEASES, NoLease } from './pool.ts';
import { type Fate, inTime, inTimeUnsent, type Session } from './session.ts';

class Made implements Session {
  alive = true;
  answers: readonly Fate[] = [];
  async send() {
    return 'OK';
  }
  async pipeline() {
    return this.answers;
  }
  close() {
    this.alive = false;
  }
}

function pool() {
  const made: Made[] = [];
  const leases = new LeasePool(async () => {
    made.push(new Made());
    return made[made.length - 1];
  });
  return { made, leases };
}

async function all(leases: LeasePool): Promise<Lease[]> {
  return Promise.all(Array.from({ length: MOST_LEASES }, () => leases.lease(1000)));
}

describe('LeasePool', () => {
  it('uses a connection again, unless it is dead, was discarded or belongs to a replica', async () => {
    const { made, leases } = pool();
    (await leases.lease(100)).release();
    (await leases.lease(100)).release();
    expect(made).toHaveLength(1);
    made[0].alive = false;
    (await leases.lease(100)).discard();
    expect(made.map(({ alive }) => alive)).toEqual([false, false]);
    const lease = await leases.lease(100);
    made[2].answers = [new ServerError("READONLY You can't write against a read only replica.")];
    await lease.pipeline([['SET', 'k', 1]], 100);
    lease.release();
    expect(made[2].alive).toBe(false);
  });

  it('gives back once, however often it is asked to', async () => {
    const { made, leases } = pool();
    const lease = await leases.lease(100);
    lease.release();
    lease.discard();
    lease.release();
    expect(made[0].alive).toBe(true);
    const held = await all(leases);
    await expect(leases.lease(10)).rejects.toThrow(NoLease);
    for (const each of held) each.release();
  });

  it('serves who waits in their order, and who has given up never', async () => {
    const { leases } = pool();
    const held = await all(leases);
    const order: string[] = [];
    const wait = async (name: string, ms: number): Promise<void> => {
      const lease = await leases.lease(ms);
      order.push(name);
      lease.release();
    };
    const first = wait('first', 1000);
    const hasty = wait('hasty', 10);
    const last = wait('last', 1000);
    await expect(hasty).rejects.toThrow(NoLease);
    held[0].release();
    await Promise.all([first, last]);
    expect(order).toEqual(['first', 'last']);
    for (const each of held.slice(1)) each.release();
  });

  it('keeps at most eight idle', async () => {
    const { made, leases } = pool();
    for (const each of await all(leases)) each.release();
    expect(made.filter(({ alive }) => alive)).toHaveLength(8);
  });

  it('a connection that cannot be opened, or not in time, is Unsent and takes no place', async () => {
    let mode: 'refuse' | 'hang' | 'open' = 'refuse';
    const late: ((session: Session) => void)[] = [];
    const leases = new LeasePool(() => {
      if (mode === 'refuse') return Promise.reject(new Error('ECONNREFUSED'));
      return mode === 'open' ? Promise.resolve(new Made()) : new Promise((resolve) => late.push(resolve));
    });
    await expect(leases.lease(100)).rejects.toThrow(Unsent);
    mode = 'hang';
    const started = performance.now();
    const failed = Array.from({ length: MOST_LEASES }, () => leases.lease(20));
    for (const each of await Promise.allSettled(failed)) expect(each.status).toBe('rejected');
    expect(performance.now() - started).toBeLessThan(500);
    // What comes too late is kept for the next.
    const session = new Made();
    late[0](session);
    await Promise.resolve();
    mode = 'open';
    const held = await all(leases);
    held[0].discard();
    for (const each of held.slice(1)) each.discard();
    expect(session.alive).toBe(false);
  });

  it('once closed it opens nothing and turns away who waits', async () => {
    const { made, leases } = pool();
    const held = await all(leases);
    const waits = leases.lease(1000);
    const opened = made.length;
    leases.close();
    held[0].release();
    await expect(waits).rejects.toThrow('closed');
    await expect(leases.lease(10)).rejects.toThrow('closed');
    expect(made.length).toBe(opened);
    for (const each of held) each.release();
    expect(made.some(({ alive }) => alive)).toBe(false);
  });
});

describe('waiting', () => {
  it('late before sending is Unsent, late after it is Lost, whatever the work comes to', async () => {
    let come = (_value: string): void => {};
    const slow = new Promise<string>((resolve) => {
      come = resolve;
    });
    const got: string[] = [];
    await expect(inTimeUnsent(slow, 5, undefined, (value) => got.push(value))).rejects.toThrow(
      expect.objectContaining({ name: 'Unsent' }),
    );
    await expect(inTime(slow, 5)).rejects.toThrow(expect.objectContaining({ name: 'Lost' }));
    const gone = AbortSignal.abort();
    await expect(inTimeUnsent(slow, 5, gone)).rejects.toThrow(expect.objectContaining({ name: 'Unsent' }));
    await expect(inTime(slow, 5, gone)).rejects.toThrow(expect.objectContaining({ name: 'Lost' }));
    come('late');
    await slow;
    expect(got).toEqual(['late']);
  });

  it('no end is no end: a deadline beyond what timers hold does not fire at once', async () => {
    const soon = () => new Promise((resolve) => setTimeout(() => resolve('done'), 20));
    expect(await inTime(soon(), Number.POSITIVE_INFINITY)).toBe('done');
    expect(await inTimeUnsent(soon(), 2 ** 40)).toBe('done');
  });
});
