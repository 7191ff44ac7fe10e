// Sessions that wait for a key (BLPOP and its kin): first come, first served per key, only after the unit that
// filled the key has ended, and by running the waiting command again. The engine parks and serves through it.
import type { TableEntry } from '../commands/table.ts';
import type { Db } from '../keyspace/db.ts';
import type { Space } from '../keyspace/space.ts';
import { typeOf } from '../keyspace/values.ts';
import { Block, type Reply } from '../resp/reply.ts';
import type { Clock, Timer } from './ports.ts';
import type { Session } from './session.ts';

/** A parked command. */
export interface Waiter {
  readonly session: Session;
  readonly entry: TableEntry;
  readonly db: Db;
  /** What is run once a key is ready. */
  args: readonly string[];
  block: Block;
  timer: Timer | null;
}

/** What waiting needs of the engine. */
export interface BlockingHost {
  /** Runs a waiter's command as a unit of its own. */
  retry(waiter: Waiter): Reply;
  /** Sends a session the reply of its command that waited. */
  deliver(session: Session, reply: Reply): void;
}

export class Blocking {
  /** How many sessions wait. */
  count = 0;
  private readonly space: Space;
  private readonly clock: Clock;
  private readonly host: BlockingHost;
  private serving = false;

  constructor(space: Space, clock: Clock, host: BlockingHost) {
    this.space = space;
    this.clock = clock;
    this.host = host;
  }

  /** Parks a session until a key of the block is ready, its time is over, or it is released. */
  park(session: Session, entry: TableEntry, args: readonly string[], block: Block): void {
    const waiter: Waiter = {
      session,
      entry,
      db: session.db,
      args: block.retryAs ?? args,
      block,
      timer: null,
    };
    session.waiter = waiter;
    this.count++;
    this.enqueue(waiter);
    if (block.timeout > 0) {
      waiter.timer = this.clock.after(block.timeout, () => this.release(session, waiter.block.onTimeout));
    }
  }

  /** Ends a session's wait with this reply; false where it does not wait. */
  release(session: Session, reply: Reply): boolean {
    if (!this.forget(session)) return false;
    this.host.deliver(session, reply);
    return true;
  }

  /** Ends a session's wait without a reply (its connection is gone). */
  forget(session: Session): boolean {
    const { waiter } = session;
    if (waiter === null) return false;
    session.waiter = null;
    this.count--;
    waiter.timer?.cancel();
    this.dequeue(waiter);
    return true;
  }

  /**
   * Serves the waiters of keys that became ready. A served command may fill other keys (BLMOVE): these are
   * followed up in further rounds. A round serves at most as many waiters of a key as there were at its start,
   * so one that has to wait again cannot hold the server.
   */
  serve(): void {
    // A waiter's reply may make its client send more, in the same call stack: the outer loop follows that up.
    if (this.serving) return;
    this.serving = true;
    try {
      while (this.space.readyKeys.length > 0) {
        for (const { db, key } of this.space.takeReady()) this.serveKey(db, key);
      }
    } finally {
      this.serving = false;
    }
  }

  private serveKey(db: Db, key: string): void {
    const queue = this.queueOf(db, key);
    if (queue === undefined) return;
    for (const waiter of [...queue]) {
      // Serving another may have ended this one's connection.
      if (waiter.session.waiter !== waiter) continue;
      const value = db.peek(key);
      const { block } = waiter;
      if (block.wakesWhenGone || (value !== undefined && typeOf(value) === block.type)) this.retry(waiter);
    }
  }

  // Runs the command again. Where it still has to wait it does so behind the others, to its first deadline.
  private retry(waiter: Waiter): void {
    const reply = this.host.retry(waiter);
    if (!(reply instanceof Block)) {
      this.release(waiter.session, reply);
      return;
    }
    this.dequeue(waiter);
    waiter.block = reply;
    waiter.args = reply.retryAs ?? waiter.args;
    this.enqueue(waiter);
  }

  // A set keeps the order in which waiters came, and holds one that names a key twice only once.
  private enqueue(waiter: Waiter): void {
    const queues = this.queues(waiter.db);
    for (const key of waiter.block.keys) {
      const queue = queues.get(key);
      if (queue === undefined) queues.set(key, new Set([waiter]));
      else queue.add(waiter);
    }
    const { waitedTypes } = this.space;
    waitedTypes.set(waiter.block.type, (waitedTypes.get(waiter.block.type) ?? 0) + 1);
    if (waiter.block.wakesWhenGone) this.space.goneWaiters++;
  }

  private dequeue(waiter: Waiter): void {
    const queues = this.queues(waiter.db);
    for (const key of waiter.block.keys) {
      const queue = queues.get(key);
      queue?.delete(waiter);
      if (queue?.size === 0) queues.delete(key);
    }
    const { waitedTypes } = this.space;
    const left = (waitedTypes.get(waiter.block.type) ?? 0) - 1;
    if (left > 0) waitedTypes.set(waiter.block.type, left);
    else waitedTypes.delete(waiter.block.type);
    if (waiter.block.wakesWhenGone) this.space.goneWaiters--;
  }

  private queueOf(db: Db, key: string): Set<Waiter> | undefined {
    return this.queues(db).get(key);
  }

  // Space knows the keys only (what it has to watch); who waits is known here.
  private queues(db: Db): Map<string, Set<Waiter>> {
    return this.space.waited[db.index] as Map<string, Set<Waiter>>;
  }
}
