// A run cannot go on in the form that it is in: it must be undone and run again in one that can pause in more places.
// Thrown by libraries and the host's tick, understood by whoever runs scripts; pcall does not catch it.

/** `time`: direct code has run for too long; `depth`: JavaScript's stack is full; `yield`: a coroutine yields
 *  across direct code. */
export type Escalation = 'time' | 'depth' | 'yield';

export class NeedsSuspendable {
  readonly why: Escalation;
  constructor(why: Escalation) {
    this.why = why;
  }
}

/** JavaScript says that a string or array would be too long, not that its stack is full. Called where the stack may be
 *  full, so nothing is called here. */
export function isMemoryError(error: RangeError): boolean {
  return error.message === 'Invalid string length' || error.message === 'Invalid array length';
}
