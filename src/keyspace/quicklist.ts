// Sizes of a quicklist's nodes, without the elements: Redis turns a list back into a listpack only when it is
// down to one small node, so to answer OBJECT ENCODING alike we follow how its nodes fill, split, merge and
// empty (quicklist.c of 7.2). ListValue keeps one beside its elements while it is a quicklist.

/** Redis' limits in bytes for list-max-listpack-size -1 to -5. */
const SIZES = [4096, 8192, 16384, 32768, 65536];
/** With a limit in elements a node still holds no more bytes than this. */
const SAFETY_LIMIT = 8192;
/** What Redis adds to an element's length when it asks whether it fits. */
const ESTIMATED_OVERHEAD = 8;
/** Header and end mark of a listpack. */
const EMPTY = 7;

/** Limit in bytes that a list-max-listpack-size stands for. */
export function sizeLimit(fill: number): number {
  return fill >= 0 ? Number.POSITIVE_INFINITY : SIZES[Math.min(-fill, SIZES.length) - 1];
}

/** Limit in elements that a list-max-listpack-size stands for. */
export function countLimit(fill: number): number {
  return fill < 0 ? Number.POSITIVE_INFINITY : Math.max(fill, 1);
}

/** Is a listpack of this many bytes and elements too big? */
export function exceedsLimit(fill: number, bytes: number, count: number): boolean {
  if (fill < 0) return bytes > sizeLimit(fill);
  return bytes > SAFETY_LIMIT || count > countLimit(fill);
}

/** Tells how many bytes the elements of a range take; ListValue does, from the elements. */
interface Elements {
  measure(start: number, count: number): number;
}

export class Quicklist {
  /** Elements of each node. */
  readonly counts: number[] = [];
  private readonly bytes: number[] = [];
  private readonly fill: number;
  // Where the last find() ended: elements before the node it answered.
  private before = 0;

  /** A quicklist of one node, or none when `count` is 0. */
  constructor(fill: number, bytes: number, count: number) {
    this.fill = Math.min(fill, 32767);
    if (count > 0) this.addNode(0, bytes, count);
  }

  get length(): number {
    return this.counts.length;
  }

  /** Bytes of a node. */
  totalBytes(node: number): number {
    return this.bytes[node];
  }

  clone(): Quicklist {
    const copy = new Quicklist(this.fill, 0, 0);
    for (let k = 0; k < this.length; k++) copy.addNode(k, this.bytes[k], this.counts[k]);
    return copy;
  }

  /** A whole node was added behind. */
  append(bytes: number, count: number): void {
    this.addNode(this.length, bytes, count);
  }

  /** An element of `length` bytes, `size` in the listpack, was added at an end. */
  push(size: number, length: number, front: boolean): void {
    const node = front ? 0 : this.length - 1;
    if (this.hasRoom(node, length)) {
      this.bytes[node] += size;
      this.counts[node]++;
    } else {
      this.addNode(front ? 0 : node + 1, EMPTY + size, 1);
    }
  }

  /** An element of this size was taken off an end. */
  pop(size: number, front: boolean): void {
    this.lose(front ? 0 : this.length - 1, 1, size);
  }

  /** The element at an index now takes `change` bytes more. */
  resize(index: number, change: number): void {
    this.bytes[this.find(index)] += change;
  }

  /** Elements are about to be removed. */
  removeRange(start: number, count: number, elements: Elements): void {
    let node = this.find(start);
    let offset = start - this.before;
    let at = start;
    for (let left = count; left > 0; ) {
      const has = this.counts[node];
      const taken = Math.min(left, has - offset);
      if (taken === has) {
        this.dropNode(node);
      } else {
        this.lose(node, taken, elements.measure(at, taken));
        node++;
      }
      at += taken;
      left -= taken;
      offset = 0;
    }
  }

  /** The elements at these ascending indexes, all of one size, are about to be removed. */
  removeEach(indexes: readonly number[], size: number): void {
    let end = 0;
    let i = 0;
    let kept = 0;
    for (let node = 0; node < this.length; node++) {
      end += this.counts[node];
      let lost = 0;
      for (; i < indexes.length && indexes[i] < end; i++) lost++;
      if (lost === this.counts[node]) continue;
      this.bytes[kept] = this.bytes[node] - lost * size;
      this.counts[kept++] = this.counts[node] - lost;
    }
    this.bytes.length = this.counts.length = kept;
  }

  /** An element is about to be put before or after the one at an index. */
  insert(pivot: number, size: number, length: number, after: boolean, elements: Elements): void {
    const node = this.find(pivot);
    const offset = pivot - this.before;
    if (this.hasRoom(node, length)) {
      this.gain(node, size);
      return;
    }
    const neighbour = after ? node + 1 : node - 1;
    if (offset === (after ? this.counts[node] - 1 : 0)) {
      if (this.hasRoom(neighbour, length)) this.gain(neighbour, size);
      else this.addNode(after ? node + 1 : node, EMPTY + size, 1);
      return;
    }
    // The node is full: what lies on the far side of the new element moves to a node of its own, with it.
    const split = after ? offset + 1 : offset;
    const moved = after ? this.counts[node] - split : split;
    const bytes = elements.measure(after ? this.before + split : this.before, moved);
    this.bytes[node] -= bytes;
    this.counts[node] -= moved;
    this.addNode(after ? node + 1 : node, EMPTY + bytes + size, moved + 1);
    this.merge(after ? node : node + 1);
  }

  // What Redis does after a split: joins small neighbours of the node, then the node with them.
  private merge(center: number): void {
    let at = center;
    if (this.tryJoin(at - 2)) at--;
    this.tryJoin(at + 1);
    if (this.tryJoin(at - 1)) at--;
    this.tryJoin(at);
  }

  // Joins a node with the next one if together they are small enough.
  private tryJoin(node: number): boolean {
    if (node < 0 || node + 1 >= this.length) return false;
    const bytes = this.bytes[node] + this.bytes[node + 1] - EMPTY;
    const count = this.counts[node] + this.counts[node + 1];
    if (exceedsLimit(this.fill, bytes, count)) return false;
    this.dropNode(node + 1);
    this.bytes[node] = bytes;
    this.counts[node] = count;
    return true;
  }

  // The node of an index; `before` tells how many elements lie before it.
  private find(index: number): number {
    let node = 0;
    let before = 0;
    while (before + this.counts[node] <= index) before += this.counts[node++];
    this.before = before;
    return node;
  }

  private hasRoom(node: number, length: number): boolean {
    if (node < 0 || node >= this.length) return false;
    return !exceedsLimit(this.fill, this.bytes[node] + length + ESTIMATED_OVERHEAD, this.counts[node] + 1);
  }

  private gain(node: number, size: number): void {
    this.bytes[node] += size;
    this.counts[node]++;
  }

  private lose(node: number, count: number, bytes: number): void {
    if (count === this.counts[node]) {
      this.dropNode(node);
      return;
    }
    this.counts[node] -= count;
    this.bytes[node] -= bytes;
  }

  private addNode(at: number, bytes: number, count: number): void {
    if (at === this.length) {
      this.bytes.push(bytes);
      this.counts.push(count);
    } else {
      this.bytes.splice(at, 0, bytes);
      this.counts.splice(at, 0, count);
    }
  }

  private dropNode(at: number): void {
    if (at === this.length - 1) {
      this.bytes.pop();
      this.counts.pop();
    } else {
      this.bytes.splice(at, 1);
      this.counts.splice(at, 1);
    }
  }
}
