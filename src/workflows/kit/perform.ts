// Carries one operation to its result: sends it, waits and sends it again where that is certainly safe, and says
// `unknown` where a request left and no reply came. Called by kit/script.ts and kit/library.ts.
import { type Answer, type Driver, Lost, ServerError, Unsent } from './driver.ts';
import { AtomicError, codeOf, isTorn, passes } from './errors.ts';
import {
  type Meta,
  makeResult,
  type Outcome,
  type Result,
  ResultBase,
  type RetrySafety,
  type Unknown,
} from './result.ts';
import { isWatched, keyTag, tell } from './telemetry.ts';

/** What a call may set. */
export interface CallOptions {
  /** How long the whole may take, in milliseconds. Default 5000. */
  readonly deadlineMs?: number;
  /** Stops waiting and sending. What was sent may still run: then the result is `unknown`. */
  readonly signal?: AbortSignal;
}

export interface Operation<T extends Outcome> {
  readonly name: string;
  readonly version: number;
  readonly retry: RetrySafety;
  readonly requestId: string | null;
  /** Any of its keys, '' for none. */
  readonly key: string;
  /** Sends it once. */
  send(timeoutMs: number, signal: AbortSignal | undefined): Answer | Promise<Answer>;
  /** Reads the answer. */
  decode(answer: Answer): Decoded<T>;
}

export interface Decoded<T extends Outcome> {
  /** The outcome; one that is a ResultBase without its meta becomes the result itself. */
  readonly outcome: T;
  readonly serverTimeMs: number | null;
  readonly replayed: boolean;
}

export const DEADLINE_MS = 5000;
/** More than this many sends of one operation help nobody. */
const MOST_ATTEMPTS = 20;

/**
 * Carries it out. What a driver answers at once (the embedded engine) is not waited for, and while all goes well
 * nothing is kept that only a failure needs: that halves the time of an operation in process.
 */
export function perform<T extends Outcome>(
  driver: Driver,
  operation: Operation<T>,
  options: CallOptions | undefined,
): Promise<Result<T>> {
  const started = now();
  if (options?.signal?.aborted) return Promise.reject(aborted());
  try {
    const patience = patienceOf(operation.retry, options?.deadlineMs ?? DEADLINE_MS, started, started);
    const sent = operation.send(patience, options?.signal);
    if (sent instanceof Promise) return pursue(driver, operation, options, started, sent);
    return Promise.resolve(finished(driver, operation, started, operation.decode(sent)));
  } catch (error) {
    return new Course(driver, operation, options, started).goOn(error);
  }
}

async function pursue<T extends Outcome>(
  driver: Driver,
  operation: Operation<T>,
  options: CallOptions | undefined,
  started: number,
  sent: Promise<Answer>,
): Promise<Result<T>> {
  try {
    return finished(driver, operation, started, operation.decode(await sent));
  } catch (error) {
    return new Course(driver, operation, options, started).goOn(error);
  }
}

/** The result of an operation that went well at the first time. */
function finished<T extends Outcome>(
  driver: Driver,
  operation: Operation<T>,
  started: number,
  { outcome, serverTimeMs, replayed }: Decoded<T>,
): Result<T> {
  const durationMs = now() - started;
  if (isWatched()) report(driver, operation, outcome.status, durationMs, 1, {});
  const { retry, requestId } = operation;
  const meta: Meta = {
    attempts: 1,
    conflicts: 0,
    backoffMs: 0,
    durationMs,
    serverTimeMs,
    replayed,
    retry,
    requestId,
  };
  // What a script's reply was read into is the result already: nothing is copied.
  if (!(outcome instanceof ResultBase)) return makeResult<T>(outcome, meta);
  outcome.meta = meta;
  return outcome as unknown as Result<T>;
}

const now = (): number => performance.now();

/** How long a send may wait for its reply. What may be sent again does not spend all time on one. */
function patienceOf(retry: RetrySafety, deadlineMs: number, started: number, at: number): number {
  const left = Math.max(1, deadlineMs - (at - started));
  return retry === 'never' ? left : Math.min(left, Math.max(250, deadlineMs / 3));
}

function report(
  driver: Driver,
  { name, version, key }: Operation<Outcome>,
  result: string,
  latencyMs: number,
  attempt: number,
  retries: Readonly<Record<string, number>>,
): void {
  const { client } = driver.facts;
  tell({
    event: 'redis.atomic.operation',
    operation: name,
    version,
    keyTag: keyTag(key),
    result,
    latencyMs,
    attempt,
    retries,
    client,
  });
}

/** The rest of an operation whose first send failed. */
class Course<T extends Outcome> {
  private readonly driver: Driver;
  private readonly operation: Operation<T>;
  private readonly options: CallOptions | undefined;
  private readonly started: number;
  private readonly deadlineMs: number;
  private attempts = 1;
  private backoffMs = 0;
  /** What the last send met with that left without a reply, or was torn. */
  private lost: Error | null = null;
  private retries: Record<string, number> | null = null;

  constructor(driver: Driver, operation: Operation<T>, options: CallOptions | undefined, started: number) {
    this.driver = driver;
    this.operation = operation;
    this.options = options;
    this.started = started;
    this.deadlineMs = options?.deadlineMs ?? DEADLINE_MS;
  }

  /** @param failure what the first send met with */
  async goOn(failure: unknown): Promise<Result<T>> {
    const { operation } = this;
    const signal = this.options?.signal;
    let error = failure;
    for (;;) {
      const pause = this.afterFailure(error);
      if (typeof pause !== 'number') return pause;
      if (await sleep(pause, signal)) return this.stopped(aborted());
      this.attempts++;
      try {
        const patience = patienceOf(operation.retry, this.deadlineMs, this.started, now());
        const decoded = operation.decode(await operation.send(patience, signal));
        return this.result(decoded.outcome, decoded.serverTimeMs, decoded.replayed);
      } catch (next) {
        error = next;
      }
    }
  }

  private result(outcome: T | Unknown, serverTimeMs: number | null, replayed: boolean): Result<T> {
    const { operation } = this;
    const durationMs = now() - this.started;
    if (isWatched()) this.tell(outcome.status, durationMs);
    const meta: Meta = {
      attempts: this.attempts,
      conflicts: 0,
      backoffMs: this.backoffMs,
      durationMs,
      serverTimeMs,
      replayed,
      retry: operation.retry,
      requestId: operation.requestId,
    };
    return makeResult<T>(outcome as T, meta);
  }

  /** How long to wait before the next send, or the result; throws where it is an error. */
  private afterFailure(error: unknown): number | Result<T> {
    const reason = this.reasonToRepeat(error);
    if (reason === '') return this.stopped(error);
    const pause = Math.min(500, 10 * 2 ** Math.min(this.attempts, 10)) * Math.random() + 1;
    if (now() - this.started + pause >= this.deadlineMs || this.attempts >= MOST_ATTEMPTS * 5) {
      return this.stopped(error);
    }
    this.retries ??= {};
    this.retries[reason] = (this.retries[reason] ?? 0) + 1;
    this.backoffMs += pause;
    return pause;
  }

  private reasonToRepeat(error: unknown): string {
    if (error instanceof Unsent) return 'unsent';
    // Where it must not be repeated it is told as it is: a script that touches a key which it did not declare meets the same.
    const isTornApart =
      this.operation.retry !== 'never' && error instanceof ServerError && isTorn(error.message);
    if (error instanceof ServerError && !isTornApart) return passes(error.code) ? error.code : '';
    if (!(error instanceof Lost || isTornApart)) return '';
    this.lost = error;
    if (this.operation.retry === 'never' || this.attempts >= MOST_ATTEMPTS) return '';
    return isTornApart ? 'torn' : 'lost';
  }

  /** The end without an answer: unknown where anything may have happened, else an error. */
  private stopped(error: unknown): Result<T> {
    if (this.lost !== null) {
      return this.result({ ok: false, status: 'unknown', cause: this.lost }, null, false);
    }
    const fault = this.fault(error);
    if (isWatched()) {
      this.tell(fault.code, now() - this.started);
      if (error instanceof ServerError) {
        tell({ event: 'redis.atomic.script.error', script: this.operation.name, code: error.code });
      }
    }
    throw fault;
  }

  private fault(error: unknown): AtomicError {
    if (error instanceof AtomicError) return error;
    const { name } = this.operation;
    if (error instanceof ServerError) {
      return new AtomicError(codeOf(error.code, error.message), `${name}: ${error.message}`, {
        cause: error,
      });
    }
    if (error instanceof Unsent) {
      return new AtomicError('DISCONNECTED', `${name}: nothing was sent: ${error.message}`, { cause: error });
    }
    throw error;
  }

  private tell(result: string, latencyMs: number): void {
    report(this.driver, this.operation, result, latencyMs, this.attempts, this.retries ?? {});
  }
}

export function aborted(): AtomicError {
  return new AtomicError('ABORTED', 'the signal had fired before anything was sent');
}

/** Waits; true where the signal fired first. */
export function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(true);
  return new Promise((resolve) => {
    const done = (): void => {
      signal?.removeEventListener('abort', stop);
      resolve(false);
    };
    const timer = setTimeout(done, ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
