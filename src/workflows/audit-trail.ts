// A state with a trail: every committed change of its fields has one entry, numbered and dated by the server. For users;
// the scripts are lua/audit_trail_*.lua.
import { defineWorkflow } from './kit/card.ts';
import { type Codec, flag, int, list, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { audit_trail_change_v1, audit_trail_read_v1, audit_trail_state_v1 } from './lua/scripts.ts';

/** One change: what it did, and what the caller said about it. */
export interface AuditEntry {
  /** 1 for the first change of an id, and one more for each. */
  readonly number: number;
  /** When, by the server's clock, in Unix milliseconds. */
  readonly atMs: number;
  /** The fields that got a value, or null for those that were removed. */
  readonly set: Readonly<Record<string, string | null>>;
  /** Who, why, from where: whatever the caller gave. */
  readonly entry: unknown;
}

const entry: Codec<AuditEntry> = {
  kind: 'entry',
  encode: neverSent,
  decode(answer, where) {
    const [, number, atMs, body] = /^(\d+) (\d+) ([\s\S]*)$/.exec(text.decode(answer, where)) ?? [];
    if (body === undefined) throw new AtomicError('REPLY_SHAPE', `${where} is no entry of a trail`);
    const { set, entry } = JSON.parse(body) as Pick<AuditEntry, 'set' | 'entry'>;
    return { number: int.decode(number, where), atMs: int.decode(atMs, where), set, entry };
  },
};

const fields: Codec<Readonly<Record<string, string>>> = {
  kind: 'fields',
  encode: neverSent,
  decode(answer, where) {
    const words = list(text).decode(answer, where);
    const pairs = words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1]] as const] : []));
    return Object.fromEntries(pairs);
  },
};

const change = defineScript({
  name: 'audit_trail_change',
  version: 1,
  lua: audit_trail_change_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['state', 'trail', 'number', 'request[]'],
  args: {
    maxEntries: int,
    maxFields: int,
    requestTtlMs: int,
    body: text,
    fields: list(text),
    values: list(text),
    removed: list(text),
  },
  reply: {
    changed: ok({ replayed: flag, serverTimeMs: int, number: int }),
    too_many_fields: denied({ replayed: flag, maxFields: int }),
    request_reused: denied({ replayed: flag }),
  },
});
const read = defineScript({
  name: 'audit_trail_read',
  version: 1,
  lua: audit_trail_read_v1,
  mode: 'read',
  retry: 'always',
  keys: ['trail', 'number'],
  args: { after: int, limit: int },
  reply: {
    partial: ok({ lastNumber: int, missed: int, entries: list(entry) }),
    done: ok({ lastNumber: int, missed: int, entries: list(entry) }),
  },
});
const state = defineScript({
  name: 'audit_trail_state',
  version: 1,
  lua: audit_trail_state_v1,
  mode: 'read',
  retry: 'always',
  keys: ['state', 'number'],
  args: {},
  reply: { state: ok({ number: int, fields }) },
});

export interface AuditTrailOptions {
  /** Keys begin with it. Default `audit`. */
  readonly prefix?: string;
  /** How many entries of an id are kept, the newest. Default 1000, at most 1,000,000. */
  readonly maxEntries?: number;
  /** How many fields an id may have. Default and most 1000. */
  readonly maxFields?: number;
  /** How long a request id is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

/** `changed` with the number of the change; `too_many_fields`, and nothing changed; `request_reused`. */
export type ChangeResult = Result<OutcomeOf<typeof change.spec.reply>>;
/** Entries, oldest first; `partial` where there are more; `missed` is how many asked for were dropped already. */
export type TrailPage = Result<OutcomeOf<typeof read.spec.reply>>;
/** The fields, and the number of the change that they come from. */
export type StateResult = Result<OutcomeOf<typeof state.spec.reply>>;

export interface AuditTrail {
  /**
   * Sets fields, removes those that are null, and writes the entry. At most 100 fields; what is set and the entry, which
   * JSON must be able to hold, come to at most 65,536 characters. Safe to repeat with a request id, otherwise not.
   */
  change(
    id: string,
    set: Readonly<Record<string, string | null>>,
    entry: unknown,
    options?: RequestOptions,
  ): Promise<ChangeResult>;
  /** The entries behind the number `after` (default 0: from the oldest), `limit` of them (default 100, at most 1000). */
  read(
    id: string,
    page?: { readonly after?: number; readonly limit?: number },
    options?: CallOptions,
  ): Promise<TrailPage>;
  /** The state now. */
  state(id: string, options?: CallOptions): Promise<StateResult>;
}

/**
 * A state whose every change leaves an entry.
 *
 * ```ts
 * const accounts = auditTrail(driver, { prefix: 'accounts' });
 * await accounts.change('7', { plan: 'pro', trial: null }, { by: 'ada', why: 'upgrade' });
 * const { entries } = (await accounts.read('7')).orThrow();
 * ```
 */
export function auditTrail(driver: Driver, options: AuditTrailOptions = {}): AuditTrail {
  const prefix = checkPrefix(options.prefix ?? 'audit');
  const maxEntries = checkInt(options.maxEntries ?? 1000, 'maxEntries', 1, 1_000_000);
  const maxFields = checkInt(options.maxFields ?? 1000, 'maxFields', 1, 1000);
  const ttl = options.requestTtlMs ?? REQUEST_TTL_MS;
  const requestTtlMs = checkInt(ttl, 'requestTtlMs', 1, Number.MAX_SAFE_INTEGER);
  const keysFor = (id: string) => {
    const key = keysOf(prefix, id);
    return { key, state: key(), trail: key('trail'), number: key('number') };
  };
  return {
    async change(id, set, entry, request) {
      const { key, ...places } = keysFor(id);
      const ids =
        request?.requestId === undefined ? [] : [key(`request:${checkRequestId(request.requestId)}`)];
      const args = { maxEntries, maxFields, requestTtlMs, ...wordsOf(set, entry) };
      return change.run(driver, { keys: { ...places, request: ids }, args }, request);
    },
    async read(id, { after = 0, limit = 100 } = {}, call) {
      checkInt(after, 'after', 0, Number.MAX_SAFE_INTEGER - 1);
      checkInt(limit, 'limit', 1, 1000);
      return read.run(driver, { keys: keysFor(id), args: { after, limit } }, call);
    },
    async state(id, call) {
      return state.run(driver, { keys: keysFor(id), args: {} }, call);
    },
  };
}

/** Fields of one change. */
const MOST_FIELDS = 100;
/** Characters of one entry. */
const LONGEST_ENTRY = 65_536;

function wordsOf(set: Readonly<Record<string, string | null>>, entry: unknown) {
  const all = Object.entries(set ?? {});
  if (all.length === 0 || all.length > MOST_FIELDS) bad(`a change has 1 to ${MOST_FIELDS} fields`);
  for (const [field, value] of all) {
    if (field === '') bad('a field has a name');
    if (value !== null && typeof value !== 'string') bad('a value is a string, or null to remove the field');
  }
  const body = bodyOf(set, entry);
  const kept = all.filter((pair): pair is [string, string] => pair[1] !== null);
  return {
    body,
    fields: kept.map(([field]) => field),
    values: kept.map(([, value]) => value),
    removed: all.flatMap(([field, value]) => (value === null ? [field] : [])),
  };
}

function bodyOf(set: Readonly<Record<string, string | null>>, entry: unknown): string {
  let body: string;
  try {
    if (JSON.stringify(entry) === undefined) bad('an entry must be something that JSON can hold');
    body = JSON.stringify({ set, entry });
  } catch (cause) {
    if (cause instanceof AtomicError) throw cause;
    throw new AtomicError('BAD_ARGUMENT', 'an entry must be something that JSON can hold', { cause });
  }
  return body.length <= LONGEST_ENTRY ? body : bad(`a change has at most ${LONGEST_ENTRY} characters`);
}

function checkInt(value: number, name: string, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  return bad(`${name} must be an integer from ${least} to ${most}`);
}

function neverSent(_value: unknown, where: string): never {
  return bad(`${where} only comes in replies`);
}

function bad(message: string): never {
  throw new AtomicError('BAD_ARGUMENT', message);
}

export const auditTrailCard = defineWorkflow({
  name: 'auditTrail',
  invariant:
    'Every committed change has one entry, in the order of the changes; the newest maxEntries are kept.',
  keys: {
    state: { pattern: 'prefix:{id}', holds: 'the fields', expires: 'never' },
    trail: { pattern: 'prefix:{id}:trail', holds: 'the entries, oldest first', expires: 'never' },
    number: { pattern: 'prefix:{id}:number', holds: 'how many changes there were', expires: 'never' },
    request: {
      pattern: 'prefix:{id}:request:requestId',
      holds: 'the number of the change that a request made',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'MULTI could do both, but not number the entry, bound the fields or recognise a repetition.',
  operations: {
    change: { does: 'changes fields and writes the entry', script: change },
    read: { does: 'reads a page of the trail', script: read },
    state: { does: 'reads the fields', script: state },
  },
  bounds: [
    'maxEntries entries of at most 65,536 characters, maxFields fields for each id',
    'at most 100 fields in a change, at most 1000 entries in a page',
    'one record for each request id, for requestTtlMs',
  ],
  tests: ['test/workflows/contracts/audit-trail.ts'],
});
