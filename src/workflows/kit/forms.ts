// For workflows that exist as a transaction and as a script: makes a transaction answer what the script would. Used by
// booking.ts and placement.ts.
import { type Meta, makeResult, type Outcome, type Result, type RetrySafety } from './result.ts';
import type { Committed, Rejected } from './transaction.ts';

/** What the function of a transaction gives along with `commit` or `reject`: the outcome as the script has it. */
export interface Told<T extends Outcome> {
  readonly outcome: T;
  /** It was so before. */
  readonly replayed?: boolean;
}

/** The result of a transaction whose value or data is {@link Told}. */
export function toldBy<T extends Outcome>(result: Result<Committed<Told<T>> | Rejected<Told<T>>>): Result<T> {
  if (result.status === 'unknown') {
    return makeResult<T>({ ok: false, status: 'unknown', cause: result.cause }, result.meta);
  }
  const { outcome, replayed = false } = result.status === 'committed' ? result.value : result.data;
  return makeResult<T>(outcome, { ...result.meta, replayed });
}

/** A result for what needs no server. */
export function withoutAsking<T extends Outcome>(outcome: T, retry: RetrySafety): Result<T> {
  const meta: Meta = {
    attempts: 0,
    conflicts: 0,
    backoffMs: 0,
    durationMs: 0,
    serverTimeMs: null,
    replayed: false,
    retry,
    requestId: null,
  };
  return makeResult<T>(outcome, meta);
}
