// All contract suites and stress loads, one of each for each workflow. Used by the tests of drivers, by the stress test
// and by chaos.
import type { Contract, Stress } from '../world.ts';
import { bookingContract, bookingStress } from './booking.ts';
import { boundedCounterContract, boundedCounterStress } from './bounded-counter.ts';
import { functionLibraryContract } from './function-library.ts';
import { idempotencyContract, idempotencyStress } from './idempotency.ts';
import { inventoryContract, inventoryStress } from './inventory.ts';
import { lockContract, lockStress } from './lock.ts';
import { paymentContract, paymentStress } from './payment.ts';
import { placementContract, placementStress } from './placement.ts';
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
import { transactionContract } from './transaction.ts';
import { transferContract, transferStress } from './transfer.ts';

export const CONTRACTS: readonly Contract[] = [
  bookingContract,
  boundedCounterContract,
  functionLibraryContract,
  idempotencyContract,
  inventoryContract,
  lockContract,
  paymentContract,
  quotaContract,
  fixedWindowContract,
  slidingLogContract,
  slidingCounterContract,
  tokenBucketContract,
  reservationContract,
  scriptContract,
  semaphoreContract,
  transactionContract,
  transferContract,
  placementContract,
  queueContract,
];
export const STRESS: readonly Stress[] = [
  bookingStress,
  boundedCounterStress,
  idempotencyStress,
  inventoryStress,
  lockStress,
  paymentStress,
  quotaStress,
  fixedWindowStress,
  slidingLogStress,
  slidingCounterStress,
  tokenBucketStress,
  reservationStress,
  semaphoreStress,
  transferStress,
  placementStress,
  queueStress,
];
