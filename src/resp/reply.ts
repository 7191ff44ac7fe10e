// What a command answers: one union of plain values. Handlers build it, EXEC nests it, the encoder writes
// it, the in-process API converts it; nobody re-parses bytes. Byte strings are JavaScript strings whose
// char codes are 0-255.

/** Tags of the reply classes; a number so that the encoder can switch on it. */
export const Kind = {
  Status: 1,
  Error: 2,
  NullArray: 3,
  Double: 4,
  Map: 5,
  Set: 6,
  Push: 7,
  Verbatim: 8,
  BigNumber: 9,
  Sequence: 10,
  None: 11,
  Block: 12,
  Later: 15,
  InProtocol: 13,
} as const;

/** A simple string (`+OK`). */
export class Status {
  readonly kind = Kind.Status;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** An error line without its dash: `ERR syntax error`. Handlers may return or throw one. Not an `Error`:
 *  no stack is captured, an erring command costs no more than another. */
export class ReplyError {
  readonly kind = Kind.Error;
  readonly text: string;
  /** INFO errorstats has counted it already: a script passes on the error of a command that it called. */
  readonly counted: boolean;
  constructor(text: string, counted = false) {
    this.text = text;
    this.counted = counted;
  }
}

/** A floating point number; RESP3 sends `,text`, RESP2 a bulk string. */
export class Double {
  readonly kind = Kind.Double;
  readonly value: number;
  readonly text: string;
  constructor(value: number, text: string) {
    this.value = value;
    this.text = text;
  }
}

/** Key and value alternating in one flat array; RESP2 sends it flat. */
export class MapReply {
  readonly kind = Kind.Map;
  readonly items: Reply[];
  constructor(items: Reply[]) {
    this.items = items;
  }
}

/** An unordered collection; RESP2 sends an array. */
export class SetReply {
  readonly kind = Kind.Set;
  readonly items: Reply[];
  constructor(items: Reply[]) {
    this.items = items;
  }
}

/** Out-of-band message (`>`); RESP2 sends an array. */
export class Push {
  readonly kind = Kind.Push;
  readonly items: Reply[];
  constructor(items: Reply[]) {
    this.items = items;
  }
}

/** Text with a three-letter format; RESP2 sends a bulk string. */
export class Verbatim {
  readonly kind = Kind.Verbatim;
  readonly text: string;
  readonly format: string;
  constructor(text: string, format = 'txt') {
    this.text = text;
    this.format = format;
  }
}

/** An integer of any length, in decimal digits; RESP2 sends a bulk string. Only scripts answer it. */
export class BigNumber {
  readonly kind = Kind.BigNumber;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Several replies one after the other, as SUBSCRIBE with two channels answers. */
export class Sequence {
  readonly kind = Kind.Sequence;
  readonly items: Reply[];
  constructor(items: Reply[]) {
    this.items = items;
  }
}

/** A reply that is encoded in this protocol whatever the connection speaks by then (HELLO inside MULTI). */
export class InProtocol {
  readonly kind = Kind.InProtocol;
  readonly reply: Reply;
  readonly protocol: 2 | 3;
  constructor(reply: Reply, protocol: 2 | 3) {
    this.reply = reply;
    this.protocol = protocol;
  }
}

class NullArray {
  readonly kind = Kind.NullArray;
}
class None {
  readonly kind = Kind.None;
}

/** What a blocking command answers when there is nothing to serve yet. The engine parks the session on
 *  `keys` until one is ready, the time is over or it is unblocked; inside MULTI and scripts it answers
 *  `instead` at once. */
export class Block {
  readonly kind = Kind.Block;
  readonly keys: readonly string[];
  /** What the key has to hold (as TYPE names it) before the command is tried again. */
  readonly type: string;
  /** Milliseconds; 0 waits for ever. */
  readonly timeout: number;
  /** Reply of an instant timeout (inside MULTI or a script). */
  readonly instead: Reply;
  /** Reply of a real timeout. */
  readonly onTimeout: Reply;
  /** Tried again also when a key is deleted or gets another type (XREADGROUP, whose group is gone then). */
  readonly wakesWhenGone: boolean;
  /** What is run in place of the command as sent (XREAD, once `$` is known); null for the same again. */
  readonly retryAs: readonly string[] | null;
  constructor(
    keys: readonly string[],
    type: string,
    timeout: number,
    instead: Reply,
    onTimeout: Reply,
    wakesWhenGone = false,
    retryAs: readonly string[] | null = null,
  ) {
    this.keys = keys;
    this.type = type;
    this.timeout = timeout;
    this.instead = instead;
    this.onTimeout = onTimeout;
    this.wakesWhenGone = wakesWhenGone;
    this.retryAs = retryAs;
  }
}

/** A reply that is not there yet: a long script runs on. Whoever made the unit waits for it. */
export class Later {
  readonly kind = Kind.Later;
  /** The unit stays open until then; else others go on meanwhile. */
  readonly holdsUnit: boolean;
  private done: ((reply: Reply) => void) | null = null;

  constructor(holdsUnit = true) {
    this.holdsUnit = holdsUnit;
  }

  /** Calls back with the reply, once. */
  whenDone(done: (reply: Reply) => void): void {
    this.done = done;
  }

  settle(reply: Reply): void {
    this.done?.(reply);
  }

  /** What follows from the reply: another reply, which may itself come later. */
  map(follow: (reply: Reply) => Reply): Later {
    const mapped = new Later(this.holdsUnit);
    this.whenDone((reply) => {
      const next = follow(reply);
      if (next instanceof Later) next.whenDone((last) => mapped.settle(last));
      else mapped.settle(next);
    });
    return mapped;
  }
}

/**
 * - `number`, `bigint`: integer
 * - `string`: bulk string
 * - `null`: null bulk string (RESP3 `_`)
 * - `boolean`: RESP3 boolean, RESP2 1 or 0
 * - array: array
 */
export type Reply =
  | number
  | bigint
  | string
  | null
  | boolean
  | readonly Reply[]
  | Status
  | ReplyError
  | Double
  | MapReply
  | SetReply
  | Push
  | Verbatim
  | BigNumber
  | Sequence
  | NullArray
  | None
  | InProtocol
  | Block
  | Later;

/** The members of {@link Reply} that are instances of a class of this file. */
export type TaggedReply = Extract<Reply, { kind: number }>;

export const OK = new Status('OK');
export const PONG = new Status('PONG');
export const QUEUED = new Status('QUEUED');
/** `*-1` in RESP2, `_` in RESP3. */
export const NULL_ARRAY: NullArray = new NullArray();
/** Nothing is sent. */
export const NO_REPLY: None = new None();
/** An array without elements. */
export const EMPTY: readonly Reply[] = [];
