// Request ids: what makes an operation safe to send again. Used by the workflows whose scripts remember their answers.
import { checkText } from './check.ts';
import type { CallOptions } from './perform.ts';

/** What a call of a workflow may set beside its arguments. */
export interface RequestOptions extends CallOptions {
  /**
   * Names this request. Sending it again with the same id and arguments answers what the first one answered; with
   * other arguments it is refused (`request_reused`). At most 200 characters.
   */
  readonly requestId?: string;
}

/** How long a request is remembered, in milliseconds: longer than any client goes on repeating it. */
export const REQUEST_TTL_MS = 600_000;

/** A request id, checked. @throws AtomicError BAD_ARGUMENT */
export function checkRequestId(id: string): string {
  return checkText('a request id', id, 200);
}

/** A new one: for operations that always have one, so that the toolkit may send them again by itself. */
export function newRequestId(): string {
  return globalThis.crypto.randomUUID();
}
