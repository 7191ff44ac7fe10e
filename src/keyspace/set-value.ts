// The value of a set in the three forms that Redis shows: integers in numeric order (intset), members in
// insertion order (listpack), a hash table. Commands of sets.ts (and SORT, ZUNION, persistence) use it.
import { Dict } from '../data/dict.ts';
import { parseInt64 } from '../data/numbers.ts';
import { Collection, type EncodingLimits } from './values.ts';

/** Redis keeps no larger intset whatever the directive says. */
const INTSET_CAP = 2 ** 30;

export class SetValue extends Collection {
  /** The members while it is an intset, ascending; a bigint beyond 2^53, so that equal members are identical. */
  private ints: (number | bigint)[] | null = [];
  /** The members otherwise. */
  private dict: Dict<undefined> | null = null;
  /** The dict stands for a listpack. */
  private packed = false;

  get type(): 'set' {
    return 'set';
  }

  get size(): number {
    return this.ints !== null ? this.ints.length : (this.dict as Dict<undefined>).size;
  }

  encoding(): string {
    return this.ints !== null ? 'intset' : this.packed ? 'listpack' : 'hashtable';
  }

  clone(): SetValue {
    const copy = new SetValue();
    copy.ints = this.ints === null ? null : this.ints.slice();
    copy.dict = this.dict === null ? null : this.dict.clone();
    copy.packed = this.packed;
    return copy;
  }

  /** An empty set that starts as a listpack, whatever is added. */
  static listpack(): SetValue {
    const set = new SetValue();
    set.toDict(true);
    return set;
  }

  /**
   * Says that one command is about to add this many members, `first` before the others. Redis chooses the form of a new
   * set by it, and converts an existing one at once when they are too many.
   */
  expect(first: string, count: number, limits: EncodingLimits): void {
    const manyForListpack = count > limits.setMaxListpackEntries;
    if (this.size === 0) {
      if (count > limits.setMaxIntsetEntries || parseInt64(first) === null) this.toDict(!manyForListpack);
    } else if (this.ints !== null) {
      if (count > limits.setMaxIntsetEntries) this.toDict(false);
    } else if (manyForListpack) {
      this.packed = false;
    }
  }

  /** Adds a member; true when it is new. */
  add(member: string, limits: EncodingLimits): boolean {
    if (this.ints !== null) {
      const n = parseInt64(member);
      if (n !== null) return this.addInt(this.ints, n, limits);
      this.toDict(this.fitsListpack(limits));
    }
    const dict = this.dict as Dict<undefined>;
    if (!dict.set(member, undefined, this.packed)) return false;
    if (this.packed) {
      this.packed = dict.size <= limits.setMaxListpackEntries && member.length <= limits.setMaxListpackValue;
    }
    return true;
  }

  has(member: string): boolean {
    if (this.ints === null) return (this.dict as Dict<undefined>).has(member);
    const n = parseInt64(member);
    return n !== null && this.ints[lowerBound(this.ints, n)] === n;
  }

  /** Removes a member; true when it was there. */
  delete(member: string): boolean {
    if (this.ints === null) return (this.dict as Dict<undefined>).delete(member, this.packed);
    const n = parseInt64(member);
    if (n === null) return false;
    const at = lowerBound(this.ints, n);
    if (this.ints[at] !== n) return false;
    this.ints.splice(at, 1);
    return true;
  }

  /** Gives back spare room; for a set that has just been made whole. */
  trim(): void {
    if (this.ints !== null) this.ints = this.ints.slice();
    else if (this.packed) (this.dict as Dict<undefined>).trim();
  }

  /** Member at a position 0..size-1; positions are in the set's order and shift when a member goes. */
  at(position: number): string {
    return this.ints !== null ? String(this.ints[position]) : (this.dict as Dict<undefined>).keyAt(position);
  }

  /** Removes the member at a position and answers it. */
  takeAt(position: number): string {
    const member = this.at(position);
    if (this.ints !== null) this.ints.splice(position, 1);
    else (this.dict as Dict<undefined>).removeAt(position, this.packed);
    return member;
  }

  /** All members, in the set's order. */
  members(): string[] {
    return this.ints !== null ? this.ints.map(String) : (this.dict as Dict<undefined>).keys();
  }

  /** Becomes an intset if every member is an integer and there are not too many. */
  toIntset(limits: EncodingLimits): void {
    if (this.dict === null || this.size > intsetMax(limits)) return;
    const ints: (number | bigint)[] = [];
    for (const member of this.dict.keys()) {
      const n = parseInt64(member);
      if (n === null) return;
      ints.push(n);
    }
    // Not by subtraction: numbers and bigints stand side by side.
    this.ints = ints.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.dict = null;
    this.packed = false;
  }

  /**
   * Visits some `count` members from a cursor on; answers the next cursor, 0 at the end. The small forms are visited
   * whole and in their order, as Redis does.
   */
  scan(cursor: number, count: number, visit: (member: string) => void): number {
    if (this.dict !== null && !this.packed) return this.dict.scan(cursor, count, visit);
    for (let i = 0; i < this.size; i++) visit(this.at(i));
    return 0;
  }

  private addInt(ints: (number | bigint)[], n: number | bigint, limits: EncodingLimits): boolean {
    const at = lowerBound(ints, n);
    if (ints[at] === n) return false;
    if (at === ints.length) ints.push(n);
    else ints.splice(at, 0, n);
    if (ints.length > intsetMax(limits)) this.toDict(false);
    return true;
  }

  // Do all the integers fit a listpack, and one more member?
  private fitsListpack(limits: EncodingLimits): boolean {
    const ints = this.ints as (number | bigint)[];
    if (ints.length >= limits.setMaxListpackEntries) return false;
    if (ints.length === 0) return true;
    const longest = Math.max(String(ints[0]).length, String(ints[ints.length - 1]).length);
    return longest <= limits.setMaxListpackValue;
  }

  private toDict(packed: boolean): void {
    if (this.ints !== null) {
      const dict = new Dict<undefined>();
      for (const n of this.ints) dict.append(String(n), undefined, packed);
      this.dict = dict;
      this.ints = null;
    }
    this.packed = packed;
  }
}

function intsetMax(limits: EncodingLimits): number {
  return Math.min(limits.setMaxIntsetEntries, INTSET_CAP);
}

/** Position of the first integer that is not below `n`. */
function lowerBound(ints: readonly (number | bigint)[], n: number | bigint): number {
  let low = 0;
  let high = ints.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ints[middle] < n) low = middle + 1;
    else high = middle;
  }
  return low;
}
