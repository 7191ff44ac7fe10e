// Optimistic transactions: WATCH, read, decide, MULTI … EXEC on a connection of their own, again from the beginning
// when a watched key has changed. Called by users, by kit/steps.ts and by the workflows' WATCH forms.
import { NoLease } from '../drivers/pool.ts';
import type { ContentionTracker } from './contention.ts';
import { type Answer, type Driver, type Lease, Lost, ServerError, Unsent } from './driver.ts';
import { AtomicError, codeOf, passes } from './errors.ts';
import { checkOneSlot } from './keys.ts';
import { aborted, type CallOptions, DEADLINE_MS, sleep } from './perform.ts';
import { type Meta, makeResult, type Outcome, type Result, type RetrySafety } from './result.ts';
import { isWatched, keyTag, tell } from './telemetry.ts';
import { type Decision, LostRead, Tools, type TransactionTools } from './transaction-tools.ts';

export type { Decision, Queue, Reads, TransactionTools } from './transaction-tools.ts';

export interface TransactionOptions extends CallOptions {
  /** For telemetry. */
  readonly name?: string;
  /** Every key that the decision depends on. All in one hash slot. */
  readonly watch: readonly string[];
  /** How often to begin again after a conflict. Default 10. */
  readonly attempts?: number;
  /** Pause before a repetition: random, up to baseMs · 2^n, at most capMs. Default 2 and 200. */
  readonly backoff?: { readonly baseMs?: number; readonly capMs?: number };
  /** What a lost EXEC means: `always` runs the function again, `never` (the default) answers `unknown`. */
  readonly retry?: 'always' | 'never';
  readonly contention?: ContentionTracker;
}

/** Committed, with what the function gave along and the replies of the queued commands. */
export interface Committed<V> {
  readonly ok: true;
  readonly status: 'committed';
  readonly value: V;
  readonly replies: readonly Answer[];
}

/** The function decided against it; nothing was written. */
export interface Rejected<D> {
  readonly ok: false;
  readonly status: 'rejected';
  readonly reason: string;
  readonly data: D;
}

const ATTEMPTS = 10;

/**
 * Runs `decide` under WATCH until its writes are in, it rejects, or attempts or time run out.
 *
 * ```ts
 * const result = await transaction(driver, { watch: [stock] }, async (tx) => {
 *   const left = Number(await tx.read.get(stock));
 *   if (left < 3) return tx.reject('sold_out', { left });
 *   return tx.commit((queue) => queue.decrby(stock, 3));
 * });
 * ```
 * @throws AtomicError CONFLICT_EXHAUSTED, DEADLINE, ABORTED, LEASE_EXHAUSTED, CROSS_SLOT, UNDECLARED_KEY, and the codes
 *   of the server; whatever `decide` throws, after UNWATCH
 */
export function transaction<V, D>(
  driver: Driver,
  options: TransactionOptions,
  decide: (tx: TransactionTools) => Promise<Decision<V, D>> | Decision<V, D>,
): Promise<Result<Committed<V> | Rejected<D>>>;
/** With a `fallback`: a script form that takes over where the keys are contended, or when attempts run out. */
export function transaction<V, D, F extends Outcome>(
  driver: Driver,
  options: TransactionOptions & { readonly fallback: () => Promise<Result<F>> },
  decide: (tx: TransactionTools) => Promise<Decision<V, D>> | Decision<V, D>,
): Promise<Result<Committed<V> | Rejected<D>> | Result<F>>;
export async function transaction<V, D, F extends Outcome>(
  driver: Driver,
  options: TransactionOptions & { readonly fallback?: () => Promise<Result<F>> },
  decide: (tx: TransactionTools) => Promise<Decision<V, D>> | Decision<V, D>,
): Promise<Result<Committed<V> | Rejected<D>> | Result<F>> {
  const { watch, fallback, contention } = options;
  if (fallback === undefined) return optimistically(driver, options, () => watch, decide);
  if (contention?.isHot(watch)) return fallback();
  try {
    return await optimistically(driver, options, () => watch, decide);
  } catch (error) {
    if (error instanceof AtomicError && error.code === 'CONFLICT_EXHAUSTED') return fallback();
    throw error;
  }
}

/** The same with the keys found anew for each attempt. Called by kit/steps.ts. */
export async function optimistically<V, D>(
  driver: Driver,
  options: Omit<TransactionOptions, 'watch'>,
  watchOf: (attempt: number) => readonly string[] | Promise<readonly string[]>,
  decide: (tx: TransactionTools) => Promise<Decision<V, D>> | Decision<V, D>,
): Promise<Result<Committed<V> | Rejected<D>>> {
  const course = new Course<V, D>(driver, options, watchOf);
  try {
    return await course.run(decide);
  } finally {
    options.contention?.record(course.name, course.watch, course);
  }
}

/** What one attempt came to. */
type Ending<V, D> =
  | { readonly done: Committed<V> | Rejected<D> }
  | { readonly again: string }
  | { readonly unknown: Error }
  | { readonly fault: AtomicError };

class Course<V, D> {
  readonly name: string;
  attempts = 0;
  conflicts = 0;
  watch: readonly string[] = [];
  private readonly driver: Driver;
  private readonly options: Omit<TransactionOptions, 'watch'>;
  private readonly watchOf: (attempt: number) => readonly string[] | Promise<readonly string[]>;
  private readonly started = performance.now();
  private readonly until: number;
  private readonly retry: RetrySafety;
  backoffMs = 0;
  /** The function decided against it. */
  rejected = false;
  private lost: Error | null = null;
  /** What the last attempt failed with, where it was not a conflict. */
  private lastFault: AtomicError | null = null;
  private retries: Record<string, number> = {};

  constructor(driver: Driver, options: Omit<TransactionOptions, 'watch'>, watchOf: Course<V, D>['watchOf']) {
    this.driver = driver;
    this.options = options;
    this.watchOf = watchOf;
    this.name = options.name ?? 'transaction';
    this.retry = options.retry ?? 'never';
    this.until = this.started + (options.deadlineMs ?? DEADLINE_MS);
  }

  async run(
    decide: (tx: TransactionTools) => Promise<Decision<V, D>> | Decision<V, D>,
  ): Promise<Result<Committed<V> | Rejected<D>>> {
    const { signal, attempts = ATTEMPTS } = this.options;
    for (;;) {
      if (signal?.aborted) return this.stop(aborted());
      this.attempts++;
      this.watch = await this.watchOf(this.attempts);
      this.checkWatch();
      const ending = await this.attempt(decide);
      if ('done' in ending) {
        this.rejected = ending.done.status === 'rejected';
        return this.result(ending.done);
      }
      if ('fault' in ending) return this.stop(ending.fault);
      if ('unknown' in ending) {
        this.lost = ending.unknown;
        if (this.retry === 'never') return this.stop(ending.unknown);
      }
      const reason = 'again' in ending ? ending.again : 'lost';
      if (reason === 'conflict') this.conflicts++;
      this.retries[reason] = (this.retries[reason] ?? 0) + 1;
      // What the server or the line is to blame for does not use up the attempts, only the time.
      if (this.conflicts >= attempts) return this.stop(this.exhausted());
      const pause = this.pause();
      if (performance.now() + pause >= this.until) return this.stop(this.late(reason));
      this.backoffMs += pause;
      if (await sleep(pause, signal)) return this.stop(aborted());
    }
  }

  /** The end without a decision: unknown where an EXEC was lost, else the error. */
  private stop(error: Error): Result<Committed<V> | Rejected<D>> {
    if (this.lost === null) throw this.fail(error);
    return this.result({ ok: false, status: 'unknown', cause: this.lost });
  }

  private checkWatch(): void {
    if (this.watch.length === 0) {
      throw new AtomicError('BAD_ARGUMENT', 'a transaction without watched keys needs no WATCH');
    }
    checkOneSlot(
      this.watch,
      this.watch.map((_, i) => `watch[${i}]`),
    );
  }

  private exhausted(): AtomicError {
    return new AtomicError(
      'CONFLICT_EXHAUSTED',
      `${this.name}: watched keys changed in ${this.conflicts} attempts and nothing was written: a script does it without conflicts`,
    );
  }

  private async attempt(
    decide: (tx: TransactionTools) => Promise<Decision<V, D>> | Decision<V, D>,
  ): Promise<Ending<V, D>> {
    let lease: Lease;
    try {
      lease = await this.unlessAborted(this.driver.lease(this.watch[0], this.left()), (late) =>
        late.release(),
      );
    } catch (error) {
      if (error instanceof NoLease)
        return { fault: new AtomicError('LEASE_EXHAUSTED', `${this.name}: ${error.message}`) };
      return this.afterFailure(error);
    }
    const tools = new Tools(lease, this.watch, this.attempts, () => this.left());
    let clean = false;
    try {
      const decision = await this.inTime(decide(tools));
      // A read that nobody waited for may still fail.
      await tools.settled();
      // It may have overlooked that a read failed; what it decided is not protected then.
      if (tools.failure !== null) throw tools.failure;
      if (decision.kind === 'reject') {
        const { reason, data } = decision;
        return { done: { ok: false, status: 'rejected', reason, data: data as D } };
      }
      tools.end();
      this.checkTime();
      const replies = await this.unlessLeft(lease.exec(decision.queued, this.left()));
      // EXEC ends the WATCH, whatever it answers.
      clean = true;
      if (replies === null) return { again: 'conflict' };
      this.checkReplies(replies);
      return { done: { ok: true, status: 'committed', value: decision.value as V, replies } };
    } catch (error) {
      if (error instanceof Lost) tools.broken = true;
      if (error instanceof Unsent && tools.watching) return this.lostWatch(error);
      return this.afterFailure(error);
    } finally {
      tools.end();
      await this.giveBack(lease, tools, clean);
    }
  }

  private async giveBack(lease: Lease, tools: Tools, clean: boolean): Promise<void> {
    if (tools.broken) return lease.discard();
    if (clean || !tools.watching) return lease.release();
    const [fate] = await lease.pipeline([['UNWATCH']], Math.min(1000, this.left() + 100));
    if (fate === 'OK') lease.release();
    else lease.discard();
  }

  private afterFailure(error: unknown): Ending<V, D> {
    // A lost read or WATCH has written nothing; a lost EXEC may have.
    if (error instanceof LostRead) return this.lostWatch(error);
    if (error instanceof Lost) return { unknown: error };
    if (error instanceof Unsent) {
      this.lastFault = new AtomicError('DISCONNECTED', `${this.name}: nothing was sent: ${error.message}`, {
        cause: error,
      });
      return { again: 'unsent' };
    }
    if (error instanceof ServerError) {
      const fault = new AtomicError(codeOf(error.code, error.message), `${this.name}: ${error.message}`, {
        cause: error,
      });
      if (!passes(error.code)) return { fault };
      this.lastFault = fault;
      return { again: error.code };
    }
    if (error instanceof AtomicError && (error.code === 'DEADLINE' || error.code === 'ABORTED')) {
      return { fault: error };
    }
    throw this.fail(error as Error);
  }

  /** The connection went, and its WATCH with it: what was read is not protected any more, so it begins again. */
  private lostWatch(error: Error): Ending<V, D> {
    const message = `${this.name}: the connection was lost between WATCH and EXEC: ${error.message}`;
    this.lastFault = new AtomicError('DISCONNECTED', message, { cause: error });
    if (isWatched()) {
      const advice = 'the connection was lost between WATCH and EXEC, so the transaction began again';
      tell({ event: 'redis.atomic.advice', advice: 'lost-watch', operation: this.name, message: advice });
    }
    return { again: 'lost-watch' };
  }

  // EXEC has no rollback: the others of the transaction are in.
  private checkReplies(replies: readonly Answer[]): void {
    const failed = replies.find((reply) => reply instanceof ServerError);
    if (failed === undefined) return;
    const { code, message } = failed as ServerError;
    throw new AtomicError(
      codeOf(code, message),
      `${this.name}: a queued command failed and the others were applied, for EXEC does not roll back: ${message}`,
      { cause: failed as ServerError, result: replies },
    );
  }

  private async inTime<T>(work: Promise<T> | T): Promise<T> {
    if (!(work instanceof Promise)) return work;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.late('its function')), Math.min(this.left(), 2 ** 31 - 1));
    });
    // The function may fail later than that; it is not asked any more.
    work.catch(() => {});
    return this.unlessAborted(Promise.race([work, late])).finally(() => clearTimeout(timer));
  }

  /** Nothing has been written yet: the signal ends it. @param tooLate gets what comes after all */
  private unlessAborted<T>(work: Promise<T>, tooLate?: (value: T) => void): Promise<T> {
    return raceSignal(work, this.options.signal, aborted, tooLate);
  }

  /** EXEC is on its way: the signal ends only the waiting. */
  private unlessLeft<T>(work: Promise<T>): Promise<T> {
    return raceSignal(work, this.options.signal, () => new Lost('the caller stopped waiting for EXEC'));
  }

  /** A function that held up the whole process has not seen the timer nor the signal. */
  private checkTime(): void {
    if (this.options.signal?.aborted) throw aborted();
    if (performance.now() >= this.until) throw this.late('its function');
  }

  private late(what: string): AtomicError {
    if (this.lastFault !== null && what !== 'conflict' && what !== 'its function') return this.lastFault;
    const why =
      what === 'its function' ? 'its function took too long' : `it met a conflict ${this.conflicts} times`;
    return new AtomicError('DEADLINE', `${this.name}: time ran out and nothing was written: ${why}`);
  }

  private left(): number {
    return Math.max(1, this.until - performance.now());
  }

  private pause(): number {
    const { baseMs = 2, capMs = 200 } = this.options.backoff ?? {};
    return Math.random() * Math.min(capMs, baseMs * 2 ** Math.min(this.attempts, 20));
  }

  private result(
    outcome: Parameters<typeof makeResult<Committed<V> | Rejected<D>>>[0],
  ): Result<Committed<V> | Rejected<D>> {
    const durationMs = performance.now() - this.started;
    const { attempts, conflicts, backoffMs, retry } = this;
    this.tell(outcome.status, durationMs);
    const meta: Meta = {
      attempts,
      conflicts,
      backoffMs,
      durationMs,
      serverTimeMs: null,
      replayed: false,
      retry,
      requestId: null,
    };
    return makeResult(outcome, meta);
  }

  /** Tells of the error that ends it, and gives it back. */
  fail<E extends Error>(error: E): E {
    this.tell(error instanceof AtomicError ? error.code : 'threw', performance.now() - this.started);
    return error;
  }

  private tell(result: string, latencyMs: number): void {
    if (!isWatched()) return;
    tell({
      event: 'redis.atomic.operation',
      operation: this.name,
      version: 1,
      keyTag: keyTag(this.watch[0] ?? ''),
      result,
      latencyMs,
      attempt: this.attempts,
      retries: this.retries,
      client: this.driver.facts.client,
    });
  }
}

function raceSignal<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  why: () => Error,
  tooLate?: (value: T) => void,
): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      reject(why());
      if (tooLate !== undefined) work.then(tooLate, () => {});
    };
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    if (signal.aborted) stop();
  });
}
