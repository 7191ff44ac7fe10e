// A quota in a period of the calendar or a rolling one: so many mails a month, so many megabytes in 24 hours. For
// users; the script is lua/quota_v1.lua, and quota-watch.ts does the same with WATCH.
import { defineWorkflow } from './kit/card.ts';
import { flag, int, text } from './kit/codecs.ts';
import type { ContentionTracker } from './kit/contention.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { quota_v1 } from './lua/scripts.ts';
import { type Demand, type Rules, watched } from './quota-watch.ts';

const left = { used: int, remaining: int };
const CONSUME_REPLY = {
  consumed: ok({ replayed: flag, serverTimeMs: int, ...left, periodMs: int, resetMs: int }),
  exceeded: denied({ replayed: flag, serverTimeMs: int, ...left, retryAfterMs: int }),
  too_large: denied({ replayed: flag, serverTimeMs: int, limit: int }),
  request_reused: denied({ replayed: flag }),
};
const REFUND_REPLY = {
  refunded: ok({ replayed: flag, serverTimeMs: int, refunded: int, ...left }),
  period_over: denied({ replayed: flag, serverTimeMs: int, ...left }),
  request_reused: denied({ replayed: flag }),
};
const READ_REPLY = { current: ok({ serverTimeMs: int, ...left, periodMs: int, resetMs: int }) };

const shared = {
  version: 1,
  lua: quota_v1,
  args: {
    op: text,
    limit: int,
    kind: text,
    lengthMs: int,
    slots: int,
    aheadMs: int,
    amount: int,
    periodMs: int,
    requestTtlMs: int,
  },
} as const;
const consume = defineScript({
  ...shared,
  name: 'quota_consume',
  mode: 'write',
  retry: 'same-request-id',
  keys: ['book', 'request[]'],
  reply: CONSUME_REPLY,
});
const refund = defineScript({
  ...shared,
  name: 'quota_refund',
  mode: 'write',
  retry: 'same-request-id',
  keys: ['book', 'request[]'],
  reply: REFUND_REPLY,
});
const read = defineScript({
  ...shared,
  name: 'quota_read',
  mode: 'read',
  retry: 'always',
  keys: ['book'],
  reply: READ_REPLY,
});

/** A period of the calendar, or any span of this length, up to now. */
export type QuotaPeriod = 'minute' | 'hour' | 'day' | 'month' | { readonly rollingMs: number };

export interface QuotaOptions {
  /** Keys begin with it. Default `quota`. */
  readonly prefix?: string;
  /** How much each period allows. */
  readonly limit: number;
  readonly period: QuotaPeriod;
  /** Minutes by which the calendar is ahead of UTC, -1439 to 1439. Default 0. A fixed offset: no summer time. */
  readonly offsetMinutes?: number;
  /** `script` (the default) does it in one round trip; `watch` is for servers that permit no scripts. */
  readonly mechanism?: 'script' | 'watch';
  /** How long a request id is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
  /** Counts the conflicts of the `watch` form. */
  readonly contention?: ContentionTracker;
}

/**
 * `consumed` in the period that began at `periodMs` and counts for `resetMs` more; `exceeded` with the wait until so much
 * fits, if nobody else comes; `too_large` where it never fits; `request_reused`.
 */
export type ConsumeResult = Result<OutcomeOf<typeof CONSUME_REPLY>>;
/** `refunded` with how much it was; `period_over` where that period counts no more, and nothing changed. */
export type RefundResult = Result<OutcomeOf<typeof REFUND_REPLY>>;
export type QuotaResult = Result<OutcomeOf<typeof READ_REPLY>>;

export interface Quota {
  /** Uses so much, an integer of 1 or more. Safe to repeat with a request id, otherwise not. */
  consume(id: string, amount: number, options?: RequestOptions): Promise<ConsumeResult>;
  /**
   * Gives back at most what was used in the period that `consumed` named. Never below zero, and never into another
   * period. Safe to repeat with a request id, otherwise not.
   */
  refund(id: string, amount: number, periodMs: number, options?: RequestOptions): Promise<RefundResult>;
  /** How much is used. */
  read(id: string, options?: CallOptions): Promise<QuotaResult>;
}

const LENGTHS = { minute: 60_000, hour: 3_600_000, day: 86_400_000, month: 0 } as const;
/** Slots of a rolling period. What is consumed counts for the period and at most one slot more. */
const SLOTS = 30;
const LONGEST_MS = 3660 * 86_400_000;

/**
 * A quota: used ≤ limit in the period. A rolling period is counted in slots of a thirtieth, which count until all of
 * them is out of it: never more than the limit in any such span.
 *
 * ```ts
 * const mails = quota(driver, { prefix: 'mails', limit: 1000, period: 'month' });
 * const sent = await mails.consume('user-1', 3, { requestId: 'newsletter-7' });
 * ```
 */
export function quota(driver: Driver, options: QuotaOptions): Quota {
  const prefix = checkPrefix(options.prefix ?? 'quota');
  const rules = rulesOf(options);
  const requestTtlMs = checkAmount(options.requestTtlMs ?? REQUEST_TTL_MS, 'requestTtlMs');
  const demand = (op: Demand['op'], amount: number, periodMs = 0): Demand => ({ op, amount, periodMs });
  const args = (asked: Demand) => ({ ...rules, ...asked, requestTtlMs });

  if (options.mechanism === 'watch') {
    const book = watched(driver, { prefix, rules, requestTtlMs, contention: options.contention });
    return {
      consume: async (id, amount, request) =>
        book(id, demand('consume', checkAmount(amount)), request) as Promise<ConsumeResult>,
      refund: async (id, amount, periodMs, request) =>
        book(
          id,
          demand('refund', checkAmount(amount), checkPeriod(periodMs)),
          request,
        ) as Promise<RefundResult>,
      read: async (id, call) => book(id, demand('read', 0), call) as Promise<QuotaResult>,
    };
  }
  const keys = (id: string, request?: RequestOptions) => {
    const key = keysOf(prefix, id);
    const ids = request?.requestId === undefined ? [] : [key(`request:${checkRequestId(request.requestId)}`)];
    return { book: key(), request: ids };
  };
  return {
    async consume(id, amount, request) {
      const asked = demand('consume', checkAmount(amount));
      return consume.run(driver, { keys: keys(id, request), args: args(asked) }, request);
    },
    async refund(id, amount, periodMs, request) {
      const asked = demand('refund', checkAmount(amount), checkPeriod(periodMs));
      return refund.run(driver, { keys: keys(id, request), args: args(asked) }, request);
    },
    async read(id, call) {
      return read.run(driver, { keys: { book: keysOf(prefix, id)() }, args: args(demand('read', 0)) }, call);
    },
  };
}

function rulesOf({ limit, period, offsetMinutes = 0, mechanism }: QuotaOptions): Rules {
  checkAmount(limit, 'limit');
  if (!Number.isInteger(offsetMinutes) || Math.abs(offsetMinutes) > 1439)
    bad('offsetMinutes', '-1439 to 1439');
  if (mechanism !== undefined && mechanism !== 'script' && mechanism !== 'watch') {
    bad('mechanism', 'script or watch');
  }
  const aheadMs = offsetMinutes * 60_000;
  if (typeof period === 'string') {
    if (!Object.hasOwn(LENGTHS, period)) bad('period', 'minute, hour, day, month or { rollingMs }');
    return {
      limit,
      kind: period === 'month' ? 'month' : 'even',
      lengthMs: LENGTHS[period],
      slots: 0,
      aheadMs,
    };
  }
  const { rollingMs } = period;
  if (!Number.isSafeInteger(rollingMs) || rollingMs < 1 || rollingMs > LONGEST_MS) {
    bad('rollingMs', 'an integer of 1 ms to ten years');
  }
  return { limit, kind: 'even', lengthMs: Math.ceil(rollingMs / SLOTS), slots: SLOTS, aheadMs: 0 };
}

/** Sums of two amounts stay exact. */
const MOST = 2 ** 52;

function checkAmount(amount: number, name = 'amount'): number {
  return Number.isSafeInteger(amount) && amount >= 1 && amount <= MOST ? amount : bad(name, '1 to 2^52');
}

function checkPeriod(periodMs: number): number {
  return Number.isSafeInteger(periodMs) ? periodMs : bad('periodMs', 'what consume answered');
}

function bad(name: string, wanted: string): never {
  throw new AtomicError('BAD_ARGUMENT', `${name} must be ${wanted}`);
}

export const quotaCard = defineWorkflow({
  name: 'quota',
  invariant: 'What is used in the period is never more than the limit, and never below zero.',
  keys: {
    book: {
      pattern: 'prefix:{id}',
      holds: 'what was used in each slot of the period',
      expires: 'when the last of them counts no more',
    },
    request: {
      pattern: 'prefix:{id}:request:requestId',
      holds: 'what a request was answered; with WATCH it is prefix:{id}:answer:requestId',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'INCRBY does not know the limit, and the period may end between a check and the count.',
  operations: {
    consume: { does: 'uses an amount within the limit', script: consume },
    refund: { does: 'gives back into the same period', script: refund },
    read: { does: 'says how much is used', script: read },
  },
  bounds: [
    'one string: of one slot for the calendar, of at most 31 for a rolling period (below 1 kB)',
    'one record for each request id, for requestTtlMs',
  ],
  tests: ['test/workflows/contracts/quota.ts', 'test/workflows/clock-quota.test.ts'],
});
