// The direct form of a script cannot go on: it must be undone and run again in the suspendable form.
// Thrown by libraries and the host's tick, understood by whoever runs scripts; pcall does not catch it.

export class NeedsSuspendable {
  readonly needsSuspendable = true;
}
