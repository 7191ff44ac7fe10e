// Map from byte strings to values for collections of any size: hashes, sets and sorted sets keep theirs in one. A
// small one is a single table in insertion order. A big one is a directory of tables, so that growth costs small
// steps, and a clone shares the tables until one of the two sides writes to them.
import { keyHash, Table } from './table.ts';

/** A table is split rather than to grow beyond this many entries: 0.1 ms of work or so. */
export const TABLE_LIMIT = 2048;

/** Two halves are joined when together they hold no more than this, so that joining and splitting never alternate. */
const JOIN = TABLE_LIMIT / 4;

/** Entries there must be for each place before the directory doubles: keys made to collide cannot blow it up. */
const SPARSE = TABLE_LIMIT / 8;

const MAX_DEPTH = 20;

// A scan cursor is (hash prefix, stamp of the table, position in it): 20 + 20 + 12 bits.
const PREFIXES = 2 ** MAX_DEPTH;
const STAMPS = 2 ** 20;
const POSITIONS = 4096;

/** The last owner number given out. */
let lastOwner = 0;

/**
 * One table of a directory. Only the directory whose `owner` number this is may write to it; another one copies it.
 * It remembers the hashes, as keys that share a part lie far apart in memory: splits and removals then read none of
 * them, which is worth four bytes a key.
 */
class Part<V> extends Table<V> {
  /** How many leading bits of the hash all its keys share. */
  readonly depth: number;
  /** Tells it from the tables that lay at its prefix before: a split or a join puts entries into other positions. */
  readonly stamp: number;
  readonly owner: number;
  private hashes: Int32Array;

  constructor(depth: number, stamp: number, owner: number, room: number) {
    super();
    this.hashes = new Int32Array(room);
    this.reserve(room);
    this.depth = depth;
    this.stamp = stamp;
    this.owner = owner;
  }

  override append(key: string, value: V, hash = keyHash(key)): number {
    if (this.size === this.hashes.length) {
      const more = new Int32Array(Math.max(16, this.size * 2));
      more.set(this.hashes);
      this.hashes = more;
    }
    this.hashes[this.size] = hash;
    return super.append(key, value, hash);
  }

  /** Fills this part, which is empty and has the room, with the entries of another table where a bit of the hash is so. */
  take(from: Table<V>, bit: number, wanted: number): void {
    // Arrays that once were as long do not grow again before the next split.
    const keys = from.keys.slice();
    const values = from.values.slice();
    let n = 0;
    for (let i = 0; i < from.size; i++) {
      const hash = from.hashAt(i);
      if (((hash >>> bit) & 1) !== wanted) continue;
      this.hashes[n] = hash;
      keys[n] = keys[i];
      if (values.length > 0) values[n] = values[i];
      n++;
    }
    keys.length = n;
    if (values.length > 0) values.length = n;
    this.load(keys, values);
  }

  override hashAt(at: number): number {
    return this.hashes[at];
  }

  protected override move(from: number, to: number): void {
    super.move(from, to);
    this.hashes[to] = this.hashes[from];
  }

  copy(owner: number): Part<V> {
    const to = new Part<V>(this.depth, this.stamp, owner, 0);
    this.copyInto(to);
    to.hashes = this.hashes.slice();
    return to;
  }
}

/**
 * Extendible hashing, as in Db: the leading `depth` bits of a key's hash choose the part. A part of local depth d
 * stands in 2^(depth-d) places. Positions count the entries in the order of the directory.
 */
class Directory<V> {
  size: number;
  private places: Part<V>[];
  private depth = 0;
  private lastStamp = 0;
  // A Fenwick tree of the parts' sizes, each counted at its first place, from which positions come: sums[i] holds
  // those of the places (i - lowbit(i), i] counted from 1. Null until someone asks; a run of insertions never builds it.
  private sums: Int32Array | null = null;
  // The part that the last position lay in, by its first place, and the position it starts at: whoever walks
  // through the positions finds it at once. The first part, which starts at 0, after every insertion and removal.
  private seenPlace = 0;
  private seenStart = 0;
  // After clone() both sides take a new number, and so own none of the parts they hold in common.
  private owner = ++lastOwner;

  constructor(table: Table<V> | null) {
    const part = new Part<V>(0, 0, this.owner, 0);
    this.places = [part];
    this.size = table === null ? 0 : table.size;
    if (table !== null) this.divide(part, 0, table);
  }

  find(key: string): number {
    const hash = keyHash(key);
    const place = this.placeOf(hash);
    const part = this.places[place];
    const at = part.findHashed(key, hash);
    if (at < 0) return -1;
    const first = this.firstOf(place, part);
    if (first !== this.seenPlace) {
      this.seenStart = this.before(first);
      this.seenPlace = first;
    }
    return this.seenStart + at;
  }

  has(key: string): boolean {
    const hash = keyHash(key);
    return this.places[this.placeOf(hash)].findHashed(key, hash) >= 0;
  }

  get(key: string): V | undefined {
    const hash = keyHash(key);
    const part = this.places[this.placeOf(hash)];
    const at = part.findHashed(key, hash);
    return at < 0 ? undefined : part.values[at];
  }

  set(key: string, value: V): boolean {
    const hash = keyHash(key);
    const place = this.placeOf(hash);
    const part = this.places[place];
    const at = part.findHashed(key, hash);
    if (at < 0) {
      this.insert(key, value, hash);
      return true;
    }
    if (value !== undefined) this.own(this.firstOf(place, part)).values[at] = value;
    return false;
  }

  /** Adds a key that is known to be absent. */
  insert(key: string, value: V, hash: number): void {
    let place = this.placeOf(hash);
    let part = this.places[place];
    while (part.size >= TABLE_LIMIT && this.maySplit(part)) {
      this.split(this.firstOf(place, part));
      place = this.placeOf(hash);
      part = this.places[place];
    }
    const first = this.firstOf(place, part);
    this.own(first).append(key, value, hash);
    this.resize(first, 1);
  }

  delete(key: string): boolean {
    const hash = keyHash(key);
    const place = this.placeOf(hash);
    const part = this.places[place];
    const at = part.findHashed(key, hash);
    if (at < 0) return false;
    this.remove(this.firstOf(place, part), at);
    return true;
  }

  keyAt(position: number): string {
    const part = this.places[this.seek(position)];
    return part.keys[position - this.seenStart];
  }

  valueAt(position: number): V {
    const part = this.places[this.seek(position)];
    return part.values[position - this.seenStart];
  }

  setValueAt(position: number, value: V): void {
    this.own(this.seek(position)).values[position - this.seenStart] = value;
  }

  removeAt(position: number): void {
    const first = this.seek(position);
    this.remove(first, position - this.seenStart);
  }

  eachPart(visit: (part: Table<V>) => void): void {
    for (let place = 0; place < this.places.length; ) {
      const part = this.places[place];
      visit(part);
      place += this.widthOf(part);
    }
  }

  scan(cursor: number, count: number, visit: (key: string, value: V) => void): number {
    // The parts are walked in order of the hash prefix, each from its end to its start.
    let prefix = Math.floor(cursor / (STAMPS * POSITIONS));
    const stamp = Math.floor(cursor / POSITIONS) % STAMPS;
    let position = cursor % POSITIONS;
    for (let left = count; prefix < PREFIXES; position = 0) {
      const part = this.places[prefix >>> (MAX_DEPTH - this.depth)];
      // Where another part lies there than the cursor was made for, it is visited anew, and whole, or a scan whose
      // parts are split and joined between any two calls would not end. Positions of an overlong part do not fit a
      // cursor.
      const stale = position !== 0 && part.stamp !== stamp;
      const start = position === 0 || stale || position > part.size ? part.size : position;
      const most = stale || part.size >= POSITIONS ? part.size : left;
      const rest = part.size === 0 ? 0 : part.scan(start, most, visit);
      if (rest > 0) return (prefix * STAMPS + part.stamp) * POSITIONS + rest;
      left -= start;
      const width = PREFIXES >>> part.depth;
      prefix += width - (prefix % width);
      if (left <= 0 && prefix < PREFIXES) return prefix * STAMPS * POSITIONS;
    }
    return 0;
  }

  clone(): Directory<V> {
    const copy = new Directory<V>(null);
    copy.places = this.places.slice();
    copy.size = this.size;
    copy.depth = this.depth;
    copy.lastStamp = this.lastStamp;
    copy.sums = this.sums === null ? null : this.sums.slice();
    this.owner = ++lastOwner;
    return copy;
  }

  private placeOf(hash: number): number {
    return (hash >>> 1) >>> (31 - this.depth);
  }

  /** How many places a part stands in. */
  private widthOf(part: Part<V>): number {
    return 1 << (this.depth - part.depth);
  }

  private firstOf(place: number, part: Part<V>): number {
    return place & -this.widthOf(part);
  }

  /** The part whose first place this is, made private to this directory. Every write goes through here. */
  private own(first: number): Part<V> {
    const part = this.places[first];
    if (part.owner === this.owner) return part;
    const copy = part.copy(this.owner);
    this.fill(first, copy);
    return copy;
  }

  private fill(first: number, part: Part<V>): void {
    for (let i = this.widthOf(part); i > 0; ) this.places[first + --i] = part;
  }

  private fresh(depth: number, room: number): Part<V> {
    // 0 is the single table before the first split, and the cursor that starts a part.
    this.lastStamp = (this.lastStamp % (STAMPS - 1)) + 1;
    return new Part<V>(depth, this.lastStamp, this.owner, room);
  }

  private remove(first: number, at: number): void {
    const part = this.own(first);
    part.removeAt(at);
    this.resize(first, -1);
    if (part.size <= JOIN && part.depth > 0) this.join(first, part);
  }

  /** Says that the part at this place has got one entry more or less. */
  private resize(first: number, delta: number): void {
    this.size += delta;
    if (this.sums !== null) this.adjust(this.sums, first, delta);
    this.seenPlace = 0;
    this.seenStart = 0;
  }

  private maySplit(part: Part<V>): boolean {
    if (part.depth < this.depth) return true;
    return this.depth < MAX_DEPTH && this.size >= this.places.length * SPARSE;
  }

  private split(first: number): void {
    const part = this.places[first];
    this.divide(part, first, part);
  }

  // Puts two parts in the place of one, and the entries of `from` into them.
  private divide(part: Part<V>, at: number, from: Table<V>): void {
    let first = at;
    if (part.depth === this.depth) {
      const twice: Part<V>[] = [];
      for (const each of this.places) twice.push(each, each);
      this.places = twice;
      this.depth++;
      this.sums = null;
      first *= 2;
    }
    const room = Math.max(TABLE_LIMIT, from.size);
    const low = this.fresh(part.depth + 1, room);
    const high = this.fresh(part.depth + 1, room);
    low.take(from, 31 - part.depth, 0);
    high.take(from, 31 - part.depth, 1);
    const second = first + this.widthOf(low);
    this.fill(first, low);
    this.fill(second, high);
    this.move(second, first, -high.size);
  }

  // Joins a part with its other half where both have become small. The entries of the lower one come first, as
  // before, so that no position changes.
  private join(at: number, part: Part<V>): void {
    const width = this.widthOf(part);
    const other = this.places[at ^ width];
    if (other.depth !== part.depth || other.size + part.size > JOIN) return;
    const first = at & ~width;
    const second = at | width;
    const joined = this.fresh(part.depth - 1, JOIN);
    for (const half of [this.places[first], this.places[second]]) {
      for (let i = 0; i < half.size; i++) joined.append(half.keys[i], half.values[i], half.hashAt(i));
    }
    this.move(second, first, this.places[second].size);
    this.fill(first, joined);
    if (joined.depth > 0) return;
    this.places = [joined];
    this.depth = 0;
    this.sums = null;
  }

  // Says that so many entries now count at another place.
  private move(from: number, to: number, count: number): void {
    if (this.sums === null) return;
    this.adjust(this.sums, from, -count);
    this.adjust(this.sums, to, count);
  }

  private adjust(sums: Int32Array, place: number, delta: number): void {
    for (let i = place + 1; i < sums.length; i += i & -i) sums[i] += delta;
  }

  /** First place of the part that holds a position; `seenStart` is where it starts. */
  private seek(position: number): number {
    const inside = position - this.seenStart;
    if (inside >= 0 && inside < this.places[this.seenPlace].size) return this.seenPlace;
    const sums = this.sums ?? this.buildSums();
    // Descends the implicit tree: takes a subtree whole while its entries all come before the position.
    let place = 0;
    let left = position;
    for (let bit = this.places.length; bit > 0; bit >>= 1) {
      const next = place + bit;
      if (next < sums.length && sums[next] <= left) {
        place = next;
        left -= sums[next];
      }
    }
    if (place >= this.places.length) {
      throw new RangeError(`position ${position} is outside a dict of ${this.size}`);
    }
    this.seenPlace = place;
    this.seenStart = position - left;
    return place;
  }

  /** Number of entries in the parts before a place. */
  private before(place: number): number {
    const sums = this.sums ?? this.buildSums();
    let total = 0;
    for (let i = place; i > 0; i &= i - 1) total += sums[i];
    return total;
  }

  private buildSums(): Int32Array {
    const sums = new Int32Array(this.places.length + 1);
    for (let place = 0; place < this.places.length; ) {
      const part = this.places[place];
      sums[place + 1] = part.size;
      place += this.widthOf(part);
    }
    for (let i = 1; i < sums.length; i++) {
      const parent = i + (i & -i);
      if (parent < sums.length) sums[parent] += sums[i];
    }
    this.sums = sums;
    return sums;
  }
}

/**
 * Byte strings with a `V` each. Positions run from 0 to size - 1 and stay valid until the next insertion; a removal
 * changes only those behind it.
 *
 * What is put in with `ordered` stays in one table, however big, and keeps its order if it is also removed with
 * `ordered`: the encodings that Redis keeps in order want it. Everything else is O(log n) at most.
 */
export class Dict<V> {
  // The only table until the first split, and empty from then on.
  private table = new Table<V>();
  private directory: Directory<V> | null = null;

  get size(): number {
    return this.directory === null ? this.table.size : this.directory.size;
  }

  /** Position of `key`, or -1. */
  find(key: string): number {
    return this.directory === null ? this.table.find(key) : this.directory.find(key);
  }

  has(key: string): boolean {
    return this.directory === null ? this.table.find(key) >= 0 : this.directory.has(key);
  }

  get(key: string): V | undefined {
    return this.directory === null ? this.table.get(key) : this.directory.get(key);
  }

  /** Sets the value of a key; true when the key is new. */
  set(key: string, value: V, ordered = false): boolean {
    if (this.directory !== null) return this.directory.set(key, value);
    const fresh = this.table.set(key, value);
    if (fresh && this.table.size >= TABLE_LIMIT && !ordered) this.spread();
    return fresh;
  }

  /** Adds a key that is known to be absent. */
  append(key: string, value: V, ordered = false): void {
    if (this.directory !== null) this.directory.insert(key, value, keyHash(key));
    else if (this.table.append(key, value) >= TABLE_LIMIT - 1 && !ordered) this.spread();
  }

  /** Removes a key, keeping the order of the others only when `ordered`; true when it was there. */
  delete(key: string, ordered = false): boolean {
    return this.directory === null ? this.table.delete(key, ordered) : this.directory.delete(key);
  }

  keyAt(position: number): string {
    return this.directory === null ? this.table.keys[position] : this.directory.keyAt(position);
  }

  valueAt(position: number): V {
    return this.directory === null ? this.table.values[position] : this.directory.valueAt(position);
  }

  setValueAt(position: number, value: V): void {
    if (this.directory === null) this.table.values[position] = value;
    else this.directory.setValueAt(position, value);
  }

  /** Removes the entry at a position, keeping the order of the others only when `ordered`. */
  removeAt(position: number, ordered = false): void {
    if (this.directory !== null) this.directory.removeAt(position);
    else if (ordered) this.table.removeOrdered(position);
    else this.table.removeAt(position);
  }

  /** All keys, by position. */
  keys(): string[] {
    if (this.directory === null) return this.table.keys.slice();
    const keys: string[] = [];
    this.forEach((key) => {
      keys.push(key);
    });
    return keys;
  }

  /** Every entry, by position. The callback must not write. */
  forEach(visit: (key: string, value: V) => void): void {
    const each = (table: Table<V>): void => {
      for (let i = 0; i < table.size; i++) visit(table.keys[i], table.values[i]);
    };
    if (this.directory === null) each(this.table);
    else this.directory.eachPart(each);
  }

  /**
   * Visits `count` entries from a cursor on (0 starts), and answers the next cursor, 0 when done. An entry that is
   * there from the first call to the last is visited at least once, whatever else comes and goes. The callback must
   * not write.
   */
  scan(cursor: number, count: number, visit: (key: string, value: V) => void): number {
    if (this.directory !== null) return this.directory.scan(cursor, count, visit);
    const { table } = this;
    return table.scan(cursor, table.size < POSITIONS ? count : table.size, visit);
  }

  /** Gives back the room that a single table keeps for growth. */
  trim(): void {
    if (this.directory === null) this.table.trim();
  }

  /** A dict with the same entries. Of a directory the tables are shared until one of the two writes to them. */
  clone(): Dict<V> {
    const copy = new Dict<V>();
    if (this.directory === null) copy.table = this.table.clone();
    else copy.directory = this.directory.clone();
    return copy;
  }

  private spread(): void {
    this.directory = new Directory(this.table);
    this.table = new Table<V>();
  }
}
