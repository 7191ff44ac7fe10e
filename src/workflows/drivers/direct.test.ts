// The one connection of a driver, with sessions made by hand: when it is opened anew, when it is given up, and that
// nobody's answer is cut off. Real servers are in test/workflows/faults.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Answer, ServerError } from '../kit/driver.ts';
import { Reopening } from './direct.ts';
import { OPEN_MS, type Session } from './session.ts';

class Made implements Session {
  alive = true;
  readonly open: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  send() {
    return new Promise<Answer>((resolve, reject) => this.open.push({ resolve, reject }));
  }
  async pipeline() {
    return [];
  }
  close() {
    this.alive = false;
  }
}

describe('Reopening', () => {
  const made: Made[] = [];
  let mode: 'open' | 'hang' | 'refuse' = 'open';
  let opened = 0;
  const line = () =>
    new Reopening(async () => {
      opened++;
      if (mode === 'refuse') throw new Error('ECONNREFUSED');
      if (mode === 'hang') return new Promise<Session>(() => {});
      made.push(new Made());
      return made[made.length - 1]!;
    });
  const name = async (work: Promise<unknown>) =>
    work.then(
      () => 'answered',
      (error: Error) => error.name,
    );

  beforeEach(() => {
    vi.useFakeTimers();
    made.length = 0;
    opened = 0;
    mode = 'open';
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('opens one connection for all, and another when that has closed', async () => {
    const reopening = line();
    const both = [reopening.send(['A'], 100), reopening.send(['B'], 100)];
    await vi.advanceTimersByTimeAsync(1);
    expect([opened, made[0].open.length]).toEqual([1, 2]);
    for (const each of made[0].open) each.resolve('OK');
    expect(await Promise.all(both)).toEqual(['OK', 'OK']);
    made[0].alive = false;
    const next = reopening.send(['C'], 100);
    await vi.advanceTimersByTimeAsync(1);
    made[1].open[0].resolve('OK');
    expect(await next).toBe('OK');
  });

  it('gives up a connection that is never ready, so that the next call has another try', async () => {
    mode = 'hang';
    const reopening = line();
    const first = name(reopening.send(['A'], 100));
    await vi.advanceTimersByTimeAsync(100);
    expect(await first).toBe('Unsent');
    const second = name(reopening.send(['A'], 100));
    await vi.advanceTimersByTimeAsync(100);
    expect([await second, opened]).toEqual(['Unsent', 1]);
    await vi.advanceTimersByTimeAsync(OPEN_MS);
    mode = 'open';
    const third = reopening.send(['A'], 100);
    await vi.advanceTimersByTimeAsync(1);
    made[0].open[0].resolve('OK');
    expect([await third, opened]).toEqual(['OK', 2]);
    mode = 'refuse';
    made[0].alive = false;
    expect(await name(reopening.send(['A'], 100))).toBe('Unsent');
  });

  it('time spent on connecting is not given again to the reply', async () => {
    const reopening = new Reopening(async () => {
      await new Promise((resolve) => setTimeout(resolve, 80));
      made.push(new Made());
      return made[0];
    });
    const call = name(reopening.send(['A'], 100));
    await vi.advanceTimersByTimeAsync(99);
    expect(made[0].open).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(await call).toBe('Lost');
  });

  it('a late reply makes others use a new connection, and the old one closes when nobody waits on it', async () => {
    const reopening = line();
    const hasty = name(reopening.send(['A'], 100));
    const patient = reopening.send(['B'], 10_000);
    await vi.advanceTimersByTimeAsync(101);
    expect(await hasty).toBe('Lost');
    const other = reopening.send(['C'], 100);
    await vi.advanceTimersByTimeAsync(1);
    made[1].open[0].resolve('new');
    expect(await other).toBe('new');
    await vi.advanceTimersByTimeAsync(5000);
    expect(made[0].alive).toBe(true);
    made[0].open[1].resolve('old');
    expect(await patient).toBe('old');
    expect([made[0].alive, made[1].alive]).toEqual([false, true]);
  });

  it('leaves a primary that has become a replica', async () => {
    const reopening = line();
    const call = name(reopening.send(['A'], 100));
    await vi.advanceTimersByTimeAsync(1);
    made[0].open[0].reject(new ServerError("READONLY You can't write against a read only replica."));
    expect(await call).toBe('ServerError');
    expect(made[0].alive).toBe(false);
  });
});
