// The value of a hash: field to value, in insertion order while Redis would keep a listpack. Commands of
// hashes.ts (and SORT, persistence) use it; Db stores it.
import { Dict } from '../data/dict.ts';
import { Collection, type EncodingLimits } from './values.ts';

export class HashValue extends Collection {
  private dict = new Dict<string>();
  /** Still what Redis keeps in a listpack; once false it stays so. */
  private packed = true;

  get type(): 'hash' {
    return 'hash';
  }

  get size(): number {
    return this.dict.size;
  }

  encoding(): string {
    return this.packed ? 'listpack' : 'hashtable';
  }

  clone(): HashValue {
    const copy = new HashValue();
    copy.dict = this.dict.clone();
    copy.packed = this.packed;
    return copy;
  }

  get(field: string): string | undefined {
    return this.dict.get(field);
  }

  has(field: string): boolean {
    return this.dict.has(field);
  }

  /** Sets a field; true when it is new. */
  set(field: string, value: string, limits: EncodingLimits): boolean {
    const fresh = this.dict.set(field, value, this.packed);
    if (this.packed) {
      const longest = limits.hashMaxListpackValue;
      if (
        field.length > longest ||
        value.length > longest ||
        this.dict.size > limits.hashMaxListpackEntries
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
    return this.dict.delete(field, this.packed);
  }

  /** Gives back spare room; for a hash that has just been made whole. */
  trim(): void {
    if (this.packed) this.dict.trim();
  }

  fieldAt(position: number): string {
    return this.dict.keyAt(position);
  }

  valueAt(position: number): string {
    return this.dict.valueAt(position);
  }

  /**
   * Visits some `count` fields from a cursor on; answers the next cursor, 0 at the end. A listpack is visited whole and
   * in its order, as Redis does.
   */
  scan(cursor: number, count: number, visit: (field: string, value: string) => void): number {
    if (!this.packed) return this.dict.scan(cursor, count, visit);
    for (let i = 0; i < this.size; i++) visit(this.fieldAt(i), this.valueAt(i));
    return 0;
  }
}
