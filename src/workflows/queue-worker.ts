// The loop of a worker: claims jobs, keeps their leases alive while the handler runs, and ends them. Called by queue.ts
// as `work`.

import { AtomicError } from './kit/errors.ts';
import { sleep } from './kit/perform.ts';
import { newRequestId } from './kit/request.ts';

/** What the loop needs to know of a job. */
interface Claimed {
  readonly id: string;
  readonly token: string;
  readonly attempt: number;
  readonly leaseUntilMs: number;
}

/** What an operation came to, as far as the loop cares. */
interface Ended {
  readonly status: string;
}

/** The operations of one queue. */
export interface WorkSource<J extends Claimed> {
  /** Claims up to so many. Throws or answers `unknown` where nobody knows. */
  claim(
    limit: number,
    requestId: string,
  ): Promise<
    | { readonly status: 'claimed'; readonly jobs: readonly J[]; readonly serverTimeMs: number }
    | { readonly status: 'empty'; readonly waitMs: number | null }
    | { readonly status: 'unknown' }
  >;
  heartbeat(job: J, deadlineMs: number, signal: AbortSignal): Promise<Ended>;
  complete(job: J): Promise<Ended>;
  fail(job: J, failure: { retryable: boolean; delayMs: number; error: string }): Promise<Ended>;
}

export interface WorkOptions {
  /** Ends the loop: no job is claimed any more, and those that run are waited for. */
  readonly signal: AbortSignal;
  /** How many jobs run at once, 1 to 100. Default 1. */
  readonly concurrency?: number;
  /** How long a claim lasts without a heartbeat, which is sent three times as often. Default 30,000 ms. */
  readonly leaseMs?: number;
  /** How long to wait at most before asking an empty queue again. Default 1000 ms. */
  readonly pollMs?: number;
  /** Name of the worker, for people. Default a random one. */
  readonly worker?: string;
  /** Whether a job that failed so may be tried again. Default: always. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** How long a job that failed waits, by its attempt (1, 2, …). Default 1 s, doubled each time, at most 1 min. */
  readonly retryDelayMs?: (attempt: number) => number;
  /** Told of what went wrong around the handler: an unreachable server, a lost lease. It must not throw. */
  readonly onError?: (error: unknown) => void;
}

/** The signal of a handler whose job was lost fires with this. */
export class JobLost extends Error {
  constructor(id: string) {
    super(`job ${id} is no longer held: its lease ended, and another worker may have it`);
    this.name = 'JobLost';
  }
}

/** Waits after a fault, so that an unreachable server is not asked in a tight loop. */
const FAULT_MS = 200;

export async function workOn<J extends Claimed>(
  source: WorkSource<J>,
  handler: (job: J, signal: AbortSignal) => unknown,
  options: WorkOptions & { readonly leaseMs: number },
): Promise<void> {
  const { signal, concurrency = 1, pollMs = 1000, onError = () => {} } = options;
  const running = new Set<Promise<void>>();
  let wake = (): void => {};
  const stop = (): void => wake();
  signal.addEventListener('abort', stop);
  const start = (job: J, until: number): void => {
    const run: Promise<void> = runOne({ source, handler, options }, job, until).finally(() => {
      running.delete(run);
      wake();
    });
    running.add(run);
  };
  let asking = { requestId: newRequestId(), limit: concurrency };
  while (!signal.aborted) {
    if (running.size >= concurrency) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    let pause = 0;
    const asked = performance.now();
    try {
      const answer = await source.claim(asking.limit, asking.requestId);
      // The lease is counted from before the request, so that the server's cannot end earlier.
      if (answer.status === 'claimed') {
        for (const job of answer.jobs) start(job, asked + job.leaseUntilMs - answer.serverTimeMs);
      }
      if (answer.status === 'empty') pause = Math.min(pollMs, Math.max(1, answer.waitMs ?? pollMs));
      // Unknown: asked again with the same words, the server gives the same jobs.
      if (answer.status === 'unknown') pause = FAULT_MS;
      else asking = { requestId: newRequestId(), limit: 0 };
    } catch (error) {
      onError(error);
      pause = FAULT_MS;
    }
    if (pause > 0) await sleep(pause, signal);
    if (asking.limit === 0) asking = { ...asking, limit: Math.max(1, concurrency - running.size) };
  }
  signal.removeEventListener('abort', stop);
  await Promise.all(running);
}

interface Work<J extends Claimed> {
  readonly source: WorkSource<J>;
  readonly handler: (job: J, signal: AbortSignal) => unknown;
  readonly options: WorkOptions & { readonly leaseMs: number };
}

/** One job from its claim to its end. Never throws. */
async function runOne<J extends Claimed>(work: Work<J>, job: J, until: number): Promise<void> {
  const { source, handler, options } = work;
  const { onError = () => {} } = options;
  const lost = new AbortController();
  const done = new AbortController();
  const renewal = renew(work, job, until, { lost, done: done.signal });
  let failure: { error: unknown } | null = null;
  try {
    await handler(job, lost.signal);
  } catch (error) {
    failure = { error };
  }
  done.abort();
  await renewal;
  if (lost.signal.aborted) return onError(lost.signal.reason);
  try {
    const ended = failure === null ? await source.complete(job) : await fail(work, job, failure.error);
    if (ended.status === 'lost') onError(new JobLost(job.id));
    if (ended.status === 'unknown')
      onError(new AtomicError('UNKNOWN', `nobody knows how job ${job.id} ended`));
  } catch (error) {
    // The lease ends by itself then, and the job is given out again.
    onError(error);
  }
}

function fail<J extends Claimed>({ source, options }: Work<J>, job: J, error: unknown): Promise<Ended> {
  const { isRetryable = () => true, retryDelayMs = backoff } = options;
  return source.fail(job, {
    retryable: isRetryable(error),
    delayMs: Math.max(0, Math.round(retryDelayMs(job.attempt))),
    error: (error instanceof Error ? error.message : String(error)).slice(0, 1000),
  });
}

function backoff(attempt: number): number {
  return Math.min(60_000, 1000 * 2 ** Math.min(attempt - 1, 10));
}

// Heartbeats until the handler is done; fires `lost` when the server says so, and also when it could not be asked until
// the lease had run out by the worker's own count.
async function renew<J extends Claimed>(
  { source, options }: Work<J>,
  job: J,
  first: number,
  { lost, done }: { readonly lost: AbortController; readonly done: AbortSignal },
): Promise<void> {
  const { leaseMs, onError = () => {} } = options;
  let until = first;
  let share = 3;
  for (;;) {
    const pause = Math.max(1, Math.min(leaseMs / share, until - performance.now()));
    if (await sleep(pause, done)) return;
    const asked = performance.now();
    if (asked >= until) return lost.abort(new JobLost(job.id));
    try {
      const beat = await source.heartbeat(job, until - asked, done);
      if (beat.status === 'lost') return lost.abort(new JobLost(job.id));
      if (beat.status === 'extended') until = asked + leaseMs;
      share = beat.status === 'extended' ? 3 : 10;
    } catch (error) {
      if (done.aborted) return;
      onError(error);
      share = 10;
    }
  }
}
