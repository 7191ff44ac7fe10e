// Contract of idempotency: one execution per key, later calls replay the first result.
import { expect, it } from 'vitest';
import { idempotency, Lost } from '../../../src/workflows/index.ts';
import { inGenerations } from '../generations.ts';
import {
  attempt,
  type Contract,
  count,
  freshPrefix,
  named,
  raw,
  type Stress,
  sleep,
  type Tally,
} from '../world.ts';

const LONG = 20_000;

export const idempotencyContract: Contract = {
  workflow: 'idempotency',
  suite(world) {
    const make = (leaseMs = LONG, more: { recordTtlMs?: number; maxResultBytes?: number } = {}) => {
      const prefix = freshPrefix();
      const mine = idempotency(world().driver, { prefix, leaseMs, ...more });
      return { prefix, mine, theirs: idempotency(world().other, { prefix, leaseMs, ...more }) };
    };
    const print = { fingerprint: 'f' };

    it('one starts, others wait, and later calls get the first result', async () => {
      const { mine, theirs } = make();
      const started = await mine.begin('k', print);
      expect(started).toMatchObject({ ok: true, status: 'started', attempt: 1, takeover: false });
      const busy = await theirs.begin('k', print);
      expect(busy).toMatchObject({ ok: false, status: 'in_progress', attempt: 1 });
      if (busy.status === 'in_progress') expect(busy.leaseLeftMs).toBeGreaterThan(LONG / 2);
      if (started.status !== 'started') return;
      expect((await mine.complete('k', started.owner, { paid: 7 })).status).toBe('recorded');
      expect(await theirs.begin('k', print)).toMatchObject({
        ok: true,
        status: 'completed',
        result: { paid: 7 },
        meta: { replayed: true },
      });
    });

    it('another fingerprint is a conflict, in every state', async () => {
      const { mine } = make();
      const other = { fingerprint: 'g' };
      await mine.begin('k', { ...print, owner: 'me' });
      expect((await mine.begin('k', other)).status).toBe('conflict');
      await mine.complete('k', 'me', 1);
      expect((await mine.begin('k', other)).status).toBe('conflict');
      await mine.begin('f', { ...print, owner: 'me' });
      await mine.fail('f', 'me', { error: 'x', final: false });
      expect((await mine.begin('f', other)).status).toBe('conflict');
    });

    it('a failure for now is tried again, one for good is not', async () => {
      const { mine } = make();
      await mine.begin('k', { ...print, owner: 'one' });
      expect((await mine.fail('k', 'one', { error: 'timeout', final: false })).status).toBe('recorded');
      expect(await mine.begin('k', { ...print, owner: 'two' })).toMatchObject({
        status: 'started',
        attempt: 2,
        takeover: false,
      });
      expect((await mine.fail('k', 'two', { error: 'no funds', final: true })).status).toBe('recorded');
      expect(await mine.begin('k', print)).toMatchObject({
        ok: false,
        status: 'failed_final',
        error: 'no funds',
        attempt: 2,
      });
    });

    it('takeover after the lease raises the attempt, and the late completion is stale', async () => {
      const { mine, theirs } = make(60);
      await mine.begin('k', { ...print, owner: 'slow' });
      await sleep(120);
      expect(await theirs.begin('k', { ...print, owner: 'fast' })).toMatchObject({
        status: 'started',
        attempt: 2,
        takeover: true,
      });
      expect(await mine.complete('k', 'slow', 'late')).toMatchObject({
        ok: false,
        status: 'stale',
        attempt: 2,
      });
      expect((await mine.fail('k', 'slow', { error: 'late', final: true })).status).toBe('stale');
      expect((await mine.heartbeat('k', 'slow')).status).toBe('stale');
      expect((await theirs.complete('k', 'fast', 'good')).status).toBe('recorded');
      expect((await mine.complete('k', 'slow', 'late')).status).toBe('stale');
      expect(await mine.begin('k', print)).toMatchObject({ status: 'completed', result: 'good' });
    });

    it('who is late but was not taken over still completes', async () => {
      const { mine } = make(40);
      await mine.begin('k', { ...print, owner: 'me' });
      await sleep(90);
      expect((await mine.heartbeat('k', 'me')).status).toBe('extended');
      expect((await mine.complete('k', 'me', 1)).status).toBe('recorded');
    });

    it('each call may be sent again', async () => {
      const { mine } = make();
      const first = await mine.begin('k', { ...print, owner: 'me' });
      const again = await mine.begin('k', { ...print, owner: 'me' });
      expect(first.meta).toMatchObject({ retry: 'always', replayed: false, requestId: 'me' });
      expect(again).toMatchObject({ status: 'started', attempt: 1, meta: { replayed: true } });
      await mine.complete('k', 'me', [1]);
      expect(await mine.complete('k', 'me', [1])).toMatchObject({
        status: 'recorded',
        meta: { replayed: true },
      });
      expect((await mine.complete('k', 'me', [2])).status).toBe('stale');
      expect((await mine.fail('k', 'me', { error: 'x', final: true })).status).toBe('stale');
      expect(await mine.begin('k', print)).toMatchObject({ result: [1] });
    });

    it('the lease is not the lifetime of the record', async () => {
      const { mine, prefix } = make(50, { recordTtlMs: LONG });
      await mine.begin('k', { ...print, owner: 'me' });
      await sleep(100);
      const ttl = Number(await raw(world().driver, 'PTTL', `${prefix}:{k}`));
      expect(ttl).toBeGreaterThan(LONG / 2);
      expect(ttl).toBeLessThanOrEqual(LONG);
    });

    it('a completion without a record is stale and writes nothing', async () => {
      const { mine, prefix } = make();
      expect(await mine.complete('k', 'me', 1)).toMatchObject({ status: 'stale', attempt: 0 });
      expect(await raw(world().driver, 'EXISTS', `${prefix}:{k}`)).toBe(0);
    });

    it('run() executes once and replays to the others, who wait', async () => {
      const { mine, theirs } = make();
      let runs = 0;
      const work = async ({ attempt }: { attempt: number }) => {
        runs++;
        await sleep(50);
        return { attempt, nothing: undefined };
      };
      const calls = [mine, theirs, mine, theirs].map((once) => once.run('k', 'f', work, { waitMs: 10_000 }));
      const results = await Promise.all(calls);
      expect(runs).toBe(1);
      for (const result of results) {
        expect(result).toMatchObject({ status: 'completed', attempt: 1 });
        if (result.status === 'completed') expect(result.result).toStrictEqual({ attempt: 1 });
      }
      expect(results.filter(({ meta }) => !meta.replayed)).toHaveLength(1);
      expect((await mine.run('k', 'g', work)).status).toBe('conflict');
    });

    // Again where the machine stood still for longer than the lease.
    it('run() renews its lease, so that nobody takes over a long execution', { retry: 4 }, async () => {
      const { mine, theirs } = make(400);
      const running = mine.run('k', 'f', async ({ signal }) => {
        await sleep(800);
        return signal.aborted;
      });
      await sleep(600);
      expect((await theirs.run('k', 'f', () => true)).status).toBe('in_progress');
      expect(await running).toMatchObject({ status: 'completed', result: false });
    });

    it('run() records failures: the next call tries again, unless it was final', async () => {
      const { mine } = make();
      const failing = (message: string) => () => {
        throw new Error(message);
      };
      await expect(mine.run('k', 'f', failing('busy'))).rejects.toThrow('busy');
      expect(await mine.run('k', 'f', ({ attempt }) => attempt)).toMatchObject({ result: 2 });
      await expect(mine.run('l', 'f', failing('no'), { isFinal: () => true })).rejects.toThrow('no');
      expect(await mine.run('l', 'f', () => 1)).toMatchObject({ status: 'failed_final', error: 'no' });
    });

    it('job lock lost (bullmq#3183): the execution that was taken over is told, and its result does not count', async () => {
      const { mine, theirs, prefix } = make(90);
      const told: string[] = [];
      const lost = await mine.run(
        'k',
        'f',
        async ({ signal }) => {
          await raw(world().driver, 'HSET', `${prefix}:{k}`, 'ends', 0);
          expect((await theirs.begin('k', { ...print, owner: 'other' })).status).toBe('started');
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return 'mine';
        },
        { onLost: ({ code }) => told.push(code) },
      );
      expect(lost).toMatchObject({ ok: false, status: 'stale', result: 'mine', attempt: 1 });
      expect(told).toEqual(['LEASE_LOST']);
      await theirs.complete('k', 'other', 'theirs');
      expect(await mine.run('k', 'f', () => 'again')).toMatchObject({ result: 'theirs' });
    });

    it('the result is bounded; one that cannot be kept fails the key for good, for the work was done', async () => {
      const { mine } = make(LONG, { maxResultBytes: 100 });
      await mine.begin('k', { ...print, owner: 'me' });
      await expect(mine.complete('k', 'me', 'x'.repeat(99))).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      await expect(mine.complete('k', 'me', 'ä'.repeat(50))).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      expect((await mine.complete('k', 'me', 'x'.repeat(98))).status).toBe('recorded');
      await expect(mine.run('l', 'f', () => 'x'.repeat(99))).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      await expect(mine.run('m', 'f', () => 1n)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      expect((await mine.run('l', 'f', () => 1)).status).toBe('failed_final');
      expect((await mine.run('m', 'f', () => 1)).status).toBe('failed_final');
    });

    it('refuses wrong arguments before anything is sent', async () => {
      const { mine } = make();
      const wrong = { code: 'BAD_ARGUMENT' };
      expect(() => idempotency(world().driver, { leaseMs: 1000, recordTtlMs: 1000 })).toThrow(
        expect.objectContaining(wrong),
      );
      await expect(mine.begin('', print)).rejects.toMatchObject(wrong);
      await expect(mine.begin('k', { fingerprint: '' })).rejects.toMatchObject(wrong);
      await expect(mine.begin('k', { ...print, owner: '' })).rejects.toMatchObject(wrong);
      await expect(mine.complete('k', '', 1)).rejects.toMatchObject(wrong);
    });
  },
};

const KEYS = 40;

export const idempotencyStress: Stress = inGenerations({
  workflow: 'idempotency',
  async open() {},
  async client(driver, prefix, { id, index, random }) {
    const tally: Tally = {};
    // No execution is taken over while this runs.
    const once = idempotency(driver, { prefix, leaseMs: 3_600_000 });
    for (let i = 0; i < 20; i++) {
      const key = `${id}-${Math.floor(random() * KEYS)}`;
      const name = `${index}-${i}`;
      const work = async (): Promise<string> => {
        if (random() < 0.3) throw new ForNow();
        await raw(driver, 'RPUSH', `${prefix}:{${key}}:effects`, name).catch((error) => {
          if (error instanceof Lost) count(tally, `lost ${key}`);
          throw new ForNow();
        });
        return name;
      };
      try {
        const waitMs = random() < 0.5 ? 0 : 100;
        const ran = await attempt(tally, () => once.run(key, 'f', work, { waitMs }));
        if (ran?.status === 'completed') count(tally, `result ${key} ${ran.result}`);
        if (ran?.status === 'stale' || ran?.status === 'conflict') count(tally, ran.status);
      } catch (error) {
        if (!(error instanceof ForNow)) throw error;
        count(tally, 'failed');
      }
    }
    return tally;
  },
  async check(driver, prefix, id, tally) {
    expect(tally.stale ?? 0).toBe(0);
    expect(tally.conflict ?? 0).toBe(0);
    for (let k = 0; k < KEYS; k++) {
      const key = `${id}-${k}`;
      const effects = (await raw(driver, 'LRANGE', `${prefix}:{${key}}:effects`, 0, -1)) as string[];
      const results = [...named(tally, `result ${key} `).keys()];
      // All are told of one effect, and there is no other but such whose own caller knows no better.
      expect(results.length, `results of ${key}`).toBeLessThanOrEqual(1);
      expect(effects).toEqual(expect.arrayContaining(results));
      expect(effects.length, `effects of ${key}`).toBeLessThanOrEqual(1 + (tally[`lost ${key}`] ?? 0));
    }
  },
});

/** The work fails, and may be tried again. */
class ForNow extends Error {}
