// What follows from a spec row, one function per derived fact, so that nothing is written twice: flag bits for
// the dispatcher, ACL categories, legacy key positions, the keys of an actual call.
import type { CommandRow, Flag, Group, KeySpec } from './spec.ts';

/** Flags as bits: what dispatch asks on every command. */
export const Bit = {
  write: 1,
  readonly: 2,
  denyoom: 4,
  noscript: 8,
  blocking: 16,
  loading: 32,
  stale: 64,
  noAuth: 128,
  noMulti: 256,
  allowBusy: 512,
  immediate: 1024,
  mayReplicate: 2048,
  control: 4096,
  /** Allowed to a RESP2 connection with subscriptions. */
  subscriber: 8192,
  fast: 16384,
  protected: 32768,
} as const;

const FLAG_BITS: Partial<Record<Flag, number>> = {
  write: Bit.write,
  readonly: Bit.readonly,
  denyoom: Bit.denyoom,
  noscript: Bit.noscript,
  blocking: Bit.blocking,
  loading: Bit.loading,
  stale: Bit.stale,
  no_auth: Bit.noAuth,
  no_multi: Bit.noMulti,
  allow_busy: Bit.allowBusy,
  may_replicate: Bit.mayReplicate,
  fast: Bit.fast,
  protected: Bit.protected,
};

export function flagBits(row: CommandRow): number {
  let bits = 0;
  for (const flag of row.flags) bits |= FLAG_BITS[flag] ?? 0;
  if (row.immediate) bits |= Bit.immediate;
  if (row.control !== undefined) bits |= Bit.control;
  if (row.subscriber) bits |= Bit.subscriber;
  return bits;
}

const GROUP_CATEGORY: Partial<Record<Group, string>> = {
  string: 'string',
  bitmap: 'bitmap',
  generic: 'keyspace',
  hash: 'hash',
  list: 'list',
  set: 'set',
  'sorted-set': 'sortedset',
  pubsub: 'pubsub',
  transactions: 'transaction',
  connection: 'connection',
  scripting: 'scripting',
  stream: 'stream',
  geo: 'geo',
  hyperloglog: 'hyperloglog',
};

/** Order in which Redis prints categories (its table order). */
const CATEGORY_ORDER = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
];

/** ACL categories without `@`, in Redis' order: the row's own plus those that its group and flags imply. */
export function aclCategories(row: CommandRow): string[] {
  const found = new Set(row.categories ?? []);
  const group = GROUP_CATEGORY[row.group];
  // A container that does nothing by itself has no category of its own; SORT is generic and yet no `keyspace`.
  const runs = row.run !== undefined || row.control !== undefined;
  if (group !== undefined && runs && !found.has(`-${group}`)) found.add(group);
  const has = (flag: Flag): boolean => row.flags.includes(flag);
  if (has('write')) found.add('write');
  if (has('readonly') && !found.has('scripting')) found.add('read');
  if (has('admin')) {
    found.add('admin');
    found.add('dangerous');
  }
  if (has('pubsub')) found.add('pubsub');
  if (has('blocking')) found.add('blocking');
  found.add(has('fast') ? 'fast' : 'slow');
  return [...found]
    .filter((name) => !name.startsWith('-'))
    .sort((a, b) => CATEGORY_ORDER.indexOf(a) - CATEGORY_ORDER.indexOf(b));
}

/** first key, last key, step: the legacy triple of COMMAND INFO, from the key specs of range type. */
export function legacyKeys(row: CommandRow): [first: number, last: number, step: number] {
  let first = 0;
  let last = 0;
  let step = 0;
  for (const spec of row.keys ?? []) {
    if (spec.begin === null || !('index' in spec.begin)) continue;
    if (spec.find === null || !('last' in spec.find)) continue;
    const from = spec.begin.index;
    const to = spec.find.last >= 0 ? from + spec.find.last : spec.find.last;
    if (first === 0 || from < first) {
      first = from;
      step = spec.find.step;
    }
    if (last === 0 || to < 0 || (last >= 0 && to > last)) last = to;
  }
  return [first, last, step];
}

/** Do the key specs need the arguments (numkeys, keywords), so that the triple cannot tell all keys? */
export function hasMovableKeys(row: CommandRow): boolean {
  if (row.keyPositions !== undefined) return true;
  return (row.keys ?? []).some(
    (spec) => spec.begin === null || !('index' in spec.begin) || spec.find === null || !('last' in spec.find),
  );
}

export interface KeyPosition {
  readonly at: number;
  readonly flags: readonly string[];
}

/** Where the keys of a call stand; null when the arguments do not fit the command's grammar. */
export function keyPositions(row: CommandRow, args: readonly string[]): KeyPosition[] | null {
  if (row.keyPositions !== undefined) return row.keyPositions(args);
  const found: KeyPosition[] = [];
  for (const spec of row.keys ?? []) {
    const flags = row.keyFlags?.(args) ?? spec.flags;
    if (spec.flags.includes('not_key')) continue;
    const first = beginOf(spec, args);
    if (first === null) continue;
    if (spec.find === null) continue;
    if ('last' in spec.find) {
      let last = spec.find.last >= 0 ? first + spec.find.last : args.length + spec.find.last;
      if (spec.find.limit > 1 && spec.find.last === -1) {
        last = first + Math.floor((args.length - first) / spec.find.limit) - 1;
      }
      if (last >= args.length) return null;
      for (let at = first; at <= last; at += spec.find.step) found.push({ at, flags });
    } else {
      const countAt = first + spec.find.keynum;
      const count = countAt < args.length ? Number(args[countAt]) : Number.NaN;
      const start = first + spec.find.first;
      if (!Number.isInteger(count) || count < 0 || start + (count - 1) * spec.find.step >= args.length)
        return null;
      for (let i = 0; i < count; i++) found.push({ at: start + i * spec.find.step, flags });
    }
  }
  return found;
}

function beginOf(spec: KeySpec, args: readonly string[]): number | null {
  if (spec.begin === null) return null;
  if ('index' in spec.begin) return spec.begin.index < args.length ? spec.begin.index : null;
  const { keyword, from } = spec.begin;
  const step = from < 0 ? -1 : 1;
  for (let i = from < 0 ? args.length + from : from; i > 0 && i < args.length - 1; i += step) {
    if (args[i].toUpperCase() === keyword) return i + 1;
  }
  return null;
}
