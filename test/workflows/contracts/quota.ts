// Contract of quota: used ≤ limit in the period, in both mechanisms. Boundaries of periods are in ../clock-quota.test.ts.
import { describe, expect, it } from 'vitest';
import { quota as makeQuota, type QuotaOptions } from '../../../src/workflows/index.ts';
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

export const quotaContract: Contract = {
  workflow: 'quota',
  suite(world) {
    for (const mechanism of ['script', 'watch'] as const)
      describe(mechanism, () => promises(mechanism, world));
  },
};

/** Never ends while a test runs, or every ten years once. */
const ROLLING = { rollingMs: 3660 * 86_400_000 };

function promises(mechanism: 'script' | 'watch', world: () => World): void {
  const make = (options: Partial<QuotaOptions> = {}) => {
    const prefix = freshPrefix();
    const all: QuotaOptions = { prefix, limit: 10, period: ROLLING, mechanism, ...options };
    return { prefix, key: `${prefix}:{a}`, quota: makeQuota(world().driver, all) };
  };

  it('consumes up to the limit and no more', async () => {
    const { quota } = make();
    expect(await quota.consume('a', 7)).toMatchObject({
      ok: true,
      status: 'consumed',
      used: 7,
      remaining: 3,
    });
    const denial = await quota.consume('a', 4);
    expect(denial).toMatchObject({ ok: false, status: 'exceeded', used: 7, remaining: 3 });
    expect(denial.status === 'exceeded' && denial.retryAfterMs).toBeGreaterThan(0);
    expect(await quota.consume('a', 3)).toMatchObject({ status: 'consumed', remaining: 0 });
    expect(await quota.read('a')).toMatchObject({ ok: true, status: 'current', used: 10, remaining: 0 });
    expect(await quota.read('b')).toMatchObject({ used: 0, remaining: 10 });
  });

  it('two at once never pass the limit together', async () => {
    const { quota, prefix } = make();
    const options = { prefix, limit: 10, period: ROLLING, mechanism };
    const second = makeQuota(world().other, options);
    const results = await Promise.all([
      ...Array.from({ length: 4 }, () => quota.consume('a', 2, { deadlineMs: 15_000 })),
      ...Array.from({ length: 4 }, () => second.consume('a', 2, { deadlineMs: 15_000 })),
    ]);
    expect(results.filter(({ ok }) => ok)).toHaveLength(5);
    expect(await quota.read('a')).toMatchObject({ used: 10 });
  });

  it('an amount above the limit is refused for ever and leaves nothing', async () => {
    const { quota, key } = make();
    const result = await quota.consume('a', 11);
    expect(result).toMatchObject({ ok: false, status: 'too_large', limit: 10 });
    expect(result).not.toHaveProperty('retryAfterMs');
    expect(await raw(world().driver, 'EXISTS', key)).toBe(0);
  });

  it('a denial writes nothing', async () => {
    const { quota, key } = make();
    await quota.consume('a', 9);
    const before = await raw(world().driver, 'GET', key);
    expect(await quota.consume('a', 2, { requestId: 'r' })).toMatchObject({ status: 'exceeded' });
    expect(await raw(world().driver, 'GET', key)).toBe(before);
    expect(await raw(world().driver, 'EXISTS', `${key}:request:r`)).toBe(0);
    expect(await raw(world().driver, 'EXISTS', `${key}:answer:r`)).toBe(0);
  });

  it('a refund gives back into its period and never below zero', async () => {
    const { quota, key } = make();
    const taken = (await quota.consume('a', 6)).orThrow();
    expect(await quota.refund('a', 2, taken.periodMs)).toMatchObject({ refunded: 2, used: 4, remaining: 6 });
    const rest = await quota.refund('a', 9, taken.periodMs);
    expect(rest).toMatchObject({ ok: true, status: 'refunded', refunded: 4, used: 0, remaining: 10 });
    expect(await quota.refund('a', 1, taken.periodMs)).toMatchObject({ refunded: 0, used: 0 });
    expect(await raw(world().driver, 'EXISTS', key)).toBe(0);
  });

  it('a refund of a period that is over changes nothing', async () => {
    const { quota, key } = make({ period: 'hour' });
    const taken = (await quota.consume('a', 6)).orThrow();
    const before = await raw(world().driver, 'GET', key);
    const late = await quota.refund('a', 2, taken.periodMs - 3_600_000);
    expect(late).toMatchObject({ ok: false, status: 'period_over', used: 6, remaining: 4 });
    expect(await raw(world().driver, 'GET', key)).toBe(before);
  });

  it('a request id makes repetitions free, of refunds as well', async () => {
    const { quota } = make();
    const first = (await quota.consume('a', 6, { requestId: 'c' })).orThrow();
    const again = await quota.consume('a', 6, { requestId: 'c' });
    expect(again).toMatchObject({ status: 'consumed', used: 6, meta: { replayed: true, requestId: 'c' } });
    expect(await quota.consume('a', 5, { requestId: 'c' })).toMatchObject({ status: 'request_reused' });
    await quota.refund('a', 2, first.periodMs, { requestId: 'f' });
    const repeated = await quota.refund('a', 2, first.periodMs, { requestId: 'f' });
    expect(repeated).toMatchObject({ refunded: 2, used: 4, meta: { replayed: true } });
    expect(await quota.read('a')).toMatchObject({ used: 4, remaining: 6 });
  });

  it('says what a blind repetition would do', async () => {
    const { quota } = make();
    expect((await quota.consume('a', 1)).meta.retry).toBe('never');
    expect((await quota.consume('a', 1, { requestId: 'r' })).meta.retry).toBe('same-request-id');
    expect((await quota.read('a')).meta.retry).toBe('always');
  });

  it('every key it leaves has a time to live', async () => {
    const { quota, key } = make({ period: 'day' });
    const taken = (await quota.consume('a', 1, { requestId: 'r' })).orThrow();
    const ttl = Number(await raw(world().driver, 'PTTL', key));
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(taken.resetMs);
    const record = `${key}:${mechanism === 'watch' ? 'answer' : 'request'}:r`;
    expect(Number(await raw(world().driver, 'PTTL', record))).toBeGreaterThan(500_000);
  });

  it('allows again after the wait that it names', async () => {
    const { quota } = make({ limit: 4, period: { rollingMs: 600 } });
    await quota.consume('a', 4);
    const denial = await quota.consume('a', 4);
    if (denial.status !== 'exceeded') throw new Error(denial.status);
    expect(denial.retryAfterMs).toBeLessThanOrEqual(620);
    await sleep(denial.retryAfterMs + 2);
    expect(await quota.consume('a', 4)).toMatchObject({ status: 'consumed' });
  });

  it('counts large numbers exactly', async () => {
    const limit = 2 ** 52;
    const { quota } = make({ limit });
    await quota.consume('a', limit - 1);
    expect(await quota.consume('a', 1)).toMatchObject({ status: 'consumed', used: limit, remaining: 0 });
    expect(await quota.consume('a', 1)).toMatchObject({ status: 'exceeded', used: limit });
  });

  it('refuses what makes no sense before anything is sent', async () => {
    const bad = { code: 'BAD_ARGUMENT' };
    const { quota } = make();
    for (const amount of [0, -1, 1.5, 2 ** 53]) {
      await expect(quota.consume('a', amount)).rejects.toMatchObject(bad);
      await expect(quota.refund('a', amount, 0)).rejects.toMatchObject(bad);
    }
    await expect(quota.refund('a', 1, 0.5)).rejects.toMatchObject(bad);
    await expect(quota.read('')).rejects.toMatchObject(bad);
    const wrong: Partial<QuotaOptions>[] = [
      { limit: 0 },
      { period: 'week' as never },
      { period: { rollingMs: 0 } },
      { offsetMinutes: 1440 },
      { mechanism: 'lock' as never },
    ];
    for (const options of wrong) expect(() => make(options)).toThrow(expect.objectContaining(bad));
  });
}

const LIMIT = 300;

export const quotaStress: Stress = inGenerations({
  workflow: 'quota',
  async open() {},
  async client(driver, prefix, { id, index, random }) {
    const tally: Tally = {};
    // Only the script remembers requests; under WATCH a lost reply is unknown.
    const mechanism = index % 3 === 0 ? 'watch' : 'script';
    const mine = makeQuota(driver, { prefix, limit: LIMIT, period: ROLLING, mechanism });
    const request = (name: string) => (mechanism === 'script' ? { requestId: name } : {});
    for (let i = 0; i < 25; i++) {
      const amount = 1 + Math.floor(random() * 4);
      const taken = await attempt(tally, () => mine.consume(id, amount, request(`${index}-${i}`)));
      if (taken === null) continue;
      if (unsure(taken)) count(tally, 'perhaps more', amount);
      if (taken.status !== 'consumed') continue;
      count(tally, 'used', amount);
      if (taken.used > LIMIT) count(tally, 'broken');
      if (random() < 0.4) continue;
      const { periodMs } = taken;
      const back = await attempt(tally, () =>
        mine.refund(id, amount, periodMs, request(`${index}-${i}-back`)),
      );
      if (back?.status === 'refunded') count(tally, 'used', -back.refunded);
      if (back !== null && unsure(back)) count(tally, 'perhaps less', amount);
    }
    return tally;
  },
  async check(driver, prefix, id, tally) {
    const book = await raw(driver, 'GET', `${prefix}:{${id}}`);
    const used = String(book ?? '')
      .split(' ')
      .reduce((sum, slot) => sum + Number(slot.split(':')[1] ?? 0), 0);
    expect(tally.broken ?? 0).toBe(0);
    expectWithin(used, 0, LIMIT);
    const less = tally['perhaps less'] ?? 0;
    expectWithin(used, (tally.used ?? 0) - less, less + (tally['perhaps more'] ?? 0));
  },
});
