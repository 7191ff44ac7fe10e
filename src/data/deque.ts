// A double-ended list of byte strings, in chunks: what a Redis list is made of. A plain array is no good, for one
// `shift` or `splice` in ten million elements moves them all and stops the event loop; a linked list is no good
// for LINDEX and costs an object per element. Used by the list type of the keyspace and by the list commands.

/** Most elements in a chunk. At 128 an edit in the middle moves about 1 KB, and ten million elements are 80,000 chunks. */
const CAP = 128;

/** Two neighbouring chunks are joined when together they fill no more than this: half, so that joining and splitting never alternate. */
const JOIN = CAP / 2;

/**
 * A run of elements: `items[lo]` to the end. The slots before `lo` are spare room for elements pushed in front, and hold
 * `''` so that they keep nothing alive. Only the list whose `owner` number this is may write to it; another one copies it.
 */
class Chunk {
  items: string[];
  lo = 0;
  owner: number;

  constructor(items: string[], owner: number) {
    this.items = items;
    this.owner = owner;
  }

  get size(): number {
    return this.items.length - this.lo;
  }
}

/** Fills the unused slots of the central array, so that it holds one kind of value. Never written to. */
const NO_CHUNK = new Chunk([], 0);

/** The last owner number given out. 0 owns nothing. */
let lastOwner = 0;

/**
 * List of byte strings. Both ends are O(1) amortised; reading by index is a binary search over chunks; an edit in the
 * middle costs one chunk and, at worst, a pass over the chunk table (some 80,000 numbers for ten million elements).
 * Indexes are 0-based and must lie inside the list: a caller resolves negative ones and checks bounds.
 */
export class Deque {
  // The chunk table. Slots before `first` are spare, for chunks put in front; no chunk in use is empty.
  private chunks: Chunk[] = [];
  private first = 0;
  // starts[k] is the position of the first element of chunks[k], counted from an origin that does not move when the
  // front does: element 0 has position `front`, so a push in front decrements `front` and leaves every other start
  // alone. starts[first] is always right; the others from `unknown` on may be stale after an edit in the middle, and are
  // recomputed when one is asked for.
  private starts: number[] = [];
  private unknown = 0;
  private front = 0;
  private count = 0;
  private byteCount = 0;
  // After clone() both lists take a new number, and so own none of the chunks they hold in common: no chunk is touched.
  private owner = ++lastOwner;

  /** A list of the given values, in order. */
  static from(values: Iterable<string>): Deque {
    const list = new Deque();
    for (const value of values) list.pushBack(value);
    return list;
  }

  /** Number of elements. */
  get length(): number {
    return this.count;
  }

  /** Sum of the lengths of the elements. */
  get bytes(): number {
    return this.byteCount;
  }

  /** Adds `value` before the first element. */
  pushFront(value: string): void {
    let chunk = this.count === 0 ? NO_CHUNK : this.chunks[this.first]!;
    if (chunk.size === CAP || this.count === 0) {
      chunk = this.addFirstChunk();
    } else {
      if (chunk.owner !== this.owner) chunk = this.own(this.first);
      // Room in front doubles, up to the chunk's capacity: a list of three elements does not pay for 128.
      if (chunk.lo === 0) spread(chunk);
    }
    chunk.items[--chunk.lo] = value;
    this.starts[this.first] = --this.front;
    this.count++;
    this.byteCount += value.length;
  }

  /** Adds `value` after the last element. */
  pushBack(value: string): void {
    const { chunks } = this;
    let chunk = this.count === 0 ? NO_CHUNK : chunks[chunks.length - 1]!;
    if (this.count === 0 || chunk.items.length === CAP) {
      if (this.unknown === chunks.length) this.unknown++;
      this.starts.push(this.front + this.count);
      chunks.push(new Chunk([value], this.owner));
    } else {
      if (chunk.owner !== this.owner) chunk = this.own(chunks.length - 1);
      chunk.items.push(value);
    }
    this.count++;
    this.byteCount += value.length;
  }

  /** Takes the first element off, or returns undefined when there is none. */
  popFront(): string | undefined {
    if (this.count === 0) return undefined;
    let chunk = this.chunks[this.first]!;
    if (chunk.owner !== this.owner) chunk = this.own(this.first);
    const value = chunk.items[chunk.lo]!;
    chunk.items[chunk.lo++] = '';
    this.starts[this.first] = ++this.front;
    this.count--;
    this.byteCount -= value.length;
    if (chunk.size === 0) this.dropFirstChunk();
    return value;
  }

  /** Takes the last element off, or returns undefined when there is none. */
  popBack(): string | undefined {
    if (this.count === 0) return undefined;
    const last = this.chunks.length - 1;
    let chunk = this.chunks[last]!;
    if (chunk.owner !== this.owner) chunk = this.own(last);
    const value = chunk.items.pop()!;
    this.count--;
    this.byteCount -= value.length;
    if (chunk.size === 0) {
      this.chunks.pop();
      this.starts.pop();
      if (this.unknown > last) this.unknown = last;
      if (this.count === 0) this.reset();
    }
    return value;
  }

  /** The element at index `i`. */
  at(i: number): string {
    this.check(i, this.count - 1);
    const k = this.locate(i);
    const chunk = this.chunks[k]!;
    return chunk.items[chunk.lo + this.offset(k, i)]!;
  }

  /** Replaces the element at index `i`. */
  set(i: number, value: string): void {
    this.check(i, this.count - 1);
    const k = this.locate(i);
    const chunk = this.own(k);
    const at = chunk.lo + this.offset(k, i);
    this.byteCount += value.length - chunk.items[at]!.length;
    chunk.items[at] = value;
  }

  /** Puts `value` before the element at index `i`; `i` may equal the length. */
  insert(i: number, value: string): void {
    this.check(i, this.count);
    if (i === 0) {
      this.pushFront(value);
      return;
    }
    if (i === this.count) {
      this.pushBack(value);
      return;
    }
    let k = this.locate(i);
    let chunk = this.own(k);
    let offset = this.offset(k, i);
    if (chunk.size === CAP) {
      const half = new Chunk(chunk.items.splice(CAP / 2), this.owner);
      this.chunks.splice(k + 1, 0, half);
      this.starts.splice(k + 1, 0, 0);
      this.forgetStarts(k + 1);
      if (offset > CAP / 2) {
        // No start is known by this: those before `k` may be stale, for the tail is found without them.
        offset -= CAP / 2;
        k++;
        chunk = half;
      }
    }
    if (chunk.lo > 0) {
      // The spare slot in front is nearer than room at the end, which there may not be.
      chunk.items.copyWithin(chunk.lo - 1, chunk.lo, chunk.lo + offset);
      chunk.items[--chunk.lo + offset] = value;
    } else {
      chunk.items.splice(offset, 0, value);
    }
    this.forgetStarts(k + 1);
    this.count++;
    this.byteCount += value.length;
  }

  /** Removes the element at index `i` and returns it. */
  removeAt(i: number): string {
    this.check(i, this.count - 1);
    if (i === 0) return this.popFront()!;
    if (i === this.count - 1) return this.popBack()!;
    const k = this.locate(i);
    const chunk = this.own(k);
    const value = chunk.items.splice(chunk.lo + this.offset(k, i), 1)[0]!;
    this.forgetStarts(k + 1);
    this.count--;
    this.byteCount -= value.length;
    this.tidy(k, k + 1);
    return value;
  }

  /** Removes `count` elements, from index `start` on. */
  removeRange(start: number, count: number): void {
    if (count <= 0) return;
    this.check(start, this.count - 1);
    this.check(start + count, this.count);
    if (count === this.count) {
      this.reset();
      return;
    }
    const from = this.locate(start);
    let k = from;
    let offset = this.offset(k, start);
    for (let left = count; left > 0; k++) {
      let chunk = this.chunks[k]!;
      const taken = Math.min(left, chunk.size - offset);
      const begin = chunk.lo + offset;
      for (let j = begin; j < begin + taken; j++) this.byteCount -= chunk.items[j]!.length;
      left -= taken;
      if (taken === chunk.size) {
        this.chunks[k] = NO_CHUNK;
      } else {
        chunk = this.own(k);
        chunk.items.splice(chunk.lo + offset, taken);
      }
      offset = 0;
    }
    this.count -= count;
    this.tidy(from, k);
  }

  /** The elements from index `start` up to, not including, `stop`. */
  slice(start: number, stop: number): string[] {
    const out: string[] = [];
    if (start >= stop) return out;
    this.check(start, this.count - 1);
    this.check(stop, this.count);
    let k = this.locate(start);
    let offset = this.offset(k, start);
    for (let left = stop - start; left > 0; k++) {
      const { items, lo } = this.chunks[k]!;
      const end = Math.min(items.length, lo + offset + left);
      for (let j = lo + offset; j < end; j++) out.push(items[j]!);
      left -= end - lo - offset;
      offset = 0;
    }
    return out;
  }

  /**
   * Calls `fn` with each element and its index, from index `i` on, towards the tail (`step` 1) or the head (-1), until
   * the list ends or `fn` returns true. An `i` outside the list visits nothing. `fn` must not change the list.
   */
  forEachFrom(i: number, step: 1 | -1, fn: (value: string, index: number) => unknown): void {
    if (i < 0 || i >= this.count) return;
    let k = this.locate(i);
    let offset = this.offset(k, i);
    let index = i;
    while (k >= this.first && k < this.chunks.length) {
      const { items, lo } = this.chunks[k]!;
      for (let j = lo + offset; j >= lo && j < items.length; j += step) {
        if (fn(items[j]!, index) === true) return;
        index += step;
      }
      k += step;
      if (k < this.first || k >= this.chunks.length) return;
      offset = step === 1 ? 0 : this.chunks[k]!.size - 1;
    }
  }

  /**
   * Removes elements equal to `value`, as LREM does: the first `count` of them when positive, the last `-count` when
   * negative, all when 0. Returns how many were removed.
   */
  removeMatching(value: string, count: number): number {
    const limit = count === 0 ? Infinity : Math.abs(count);
    const step = count < 0 ? -1 : 1;
    let removed = 0;
    let low = -1;
    let high = -1;
    let k = step === 1 ? this.first : this.chunks.length - 1;
    for (; k >= this.first && k < this.chunks.length && removed < limit; k += step) {
      const before = this.chunks[k]!;
      const hits = before.items.includes(value, before.lo)
        ? matches(before, value, step, limit - removed)
        : [];
      if (hits.length === 0) continue;
      removed += hits.length;
      const keep: string[] = [];
      const gone = new Set(hits);
      for (let j = before.lo; j < before.items.length; j++) if (!gone.has(j)) keep.push(before.items[j]!);
      this.chunks[k] = new Chunk(keep, this.owner);
      low = low === -1 ? k : Math.min(low, k);
      high = Math.max(high, k);
    }
    if (removed === 0) return 0;
    this.count -= removed;
    this.byteCount -= removed * value.length;
    if (this.count === 0) this.reset();
    else this.tidy(low, high + 1);
    return removed;
  }

  /** A list with the same elements. The chunks are shared until one of the two lists writes to them. */
  clone(): Deque {
    const copy = new Deque();
    copy.chunks = this.chunks.slice(this.first);
    copy.starts = this.starts.slice(this.first);
    this.owner = ++lastOwner;
    copy.unknown = this.unknown - this.first;
    copy.front = this.front;
    copy.count = this.count;
    copy.byteCount = this.byteCount;
    return copy;
  }

  /** All elements, in order. */
  toArray(): string[] {
    return this.slice(0, this.count);
  }

  private check(i: number, max: number): void {
    if (!(i >= 0 && i <= max)) throw new RangeError(`index ${i} is outside a list of ${this.count}`);
  }

  /** The place in the table of the chunk that holds index `i`, which must be in the list. */
  private locate(i: number): number {
    const { chunks, starts, first } = this;
    const last = chunks.length - 1;
    if (i < chunks[first]!.size) return first;
    if (i >= this.count - chunks[last]!.size) {
      // The tail needs no table: its start follows from the length.
      starts[last] = this.front + this.count - chunks[last]!.size;
      return last;
    }
    const position = this.front + i;
    let low = first;
    let high = last;
    if (this.unknown <= last) {
      if (this.unknown > first && position < starts[this.unknown - 1]!) {
        high = this.unknown - 1;
      } else {
        let k = Math.max(this.unknown, first + 1);
        for (; k <= last; k++) {
          starts[k] = starts[k - 1]! + chunks[k - 1]!.size;
          if (starts[k]! > position) break;
        }
        this.unknown = Math.min(k, last) + 1;
        return k - 1;
      }
    }
    // Invariant: starts[low] <= position < starts[high + 1].
    while (low < high) {
      const mid = (low + high + 1) >>> 1;
      if (starts[mid]! <= position) low = mid;
      else high = mid - 1;
    }
    return low;
  }

  /** Offset of index `i` within chunk `k`, which `locate(i)` has just returned. */
  private offset(k: number, i: number): number {
    return this.front + i - this.starts[k]!;
  }

  /** The chunk at `k`, made private to this list: every write goes through here or checks the owner itself. */
  private own(k: number): Chunk {
    const chunk = this.chunks[k]!;
    if (chunk.owner === this.owner) return chunk;
    return (this.chunks[k] = new Chunk(chunk.items.slice(chunk.lo), this.owner));
  }

  private forgetStarts(from: number): void {
    if (this.unknown > from) this.unknown = from;
  }

  /** Puts a chunk with one spare slot in front of the others. */
  private addFirstChunk(): Chunk {
    const chunk = new Chunk([''], this.owner);
    chunk.lo = 1;
    if (this.first === 0) {
      // Spare slots in the table grow with it, so that pushing in front stays O(1) amortised.
      const room = (this.chunks.length >> 1) + 1;
      this.chunks = new Array<Chunk>(room).fill(NO_CHUNK).concat(this.chunks);
      this.starts = new Array<number>(room).fill(0).concat(this.starts);
      this.first = room;
      this.unknown += room;
    }
    this.first--;
    this.chunks[this.first] = chunk;
    return chunk;
  }

  /** Drops the first chunk, which has become empty. */
  private dropFirstChunk(): void {
    if (this.count === 0) {
      this.reset();
      return;
    }
    this.chunks[this.first++] = NO_CHUNK;
    this.starts[this.first] = this.front;
    // A queue (push behind, pop in front) would grow the table for ever: cut it when it is mostly spare.
    if (this.first > 32 && this.first > this.chunks.length >> 1) this.cutTable();
  }

  private cutTable(): void {
    this.chunks = this.chunks.slice(this.first);
    this.starts = this.starts.slice(this.first);
    this.unknown -= this.first;
    this.first = 0;
  }

  /**
   * Restores order in the table after chunks `from` (inclusive) to `to` (exclusive) have lost elements: empty chunks go,
   * small neighbours are joined, starts from there on are forgotten.
   */
  private tidy(from: number, to: number): void {
    const { chunks } = this;
    // One chunk further on either side, for a chunk that has become small may join an untouched neighbour.
    const begin = Math.max(from - 1, this.first);
    const end = Math.min(to + 1, chunks.length);
    const kept: Chunk[] = [];
    for (let k = begin; k < end; k++) {
      const chunk = chunks[k]!;
      const previous = kept[kept.length - 1];
      if (chunk.size === 0) continue;
      if (previous !== undefined && previous.size + chunk.size <= JOIN) {
        const both = previous.items.slice(previous.lo).concat(chunk.items.slice(chunk.lo));
        kept[kept.length - 1] = new Chunk(both, this.owner);
      } else {
        kept.push(chunk);
      }
    }
    const gone = end - begin - kept.length;
    if (begin === this.first) {
      // Loss at the head moves the head up and needs no splice of the whole table.
      for (let k = 0; k < gone; k++) chunks[begin + k] = NO_CHUNK;
      this.first = begin + gone;
    }
    const target = begin === this.first - gone ? this.first : begin;
    for (let k = 0; k < kept.length; k++) chunks[target + k] = kept[k]!;
    if (target === begin && gone > 0) {
      chunks.splice(begin + kept.length, gone);
      this.starts.splice(begin + kept.length, gone);
    }
    this.starts[this.first] = this.front;
    this.forgetStarts(target);
    if (this.first > 32 && this.first > chunks.length >> 1) this.cutTable();
  }

  private reset(): void {
    this.chunks = [];
    this.starts = [];
    this.first = 0;
    this.unknown = 0;
    this.front = 0;
    this.count = 0;
    this.byteCount = 0;
  }
}

/** Makes room before the first element of a chunk that is not full: as much again as it holds, within its capacity. */
function spread(chunk: Chunk): void {
  const room = Math.min(Math.max(chunk.items.length, 1), CAP - chunk.items.length);
  chunk.items = new Array<string>(room).fill('').concat(chunk.items);
  chunk.lo = room;
}

/** Places in `chunk.items` of up to `limit` elements equal to `value`, taken from the head (`step` 1) or the tail (-1). */
function matches(chunk: Chunk, value: string, step: 1 | -1, limit: number): number[] {
  const { items, lo } = chunk;
  const found: number[] = [];
  for (
    let j = step === 1 ? lo : items.length - 1;
    j >= lo && j < items.length && found.length < limit;
    j += step
  ) {
    if (items[j] === value) found.push(j);
  }
  return found;
}
