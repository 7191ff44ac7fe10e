// The value of a hash: field to value, in insertion order while Redis would keep a listpack. Commands of
// hashes.ts (and SORT, persistence) use it; Db stores it.
import { Table } from '../data/table.ts';
import { Collection, type EncodingLimits } from './values.ts';

export class HashValue extends Collection {
  private table = new Table<string>();
  /** Still what Redis keeps in a listpack; once false it stays so. */
  private packed = true;

  get type(): 'hash' {
    return 'hash';
  }

  get size(): number {
    return this.table.size;
  }

  encoding(): string {
    return this.packed ? 'listpack' : 'hashtable';
  }

  clone(): HashValue {
    const copy = new HashValue();
    copy.table = this.table.clone();
    copy.packed = this.packed;
    return copy;
  }

  get(field: string): string | undefined {
    return this.table.get(field);
  }

  has(field: string): boolean {
    return this.table.has(field);
  }

  /** Sets a field; true when it is new. */
  set(field: string, value: string, limits: EncodingLimits): boolean {
    const fresh = this.table.set(field, value);
    if (this.packed) {
      const longest = limits.hashMaxListpackValue;
      if (
        field.length > longest ||
        value.length > longest ||
        this.table.size > limits.hashMaxListpackEntries
      ) {
        this.packed = false;
      }
    }
    return fresh;
  }

  /** Says that one command is about to set this many fields: Redis converts at once when they are too many. */
  expect(fields: number, limits: EncodingLimits): void {
    if (fields > limits.hashMaxListpackEntries) this.packed = false;
  }

  /** Removes a field; true when it was there. */
  delete(field: string): boolean {
    return this.table.delete(field, this.packed);
  }

  /** Gives back spare room; for a hash that has just been made whole. */
  trim(): void {
    if (this.packed) this.table.trim();
  }

  fieldAt(position: number): string {
    return this.table.keys[position];
  }

  valueAt(position: number): string {
    return this.table.values[position];
  }

  /**
   * Visits some `count` fields from a cursor on; answers the next cursor, 0 at the end. A listpack is visited whole and
   * in its order, as Redis does.
   */
  scan(cursor: number, count: number, visit: (field: string, value: string) => void): number {
    if (!this.packed) return this.table.scan(cursor, count, visit);
    for (let i = 0; i < this.size; i++) visit(this.fieldAt(i), this.valueAt(i));
    return 0;
  }
}
