// What an operation answers: a union told apart by `status`, with what it took to get there in `meta`. Made by
// kit/perform.ts and kit/transaction.ts; every workflow returns it.
import { AtomicError } from './errors.ts';

/**
 * Whether sending an operation again, without knowing what became of the first time, is safe:
 * `always`, with the `same-request-id` (the script remembers its answer), or `never`.
 */
export type RetrySafety = 'always' | 'same-request-id' | 'never';

/** What it took. */
export interface Meta {
  /** How often it was sent, 1 for a quiet day. */
  readonly attempts: number;
  /** How often a watched key had changed (transactions). */
  readonly conflicts: number;
  /** Time spent waiting between attempts, in milliseconds. */
  readonly backoffMs: number;
  /** From the call to the answer, in milliseconds. */
  readonly durationMs: number;
  /** The server's clock when it ran, in Unix milliseconds; null where the operation does not ask for it. */
  readonly serverTimeMs: number | null;
  /** The answer is the remembered one of an earlier run with the same request id. */
  readonly replayed: boolean;
  /** Whether it may be sent again blindly. */
  readonly retry: RetrySafety;
  /** The request id to use when sending it again, where there is one. */
  readonly requestId: string | null;
}

/** The request left and no reply came: it may have happened. Never a guess. */
export interface Unknown {
  readonly ok: false;
  readonly status: 'unknown';
  /** Why there was no reply. */
  readonly cause: Error;
}

/** What every result has beside its own fields. */
export interface Envelope<Success> {
  readonly meta: Meta;
  /**
   * The result when it is a success.
   * @throws AtomicError `DENIED` or `UNKNOWN`, with the result in `result`
   */
  orThrow(): Success;
}

/** An outcome of `T`, or `unknown`. */
export type Result<T extends Outcome> = (T | Unknown) & Envelope<Extract<T, { ok: true }>>;

/** The least a result has: whether it went as asked, and how. */
export interface Outcome {
  readonly ok: boolean;
  readonly status: string;
}

/** Prototype of all results. */
export class ResultBase {
  ok: boolean;
  status: string;
  // Declared, not initialised: it comes behind the fields of the outcome, so that printing shows what matters first.
  declare meta: Meta;

  constructor(ok: boolean, status: string) {
    this.ok = ok;
    this.status = status;
  }

  orThrow(): this {
    if (this.ok) return this;
    if (this.status === 'unknown') {
      const { cause } = this as unknown as Unknown;
      throw new AtomicError('UNKNOWN', `nobody knows whether it happened: ${cause.message}`, {
        cause,
        result: this,
      });
    }
    throw new AtomicError('DENIED', `answered '${this.status}'`, { result: this });
  }
}

/** A result with these fields. */
export function makeResult<T extends Outcome>(fields: T | Unknown, meta: Meta): Result<T> {
  const result = new ResultBase(fields.ok, fields.status);
  Object.assign(result, fields);
  result.meta = meta;
  return result as unknown as Result<T>;
}
