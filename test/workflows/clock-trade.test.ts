// What the workflows of trade do when the server's clock jumps, forwards and backwards.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, open, VirtualClock } from '../../src/index.ts';
import { booking, type Driver, embedded, queue, reservation } from '../../src/workflows/index.ts';

/** A clock that can also be set back, as a server's is by hand or after a bad failover. */
class JumpingClock extends VirtualClock {
  private offset = 0;

  jump(ms: number): void {
    this.offset += ms;
  }
  override now(): number {
    return super.now() + this.offset;
  }
  override micros(): number {
    return super.micros() + this.offset * 1000;
  }
}

let clock: JumpingClock;
let db: Database;
let driver: Driver;
beforeEach(async () => {
  clock = new JumpingClock();
  db = await open({ clock });
  driver = embedded(db);
});
afterEach(() => db.close());

const DAY = 86_400_000;

describe('reservation', () => {
  it('a hold ends to the millisecond, by the server’s clock', async () => {
    const pool = reservation(driver);
    await pool.add('p', 2);
    await pool.reserve('p', { holdId: 'a', quantity: 1, holdMs: 1000 });
    await pool.reserve('p', { holdId: 'b', quantity: 1, holdMs: 1000 });
    clock.advance(999);
    expect(await pool.confirm('p', 'a')).toMatchObject({ status: 'confirmed' });
    clock.advance(1);
    expect(await pool.confirm('p', 'b')).toMatchObject({ status: 'already_expired' });
  });

  it('a jump forwards ends holds early, and none is lost from the sum', async () => {
    const pool = reservation(driver);
    await pool.add('p', 300);
    for (let i = 0; i < 250; i++) await pool.reserve('p', { holdId: `h${i}`, quantity: 1, holdMs: 60_000 });
    clock.jump(365 * DAY);
    expect(await pool.sweep('p', 100)).toMatchObject({ status: 'partial', freed: 100 });
    expect(await pool.read('p')).toMatchObject({ available: 200, held: 100, sold: 0 });
    expect(await pool.sweep('p', 1000)).toMatchObject({ status: 'done', freed: 100 });
    expect(await pool.read('p')).toMatchObject({ available: 300, held: 0 });
  });

  it('a jump backwards prolongs a hold, and one that has ended stays ended', async () => {
    const pool = reservation(driver);
    await pool.add('p', 2);
    await pool.reserve('p', { holdId: 'a', quantity: 1, holdMs: 1000 });
    clock.jump(2000);
    expect(await pool.confirm('p', 'a')).toMatchObject({ status: 'already_expired' });
    await pool.reserve('p', { holdId: 'b', quantity: 1, holdMs: 1000 });
    clock.jump(-5000);
    expect(await pool.confirm('p', 'a')).toMatchObject({ status: 'already_expired' });
    clock.advance(5000);
    expect(await pool.confirm('p', 'b')).toMatchObject({ status: 'confirmed' });
    expect(await pool.read('p')).toMatchObject({ total: 2, available: 1, held: 0, sold: 1 });
  });
});

describe('booking', () => {
  const stay = (from: string, to: string) => ({ from, to, guest: 'ada' });

  for (const mechanism of ['script', 'watch'] as const) {
    it(`${mechanism}: the past begins by the server’s clock, to the day`, async () => {
      const rooms = booking(driver, { mechanism, keepPastDays: 2 });
      // The clock begins on 2023-11-14.
      expect(await rooms.book('r', stay('2023-11-11', '2023-11-13'))).toMatchObject({
        status: 'in_the_past',
        earliest: '2023-11-12',
      });
      expect(await rooms.book('r', stay('2023-11-12', '2023-11-13'))).toMatchObject({ status: 'booked' });
      clock.jump(DAY);
      expect(await rooms.book('r', stay('2023-11-12', '2023-11-13'))).toMatchObject({
        status: 'in_the_past',
      });
      clock.jump(-DAY);
      expect(await rooms.book('r', stay('2023-11-12', '2023-11-13'))).toMatchObject({
        status: 'booked',
        nights: 0,
      });
    });

    it(`${mechanism}: a jump forwards frees no night that is to come`, async () => {
      const rooms = booking(driver, { mechanism });
      await rooms.book('r', stay('2023-11-20', '2023-11-22'));
      // Within keepPastDays: neither sweep nor booking takes them for past ones.
      clock.jump(30 * DAY);
      expect(await rooms.sweep('r')).toMatchObject({ status: 'done', removed: 0 });
      await rooms.book('r', stay('2024-02-01', '2024-02-02'));
      clock.jump(-30 * DAY);
      expect(await rooms.book('r', { ...stay('2023-11-20', '2023-11-21'), guest: 'bo' })).toMatchObject({
        status: 'taken',
        by: 'ada',
      });
    });
  }
});

describe('queue', () => {
  const claim = async (leaseMs: number) => {
    const claimed = await queue(driver).claim('q', { worker: 'w', leaseMs, limit: 10 });
    return claimed.status === 'claimed' ? claimed.jobs : [];
  };

  it('a lease ends to the millisecond, and a heartbeat counts from when it came', async () => {
    const jobs = queue(driver);
    await jobs.enqueue('q', 'x');
    const [job] = await claim(1000);
    clock.advance(999);
    expect(await jobs.heartbeat('q', job, 1000)).toMatchObject({ status: 'extended' });
    clock.advance(999);
    expect(await claim(1000)).toEqual([]);
    clock.advance(1);
    expect(await jobs.heartbeat('q', job, 1000)).toMatchObject({ status: 'lost' });
    expect(await claim(1000)).toMatchObject([{ id: job.id, attempt: 2 }]);
  });

  it('a heartbeat never shortens a lease', async () => {
    const jobs = queue(driver);
    await jobs.enqueue('q', 'x');
    const [job] = await claim(10_000);
    expect(await jobs.heartbeat('q', job, 10)).toMatchObject({ leaseUntilMs: job.leaseUntilMs });
  });

  it('a jump forwards ends leases early: jobs are done again, and none is lost', async () => {
    const jobs = queue(driver);
    for (let i = 0; i < 8; i++) await jobs.enqueue('q', `x${i}`, { delayMs: i % 2 ? 5000 : 0 });
    const first = await claim(60_000);
    expect(first).toHaveLength(4);
    clock.jump(365 * DAY);
    const second = await claim(60_000);
    expect(second).toHaveLength(8);
    expect(await jobs.complete('q', first[0])).toMatchObject({ status: 'lost' });
    for (const job of second) expect(await jobs.complete('q', job)).toMatchObject({ status: 'completed' });
    expect(await jobs.stats('q')).toMatchObject({ waiting: 0, delayed: 0, active: 0, dead: 0 });
  });

  it('a jump backwards makes leases and delays last longer, and nobody has a job twice', async () => {
    const jobs = queue(driver);
    await jobs.enqueue('q', 'x');
    await jobs.enqueue('q', 'later', { delayMs: 1000 });
    const [job] = await claim(1000);
    clock.jump(-5000);
    clock.advance(2000);
    expect(await claim(1000)).toEqual([]);
    expect(await jobs.heartbeat('q', job, 1000)).toMatchObject({ status: 'extended' });
    expect(await jobs.complete('q', job)).toMatchObject({ status: 'completed' });
    clock.advance(4000);
    expect(await claim(1000)).toMatchObject([{ payload: 'later' }]);
  });

  it('keeps the order of priorities for any number of jobs', async () => {
    const jobs = queue(driver);
    // As after so many jobs that priority and number packed into one double would be rounded.
    db.set('queue:{q}:numbers', 9_007_199_254_740n * 1000n);
    for (const [payload, priority] of [
      ['c', 9],
      ['d', 9],
      ['a', 0],
      ['b', 8],
    ] as const) {
      await jobs.enqueue('q', payload, { priority });
    }
    expect((await claim(1000)).map(({ payload }) => payload)).toEqual(['a', 'b', 'c', 'd']);
  });
});
