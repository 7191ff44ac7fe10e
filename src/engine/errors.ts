// Errors of the in-process API, with codes that stay.
import { utf8Decode } from '../resp/bytes.ts';
import type { ReplyError } from '../resp/reply.ts';

/**
 * Codes of the API itself; a command's error has the code of its reply (`WRONGTYPE`, `ERR`, `EXECABORT`, …).
 * - `HF_CLOSED`: the database or session is closed
 * - `HF_ARGUMENT`: an argument is not a string, number, bigint or bytes
 * - `HF_BUSY`: another session's transaction is running right now
 * - `HF_ASYNC`: a transaction's function returned a promise; it must be synchronous
 * - `HF_ABORTED`: a blocking command's AbortSignal fired
 */
export type ApiCode = 'HF_CLOSED' | 'HF_ARGUMENT' | 'HF_BUSY' | 'HF_ASYNC' | 'HF_ABORTED';

export class HoldfastError extends Error {
  /** First word of the reply, or an {@link ApiCode}. Stable: test this, not the message. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HoldfastError';
    this.code = code;
  }

  /** The error of a command. */
  static fromReply(reply: ReplyError): HoldfastError {
    const text = utf8Decode(reply.text);
    const end = text.indexOf(' ');
    return new HoldfastError(end < 0 ? text : text.slice(0, end), text);
  }
}
