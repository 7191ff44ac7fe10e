// A queue of jobs that no crash loses and of which each has one live owner. For users; the scripts are
// lua/queue_*_v1.lua, the loop of a worker is queue-worker.ts.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkName } from './kit/check.ts';
import { flag, int, list, nullable, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { type RecordOf, record } from './kit/record.ts';
import { checkRequestId, newRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import {
  queue_claim_v1,
  queue_complete_v1,
  queue_dead_v1,
  queue_enqueue_v1,
  queue_fail_v1,
  queue_heartbeat_v1,
  queue_reclaim_v1,
  queue_requeue_v1,
  queue_stats_v1,
} from './lua/scripts.ts';
import { type WorkOptions, workOn } from './queue-worker.ts';

const KEYS = ['jobs', 'payloads', 'waiting', 'delayed', 'active', 'dead', 'numbers'] as const;

const claimedJob = {
  id: text,
  token: text,
  payload: text,
  attempt: int,
  maxAttempts: int,
  priority: int,
  leaseUntilMs: int,
  enqueuedAtMs: int,
};
const deadJob = { id: text, payload: text, attempts: int, priority: int, error: text, diedAtMs: int };

const enqueue = defineScript({
  name: 'queue_enqueue',
  version: 1,
  lua: queue_enqueue_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: [...KEYS, 'request', 'twins', 'windows'],
  args: {
    payload: text,
    delayMs: int,
    priority: int,
    maxAttempts: int,
    dedupId: text,
    dedupMs: int,
    maxLength: int,
    requestTtlMs: int,
  },
  reply: {
    enqueued: ok({ replayed: flag, id: text }),
    duplicate: ok({ replayed: flag, id: text }),
    full: denied({ replayed: flag }),
    request_reused: denied({ replayed: flag }),
  },
});

const claim = defineScript({
  name: 'queue_claim',
  version: 1,
  lua: queue_claim_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: [...KEYS, 'request'],
  args: { worker: text, leaseMs: int, limit: int, maxDead: int },
  reply: {
    claimed: ok({ replayed: flag, serverTimeMs: int, jobs: list(record(claimedJob)) }),
    empty: denied({ replayed: flag, serverTimeMs: int, nextMs: nullable(int) }),
    request_reused: denied({ replayed: flag }),
  },
});

const heartbeat = defineScript({
  name: 'queue_heartbeat',
  version: 1,
  lua: queue_heartbeat_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { id: text, token: text, leaseMs: int },
  reply: { extended: ok({ serverTimeMs: int, leaseUntilMs: int }), lost: denied({ serverTimeMs: int }) },
});

const complete = defineScript({
  name: 'queue_complete',
  version: 1,
  lua: queue_complete_v1,
  mode: 'write',
  retry: 'always',
  keys: [...KEYS, 'ended'],
  args: { id: text, token: text, rememberMs: int },
  reply: { completed: ok({ replayed: flag }), lost: denied({ replayed: flag }) },
});

const fail = defineScript({
  name: 'queue_fail',
  version: 1,
  lua: queue_fail_v1,
  mode: 'write',
  retry: 'always',
  keys: [...KEYS, 'ended'],
  args: {
    id: text,
    token: text,
    retryable: flag,
    delayMs: int,
    error: text,
    maxDead: int,
    rememberMs: int,
  },
  reply: {
    retried: ok({ replayed: flag, dueMs: int }),
    dead: ok({ replayed: flag }),
    lost: denied({ replayed: flag }),
  },
});

const reclaim = defineScript({
  name: 'queue_reclaim',
  version: 1,
  lua: queue_reclaim_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { limit: int, maxDead: int },
  reply: {
    done: ok({ serverTimeMs: int, returned: int, died: int }),
    partial: ok({ serverTimeMs: int, returned: int, died: int }),
  },
});

const stats = defineScript({
  name: 'queue_stats',
  version: 1,
  lua: queue_stats_v1,
  mode: 'read',
  retry: 'always',
  keys: KEYS,
  args: {},
  reply: { counted: ok({ waiting: int, delayed: int, active: int, dead: int }) },
});

const readDead = defineScript({
  name: 'queue_dead',
  version: 1,
  lua: queue_dead_v1,
  mode: 'read',
  retry: 'always',
  keys: KEYS,
  args: { offset: int, limit: int },
  reply: { read: ok({ jobs: list(record(deadJob)) }) },
});

const requeue = defineScript({
  name: 'queue_requeue',
  version: 1,
  lua: queue_requeue_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { id: text },
  reply: { requeued: ok({ replayed: flag }), unknown_job: denied({ replayed: flag }) },
});

/** A job that a worker holds: times in Unix milliseconds of the server, `attempt` from 1. */
export type Job = RecordOf<typeof claimedJob>;
/** A job that is not tried any more. */
export type DeadJob = RecordOf<typeof deadJob>;
/** What names a claim: a job and the token that its owner was given. */
export type JobRef = Pick<Job, 'id' | 'token'>;

export interface QueueOptions {
  /** Keys begin with it. Default `queue`. */
  readonly prefix?: string;
  /** Most jobs in a queue, dead ones included. Default 1,000,000; beyond, `enqueue` answers `full`. */
  readonly maxLength?: number;
  /** How many dead jobs are kept, the last to die. Default 1000. */
  readonly maxDead?: number;
  /** How long the end of a claim is remembered, so that repeats answer the same, in milliseconds. Default a minute. */
  readonly rememberMs?: number;
  /** How long a request id of `enqueue` is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

export interface EnqueueOptions extends RequestOptions {
  /** How long the job waits before it can be claimed. Default 0. */
  readonly delayMs?: number;
  /** 0 to 9; 0 goes first. Default 5. Within a priority the oldest goes first. */
  readonly priority?: number;
  /** Claims after which it is dead, 1 to 1000. Default 5. */
  readonly maxAttempts?: number;
  /** Of jobs with one dedup id only one is in the queue; and for `dedupMs` from enqueueing no other comes in. */
  readonly dedupId?: string;
  /** Default a minute. */
  readonly dedupMs?: number;
}

export interface QueueClaimOptions extends RequestOptions {
  /** Who claims, for people. */
  readonly worker: string;
  /** How long the claim lasts without a heartbeat: 1 ms to a day. */
  readonly leaseMs: number;
  /** At most so many jobs, 1 to 100. Default 1. */
  readonly limit?: number;
}

/** `enqueued` with the job's id; `duplicate` with the id of the job that has the dedup id; `full`; `request_reused`. */
export type EnqueueResult = Result<OutcomeOf<typeof enqueue.spec.reply>>;
/** `claimed` with the jobs; `empty`, with when the next delayed job or lease is due, or null; `request_reused`. */
export type ClaimResult = Result<OutcomeOf<typeof claim.spec.reply>>;
/** `extended` with the new end of the lease, or `lost`. */
export type HeartbeatResult = Result<OutcomeOf<typeof heartbeat.spec.reply>>;
/** `completed`, or `lost`: another worker has it, or may have had it. */
export type CompleteResult = Result<OutcomeOf<typeof complete.spec.reply>>;
/** `retried` with when it is due; `dead`; or `lost`. */
export type FailResult = Result<OutcomeOf<typeof fail.spec.reply>>;
/** `done` or `partial` (more leases are over), with how many jobs wait again and how many died. */
export type ReclaimResult = Result<OutcomeOf<typeof reclaim.spec.reply>>;
/** `counted`, by state. */
export type QueueStatsResult = Result<OutcomeOf<typeof stats.spec.reply>>;
/** `read`, the last to die first. */
export type DeadResult = Result<OutcomeOf<typeof readDead.spec.reply>>;
/** `requeued` (`meta.replayed`: it was not dead) or `unknown_job`. */
export type RequeueResult = Result<OutcomeOf<typeof requeue.spec.reply>>;

export interface JobQueue {
  /**
   * Puts a job in. The payload is text of at most a million characters. Has a request id of its own where none is
   * given, so that the toolkit repeats it safely.
   */
  enqueue(queue: string, payload: string, options?: EnqueueOptions): Promise<EnqueueResult>;
  /**
   * Takes jobs, each with a token and a lease by the server's clock; jobs whose lease is over are taken back first (at
   * most 50). With the same request id the same jobs come again, while their lease lasts.
   */
  claim(queue: string, options: QueueClaimOptions): Promise<ClaimResult>;
  /** Extends a lease to `leaseMs` from now. Never revives one that is over. Safe to repeat. */
  heartbeat(queue: string, job: JobRef, leaseMs: number, options?: CallOptions): Promise<HeartbeatResult>;
  /**
   * Ends a job well. Also after its lease, where nobody has taken it back yet: of this and a reclaim one wins. Safe to
   * repeat.
   */
  complete(queue: string, job: JobRef, options?: CallOptions): Promise<CompleteResult>;
  /**
   * Gives an attempt up: the job waits again, after `delayMs` (default 0), or is dead where it is not `retryable`
   * (default true) or this was its last attempt. `error` is kept, up to 1000 characters. Safe to repeat.
   */
  fail(
    queue: string,
    job: JobRef,
    options?: CallOptions & {
      readonly retryable?: boolean;
      readonly delayMs?: number;
      readonly error?: string;
    },
  ): Promise<FailResult>;
  /** Takes back at most `limit` (1 to 1000, default 100) jobs whose lease is over. `claim` does it as well. */
  reclaim(queue: string, limit?: number, options?: CallOptions): Promise<ReclaimResult>;
  stats(queue: string, options?: CallOptions): Promise<QueueStatsResult>;
  /** Dead jobs, at most `limit` (1 to 100, default 20), from `offset` on. */
  dead(
    queue: string,
    options?: CallOptions & { readonly offset?: number; readonly limit?: number },
  ): Promise<DeadResult>;
  /** Lets a dead job wait again, with all its attempts. Safe to repeat. */
  requeue(queue: string, id: string, options?: CallOptions): Promise<RequeueResult>;
  /**
   * Claims and runs jobs until the signal fires and those that run have ended. While a handler runs its lease is
   * renewed; when the job is lost all the same, the handler's signal fires with {@link JobLost}: it must stop. A handler
   * that throws fails its job.
   */
  work(
    queue: string,
    handler: (job: Job, signal: AbortSignal) => unknown,
    options: WorkOptions,
  ): Promise<void>;
}

const DAY_MS = 86_400_000;
/** Most characters of a payload. */
const LARGEST = 1_000_000;

/**
 * Queues of jobs: a job is lost by no crash of a worker, and one live worker owns it.
 *
 * ```ts
 * const jobs = queue(driver);
 * await jobs.enqueue('mails', JSON.stringify({ to: 'ada' }));
 * await jobs.work('mails', async (job) => send(JSON.parse(job.payload)), { signal });
 * ```
 * @throws AtomicError BAD_ARGUMENT, from here and from every method, before anything is sent
 */
export function queue(driver: Driver, options: QueueOptions = {}): JobQueue {
  const { maxLength = 1_000_000, maxDead = 1000, rememberMs = 60_000 } = options;
  const { requestTtlMs = REQUEST_TTL_MS } = options;
  const prefix = checkPrefix(options.prefix ?? 'queue');
  checkInt('maxLength', maxLength, 1, 100_000_000);
  checkInt('maxDead', maxDead, 1, 1_000_000);
  checkInt('rememberMs', rememberMs, 1, DAY_MS);
  checkInt('requestTtlMs', requestTtlMs, 1, 2 ** 50);
  const keysFor = (name: string) => {
    const key = keysOf(prefix, name);
    return {
      jobs: key('jobs'),
      payloads: key('payloads'),
      waiting: key('waiting'),
      delayed: key('delayed'),
      active: key('active'),
      dead: key('dead'),
      numbers: key('numbers'),
    };
  };
  const partOf = (name: string, part: string) => keysOf(prefix, name)(part);
  const endedOf = (name: string, { id, token }: JobRef) => {
    checkName('a job id', id);
    return { ...keysFor(name), ended: partOf(name, `ended:${checkName('a token', token)}`) };
  };
  const api: JobQueue = {
    async enqueue(name, payload, wanted = {}) {
      const { delayMs = 0, priority = 5, maxAttempts = 5, dedupId = '', dedupMs = 60_000 } = wanted;
      checkPayload(payload);
      checkInt('delayMs', delayMs, 0, 366 * DAY_MS);
      checkInt('priority', priority, 0, 9);
      checkInt('maxAttempts', maxAttempts, 1, 1000);
      checkInt('dedupMs', dedupMs, 1, 366 * DAY_MS);
      if (wanted.dedupId !== undefined) checkName('a dedup id', dedupId);
      const requestId = checkRequestId(wanted.requestId ?? newRequestId());
      const keys = {
        ...keysFor(name),
        request: partOf(name, `request:${requestId}`),
        twins: partOf(name, 'twins'),
        windows: partOf(name, 'windows'),
      };
      const args = { payload, delayMs, priority, maxAttempts, dedupId, dedupMs, maxLength, requestTtlMs };
      return enqueue.run(driver, { keys, args }, { ...wanted, requestId });
    },
    async claim(name, wanted) {
      const { worker, leaseMs, limit = 1 } = wanted;
      checkName('a worker', worker);
      checkInt('leaseMs', leaseMs, 1, DAY_MS);
      checkInt('limit', limit, 1, 100);
      const requestId = checkRequestId(wanted.requestId ?? newRequestId());
      const keys = { ...keysFor(name), request: partOf(name, `request:${requestId}`) };
      return claim.run(driver, { keys, args: { worker, leaseMs, limit, maxDead } }, { ...wanted, requestId });
    },
    async heartbeat(name, { id, token }, leaseMs, call) {
      checkName('a job id', id);
      checkName('a token', token);
      checkInt('leaseMs', leaseMs, 1, DAY_MS);
      return heartbeat.run(driver, { keys: keysFor(name), args: { id, token, leaseMs } }, call);
    },
    async complete(name, job, call) {
      const { id, token } = job;
      return complete.run(driver, { keys: endedOf(name, job), args: { id, token, rememberMs } }, call);
    },
    async fail(name, job, wanted = {}) {
      const { retryable = true, delayMs = 0, error = '' } = wanted;
      const { id, token } = job;
      checkInt('delayMs', delayMs, 0, 366 * DAY_MS);
      if (error !== '') checkName('an error', error, 1000);
      const args = { id, token, retryable, delayMs, error, maxDead, rememberMs };
      return fail.run(driver, { keys: endedOf(name, job), args }, wanted);
    },
    async reclaim(name, limit = 100, call) {
      checkInt('limit', limit, 1, 1000);
      return reclaim.run(driver, { keys: keysFor(name), args: { limit, maxDead } }, call);
    },
    async stats(name, call) {
      return stats.run(driver, { keys: keysFor(name), args: {} }, call);
    },
    async dead(name, wanted = {}) {
      const { offset = 0, limit = 20 } = wanted;
      checkInt('offset', offset, 0, 1_000_000);
      checkInt('limit', limit, 1, 100);
      return readDead.run(driver, { keys: keysFor(name), args: { offset, limit } }, wanted);
    },
    async requeue(name, id, call) {
      checkName('a job id', id);
      return requeue.run(driver, { keys: keysFor(name), args: { id } }, call);
    },
    async work(name, handler, wanted) {
      return workOn(sourceOf(api, name, wanted), handler, { ...wanted, leaseMs: leaseOf(wanted) });
    },
  };
  return api;
}

function leaseOf({ leaseMs = 30_000 }: WorkOptions): number {
  return checkInt('leaseMs', leaseMs, 10, DAY_MS);
}

/** What the loop of a worker is given. */
function sourceOf(api: JobQueue, name: string, options: WorkOptions): Parameters<typeof workOn<Job>>[0] {
  const { concurrency = 1, pollMs = 1000, worker = `worker-${newRequestId()}` } = options;
  const leaseMs = leaseOf(options);
  keysOf('queue', name);
  checkInt('concurrency', concurrency, 1, 100);
  checkInt('pollMs', pollMs, 1, DAY_MS);
  checkName('a worker', worker);
  return {
    async claim(limit, requestId) {
      const result = await api.claim(name, { worker, leaseMs, limit, requestId });
      const { serverTimeMs } = result.meta;
      if (result.status === 'unknown') return { status: 'unknown' };
      if (result.status === 'claimed') {
        return { status: 'claimed', jobs: result.jobs, serverTimeMs: Number(serverTimeMs) };
      }
      // A request id of the loop is used for nothing else.
      if (result.status === 'request_reused') return { status: 'empty', waitMs: null };
      const waitMs = result.nextMs === null || serverTimeMs === null ? null : result.nextMs - serverTimeMs;
      return { status: 'empty', waitMs };
    },
    heartbeat: (job, deadlineMs, signal) => api.heartbeat(name, job, leaseMs, { deadlineMs, signal }),
    complete: (job) => api.complete(name, job),
    fail: (job, failure) => api.fail(name, job, failure),
  };
}

function checkPayload(payload: string): void {
  if (typeof payload !== 'string' || payload.length > LARGEST) {
    throw new AtomicError('BAD_ARGUMENT', `a payload is a string of at most ${LARGEST} characters`);
  }
}

export const queueCard = defineWorkflow({
  name: 'queue',
  invariant:
    'A job is in exactly one of waiting, delayed, claimed and dead until it is completed; one token owns it.',
  keys: {
    jobs: { pattern: 'prefix:{queue}:jobs', holds: 'attempts, priority, token by job', expires: 'never' },
    payloads: { pattern: 'prefix:{queue}:payloads', holds: 'payload by job', expires: 'never' },
    waiting: { pattern: 'prefix:{queue}:waiting', holds: 'jobs by priority and age', expires: 'never' },
    delayed: { pattern: 'prefix:{queue}:delayed', holds: 'jobs by due time', expires: 'never' },
    active: {
      pattern: 'prefix:{queue}:active',
      holds: 'claimed jobs by the end of their lease',
      expires: 'never',
    },
    dead: { pattern: 'prefix:{queue}:dead', holds: 'jobs by the time they died', expires: 'never; trimmed' },
    numbers: { pattern: 'prefix:{queue}:numbers', holds: 'the last id or token', expires: 'never' },
    twins: { pattern: 'prefix:{queue}:twins', holds: 'job by dedup id', expires: 'never; pruned by enqueue' },
    windows: {
      pattern: 'prefix:{queue}:windows',
      holds: 'dedup ids by their end',
      expires: 'never; pruned by enqueue',
    },
    request: {
      pattern: 'prefix:{queue}:request:requestId',
      holds: 'what enqueue answered, or which jobs were claimed',
      expires: 'requestTtlMs after enqueue; with the lease after claim',
    },
    ended: {
      pattern: 'prefix:{queue}:ended:token',
      holds: 'how a claim ended',
      expires: 'rememberMs after it ended',
    },
  },
  why: 'A job moves between sets together with its token, attempts and lease; between two commands a crash would lose it.',
  operations: {
    enqueue: { does: 'puts a job in', script: enqueue },
    claim: { does: 'gives jobs to a worker', script: claim },
    heartbeat: { does: 'extends a lease', script: heartbeat },
    complete: { does: 'ends a job well', script: complete },
    fail: { does: 'gives an attempt up', script: fail },
    reclaim: { does: 'takes back jobs whose lease is over', script: reclaim },
    stats: { does: 'counts', script: stats },
    dead: { does: 'reads dead jobs', script: readDead },
    requeue: { does: 'lets a dead job wait again', script: requeue },
  },
  bounds: [
    'at most maxLength jobs and maxDead dead ones; payloads of at most a million characters',
    'a claim takes at most 100 jobs and takes back at most 50; reclaim at most 1000',
    'dedup ids are pruned 20 at a time, when their window is over and their job has ended',
  ],
  tests: ['test/workflows/contracts/queue.ts', 'test/workflows/clock-trade.test.ts'],
});
