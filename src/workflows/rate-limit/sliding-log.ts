// rateLimit.slidingLog: the exact sliding window, at the price of one entry for each thing taken. The script is
// lua/rate_sliding_log_v1.lua.
import { defineWorkflow } from '../kit/card.ts';
import { checkInt } from '../kit/check.ts';
import type { Driver } from '../kit/driver.ts';
import { checkPrefix } from '../kit/keys.ts';
import { rate_sliding_log_v1 } from '../lua/scripts.ts';
import type { WindowOptions } from './fixed-window.ts';
import { LONGEST_MS, limiterScripts, makeLimiter, type RateLimiter, requestTtlOf, reset } from './limiter.ts';

const scripts = limiterScripts('rate_sliding_log', rate_sliding_log_v1);

/** Entries of one id at most. */
const LONGEST_LOG = 10_000;

/**
 * At most `limit`, which is at most 10,000, in every window of this length, wherever it begins.
 *
 * ```ts
 * const limiter = rateLimit.slidingLog(driver, { prefix: 'login', limit: 5, windowMs: 60_000 });
 * ```
 */
export function slidingLog(driver: Driver, options: WindowOptions): RateLimiter {
  return makeLimiter(driver, scripts, {
    prefix: checkPrefix(options.prefix ?? 'rate-log'),
    parts: [undefined, 'block'],
    limit: checkInt('limit', options.limit, 1, LONGEST_LOG),
    unit: checkInt('windowMs', options.windowMs, 1, LONGEST_MS),
    requestTtlMs: requestTtlOf(options),
  });
}

export const slidingLogCard = defineWorkflow({
  name: 'rateLimit.slidingLog',
  invariant: 'No window of this length, wherever it begins, has more than the limit.',
  keys: {
    log: {
      pattern: 'prefix:{id}',
      holds: 'a sorted set: a number that grows, scored by the moment in microseconds',
      expires: 'one window after the last thing taken',
    },
    block: { pattern: 'prefix:{id}:block', holds: 'how long a block lasts', expires: 'with the block' },
    request: {
      pattern: 'prefix:{id}:request:requestId',
      holds: 'what an allowed request was answered',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'ZREMRANGEBYSCORE, ZCARD and ZADD in MULTI cannot refuse: what is denied would count as well.',
  operations: {
    take: { does: 'takes within the limit', script: scripts.take },
    peek: { does: 'says what take would answer', script: scripts.peek },
    penalty: { does: 'takes points, at most what remains', script: scripts.adjust },
    reward: { does: 'gives the newest points back', script: scripts.adjust },
    block: { does: 'denies everything for a time', script: scripts.block },
    reset: { does: 'forgets an id', script: reset },
  },
  bounds: [
    'at most `limit` entries for each id, of some 100 bytes',
    'one record for each request id, for requestTtlMs',
  ],
  tests: ['test/workflows/contracts/rate-limit.ts', 'test/workflows/clock-rate-limit.test.ts'],
});
