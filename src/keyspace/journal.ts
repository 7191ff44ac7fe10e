// Undo journal of a unit that may be rolled back (db.transaction, killed scripts). The write door records
// what a key held before each change; rolling back walks the records from the last to the first. Old values
// are kept by reference: Db.edit clones a collection before it changes it while a journal is open.
import type { Db } from './db.ts';
import type { Segment } from './segment.ts';
import type { Value } from './values.ts';

/** What a key held before a change. */
export interface KeyRecord {
  readonly db: Db;
  readonly key: string;
  /** undefined: the key was missing. */
  readonly value: Value | undefined;
  readonly deadline: number;
  readonly access: number;
  /** Where in its segment the key lay. */
  readonly at: number;
}

export class Journal {
  private readonly records: (KeyRecord | (() => void))[] = [];

  /** Remembers the present state of a key. */
  record(db: Db, key: string, seg: Segment, at: number): void {
    const deadline = seg.deadline(at);
    this.records.push({ db, key, value: seg.values[at], deadline, access: seg.access[at], at });
  }

  recordMissing(db: Db, key: string): void {
    this.records.push({ db, key, value: undefined, deadline: 0, access: 0, at: -1 });
  }

  /** Remembers how to undo a change of another kind (FLUSHDB, SWAPDB). */
  push(undo: () => void): void {
    this.records.push(undo);
  }

  /** Position to roll back to. */
  get length(): number {
    return this.records.length;
  }

  /** Undoes everything recorded after `length` (default: all). */
  rollback(length = 0): void {
    while (this.records.length > length) {
      const record = this.records.pop() as KeyRecord | (() => void);
      if (typeof record === 'function') record();
      else record.db.undo(record);
    }
  }
}
