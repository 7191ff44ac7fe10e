// The list type: elements in a Deque, and beside them the byte counts from which Redis decides between its
// encodings `listpack` and `quicklist` (t_list.c of 7.2). Used by the list commands, SORT … STORE and loaders.
import { Deque } from '../data/deque.ts';
import { parseInt64 } from '../data/numbers.ts';
import { countLimit, exceedsLimit, Quicklist, sizeLimit } from './quicklist.ts';
import { Collection } from './values.ts';

/** Header and end mark of a listpack. */
const EMPTY_LISTPACK = 7;

export class ListValue extends Collection {
  readonly type = 'list';
  private items = new Deque();
  /** Bytes that the listpack would take; of no meaning while there are nodes. */
  private bytes = EMPTY_LISTPACK;
  /** Sizes of the quicklist's nodes; null while the encoding is listpack. */
  private nodes: Quicklist | null = null;

  /** A list of these elements, in the encoding that a list built in one go has (SORT … STORE, loading). */
  static of(elements: Iterable<string>, maxListpackSize: number): ListValue {
    const list = new ListValue();
    for (const element of elements) {
      list.items.pushBack(element);
      list.bytes += entrySize(element);
    }
    list.grow(0, 0, maxListpackSize);
    return list;
  }

  /** A list of the nodes of a file, none of them empty: several stay a quicklist of such nodes, one is as {@link of}. */
  static ofNodes(nodes: Iterable<readonly string[]>, maxListpackSize: number): ListValue {
    const list = new ListValue();
    const quicklist = new Quicklist(maxListpackSize, 0, 0);
    for (const elements of nodes) {
      let bytes = EMPTY_LISTPACK;
      for (const element of elements) {
        list.items.pushBack(element);
        bytes += entrySize(element);
      }
      quicklist.append(bytes, elements.length);
      list.bytes = bytes;
    }
    if (quicklist.length > 1) list.nodes = quicklist;
    else list.grow(0, 0, maxListpackSize);
    return list;
  }

  get size(): number {
    return this.items.length;
  }

  encoding(): string {
    return this.nodes === null ? 'listpack' : 'quicklist';
  }

  clone(): ListValue {
    const copy = new ListValue();
    copy.items = this.items.clone();
    copy.bytes = this.bytes;
    copy.nodes = this.nodes?.clone() ?? null;
    return copy;
  }

  /** The element at an index inside the list. */
  at(index: number): string {
    return this.items.at(index);
  }

  /** The elements from `start` up to, not including, `stop`. */
  slice(start: number, stop: number): string[] {
    return this.items.slice(start, stop);
  }

  /** Visits elements from an index on until `fn` returns true; see {@link Deque.forEachFrom}. */
  forEachFrom(index: number, step: 1 | -1, fn: (value: string, index: number) => unknown): void {
    this.items.forEachFrom(index, step, fn);
  }

  /** Adds `args[from]` and those behind it one after the other, in front or behind. */
  push(args: readonly string[], from: number, front: boolean, maxListpackSize: number): void {
    if (this.nodes === null) {
      let length = 0;
      for (let i = from; i < args.length; i++) length += args[i].length;
      this.grow(length, args.length - from, maxListpackSize);
    }
    for (let i = from; i < args.length; i++) this.add(args[i], front);
  }

  private add(value: string, front: boolean): void {
    const size = entrySize(value);
    if (this.nodes === null) this.bytes += size;
    else this.nodes.push(size, value.length, front);
    if (front) this.items.pushFront(value);
    else this.items.pushBack(value);
  }

  /** Takes off the first or the last element; the list must not be empty. The caller then calls {@link shrink}. */
  pop(front: boolean): string {
    const value = (front ? this.items.popFront() : this.items.popBack()) as string;
    const size = entrySize(value);
    if (this.nodes === null) this.bytes -= size;
    else this.nodes.pop(size, front);
    return value;
  }

  /** Takes off up to `count` elements of one end, in the order in which they come off. Then {@link shrink}. */
  popMany(count: number, front: boolean): string[] {
    const { size } = this;
    const taken = Math.min(count, size);
    const start = front ? 0 : size - taken;
    const values = this.items.slice(start, start + taken);
    this.removeRange(start, taken);
    return front ? values : values.reverse();
  }

  /** Removes `count` elements from an index on. Then {@link shrink}. */
  removeRange(start: number, count: number): void {
    if (count <= 0) return;
    if (this.nodes !== null) this.nodes.removeRange(start, count, this);
    else this.bytes -= this.measure(start, count);
    this.items.removeRange(start, count);
  }

  /** Replaces an element. Redis looks whether it fits before it looks at the index: call {@link grow} first. */
  set(index: number, value: string): void {
    const change = entrySize(value) - entrySize(this.items.at(index));
    if (this.nodes === null) this.bytes += change;
    else this.nodes.resize(index, change);
    this.items.set(index, value);
  }

  /** Puts a value before or after the element at an index. Call {@link grow} first. */
  insert(pivot: number, value: string, after: boolean): void {
    const size = entrySize(value);
    if (this.nodes === null) this.bytes += size;
    else this.nodes.insert(pivot, size, value.length, after, this);
    this.items.insert(after ? pivot + 1 : pivot, value);
  }

  /** Index of the first element equal to a value, or -1. */
  indexOf(value: string): number {
    let found = -1;
    this.items.forEachFrom(0, 1, (element, index) => {
      if (element !== value) return false;
      found = index;
      return true;
    });
    return found;
  }

  /** Removes elements equal to a value as LREM counts them; answers how many. Then {@link shrink}. */
  removeMatching(value: string, count: number): number {
    const size = entrySize(value);
    if (this.nodes !== null) this.nodes.removeEach(this.matches(value, count), size);
    const removed = this.items.removeMatching(value, count);
    if (this.nodes === null) this.bytes -= removed * size;
    return removed;
  }

  // Indexes of the elements that removeMatching will remove, ascending.
  private matches(value: string, count: number): number[] {
    const found: number[] = [];
    const limit = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
    const step = count < 0 ? -1 : 1;
    this.items.forEachFrom(step === 1 ? 0 : this.size - 1, step, (element, index) => {
      if (element === value) found.push(index);
      return found.length === limit;
    });
    return step === 1 ? found : found.reverse();
  }

  /** Becomes a quicklist if `length` bytes more in `count` elements do not fit into a listpack. */
  grow(length: number, count: number, maxListpackSize: number): void {
    if (this.nodes !== null) return;
    if (!exceedsLimit(maxListpackSize, this.bytes + length, this.size + count)) return;
    this.nodes = new Quicklist(maxListpackSize, this.bytes, this.size);
  }

  /** Becomes a listpack again once it is one node of less than half the limit. */
  shrink(maxListpackSize: number): void {
    const { nodes } = this;
    if (nodes === null || nodes.length !== 1) return;
    const bytes = nodes.totalBytes(0);
    // Half the limit, so that a list whose size goes up and down at the limit does not convert each time.
    if (bytes > sizeLimit(maxListpackSize) / 2) return;
    if (this.size > Math.floor(countLimit(maxListpackSize) / 2)) return;
    this.bytes = bytes;
    this.nodes = null;
  }

  /** How many elements the nodes of the quicklist hold, or null for a listpack (DEBUG, loaders, tests). */
  nodeCounts(): readonly number[] | null {
    return this.nodes?.counts ?? null;
  }

  /** Bytes that a node of the quicklist takes, or the listpack. */
  nodeBytes(node: number): number {
    return this.nodes === null ? this.bytes : this.nodes.totalBytes(node);
  }

  /** Bytes that the elements of a range take in a listpack; for {@link Quicklist}. */
  measure(start: number, count: number): number {
    let bytes = 0;
    this.items.forEachFrom(start, 1, (element, index) => {
      if (index >= start + count) return true;
      bytes += entrySize(element);
      return false;
    });
    return bytes;
  }
}

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Bytes that an element takes in a listpack: what it is encoded in, and its length again for reading backwards. */
function entrySize(value: string): number {
  const { length } = value;
  if (length <= 20 && length > 0) {
    const c = value.charCodeAt(0);
    if ((c >= ZERO && c <= NINE) || c === MINUS) {
      const n = parseInt64(value);
      if (n !== null) return integerSize(n);
    }
  }
  if (length < 64) return length + 2;
  const encoded = length < 4096 ? length + 2 : length + 5;
  if (encoded <= 127) return encoded + 1;
  if (encoded < 16383) return encoded + 2;
  if (encoded < 2097151) return encoded + 3;
  return encoded < 268435455 ? encoded + 4 : encoded + 5;
}

function integerSize(n: number | bigint): number {
  if (n >= 0 && n <= 127) return 2;
  if (n >= -4096 && n <= 4095) return 3;
  if (n >= -32768 && n <= 32767) return 4;
  if (n >= -8388608 && n <= 8388607) return 5;
  if (n >= -2147483648 && n <= 2147483647) return 6;
  return 10;
}
