// The four forms of rateLimit under a clock that the tests move: forwards, to see that waits are exact and limits hold in
// every window, and backwards, where nothing may be given away and nobody may wait longer than a window.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import {
  AtomicError,
  type Driver,
  embedded,
  Lost,
  type RateLimiter,
  rateLimit,
} from '../../src/workflows/index.ts';
import { SettableClock } from './settable-clock.ts';
import { raw } from './world.ts';

const LIMIT = 5;
const WINDOW = 1000;

const FORMS: Readonly<Record<string, (driver: Driver) => RateLimiter>> = {
  fixedWindow: (driver) => rateLimit.fixedWindow(driver, { limit: LIMIT, windowMs: WINDOW }),
  slidingLog: (driver) => rateLimit.slidingLog(driver, { limit: LIMIT, windowMs: WINDOW }),
  slidingCounter: (driver) => rateLimit.slidingCounter(driver, { limit: LIMIT, windowMs: WINDOW }),
  tokenBucket: (driver) => rateLimit.tokenBucket(driver, { capacity: LIMIT, refill: LIMIT, perMs: WINDOW }),
};

async function world(make: (driver: Driver) => RateLimiter) {
  const clock = new SettableClock();
  const db = await open({ clock });
  const driver = embedded(db);
  return { clock, db, driver, limiter: make(driver) };
}

/** Pauses and costs of a client. */
const visits = fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 1, max: LIMIT })), {
  minLength: 1,
  maxLength: 40,
});

describe.each(Object.entries(FORMS))('%s', (name, make) => {
  it('the wait is exact: one millisecond earlier is denied, then it is allowed', async () => {
    const run = async (steps: readonly (readonly [number, number])[]) => {
      const { clock, db, limiter } = await world(make);
      for (const [pause, cost] of steps) {
        clock.advance(pause);
        const result = await limiter.take('a', { cost });
        if (result.status !== 'denied') continue;
        expect(result.retryAfterMs).toBeGreaterThan(0);
        clock.advance(result.retryAfterMs - 1);
        const early = await limiter.take('a', { cost });
        expect(early, 'a millisecond early').toMatchObject({ status: 'denied', retryAfterMs: 1 });
        clock.advance(1);
        expect(await limiter.take('a', { cost }), 'in time').toMatchObject({ status: 'allowed' });
      }
      db.close();
    };
    await fc.assert(fc.asyncProperty(visits, run), { numRuns: 60 });
  });

  it('no window has more than the form allows', async () => {
    const run = async (steps: readonly (readonly [number, number])[]) => {
      const { clock, db, limiter } = await world(make);
      const taken: { readonly at: number; readonly cost: number }[] = [];
      for (const [pause, cost] of steps) {
        clock.advance(pause);
        if ((await limiter.take('a', { cost })).ok) taken.push({ at: clock.now(), cost });
      }
      db.close();
      for (const { at } of taken) {
        const begin = name === 'fixedWindow' ? at - (at % WINDOW) : at;
        const sum = taken
          .filter((other) => other.at >= begin && other.at < begin + WINDOW)
          .reduce((total, { cost }) => total + cost, 0);
        // The estimate is below twice the limit; the bucket gives its capacity and what came back.
        const exact = name === 'fixedWindow' || name === 'slidingLog';
        expect(sum).toBeLessThan(exact ? LIMIT + 1 : 2 * LIMIT);
      }
    };
    await fc.assert(fc.asyncProperty(visits, run), { numRuns: 60 });
  });

  it('all is there again after resetMs, and nothing is left in memory', async () => {
    const { clock, driver, limiter } = await world(make);
    clock.advance(300);
    await limiter.take('a', { cost: 3 });
    const taken = await limiter.take('a', { cost: 2 });
    if (taken.status !== 'allowed') throw new Error(taken.status);
    clock.advance(taken.resetMs - 1);
    expect(await limiter.peek('a', { cost: LIMIT })).toMatchObject({ status: 'denied', retryAfterMs: 1 });
    clock.advance(1);
    expect(await limiter.peek('a', { cost: LIMIT })).toMatchObject({ status: 'allowed', remaining: LIMIT });
    clock.advance(2);
    expect(await raw(driver, 'EXISTS', 'rate:{a}')).toBe(0);
  });

  it('TTL refills the bucket early (no): all the way to resetMs the key is there', async () => {
    const { clock, driver, limiter } = await world(make);
    clock.advance(1);
    const taken = await limiter.take('a');
    if (taken.status !== 'allowed') throw new Error(taken.status);
    for (let left = taken.resetMs; left > 0; left--) {
      expect(await raw(driver, 'EXISTS', 'rate:{a}')).toBe(1);
      clock.advance(1);
    }
  });

  it('a clock that is set back gives nothing away', async () => {
    for (const back of [1, 400, 1000, 2500, 3_600_000]) {
      const { clock, limiter } = await world(make);
      clock.advance(700);
      await limiter.take('a', { cost: LIMIT });
      clock.set(clock.now() - back);
      expect(await limiter.take('a'), `${back} ms back`).toMatchObject({ status: 'denied' });
    }
  });

  it('a clock that is set back makes nobody wait longer than two windows', async () => {
    for (const back of [1, 400, 1000, 2500, 3_600_000]) {
      const { clock, limiter } = await world(make);
      clock.advance(700);
      await limiter.take('a', { cost: LIMIT });
      clock.set(clock.now() - back);
      const denial = await limiter.take('a');
      if (denial.status !== 'denied') throw new Error(denial.status);
      expect(denial.retryAfterMs).toBeLessThanOrEqual(2 * WINDOW);
      clock.advance(denial.retryAfterMs - 1);
      expect(await limiter.take('a'), `${back} ms back, early`).toMatchObject({ status: 'denied' });
      clock.advance(1);
      expect(await limiter.take('a'), `${back} ms back, in time`).toMatchObject({ status: 'allowed' });
    }
  });

  it('a block lasts as long as was asked, also when the clock is set back', async () => {
    const { clock, limiter } = await world(make);
    await limiter.take('a');
    await limiter.block('a', 5000);
    clock.advance(4999);
    expect(await limiter.take('a')).toMatchObject({ status: 'blocked', retryAfterMs: 1 });
    clock.set(clock.now() - 3_600_000);
    expect(await limiter.take('a')).toMatchObject({ status: 'blocked', retryAfterMs: 5000 });
    clock.advance(4999);
    expect(await limiter.take('a')).toMatchObject({ status: 'blocked', retryAfterMs: 1 });
    clock.advance(1);
    expect(await limiter.take('a')).toMatchObject({ status: 'allowed' });
  });

  it('a jump far ahead gives the limit once, not more', async () => {
    const { clock, limiter } = await world(make);
    await limiter.take('a', { cost: LIMIT });
    clock.advance(86_400_000);
    expect(await limiter.take('a', { cost: LIMIT })).toMatchObject({ status: 'allowed', remaining: 0 });
    expect(await limiter.take('a')).toMatchObject({ status: 'denied' });
  });

  it("the client's clock is never sent (spring-cloud-gateway#1688: client clock skew)", async () => {
    const { clock, limiter } = await world(make);
    const real = Date.now;
    try {
      await limiter.take('a', { cost: LIMIT });
      Date.now = () => clock.now() + 86_400_000;
      expect(await limiter.take('a')).toMatchObject({ status: 'denied' });
    } finally {
      Date.now = real;
    }
  });

  it('a smaller limit than before never answers less than nothing', async () => {
    const { driver, limiter } = await world(make);
    await limiter.take('a', { cost: LIMIT });
    const smaller = {
      fixedWindow: rateLimit.fixedWindow(driver, { limit: 2, windowMs: WINDOW }),
      slidingLog: rateLimit.slidingLog(driver, { limit: 2, windowMs: WINDOW }),
      slidingCounter: rateLimit.slidingCounter(driver, { limit: 2, windowMs: WINDOW }),
      tokenBucket: rateLimit.tokenBucket(driver, { capacity: 2, refill: 2, perMs: WINDOW }),
    }[name] as RateLimiter;
    expect(await smaller.peek('a')).toMatchObject({ status: 'denied', remaining: 0 });
    expect(await smaller.take('a')).toMatchObject({ status: 'denied', remaining: 0 });
    expect(await smaller.penalty('a', 1)).toMatchObject({ remaining: 0 });
  });
});

describe('tokenBucket', () => {
  it('a span of any length has at most the capacity and what came back in it', async () => {
    const run = async (steps: readonly (readonly [number, number])[]) => {
      const { clock, db, limiter } = await world(FORMS.tokenBucket);
      const taken: { readonly at: number; readonly cost: number }[] = [];
      for (const [pause, cost] of steps) {
        clock.advance(pause);
        if ((await limiter.take('a', { cost })).ok) taken.push({ at: clock.now(), cost });
      }
      db.close();
      taken.forEach((first, i) => {
        let sum = 0;
        for (const { at, cost } of taken.slice(i)) {
          sum += cost;
          expect(sum).toBeLessThanOrEqual(LIMIT + ((at - first.at) * LIMIT) / WINDOW);
        }
      });
    };
    await fc.assert(fc.asyncProperty(visits, run), { numRuns: 100 });
  });

  it('a rate that is no whole number of microseconds still fills to its capacity', async () => {
    const { limiter } = await world((driver) =>
      rateLimit.tokenBucket(driver, { capacity: 10, refill: 3, perMs: 1000 }),
    );
    for (let i = 9; i >= 0; i--) expect(await limiter.take('a')).toMatchObject({ remaining: i });
    expect(await limiter.take('a')).toMatchObject({ status: 'denied', retryAfterMs: 334 });
  });
});

describe('withFallback', () => {
  const insured = async (send: Driver['send']) => {
    const { driver } = await world(FORMS.tokenBucket);
    const failing: Driver = { ...driver, send };
    const insurance = FORMS.tokenBucket(driver);
    return { limiter: rateLimit.withFallback(FORMS.tokenBucket(failing), insurance), insurance };
  };

  it('is not taken on a denial (rate-limiter-flexible#337)', async () => {
    const { limiter: primary } = await world(FORMS.tokenBucket);
    const { limiter: insurance } = await world(FORMS.tokenBucket);
    const limiter = rateLimit.withFallback(primary, insurance);
    await limiter.take('a', { cost: LIMIT });
    expect(await limiter.take('a')).toMatchObject({ status: 'denied' });
    expect(await limiter.take('a', { cost: LIMIT + 1 })).toMatchObject({ status: 'too_large' });
    await limiter.block('a', 1000);
    expect(await limiter.take('a')).toMatchObject({ status: 'blocked' });
    expect(await insurance.peek('a')).toMatchObject({ status: 'allowed', remaining: LIMIT });
  });

  it('is taken where the answer was lost', async () => {
    const { limiter, insurance } = await insured(() => Promise.reject(new Lost('gone')));
    expect(await limiter.take('a')).toMatchObject({ status: 'allowed', remaining: LIMIT - 1 });
    expect(await insurance.peek('a')).toMatchObject({ remaining: LIMIT - 1 });
  });

  it.each(['DISCONNECTED', 'OOM', 'READONLY'] as const)('is taken on %s', async (code) => {
    const { limiter } = await insured(() => Promise.reject(new AtomicError(code, 'no')));
    expect(await limiter.take('a')).toMatchObject({ status: 'allowed', remaining: LIMIT - 1 });
  });

  it.each(['WRONGTYPE', 'NOT_PERMITTED', 'ABORTED'] as const)('is not taken on %s', async (code) => {
    const { limiter, insurance } = await insured(() => Promise.reject(new AtomicError(code, 'no')));
    await expect(limiter.take('a')).rejects.toMatchObject({ code });
    await expect(limiter.take('')).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    expect(await insurance.peek('a')).toMatchObject({ remaining: LIMIT });
  });
});
