// The loop of a worker beside a queue that answers badly: lost answers, an unreachable server, a worker that stood still.
import { describe, expect, it } from 'vitest';
import { AtomicError, JobLost } from '../../src/workflows/index.ts';
import { type WorkSource, workOn } from '../../src/workflows/queue-worker.ts';
import { sleep } from './world.ts';

interface Plain {
  readonly id: string;
  readonly token: string;
  readonly attempt: number;
  readonly leaseUntilMs: number;
}

type Answers = Awaited<ReturnType<WorkSource<Plain>['claim']>>;

/** A queue that gives out one job and then nothing, save for what a test changes. */
function source(changes: Partial<WorkSource<Plain>> = {}) {
  const asked: { limit: number; requestId: string }[] = [];
  const ended: string[] = [];
  const job: Plain = { id: '1', token: '7', attempt: 1, leaseUntilMs: 1150 };
  const answers: (Answers | Error)[] = [{ status: 'claimed', jobs: [job], serverTimeMs: 1000 }];
  const base: WorkSource<Plain> = {
    async claim(limit, requestId) {
      asked.push({ limit, requestId });
      const answer = answers.shift() ?? { status: 'empty', waitMs: null };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    heartbeat: async () => ({ status: 'extended' }),
    async complete({ id }) {
      ended.push(`complete ${id}`);
      return { status: 'completed' };
    },
    async fail({ id }, { delayMs, retryable, error }) {
      ended.push(`fail ${id} ${delayMs} ${retryable} ${error}`);
      return { status: 'retried' };
    },
  };
  return { asked, ended, answers, source: { ...base, ...changes } };
}

/** Runs the loop until `enough`. */
async function run(
  work: WorkSource<Plain>,
  handler: (job: Plain, signal: AbortSignal) => unknown,
  enough: () => boolean,
  options: object = {},
): Promise<unknown[]> {
  const stop = new AbortController();
  const errors: unknown[] = [];
  const loop = workOn(work, handler, {
    signal: stop.signal,
    leaseMs: 150,
    pollMs: 5,
    onError: (error) => errors.push(error),
    ...options,
  });
  for (const end = Date.now() + 10_000; !enough() && Date.now() < end; ) await sleep(5);
  stop.abort();
  await loop;
  return errors;
}

describe('the loop of a worker', () => {
  it('asks again with the same words where a claim had no answer, and with a new id afterwards', async () => {
    const { asked, answers, ended, source: work } = source();
    answers.unshift({ status: 'unknown' });
    await run(
      work,
      () => {},
      () => ended.length > 0 && asked.length > 2,
      { concurrency: 4 },
    );
    expect(asked[1]).toEqual(asked[0]);
    expect(asked[2].requestId).not.toBe(asked[0].requestId);
    expect(ended).toEqual(['complete 1']);
  });

  it('goes on after a fault, and tells of it', async () => {
    const { answers, ended, source: work } = source();
    const fault = new AtomicError('DISCONNECTED', 'nobody there');
    answers.unshift(fault);
    const errors = await run(
      work,
      () => {},
      () => ended.length > 0,
    );
    expect(errors).toEqual([fault]);
    expect(ended).toEqual(['complete 1']);
  });

  for (const [how, heartbeat] of [
    ['fail', () => Promise.reject(new AtomicError('DISCONNECTED', 'nobody there'))],
    ['have no answer', (_: Plain, ms: number) => sleep(ms).then(() => ({ status: 'unknown' }))],
  ] as const) {
    it(`the handler hears that its lease is over by the worker's own count where heartbeats ${how}`, async () => {
      const { ended, source: work } = source({ heartbeat });
      let heard = 0;
      const began = performance.now();
      const errors = await run(
        work,
        (_, signal) =>
          new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => {
              heard = performance.now() - began;
              resolve();
            });
          }),
        () => heard > 0,
      );
      expect(heard).toBeGreaterThanOrEqual(149);
      expect(errors.at(-1)).toBeInstanceOf(JobLost);
      // What is lost is neither completed nor failed.
      expect(ended).toEqual([]);
    });
  }

  it('tells where nobody knows how a job ended, or another worker has it', async () => {
    for (const [status, kind] of [
      ['unknown', AtomicError],
      ['lost', JobLost],
    ] as const) {
      let asked = false;
      const { source: work } = source({
        async complete() {
          asked = true;
          return { status };
        },
      });
      const errors = await run(
        work,
        () => {},
        () => asked,
      );
      expect(errors).toHaveLength(1);
      expect(errors[0]).toBeInstanceOf(kind);
    }
  });

  it('fails a job whose handler throws, with a delay that grows, and asks whether it may be tried again', async () => {
    const { ended, source: work } = source();
    const handler = () => {
      throw new Error('no');
    };
    await run(work, handler, () => ended.length > 0, { isRetryable: () => false });
    expect(ended).toEqual(['fail 1 1000 false no']);
  });

  it('sends no heartbeat after the handler has ended', async () => {
    let beats = 0;
    const { asked, source: work } = source({
      async heartbeat() {
        beats++;
        return { status: 'extended' };
      },
    });
    await run(
      work,
      () => {},
      () => asked.length > 30,
    );
    expect(beats).toBe(0);
  });
});
