// All contract suites and stress loads, one of each for each workflow. Used by the tests of drivers, by the stress test
// and by chaos.
import type { Contract, Stress } from '../world.ts';
import { boundedCounterContract, boundedCounterStress } from './bounded-counter.ts';
import { functionLibraryContract } from './function-library.ts';
import { idempotencyContract, idempotencyStress } from './idempotency.ts';
import { lockContract, lockStress } from './lock.ts';
import { scriptContract } from './script.ts';
import { semaphoreContract, semaphoreStress } from './semaphore.ts';
import { transactionContract } from './transaction.ts';

export const CONTRACTS: readonly Contract[] = [
  boundedCounterContract,
  functionLibraryContract,
  idempotencyContract,
  lockContract,
  scriptContract,
  semaphoreContract,
  transactionContract,
];
export const STRESS: readonly Stress[] = [
  boundedCounterStress,
  idempotencyStress,
  lockStress,
  semaphoreStress,
];
