// Checks of arguments that several workflows share: what is wrong is refused before anything is sent. Called by the
// workflows' factories and methods.
import { utf8Encode } from '../../resp/bytes.ts';
import { AtomicError } from './errors.ts';

/** Longest span of time that is taken, in milliseconds: some 31 years. */
const LONGEST_MS = 1e12;

/** An integer within bounds. @throws AtomicError BAD_ARGUMENT */
export function checkInt(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new AtomicError('BAD_ARGUMENT', `${name} must be an integer from ${least} to ${most}`);
}

/** A span of time in whole milliseconds. @throws AtomicError BAD_ARGUMENT */
export function checkMs(name: string, value: number, least = 1): number {
  return checkInt(name, value, least, LONGEST_MS);
}

/** Text of 1 to `most` characters. @throws AtomicError BAD_ARGUMENT */
export function checkText(name: string, value: string, most: number): string {
  if (typeof value === 'string' && value !== '' && value.length <= most) return value;
  throw new AtomicError('BAD_ARGUMENT', `${name} has 1 to ${most} characters`);
}

/** A name that somebody gave to something: 1 to 200 characters. @throws AtomicError BAD_ARGUMENT */
export function checkName(what: string, name: string, most = 200): string {
  return checkText(what, name, most);
}

/** Text of at most so many bytes in UTF-8; may be empty. @throws AtomicError BAD_ARGUMENT */
export function checkBytes(name: string, value: string, most: number): string {
  if (typeof value === 'string' && fits(value, most)) return value;
  throw new AtomicError('BAD_ARGUMENT', `${name} must be a string of at most ${most} bytes`);
}

/** A value as JSON, of at most so many bytes. @throws AtomicError BAD_ARGUMENT */
export function checkJson(name: string, value: unknown, most: number): string {
  let body: string | undefined;
  try {
    body = JSON.stringify(value);
  } catch (cause) {
    throw new AtomicError('BAD_ARGUMENT', `${name} is not JSON: ${String(cause)}`, { cause });
  }
  if (body === undefined) throw new AtomicError('BAD_ARGUMENT', `${name} is not JSON`);
  return checkBytes(name, body, most);
}

// A character has one to three bytes, so most texts need no encoding to be judged.
function fits(value: string, most: number): boolean {
  return value.length <= most && (value.length * 3 <= most || utf8Encode(value).length <= most);
}
