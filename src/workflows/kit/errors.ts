// The one error of the toolkit, for faults of the infrastructure and of the caller. What a workflow decides is never an
// error: it is a result (result.ts).

/** What went wrong. Literal, stable, to be matched on. */
export type AtomicCode =
  /** Keys of one operation live in different hash slots. */
  | 'CROSS_SLOT'
  /** A key that was not declared was read or written. */
  | 'UNDECLARED_KEY'
  /** An argument has the wrong form; nothing was sent. */
  | 'BAD_ARGUMENT'
  /** Watched keys changed in every attempt; nothing was written. */
  | 'CONFLICT_EXHAUSTED'
  /** The caller's signal fired before anything was sent. */
  | 'ABORTED'
  /** Time ran out before anything was sent. */
  | 'DEADLINE'
  /** A lock or a lease was lost while the work that it guards went on; the reason of a signal. */
  | 'LEASE_LOST'
  /** All leased connections were in use until the deadline. */
  | 'LEASE_EXHAUSTED'
  /** No connection could be had until the deadline; nothing was sent. */
  | 'DISCONNECTED'
  /** A replica was asked to write until the deadline. */
  | 'READONLY'
  /** Keys were on their way to another node until the deadline. */
  | 'TRYAGAIN'
  /** The cluster had no owner for the slot until the deadline. */
  | 'CLUSTERDOWN'
  /** A long script held the server until the deadline. */
  | 'BUSY'
  /** The server was loading its data until the deadline. */
  | 'LOADING'
  /** The server is out of memory. */
  | 'OOM'
  /** The server refuses writes: its disk or its replicas fail. */
  | 'UNWRITABLE'
  /** A key holds another type of value. */
  | 'WRONGTYPE'
  /** The server wants other credentials or permissions. */
  | 'NOT_PERMITTED'
  /** The function is not on the server. */
  | 'FUNCTION_MISSING'
  /** A function library on the server has other code than its name and version promise. */
  | 'LIBRARY_MISMATCH'
  /** A reply has another shape than was declared. */
  | 'REPLY_SHAPE'
  /** Another error of the server; its text is in the message. */
  | 'SERVER'
  /** orThrow() on a denial; `result` holds it. */
  | 'DENIED'
  /** orThrow() on an unknown outcome; `result` holds it. */
  | 'UNKNOWN';

export class AtomicError extends Error {
  readonly code: AtomicCode;
  /** The result that orThrow() would not take. */
  readonly result?: unknown;

  constructor(code: AtomicCode, message: string, options?: ErrorOptions & { result?: unknown }) {
    super(message, options);
    this.name = 'AtomicError';
    this.code = code;
    if (options?.result !== undefined) this.result = options.result;
  }
}

const OF_SERVER: Readonly<Record<string, AtomicCode>> = {
  CROSSSLOT: 'CROSS_SLOT',
  READONLY: 'READONLY',
  TRYAGAIN: 'TRYAGAIN',
  CLUSTERDOWN: 'CLUSTERDOWN',
  MOVED: 'CLUSTERDOWN',
  ASK: 'TRYAGAIN',
  MASTERDOWN: 'LOADING',
  BUSY: 'BUSY',
  LOADING: 'LOADING',
  OOM: 'OOM',
  MISCONF: 'UNWRITABLE',
  NOREPLICAS: 'UNWRITABLE',
  WRONGTYPE: 'WRONGTYPE',
  NOAUTH: 'NOT_PERMITTED',
  WRONGPASS: 'NOT_PERMITTED',
  NOPERM: 'NOT_PERMITTED',
};

/** Codes of the server that pass by themselves, and say that nothing was done. */
const PASSING = new Set([
  'READONLY',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'MOVED',
  'ASK',
  'MASTERDOWN',
  'BUSY',
  'LOADING',
]);

/** Whether an error of the server is worth waiting for. */
export function passes(serverCode: string): boolean {
  return PASSING.has(serverCode);
}

/**
 * Whether a script was stopped amid its work, and what it had written stays: it emptied a key of a slot that is on the
 * move, and touched that key again. Then the key is no longer here, says the server.
 */
export function isTorn(message: string): boolean {
  return message.includes('attempted to access a non local key');
}

/** The toolkit's code for an error of the server. */
export function codeOf(serverCode: string, message: string): AtomicCode {
  if (serverCode === 'ERR' && /function not found/i.test(message)) return 'FUNCTION_MISSING';
  return OF_SERVER[serverCode] ?? 'SERVER';
}
