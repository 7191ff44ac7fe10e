// The port between the toolkit and a Redis client: everything a workflow needs of one. The adapters under drivers/
// implement it; kit/perform.ts and kit/transaction.ts are its only callers.

/** A word of a command. Numbers travel in decimal. */
export type Word = string | number | Uint8Array;

/** What a server answers, in the shapes of RESP2: sets and maps are flat arrays, decimals are strings. */
export type Answer = string | number | null | ServerError | readonly Answer[];

/** One command on its way. */
export interface Request {
  readonly words: readonly Word[];
  /** A key that it touches, which decides where a Cluster sends it; '' where it has none. */
  readonly key: string;
  /** How long to wait for the reply, in milliseconds. What is late counts as lost. */
  readonly timeoutMs: number;
  /** Stops waiting. What was sent may still run: it counts as lost. */
  readonly signal?: AbortSignal;
}

/** What a driver is, for messages and for decisions that depend on it. */
export interface Facts {
  /** Name of the client: `ioredis`, `embedded`, ... */
  readonly client: string;
  readonly topology: 'embedded' | 'single' | 'sentinel' | 'cluster';
}

/** An answer of every primary of a deployment. */
export interface NodeAnswer {
  /** `host:port`; never shown with credentials. */
  readonly node: string;
  readonly answer: Answer;
}

/**
 * What the toolkit asks of a client. A driver never sends a command twice by itself: what happened to a command is
 * said by how it fails ({@link ServerError}, {@link Unsent}, {@link Lost}), and the toolkit decides.
 */
export interface Driver {
  readonly facts: Facts;
  /**
   * Sends one command. May answer at once, without a promise.
   * @throws ServerError | Unsent | Lost
   */
  send(request: Request): Answer | Promise<Answer>;
  /**
   * Sends several in one go; where they touch one node they run there in this order. What a command met with stands in
   * its place of the answers, so that one failure hides nothing of the others.
   */
  pipeline(requests: readonly Request[]): Promise<readonly (Answer | Unsent | Lost)[]>;
  /**
   * A connection of its own, to where `key` lives.
   * @throws Unsent where none can be had in time
   */
  lease(key: string, timeoutMs: number): Promise<Lease>;
  /** Sends the same command to every primary. */
  everyPrimary(words: readonly Word[], timeoutMs: number): Promise<readonly NodeAnswer[]>;
  /** Closes what the driver opened; the user's own client stays open. */
  close(): Promise<void>;
}

/** A connection that nobody else uses. It is one session of the server: it never reconnects behind one's back. */
export interface Lease {
  /** Sends commands in one write. */
  pipeline(
    commands: readonly (readonly Word[])[],
    timeoutMs: number,
  ): Promise<readonly (Answer | Unsent | Lost)[]>;
  /**
   * MULTI, these commands and EXEC in one write.
   * @returns their replies, or null where a watched key had changed
   * @throws ServerError where the transaction was refused, Unsent | Lost
   */
  exec(commands: readonly (readonly Word[])[], timeoutMs: number): Promise<readonly Answer[] | null>;
  /** Gives it back: usable again by the next one. The caller has seen to it that no key is watched. */
  release(): void;
  /** Closes it, which also ends its WATCH. */
  discard(): void;
}

/** The server answered with an error: the command did nothing, or its script stopped there. */
export class ServerError extends Error {
  /** First word of the error: `WRONGTYPE`, `NOSCRIPT`, `ERR`. */
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.name = 'ServerError';
    this.code = /^-?([A-Z][A-Z0-9_]*)(?: |$)/.exec(message)?.[1] ?? 'ERR';
  }
}

/** The command never left: it certainly did not run. */
export class Unsent extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Unsent';
  }
}

/** The command left and no reply came: it may have run, or not. */
export class Lost extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Lost';
  }
}
