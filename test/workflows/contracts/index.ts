// All contract suites and stress loads, one of each for each workflow. Used by the tests of drivers, by the stress test
// and by chaos.
import type { Contract, Stress } from '../world.ts';
import { boundedCounterContract, boundedCounterStress } from './bounded-counter.ts';
import { functionLibraryContract } from './function-library.ts';
import { idempotencyContract, idempotencyStress } from './idempotency.ts';
import { lockContract, lockStress } from './lock.ts';
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
import { scriptContract } from './script.ts';
import { semaphoreContract, semaphoreStress } from './semaphore.ts';
import { transactionContract } from './transaction.ts';

export const CONTRACTS: readonly Contract[] = [
  boundedCounterContract,
  functionLibraryContract,
  idempotencyContract,
  lockContract,
  quotaContract,
  fixedWindowContract,
  slidingLogContract,
  slidingCounterContract,
  tokenBucketContract,
  scriptContract,
  semaphoreContract,
  transactionContract,
];
export const STRESS: readonly Stress[] = [
  boundedCounterStress,
  idempotencyStress,
  lockStress,
  quotaStress,
  fixedWindowStress,
  slidingLogStress,
  slidingCounterStress,
  tokenBucketStress,
  semaphoreStress,
];
