// rateLimit: four ways of counting, one interface, and a fallback. For users; each form is in a file of its own.
import { withFallback } from './fallback.ts';
import { fixedWindow } from './fixed-window.ts';
import { slidingCounter } from './sliding-counter.ts';
import { slidingLog } from './sliding-log.ts';
import { tokenBucket } from './token-bucket.ts';

export { fixedWindowCard, type WindowOptions } from './fixed-window.ts';
export type {
  AdjustResult,
  BlockResult,
  LimiterOptions,
  PeekOptions,
  RateLimiter,
  ResetResult,
  TakeOptions,
  TakeResult,
} from './limiter.ts';
export { slidingCounterCard } from './sliding-counter.ts';
export { slidingLogCard } from './sliding-log.ts';
export { type TokenBucketOptions, tokenBucketCard } from './token-bucket.ts';

/** Limits how often something happens. */
export const rateLimit = { fixedWindow, slidingLog, slidingCounter, tokenBucket, withFallback } as const;
