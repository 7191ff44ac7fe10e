// What the contract suites and stress runs of the workflows are given: a driver, keys of their own, and a way to look at
// the data behind the workflow's back. Made by targets.ts; used by everything under contracts/.
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import {
  type Answer,
  type AtomicCode,
  AtomicError,
  type Driver,
  type Meta,
  type Word,
} from '../../src/workflows/index.ts';

/** Where a contract runs. */
export interface World {
  readonly driver: Driver;
  /** A second client of the same data, as another process would have. */
  readonly other: Driver;
}

/** A suite that every workflow has and that runs on every driver and engine. */
export interface Contract {
  /** As the workflow's card has it. */
  readonly workflow: string;
  /** Declares tests with `it`; `world()` may be called within them. */
  suite(world: () => World): void;
}

/** Counts of what clients met with, added up over all of them. */
export type Tally = Record<string, number>;

/** A load whose invariant must hold whatever happens: in one process, in several, and with faults. */
export interface Stress {
  readonly workflow: string;
  /** Puts the data there. */
  setup(driver: Driver, prefix: string): Promise<void>;
  /**
   * One client, which does some operations and counts. `random` answers 0 to 1. It must count what is `unknown` apart,
   * for that may have happened or not, and make each operation through `attempt`. Chaos runs it many times, with another
   * `index` each time.
   */
  client(driver: Driver, prefix: string, index: number, random: () => number): Promise<Tally>;
  /** Throws where the invariant does not hold. `tally` is the sum of what all clients counted. */
  check(driver: Driver, prefix: string, tally: Tally): Promise<void>;
}

/** A prefix that nobody else uses. */
export function freshPrefix(): string {
  return `t${randomUUID().slice(0, 8)}`;
}

/** Any command, for a look behind the scenes. The first argument is its key. */
export async function raw(driver: Driver, ...words: Word[]): Promise<Answer> {
  return driver.send({ words, key: words.length > 1 ? String(words[1]) : '', timeoutMs: 5000 });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Adds to a tally. */
export function count(tally: Tally, name: string, by = 1): void {
  tally[name] = (tally[name] ?? 0) + by;
}

/**
 * Whether it may have happened although the result does not say so: nothing is known, or it was denied after it had been
 * sent more than once, for then the denial need not be that of the send which was carried out.
 */
export function unsure({ ok, status, meta }: { ok: boolean; status: string; meta: Meta }): boolean {
  return status === 'unknown' || (!ok && meta.attempts - meta.conflicts > 1);
}

/** Those of a tally whose names begin so, by the rest of their names. */
export function named(tally: Readonly<Tally>, beginning: string): Map<string, number> {
  const found = Object.entries(tally).filter(([name]) => name.startsWith(beginning));
  return new Map(found.map(([name, times]) => [name.slice(beginning.length), times]));
}

/** That a value lies from `least` to `least + more`: with nothing unsure it is that and no other. */
export function expectWithin(value: number, least = 0, more = 0): void {
  expect(value).toBeGreaterThanOrEqual(least);
  expect(value).toBeLessThanOrEqual(least + more);
}

/** Whether a call ended by its signal: in a pause with ABORTED, or amid a request, which is unknown then. */
export function stopped(call: Promise<{ readonly status: string }>): Promise<boolean> {
  return call.then(
    ({ status }) => status === 'unknown',
    ({ code }) => code === 'ABORTED',
  );
}

/** Faults of the infrastructure, which say that an operation did certainly not happen. */
const NOT_DONE: ReadonlySet<AtomicCode> = new Set<AtomicCode>([
  ...(['DISCONNECTED', 'DEADLINE', 'LEASE_EXHAUSTED', 'CONFLICT_EXHAUSTED', 'READONLY', 'TRYAGAIN'] as const),
  ...(['CLUSTERDOWN', 'BUSY', 'LOADING', 'UNWRITABLE'] as const),
]);

/**
 * One operation of a stress client: under faults it may throw, which is counted (`error CODE`) and answered by null, for
 * then nothing happened. Other errors are mistakes and go on. Counts results too: `all ok`, `all denied`, `all unknown`,
 * `all replayed`.
 */
export async function attempt<T>(tally: Tally, work: () => Promise<T>): Promise<T | null> {
  try {
    const result = await work();
    const { ok, status, meta } = (result ?? {}) as {
      ok?: boolean;
      status?: string;
      meta?: { replayed?: boolean };
    };
    if (ok !== undefined) count(tally, ok ? 'all ok' : status === 'unknown' ? 'all unknown' : 'all denied');
    if (meta?.replayed) count(tally, 'all replayed');
    return result;
  } catch (error) {
    if (!(error instanceof AtomicError) || !NOT_DONE.has(error.code)) throw error;
    count(tally, `error ${error.code}`);
    return null;
  }
}
