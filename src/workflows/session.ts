// Sessions of users, with an index by user that always agrees. For users; the scripts are lua/session_*.lua.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkJson, checkMs } from './kit/check.ts';
import { type Codec, flag, int, json, list, nullable, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { newRequestId } from './kit/request.ts';
import { makeResult, type Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import {
  session_create_v1,
  session_list_v1,
  session_prune_v1,
  session_read_v1,
  session_revoke_all_v1,
  session_revoke_v1,
  session_rotate_v1,
  session_touch_v1,
} from './lua/scripts.ts';

const head = { replayed: flag, serverTimeMs: int };
const gone = denied(head);
const keys = ['index', 'data'] as const;
const anything: Codec<unknown> = json();

const create = defineScript({
  name: 'session_create',
  version: 1,
  lua: session_create_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { sessionId: text, data: text, ttlMs: int, maxAgeMs: int, maxSessions: int, evict: flag },
  reply: {
    created: ok({ ...head, sessionId: text, expiresAtMs: int, evicted: int }),
    exists: denied(head),
    too_many: denied({ ...head, count: int }),
  },
});

const touch = defineScript({
  name: 'session_touch',
  version: 1,
  lua: session_touch_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { sessionId: text, ttlMs: int, maxAgeMs: int, write: flag, data: text },
  reply: { touched: ok({ ...head, expiresAtMs: int }), saved: ok({ ...head, expiresAtMs: int }), gone },
});

const read = defineScript({
  name: 'session_read',
  version: 1,
  lua: session_read_v1,
  mode: 'read',
  retry: 'always',
  keys,
  args: { sessionId: text },
  reply: {
    found: ok({ serverTimeMs: int, data: anything, createdAtMs: int, expiresAtMs: int }),
    gone: denied({ serverTimeMs: int }),
  },
});

const rotate = defineScript({
  name: 'session_rotate',
  version: 1,
  lua: session_rotate_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { sessionId: text, newId: text },
  reply: { rotated: ok({ ...head, sessionId: text, expiresAtMs: int }), gone, exists: denied(head) },
});

const revoke = defineScript({
  name: 'session_revoke',
  version: 1,
  lua: session_revoke_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { sessionId: text },
  reply: { revoked: ok({ existed: flag }) },
});

const revokeAll = defineScript({
  name: 'session_revoke_all',
  version: 1,
  lua: session_revoke_all_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { except: nullable(text), limit: int },
  reply: { revoked: ok({ count: int, left: int }), partial: ok({ count: int, left: int }) },
});

const listing = defineScript({
  name: 'session_list',
  version: 1,
  lua: session_list_v1,
  mode: 'read',
  retry: 'always',
  keys,
  args: { limit: int, afterMs: nullable(int), after: nullable(text) },
  reply: {
    listed: ok({
      serverTimeMs: int,
      ids: list(text),
      ends: list(int),
      created: list(int),
      data: list(anything),
      more: flag,
    }),
  },
});

const prune = defineScript({
  name: 'session_prune',
  version: 1,
  lua: session_prune_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { limit: int },
  reply: { pruned: ok({ count: int, left: int }), partial: ok({ count: int, left: int }) },
});

export interface SessionOptions {
  /** Keys begin with it. Default `session`. */
  readonly prefix?: string;
  /** A session that is not touched for so long ends, in milliseconds. */
  readonly ttlMs: number;
  /** A session of this age ends, touched or not, in milliseconds. Default: none does. */
  readonly maxAgeMs?: number;
  /** How many live sessions a user may have, 1 to 1000. Default any number. */
  readonly maxSessions?: number;
  /** With `maxSessions`: `refuse` a new one, or `evict` the one that would end first. Default `refuse`. */
  readonly whenFull?: 'refuse' | 'evict';
  /** Longest data, in bytes of JSON. Default 16384. */
  readonly maxDataBytes?: number;
}

export interface CreateOptions extends CallOptions {
  /**
   * The session's id: 1 to 200 letters, digits and `_ - . ~`. Default a random one of 122 bits. Repeat an unknown
   * `create` with the same.
   */
  readonly sessionId?: string;
}

export interface RotateOptions extends CallOptions {
  /** The new id; see {@link CreateOptions}. */
  readonly newId?: string;
}

export interface RevokeAllOptions extends CallOptions {
  /** Keeps this session: "log out everywhere else". */
  readonly except?: string;
  /** How many in one call, 1 to 1000. Default 100. */
  readonly limit?: number;
}

export interface ListOptions extends CallOptions {
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
  /** How many, 1 to 1000. Default 100. */
  readonly limit?: number;
}

/** `created`, with how many others it `evicted`; `exists`: the id is in use; `too_many` with their number. */
export type SessionCreated = Result<OutcomeOf<typeof create.spec.reply>>;
/** `touched` or `saved` with the new end; `gone`: it has ended, was revoked, or never was. */
export type SessionTouched = Result<OutcomeOf<typeof touch.spec.reply>>;
/** `found`, or `gone`. */
export type SessionRead<T> = Result<
  | {
      readonly ok: true;
      readonly status: 'found';
      readonly data: T;
      readonly createdAtMs: number;
      readonly expiresAtMs: number;
    }
  | { readonly ok: false; readonly status: 'gone' }
>;
/** `rotated` with the new id; `gone`; `exists`: the new id is in use. */
export type SessionRotated = Result<OutcomeOf<typeof rotate.spec.reply>>;
/** `revoked`; `existed` says whether it was live until now. */
export type SessionRevoked = Result<OutcomeOf<typeof revoke.spec.reply>>;
/** `revoked`: none is left. `partial`: `left` are, call again. */
export type SessionRevokedAll = Result<OutcomeOf<typeof revokeAll.spec.reply>>;
/** `pruned`: none is left. `partial`: `left` are, call again. */
export type SessionPruned = Result<OutcomeOf<typeof prune.spec.reply>>;

export interface ListedSession<T> {
  readonly sessionId: string;
  readonly data: T;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

type Listing<T> = {
  readonly ok: true;
  readonly status: 'listed';
  readonly sessions: readonly ListedSession<T>[];
  /** For the next page; null where this was the last. */
  readonly nextCursor: string | null;
};
/** `listed`: a page, those that end first first. */
export type SessionList<T> = Result<Listing<T>>;

export interface Session<T> {
  /** Begins a session. Safe to repeat. */
  create(user: string, data: T, options?: CreateOptions): Promise<SessionCreated>;
  /** The data, without touching the session. Safe to repeat. */
  read(user: string, sessionId: string, options?: CallOptions): Promise<SessionRead<T>>;
  /** Gives it its ttl again. Never revives one that is gone. Safe to repeat. */
  touch(user: string, sessionId: string, options?: CallOptions): Promise<SessionTouched>;
  /** New data, and its ttl again; the last writer wins. Safe to repeat. */
  save(user: string, sessionId: string, data: T, options?: CallOptions): Promise<SessionTouched>;
  /** Another id for the same session, as after a login; the old id is gone. Safe to repeat with the same `newId`. */
  rotate(user: string, sessionId: string, options?: RotateOptions): Promise<SessionRotated>;
  /** Ends it. Safe to repeat. */
  revoke(user: string, sessionId: string, options?: CallOptions): Promise<SessionRevoked>;
  /** Ends a user's sessions, at most `limit` in one call. Safe to repeat. */
  revokeAll(user: string, options?: RevokeAllOptions): Promise<SessionRevokedAll>;
  /** A page of a user's live sessions. One that is touched meanwhile may come twice, none is left out. */
  list(user: string, options?: ListOptions): Promise<SessionList<T>>;
  /** Removes ended sessions, at most `limit` in one call (default 100). create() prunes 50 by itself. Safe to repeat. */
  prune(user: string, options?: CallOptions & { readonly limit?: number }): Promise<SessionPruned>;
}

const PAGE = 100;
const MOST = 1000;

/**
 * Sessions and the index of each user's sessions, which always agree. Data is what JSON keeps.
 *
 * ```ts
 * const sessions = session<{ name: string }>(driver, { ttlMs: 1_800_000, maxAgeMs: 86_400_000 });
 * const { sessionId } = (await sessions.create('ada', { name: 'Ada' })).orThrow();
 * ```
 */
export function session<T = unknown>(driver: Driver, options: SessionOptions): Session<T> {
  const prefix = checkPrefix(options.prefix ?? 'session');
  const ttlMs = checkMs('ttlMs', options.ttlMs);
  const maxAgeMs = options.maxAgeMs === undefined ? 0 : checkMs('maxAgeMs', options.maxAgeMs);
  const maxSessions =
    options.maxSessions === undefined ? 0 : checkInt('maxSessions', options.maxSessions, 1, MOST);
  const evict = options.whenFull === 'evict';
  const most = checkInt('maxDataBytes', options.maxDataBytes ?? 16_384, 2, 512 * 1024 * 1024);
  const keysFor = (user: string): { index: string; data: string } => {
    const key = keysOf(prefix, user);
    return { index: key(), data: key('data') };
  };
  const prolong = (user: string, sessionId: string, data: string | null, call?: CallOptions) => {
    const args = { sessionId: checkId(sessionId), ttlMs, maxAgeMs, write: data !== null, data: data ?? '' };
    return touch.run(driver, { keys: keysFor(user), args }, call);
  };

  return {
    async create(user, value, { sessionId = newRequestId(), ...call } = {}) {
      const data = checkJson('the data', value, most);
      const args = { sessionId: checkId(sessionId), data, ttlMs, maxAgeMs, maxSessions, evict };
      return create.run(driver, { keys: keysFor(user), args }, call);
    },

    async read(user, sessionId, call) {
      const args = { sessionId: checkId(sessionId) };
      return (await read.run(driver, { keys: keysFor(user), args }, call)) as unknown as SessionRead<T>;
    },

    async touch(user, sessionId, call) {
      return prolong(user, sessionId, null, call);
    },

    async save(user, sessionId, value, call) {
      return prolong(user, sessionId, checkJson('the data', value, most), call);
    },

    async rotate(user, sessionId, { newId = newRequestId(), ...call } = {}) {
      if (newId === sessionId) throw new AtomicError('BAD_ARGUMENT', 'the new id is the old one');
      const args = { sessionId: checkId(sessionId), newId: checkId(newId) };
      return rotate.run(driver, { keys: keysFor(user), args }, call);
    },

    async revoke(user, sessionId, call) {
      return revoke.run(driver, { keys: keysFor(user), args: { sessionId: checkId(sessionId) } }, call);
    },

    async revokeAll(user, { except, limit = PAGE, ...call } = {}) {
      const args = {
        except: except === undefined ? null : checkId(except),
        limit: checkInt('limit', limit, 1, MOST),
      };
      return revokeAll.run(driver, { keys: keysFor(user), args }, call);
    },

    async list(user, { cursor, limit = PAGE, ...call } = {}) {
      const args = { limit: checkInt('limit', limit, 1, MOST), ...placeOf(cursor) };
      return pageOf<T>(await listing.run(driver, { keys: keysFor(user), args }, call));
    },

    async prune(user, { limit = PAGE, ...call } = {}) {
      const args = { limit: checkInt('limit', limit, 1, MOST) };
      return prune.run(driver, { keys: keysFor(user), args }, call);
    },
  };
}

// What goes into a cookie as it is, and needs no escape in a record.
function checkId(id: string): string {
  if (typeof id === 'string' && /^[\w.~-]{1,200}$/.test(id)) return id;
  throw new AtomicError('BAD_ARGUMENT', 'a session id has 1 to 200 letters, digits and _ - . ~');
}

function placeOf(cursor: string | undefined): { afterMs: number | null; after: string | null } {
  if (cursor === undefined) return { afterMs: null, after: null };
  const place = /^(\d{1,15}):(.+)$/.exec(cursor);
  if (place === null) throw new AtomicError('BAD_ARGUMENT', 'the cursor is none of list()');
  return { afterMs: Number(place[1]), after: checkId(place[2]) };
}

function pageOf<T>(result: Result<OutcomeOf<typeof listing.spec.reply>>): SessionList<T> {
  if (result.status !== 'listed') return result as unknown as SessionList<T>;
  const { ids, ends, created, data, more, meta } = result;
  const sessions = ids.map((sessionId, i) => ({
    sessionId,
    data: data[i] as T,
    createdAtMs: created[i],
    expiresAtMs: ends[i],
  }));
  const last = sessions.at(-1);
  const nextCursor = more && last !== undefined ? `${last.expiresAtMs}:${last.sessionId}` : null;
  return makeResult<Listing<T>>({ ok: true, status: 'listed', sessions, nextCursor }, meta);
}

export const sessionCard = defineWorkflow({
  name: 'session',
  invariant:
    'The index of a user and the sessions agree: what is in one is in the other, and what is gone stays gone.',
  keys: {
    index: {
      pattern: 'prefix:{user}',
      holds: "the user's sessions by the end of their time",
      expires: 'with the last session',
    },
    data: {
      pattern: 'prefix:{user}:data',
      holds: 'created, earlier id and data of each session',
      expires: 'with the last session',
    },
  },
  why: 'A session and its place in the index are two writes, and touching one that was just revoked would revive it.',
  operations: {
    create: { does: 'begins a session', script: create },
    read: { does: 'reads it', script: read },
    touch: { does: 'prolongs it, with new data or not', script: touch },
    rotate: { does: 'gives it another id', script: rotate },
    revoke: { does: 'ends it', script: revoke },
    revokeAll: { does: "ends a user's, so many at a time", script: revokeAll },
    list: { does: 'a page of the live ones', script: listing },
    prune: { does: 'removes ended ones, so many at a time', script: prune },
  },
  bounds: [
    'data of at most maxDataBytes for each session',
    'at most 1000 sessions are touched in one call; create prunes 50 and evicts 100',
  ],
  tests: ['test/workflows/contracts/session.ts', 'test/workflows/clock-leases.test.ts'],
});
