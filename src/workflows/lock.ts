// A lock with a lease, an owner token and a fence. For users; the scripts are lua/lock_*.lua, the renewal of use() is
// kit/renewal.ts.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkMs, checkText } from './kit/check.ts';
import { flag, int, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf, tagOf } from './kit/keys.ts';
import { type CallOptions, DEADLINE_MS } from './kit/perform.ts';
import { whileKept } from './kit/renewal.ts';
import { newRequestId } from './kit/request.ts';
import { makeResult, type Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok, type ScriptOptions } from './kit/script.ts';
import { type WaitOptions, waitFor } from './kit/waiting.ts';
import {
  lock_acquire_one_v1,
  lock_acquire_v1,
  lock_extend_v1,
  lock_release_one_v1,
  lock_release_v1,
} from './lua/scripts.ts';

const head = { replayed: flag, serverTimeMs: int };

const acquire = defineScript({
  name: 'lock_acquire',
  version: 1,
  lua: lock_acquire_v1,
  mode: 'write',
  retry: 'always',
  keys: ['pairs[]'],
  args: { owner: text, leaseMs: int, fenceTtlMs: int },
  reply: {
    acquired: ok({ ...head, owner: text, fence: int }),
    busy: denied({ ...head, leaseLeftMs: int }),
    partly_held: denied(head),
  },
});

const acquireOne = defineScript({
  name: 'lock_acquire_one',
  version: 1,
  lua: lock_acquire_one_v1,
  mode: 'write',
  retry: 'always',
  keys: ['lock', 'fence'],
  args: acquire.spec.args,
  reply: { acquired: acquire.spec.reply.acquired, busy: acquire.spec.reply.busy },
});

const extend = defineScript({
  name: 'lock_extend',
  version: 1,
  lua: lock_extend_v1,
  mode: 'write',
  retry: 'always',
  keys: ['pairs[]'],
  args: { owner: text, fence: int, leaseMs: int, fenceTtlMs: int },
  reply: { extended: ok(head), lost: denied(head) },
});

const release = defineScript({
  name: 'lock_release',
  version: 1,
  lua: lock_release_v1,
  mode: 'write',
  retry: 'always',
  keys: ['note', 'locks[]'],
  args: { owner: text, fence: int, noteMs: int },
  reply: { released: ok({ replayed: flag }), lost: denied({ replayed: flag }) },
});

const releaseOne = defineScript({
  name: 'lock_release_one',
  version: 1,
  lua: lock_release_one_v1,
  mode: 'write',
  retry: 'always',
  keys: ['note', 'lock'],
  args: release.spec.args,
  reply: release.spec.reply,
});

type Acquired =
  | {
      readonly ok: true;
      readonly status: 'acquired';
      readonly owner: string;
      readonly fence: number;
      /** What is left of the lease, measured from before the request. */
      readonly leaseLeftMs: number;
    }
  | Exclude<OutcomeOf<typeof acquire.spec.reply>, { ok: true }>;

export interface LockOptions {
  /** Keys begin with it. Default `lock`. */
  readonly prefix?: string;
  /** How long a lock lives without a renewal, in milliseconds. */
  readonly leaseMs: number;
  /**
   * How long the last fence is remembered after the last use, in milliseconds; at least ten leases. Default 30 days.
   * A fence that was forgotten starts above the server's clock, which is above all earlier ones.
   */
  readonly fenceTtlMs?: number;
}

/** One thing, or several of a group that are taken together. The group decides the slot. */
export type LockTarget = string | { readonly group: string; readonly ids: readonly string[] };

/** What shows that a lock is one's own: an `acquired` result has both. */
export interface LockHold {
  readonly owner: string;
  /** Grows with every acquisition: what the lock guards should refuse a smaller one than it has seen. */
  readonly fence: number;
}

export interface AcquireOptions extends WaitOptions {
  /**
   * The owner token, 1 to 200 characters. Default a random one. The same owner gets the same fence again and a fresh
   * lease; it is not counted, one release frees it.
   */
  readonly owner?: string;
}

export interface UseOptions extends AcquireOptions {
  /** Called once when the lock is lost while the function runs, after its signal has fired. */
  readonly onLost?: (reason: AtomicError) => void;
}

/**
 * `acquired` with the owner token and the fence; `busy` with the longest lease that others have left; `partly_held`
 * where this owner holds some of the group by another acquisition. `meta.requestId` is the owner token.
 */
export type LockAcquired = Result<Acquired>;
/** `extended`, or `lost`: the lease had run out, or the lock is another's. */
export type LockExtended = Result<OutcomeOf<typeof extend.spec.reply>>;
/** `released`, or `lost`: it had run out before. A repetition within ten seconds says `released` again. */
export type LockReleased = Result<OutcomeOf<typeof release.spec.reply>>;

/**
 * `done`: the lock was held until the function's end. `lost`: the function has ended, but not under the lock: another
 * may have worked at the same time. Otherwise it has not run.
 */
export type LockUsed<V> =
  | { readonly ok: true; readonly status: 'done'; readonly value: V; readonly fence: number }
  | { readonly ok: false; readonly status: 'lost'; readonly value: V; readonly fence: number }
  | Exclude<Acquired, { ok: true }>;

/** What the function of `use` is given. */
export interface LockUse {
  /** Fires when the lock is lost, or when the caller's own signal does. */
  readonly signal: AbortSignal;
  readonly fence: number;
  readonly owner: string;
}

export interface Lock {
  /** Takes it, waiting up to `waitMs`. Safe to repeat: the owner token finds its own lock. */
  acquire(target: LockTarget, options?: AcquireOptions): Promise<LockAcquired>;
  /** A fresh lease from now on. Never revives a lock that has run out. Safe to repeat. */
  extend(target: LockTarget, hold: LockHold, options?: CallOptions): Promise<LockExtended>;
  /** Gives it back; of a group, all that is still held. Safe to repeat. */
  release(target: LockTarget, hold: LockHold, options?: CallOptions): Promise<LockReleased>;
  /**
   * Takes it, runs the function while the lease is renewed every third of it, and gives it back.
   * @throws what the function throws, after the release
   */
  use<V>(
    target: LockTarget,
    work: (use: LockUse) => Promise<V> | V,
    options?: UseOptions,
  ): Promise<Result<LockUsed<V>>>;
}

const FENCE_TTL_MS = 30 * 86_400_000;
/** Longer than any call goes on repeating a release, by default. */
const NOTE_MS = 2 * DEADLINE_MS;
const MOST_TOGETHER = 100;

/**
 * At most one owner at a time, for as long as leases are kept. Safety beyond that needs the fence.
 *
 * ```ts
 * const locks = lock(driver, { leaseMs: 10_000 });
 * await locks.use('invoice-7', async ({ signal, fence }) => write(invoice, { fence, signal }));
 * ```
 */
export function lock(driver: Driver, options: LockOptions): Lock {
  const prefix = checkPrefix(options.prefix ?? 'lock');
  const leaseMs = checkMs('leaseMs', options.leaseMs);
  const fenceTtlMs = options.fenceTtlMs ?? Math.max(FENCE_TTL_MS, 10 * leaseMs);
  checkMs('fenceTtlMs', fenceTtlMs, 10 * leaseMs);

  /** One acquisition and, from before its request, when its lease began. */
  const take = async (target: LockTarget, owner: string, call: WaitOptions): Promise<Taken> => {
    const places = placesOf(prefix, target);
    const args = { owner: checkText('owner', owner, 200), leaseMs, fenceTtlMs };
    const send = (options: ScriptOptions): Promise<Result<OutcomeOf<typeof acquire.spec.reply>>> => {
      const [{ held, fence }] = places;
      if (places.length === 1) return acquireOne.run(driver, { keys: { lock: held, fence }, args }, options);
      const pairs = places.flatMap((place) => [place.held, place.fence]);
      return acquire.run(driver, { keys: { pairs }, args }, options);
    };
    return waitFor(
      async () => {
        const sinceMs = performance.now();
        return takenOf(await send({ ...call, requestId: owner }), sinceMs, leaseMs);
      },
      ({ answer }) => answer.status === 'busy',
      ({ answer }) => (answer.status === 'busy' ? answer.leaseLeftMs : 0),
      call,
    );
  };

  const locks: Lock = {
    async acquire(target, { owner = newRequestId(), ...call } = {}) {
      return (await take(target, owner, call)).answer;
    },

    async extend(target, hold, call) {
      const { owner, fence } = checkHold(hold);
      const pairs = placesOf(prefix, target).flatMap((place) => [place.held, place.fence]);
      return extend.run(driver, { keys: { pairs }, args: { owner, fence, leaseMs, fenceTtlMs } }, call);
    },

    async release(target, hold, call) {
      const { owner, fence } = checkHold(hold);
      const places = placesOf(prefix, target);
      const note = places[0].note(owner);
      const args = { owner, fence, noteMs: Math.max(NOTE_MS, 2 * Math.ceil(call?.deadlineMs ?? 0)) };
      if (places.length === 1) {
        return releaseOne.run(driver, { keys: { note, lock: places[0].held }, args }, call);
      }
      return release.run(driver, { keys: { note, locks: places.map(({ held }) => held) }, args }, call);
    },

    async use<V>(target: LockTarget, work: (use: LockUse) => Promise<V> | V, options: UseOptions = {}) {
      const { onLost, owner = newRequestId(), ...call } = options;
      const { answer, sinceMs } = await take(target, owner, call);
      if (answer.status !== 'acquired') return answer as unknown as Result<LockUsed<V>>;
      const { fence } = answer;
      const hold = { owner, fence };
      try {
        const { value, held } = await whileKept(
          {
            leaseMs,
            sinceMs,
            renew: async (deadlineMs) => RENEWED[(await locks.extend(target, hold, { deadlineMs })).status],
            onLost,
            signal: call.signal,
          },
          (signal) => work({ signal, fence, owner }),
        );
        const outcome: LockUsed<V> = held
          ? { ok: true, status: 'done', value, fence }
          : { ok: false, status: 'lost', value, fence };
        return makeResult<LockUsed<V>>(outcome, answer.meta);
      } finally {
        // A release that fails is no fault of the work: the lease ends by itself.
        await locks.release(target, hold).catch(() => {});
      }
    },
  };
  return locks;
}

const RENEWED = { extended: 'renewed', lost: 'lost', unknown: 'unknown' } as const;

interface Taken {
  readonly answer: LockAcquired;
  readonly sinceMs: number;
}

// What was acquired by a reply that took longer than the lease is not held: as if it had been busy.
function takenOf(
  answer: Result<OutcomeOf<typeof acquire.spec.reply>>,
  sinceMs: number,
  leaseMs: number,
): Taken {
  if (answer.status !== 'acquired') return { answer: answer as unknown as LockAcquired, sinceMs };
  const { owner, fence, meta } = answer;
  const leaseLeftMs = Math.floor(sinceMs + leaseMs - performance.now());
  const outcome: Acquired =
    leaseLeftMs > 0
      ? { ok: true, status: 'acquired', owner, fence, leaseLeftMs }
      : { ok: false, status: 'busy', leaseLeftMs: 0 };
  return { answer: makeResult<Acquired>(outcome, meta), sinceMs };
}

interface Place {
  readonly held: string;
  readonly fence: string;
  note(owner: string): string;
}

function placesOf(prefix: string, target: LockTarget): readonly Place[] {
  if (typeof target === 'string') {
    const key = keysOf(prefix, target);
    return [{ held: key(), fence: key('fence'), note: (owner) => key(`released:${plain(owner)}`) }];
  }
  const key = keysOf(prefix, target.group);
  const { ids } = target;
  checkInt('the number of ids', ids.length, 1, MOST_TOGETHER);
  if (new Set(ids).size < ids.length) throw new AtomicError('BAD_ARGUMENT', 'an id is named twice');
  return ids.map((id) => ({
    held: key(`lock:${tagOf(id)}`),
    fence: key(`fence:${tagOf(id)}`),
    note: (owner) => key(`released:${plain(owner)}:${tagOf(id)}`),
  }));
}

// Without colons, so that no owner's note can be taken for another's.
function plain(owner: string): string {
  return owner.replace(/[%:]/g, (c) => (c === ':' ? '%3A' : '%25'));
}

function checkHold({ owner, fence }: LockHold): LockHold {
  return {
    owner: checkText('owner', owner, 200),
    fence: checkInt('fence', fence, 1, Number.MAX_SAFE_INTEGER),
  };
}

export const lockCard = defineWorkflow({
  name: 'lock',
  invariant: "At most one live owner by the server's clock, and each new owner has a greater fence.",
  keys: {
    lock: { pattern: 'prefix:{id}', holds: 'fence and owner', expires: 'leaseMs after the last renewal' },
    fence: {
      pattern: 'prefix:{id}:fence',
      holds: 'the last fence given out',
      expires: 'fenceTtlMs after the last acquisition or renewal',
    },
    note: {
      pattern: 'prefix:{id}:released:owner',
      holds: 'the fence of a release, so that sending it again is no loss',
      expires: 'ten seconds after the release, or two deadlines',
    },
    groupLock: {
      pattern: 'prefix:{group}:lock:id',
      holds: 'the same, in a group',
      expires: 'as the lock',
      layout: 'group',
    },
    groupFence: {
      pattern: 'prefix:{group}:fence:id',
      holds: 'the same, in a group',
      expires: 'as the fence',
      layout: 'group',
    },
  },
  why: 'SET NX PX takes a lock, but mints no fence; release and renewal compare the owner first, which one command cannot.',
  operations: {
    acquire: { does: 'takes one', script: acquireOne },
    acquireAll: { does: 'takes several together', script: acquire },
    extend: { does: 'a fresh lease for the owner', script: extend },
    release: { does: 'gives back what the owner holds', script: releaseOne },
    releaseAll: { does: 'gives back several', script: release },
  },
  bounds: [
    `at most ${MOST_TOGETHER} locks in one call`,
    'two small keys for each lock',
    'waiting polls every 10 to 375 ms',
  ],
  tests: ['test/workflows/contracts/lock.ts', 'test/workflows/clock-leases.test.ts'],
});
