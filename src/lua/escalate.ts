// The direct form of a script cannot go on: it must be undone and run again in the suspendable form.
// Thrown by libraries and the host's tick, understood by whoever runs scripts; pcall does not catch it.

export class NeedsSuspendable {
  readonly needsSuspendable = true;
}

/** JavaScript says that a string or array would be too long, not that its stack is full. Called where the stack may be
 *  full, so nothing is called here. */
export function isMemoryError(error: RangeError): boolean {
  return error.message === 'Invalid string length' || error.message === 'Invalid array length';
}
