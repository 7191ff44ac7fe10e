// Keys and their hash slots: how a workflow names its keys so that all of an operation lie in one slot, and the checks
// that refuse the others before anything is sent. Used by every workflow and by kit/script.ts and kit/transaction.ts.
import { hashSlot } from '../../data/crc16.ts';
import { utf8Encode } from '../../resp/bytes.ts';
import { AtomicError } from './errors.ts';

/** The part of a key that decides its slot: what stands in its first non-empty braces, or all of it. */
export function hashTag(key: string): string {
  const open = key.indexOf('{');
  if (open < 0) return key;
  const close = key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

/** Slot of a key, 0 to 16383, as Cluster has it. */
export function slotOf(key: string): number {
  return hashSlot(utf8Encode(key));
}

/**
 * The keys of one thing: `prefix:{id}` and, for each part, `prefix:{id}:part`. What is in the braces is the id, so they
 * share a slot whatever the id is: braces in it are written as %7B and %7D.
 */
export function keysOf(prefix: string, id: string): (part?: string) => string {
  const base = `${prefix}:{${tagOf(id)}}`;
  return (part) => (part === undefined ? base : `${base}:${part}`);
}

/** An id as it stands between braces. @throws AtomicError BAD_ARGUMENT where it is empty or long */
export function tagOf(id: string): string {
  if (typeof id !== 'string' || id === '') throw new AtomicError('BAD_ARGUMENT', 'an id must not be empty');
  if (id.length > 512) throw new AtomicError('BAD_ARGUMENT', 'an id has at most 512 characters');
  return /[%{}]/.test(id) ? id.replace(/[%{}]/g, (c) => ESCAPED[c]) : id;
}

/** A prefix of keys must not hold braces, or it would decide the slot. @throws AtomicError BAD_ARGUMENT */
export function checkPrefix(prefix: string): string {
  if (prefix === '' || /[{}]/.test(prefix)) {
    throw new AtomicError('BAD_ARGUMENT', 'a prefix has at least one character and no braces');
  }
  return prefix;
}

const ESCAPED: Readonly<Record<string, string>> = { '%': '%25', '{': '%7B', '}': '%7D' };

/**
 * Refuses keys that do not share a slot. Names, not keys, go into the message: it may end in a log.
 * @throws AtomicError CROSS_SLOT
 */
export function checkOneSlot(keys: readonly string[], names: readonly string[]): void {
  if (keys.length < 2) return;
  const tag = hashTag(keys[0]);
  for (let i = 1; i < keys.length; i++) {
    if (hashTag(keys[i]) !== tag && slotOf(keys[i]) !== slotOf(keys[0])) throw crossSlot(keys, names);
  }
}

function crossSlot(keys: readonly string[], names: readonly string[]): AtomicError {
  const places = keys.map((key, i) => `${names[i] ?? names.at(-1)} in ${slotOf(key)}`);
  const shown = places.length > 6 ? [...places.slice(0, 6), `${places.length - 6} more`] : places;
  return new AtomicError(
    'CROSS_SLOT',
    `the keys lie in several hash slots (${shown.join(', ')}): give them one hash tag, as in order:{42} and stock:{42}`,
  );
}

/**
 * Why a hash tag would put all load on one slot, or '' for one that looks like an id. For advice, not for refusal.
 */
export function hotTag(key: string): string {
  const tag = hashTag(key);
  if (tag === key) return '';
  if (
    /^(?:global|all|shared|default|main|common|today|now|current|app|prod|production|test|v\d+)$/i.test(tag)
  ) {
    return `the hash tag {${tag}} is one for everybody: all these keys lie in slot ${slotOf(key)}`;
  }
  if (/^\d{4}-?\d\d(?:-?\d\d)?(?:T\d\d.*)?$/.test(tag)) {
    return `the hash tag is a date: all keys of that time lie in slot ${slotOf(key)}`;
  }
  return '';
}
