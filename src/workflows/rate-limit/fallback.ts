// rateLimit.withFallback: a second limiter for when the first cannot be reached, and only then. A denial is an answer.
import { type AtomicCode, AtomicError } from '../kit/errors.ts';
import type { RateLimiter } from './limiter.ts';

/** Errors that say nothing about the limit, only that nobody could be asked. */
const UNREACHABLE: ReadonlySet<AtomicCode> = new Set<AtomicCode>([
  'DEADLINE',
  'DISCONNECTED',
  'READONLY',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'BUSY',
  'LOADING',
  'OOM',
  'UNWRITABLE',
]);

/**
 * Asks `primary`, and `insurance` where that cannot be reached or its answer was lost. Never on a denial, and never on
 * an error of the caller. Each call decides for itself: once the primary answers again, it is asked again.
 *
 * ```ts
 * const limiter = rateLimit.withFallback(shared, rateLimit.tokenBucket(embedded(await open()), { … }));
 * ```
 */
export function withFallback(primary: RateLimiter, insurance: RateLimiter): RateLimiter {
  return {
    take: (...words) => either((limiter) => limiter.take(...words)),
    peek: (...words) => either((limiter) => limiter.peek(...words)),
    penalty: (...words) => either((limiter) => limiter.penalty(...words)),
    reward: (...words) => either((limiter) => limiter.reward(...words)),
    block: (...words) => either((limiter) => limiter.block(...words)),
    reset: (...words) => either((limiter) => limiter.reset(...words)),
  };

  async function either<R extends { readonly status: string }>(
    ask: (limiter: RateLimiter) => Promise<R>,
  ): Promise<R> {
    try {
      const result = await ask(primary);
      if (result.status !== 'unknown') return result;
    } catch (error) {
      if (!(error instanceof AtomicError && UNREACHABLE.has(error.code))) throw error;
    }
    return ask(insurance);
  }
}
