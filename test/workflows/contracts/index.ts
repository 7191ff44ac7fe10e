// All contract suites and stress loads, one of each for each workflow. Used by the tests of drivers, by the stress test
// and by chaos.
import type { Contract, Stress } from '../world.ts';
import { auditTrailContract, auditTrailStress } from './audit-trail.ts';
import { bookingContract, bookingStress } from './booking.ts';
import { boundedCounterContract, boundedCounterStress } from './bounded-counter.ts';
import { dedupContract, dedupStress } from './dedup.ts';
import { functionLibraryContract } from './function-library.ts';
import { idempotencyContract, idempotencyStress } from './idempotency.ts';
import { inventoryContract, inventoryStress } from './inventory.ts';
import { leaderboardContract, leaderboardStress } from './leaderboard.ts';
import { lockContract, lockStress } from './lock.ts';
import { paymentContract, paymentStress } from './payment.ts';
import { placementContract, placementStress } from './placement.ts';
import { popLowestContract, popLowestStress } from './pop-lowest.ts';
import { queueContract, queueStress } from './queue.ts';
import { quotaContract, quotaStress } from './quota.ts';
import {
  fixedWindowContract,
  fixedWindowStress,
  slidingCounterContract,
  slidingCounterStress,
  slidingLogContract,
  slidingLogStress,
  tokenBucketContract,
  tokenBucketStress,
} from './rate-limit.ts';
import { reservationContract, reservationStress } from './reservation.ts';
import { scriptContract } from './script.ts';
import { semaphoreContract, semaphoreStress } from './semaphore.ts';
import { sessionContract, sessionStress } from './session.ts';
import { sweepContract, sweepStress } from './sweep.ts';
import { transactionContract } from './transaction.ts';
import { transferContract, transferStress } from './transfer.ts';
import { uniqueEventContract, uniqueEventStress } from './unique-event.ts';
import { versionedContract, versionedStress } from './versioned.ts';

export const CONTRACTS: readonly Contract[] = [
  auditTrailContract,
  bookingContract,
  boundedCounterContract,
  dedupContract,
  functionLibraryContract,
  idempotencyContract,
  inventoryContract,
  leaderboardContract,
  lockContract,
  paymentContract,
  placementContract,
  popLowestContract,
  queueContract,
  quotaContract,
  fixedWindowContract,
  slidingLogContract,
  slidingCounterContract,
  tokenBucketContract,
  reservationContract,
  scriptContract,
  semaphoreContract,
  sessionContract,
  sweepContract,
  transactionContract,
  transferContract,
  uniqueEventContract,
  versionedContract,
];
export const STRESS: readonly Stress[] = [
  auditTrailStress,
  bookingStress,
  boundedCounterStress,
  dedupStress,
  idempotencyStress,
  inventoryStress,
  leaderboardStress,
  lockStress,
  paymentStress,
  placementStress,
  popLowestStress,
  queueStress,
  quotaStress,
  fixedWindowStress,
  slidingLogStress,
  slidingCounterStress,
  tokenBucketStress,
  reservationStress,
  semaphoreStress,
  sessionStress,
  sweepStress,
  transferStress,
  uniqueEventStress,
  versionedStress,
];
