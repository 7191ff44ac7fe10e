// Tables: an array part and a node part that grow and shrink exactly when Lua 5.1's do, so that `#` and the
// order of pairs come out the same. All reading and writing of a table's fields is here.
//
// The node part is a Map; Lua's order of its nodes is worked out when somebody iterates (order.ts).

import { fail, plainError } from './errors.ts';
import { emptyLayout, type Layout, MOST_KEYS } from './layout.ts';
import { nodeOrder, nodesAfter } from './order.ts';
import { charge } from './state.ts';
import type { LuaValue } from './value.ts';

// Every run of a script has an epoch; a table carries that of the run which may write to it without further
// ado. A table from before (a library's state) is first saved, so that the run can be undone; a read-only
// table (globals, libraries) refuses.
let epoch = 1;
let saved: Saved[] | null = null;
const READ_ONLY = -1;
const READ_ONLY_TEXT = 'Attempt to modify a readonly table';

interface Saved {
  restore(): void;
}

const NO_ARRAY: LuaValue[] = [undefined];
const NO_KEYS: LuaValue[] = [];

export class LuaTable {
  readonly type = 'table' as const;
  /** Array part: element i at index i, index 0 unused. What lies behind its end and within `size` is nil. */
  private items: LuaValue[];
  /** Elements that the array part has room for, as Lua counts. */
  private size: number;
  /** The border while the array part has no hole below its last element; -1: unknown. */
  private border: number;
  /** Node part. A key with value undefined still holds its node, as in Lua. */
  private nodes: Map<LuaValue, LuaValue> | null = null;
  /** Instead of nodes, of a table that has only got fields: its keys, and their values by slot. */
  private layout: Layout | null = null;
  private values: LuaValue[] = NO_KEYS;
  /** Number of nodes: a power of two, or 0. */
  private capacity: number;
  /** Capacity with which the history of the nodes begins: the keys of `nodes`, put into so many empty nodes one
   *  after the other, give Lua's order (order.ts). */
  private initial: number;
  metatable: LuaTable | null = null;
  private epoch: number;
  // Keys of the node part in Lua's order, while nothing was added; and where next() was last.
  private order: LuaValue[] | null = null;
  private cursor = 0;

  /** @param arraySize elements expected, @param nodeCount fields expected: as the constructor counts them. */
  constructor(arraySize = 0, nodeCount = 0) {
    this.items = NO_ARRAY;
    this.border = 0;
    this.capacity = nodeCount === 0 ? 0 : powerOfTwo(nodeCount);
    this.initial = this.capacity;
    this.epoch = epoch;
    this.size = arraySize;
  }

  /** A table of these elements, with room for `size`; `items[0]` is unused and must be undefined. Takes the
   *  array over. */
  static of(items: LuaValue[], nodeCount = 0, size = 0): LuaTable {
    const table = new LuaTable(Math.max(size, items.length - 1), nodeCount);
    let last = items.length - 1;
    while (last > 0 && items[last] === undefined) last--;
    let border = last;
    for (let i = 1; i < last; i++) {
      if (items[i] === undefined) {
        border = -1;
        break;
      }
    }
    if (items.length > 1) table.items = items;
    table.border = border;
    return table;
  }

  /** A table that got these fields one after the other while it was empty; `values` by the layout's slots. */
  static record(layout: Layout, values: LuaValue[]): LuaTable {
    const table = new LuaTable();
    table.layout = layout;
    table.values = values;
    table.capacity = powerOfTwo(layout.count);
    return table;
  }

  // From a layout to nodes.
  private spread(layout: Layout): Map<LuaValue, LuaValue> {
    const { values } = this;
    const nodes = new Map<LuaValue, LuaValue>();
    const keys = layout.keys();
    for (let slot = 0; slot < keys.length; slot++) nodes.set(keys[slot], values[slot]);
    this.nodes = nodes;
    this.layout = null;
    this.values = NO_KEYS;
    return nodes;
  }

  private recorded(key: LuaValue): LuaValue {
    const { layout } = this;
    if (layout === null || typeof key !== 'string') return undefined;
    const slot = layout.slotOf(key);
    return slot < 0 ? undefined : this.values[slot];
  }

  // For natives that go through a whole table, in Lua's order: first the array, then the node keys.

  /** Array part: element i at index i. Not to be changed. */
  get array(): readonly LuaValue[] {
    return this.items;
  }

  /** Number of nodes that the table began with. */
  get initialNodes(): number {
    return this.initial;
  }

  /**
   * Where the nodes are fields that came one after the other and make a layout: puts their values into
   * `values` from `at` on and answers the layout; else null.
   */
  fields(values: LuaValue[], at: number): Layout | null {
    const { nodes, initial, layout: own, values: held } = this;
    if (own !== null) {
      for (let i = 0; i < held.length; i++) values[at + i] = held[i];
      return own;
    }
    if (nodes === null || nodes.size > MOST_KEYS) return null;
    if (this.capacity !== nodesAfter(initial, nodes.size)) return null;
    let layout = emptyLayout();
    let slot = at;
    for (const [key, value] of nodes) {
      const next = typeof key === 'string' ? layout.follow(key) : null;
      if (next === null) return null;
      layout = next;
      values[slot++] = value;
    }
    return slot === at ? null : layout;
  }

  /** Keys of the node part in Lua's order, with those whose value is nil by now. Not to be changed. */
  nodeKeys(): readonly LuaValue[] {
    const nodes = this.layout === null ? this.nodes : this.spread(this.layout);
    if (nodes === null || nodes.size === 0) return NO_KEYS;
    this.order ??= nodeOrder(nodes.keys(), this.initial, this.capacity);
    return this.order;
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'number') {
      const { items } = this;
      // As 32 bit first, which is cheap where the key is held as an integer.
      if ((key | 0) === key && key > 0 && key < items.length) return items[key];
    }
    return this.nodes === null ? this.recorded(key) : this.nodes.get(key);
  }

  /** A field by a key that is known not to be a number. */
  field(key: string): LuaValue {
    return this.nodes === null ? this.recorded(key) : this.nodes.get(key);
  }

  /** Assignment by a native: as {@link set}, but errors have no position. */
  rawSet(key: LuaValue, value: LuaValue): void {
    if (this.epoch !== epoch) this.writable();
    if (key === undefined) throw plainError('table index is nil');
    if (Number.isNaN(key)) throw plainError('table index is NaN');
    this.set(key, value);
  }

  /** Elements that a constructor lists; `items[0]` is unused. */
  setList(items: readonly LuaValue[]): void {
    if (items.length - 1 > this.size) this.resize(items.length - 1, this.capacity);
    for (let i = 1; i < items.length; i++) this.set(i, items[i]);
  }

  /**
   * Raw assignment by Lua code: errors carry its position.
   * @throws LuaError `index is nil`, `index is NaN`, and where the table is read-only
   */
  set(key: LuaValue, value: LuaValue): void {
    // Small, so that V8 puts it inline: an element that is there gets another value.
    if (typeof key === 'number' && this.epoch === epoch) {
      const { items, border } = this;
      if (
        (key | 0) === key &&
        key > 0 &&
        key < items.length &&
        value !== undefined &&
        (border < 0 || key <= border)
      ) {
        items[key] = value;
        return;
      }
    }
    this.store(key, value);
  }

  private store(key: LuaValue, value: LuaValue): void {
    if (this.epoch !== epoch) {
      if (this.epoch === READ_ONLY) throw fail(READ_ONLY_TEXT);
      this.own();
    }
    if (typeof key === 'number') {
      const { items } = this;
      if (key > 0 && key < items.length && Number.isInteger(key)) {
        items[key] = value;
        const { border } = this;
        if (value !== undefined) {
          if (key > border && border >= 0) this.border = key === border + 1 ? key : -1;
        } else if (key <= border) this.border = key === border ? key - 1 : -1;
        return;
      }
      if (key > 0 && key <= this.size && Number.isInteger(key)) {
        if (value !== undefined) this.extend(key, value);
        return;
      }
    }
    this.setNode(key, value);
  }

  // An element within the array part's room, behind all that were set before.
  private extend(key: number, value: LuaValue): void {
    if (this.items === NO_ARRAY) this.items = [undefined];
    const { items, border } = this;
    while (items.length < key) items.push(undefined);
    items.push(value);
    // JavaScript copies an array that grows.
    if ((key & 0xffff) === 0) charge(key * 12);
    if (border >= 0) this.border = key === border + 1 ? key : -1;
  }

  private setNode(key: LuaValue, value: LuaValue): void {
    const { layout } = this;
    if (layout !== null) {
      const slot = typeof key === 'string' ? layout.slotOf(key) : -1;
      if (slot >= 0) {
        this.values[slot] = value;
        return;
      }
      this.spread(layout);
    }
    const { nodes } = this;
    if (nodes !== null && (nodes.size === 0 ? false : nodes.get(key) !== undefined || nodes.has(key))) {
      nodes.set(key, value);
      return;
    }
    if (key === undefined) throw fail('table index is nil');
    if (Number.isNaN(key)) throw fail('table index is NaN');
    this.order = null;
    if ((nodes === null ? 0 : nodes.size) >= this.capacity) {
      this.rehash(key);
      this.set(key, value);
      return;
    }
    if (nodes === null) this.nodes = new Map([[key, value]]);
    else nodes.set(key, value);
  }

  /** `#table`: a border, the one that Lua would find. */
  length(): number {
    const { items, border, size } = this;
    if (border >= 0 && border < size) return border;
    if (border < 0 && (items.length <= size || items[size] === undefined)) {
      let low = 0;
      let high = size;
      while (high - low > 1) {
        const middle = (low + high) >>> 1;
        if (middle >= items.length || items[middle] === undefined) high = middle;
        else low = middle;
      }
      return low;
    }
    if (this.nodes === null || this.capacity === 0 || this.nodes.get(size + 1) === undefined) return size;
    // Beyond the array part: double until something is missing, then halve.
    let low = size;
    let high = size + 1;
    while (this.get(high) !== undefined) {
      low = high;
      high *= 2;
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.get(middle) === undefined) high = middle;
      else low = middle;
    }
    return low;
  }

  /**
   * The key that follows in Lua's order, or undefined at the end; begins after undefined.
   * @throws LuaError when the key is not of this table
   */
  next(key: LuaValue): LuaValue {
    if (this.layout !== null) this.spread(this.layout);
    const { items } = this;
    let index = 1;
    let position = 0;
    if (key !== undefined) {
      if (typeof key === 'number' && key > 0 && key <= this.size && Number.isInteger(key)) index = key + 1;
      else {
        index = items.length;
        position = this.positionOf(key) + 1;
      }
    }
    for (; index < items.length; index++) if (items[index] !== undefined) return index;
    const { nodes } = this;
    if (nodes === null || nodes.size === 0) return undefined;
    this.order ??= nodeOrder(nodes.keys(), this.initial, this.capacity);
    const { order } = this;
    for (; position < order.length; position++) {
      const candidate = order[position];
      if (nodes.get(candidate) !== undefined) {
        this.cursor = position;
        return candidate;
      }
    }
    return undefined;
  }

  private positionOf(key: LuaValue): number {
    const { nodes } = this;
    if (nodes === null || !nodes.has(key)) throw plainError("invalid key to 'next'");
    this.order ??= nodeOrder(nodes.keys(), this.initial, this.capacity);
    const { order, cursor } = this;
    if (order[cursor] === key) return cursor;
    return order.indexOf(key);
  }

  /** Elements 1 to `count` of the array part as they are, where it has that many; else null. Not to be
   *  changed unless {@link writable} was called, and only without changing which are undefined. */
  dense(count: number): LuaValue[] | null {
    return count < this.items.length && this.border >= count ? this.items : null;
  }

  /** Says that a native is about to change the table; refuses where it is read-only. */
  writable(): void {
    if (this.epoch === READ_ONLY) throw plainError(READ_ONLY_TEXT);
    if (this.epoch !== epoch) this.own();
  }

  get isReadOnly(): boolean {
    return this.epoch === READ_ONLY;
  }

  /** Nobody may write to this table any more. */
  makeReadOnly(): void {
    this.epoch = READ_ONLY;
  }

  private own(): void {
    if (this.layout !== null) this.spread(this.layout);
    if (saved !== null) {
      const { items, size, border, nodes, capacity, initial, metatable, epoch: before } = this;
      const copies = { items: items.slice(), nodes: nodes === null ? null : new Map(nodes) };
      saved.push({
        restore: () => {
          this.items = items === NO_ARRAY ? NO_ARRAY : copies.items;
          this.size = size;
          this.border = border;
          this.nodes = copies.nodes;
          this.capacity = capacity;
          this.initial = initial;
          this.metatable = metatable;
          this.epoch = before;
          this.order = null;
        },
      });
    }
    this.epoch = epoch;
  }

  // No node is free: count the keys and share them out between array and nodes, as Lua does.
  private rehash(added: LuaValue): void {
    const { items, nodes, border } = this;
    if (nodes === null && border >= 0 && added === border + 1) {
      // The next element of an array.
      this.resize(powerOfTwo(border + 1), 0);
      return;
    }
    const counts = new Array<number>(32).fill(0);
    let total = 1;
    let integers = 0;
    const count = (key: LuaValue): void => {
      if (!isIndex(key)) return;
      counts[ceilLog2(key)]++;
      integers++;
    };
    if (border >= 0) {
      // Without holes the slices are full up to the border.
      let low = 0;
      for (let slice = 0; low < border; slice++) {
        const high = Math.min(2 ** slice, border);
        counts[slice] += high - low;
        low = high;
      }
      integers += border;
      total += border;
    } else {
      for (let i = 1; i < items.length; i++) {
        if (items[i] === undefined) continue;
        count(i);
        total++;
      }
    }
    let nodesStay = !isIndex(added);
    if (nodes !== null) {
      for (const [key, value] of nodes) {
        if (value === undefined) {
          nodesStay = false;
          continue;
        }
        if (isIndex(key)) nodesStay = false;
        count(key);
        total++;
      }
    }
    count(added);
    let arraySize = 0;
    let inArray = 0;
    let sum = 0;
    for (let slice = 0, size = 1; size / 2 < integers; slice++, size *= 2) {
      sum += counts[slice];
      if (sum > size / 2) {
        arraySize = size;
        inArray = sum;
      }
      if (sum === integers) break;
    }
    if (nodesStay && arraySize === this.size) {
      // Only more nodes of the same kind: order.ts knows that history by the keys alone.
      const capacity = powerOfTwo(total - inArray);
      if (capacity > 4096) charge(capacity * 40);
      this.capacity = capacity;
    } else this.resize(arraySize, total - inArray);
  }

  /** Sizes of both parts; what does not fit one moves to the other. */
  resize(arraySize: number, nodeCount: number): void {
    if (this.layout !== null) this.spread(this.layout);
    const { items, nodes, size } = this;
    const capacity = nodeCount === 0 ? 0 : powerOfTwo(nodeCount);
    if (arraySize + capacity > 4096) charge(Math.max(0, arraySize - size) * 8 + capacity * 40);
    // Lua puts the nodes into the new ones from the last to the first, behind what leaves the array.
    const live: [LuaValue, LuaValue][] = [];
    if (arraySize < items.length - 1) {
      for (let i = arraySize + 1; i < items.length; i++) if (items[i] !== undefined) live.push([i, items[i]]);
      this.items = arraySize === 0 ? NO_ARRAY : items.slice(0, arraySize + 1);
      if (this.border > arraySize) this.border = arraySize;
      else if (this.border < 0) this.border = borderOf(this.items);
    }
    this.size = arraySize;
    reserve(this.items, arraySize);
    if (nodes === null) this.capacity = capacity;
    else {
      const keys = this.nodeKeys();
      this.capacity = capacity;
      const moved: number[] = [];
      for (let i = keys.length - 1; i >= 0; i--) {
        const key = keys[i];
        const value = nodes.get(key);
        if (value === undefined) continue;
        if (isIndex(key) && key <= arraySize) moved.push(key);
        else live.push([key, value]);
      }
      moved.sort((a, b) => a - b);
      for (const key of moved) {
        if (key < this.items.length) {
          this.items[key] = nodes.get(key);
          this.border = -1;
        } else this.extend(key, nodes.get(key));
      }
      if (this.border < 0) this.border = borderOf(this.items);
    }
    this.order = null;
    this.initial = capacity;
    this.nodes = live.length === 0 ? null : new Map(live);
  }
}

/** Makes room for elements that are to be pushed: JavaScript's arrays by themselves grow by half, and copy as often. */
function reserve(items: LuaValue[], size: number): void {
  const { length } = items;
  if (length < 64 || size < length) return;
  // V8 keeps the room where at least half of it stays in use.
  items.length = Math.min(size + 1, 2 * length);
  items.length = length;
}

/** A key that may lie in the array part. */
function isIndex(key: LuaValue): key is number {
  return typeof key === 'number' && key > 0 && key <= 2 ** 26 && Number.isInteger(key);
}

/** The border of an array without holes, -1 with holes; `known` elements are known to be there. */
function borderOf(items: readonly LuaValue[], known = 0): number {
  let border = Math.max(known, 0);
  while (border + 1 < items.length && items[border + 1] !== undefined) border++;
  for (let i = border + 2; i < items.length; i++) if (items[i] !== undefined) return -1;
  return border;
}

function powerOfTwo(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}

function ceilLog2(n: number): number {
  return n <= 1 ? 0 : 32 - Math.clz32(n - 1);
}

/** Begins a run: tables of before belong to nobody. With `keep` they are saved at their first change. */
export function beginEpoch(keep: boolean): Epoch {
  const before = { epoch, saved };
  lastEpoch++;
  epoch = lastEpoch;
  saved = keep ? [] : null;
  return before;
}
let lastEpoch = 1;

/** What beginEpoch, pauseEpoch and undo pass around; opaque. */
export interface Epoch {
  readonly epoch: number;
  readonly saved: Saved[] | null;
}

/** Puts an epoch back; answers the one that ended, to go on with later. */
export function switchEpoch(to: Epoch): Epoch {
  const before = { epoch, saved };
  ({ epoch, saved } = to);
  return before;
}

/** Undoes all changes to older tables in the running epoch. */
export function undoEpoch(): void {
  if (saved === null) return;
  for (let i = saved.length - 1; i >= 0; i--) saved[i].restore();
  saved = [];
}

/** Saves something else that the running epoch may have to undo (a captured variable). */
export function saveInEpoch(restore: () => void): void {
  saved?.push({ restore });
}

/** The running epoch's number. */
export function currentEpoch(): number {
  return epoch;
}
