// What others are to learn of the running unit: its commands for the log, its changes for listeners. The engine fills it
// while a unit runs, has it told once the unit has ended, and takes back what is undone.
import type { UndoPoint, UnitLog } from '../commands/ports.ts';
import type { Space } from '../keyspace/space.ts';

/** A change as the write door saw it. */
export interface RawChange {
  readonly db: number;
  readonly key: string;
  readonly event: string;
}

/** One command of a committed unit, in the form that a log records. */
export interface Op {
  readonly db: number;
  readonly args: readonly string[];
}

/** A point to which the open unit can be undone. */
interface Undo extends UndoPoint {
  readonly mark: ReturnType<Space['mark']>;
  readonly ops: number;
  readonly changes: number;
  readonly dirty: number;
  readonly hits: number;
  readonly misses: number;
}

export class Effects {
  /** Receives the ops of each committed unit that wrote something; null while nobody listens. */
  onUnit: ((ops: readonly Op[]) => void) | null = null;
  /** Where they are kept, so that they outlive the process; null in memory. */
  log: UnitLog | null = null;
  private readonly space: Space;
  private readonly listeners = new Set<(changes: readonly RawChange[]) => void>();
  private ops: Op[] = [];
  private changes: RawChange[] = [];

  constructor(space: Space) {
    this.space = space;
    space.onExpire = (db, key) => {
      if (this.onUnit !== null) this.ops.push({ db, args: ['DEL', key] });
    };
  }

  /** From here on each unit's effects go to the log. */
  attach(log: UnitLog): void {
    this.log = log;
    this.onUnit = (ops) => log.add(ops);
  }

  /** How many commands the open unit has for the log. */
  get count(): number {
    return this.ops.length;
  }

  get hasChanges(): boolean {
    return this.changes.length > 0;
  }

  add(db: number, args: readonly string[]): void {
    this.ops.push({ db, args });
  }

  /** Calls back with the changes of each unit that ended; returns a function that stops it. */
  onChanges(listener: (changes: readonly RawChange[]) => void): () => void {
    this.listeners.add(listener);
    this.space.sink = (db, key, event) => this.changes.push({ db, key, event });
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.space.sink = null;
    };
  }

  // ---- the unit has ended

  /** The unit's commands go to the log; answers the batch that they are in, 0 without a log. */
  emit(): number {
    const { ops } = this;
    this.ops = [];
    const batch = this.log?.gathering ?? 0;
    this.onUnit?.(ops);
    return batch;
  }

  /** The same, each command as a unit of its own. */
  emitEach(): void {
    const { ops } = this;
    this.ops = [];
    for (const op of ops) this.onUnit?.([op]);
  }

  /** Its changes go to the listeners. */
  tell(): void {
    const { changes } = this;
    this.changes = [];
    for (const listener of [...this.listeners]) listener(changes);
  }

  // ---- undoing

  /** Nobody learns of anything. */
  drop(): void {
    this.ops = [];
    this.changes = [];
  }

  /** Runs `work`; a throw undoes what it did, and no more. */
  savepoint<T>(work: () => T): T {
    const { space } = this;
    const mark = space.mark();
    const ops = this.ops.length;
    const changes = this.changes.length;
    try {
      return work();
    } catch (error) {
      this.ops.length = ops;
      this.changes.length = changes;
      space.rollbackTo(mark);
      throw error;
    }
  }

  /** From here on the open unit can be undone, its traces in the counters included. */
  openUndo(): Undo {
    const { space } = this;
    const own = space.journal === null;
    if (own) space.openJournal();
    return {
      own,
      mark: space.mark(),
      ops: this.ops.length,
      changes: this.changes.length,
      dirty: space.dirty,
      hits: space.stats.hits,
      misses: space.stats.misses,
    };
  }

  undo(point: UndoPoint): void {
    const { mark, ops, changes, dirty, hits, misses } = point as Undo;
    const { space } = this;
    space.rollbackTo(mark);
    this.ops.length = ops;
    this.changes.length = changes;
    space.dirty = dirty;
    space.stats.hits = hits;
    space.stats.misses = misses;
  }

  closeUndo(point: UndoPoint): void {
    if (point.own) this.space.commit();
  }
}
