// rateLimit.fixedWindow: so many in each window of the clock. The cheapest to explain; the script is
// lua/rate_fixed_window_v1.lua.
import { defineWorkflow } from '../kit/card.ts';
import { checkInt } from '../kit/check.ts';
import type { Driver } from '../kit/driver.ts';
import { checkPrefix } from '../kit/keys.ts';
import { rate_fixed_window_v1 } from '../lua/scripts.ts';
import {
  type LimiterOptions,
  LONGEST_MS,
  limiterScripts,
  MOST,
  makeLimiter,
  type RateLimiter,
  requestTtlOf,
  reset,
} from './limiter.ts';

const scripts = limiterScripts('rate_fixed_window', rate_fixed_window_v1);

export interface WindowOptions extends LimiterOptions {
  /** How much each window allows. */
  readonly limit: number;
  /** Length of a window in milliseconds. */
  readonly windowMs: number;
}

/**
 * At most `limit` in each window. Windows begin at multiples of their length since 1970, by the server's clock. Around
 * a boundary up to twice the limit can pass within one length: where that matters, use a sliding form.
 *
 * ```ts
 * const limiter = rateLimit.fixedWindow(driver, { prefix: 'api', limit: 100, windowMs: 60_000 });
 * const taken = await limiter.take('user-1');
 * ```
 */
export function fixedWindow(driver: Driver, options: WindowOptions): RateLimiter {
  return makeLimiter(driver, scripts, {
    prefix: checkPrefix(options.prefix ?? 'rate-window'),
    parts: [undefined],
    limit: checkInt('limit', options.limit, 1, MOST),
    unit: checkInt('windowMs', options.windowMs, 1, LONGEST_MS),
    requestTtlMs: requestTtlOf(options),
  });
}

export const fixedWindowCard = defineWorkflow({
  name: 'rateLimit.fixedWindow',
  invariant: 'No window of the clock has more than the limit.',
  keys: {
    state: {
      pattern: 'prefix:{id}',
      holds: 'start of the window, what was used in it, and a block',
      expires: 'at the end of the window, or of a longer block',
    },
    request: {
      pattern: 'prefix:{id}:request:requestId',
      holds: 'what an allowed request was answered',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'INCR with EXPIRE counts denials as well, and loses its EXPIRE to a crash between the two.',
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
