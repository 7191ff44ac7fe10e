// Checks of what callers give to workflows, before anything is sent. Used by workflows for numbers and names that are
// no ids of their own keys.
import { AtomicError } from './errors.ts';

/** An integer between two bounds. @throws AtomicError BAD_ARGUMENT */
export function checkInt(what: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new AtomicError('BAD_ARGUMENT', `${what} must be an integer from ${least} to ${most}`);
  }
  return value;
}

/** A name that is not empty and not long. @throws AtomicError BAD_ARGUMENT */
export function checkName(what: string, name: string, most = 200): string {
  if (typeof name !== 'string' || name === '' || name.length > most) {
    throw new AtomicError('BAD_ARGUMENT', `${what} has 1 to ${most} characters`);
  }
  return name;
}
