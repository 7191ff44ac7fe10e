// rateLimit.tokenBucket: a rate with bursts, as GCRA: one key, which holds when the bucket will be full. The fastest
// form: a plain take has a script of its own, lua/rate_token_bucket_take_v1.lua.
import { defineWorkflow } from '../kit/card.ts';
import { checkInt } from '../kit/check.ts';
import { int } from '../kit/codecs.ts';
import type { Driver } from '../kit/driver.ts';
import { AtomicError } from '../kit/errors.ts';
import { checkPrefix, keysOf } from '../kit/keys.ts';
import { checkRequestId } from '../kit/request.ts';
import { defineScript } from '../kit/script.ts';
import {
  rate_token_bucket_take_once_v1,
  rate_token_bucket_take_v1,
  rate_token_bucket_v1,
} from '../lua/scripts.ts';
import {
  checkCost,
  type LimiterOptions,
  LONGEST_MS,
  limiterScripts,
  MOST,
  makeControls,
  type RateLimiter,
  requestTtlOf,
  reset,
  TAKE_REPLY,
} from './limiter.ts';

const take = defineScript({
  name: 'rate_token_bucket_take',
  version: 1,
  lua: rate_token_bucket_take_v1,
  mode: 'write',
  retry: 'never',
  keys: ['bucket'],
  args: { interval: int, size: int, taken: int },
  reply: TAKE_REPLY,
});
const takeOnce = defineScript({
  name: 'rate_token_bucket_take_once',
  version: 1,
  lua: rate_token_bucket_take_once_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['bucket', 'request'],
  args: { interval: int, size: int, taken: int, requestTtlMs: int },
  reply: TAKE_REPLY,
});
const { peek, adjust, block } = limiterScripts('rate_token_bucket', rate_token_bucket_v1);

export interface TokenBucketOptions extends LimiterOptions {
  /** Most tokens that the bucket holds: the largest burst, and the largest cost. */
  readonly capacity: number;
  /** So many tokens come back in `perMs`. */
  readonly refill: number;
  /** Default 1000: `refill` is a rate by the second. */
  readonly perMs?: number;
}

/** Time since 1970 and the time to full must add up to less than 2^53 microseconds. */
const LARGEST_SIZE = 2 ** 52;
/** Most that rounding to whole microseconds may slow a rate. */
const LARGEST_ERROR = 1.01;

/**
 * A bucket of `capacity` tokens that fills at an even rate: bursts up to the capacity, and in the long run the rate.
 * The time for one token is rounded up to whole microseconds, so that a bucket is never faster than asked.
 *
 * ```ts
 * const limiter = rateLimit.tokenBucket(driver, { prefix: 'api', capacity: 20, refill: 10 });
 * const taken = await limiter.take('user-1', { cost: 3 });
 * ```
 */
export function tokenBucket(driver: Driver, options: TokenBucketOptions): RateLimiter {
  const prefix = checkPrefix(options.prefix ?? 'rate-bucket');
  const capacity = checkInt('capacity', options.capacity, 1, MOST);
  const interval = intervalOf(options);
  const size = capacity * interval;
  if (size > LARGEST_SIZE) {
    throw new AtomicError('BAD_ARGUMENT', 'the bucket takes more than 142 years to fill');
  }
  const requestTtlMs = requestTtlOf(options);
  const form = { prefix, parts: [undefined], limit: interval, unit: size, requestTtlMs };
  return {
    ...makeControls(driver, { peek, adjust, block }, form),
    // Not async: the plain take is the one that every request pays for.
    take(id, options) {
      try {
        const key = keysOf(prefix, id);
        const args = { interval, size, taken: checkCost(options?.cost ?? 1) * interval };
        if (options?.requestId === undefined) {
          return take.run(driver, { keys: { bucket: key() }, args }, options);
        }
        const request = key(`request:${checkRequestId(options.requestId)}`);
        const input = { keys: { bucket: key(), request }, args: { ...args, requestTtlMs } };
        return takeOnce.run(driver, input, options);
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}

/** Microseconds of one token. */
function intervalOf(options: TokenBucketOptions): number {
  const refill = checkInt('refill', options.refill, 1, MOST);
  const exact = (checkInt('perMs', options.perMs ?? 1000, 1, LONGEST_MS) * 1000) / refill;
  const interval = Math.ceil(exact);
  if (interval > exact * LARGEST_ERROR) {
    throw new AtomicError(
      'BAD_ARGUMENT',
      'so high a rate must come to whole microseconds for each token: let one token stand for more',
    );
  }
  return interval;
}

export const tokenBucketCard = defineWorkflow({
  name: 'rateLimit.tokenBucket',
  invariant: 'In no span of time is more taken than the capacity and what the rate gives back in that span.',
  keys: {
    bucket: {
      pattern: 'prefix:{id}',
      holds: 'when the bucket will be full, in microseconds since 1970, and a block',
      expires: 'when the bucket is full, or at the end of a longer block',
    },
    request: {
      pattern: 'prefix:{id}:request:requestId',
      holds: 'what an allowed request was answered',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'What is taken depends on what was there and on the time: reading and writing must be one step.',
  operations: {
    take: { does: 'takes without a request id', script: take },
    takeOnce: { does: 'takes with a request id', script: takeOnce },
    peek: { does: 'says what take would answer', script: peek },
    penalty: { does: 'takes points, at most what remains', script: adjust },
    reward: { does: 'gives points back', script: adjust },
    block: { does: 'denies everything for a time', script: block },
    reset: { does: 'forgets an id', script: reset },
  },
  bounds: ['one string below 60 bytes for each id', 'one record for each request id, for requestTtlMs'],
  tests: ['test/workflows/contracts/rate-limit.ts', 'test/workflows/clock-rate-limit.test.ts'],
});
