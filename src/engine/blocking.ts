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
  readonly args: readonly string[];
  readonly db: Db;
  readonly block: Block;
  timer: Timer | null;
}

export class Blocking {
  /** How many sessions wait. */
  count = 0;
  private readonly space: Space;
  private readonly clock: Clock;
  private readonly run: (waiter: Waiter) => Reply;

  /** @param run runs a waiter's command as a unit of its own. */
  constructor(space: Space, clock: Clock, run: (waiter: Waiter) => Reply) {
    this.space = space;
    this.clock = clock;
    this.run = run;
  }

  /** Parks a session until a key of the block is ready, its time is over, or it is released. */
  park(session: Session, entry: TableEntry, args: readonly string[], block: Block): void {
    const waiter: Waiter = { session, entry, args, db: session.db, block, timer: null };
    session.waiter = waiter;
    this.count++;
    for (const key of block.keys) this.queue(waiter.db, key, true)?.add(waiter);
    if (block.timeout > 0) {
      waiter.timer = this.clock.after(block.timeout, () => this.release(session, block.onTimeout));
    }
  }

  /** Ends a session's wait with this reply; false where it does not wait. */
  release(session: Session, reply: Reply): boolean {
    if (!this.forget(session)) return false;
    session.outlet.reply(reply);
    return true;
  }

  /** Ends a session's wait without a reply (its connection is gone). */
  forget(session: Session): boolean {
    const { waiter } = session;
    if (waiter === null) return false;
    session.waiter = null;
    this.count--;
    waiter.timer?.cancel();
    for (const key of waiter.block.keys) {
      const queue = this.queue(waiter.db, key, false);
      queue?.delete(waiter);
      if (queue?.size === 0) this.space.waited[waiter.db.index].delete(key);
    }
    return true;
  }

  /**
   * Serves the waiters of keys that became ready. A served command may fill other keys (BLMOVE): these are
   * followed up in further rounds. A round serves at most as many waiters of a key as there were at its start,
   * so two that feed each other cannot hold the server.
   */
  serve(): void {
    while (this.space.readyKeys.length > 0) {
      const ready = this.space.readyKeys;
      this.space.readyKeys = [];
      for (const { db, key } of ready) this.serveKey(db, key);
    }
  }

  private serveKey(db: Db, key: string): void {
    const queue = this.queue(db, key, false);
    if (queue === undefined) return;
    for (const waiter of [...queue]) {
      const value = db.peek(key);
      if (value === undefined) return;
      if (typeOf(value) !== waiter.block.type || waiter.session.waiter !== waiter) continue;
      const reply = this.run(waiter);
      if (!(reply instanceof Block)) this.release(waiter.session, reply);
    }
  }

  private queue(db: Db, key: string, create: boolean): Set<Waiter> | undefined {
    const queues = this.space.waited[db.index] as Map<string, Set<Waiter>>;
    let queue = queues.get(key);
    if (queue === undefined && create) {
      queue = new Set();
      queues.set(key, queue);
    }
    return queue;
  }
}
