// Lua 5.1's quicksort, comparison by comparison: scripts see which pairs a comparator is asked about, how equal
// elements end up and what a senseless comparator leads to. Called by lib-table.ts.
import { fail } from './errors.ts';
import { charge, spend } from './state.ts';
import type { LuaTable } from './table.ts';
import type { LuaError, LuaResult, LuaValue, Request } from './value.ts';

/** Whether `a` comes before `b`. May change the table and may raise an error. */
export type Less = (a: LuaValue, b: LuaValue) => boolean;
export type SuspendableLess = (a: LuaValue, b: LuaValue) => Generator<Request, boolean, LuaResult>;

/**
 * Sorts elements 1 to `count`.
 * @param waiting parts that wait, as pairs of ends; the smaller half always goes first, so there are few
 * @param giveWay asked now and then whether to stop
 * @returns false where it stopped; call it again to go on
 */
export function sort(
  table: LuaTable,
  less: Less,
  waiting: number[],
  giveWay: (() => boolean) | null = null,
): boolean {
  while (waiting.length > 0) {
    const high = waiting.pop() as number;
    const low = waiting.pop() as number;
    if (low >= high) continue;
    spend(high - low);
    // First, middle and last element into order.
    let first = table.get(low);
    const last = table.get(high);
    if (less(last, first)) {
      table.set(low, last);
      table.set(high, first);
    }
    if (high - low === 1) continue;
    let i = (low + high) >>> 1;
    const middle = table.get(i);
    first = table.get(low);
    if (less(middle, first)) {
      table.set(i, first);
      table.set(low, middle);
    } else {
      const end = table.get(high);
      if (less(end, middle)) {
        table.set(i, end);
        table.set(high, middle);
      }
    }
    if (high - low === 2) continue;
    // The middle one is the pivot and waits beside the last.
    const pivot = table.get(i);
    table.set(i, table.get(high - 1));
    table.set(high - 1, pivot);
    i = low;
    let j = high - 1;
    for (;;) {
      let big = table.get(++i);
      while (less(big, pivot)) {
        if (i > high) throw invalidOrder();
        big = table.get(++i);
      }
      let small = table.get(--j);
      while (less(pivot, small)) {
        if (j < low) throw invalidOrder();
        small = table.get(--j);
      }
      if (j < i) break;
      table.set(i, small);
      table.set(j, big);
    }
    endPart(table, waiting, low, i, high);
    if (giveWay?.()) return false;
  }
  return true;
}

/** {@link sort} where the comparator may be suspended. */
export function* sortSuspendable(
  table: LuaTable,
  count: number,
  less: SuspendableLess,
): Generator<Request, void, LuaResult> {
  // Parts that wait, as pairs of ends. The smaller half always goes first, so there are few.
  const waiting = [1, count];
  while (waiting.length > 0) {
    const high = waiting.pop() as number;
    const low = waiting.pop() as number;
    if (low >= high) continue;
    spend(high - low);
    // First, middle and last element into order.
    let first = table.get(low);
    const last = table.get(high);
    if (yield* less(last, first)) {
      table.set(low, last);
      table.set(high, first);
    }
    if (high - low === 1) continue;
    let i = (low + high) >>> 1;
    const middle = table.get(i);
    first = table.get(low);
    if (yield* less(middle, first)) {
      table.set(i, first);
      table.set(low, middle);
    } else {
      const end = table.get(high);
      if (yield* less(end, middle)) {
        table.set(i, end);
        table.set(high, middle);
      }
    }
    if (high - low === 2) continue;
    // The middle one is the pivot and waits beside the last.
    const pivot = table.get(i);
    table.set(i, table.get(high - 1));
    table.set(high - 1, pivot);
    i = low;
    let j = high - 1;
    for (;;) {
      let big = table.get(++i);
      while (yield* less(big, pivot)) {
        if (i > high) throw invalidOrder();
        big = table.get(++i);
      }
      let small = table.get(--j);
      while (yield* less(pivot, small)) {
        if (j < low) throw invalidOrder();
        small = table.get(--j);
      }
      if (j < i) break;
      table.set(i, small);
      table.set(j, big);
    }
    endPart(table, waiting, low, i, high);
  }
}

// The pivot goes between the halves.
function endPart(table: LuaTable, waiting: number[], low: number, i: number, high: number): void {
  const pivot = table.get(high - 1);
  const displaced = table.get(i);
  table.set(high - 1, displaced);
  table.set(i, pivot);
  if (i - low < high - i) waiting.push(i + 1, high, low, i - 1);
  else waiting.push(low, i - 1, i + 1, high);
}

function invalidOrder(): LuaError {
  return fail('invalid order function for sorting');
}

/** Elements from which {@link sortPlain} is worth its preparations; with as many, Lua is sure to write. */
const PLAIN_FROM = 12;

/**
 * Sorts elements 1 to `count` by `<` where nobody can see how: numbers (no NaN, no -0) or strings, no holes.
 * @returns false where they are something else; then nothing was done
 */
export function sortPlain(table: LuaTable, count: number): boolean {
  const items = count < PLAIN_FROM ? null : table.dense(count);
  if (items === null) return false;
  const sorted = typeof items[1] === 'string' ? sortedStrings(items, count) : sortedNumbers(items, count);
  if (sorted === null) return false;
  table.writable();
  for (let i = 0; i < count; i++) items[i + 1] = sorted[i];
  return true;
}

function sortedNumbers(items: readonly LuaValue[], count: number): Int32Array | Float64Array | null {
  let integers = true;
  for (let i = 1; i <= count; i++) {
    const item = items[i];
    if (typeof item !== 'number' || Number.isNaN(item) || Object.is(item, -0)) return null;
    if ((item | 0) !== item) integers = false;
  }
  payFor(count, 8);
  const copy = integers ? new Int32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) copy[i] = items[i + 1] as number;
  return copy.sort();
}

function sortedStrings(items: readonly LuaValue[], count: number): LuaValue[] | null {
  for (let i = 1; i <= count; i++) if (typeof items[i] !== 'string') return null;
  payFor(count, 16);
  // Compares by char codes, and those are bytes.
  return items.slice(1, count + 1).sort();
}

function payFor(count: number, bytes: number): void {
  spend(count * Math.ceil(Math.log2(count)));
  if (count > 4096) charge(count * bytes);
}
