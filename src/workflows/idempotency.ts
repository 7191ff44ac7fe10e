// Idempotency keys: the first call of a key does the work, later ones get its result. For users; the scripts are
// lua/idempotency_*.lua, the renewal of run() is kit/renewal.ts.

import { defineWorkflow } from './kit/card.ts';
import { checkBytes, checkInt, checkJson, checkMs, checkText } from './kit/check.ts';
import { flag, int, json, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import type { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { whileKept } from './kit/renewal.ts';
import { newRequestId } from './kit/request.ts';
import { type Meta, makeResult, type Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { type WaitOptions, waitFor } from './kit/waiting.ts';
import { idempotency_begin_v1, idempotency_end_v1, idempotency_heartbeat_v1 } from './lua/scripts.ts';

const head = { replayed: flag, serverTimeMs: int };

const begin = defineScript({
  name: 'idempotency_begin',
  version: 1,
  lua: idempotency_begin_v1,
  mode: 'write',
  retry: 'always',
  keys: ['record'],
  args: { fingerprint: text, owner: text, leaseMs: int, recordTtlMs: int },
  reply: {
    started: ok({ ...head, owner: text, attempt: int, takeover: flag }),
    completed: ok({ ...head, attempt: int, result: json<unknown>() }),
    in_progress: denied({ ...head, attempt: int, leaseLeftMs: int }),
    failed_final: denied({ ...head, attempt: int, error: text }),
    conflict: denied(head),
  },
});

const end = defineScript({
  name: 'idempotency_end',
  version: 1,
  lua: idempotency_end_v1,
  mode: 'write',
  retry: 'always',
  keys: ['record'],
  args: { owner: text, state: text, body: text, recordTtlMs: int },
  reply: {
    recorded: ok({ replayed: flag, attempt: int }),
    stale: denied({ replayed: flag, attempt: int }),
  },
});

const heartbeat = defineScript({
  name: 'idempotency_heartbeat',
  version: 1,
  lua: idempotency_heartbeat_v1,
  mode: 'write',
  retry: 'always',
  keys: ['record'],
  args: { owner: text, leaseMs: int, recordTtlMs: int },
  reply: { extended: ok({ ...head, attempt: int }), stale: denied({ ...head, attempt: int }) },
});

export interface IdempotencyOptions {
  /** Keys begin with it. Default `idempotency`. */
  readonly prefix?: string;
  /** How long an execution may go without a heartbeat before another may take over, in milliseconds. */
  readonly leaseMs: number;
  /** How long the outcome is kept after the last change, in milliseconds; at least two leases. Default a day. */
  readonly recordTtlMs?: number;
  /** Longest result or error, in bytes of JSON. Default 65536. */
  readonly maxResultBytes?: number;
}

export interface BeginOptions extends CallOptions {
  /** What stands for the request: a digest of its body, or the body. The same key with another one is a conflict. */
  readonly fingerprint: string;
  /** Token of this execution, 1 to 200 characters. Default a random one. Repeat an unknown `begin` with the same. */
  readonly owner?: string;
}

type Begin<T> =
  | {
      readonly ok: true;
      readonly status: 'started';
      readonly owner: string;
      /** 1 for the first. */
      readonly attempt: number;
      /** The last execution's lease ran out: it may have done its effects, in part or in whole. */
      readonly takeover: boolean;
    }
  | { readonly ok: true; readonly status: 'completed'; readonly attempt: number; readonly result: T }
  | Exclude<OutcomeOf<typeof begin.spec.reply>, { ok: true }>;

/**
 * `started`: do the work, then complete() or fail(). `completed`: the first result, `meta.replayed` is true.
 * `in_progress`: another is at it. `failed_final`: it failed for good. `conflict`: another request used this key.
 */
export type IdempotencyBegun<T = unknown> = Result<Begin<T>>;
/** `recorded`, or `stale`: another has taken over, or the record is gone. What was done stays done. */
export type IdempotencyEnded = Result<OutcomeOf<typeof end.spec.reply>>;
/** `extended`, or `stale`. */
export type IdempotencyExtended = Result<OutcomeOf<typeof heartbeat.spec.reply>>;

/** `completed` with the result of the first execution, which may be this one (then `meta.replayed` is false). */
export type IdempotencyRun<T> =
  | { readonly ok: true; readonly status: 'completed'; readonly attempt: number; readonly result: T }
  /** This execution ended after another had taken over: the other's result is the one that counts. */
  | { readonly ok: false; readonly status: 'stale'; readonly attempt: number; readonly result: T }
  | Exclude<OutcomeOf<typeof begin.spec.reply>, { ok: true }>;

/** What the function of `run` is given. */
export interface IdempotencyUse {
  /** Fires when another may have taken over, or when the caller's own signal does. */
  readonly signal: AbortSignal;
  readonly owner: string;
  readonly attempt: number;
  readonly takeover: boolean;
}

export interface IdempotencyRunOptions extends WaitOptions {
  /** Says whether an error of the function is final. Default: none is, the next call tries again. */
  readonly isFinal?: (error: unknown) => boolean;
  /** Called once when the lease is lost while the function runs. */
  readonly onLost?: (reason: AtomicError) => void;
}

export interface Idempotency {
  /** Begins an execution, or answers what became of it. Safe to repeat. */
  begin<T = unknown>(key: string, options: BeginOptions): Promise<IdempotencyBegun<T>>;
  /** Records the result, which JSON must hold. Safe to repeat. */
  complete(key: string, owner: string, result: unknown, options?: CallOptions): Promise<IdempotencyEnded>;
  /** Records a failure: `final` for good, otherwise the next `begin` starts again. Safe to repeat. */
  fail(
    key: string,
    owner: string,
    failure: { readonly error: string; readonly final: boolean },
    options?: CallOptions,
  ): Promise<IdempotencyEnded>;
  /** Another lease from now on, unless another has taken over. Safe to repeat. */
  heartbeat(key: string, owner: string, options?: CallOptions): Promise<IdempotencyExtended>;
  /**
   * All of it: runs the function once for the key, renewing the lease, and answers its result, or the first one's. The
   * result is what JSON makes of it; undefined becomes null. With `waitMs` it waits for an execution in progress.
   *
   * The function's effects outside of Redis stay at-least-once: a process that dies in it, or is paused for longer than
   * the lease, leaves a next execution to repeat them. Give partners an idempotency key of their own.
   * @throws what the function throws, after it was recorded; BAD_ARGUMENT where the result is too large or no JSON (the
   *   key has failed for good then, for the work was done)
   */
  run<T>(
    key: string,
    fingerprint: string,
    work: (use: IdempotencyUse) => Promise<T> | T,
    options?: IdempotencyRunOptions,
  ): Promise<Result<IdempotencyRun<T>>>;
}

const DAY_MS = 86_400_000;
const RENEWED = { extended: 'renewed', stale: 'lost', unknown: 'unknown' } as const;

/**
 * One execution per key; later calls get the first result.
 *
 * ```ts
 * const once = idempotency(driver, { leaseMs: 30_000 });
 * const paid = await once.run(request.idempotencyKey, request.bodyDigest, () => charge(request));
 * ```
 */
export function idempotency(driver: Driver, options: IdempotencyOptions): Idempotency {
  const prefix = checkPrefix(options.prefix ?? 'idempotency');
  const leaseMs = checkMs('leaseMs', options.leaseMs);
  const recordTtlMs = options.recordTtlMs ?? Math.max(DAY_MS, 2 * leaseMs);
  checkMs('recordTtlMs', recordTtlMs, 2 * leaseMs);
  const most = checkInt('maxResultBytes', options.maxResultBytes ?? 65_536, 1, 512 * 1024 * 1024);
  const keys = (key: string): { record: string } => ({ record: keysOf(prefix, key)() });

  const finish = async (
    key: string,
    owner: string,
    state: 'C' | 'R' | 'F',
    body: string,
    call?: CallOptions,
  ) =>
    end.run(
      driver,
      { keys: keys(key), args: { owner: checkText('owner', owner, 200), state, body, recordTtlMs } },
      call,
    );

  const once: Idempotency = {
    async begin<T>(key: string, { fingerprint, owner = newRequestId(), ...call }: BeginOptions) {
      checkText('fingerprint', fingerprint, 1000);
      const args = { fingerprint, owner: checkText('owner', owner, 200), leaseMs, recordTtlMs };
      const begun = await begin.run(driver, { keys: keys(key), args }, { ...call, requestId: owner });
      return begun as unknown as IdempotencyBegun<T>;
    },

    async complete(key, owner, result, call) {
      return finish(key, owner, 'C', jsonOf(result, most), call);
    },

    async fail(key, owner, { error, final }, call) {
      return finish(key, owner, final ? 'F' : 'R', checkBytes('the error', error, most), call);
    },

    async heartbeat(key, owner, call) {
      const args = { owner: checkText('owner', owner, 200), leaseMs, recordTtlMs };
      return heartbeat.run(driver, { keys: keys(key), args }, call);
    },

    async run<T>(
      key: string,
      fingerprint: string,
      work: (use: IdempotencyUse) => Promise<T> | T,
      options: IdempotencyRunOptions = {},
    ) {
      const { isFinal = () => false, onLost, ...call } = options;
      const { begun, sinceMs } = await waitFor(
        async () => {
          const sinceMs = performance.now();
          const { deadlineMs, signal } = call;
          return { begun: await once.begin<T>(key, { fingerprint, deadlineMs, signal }), sinceMs };
        },
        ({ begun }) => begun.status === 'in_progress',
        ({ begun }) => (begun.status === 'in_progress' ? begun.leaseLeftMs : 0),
        call,
      );
      if (begun.status !== 'started') return begun as unknown as Result<IdempotencyRun<T>>;
      const { owner, attempt, takeover, meta } = begun;
      const renew = async (deadlineMs: number) =>
        RENEWED[(await once.heartbeat(key, owner, { deadlineMs })).status];
      let body: string;
      try {
        const kept = { leaseMs, sinceMs, renew, onLost, signal: call.signal };
        const { value } = await whileKept(kept, (signal) => work({ signal, owner, attempt, takeover }));
        body = workDone(value, most);
      } catch (error) {
        const final = error instanceof Unrecordable || isFinal(error);
        const words = messageOf(error).slice(0, Math.floor(most / 3));
        // That this cannot be recorded must not hide why it failed; the lease ends by itself.
        await finish(key, owner, final ? 'F' : 'R', words).catch(() => {});
        throw error instanceof Unrecordable ? error.cause : error;
      }
      return ranOf<T>(await finish(key, owner, 'C', body), JSON.parse(body) as T, attempt, meta);
    },
  };
  return once;
}

/** The work was done, but its result cannot be kept: it must not be done again. */
class Unrecordable extends Error {}

function workDone(value: unknown, most: number): string {
  try {
    return jsonOf(value, most);
  } catch (cause) {
    throw new Unrecordable(messageOf(cause), { cause });
  }
}

function ranOf<T>(
  ended: IdempotencyEnded,
  result: T,
  attempt: number,
  meta: Meta,
): Result<IdempotencyRun<T>> {
  if (ended.status === 'unknown') return ended as unknown as Result<IdempotencyRun<T>>;
  const outcome: IdempotencyRun<T> = ended.ok
    ? { ok: true, status: 'completed', attempt, result }
    : { ok: false, status: 'stale', attempt, result };
  return makeResult<IdempotencyRun<T>>(outcome, meta);
}

// What a function without a result gives is kept as null.
function jsonOf(result: unknown, most: number): string {
  return checkJson('the result', result === undefined ? null : result, most);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const idempotencyCard = defineWorkflow({
  name: 'idempotency',
  invariant:
    'While its record lives, a key has one live execution, and its first recorded result is the only one.',
  keys: {
    record: {
      pattern: 'prefix:{key}',
      holds: 'state, fingerprint, owner, attempt, end of the lease, result or error',
      expires: 'recordTtlMs after the last change',
    },
  },
  why: 'Looking, taking over after a lease and comparing the owner at the end are each several reads and a write.',
  operations: {
    begin: { does: 'starts an execution or tells of the one there was', script: begin },
    end: { does: 'complete and fail, by the owner', script: end },
    heartbeat: { does: 'another lease for the owner', script: heartbeat },
  },
  bounds: ['one hash for each key, with a result of at most maxResultBytes, for recordTtlMs'],
  tests: ['test/workflows/contracts/idempotency.ts', 'test/workflows/clock-leases.test.ts'],
});
