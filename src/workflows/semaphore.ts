// N places for holders with leases. For users; the scripts are lua/semaphore_*.lua, the renewal of use() is
// kit/renewal.ts.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkMs, checkText } from './kit/check.ts';
import { flag, int, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import type { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import { type CallOptions, DEADLINE_MS } from './kit/perform.ts';
import { whileKept } from './kit/renewal.ts';
import { newRequestId } from './kit/request.ts';
import { makeResult, type Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { type WaitOptions, waitFor } from './kit/waiting.ts';
import { semaphore_acquire_v1, semaphore_extend_v1, semaphore_release_v1 } from './lua/scripts.ts';

const head = { replayed: flag, serverTimeMs: int };

const acquire = defineScript({
  name: 'semaphore_acquire',
  version: 1,
  lua: semaphore_acquire_v1,
  mode: 'write',
  retry: 'always',
  keys: ['holders', 'note'],
  args: { owner: text, permits: int, leaseMs: int },
  reply: {
    acquired: ok({ ...head, owner: text, holders: int }),
    full: denied({ ...head, holders: int, leaseLeftMs: int }),
  },
});

const extend = defineScript({
  name: 'semaphore_extend',
  version: 1,
  lua: semaphore_extend_v1,
  mode: 'write',
  retry: 'always',
  keys: ['holders'],
  args: { owner: text, leaseMs: int },
  reply: { extended: ok(head), lost: denied(head) },
});

const release = defineScript({
  name: 'semaphore_release',
  version: 1,
  lua: semaphore_release_v1,
  mode: 'write',
  retry: 'always',
  keys: ['holders', 'note'],
  args: { owner: text, noteMs: int },
  reply: { released: ok({ replayed: flag }), lost: denied({ replayed: flag }) },
});

export interface SemaphoreOptions {
  /** Keys begin with it. Default `semaphore`. */
  readonly prefix?: string;
  /** How many may hold a place at a time, 1 to 10000. The same for all who use the id. */
  readonly permits: number;
  /** How long a place is held without a renewal, in milliseconds. */
  readonly leaseMs: number;
}

export interface PlaceOptions extends WaitOptions {
  /** The holder's token, 1 to 200 characters. Default a random one. The same holder keeps one place. */
  readonly owner?: string;
}

export interface PlaceUseOptions extends PlaceOptions {
  /** Called once when the place is lost while the function runs, after its signal has fired. */
  readonly onLost?: (reason: AtomicError) => void;
}

type Full = Exclude<OutcomeOf<typeof acquire.spec.reply>, { ok: true }>;
type Place =
  | {
      readonly ok: true;
      readonly status: 'acquired';
      readonly owner: string;
      /** How many hold a place, this one included. */
      readonly holders: number;
      /** What is left of the lease, measured from before the request. */
      readonly leaseLeftMs: number;
    }
  | Full;

/** `acquired` with the token; `full` with what the first of the holders has left. `meta.requestId` is the token. */
export type SemaphoreAcquired = Result<Place>;
/** `extended`, or `lost`: the lease had run out. */
export type SemaphoreExtended = Result<OutcomeOf<typeof extend.spec.reply>>;
/** `released`, or `lost`: the lease had run out before. A repetition within ten seconds says `released` again. */
export type SemaphoreReleased = Result<OutcomeOf<typeof release.spec.reply>>;

/**
 * `done`: the place was held until the function's end. `lost`: the function has ended, but more than N may have been at
 * work. `full`: it has not run.
 */
export type SemaphoreUsed<V> =
  | { readonly ok: true; readonly status: 'done'; readonly value: V }
  | { readonly ok: false; readonly status: 'lost'; readonly value: V }
  | Full;

/** What the function of `use` is given. */
export interface PlaceUse {
  /** Fires when the place is lost, or when the caller's own signal does. */
  readonly signal: AbortSignal;
  readonly owner: string;
}

export interface Semaphore {
  /** Takes a place, waiting up to `waitMs`. Safe to repeat: the token finds its own place. */
  acquire(id: string, options?: PlaceOptions): Promise<SemaphoreAcquired>;
  /** A fresh lease from now on. Never revives one that has run out. Safe to repeat. */
  extend(id: string, owner: string, options?: CallOptions): Promise<SemaphoreExtended>;
  /** Gives the place back. Safe to repeat. */
  release(id: string, owner: string, options?: CallOptions): Promise<SemaphoreReleased>;
  /**
   * Takes a place, runs the function while the lease is renewed every third of it, and gives the place back.
   * @throws what the function throws, after the release
   */
  use<V>(
    id: string,
    work: (use: PlaceUse) => Promise<V> | V,
    options?: PlaceUseOptions,
  ): Promise<Result<SemaphoreUsed<V>>>;
}

const NOTE_MS = 2 * DEADLINE_MS;
const RENEWED = { extended: 'renewed', lost: 'lost', unknown: 'unknown' } as const;

interface Taken {
  readonly answer: SemaphoreAcquired;
  readonly sinceMs: number;
}

/**
 * Never more than `permits` live holders. A holder that crashed frees its place when its lease runs out.
 *
 * ```ts
 * const partners = semaphore(driver, { permits: 5, leaseMs: 10_000 });
 * await partners.use('bank', ({ signal }) => fetch(url, { signal }));
 * ```
 */
export function semaphore(driver: Driver, options: SemaphoreOptions): Semaphore {
  const prefix = checkPrefix(options.prefix ?? 'semaphore');
  const permits = checkInt('permits', options.permits, 1, 10_000);
  const leaseMs = checkMs('leaseMs', options.leaseMs);
  const keys = (id: string, owner: string): { holders: string; note: string } => {
    const key = keysOf(prefix, id);
    return { holders: key(), note: key(`released:${checkText('owner', owner, 200)}`) };
  };

  /** One place and, from before its request, when its lease began. */
  const take = async (id: string, owner: string, call: WaitOptions): Promise<Taken> => {
    const input = { keys: keys(id, owner), args: { owner, permits, leaseMs } };
    return waitFor(
      async () => {
        const sinceMs = performance.now();
        return takenOf(await acquire.run(driver, input, { ...call, requestId: owner }), sinceMs, leaseMs);
      },
      ({ answer }) => answer.status === 'full',
      ({ answer }) => (answer.status === 'full' ? answer.leaseLeftMs : 0),
      call,
    );
  };

  const places: Semaphore = {
    async acquire(id, { owner = newRequestId(), ...call } = {}) {
      return (await take(id, owner, call)).answer;
    },

    async extend(id, owner, call) {
      const { holders } = keys(id, owner);
      return extend.run(driver, { keys: { holders }, args: { owner, leaseMs } }, call);
    },

    async release(id, owner, call) {
      const noteMs = Math.max(NOTE_MS, 2 * Math.ceil(call?.deadlineMs ?? 0));
      return release.run(driver, { keys: keys(id, owner), args: { owner, noteMs } }, call);
    },

    async use<V>(id: string, work: (use: PlaceUse) => Promise<V> | V, options: PlaceUseOptions = {}) {
      const { onLost, owner = newRequestId(), ...call } = options;
      const { answer, sinceMs } = await take(id, owner, call);
      if (answer.status !== 'acquired') return answer as unknown as Result<SemaphoreUsed<V>>;
      try {
        const { value, held } = await whileKept(
          {
            leaseMs,
            sinceMs,
            renew: async (deadlineMs) => RENEWED[(await places.extend(id, owner, { deadlineMs })).status],
            onLost,
            signal: call.signal,
          },
          (signal) => work({ signal, owner }),
        );
        const outcome: SemaphoreUsed<V> = held
          ? { ok: true, status: 'done', value }
          : { ok: false, status: 'lost', value };
        return makeResult<SemaphoreUsed<V>>(outcome, answer.meta);
      } finally {
        // A release that fails is no fault of the work: the lease ends by itself.
        await places.release(id, owner).catch(() => {});
      }
    },
  };
  return places;
}

// What was acquired by a reply that took longer than the lease is not held: as if there had been no place.
function takenOf(
  answer: Result<OutcomeOf<typeof acquire.spec.reply>>,
  sinceMs: number,
  leaseMs: number,
): Taken {
  if (answer.status !== 'acquired') return { answer: answer as unknown as SemaphoreAcquired, sinceMs };
  const { owner, holders, meta } = answer;
  const leaseLeftMs = Math.floor(sinceMs + leaseMs - performance.now());
  const outcome: Place =
    leaseLeftMs > 0
      ? { ok: true, status: 'acquired', owner, holders, leaseLeftMs }
      : { ok: false, status: 'full', holders, leaseLeftMs: 0 };
  return { answer: makeResult<Place>(outcome, meta), sinceMs };
}

export const semaphoreCard = defineWorkflow({
  name: 'semaphore',
  invariant: "Never more than `permits` live holders by the server's clock.",
  keys: {
    holders: {
      pattern: 'prefix:{id}',
      holds: 'the holders by the end of their leases',
      expires: 'with the last of the leases',
    },
    note: {
      pattern: 'prefix:{id}:released:owner',
      holds: 'that this holder has released, so that sending it again is no loss',
      expires: 'ten seconds after the release, or two deadlines',
    },
  },
  why: 'Counting the holders and adding one must be a single step, and so must the removal of those whose time is up.',
  operations: {
    acquire: { does: 'takes a place', script: acquire },
    extend: { does: 'a fresh lease for the holder', script: extend },
    release: { does: 'gives the place back', script: release },
  },
  bounds: ['one sorted set of at most `permits` holders', 'waiting polls every 10 to 375 ms'],
  tests: ['test/workflows/contracts/semaphore.ts', 'test/workflows/clock-leases.test.ts'],
});
