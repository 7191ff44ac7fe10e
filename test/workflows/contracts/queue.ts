// Contract of queue: no job is lost, and one live worker owns it.
import { expect, it } from 'vitest';
import {
  AtomicError,
  type Driver,
  type EnqueueOptions,
  type Job,
  JobLost,
  type JobQueue,
  type QueueOptions,
  queue,
} from '../../../src/workflows/index.ts';
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
  unsure,
} from '../world.ts';

/** A lease whose end no test sees. */
const LONG = 60_000;

async function claimAll(jobs: JobQueue, limit = 100, leaseMs = LONG): Promise<readonly Job[]> {
  const claimed = await jobs.claim('q', { worker: 'w', leaseMs, limit });
  return claimed.status === 'claimed' ? claimed.jobs : [];
}

async function claimOne(jobs: JobQueue, leaseMs = LONG, worker = 'w'): Promise<Job> {
  return (await jobs.claim('q', { worker, leaseMs })).orThrow().jobs[0];
}

async function until(condition: () => boolean, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !condition() && Date.now() < end; ) await sleep(5);
}

export const queueContract: Contract = {
  workflow: 'queue',
  suite(world) {
    const make = (options: QueueOptions = {}) => {
      const prefix = freshPrefix();
      const jobs = queue(world().driver, { ...options, prefix });
      const put = async (payload: string, wanted?: EnqueueOptions) => {
        const enqueued = (await jobs.enqueue('q', payload, wanted)).orThrow();
        return enqueued.id;
      };
      const stats = async () => {
        const { waiting, delayed, active, dead } = (await jobs.stats('q')).orThrow();
        return { waiting, delayed, active, dead };
      };
      return { prefix, jobs, other: queue(world().other, { ...options, prefix }), put, stats };
    };

    it('gives out jobs by priority and then by age, each with a token, and ends them once', async () => {
      const { jobs, put, stats } = make();
      const ids = [];
      for (const [payload, priority] of [
        ['c', 5],
        ['d', 5],
        ['a', 0],
        ['e', 9],
        ['b', 1],
      ] as const) {
        ids.push(await put(payload, { priority }));
      }
      const claimed = await claimAll(jobs, 3);
      expect(claimed.map(({ payload }) => payload)).toEqual(['a', 'b', 'c']);
      expect(claimed[0]).toMatchObject({ id: ids[2], attempt: 1, maxAttempts: 5, priority: 0 });
      expect(new Set(claimed.map(({ token }) => token)).size).toBe(3);
      expect(await stats()).toEqual({ waiting: 2, delayed: 0, active: 3, dead: 0 });
      for (const replayed of [false, true]) {
        expect(await jobs.complete('q', claimed[0])).toMatchObject({
          status: 'completed',
          meta: { replayed },
        });
      }
      expect(await jobs.fail('q', claimed[0])).toMatchObject({ ok: false, status: 'lost' });
      expect((await claimAll(jobs)).map(({ payload }) => payload)).toEqual(['d', 'e']);
      expect(await stats()).toEqual({ waiting: 0, delayed: 0, active: 4, dead: 0 });
    });

    it('an empty queue says when something will be due', async () => {
      const { jobs, put } = make();
      const empty = await jobs.claim('q', { worker: 'w', leaseMs: LONG });
      expect(empty).toMatchObject({ ok: false, status: 'empty', nextMs: null });
      await put('later', { delayMs: LONG });
      const next = await jobs.claim('q', { worker: 'w', leaseMs: LONG });
      expect(next.status === 'empty' && Number(next.nextMs)).toBeGreaterThan(Number(next.meta.serverTimeMs));
    });

    it('a delayed job is not given out before its time', async () => {
      const { jobs, put, stats } = make();
      const before = Date.now();
      await put('later', { delayMs: 150 });
      expect((await stats()).delayed).toBe(1);
      let got: readonly Job[] = [];
      while (got.length === 0 && Date.now() < before + 10_000) {
        got = await claimAll(jobs);
        await sleep(5);
      }
      expect(got.map(({ payload }) => payload)).toEqual(['later']);
      expect(Date.now() - before).toBeGreaterThanOrEqual(149);
    });

    it('a job whose lock was lost goes to another, and the first can neither end nor keep it (bullmq#3183)', async () => {
      const { jobs, other, put, stats } = make();
      await put('x');
      const first = await claimOne(jobs, 40, 'one');
      await sleep(80);
      const second = await claimOne(other, LONG, 'two');
      expect(second).toMatchObject({ id: first.id, attempt: 2 });
      expect(BigInt(second.token)).toBeGreaterThan(BigInt(first.token));
      expect(await jobs.heartbeat('q', first, LONG)).toMatchObject({ ok: false, status: 'lost' });
      expect(await jobs.complete('q', first)).toMatchObject({ ok: false, status: 'lost' });
      expect(await jobs.fail('q', first)).toMatchObject({ ok: false, status: 'lost' });
      expect(await stats()).toMatchObject({ active: 1 });
      expect(await other.complete('q', second)).toMatchObject({ status: 'completed' });
    });

    it('heartbeats never revive: neither a lease that is over nor a job that is gone', async () => {
      const { jobs, put } = make();
      await put('x');
      const job = await claimOne(jobs, 40);
      await sleep(80);
      // Nobody has taken it back yet.
      expect(await jobs.heartbeat('q', job, LONG)).toMatchObject({ ok: false, status: 'lost' });
      expect((await jobs.reclaim('q')).orThrow()).toMatchObject({ status: 'done', returned: 1, died: 0 });
      expect(await jobs.heartbeat('q', job, LONG)).toMatchObject({ status: 'lost' });
      const again = await claimOne(jobs);
      await jobs.complete('q', again);
      expect(await jobs.heartbeat('q', again, LONG)).toMatchObject({ status: 'lost' });
    });

    it('nobody takes a job back from a worker that is alive (sidekiq-unique-jobs#488)', async () => {
      const { jobs, other, put } = make();
      await put('x');
      let job = await claimOne(jobs, 400);
      const end = Date.now() + 900;
      while (Date.now() < end) {
        const beat = await jobs.heartbeat('q', job, 400);
        expect(beat).toMatchObject({ ok: true, status: 'extended' });
        job = { ...job, leaseUntilMs: beat.ok ? beat.leaseUntilMs : 0 };
        expect(await other.reclaim('q')).toMatchObject({ status: 'done', returned: 0 });
        expect(await claimAll(other)).toEqual([]);
        await sleep(30);
      }
      expect(await jobs.complete('q', job)).toMatchObject({ status: 'completed' });
    });

    it('a dedup id stays taken while its job lives, however short the window (sidekiq-unique-jobs#488)', async () => {
      const { jobs, put } = make();
      const id = await put('x', { dedupId: 'd', dedupMs: 30 });
      await claimOne(jobs);
      await sleep(60);
      for (let i = 0; i < 2; i++) {
        expect(await jobs.enqueue('q', 'y', { dedupId: 'd', dedupMs: 30 })).toMatchObject({
          ok: true,
          status: 'duplicate',
          id,
        });
      }
    });

    it('a dedup id is free again after its window and its job, and is pruned', async () => {
      const { prefix, jobs, put } = make();
      const id = await put('x', { dedupId: 'd', dedupMs: 400 });
      await jobs.complete('q', await claimOne(jobs));
      expect(await jobs.enqueue('q', 'x', { dedupId: 'd' })).toMatchObject({ status: 'duplicate', id });
      await sleep(450);
      expect(await jobs.enqueue('q', 'x', { dedupId: 'd', dedupMs: 20 })).toMatchObject({
        status: 'enqueued',
      });
      await jobs.complete('q', await claimOne(jobs));
      await sleep(60);
      await put('other');
      expect(await raw(world().driver, 'HLEN', `${prefix}:{q}:twins`)).toBe(0);
      expect(await raw(world().driver, 'ZCARD', `${prefix}:{q}:windows`)).toBe(0);
    });

    it('of complete and reclaim exactly one wins', async () => {
      const { jobs, other, put, stats } = make();
      for (let i = 0; i < 30; i++) {
        await put(`x${i}`, { maxAttempts: 1 });
        const job = await claimOne(jobs, 1 + (i % 6));
        const [ended, taken] = await Promise.all([jobs.complete('q', job), other.reclaim('q')]);
        const won = taken.orThrow().died === 1;
        expect(ended.status).toBe(won ? 'lost' : 'completed');
      }
      expect(await stats()).toMatchObject({ waiting: 0, active: 0 });
    });

    it('a late completion counts as long as nobody has taken the job back', async () => {
      const { jobs, put, stats } = make();
      await put('x');
      const job = await claimOne(jobs, 20);
      await sleep(50);
      expect(await jobs.complete('q', job)).toMatchObject({ status: 'completed' });
      expect(await stats()).toEqual({ waiting: 0, delayed: 0, active: 0, dead: 0 });
    });

    it('a job that crashes its workers is dead after its last attempt, and can be read and requeued', async () => {
      const { jobs, put, stats } = make();
      const id = await put('poison', { maxAttempts: 2, priority: 3 });
      for (let attempt = 1; attempt <= 2; attempt++) {
        expect(await claimOne(jobs, 20, 'frail')).toMatchObject({ id, attempt });
        await sleep(50);
      }
      expect(await claimAll(jobs)).toEqual([]);
      expect(await stats()).toEqual({ waiting: 0, delayed: 0, active: 0, dead: 1 });
      const { jobs: dead } = (await jobs.dead('q')).orThrow();
      expect(dead).toMatchObject([{ id, payload: 'poison', attempts: 2, priority: 3 }]);
      expect(dead[0].error).toContain('frail');
      expect(await jobs.requeue('q', id)).toMatchObject({ status: 'requeued', meta: { replayed: false } });
      expect(await jobs.requeue('q', id)).toMatchObject({ status: 'requeued', meta: { replayed: true } });
      expect(await claimOne(jobs)).toMatchObject({ id, attempt: 1 });
      expect(await jobs.requeue('q', 'none')).toMatchObject({ ok: false, status: 'unknown_job' });
    });

    it('a failed job waits for its delay, or dies where trying again is no use', async () => {
      const { jobs, put, stats } = make();
      await put('a');
      await put('b', { maxAttempts: 1 });
      await put('c');
      const [a, b, c] = await claimAll(jobs);
      const later = await jobs.fail('q', a, { delayMs: LONG, error: 'busy' });
      expect(later).toMatchObject({ ok: true, status: 'retried', meta: { replayed: false } });
      expect(await jobs.fail('q', a, { delayMs: LONG })).toMatchObject({
        status: 'retried',
        dueMs: later.status === 'retried' ? later.dueMs : -1,
        meta: { replayed: true },
      });
      expect(await jobs.fail('q', b, { error: 'last one' })).toMatchObject({ status: 'dead' });
      expect(await jobs.fail('q', c, { retryable: false, error: 'bad input' })).toMatchObject({
        status: 'dead',
      });
      expect(await stats()).toEqual({ waiting: 0, delayed: 1, active: 0, dead: 2 });
      expect(await jobs.complete('q', c)).toMatchObject({ status: 'lost' });
      await put('d');
      const d = await claimOne(jobs);
      await jobs.fail('q', d);
      expect(await claimOne(jobs)).toMatchObject({ id: d.id, attempt: 2 });
    });

    it('keeps so many dead jobs, the last to die', async () => {
      const { prefix, jobs, put } = make({ maxDead: 2 });
      for (const payload of ['a', 'b', 'c']) {
        await put(payload);
        await jobs.fail('q', await claimOne(jobs), { retryable: false });
        await sleep(3);
      }
      const { jobs: dead } = (await jobs.dead('q', { limit: 10 })).orThrow();
      expect(dead.map(({ payload }) => payload)).toEqual(['c', 'b']);
      expect((await jobs.dead('q', { offset: 1 })).orThrow().jobs).toHaveLength(1);
      for (const part of ['jobs', 'payloads']) {
        expect(await raw(world().driver, 'HLEN', `${prefix}:{q}:${part}`)).toBe(2);
      }
    });

    it('a lost answer strands no job: the same request gets the same jobs while they are its own', async () => {
      const { jobs, put } = make();
      await put('a');
      await put('b');
      await put('c');
      const ask = (limit: number) => jobs.claim('q', { worker: 'w', leaseMs: LONG, limit, requestId: 'r' });
      const first = (await ask(2)).orThrow().jobs;
      const again = await ask(2);
      expect(again.meta).toMatchObject({ replayed: true, retry: 'same-request-id' });
      expect(again.orThrow().jobs).toEqual(first);
      await jobs.complete('q', first[0]);
      expect((await ask(2)).orThrow().jobs).toEqual([first[1]]);
      expect(await ask(1)).toMatchObject({ ok: false, status: 'request_reused' });
      expect((await claimOne(jobs)).payload).toBe('c');
    });

    it('a repeated enqueue puts one job in', async () => {
      const { jobs, stats } = make();
      const put = () => jobs.enqueue('q', 'x', { requestId: 'r' });
      const first = await put();
      expect(await put()).toMatchObject({ id: first.ok ? first.id : '', meta: { replayed: true } });
      expect(await stats()).toMatchObject({ waiting: 1 });
      expect((await jobs.enqueue('q', 'x')).meta).toMatchObject({ retry: 'same-request-id' });
    });

    it('payloads come back as they were', async () => {
      const { jobs, put } = make();
      const payloads = ['', '{"a":[1,null]}', 'ümläut 🚲\n\0end', 'x'.repeat(100_000)];
      for (const payload of payloads) await put(payload);
      expect((await claimAll(jobs)).map(({ payload }) => payload)).toEqual(payloads);
    });

    it('a queue has an end, and nothing in it expires', async () => {
      const { prefix, jobs, put } = make({ maxLength: 2 });
      await put('a');
      await put('b', { delayMs: LONG, dedupId: 'd' });
      expect(await jobs.enqueue('q', 'c')).toMatchObject({ ok: false, status: 'full' });
      await claimOne(jobs);
      for (const part of ['jobs', 'payloads', 'delayed', 'active', 'numbers', 'twins']) {
        expect(await raw(world().driver, 'PTTL', `${prefix}:{q}:${part}`)).toBe(-1);
      }
    });

    it('many claimers: each job goes to one', async () => {
      const { jobs, other, put } = make();
      for (let i = 0; i < 60; i++) await put(`x${i}`);
      const claims = await Promise.all(
        Array.from({ length: 40 }, (_, i) => claimAll(i % 2 ? jobs : other, 1 + (i % 3))),
      );
      const ids = claims.flat().map(({ id }) => id);
      expect(ids).toHaveLength(60);
      expect(new Set(ids).size).toBe(60);
    });

    it('reclaims by bounded steps: partial, then done', async () => {
      const { jobs, put, stats } = make();
      for (let i = 0; i < 5; i++) await put(`x${i}`);
      await claimAll(jobs, 5, 20);
      await sleep(50);
      expect(await jobs.reclaim('q', 3)).toMatchObject({ status: 'partial', returned: 3 });
      expect(await jobs.reclaim('q', 3)).toMatchObject({ status: 'done', returned: 2 });
      expect(await stats()).toMatchObject({ waiting: 5, active: 0 });
    });

    it('work: runs all jobs, so many at once, and tries failed ones again', async () => {
      const { jobs, put, stats } = make();
      for (let i = 0; i < 12; i++) await put(`x${i}`, { maxAttempts: 3 });
      await put('bad', { maxAttempts: 3 });
      const stop = new AbortController();
      const done: string[] = [];
      const failures: number[] = [];
      let running = 0;
      let most = 0;
      const loop = jobs.work(
        'q',
        async ({ payload, attempt }) => {
          running++;
          most = Math.max(most, running);
          await sleep(5);
          running--;
          if (payload === 'bad') {
            failures.push(attempt);
            throw new Error('no');
          }
          if (payload === 'x3' && attempt === 1) throw new Error('once');
          done.push(payload);
        },
        { signal: stop.signal, concurrency: 3, pollMs: 10, retryDelayMs: () => 5 },
      );
      await until(() => done.length === 12 && failures.length === 3);
      stop.abort();
      await loop;
      expect(new Set(done).size).toBe(12);
      expect(failures).toEqual([1, 2, 3]);
      expect(most).toBe(3);
      expect(await stats()).toEqual({ waiting: 0, delayed: 0, active: 0, dead: 1 });
      expect((await jobs.dead('q')).orThrow().jobs[0]).toMatchObject({ payload: 'bad', error: 'no' });
    });

    it('work: a job that takes longer than its lease is kept by heartbeats', async () => {
      const { jobs, other, put } = make();
      await put('slow');
      const stop = new AbortController();
      const runs: number[] = [];
      const errors: unknown[] = [];
      const options = {
        signal: stop.signal,
        leaseMs: 1200,
        pollMs: 10,
        onError: (e: unknown) => errors.push(e),
      };
      let ended = false;
      const handler = async ({ attempt }: Job) => {
        runs.push(attempt);
        await sleep(2500);
        ended = true;
      };
      const loops = [jobs.work('q', handler, options), other.work('q', handler, options)];
      await until(() => ended);
      stop.abort();
      await Promise.all(loops);
      expect(errors.map(String)).toEqual([]);
      expect(runs).toEqual([1]);
    });

    it('work: the handler hears when its job is lost, and another worker does it (bullmq#3183)', async () => {
      const { prefix, jobs, put, stats } = make();
      const id = await put('x');
      const stop = new AbortController();
      const errors: unknown[] = [];
      let reason: unknown;
      let second: Job | undefined;
      const loop = jobs.work(
        'q',
        async (job, signal) => {
          if (job.attempt > 1) {
            second = job;
            return;
          }
          const heard = new Promise((resolve) => signal.addEventListener('abort', resolve));
          // As when the worker had stood still: somebody else took the job back.
          await raw(world().other, 'ZADD', `${prefix}:{q}:active`, 1, id);
          await jobs.reclaim('q');
          await heard;
          reason = signal.reason;
        },
        {
          signal: stop.signal,
          concurrency: 2,
          leaseMs: 90,
          pollMs: 10,
          onError: (error) => errors.push(error),
        },
      );
      await until(() => second !== undefined && reason !== undefined);
      stop.abort();
      await loop;
      expect(reason).toBeInstanceOf(JobLost);
      expect(errors[0]).toBeInstanceOf(JobLost);
      expect(second?.id).toBe(id);
      expect(await stats()).toEqual({ waiting: 0, delayed: 0, active: 0, dead: 0 });
    });

    it('work: stops when told, and waits for what runs', async () => {
      const { jobs, put, stats } = make();
      await put('a');
      await put('b');
      const stop = new AbortController();
      let finished = 0;
      await jobs.work(
        'q',
        async () => {
          stop.abort();
          await sleep(30);
          finished++;
        },
        { signal: stop.signal },
      );
      expect(finished).toBe(1);
      expect(await stats()).toMatchObject({ waiting: 1, active: 0 });
    });

    it('refuses what makes no sense before sending it', async () => {
      const { jobs } = make();
      const job = { id: '1', token: '1' };
      const calls = [
        () => jobs.enqueue('', 'x'),
        () => jobs.enqueue('q', 1 as never),
        () => jobs.enqueue('q', 'x'.repeat(1_000_001)),
        () => jobs.enqueue('q', 'x', { priority: 10 }),
        () => jobs.enqueue('q', 'x', { delayMs: -1 }),
        () => jobs.enqueue('q', 'x', { maxAttempts: 0 }),
        () => jobs.enqueue('q', 'x', { dedupId: '' }),
        () => jobs.claim('q', { worker: 'w', leaseMs: 0 }),
        () => jobs.claim('q', { worker: '', leaseMs: 1 }),
        () => jobs.claim('q', { worker: 'w', leaseMs: 1, limit: 101 }),
        () => jobs.complete('q', { ...job, token: '' }),
        () => jobs.heartbeat('q', job, 0),
        () => jobs.work('q', () => {}, { signal: AbortSignal.abort(), concurrency: 0 }),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      expect(() => queue(world().driver, { maxDead: 0 })).toThrow(AtomicError);
    });
  },
};

export const queueStress: Stress = {
  workflow: 'queue',
  async setup() {},
  async client(driver: Driver, prefix: string, index: number, random: () => number): Promise<Tally> {
    const tally: Tally = {};
    const jobs = queue(driver, { prefix, maxDead: 100_000 });
    for (let i = 0; i < 12; i++) {
      const payload = `${index}-${i}`;
      // With a request id, which makes it safe to repeat, and without.
      const request = random() < 0.5 ? { requestId: payload } : {};
      const put = await attempt(tally, () =>
        jobs.enqueue('q', payload, {
          ...request,
          maxAttempts: 3,
          delayMs: random() < 0.3 ? 5 : 0,
          priority: Math.floor(random() * 10),
        }),
      );
      if (put?.ok) count(tally, `put ${payload}`);
      if (put !== null && unsure(put)) count(tally, `perhaps put ${payload}`);
      const leaseMs = 5 + Math.floor(random() * 60);
      const claimed = await attempt(tally, () =>
        jobs.claim('q', { ...request, worker: `w${index}`, leaseMs, limit: 2 }),
      );
      if (claimed?.status !== 'claimed') continue;
      for (const job of claimed.jobs) {
        const die = random();
        // A worker that crashes.
        if (die < 0.2) continue;
        await sleep(die * 10);
        if (die < 0.4) {
          await attempt(tally, () => jobs.fail('q', job));
          continue;
        }
        const ended = await attempt(tally, () => jobs.complete('q', job));
        if (ended?.ok) count(tally, `done ${job.payload}`);
        if (ended !== null && unsure(ended)) count(tally, `perhaps done ${job.payload}`);
      }
    }
    return tally;
  },
  async check(driver, prefix, tally) {
    const size = async (command: string, part: string) =>
      Number(await raw(driver, command, `${prefix}:{q}:${part}`));
    const there = (await raw(driver, 'HVALS', `${prefix}:{q}:payloads`)) as string[];
    expect(new Set(there).size).toBe(there.length);
    let placed = 0;
    for (const part of ['waiting', 'delayed', 'active', 'dead']) placed += await size('ZCARD', part);
    expect(placed).toBe(there.length);
    expect(await size('HLEN', 'jobs')).toBe(there.length);
    // Every job that went in came out once by completion, or is still there.
    const done = named(tally, 'done ');
    const maybeDone = named(tally, 'perhaps done ');
    const left = new Set(there);
    for (const [payload, times] of done) {
      expect(times, `${payload} is done`).toBe(1);
      expect(left.has(payload), `${payload} is done and there`).toBe(false);
    }
    const put = named(tally, 'put ');
    const lost = [...put.keys()].filter((each) => !left.has(each) && !done.has(each) && !maybeDone.has(each));
    expect(lost).toEqual([]);
    const maybePut = named(tally, 'perhaps put ');
    expect(there.filter((each) => !put.has(each) && !maybePut.has(each))).toEqual([]);
  },
};
