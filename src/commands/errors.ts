// Catalogue of the error texts that clients see. Texts are Redis 7.2's; a family adds its own here when more
// than one command uses it.
import { ReplyError } from '../resp/reply.ts';

export { WRONGTYPE } from '../keyspace/values.ts';

export const SYNTAX = new ReplyError('ERR syntax error');
export const NOT_INTEGER = new ReplyError('ERR value is not an integer or out of range');
export const NOT_FLOAT = new ReplyError('ERR value is not a valid float');
export const OUT_OF_RANGE = new ReplyError('ERR value is out of range');
export const MUST_BE_POSITIVE = new ReplyError('ERR value is out of range, must be positive');
export const NO_SUCH_KEY = new ReplyError('ERR no such key');
export const INDEX_OUT_OF_RANGE = new ReplyError('ERR index out of range');
export const OVERFLOW = new ReplyError('ERR increment or decrement would overflow');
export const NAN_OR_INFINITY = new ReplyError('ERR increment would produce NaN or Infinity');
export const STRING_TOO_LONG = new ReplyError('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
export const INVALID_CURSOR = new ReplyError('ERR invalid cursor');
export const DB_OUT_OF_RANGE = new ReplyError('ERR DB index is out of range');
export const TIMEOUT_NOT_FLOAT = new ReplyError('ERR timeout is not a float or out of range');
export const TIMEOUT_NEGATIVE = new ReplyError('ERR timeout is negative');
export const TIMEOUT_OUT_OF_RANGE = new ReplyError('ERR timeout is out of range');
export const NOAUTH = new ReplyError('NOAUTH Authentication required.');
export const EXECABORT = new ReplyError('EXECABORT Transaction discarded because of previous errors.');

/** `ERR wrong number of arguments for 'config|get' command`. */
export function wrongArity(fullName: string): ReplyError {
  return new ReplyError(`ERR wrong number of arguments for '${fullName}' command`);
}

// Redis prints at most 128 bytes of the name and of the arguments together, each up to its first NUL byte.
export function unknownCommand(args: readonly string[]): ReplyError {
  let shown = '';
  for (let i = 1; i < args.length && shown.length < 128; i++) {
    shown += `'${printable(args[i], 128 - shown.length)}' `;
  }
  return new ReplyError(
    `ERR unknown command '${printable(args[0], 128)}', with args beginning with: ${shown}`,
  );
}

export function unknownSubcommand(sub: string, containerName: string): ReplyError {
  return new ReplyError(
    `ERR unknown subcommand '${printable(sub, 128)}'. Try ${containerName.toUpperCase()} HELP.`,
  );
}

export function invalidExpire(command: string): ReplyError {
  return new ReplyError(`ERR invalid expire time in '${command}' command`);
}

/** An argument as C prints it into an error: up to its first NUL byte. */
export function toNul(text: string): string {
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

function printable(text: string, limit: number): string {
  return toNul(text)
    .slice(0, limit)
    .replace(/[\r\n]/g, ' ');
}

/** What others get while a script or function is busy. */
export function busyError(kind: 'script' | 'function'): ReplyError {
  const command = kind === 'function' ? 'FUNCTION KILL' : 'SCRIPT KILL';
  return new ReplyError(
    `BUSY Redis is busy running a script. You can only call ${command} or SHUTDOWN NOSAVE.`,
  );
}
