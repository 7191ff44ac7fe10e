// The order in which Lua 5.1 walks the node part of a table (next, pairs): worked out by placing the keys as
// Lua's tables place them, collisions and growth included. LuaTable asks for it when somebody iterates.
import { spend } from './state.ts';
import type { LuaValue } from './value.ts';

// Scratch memory of one call. A node holds the number of its key plus one, or 0; `chain` is the node that
// follows in its collision chain, or -1.
let room = 0;
let nodes = new Int32Array(0);
let spare = new Int32Array(0);
let chain = new Int32Array(0);
let hashes = new Uint32Array(0);
// Whether the key's main position is a remainder (numbers, objects) instead of the low bits (the rest).
let modular = new Uint8Array(0);

/** Beyond this many nodes the scratch memory is given back after the call. */
const KEPT_ROOM = 1 << 16;

/**
 * @param keys of the node part, as they were inserted
 * @param initial number of nodes that the table began with: a power of two, or 0
 * @param capacity number of nodes that it has now
 * @returns the keys by ascending node. Where plain insertion does not lead from `initial` to `capacity` (keys
 *   were removed or moved to the array part on the way), as if they came into a table of `capacity` nodes.
 */
export function nodeOrder(keys: Iterable<LuaValue>, initial: number, capacity: number): LuaValue[] {
  const list: LuaValue[] = [];
  for (const key of keys) list.push(key);
  const count = list.length;
  if (count < 2) return list;
  if (count > 1024) spend(count);
  reserve(Math.max(count, initial, capacity));
  for (let i = 0; i < count; i++) {
    const key = list[i];
    if (typeof key === 'string') {
      hashes[i] = hashString(key);
      modular[i] = 0;
    } else if (typeof key === 'boolean') {
      hashes[i] = key ? 1 : 0;
      modular[i] = 0;
    } else {
      hashes[i] = typeof key === 'number' ? hashNumber(key) : hashObject(key as object);
      modular[i] = 1;
    }
  }
  let size = nodesAfter(initial, count);
  if (size === capacity) replay(count, initial);
  else {
    size = Math.max(powerOfTwo(count), capacity);
    replay(count, size);
  }
  let filled = 0;
  const order = new Array<LuaValue>(count);
  for (let node = 0; node < size; node++) {
    const holds = nodes[node];
    if (holds !== 0) order[filled++] = list[holds - 1];
  }
  if (room > KEPT_ROOM) release();
  return order;
}

/** What insertions of so many keys make of a table with `initial` nodes: it doubles whenever it is full. */
export function nodesAfter(initial: number, count: number): number {
  return count <= initial ? initial : powerOfTwo(count);
}

function replay(count: number, initial: number): void {
  let size = initial;
  let free = size;
  nodes.fill(0, 0, size);
  for (let i = 0; i < count; i++) {
    if (i === size) {
      // Full: everything moves to twice as many nodes, the last node first.
      const old = nodes;
      const oldSize = size;
      nodes = spare;
      spare = old;
      size = size === 0 ? 1 : size * 2;
      free = size;
      nodes.fill(0, 0, size);
      for (let node = oldSize - 1; node >= 0; node--) free = place(old[node] - 1, size, free);
    }
    free = place(i, size, free);
  }
}

// Puts a key into its main position, or else into the last free node: the key itself, or the one that sits
// in its main position without belonging there. Answers down to where there may be free nodes.
function place(key: number, size: number, free: number): number {
  const main = mainPosition(key, size);
  const holds = nodes[main];
  if (holds === 0) {
    nodes[main] = key + 1;
    chain[main] = -1;
    return free;
  }
  let gap = free - 1;
  while (nodes[gap] !== 0) gap--;
  let other = mainPosition(holds - 1, size);
  if (other !== main) {
    while (chain[other] !== main) other = chain[other];
    chain[other] = gap;
    nodes[gap] = holds;
    chain[gap] = chain[main];
    nodes[main] = key + 1;
    chain[main] = -1;
  } else {
    nodes[gap] = key + 1;
    chain[gap] = chain[main];
    chain[main] = gap;
  }
  return gap;
}

function mainPosition(key: number, size: number): number {
  return modular[key] === 0 ? hashes[key] & (size - 1) : hashes[key] % ((size - 1) | 1);
}

// Plain Lua leaves out bytes of strings from 32 bytes on; Redis has changed that.
let leavesOut = false;

/** Makes the order that of plain Lua, for comparisons with it; answers what was set before. */
export function orderAsPlainLua(plain: boolean): boolean {
  const before = leavesOut;
  leavesOut = plain;
  return before;
}

// Lua's hash of a string.
function hashString(text: string): number {
  const { length } = text;
  if (leavesOut && length >= 32) {
    const step = (length >> 5) + 1;
    let sampled = length;
    for (let i = length; i >= step; i -= step) {
      sampled ^= (sampled << 5) + (sampled >>> 2) + text.charCodeAt(i - 1);
    }
    return sampled >>> 0;
  }
  if (length > 4096) spend(length >>> 2);
  let hash = length;
  for (let i = length - 1; i >= 0; i--) hash ^= (hash << 5) + (hash >>> 2) + text.charCodeAt(i);
  return hash >>> 0;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

function hashNumber(value: number): number {
  if (value === 0) return 0;
  double[0] = value;
  return (halves[0] + halves[1]) >>> 0;
}

// Lua hashes the address, which nobody can foresee; here objects are numbered as they are met.
const numbered = new WeakMap<object, number>();
let lastNumber = 0;

function hashObject(value: object): number {
  let number = numbered.get(value);
  if (number === undefined) {
    number = ++lastNumber >>> 0;
    numbered.set(value, number);
  }
  return number;
}

function reserve(needed: number): void {
  if (needed <= room) return;
  room = Math.max(64, powerOfTwo(needed));
  nodes = new Int32Array(room);
  spare = new Int32Array(room);
  chain = new Int32Array(room);
  hashes = new Uint32Array(room);
  modular = new Uint8Array(room);
}

function release(): void {
  room = 0;
  reserve(1);
}

function powerOfTwo(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}
