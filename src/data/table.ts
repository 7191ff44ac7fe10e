// Hash table of byte strings: entries lie dense in arrays, an open-addressed index finds them. Used for the
// keyspace's segments, hashes, sets and sorted sets. Why not a `Map`: dense entries give O(1) random members,
// a scan cursor that is a plain number, per-entry columns (deadline, access time) without an object per key,
// and about 30 bytes less per key.

/** Below this many entries a scan of the keys beats an index, and the index costs nothing. */
const INDEX_FROM = 17;

/**
 * Seeded hash of a byte string (murmur3's mixing, four chars a round). The seed keeps an attacker from
 * preparing keys that collide.
 */
function hashOf(s: string, seed: number): number {
  const n = s.length;
  let h = seed ^ n;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    let k =
      s.charCodeAt(i) |
      (s.charCodeAt(i + 1) << 8) |
      (s.charCodeAt(i + 2) << 16) |
      (s.charCodeAt(i + 3) << 24);
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  for (; i < n; i++) {
    h = Math.imul(h ^ s.charCodeAt(i), 0x5bd1e995);
    h ^= h >>> 15;
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The seed of all tables of this process. Order in a table never depends on it: entries lie in insertion order. */
let seed = 0x2545f491;

/** Sets the hash seed; call it before the first table is made. */
export function seedTables(value: number): void {
  seed = value | 0;
}

/** Hash of a key under the seed of this process. */
export function keyHash(key: string): number {
  return hashOf(key, seed);
}

const NO_INDEX = new Int32Array(0);

// Spreads a hash anew, so that the tag in an index slot tells keys apart that share a segment and a slot.
function tagOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1);
}

/**
 * Dense hash table from byte string to `V`. Positions (0..size-1) are stable until a removal: `removeAt` moves
 * the last entry into the hole, `removeOrdered` shifts the tail down. A scan from the end to the start
 * therefore meets every entry that was there throughout.
 */
export class Table<V> {
  size = 0;
  keys: string[] = [];
  /** Empty in a table of keys alone, whose values are undefined. */
  values: V[] = [];
  // A slot holds position + 1 in its low bits (as many as the number of slots needs) and bits of the hash, the
  // tag, above; 0 is free. A probe so compares a key only where it is almost surely the right one, without a
  // column of hashes: one cache miss and four bytes a key less. Empty while the table is small.
  private index: Int32Array = NO_INDEX;

  /** Position of `key`, or -1. */
  find(key: string): number {
    if (this.index === NO_INDEX) {
      const keys = this.keys;
      for (let i = 0; i < this.size; i++) if (keys[i] === key) return i;
      return -1;
    }
    return this.findHashed(key, keyHash(key));
  }

  /** As {@link find}, by a hash that the caller has. */
  findHashed(key: string, hash: number): number {
    const index = this.index;
    if (index === NO_INDEX) return this.find(key);
    const mask = index.length - 1;
    const tag = tagOf(hash) & ~mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = index[slot];
      if (entry === 0) return -1;
      if ((entry & ~mask) === tag && this.keys[(entry & mask) - 1] === key) return (entry & mask) - 1;
    }
  }

  has(key: string): boolean {
    return this.find(key) >= 0;
  }

  get(key: string): V | undefined {
    const at = this.find(key);
    return at < 0 ? undefined : this.values[at];
  }

  /** Sets the value of a key; true when the key is new. */
  set(key: string, value: V): boolean {
    // Hashed once for both the search and the insertion.
    const hash = this.index === NO_INDEX ? undefined : keyHash(key);
    const at = hash === undefined ? this.find(key) : this.findHashed(key, hash);
    if (at >= 0) {
      if (value !== undefined) this.values[at] = value;
      return false;
    }
    this.append(key, value, hash);
    return true;
  }

  /** Removes a key, keeping the order of the others only when `ordered`; true when it was there. */
  delete(key: string, ordered = false): boolean {
    const at = this.find(key);
    if (at < 0) return false;
    if (ordered) this.removeOrdered(at);
    else this.removeAt(at);
    return true;
  }

  /** Appends a key that is known to be absent; its position is returned. */
  append(key: string, value: V, hash?: number): number {
    const at = this.size++;
    this.keys[at] = key;
    if (value !== undefined) this.values[at] = value;
    if (this.index !== NO_INDEX || this.size >= INDEX_FROM) {
      if (this.size > this.index.length >> 1) this.rehash();
      else {
        this.link(hash ?? keyHash(key), at);
      }
    }
    return at;
  }

  /** Makes an empty table ready for this many entries, which then come in without any rehash. */
  protected reserve(entries: number): void {
    if (entries >= INDEX_FROM) this.index = new Int32Array(1 << (33 - Math.clz32(entries - 1)));
  }

  /** Fills an empty table, made ready by {@link reserve}, with entries whose hashes it knows. */
  protected load(keys: string[], values: V[]): void {
    this.size = keys.length;
    this.keys = keys;
    this.values = values;
    for (let i = 0; i < keys.length; i++) this.link(this.hashAt(i), i);
  }

  /** Removes the entry at a position; the last entry takes its place. O(1). */
  removeAt(at: number): void {
    const last = this.size - 1;
    if (this.index !== NO_INDEX) {
      this.unlink(at);
      if (at !== last) {
        const slot = this.slotOf(last);
        this.index[slot] = (this.index[slot] & ~(this.index.length - 1)) | (at + 1);
      }
    }
    if (at !== last) this.move(last, at);
    this.drop(last);
  }

  /** Removes the entry at a position and keeps the order of the rest. O(n): for small tables. */
  removeOrdered(at: number): void {
    const { index } = this;
    if (index !== NO_INDEX) {
      this.unlink(at);
      const mask = index.length - 1;
      for (let slot = 0; slot < index.length; slot++) if ((index[slot] & mask) > at + 1) index[slot]--;
    }
    this.keys.splice(at, 1);
    this.values.splice(at, 1);
    this.drop(this.size - 1);
  }

  /** Exchanges the entries at two positions. */
  swap(a: number, b: number): void {
    if (a === b) return;
    const { keys, values, index } = this;
    if (index !== NO_INDEX) {
      const mask = index.length - 1;
      const slotA = this.slotOf(a);
      const slotB = this.slotOf(b);
      index[slotA] = (index[slotA] & ~mask) | (b + 1);
      index[slotB] = (index[slotB] & ~mask) | (a + 1);
    }
    [keys[a], keys[b]] = [keys[b], keys[a]];
    [values[a], values[b]] = [values[b], values[a]];
  }

  clear(): void {
    this.size = 0;
    this.keys = [];
    this.values = [];
    this.index = NO_INDEX;
  }

  /** Gives back the room that the arrays keep for growth: worth it for the many small tables that never grow. */
  trim(): void {
    this.keys = this.keys.slice();
    if (this.values.length > 0) this.values = this.values.slice();
  }

  /** Copies this table into an empty one. */
  protected copyInto(to: Table<V>): void {
    to.size = this.size;
    to.keys = this.keys.slice(0, this.size);
    to.values = this.values.slice(0, this.size);
    if (this.index !== NO_INDEX) to.index = this.index.slice();
  }

  clone(): Table<V> {
    const copy = new Table<V>();
    this.copyInto(copy);
    return copy;
  }

  /** Hash of the entry at a position. A subclass may remember it. */
  hashAt(at: number): number {
    return keyHash(this.keys[at]);
  }

  /** How many entries fit before the index grows; subclasses size their columns by it. */
  get capacity(): number {
    return this.index === NO_INDEX ? INDEX_FROM : this.index.length >> 1;
  }

  /**
   * Visits up to `count` entries below cursor `at` (0 starts at the end) from high to low; answers the next
   * cursor, 0 when done. See the class comment for the guarantee.
   */
  scan(at: number, count: number, visit: (key: string, value: V) => void): number {
    let i = at === 0 || at > this.size ? this.size : at;
    const stop = Math.max(0, i - count);
    while (i > stop) {
      i--;
      visit(this.keys[i], this.values[i]);
    }
    return i;
  }

  /** Puts an entry into the place of another; a subclass moves its columns. */
  protected move(from: number, to: number): void {
    this.keys[to] = this.keys[from];
    if (this.values.length > 0) this.values[to] = this.values[from];
  }

  private drop(last: number): void {
    this.size = last;
    this.keys.length = last;
    if (this.values.length > last) this.values.length = last;
    if (this.index !== NO_INDEX && this.size < this.index.length >> 4) this.rehash();
  }

  private link(hash: number, at: number): void {
    const { index } = this;
    const mask = index.length - 1;
    let slot = hash & mask;
    while (index[slot] !== 0) slot = (slot + 1) & mask;
    index[slot] = (tagOf(hash) & ~mask) | (at + 1);
  }

  private slotOf(at: number): number {
    const { index } = this;
    const mask = index.length - 1;
    let slot = this.hashAt(at) & mask;
    while ((index[slot] & mask) !== at + 1) slot = (slot + 1) & mask;
    return slot;
  }

  // Backward-shift deletion: no tombstones, so a table that lives long stays as fast as a new one.
  private unlink(at: number): void {
    const { index } = this;
    const mask = index.length - 1;
    let hole = this.slotOf(at);
    for (let slot = (hole + 1) & mask; index[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.hashAt((index[slot] & mask) - 1) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        index[hole] = index[slot];
        hole = slot;
      }
    }
    index[hole] = 0;
  }

  private rehash(): void {
    if (this.size < INDEX_FROM) {
      this.index = NO_INDEX;
      return;
    }
    let slots = 32;
    while (slots >> 1 < this.size + (this.size >> 1)) slots <<= 1;
    this.index = new Int32Array(slots);
    for (let i = 0; i < this.size; i++) this.link(this.hashAt(i), i);
  }
}
