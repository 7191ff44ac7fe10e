// All contract suites and stress loads, one of each for each workflow. Used by the tests of drivers, by the stress test
// and by chaos.
import type { Contract, Stress } from '../world.ts';
import { boundedCounterContract, boundedCounterStress } from './bounded-counter.ts';
import { dedupContract, dedupStress } from './dedup.ts';
import { idempotencyContract, idempotencyStress } from './idempotency.ts';
import { lockContract, lockStress } from './lock.ts';
import { semaphoreContract, semaphoreStress } from './semaphore.ts';
import { sessionContract, sessionStress } from './session.ts';
import { uniqueEventContract, uniqueEventStress } from './unique-event.ts';
import { versionedContract, versionedStress } from './versioned.ts';

export const CONTRACTS: readonly Contract[] = [
  boundedCounterContract,
  lockContract,
  semaphoreContract,
  idempotencyContract,
  dedupContract,
  uniqueEventContract,
  versionedContract,
  sessionContract,
];
export const STRESS: readonly Stress[] = [
  boundedCounterStress,
  lockStress,
  semaphoreStress,
  idempotencyStress,
  dedupStress,
  uniqueEventStress,
  versionedStress,
  sessionStress,
];
