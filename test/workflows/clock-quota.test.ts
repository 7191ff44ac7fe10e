// Periods of quota under a clock that the tests move, and the property that both mechanisms always answer the same.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import { embedded, type QuotaOptions, type QuotaPeriod, quota } from '../../src/workflows/index.ts';
import { SettableClock } from './settable-clock.ts';
import { raw } from './world.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

async function world(options: Partial<QuotaOptions> = {}) {
  const clock = new SettableClock();
  const db = await open({ clock });
  const driver = embedded(db);
  const all: QuotaOptions = { limit: 10, period: 'day', ...options };
  return { clock, db, driver, quota: quota(driver, all) };
}

const MECHANISMS = ['script', 'watch'] as const;

describe.each(MECHANISMS)('%s', (mechanism) => {
  it('a period ends at its boundary, not a moment earlier', async () => {
    for (const [period, length] of [
      ['minute', MINUTE],
      ['hour', 60 * MINUTE],
      ['day', DAY],
    ] as const) {
      const { clock, driver, quota } = await world({ period, mechanism });
      const start = Math.ceil(clock.now() / length) * length;
      clock.set(start);
      expect(await quota.consume('a', 10)).toMatchObject({ periodMs: start, resetMs: length });
      clock.set(start + length - 1);
      expect(await quota.consume('a', 1)).toMatchObject({ status: 'exceeded', retryAfterMs: 1 });
      expect(await quota.read('a')).toMatchObject({ used: 10, periodMs: start, resetMs: 1 });
      clock.set(start + length);
      expect(await quota.read('a')).toMatchObject({ used: 0, remaining: 10, periodMs: start + length });
      expect(await quota.consume('a', 10)).toMatchObject({ status: 'consumed', periodMs: start + length });
      clock.set(start + 2 * length + 1);
      expect(await raw(driver, 'EXISTS', 'quota:{a}')).toBe(0);
    }
  });

  it('months and leap years are those of the calendar, in the given offset', async () => {
    const moments = [
      '2024-02-29T23:59:59.999Z',
      '2023-02-28T12:00:00.000Z',
      '2000-02-29T00:00:00.000Z',
      '2100-02-28T23:00:00.000Z',
      '2025-12-31T23:59:59.999Z',
      '2026-01-01T00:00:00.000Z',
      '1970-01-01T00:00:00.000Z',
    ];
    for (const offsetMinutes of [0, 330, -720]) {
      const { clock, quota } = await world({ period: 'month', offsetMinutes, mechanism });
      for (const moment of moments) {
        clock.set(Date.parse(moment));
        const local = new Date(clock.now() + offsetMinutes * MINUTE);
        const first = Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), 1) - offsetMinutes * MINUTE;
        const next = Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 1) - offsetMinutes * MINUTE;
        const wanted = { periodMs: first, resetMs: next - clock.now() };
        expect(await quota.read('a'), `${moment} ${offsetMinutes}`).toMatchObject(wanted);
      }
    }
  });

  it('a refund after the end of its period changes nothing', async () => {
    const { clock, quota } = await world({ mechanism });
    const taken = (await quota.consume('a', 6)).orThrow();
    clock.advance(DAY);
    await quota.consume('a', 3);
    expect(await quota.refund('a', 6, taken.periodMs)).toMatchObject({ status: 'period_over', used: 3 });
    expect(await quota.read('a')).toMatchObject({ used: 3 });
  });

  it('no span of a rolling period has more than the limit', async () => {
    const rollingMs = 3000;
    const run = async (steps: readonly (readonly [number, number])[]) => {
      const { clock, db, quota } = await world({ period: { rollingMs }, mechanism });
      const taken: { readonly at: number; readonly amount: number }[] = [];
      for (const [pause, amount] of steps) {
        clock.advance(pause);
        const result = await quota.consume('a', amount);
        if (result.ok) taken.push({ at: clock.now(), amount });
        else if (result.status === 'exceeded') {
          clock.advance(result.retryAfterMs - 1);
          expect(await quota.consume('a', amount)).toMatchObject({ status: 'exceeded', retryAfterMs: 1 });
          clock.advance(1);
          expect(await quota.consume('a', amount)).toMatchObject({ status: 'consumed' });
          taken.push({ at: clock.now(), amount });
        }
      }
      db.close();
      for (const { at } of taken) {
        const span = taken.filter((each) => each.at >= at && each.at < at + rollingMs);
        expect(span.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(10);
      }
    };
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 10 })), {
      maxLength: 30,
    });
    await fc.assert(fc.asyncProperty(steps, run), { numRuns: 30 });
  });

  it('the book of a rolling period stays small however long it is used', async () => {
    const { clock, driver, quota } = await world({ limit: 1000, period: { rollingMs: 3000 }, mechanism });
    for (let i = 0; i < 200; i++) {
      await quota.consume('a', 1);
      clock.advance(37);
      expect(String(await raw(driver, 'GET', 'quota:{a}')).split(' ').length).toBeLessThanOrEqual(31);
    }
  });

  it('a clock that is set back gives nothing away and keeps nobody out for longer than a period', async () => {
    for (const period of ['hour', { rollingMs: 3_600_000 }] as const) {
      const { clock, quota } = await world({ period, mechanism });
      await quota.consume('a', 10);
      clock.set(clock.now() - 100 * DAY);
      const denial = await quota.consume('a', 1);
      if (denial.status !== 'exceeded') throw new Error(denial.status);
      expect(denial.retryAfterMs).toBeLessThanOrEqual(3_600_000 + 120_000);
      clock.advance(denial.retryAfterMs - 1);
      expect(await quota.consume('a', 1)).toMatchObject({ status: 'exceeded' });
      clock.advance(1);
      expect(await quota.consume('a', 1)).toMatchObject({ status: 'consumed', used: 1 });
    }
  });
});

type Step =
  | { readonly op: 'consume'; readonly amount: number; readonly requestId?: string }
  | { readonly op: 'refund'; readonly amount: number; readonly ago: number; readonly requestId?: string }
  | { readonly op: 'read' }
  | { readonly op: 'wait'; readonly ms: number }
  | { readonly op: 'set back'; readonly ms: number };

const amount = fc.integer({ min: 1, max: 12 });
const requestId = fc.option(fc.constantFrom('x', 'y'), { nil: undefined });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('consume' as const), amount, requestId }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('refund' as const), amount, ago: fc.nat({ max: 3 }), requestId }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('read' as const) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.nat({ max: 20 * DAY }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.nat({ max: 2 * MINUTE }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('set back' as const), ms: fc.nat({ max: 40 * DAY }) }),
  },
);

it('the script and the WATCH form always answer the same', async () => {
  const period: fc.Arbitrary<QuotaPeriod> = fc.constantFrom(
    'minute' as const,
    'hour' as const,
    'day' as const,
    'month' as const,
    { rollingMs: 10 * DAY },
    { rollingMs: 1000 },
  );
  const run = async (of: QuotaPeriod, offsetMinutes: number, steps: readonly Step[]) => {
    const clock = new SettableClock();
    const db = await open({ clock });
    const driver = embedded(db);
    const [script, watch] = MECHANISMS.map((mechanism) => ({
      periods: [0],
      quota: quota(driver, { prefix: mechanism, limit: 10, period: of, offsetMinutes, mechanism }),
    }));
    for (const each of steps) {
      if (each.op === 'wait') clock.advance(each.ms);
      else if (each.op === 'set back') clock.set(clock.now() - each.ms);
      else {
        const [a, b] = [await played(script, each), await played(watch, each)];
        expect(b).toEqual(a);
        expect(await raw(driver, 'GET', 'watch:{a}')).toBe(await raw(driver, 'GET', 'script:{a}'));
        expect(await raw(driver, 'PTTL', 'watch:{a}')).toBe(await raw(driver, 'PTTL', 'script:{a}'));
      }
    }
    db.close();
  };
  const offset = fc.constantFrom(0, 60, -345);
  await fc.assert(fc.asyncProperty(period, offset, fc.array(step, { maxLength: 40 }), run), { numRuns: 150 });
});

type Player = { readonly quota: ReturnType<typeof quota>; readonly periods: number[] };

/** What a step answers, without how long it took. */
async function played({ quota, periods }: Player, step: Exclude<Step, { op: 'wait' | 'set back' }>) {
  const result = await (step.op === 'consume'
    ? quota.consume('a', step.amount, { requestId: step.requestId })
    : step.op === 'refund'
      ? quota.refund('a', step.amount, periods.at(-1 - step.ago) ?? 0, { requestId: step.requestId })
      : quota.read('a'));
  if (result.status === 'consumed') periods.push(result.periodMs);
  const { meta, ...outcome } = result;
  const { replayed, retry } = meta;
  // A request id that was used before has no time of its own in the script form.
  return {
    ...outcome,
    replayed,
    retry,
    serverTimeMs: result.status === 'request_reused' ? null : meta.serverTimeMs,
  };
}
