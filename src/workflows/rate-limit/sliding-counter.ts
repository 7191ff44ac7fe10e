// rateLimit.slidingCounter: a sliding window estimated from two counters, at the price of one small key. The script is
// lua/rate_sliding_counter_v1.lua.
import { defineWorkflow } from '../kit/card.ts';
import { checkInt } from '../kit/check.ts';
import type { Driver } from '../kit/driver.ts';
import { AtomicError } from '../kit/errors.ts';
import { checkPrefix } from '../kit/keys.ts';
import { rate_sliding_counter_v1 } from '../lua/scripts.ts';
import type { WindowOptions } from './fixed-window.ts';
import {
  LONGEST_MS,
  limiterScripts,
  MOST,
  makeLimiter,
  type RateLimiter,
  requestTtlOf,
  reset,
} from './limiter.ts';

const scripts = limiterScripts('rate_sliding_counter', rate_sliding_counter_v1);

/** Products of counts and milliseconds must be exact in Lua. */
const LARGEST_PRODUCT = 2 ** 51;

/**
 * At most `limit` in a sliding window, estimated: what the window of the clock has counted, and of the one before it
 * the share that the sliding window still covers, as if that had been spread evenly. The docs say how far off that is.
 *
 * ```ts
 * const limiter = rateLimit.slidingCounter(driver, { prefix: 'api', limit: 100, windowMs: 60_000 });
 * ```
 */
export function slidingCounter(driver: Driver, options: WindowOptions): RateLimiter {
  const limit = checkInt('limit', options.limit, 1, MOST);
  const unit = checkInt('windowMs', options.windowMs, 1, LONGEST_MS);
  if (limit * unit > LARGEST_PRODUCT) {
    throw new AtomicError('BAD_ARGUMENT', 'limit times windowMs must not be more than 2^51');
  }
  return makeLimiter(driver, scripts, {
    prefix: checkPrefix(options.prefix ?? 'rate-counter'),
    parts: [undefined],
    limit,
    unit,
    requestTtlMs: requestTtlOf(options),
  });
}

export const slidingCounterCard = defineWorkflow({
  name: 'rateLimit.slidingCounter',
  invariant:
    'What this window counted, and the share of the one before that still is within reach, is never more than the limit.',
  keys: {
    state: {
      pattern: 'prefix:{id}',
      holds: 'start of the window, its count, the count before it, and a block',
      expires: 'at the end of the next window, or of a longer block',
    },
    request: {
      pattern: 'prefix:{id}:request:requestId',
      holds: 'what an allowed request was answered',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'Two counters are read and one is written on what both say: another client must not come between.',
  operations: {
    take: { does: 'takes within the limit', script: scripts.take },
    peek: { does: 'says what take would answer', script: scripts.peek },
    penalty: { does: 'takes points, at most what remains', script: scripts.adjust },
    reward: { does: 'gives points back', script: scripts.adjust },
    block: { does: 'denies everything for a time', script: scripts.block },
    reset: { does: 'forgets an id', script: reset },
  },
  bounds: ['one string below 100 bytes for each id', 'one record for each request id, for requestTtlMs'],
  tests: ['test/workflows/contracts/rate-limit.ts', 'test/workflows/clock-rate-limit.test.ts'],
});
