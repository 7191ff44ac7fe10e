// Holds on a pool of equal things (seats, rooms of a kind, tickets) that end by being confirmed, cancelled or late. For
// users; the scripts are lua/reservation_*_v1.lua.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkName } from './kit/check.ts';
import { flag, int, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import {
  reservation_add_v1,
  reservation_end_v1,
  reservation_read_v1,
  reservation_reserve_v1,
  reservation_sweep_v1,
} from './lua/scripts.ts';

const KEYS = ['pool', 'holds', 'due', 'done'] as const;

const add = defineScript({
  name: 'reservation_add',
  version: 1,
  lua: reservation_add_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['pool', 'request[]'],
  args: { quantity: int, requestTtlMs: int },
  reply: {
    added: ok({ replayed: flag, total: int, available: int }),
    too_many: denied({ replayed: flag, total: int }),
    request_reused: denied({ replayed: flag }),
  },
});

const reserve = defineScript({
  name: 'reservation_reserve',
  version: 1,
  lua: reservation_reserve_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { hold: text, quantity: int, holdMs: int, rememberMs: int, rememberMost: int },
  reply: {
    held: ok({ replayed: flag, serverTimeMs: int, dueMs: int }),
    insufficient: denied({ replayed: flag, serverTimeMs: int, available: int }),
    already_confirmed: denied({ replayed: flag, serverTimeMs: int }),
    already_cancelled: denied({ replayed: flag, serverTimeMs: int }),
    already_expired: denied({ replayed: flag, serverTimeMs: int }),
    hold_reused: denied({ replayed: flag, serverTimeMs: int }),
    unknown_pool: denied({ replayed: flag, serverTimeMs: int }),
  },
});

const end = {
  version: 1,
  lua: reservation_end_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { hold: text, state: text, rememberMs: int, rememberMost: int },
} as const;

const confirm = defineScript({
  ...end,
  name: 'reservation_confirm',
  reply: {
    confirmed: ok({ replayed: flag, serverTimeMs: int, quantity: int }),
    already_cancelled: denied({ replayed: flag, serverTimeMs: int }),
    already_expired: denied({ replayed: flag, serverTimeMs: int }),
    unknown_hold: denied({ replayed: flag, serverTimeMs: int }),
  },
});

const cancel = defineScript({
  ...end,
  name: 'reservation_cancel',
  reply: {
    cancelled: ok({ replayed: flag, serverTimeMs: int, quantity: int }),
    already_confirmed: denied({ replayed: flag, serverTimeMs: int }),
    already_expired: denied({ replayed: flag, serverTimeMs: int }),
    unknown_hold: denied({ replayed: flag, serverTimeMs: int }),
  },
});

const sweep = defineScript({
  name: 'reservation_sweep',
  version: 1,
  lua: reservation_sweep_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { limit: int, rememberMs: int, rememberMost: int },
  reply: {
    done: ok({ serverTimeMs: int, holds: int, freed: int }),
    partial: ok({ serverTimeMs: int, holds: int, freed: int }),
  },
});

const read = defineScript({
  name: 'reservation_read',
  version: 1,
  lua: reservation_read_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: {},
  reply: {
    read: ok({ serverTimeMs: int, total: int, available: int, held: int, sold: int }),
    unknown_pool: denied({ serverTimeMs: int }),
  },
});

export interface ReservationOptions {
  /** Keys begin with it. Default `reservation`. */
  readonly prefix?: string;
  /** How long a finished hold is remembered, so that repeats answer the same, in milliseconds. Default a day. */
  readonly rememberMs?: number;
  /** How many finished holds of a pool are remembered at most. Default 10,000. */
  readonly rememberMost?: number;
  /** How long a request id of `add` is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

/** `added` with the new counts; `too_many` beyond 2^53; `request_reused`. */
export type ReservationAddResult = Result<OutcomeOf<typeof add.spec.reply>>;
/**
 * `held` until `dueMs` (Unix milliseconds of the server); `insufficient` with what is available; `already_confirmed`,
 * `already_cancelled`, `already_expired` where this hold has ended; `hold_reused` where its id was used for another
 * quantity; `unknown_pool`.
 */
export type ReservationReserveResult = Result<OutcomeOf<typeof reserve.spec.reply>>;
/** `confirmed` (`meta.replayed` says it was before), `already_cancelled`, `already_expired` or `unknown_hold`. */
export type ReservationConfirmResult = Result<OutcomeOf<typeof confirm.spec.reply>>;
/** `cancelled` (`meta.replayed` says it was before), `already_confirmed`, `already_expired` or `unknown_hold`. */
export type ReservationCancelResult = Result<OutcomeOf<typeof cancel.spec.reply>>;
/** `done`, or `partial` where more is due; with how many holds ended and how much they gave back. */
export type ReservationSweepResult = Result<OutcomeOf<typeof sweep.spec.reply>>;
/** `read` with the counts, or `unknown_pool`. */
export type ReservationReadResult = Result<OutcomeOf<typeof read.spec.reply>>;

export interface Reservation {
  /** Adds 1 or more to a pool, which begins with that. Safe to repeat with a request id only. */
  add(pool: string, quantity: number, options?: RequestOptions): Promise<ReservationAddResult>;
  /**
   * Holds `quantity` for `holdMs` (1 ms to a year). The hold's id makes it safe to repeat: a running hold answers
   * `held` with the time it had, which is not prolonged.
   */
  reserve(
    pool: string,
    hold: { readonly holdId: string; readonly quantity: number; readonly holdMs: number },
    options?: CallOptions,
  ): Promise<ReservationReserveResult>;
  /** Makes a hold final, unless it is due by the server's clock. Safe to repeat. */
  confirm(pool: string, holdId: string, options?: CallOptions): Promise<ReservationConfirmResult>;
  /** Gives a hold back. Safe to repeat. */
  cancel(pool: string, holdId: string, options?: CallOptions): Promise<ReservationCancelResult>;
  /** For a worker: ends at most `limit` (1 to 1000, default 100) holds that are due. `partial`: call it again. */
  sweep(pool: string, limit?: number, options?: CallOptions): Promise<ReservationSweepResult>;
  /** The counts, after ending at most 50 holds that are due. */
  read(pool: string, options?: CallOptions): Promise<ReservationReadResult>;
}

/** A year. */
const LONGEST_MS = 366 * 86_400_000;

/**
 * Holds with a time limit: available + held + sold = total, always, and an expired hold gives its stock back.
 *
 * ```ts
 * const tickets = reservation(driver);
 * await tickets.add('concert', 100);
 * const held = await tickets.reserve('concert', { holdId: 'cart-1', quantity: 2, holdMs: 600_000 });
 * if (held.ok) await tickets.confirm('concert', 'cart-1');
 * ```
 * @throws AtomicError BAD_ARGUMENT, from here and from every method, before anything is sent
 */
export function reservation(driver: Driver, options: ReservationOptions = {}): Reservation {
  const { rememberMs = 86_400_000, rememberMost = 10_000, requestTtlMs = REQUEST_TTL_MS } = options;
  const prefix = checkPrefix(options.prefix ?? 'reservation');
  checkInt('rememberMs', rememberMs, 1, 2 ** 50);
  checkInt('rememberMost', rememberMost, 1, 10_000_000);
  checkInt('requestTtlMs', requestTtlMs, 1, 2 ** 50);
  const memory = { rememberMs, rememberMost };
  const keysFor = (id: string) => {
    const key = keysOf(prefix, id);
    return { pool: key(), holds: key('holds'), due: key('due'), done: key('done') };
  };
  const named = (holdId: string) => checkName('a hold id', holdId);
  return {
    async add(pool, quantity, request) {
      const key = keysOf(prefix, pool);
      const id = request?.requestId;
      const ids = id === undefined ? [] : [key(`request:${checkRequestId(id)}`)];
      checkInt('quantity', quantity, 1, Number.MAX_SAFE_INTEGER);
      const keys = { pool: key(), request: ids };
      return add.run(driver, { keys, args: { quantity, requestTtlMs } }, request);
    },
    async reserve(pool, { holdId, quantity, holdMs }, call) {
      checkInt('quantity', quantity, 1, Number.MAX_SAFE_INTEGER);
      checkInt('holdMs', holdMs, 1, LONGEST_MS);
      const args = { hold: named(holdId), quantity, holdMs, ...memory };
      return reserve.run(driver, { keys: keysFor(pool), args }, call);
    },
    async confirm(pool, holdId, call) {
      const args = { hold: named(holdId), state: 'confirmed', ...memory };
      return confirm.run(driver, { keys: keysFor(pool), args }, call);
    },
    async cancel(pool, holdId, call) {
      const args = { hold: named(holdId), state: 'cancelled', ...memory };
      return cancel.run(driver, { keys: keysFor(pool), args }, call);
    },
    async sweep(pool, limit = 100, call) {
      checkInt('limit', limit, 1, 1000);
      return sweep.run(driver, { keys: keysFor(pool), args: { limit, ...memory } }, call);
    },
    async read(pool, call) {
      return read.run(driver, { keys: keysFor(pool), args: {} }, call);
    },
  };
}

export const reservationCard = defineWorkflow({
  name: 'reservation',
  invariant:
    'available + held + sold = total, always; of confirm, cancel and expire exactly one ends a hold.',
  keys: {
    pool: { pattern: 'prefix:{pool}', holds: 'total, available, held and sold', expires: 'never' },
    holds: {
      pattern: 'prefix:{pool}:holds',
      holds: 'state, quantity and due time by hold',
      expires:
        'never; ended holds are taken out rememberMs later, or when rememberMost others have ended since',
    },
    due: {
      pattern: 'prefix:{pool}:due',
      holds: 'running holds by due time',
      expires: 'never; empties itself',
    },
    done: {
      pattern: 'prefix:{pool}:done',
      holds: 'ended holds by the time they ended',
      expires: 'as in holds',
    },
    request: {
      pattern: 'prefix:{pool}:request:requestId',
      holds: 'what add was answered',
      expires: 'requestTtlMs after the first answer',
    },
  },
  why: 'A hold with an EXPIRE would vanish with its stock; giving back, counting and ending must be one step by one clock.',
  operations: {
    add: { does: 'adds to the pool', script: add },
    reserve: { does: 'holds some for a time', script: reserve },
    confirm: { does: 'makes a hold final', script: confirm },
    cancel: { does: 'gives a hold back', script: cancel },
    sweep: { does: 'ends holds that are due', script: sweep },
    read: { does: 'reads the counts', script: read },
  },
  bounds: [
    'reserve, confirm, cancel and read end at most 50 holds that are due, sweep at most 1000',
    'at most rememberMost ended holds, forgotten at most 150 at a time',
    'some 150 bytes for each running or remembered hold',
  ],
  tests: ['test/workflows/contracts/reservation.ts', 'test/workflows/clock-trade.test.ts'],
});
