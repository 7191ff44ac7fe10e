// Contracts of the four forms of rateLimit: never more than the limit, as each form defines it. What all promise alike is
// tested once for each; what depends on the clock alone is in ../clock-rate-limit.test.ts.
import { expect, it } from 'vitest';
import { type Driver, type RateLimiter, rateLimit } from '../../../src/workflows/index.ts';
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
  type World,
} from '../world.ts';

interface Limits {
  /** How much at once. */
  readonly limit: number;
  /** After so long all of it is there again; a window, or the time that a bucket needs to fill. */
  readonly windowMs: number;
}

interface Form {
  readonly workflow: string;
  make(driver: Driver, prefix: string, limits: Limits): RateLimiter;
}

/** So long that no test sees its end. It begins at 1970 as every window, and ends in some months. */
const LONG = 366 * 86_400_000;

const FORMS = {
  fixedWindow: {
    workflow: 'rateLimit.fixedWindow',
    make: (driver, prefix, limits) => rateLimit.fixedWindow(driver, { prefix, ...limits }),
  },
  slidingLog: {
    workflow: 'rateLimit.slidingLog',
    make: (driver, prefix, limits) => rateLimit.slidingLog(driver, { prefix, ...limits }),
  },
  slidingCounter: {
    workflow: 'rateLimit.slidingCounter',
    make: (driver, prefix, limits) => rateLimit.slidingCounter(driver, { prefix, ...limits }),
  },
  tokenBucket: {
    workflow: 'rateLimit.tokenBucket',
    make: (driver, prefix, { limit, windowMs }) =>
      rateLimit.tokenBucket(driver, { prefix, capacity: limit, refill: limit, perMs: windowMs }),
  },
} satisfies Record<string, Form>;

function contractOf(form: Form, own: (world: () => World) => void = () => {}): Contract {
  return {
    workflow: form.workflow,
    suite(world) {
      promises(form, world);
      own(world);
    },
  };
}

function promises(form: Form, world: () => World): void {
  const make = (limit: number, windowMs = LONG) => {
    const prefix = freshPrefix();
    return { prefix, key: `${prefix}:{a}`, limiter: form.make(world().driver, prefix, { limit, windowMs }) };
  };
  const everything = async (prefix: string) => {
    const names = ['', ':block', ':request:r'];
    return Promise.all(names.map((name) => raw(world().driver, 'EXISTS', `${prefix}:{a}${name}`)));
  };

  it('allows up to the limit and no more', async () => {
    const { limiter } = make(3);
    expect(await limiter.take('a')).toMatchObject({ ok: true, status: 'allowed', remaining: 2 });
    expect(await limiter.take('a', { cost: 2 })).toMatchObject({ status: 'allowed', remaining: 0 });
    const denial = await limiter.take('a');
    expect(denial).toMatchObject({ ok: false, status: 'denied', remaining: 0 });
    expect(denial.status === 'denied' && denial.retryAfterMs).toBeGreaterThan(0);
    expect(await limiter.take('b')).toMatchObject({ status: 'allowed', remaining: 2 });
  });

  it('never allows more than the limit to many at once', async () => {
    const { limiter, prefix } = make(10);
    const second = form.make(world().other, prefix, { limit: 10, windowMs: LONG });
    const taken = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? limiter : second).take('a')),
    );
    expect(taken.filter(({ ok }) => ok)).toHaveLength(10);
  });

  it('a denial costs nothing and writes nothing', async () => {
    const { limiter, key } = make(3);
    expect(await limiter.take('a', { cost: 4 })).toMatchObject({ status: 'too_large' });
    expect(await raw(world().driver, 'EXISTS', key)).toBe(0);
    await limiter.take('a', { cost: 2 });
    const before = await raw(world().driver, 'DUMP', key);
    for (let i = 0; i < 5; i++) await limiter.take('a', { cost: 3 });
    expect(await raw(world().driver, 'DUMP', key)).toBe(before);
    expect(await limiter.take('a')).toMatchObject({ status: 'allowed', remaining: 0 });
  });

  it('a cost above the limit is denied for ever, with no time to wait', async () => {
    const { limiter } = make(3);
    const result = await limiter.take('a', { cost: 4 });
    expect(result).toMatchObject({ ok: false, status: 'too_large', limit: 3 });
    expect(result).not.toHaveProperty('retryAfterMs');
    expect(await limiter.peek('a', { cost: 4 })).toMatchObject({ status: 'too_large', limit: 3 });
  });

  it('every key it leaves has a time to live (upstash#95: missing TTL)', async () => {
    const { limiter, prefix } = make(3);
    await limiter.take('a', { requestId: 'r' });
    await limiter.take('a');
    await limiter.block('a', 60_000);
    for (const [i, there] of (await everything(prefix)).entries()) {
      if (there === 0) continue;
      const key = `${prefix}:{a}${['', ':block', ':request:r'][i]}`;
      expect(Number(await raw(world().driver, 'PTTL', key)), key).toBeGreaterThan(0);
    }
    expect((await everything(prefix))[2]).toBe(1);
  });

  it('allows again after the wait that it names', async () => {
    const { limiter } = make(2, 300);
    let taken = await limiter.take('a', { cost: 2 });
    // The window may end just here: then there is nothing to wait for yet.
    for (let i = 0; i < 20 && taken.status === 'allowed'; i++) taken = await limiter.take('a', { cost: 2 });
    if (taken.status !== 'denied') throw new Error(`was ${taken.status}`);
    expect(taken.retryAfterMs).toBeGreaterThan(0);
    expect(taken.retryAfterMs).toBeLessThanOrEqual(600);
    // A timer may fire a millisecond early.
    await sleep(taken.retryAfterMs + 2);
    expect(await limiter.take('a', { cost: 2 })).toMatchObject({ status: 'allowed' });
  });

  it('a request id makes a retry free', async () => {
    const { limiter } = make(3);
    const first = await limiter.take('a', { requestId: 'r', cost: 2 });
    expect(first).toMatchObject({ status: 'allowed', meta: { replayed: false, retry: 'same-request-id' } });
    const again = await limiter.take('a', { requestId: 'r', cost: 2 });
    expect(again).toMatchObject({ status: 'allowed', remaining: 1, meta: { replayed: true } });
    expect(await limiter.peek('a')).toMatchObject({ remaining: 1 });
    expect(await limiter.take('a', { requestId: 'r', cost: 1 })).toMatchObject({ status: 'request_reused' });
    expect((await limiter.take('a')).meta.retry).toBe('never');
  });

  it('a denial is not remembered for its request id', async () => {
    const { limiter, prefix } = make(1);
    await limiter.take('a');
    expect(await limiter.take('a', { requestId: 'r' })).toMatchObject({ status: 'denied' });
    expect((await everything(prefix))[2]).toBe(0);
    await limiter.reset('a');
    expect(await limiter.take('a', { requestId: 'r' })).toMatchObject({ status: 'allowed' });
  });

  it('peek takes nothing', async () => {
    const { limiter, key } = make(3);
    expect(await limiter.peek('a')).toMatchObject({ status: 'allowed', remaining: 3, resetMs: 0 });
    expect(await raw(world().driver, 'EXISTS', key)).toBe(0);
    await limiter.take('a', { cost: 2 });
    expect(await limiter.peek('a')).toMatchObject({ status: 'allowed', remaining: 1 });
    expect(await limiter.peek('a', { cost: 2 })).toMatchObject({ status: 'denied', remaining: 1 });
    expect(await limiter.peek('a')).toMatchObject({ status: 'allowed', remaining: 1 });
  });

  it('a penalty takes what remains at most, and a reward gives back what was taken at most', async () => {
    const { limiter } = make(5);
    expect(await limiter.penalty('a', 2)).toMatchObject({ ok: true, status: 'adjusted', remaining: 3 });
    expect(await limiter.penalty('a', 9)).toMatchObject({ remaining: 0 });
    expect(await limiter.take('a')).toMatchObject({ status: 'denied' });
    expect(await limiter.reward('a', 2)).toMatchObject({ remaining: 2 });
    expect(await limiter.reward('a', 9)).toMatchObject({ remaining: 5, resetMs: 0 });
    expect(await limiter.take('a', { cost: 5 })).toMatchObject({ status: 'allowed', remaining: 0 });
  });

  it('a penalty with a request id is taken once', async () => {
    const { limiter } = make(5);
    await limiter.penalty('a', 2, { requestId: 'r' });
    const again = await limiter.penalty('a', 2, { requestId: 'r' });
    expect(again).toMatchObject({ remaining: 3, meta: { replayed: true } });
    expect(await limiter.reward('a', 2, { requestId: 'r' })).toMatchObject({ status: 'request_reused' });
  });

  it('a block denies everything, keeps what was counted, and can be ended', async () => {
    const { limiter } = make(5);
    await limiter.take('a', { cost: 2 });
    expect(await limiter.block('a', 60_000)).toMatchObject({ ok: true, status: 'done' });
    const denial = await limiter.take('a');
    expect(denial).toMatchObject({ ok: false, status: 'blocked' });
    if (denial.status !== 'blocked') throw new Error('not blocked');
    expect(denial.retryAfterMs).toBeGreaterThan(30_000);
    expect(denial.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(await limiter.peek('a')).toMatchObject({ status: 'blocked' });
    expect(await limiter.penalty('a', 1)).toMatchObject({ remaining: 2 });
    expect(await limiter.take('a')).toMatchObject({ status: 'blocked' });
    await limiter.block('a', 0);
    expect(await limiter.take('a')).toMatchObject({ status: 'allowed', remaining: 1 });
  });

  it('a block ends by itself', async () => {
    const { limiter } = make(5);
    const began = performance.now();
    await limiter.block('a', 300);
    const denial = await limiter.take('a', { requestId: 'r' });
    // On a busy machine the block may be over before it was looked at.
    if (performance.now() - began < 290) expect(denial).toMatchObject({ status: 'blocked' });
    await sleep(310);
    expect(await limiter.take('a', { requestId: 'r' })).toMatchObject({ status: 'allowed', remaining: 4 });
  });

  it('reset forgets an id and its block', async () => {
    const { limiter, prefix } = make(2);
    await limiter.take('a', { cost: 2 });
    await limiter.block('a', 60_000);
    expect(await limiter.reset('a')).toMatchObject({ ok: true, status: 'done', existed: true });
    expect(await limiter.reset('a')).toMatchObject({ existed: false });
    expect(await everything(prefix)).toEqual([0, 0, 0]);
    expect(await limiter.take('a', { cost: 2 })).toMatchObject({ status: 'allowed' });
  });

  it('refuses what makes no sense before anything is sent', async () => {
    const { limiter } = make(5);
    const bad = { code: 'BAD_ARGUMENT' };
    for (const cost of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      await expect(limiter.take('a', { cost })).rejects.toMatchObject(bad);
      await expect(limiter.peek('a', { cost })).rejects.toMatchObject(bad);
    }
    await expect(limiter.take('')).rejects.toMatchObject(bad);
    await expect(limiter.take('a', { requestId: '' })).rejects.toMatchObject(bad);
    await expect(limiter.penalty('a', 0)).rejects.toMatchObject(bad);
    await expect(limiter.block('a', -1)).rejects.toMatchObject(bad);
    for (const limit of [0, 1.5, 2 ** 31]) expect(() => make(limit)).toThrow(expect.objectContaining(bad));
    for (const windowMs of [0, 0.5, 2 ** 40]) {
      expect(() => make(1, windowMs)).toThrow(expect.objectContaining(bad));
    }
  });
}

export const fixedWindowContract = contractOf(FORMS.fixedWindow, (world) => {
  it('a window ends with the clock, whatever was taken when', async () => {
    const limiter = rateLimit.fixedWindow(world().driver, {
      prefix: freshPrefix(),
      limit: 5,
      windowMs: 3_600_000,
    });
    const first = await limiter.take('a');
    const second = await limiter.take('a');
    if (first.status !== 'allowed' || second.status !== 'allowed') throw new Error('denied');
    // Unless the hour ends between the two, the second sees the same end.
    if (second.remaining === 3) expect(second.resetMs).toBeLessThanOrEqual(first.resetMs);
    expect(first.resetMs).toBeLessThanOrEqual(3_600_000);
  });
});

export const slidingLogContract = contractOf(FORMS.slidingLog, (world) => {
  it('two requests of one instant are two members (rolling-rate-limiter#11: member = timestamp)', async () => {
    const prefix = freshPrefix();
    const limiter = rateLimit.slidingLog(world().driver, { prefix, limit: 100, windowMs: LONG });
    await Promise.all(Array.from({ length: 50 }, () => limiter.take('a')));
    expect(await raw(world().driver, 'ZCARD', `${prefix}:{a}`)).toBe(50);
    expect(await limiter.peek('a')).toMatchObject({ remaining: 50 });
  });

  it('never holds more entries than the limit, and forgets the old ones', async () => {
    const prefix = freshPrefix();
    const limiter = rateLimit.slidingLog(world().driver, { prefix, limit: 20, windowMs: 40 });
    const until = Date.now() + 200;
    let allowed = 0;
    while (Date.now() < until) {
      if ((await limiter.take('a', { cost: 3 })).ok) allowed += 3;
      else await sleep(5);
      expect(Number(await raw(world().driver, 'ZCARD', `${prefix}:{a}`))).toBeLessThanOrEqual(20);
    }
    expect(allowed).toBeGreaterThan(20);
  });

  it('a large cost is as many entries', async () => {
    const prefix = freshPrefix();
    const limiter = rateLimit.slidingLog(world().driver, { prefix, limit: 10_000, windowMs: LONG });
    expect(await limiter.take('a', { cost: 2500 })).toMatchObject({ status: 'allowed', remaining: 7500 });
    expect(await limiter.take('a', { cost: 7500 })).toMatchObject({ status: 'allowed', remaining: 0 });
    expect(await raw(world().driver, 'ZCARD', `${prefix}:{a}`)).toBe(10_000);
  });

  it('a longer log than 10,000 is refused', () => {
    expect(() =>
      rateLimit.slidingLog(world().driver, { prefix: 'p', limit: 10_001, windowMs: 1000 }),
    ).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  });
});

export const slidingCounterContract = contractOf(FORMS.slidingCounter);

export const tokenBucketContract = contractOf(FORMS.tokenBucket, (world) => {
  it('gives tokens back at its rate, not all at once', async () => {
    const limiter = rateLimit.tokenBucket(world().driver, {
      prefix: freshPrefix(),
      capacity: 100,
      refill: 100,
      perMs: 60_000,
    });
    await limiter.take('a', { cost: 100 });
    const denial = await limiter.take('a', { cost: 50 });
    if (denial.status !== 'denied') throw new Error(denial.status);
    expect(denial.retryAfterMs).toBeGreaterThan(20_000);
    expect(denial.retryAfterMs).toBeLessThanOrEqual(30_000);
  });

  it('lives until it is full, not shorter (TTL refills the bucket early)', async () => {
    const prefix = freshPrefix();
    const limiter = rateLimit.tokenBucket(world().driver, { prefix, capacity: 10, refill: 1, perMs: 60_000 });
    await limiter.take('a', { cost: 4 });
    const ttl = Number(await raw(world().driver, 'PTTL', `${prefix}:{a}`));
    expect(ttl).toBeGreaterThan(200_000);
    expect(ttl).toBeLessThanOrEqual(240_001);
  });

  it('refuses a rate that does not come to whole microseconds, and a bucket that never fills', () => {
    const make = (options: { capacity: number; refill: number; perMs?: number }) => () =>
      rateLimit.tokenBucket(world().driver, { prefix: 'p', ...options });
    const bad = expect.objectContaining({ code: 'BAD_ARGUMENT' });
    expect(make({ capacity: 1, refill: 700_000 })).toThrow(bad);
    expect(make({ capacity: 1_000_000_000, refill: 1, perMs: 86_400_000 })).toThrow(bad);
    expect(make({ capacity: 1, refill: 500_000 })).not.toThrow();
  });
});

// The limit must not come back while the load runs.
function stressOf(form: Form): Stress {
  const limits = { limit: 600, windowMs: LONG };
  return inGenerations({
    workflow: form.workflow,
    async open() {},
    async client(driver, prefix, { id, index, random }) {
      const tally: Tally = {};
      const limiter = form.make(driver, prefix, limits);
      for (let i = 0; i < 25; i++) {
        const cost = 1 + Math.floor(random() * 3);
        // With a request id, which makes it safe to repeat, and without.
        const request = random() < 0.7 ? { requestId: `${index}-${i}` } : {};
        const result = await attempt(tally, () => limiter.take(id, { cost, ...request }));
        if (result?.ok) count(tally, 'taken', cost);
        if (result !== null && unsure(result)) count(tally, 'unsure', cost);
      }
      return tally;
    },
    async check(driver, prefix, id, tally) {
      const taken = tally.taken ?? 0;
      expect(taken).toBeLessThanOrEqual(limits.limit);
      const left = await form.make(driver, prefix, limits).peek(id);
      const used = limits.limit - ('remaining' in left ? left.remaining : Number.NaN);
      // Each unsure request was counted or not; a year's bucket gives nothing back while this runs.
      expectWithin(used, taken, tally.unsure);
      if (used > 0) expect(Number(await raw(driver, 'PTTL', `${prefix}:{${id}}`))).toBeGreaterThan(0);
    },
  });
}

export const fixedWindowStress = stressOf(FORMS.fixedWindow);
export const slidingLogStress = stressOf(FORMS.slidingLog);
export const slidingCounterStress = stressOf(FORMS.slidingCounter);
export const tokenBucketStress = stressOf(FORMS.tokenBucket);
