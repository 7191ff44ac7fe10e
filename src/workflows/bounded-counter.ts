// A counter between two bounds: seats, credits, slots. For users; the script is lua/bounded_counter_add_v1.lua.

import { defineWorkflow } from './kit/card.ts';
import { flag, int, int64 } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { bounded_counter_add_v1 } from './lua/scripts.ts';

const add = defineScript({
  name: 'bounded_counter_add',
  version: 1,
  lua: bounded_counter_add_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['counter', 'request[]'],
  args: { amount: int64, least: int64, most: int64, requestTtlMs: int },
  reply: {
    added: ok({ replayed: flag, value: int64 }),
    out_of_bounds: denied({ replayed: flag, value: int64 }),
    not_an_integer: denied({ replayed: flag }),
    request_reused: denied({ replayed: flag }),
  },
});

export interface BoundedCounterOptions {
  /** Keys begin with it. Default `counter`. */
  readonly prefix?: string;
  /** Least value, default 0. */
  readonly min?: bigint;
  /** Greatest value. */
  readonly max: bigint;
  /** How long a request id is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

/**
 * `added` with the new value; `out_of_bounds` with the value that stays; `not_an_integer` where the key holds something
 * else; `request_reused` where the id was used with other arguments.
 */
export type BoundedCounterResult = Result<OutcomeOf<typeof add.spec.reply>>;

export interface BoundedCounter {
  /**
   * Adds, or subtracts where `amount` is negative, unless that leaves the bounds. A missing counter is 0. Safe to
   * repeat with a request id, otherwise not.
   */
  add(id: string, amount: bigint, options?: RequestOptions): Promise<BoundedCounterResult>;
}

/**
 * A counter that never leaves its bounds: min ≤ value ≤ max, always.
 *
 * ```ts
 * const seats = boundedCounter(driver, { prefix: 'seats', max: 30n });
 * const taken = await seats.add('room-1', 1n);
 * ```
 */
export function boundedCounter(driver: Driver, options: BoundedCounterOptions): BoundedCounter {
  const { min = 0n, max, requestTtlMs = REQUEST_TTL_MS } = options;
  const prefix = checkPrefix(options.prefix ?? 'counter');
  if (min > max) throw new AtomicError('BAD_ARGUMENT', 'min is greater than max');
  return {
    async add(id, amount, request) {
      const key = keysOf(prefix, id);
      const ids =
        request?.requestId === undefined ? [] : [key(`request:${checkRequestId(request.requestId)}`)];
      return add.run(
        driver,
        { keys: { counter: key(), request: ids }, args: { amount, least: min, most: max, requestTtlMs } },
        request,
      );
    },
  };
}

export const boundedCounterCard = defineWorkflow({
  name: 'boundedCounter',
  invariant: 'min ≤ value ≤ max after every operation, in signed integers of 64 bits.',
  keys: {
    counter: { pattern: 'prefix:{id}', holds: 'the value', expires: 'never' },
    request: {
      pattern: 'prefix:{id}:request:requestId',
      holds: 'what a request was answered',
      expires: 'requestTtlMs after the first answer',
    },
  },
  why: 'INCRBY alone does not know the bounds, and a check before it can be overtaken: both must be one step.',
  operations: { add: { does: 'adds within the bounds', script: add } },
  bounds: [
    'one key of at most 20 bytes',
    'one record of some 100 bytes for each request id, for requestTtlMs',
  ],
  tests: ['test/workflows/contracts/bounded-counter.ts'],
});
