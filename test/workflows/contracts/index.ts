// All contract suites and stress loads, one of each for each workflow. Used by the tests of drivers, by the stress test
// and by chaos.
import type { Contract, Stress } from '../world.ts';
import { auditTrailContract, auditTrailStress } from './audit-trail.ts';
import { boundedCounterContract, boundedCounterStress } from './bounded-counter.ts';
import { leaderboardContract, leaderboardStress } from './leaderboard.ts';
import { popLowestContract, popLowestStress } from './pop-lowest.ts';
import { quotaContract, quotaStress } from './quota.ts';
import * as rateLimit from './rate-limit.ts';
import { sweepContract, sweepStress } from './sweep.ts';

export const CONTRACTS: readonly Contract[] = [
  auditTrailContract,
  boundedCounterContract,
  leaderboardContract,
  popLowestContract,
  quotaContract,
  rateLimit.fixedWindowContract,
  rateLimit.slidingLogContract,
  rateLimit.slidingCounterContract,
  rateLimit.tokenBucketContract,
  sweepContract,
];
export const STRESS: readonly Stress[] = [
  auditTrailStress,
  boundedCounterStress,
  leaderboardStress,
  popLowestStress,
  quotaStress,
  rateLimit.fixedWindowStress,
  rateLimit.slidingLogStress,
  rateLimit.slidingCounterStress,
  rateLimit.tokenBucketStress,
  sweepStress,
];
