// The library `table` of Lua 5.1. Its functions read and write raw: no metamethods but __lt in sort. base.ts
// opens it with the other libraries.
import { checkFunction, checkInt, checkString, checkTable, optionalInt } from './arguments.ts';
import { runsDirect } from './compile.ts';
import { fail } from './errors.ts';
import { formatNumber } from './number.ts';
import { callFromNative, lessThan, lessThanG, MAX_STRING, metamethod } from './operations.ts';
import { callRequest, Pause } from './requests.ts';
import { type Less, type SuspendableLess, sort, sortPlain, sortSuspendable } from './sort.ts';
import { charge, type LuaState, shouldPause, spend } from './state.ts';
import { LuaTable } from './table.ts';
import {
  first,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaValue,
  NOTHING,
  native,
  type Request,
  type Suspendable,
  typeName,
} from './value.ts';

export function openTable(_state: LuaState): LuaTable {
  // Size and order of the fields as in C, so that pairs(table) goes through them as there.
  const table = new LuaTable(0, 9);
  table.set('concat', native(concat));
  table.set('foreach', native(foreach, foreachSuspendable));
  table.set('foreachi', native(foreachi, foreachiSuspendable));
  table.set('getn', native(getn));
  table.set('maxn', native(maxn));
  table.set('insert', native(insert));
  table.set('remove', native(remove));
  table.set('setn', native(setn));
  table.set('sort', native(sortTable, sortTableSuspendable));
  return table;
}

/** Elements or bytes between two looks at the budget. */
const CHUNK = 4096;

function concat(t: LuaValue, sep: LuaValue, i: LuaValue, j: LuaValue): LuaResult {
  const count = arguments.length;
  const separator = sep === undefined ? '' : checkString(sep, 2, count);
  const table = checkTable(t, 1, count);
  const from = optionalInt(i, 3, count, 1);
  const to = j === undefined ? table.length() : checkInt(j, 4, count);
  const items = from >= 1 ? table.dense(to) : null;
  let out = '';
  let steps = 0;
  let bytes = 0;
  for (let at = from; at <= to; at++) {
    const item = items === null ? table.get(at) : items[at];
    let text: string;
    if (typeof item === 'string') text = item;
    else if (typeof item === 'number') text = formatNumber(item);
    else throw fail(`invalid value (${typeName(item)}) at index ${at} in table for 'concat'`);
    bytes += text.length + separator.length;
    if (bytes > CHUNK || steps === CHUNK) {
      if (out.length + bytes > MAX_STRING - CHUNK) throw new LuaError('not enough memory');
      spend(steps);
      charge(bytes);
      steps = 0;
      bytes = 0;
    }
    steps++;
    out += at === from ? text : separator + text;
  }
  return out;
}

function insert(t: LuaValue, p: LuaValue, v: LuaValue): LuaResult {
  const count = arguments.length;
  const table = checkTable(t, 1, count);
  const end = table.length() + 1;
  if (count === 2) {
    table.rawSet(end, p);
    return NOTHING;
  }
  if (count !== 3) throw fail("wrong number of arguments to 'insert'");
  table.writable();
  const position = checkInt(p, 2, count);
  if (position < end) {
    table.set(end, table.get(end - 1));
    const items = position >= 1 ? table.dense(end) : null;
    if (items !== null) {
      spend((end - position) >>> 2);
      for (let i = end - 1; i > position; i--) items[i] = items[i - 1];
    } else if (end - position > CHUNK) shift(table, position, end - 1, 1);
    else {
      for (let i = end - 1; i > position; i--) table.set(i, table.get(i - 1));
    }
  }
  table.set(position, v);
  return NOTHING;
}

// Moves elements `from` to `to` by one place where most of them may be missing: from -2^31 on, one by one would
// take minutes.
function shift(table: LuaTable, from: number, to: number, places: 1 | -1): void {
  const keys: number[] = [];
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
    if (typeof key === 'number' && Number.isInteger(key) && key >= from && key <= to) keys.push(key);
  }
  spend(keys.length * 4);
  keys.sort((a, b) => (b - a) * places);
  for (const key of keys) {
    table.set(key + places, table.get(key));
    table.set(key, undefined);
  }
}

function remove(t: LuaValue, p: LuaValue): LuaResult {
  const count = arguments.length;
  const table = checkTable(t, 1, count);
  const size = table.length();
  const position = p === undefined ? size : checkInt(p, 2, count);
  if (position < 1 || position > size) return NOTHING;
  const removed = table.get(position);
  if (position < size) {
    const items = table.dense(size);
    if (items !== null) {
      spend((size - position) >>> 2);
      table.writable();
      for (let i = position; i < size; i++) items[i] = items[i + 1];
    } else if (size - position > CHUNK) {
      table.set(position, undefined);
      shift(table, position + 1, size, -1);
    } else {
      for (let i = position; i < size; i++) table.set(i, table.get(i + 1));
    }
  }
  table.set(size, undefined);
  return removed;
}

function getn(t: LuaValue): LuaResult {
  return checkTable(t, 1, arguments.length).length();
}

function setn(t: LuaValue): LuaResult {
  checkTable(t, 1, arguments.length);
  throw fail("'setn' is obsolete");
}

function maxn(t: LuaValue): LuaResult {
  const table = checkTable(t, 1, arguments.length);
  let max = 0;
  let steps = 0;
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
    if (typeof key === 'number' && key > max) max = key;
    if (++steps % CHUNK === 0) spend(CHUNK);
  }
  return max;
}

// ---- functions that call back: foreach and foreachi end at the first result that is not nil

function foreach(t: LuaValue, f: LuaValue): LuaResult {
  const count = arguments.length;
  const table = checkTable(t, 1, count);
  const call = checkFunction(f, 2, count);
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
    const result = first(callFromNative(call, key, table.get(key)));
    if (result !== undefined) return result;
    spend(1);
  }
  return NOTHING;
}

function* foreachSuspendable(t: LuaValue, f: LuaValue): Suspendable {
  const count = arguments.length;
  const table = checkTable(t, 1, count);
  const call = checkFunction(f, 2, count);
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
    const result = first(yield callRequest(call, [key, table.get(key)]));
    if (result !== undefined) return result;
    spend(1);
  }
  return NOTHING;
}

function foreachi(t: LuaValue, f: LuaValue): LuaResult {
  const count = arguments.length;
  const table = checkTable(t, 1, count);
  const size = table.length();
  const call = checkFunction(f, 2, count);
  for (let i = 1; i <= size; i++) {
    const result = first(callFromNative(call, i, table.get(i)));
    if (result !== undefined) return result;
    spend(1);
  }
  return NOTHING;
}

function* foreachiSuspendable(t: LuaValue, f: LuaValue): Suspendable {
  const count = arguments.length;
  const table = checkTable(t, 1, count);
  const size = table.length();
  const call = checkFunction(f, 2, count);
  for (let i = 1; i <= size; i++) {
    const result = first(yield callRequest(call, [i, table.get(i)]));
    if (result !== undefined) return result;
    spend(1);
  }
  return NOTHING;
}

function sortTable(t: LuaValue, comparator: LuaValue): LuaResult {
  const count = arguments.length;
  const table = checkTable(t, 1, count);
  const size = table.length();
  if (comparator !== undefined) {
    const call = checkFunction(comparator, 2, count);
    sort(table, (a, b) => isTrue(callFromNative(call, a, b)), [1, size]);
  } else if (!sortPlain(table, size)) sort(table, less, [1, size]);
  return NOTHING;
}

function* sortTableSuspendable(t: LuaValue, comparator: LuaValue): Suspendable {
  const count = arguments.length;
  const table = checkTable(t, 1, count);
  const size = table.length();
  if (comparator !== undefined) {
    const call = checkFunction(comparator, 2, count);
    // A quick comparator never has to be left half-way, and is called at full speed.
    if (runsDirect(call)) yield* sortInParts(table, size, (a, b) => isTrue(callFromNative(call, a, b)));
    else yield* sortSuspendable(table, size, asked(call));
  } else if (!sortPlain(table, size)) {
    if (isPlain(table, size)) yield* sortInParts(table, size, less);
    else yield* sortSuspendable(table, size, lessSuspendable);
  }
  return NOTHING;
}

/** Pauses between two parts, not within. */
function* sortInParts(table: LuaTable, size: number, less: Less): Generator<Request, void, LuaResult> {
  const waiting = [1, size];
  while (!sort(table, less, waiting, shouldPause)) yield new Pause();
}

/** Whether comparing the elements calls no metamethod. */
function isPlain(table: LuaTable, size: number): boolean {
  for (let i = 1; i <= size; i++) {
    const kind = typeof table.get(i);
    if (kind !== 'number' && kind !== 'string') return false;
  }
  return true;
}

function asked(comparator: LuaFunction): SuspendableLess {
  return function* (a, b) {
    return isTrue(yield callRequest(comparator, [a, b]));
  };
}

function isTrue(result: LuaResult): boolean {
  if (typeof result === 'boolean') return result;
  const value = first(result);
  return value !== undefined && value !== false;
}

const less: Less = (a, b) => {
  checkComparable(a, b);
  return lessThan(a, b);
};

const lessSuspendable: SuspendableLess = (a, b) => {
  checkComparable(a, b);
  return lessThanG(a, b);
};

// lessThan would name the place of the call; in a function of C there is none.
function checkComparable(a: LuaValue, b: LuaValue): void {
  const kind = typeof a;
  if (kind === typeof b && (kind === 'number' || kind === 'string')) return;
  const x = typeName(a);
  const y = typeName(b);
  if (x !== y) throw new LuaError(`attempt to compare ${x} with ${y}`);
  const handler = metamethod(a, '__lt');
  if (handler === undefined || handler !== metamethod(b, '__lt')) {
    throw new LuaError(`attempt to compare two ${x} values`);
  }
}
