// Transactions as objects in four steps, which can be put together: several share one WATCH and one EXEC. Called by
// users; runs on kit/transaction.ts.
import type { Driver } from './driver.ts';
import { AtomicError } from './errors.ts';
import type { Result } from './result.ts';
import {
  type Committed,
  optimistically,
  type Queue,
  type Reads,
  type Rejected,
  type TransactionOptions,
} from './transaction.ts';

/** What a transaction sees of those around it. */
export interface Surroundings {
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /**
   * What a transaction that encloses this one prepared.
   * @throws AtomicError BAD_ARGUMENT where it does not enclose it
   */
  of<I, P>(parent: ObjectTransaction<I, P>): P;
}

/**
 * A transaction in four steps. All of them run again after a conflict, so none may leave traces outside.
 * @typeParam I what `init` finds
 * @typeParam P what `prepare` decides
 */
export interface ObjectTransaction<I, P> {
  /** For messages. */
  readonly name: string;
  /** Finds out which keys there are, before WATCH: what it reads may change, so it must be read again in prepare. */
  init?(driver: Driver, around: Omit<Surroundings, 'of'>): Promise<I> | I;
  /** The keys that must not change, all in one slot with those of the others. */
  keys(found: I): readonly string[];
  /** Reads and decides, under WATCH. Rejecting ends all that are put together. */
  prepare(read: Reads, found: I, around: Surroundings): Promise<P | Rejection> | P | Rejection;
  /** Queues the writes. */
  execute(queue: Queue, prepared: P, found: I): void;
  /** Transactions within this one, in order; they see what this one prepared. */
  readonly children?: readonly AnyTransaction[];
}

// biome-ignore lint/suspicious/noExplicitAny: children of any type
export type AnyTransaction = ObjectTransaction<any, any>;

/** A decision against it. */
export class Rejection {
  readonly reason: string;
  readonly data: unknown;
  constructor(reason: string, data?: unknown) {
    this.reason = reason;
    this.data = data;
  }
}

/** In `prepare`: nothing is to be written. */
export function rejection(reason: string, data?: unknown): Rejection {
  return new Rejection(reason, data);
}

/**
 * Runs object transactions and their children as one: one WATCH over all keys, prepare in nesting order, one EXEC.
 * @returns what the first one prepared
 * @throws as `transaction` does
 */
export async function runTransaction<I, P>(
  driver: Driver,
  root: ObjectTransaction<I, P>,
  options: Omit<TransactionOptions, 'watch'> = {},
): Promise<Result<Committed<P> | Rejected<unknown>>> {
  const order = flatten(root, []);
  let found: unknown[] = [];
  return optimistically(
    driver,
    { name: root.name, ...options },
    async (attempt) => {
      found = await initialise(driver, order, attempt);
      return [...new Set(order.flatMap(({ step }, i) => [...step.keys(found[i])]))];
    },
    async (tx) => {
      const prepared = new Map<AnyTransaction, unknown>();
      for (let i = 0; i < order.length; i++) {
        const { step, parents } = order[i];
        const around: Surroundings = {
          attempt: tx.attempt,
          of: (parent) => seen(prepared, parents, parent),
        };
        const got = await step.prepare(tx.read, found[i], around);
        if (got instanceof Rejection) return tx.reject(got.reason, got.data);
        prepared.set(step, got);
      }
      return tx.commit((queue) => {
        order.forEach(({ step }, i) => {
          step.execute(queue, prepared.get(step), found[i]);
        });
      }, prepared.get(root) as P);
    },
  );
}

interface Nested {
  readonly step: AnyTransaction;
  readonly parents: readonly AnyTransaction[];
}

/** More transactions than this in one are a mistake, such as one that holds itself. */
const MOST = 100;

function flatten(step: AnyTransaction, parents: readonly AnyTransaction[], into: Nested[] = []): Nested[] {
  if (into.length >= MOST) throw new AtomicError('BAD_ARGUMENT', `more than ${MOST} transactions in one`);
  into.push({ step, parents });
  for (const child of step.children ?? []) flatten(child, [...parents, step], into);
  return into;
}

async function initialise(driver: Driver, order: readonly Nested[], attempt: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const { step } of order) found.push(await step.init?.(driver, { attempt }));
  return found;
}

function seen<P>(
  prepared: ReadonlyMap<AnyTransaction, unknown>,
  parents: readonly AnyTransaction[],
  parent: ObjectTransaction<never, P> | AnyTransaction,
): P {
  if (!parents.includes(parent)) {
    throw new AtomicError('BAD_ARGUMENT', `'${parent.name}' does not enclose this transaction`);
  }
  return prepared.get(parent) as P;
}
