// The embedded database: what `open()` gives (server/embedded.ts adds what needs Node). The default session's commands are its methods; beside them
// transactions with rollback, further sessions, listeners, snapshots and forks.

import type { FrozenSpace } from '../keyspace/space.ts';
import type { Persistence } from '../persistence/persistence.ts';
import { recovered } from '../persistence/report.ts';
import { utf8Decode } from '../resp/bytes.ts';
import type { Libraries } from '../scripting/library.ts';
import type { Storage } from '../storage/port.ts';
import { Client, defineMethods, type Message } from './client.ts';
import { commandTable, Engine, type EngineOptions } from './engine.ts';
import { HoldfastError } from './errors.ts';
import { persist } from './persistent.ts';
import { VirtualClock } from './ports.ts';

export interface OpenOptions {
  /** Seed of all chance in the engine (SPOP, RANDOMKEY, …): the same seed and commands give the same replies. */
  readonly seed?: number;
  /** The system's clock by default; a VirtualClock stands still until `clock.advance(ms)`. */
  readonly clock?: EngineOptions['clock'];
  /** Number of databases that SELECT knows; default 16. */
  readonly databases?: number;
  /** @internal What the process can tell of its memory. */
  readonly heap?: EngineOptions['heap'];
  /** Directives as in redis.conf, e.g. `{ 'notify-keyspace-events': 'KEA' }`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** One change of a key, after the unit that made it. */
export interface Change {
  readonly db: number;
  readonly key: string;
  /** The keyspace event's name (`set`, `del`, `expired`, …). */
  readonly event: string;
}

/** The whole contents at one moment. Immutable; holds what it shares with the live database by reference. */
export class Snapshot {
  /** @internal */
  readonly space: FrozenSpace;
  /** @internal */
  readonly random: number;
  /** @internal */
  readonly libraries: Libraries;
  /** @internal */
  constructor(space: FrozenSpace, random: number, libraries: Libraries) {
    this.space = space;
    this.random = random;
    this.libraries = libraries;
  }
}

/** See {@link Database.transaction}. */
export interface Transact<D> {
  <T>(fn: (tx: D) => T): T;
  durable<T>(fn: (tx: D) => T): Promise<T>;
}

/** An embedded database. Every method that is a command runs at once in the default session. */
export class Database extends Client {
  private readonly options: OpenOptions;
  private readonly clients = new Set<Client>();
  private disk: Persistence | null = null;
  private transact: Transact<this> | null = null;

  /** @internal Use `open()`. */
  constructor(options: OpenOptions = {}) {
    super(new Engine(options));
    this.options = options;
    this.engine.start();
  }

  /** @internal Lives in a directory from now on; `open(directory)` calls it. */
  async persistTo(storage: Storage, say?: (message: string) => void): Promise<void> {
    this.disk = await persist(this.engine, storage, { say });
    const told = recovered(this.disk.recovery);
    if (told !== '') say?.(told);
  }

  /**
   * Resolves once all that was done before is on disk; at once for a database in memory.
   * @throws StorageError where the log cannot be written
   */
  async flushed(): Promise<void> {
    await this.disk?.flushed();
  }

  /** A further session with its own MULTI, WATCH, SELECT and subscriptions. */
  session(): Client {
    this.mustBeOpen();
    const client = new Client(this.engine);
    this.clients.add(client);
    return client;
  }

  /**
   * Runs `fn` as one unit: others see all of it or nothing. When it throws, everything it changed is undone and
   * the error passes on. `fn` is synchronous and uses the client it is given; a call inside another is a
   * savepoint. Keyspace events, messages and waiters follow at the commit.
   *
   * `transaction.durable(fn)` resolves to fn's result once all of it is on disk (at once in memory), and rejects with
   * a StorageError where it cannot be: then it is done, but may be gone after a restart.
   * @throws HoldfastError `HF_ASYNC` when fn returns a promise (undone as well).
   */
  get transaction(): Transact<this> {
    this.transact ??= Object.assign(<T>(fn: (tx: this) => T): T => this.runTransaction(fn), {
      durable: async <T>(fn: (tx: this) => T): Promise<T> => {
        const result = this.runTransaction(fn);
        await this.flushed();
        return result;
      },
    });
    return this.transact;
  }

  private runTransaction<T>(fn: (tx: this) => T): T {
    this.mustBeOpen();
    if (this.core.session.multi !== null) {
      throw new HoldfastError('HF_BUSY', 'this session has a MULTI open: EXEC or DISCARD it first');
    }
    return this.core.atomic(() => {
      const result = fn(this);
      if (typeof (result as { then?: unknown } | null)?.then === 'function') {
        throw new HoldfastError(
          'HF_ASYNC',
          'a transaction must be synchronous: its function returned a promise',
        );
      }
      return result;
    });
  }

  /** Calls back for each message of a channel, or of all channels that match a glob; returns a function that stops it. */
  listen(
    channel: string,
    listener: (message: Message) => void,
    options: { pattern?: boolean } = {},
  ): () => void {
    const client = this.session();
    client.onMessage(listener);
    client.call(options.pattern ? 'PSUBSCRIBE' : 'SUBSCRIBE', channel);
    return () => this.drop(client);
  }

  /**
   * Calls back with the changes of each unit once it has ended, in order; nothing of a rolled back unit. Returns
   * a function that stops it.
   */
  live(listener: (changes: readonly Change[]) => void): () => void {
    this.mustBeOpen();
    return this.engine.effects.onChanges((changes) => {
      const decoded = changes.map((c) => ({ db: c.db, key: utf8Decode(c.key), event: c.event }));
      queueMicrotask(() => listener(decoded));
    });
  }

  /** The present contents; costs a few words per 2,000 keys. */
  snapshot(): Snapshot {
    this.mustBeOpen();
    const { space, random, functions } = this.engine;
    return new Snapshot(space.freeze(), random.state, functions.libraries);
  }

  /** Goes back to a snapshot (of this database or of a fork). Watched keys count as changed. */
  revertTo(snapshot: Snapshot): void {
    this.mustBeOpen();
    this.engine.restore(snapshot.space, snapshot.libraries);
    this.engine.random.state = snapshot.random;
  }

  /** A second, independent database with the same contents; a virtual clock is copied. */
  fork(): this {
    const { clock } = this.options;
    const Same = this.constructor as new (options: OpenOptions) => this;
    const copy = new Same({
      ...this.options,
      clock: clock instanceof VirtualClock ? new VirtualClock(clock.now()) : clock,
    });
    copy.revertTo(this.snapshot());
    return copy;
  }

  /**
   * Ends all sessions. Later calls throw `HF_CLOSED`. A database in a directory is written out, and the directory
   * free, once the promise resolves.
   */
  override close(): Promise<void> {
    this.engine.close();
    for (const client of [...this.clients]) client.close();
    super.close();
    const { disk } = this;
    this.disk = null;
    return disk === null ? Promise.resolve() : disk.close();
  }

  private drop(client: Client): void {
    this.clients.delete(client);
    client.close();
  }

  private mustBeOpen(): void {
    if (this.core.closed) throw new HoldfastError('HF_CLOSED', 'the database is closed');
    if (this.engine.inUnit && this.core.engineOwner() !== this.core) {
      throw new HoldfastError('HF_BUSY', 'another session runs a transaction');
    }
  }
}

defineMethods(commandTable.all());
