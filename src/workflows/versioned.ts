// Values with versions, and with fences: what is old never overwrites what is newer. For users; the scripts are
// lua/versioned_*.lua.

import { defineWorkflow } from './kit/card.ts';
import { checkBytes, checkInt, checkMs } from './kit/check.ts';
import { flag, int, int64, nullable, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import {
  versioned_cas_v1,
  versioned_read_fenced_v1,
  versioned_read_v1,
  versioned_write_v1,
} from './lua/scripts.ts';

const fenced = denied({ replayed: flag, fence: int });
const lifetimes = { ttlMs: int, floorTtlMs: int, fence: nullable(int) };

const write = defineScript({
  name: 'versioned_write',
  version: 1,
  lua: versioned_write_v1,
  mode: 'write',
  retry: 'always',
  keys: ['value', 'floor'],
  args: { version: int64, remove: flag, value: text, ...lifetimes },
  reply: {
    written: ok({ replayed: flag, version: int64 }),
    stale: denied({ replayed: flag, version: int64 }),
    fenced,
  },
});

const cas = defineScript({
  name: 'versioned_cas',
  version: 1,
  lua: versioned_cas_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['value', 'floor', 'request[]'],
  args: { expected: nullable(int64), next: int64, value: text, ...lifetimes, requestTtlMs: int },
  reply: {
    written: ok({ replayed: flag, version: int64 }),
    conflict: denied({ replayed: flag, version: nullable(int64) }),
    fenced,
    request_reused: denied({ replayed: flag }),
  },
});

const seen = {
  found: ok({ value: text, version: int64 }),
  missing: denied({ version: nullable(int64), removed: flag }),
};

const read = defineScript({
  name: 'versioned_read',
  version: 1,
  lua: versioned_read_v1,
  mode: 'read',
  retry: 'always',
  keys: ['value', 'floor'],
  args: {},
  reply: seen,
});

// Writes, for it remembers the greatest fence.
const readFenced = defineScript({
  name: 'versioned_read_fenced',
  version: 1,
  lua: versioned_read_fenced_v1,
  mode: 'write',
  retry: 'always',
  keys: ['value', 'floor'],
  args: { fence: int, floorTtlMs: int },
  reply: { ...seen, fenced: denied({ fence: int }) },
});

export interface VersionedOptions {
  /** Keys begin with it. Default `versioned`. */
  readonly prefix?: string;
  /** How long a value lives after it was written, in milliseconds. Default for ever. */
  readonly ttlMs?: number;
  /**
   * How long the last version and the greatest fence are remembered after the last write, in milliseconds; only with
   * `ttlMs`, and at least twice as long. When it is over, an old version would be taken again. Default for ever.
   */
  readonly floorTtlMs?: number;
  /** Every call must have a fence. Default false: then calls without one are not checked for it. */
  readonly fenced?: boolean;
  /** Longest value, in bytes. Default one mebibyte. */
  readonly maxValueBytes?: number;
  /** How long a request id of compareAndSet is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

export interface FenceOptions extends CallOptions {
  /** As a lock gave it. Once a greater one has been seen here, by a write or a read, this one is refused. */
  readonly fence?: number;
}

export interface CompareOptions extends RequestOptions {
  /** The version that the caller has seen; null for none at all. */
  readonly expected: bigint | null;
  /** As a lock gave it. */
  readonly fence?: number;
}

/**
 * `written` with the version; `stale` with the newer version, or the same with another value; `fenced` with the greater
 * fence.
 */
export type VersionedWritten = Result<OutcomeOf<typeof write.spec.reply>>;
/** `written` with the new version; `conflict` with the one there is, null for none; `fenced`; `request_reused`. */
export type VersionedCompared = Result<OutcomeOf<typeof cas.spec.reply>>;
/**
 * `found`; `missing` with the last version there was, and whether it was removed (otherwise it has expired); `fenced`
 * with the greater fence.
 */
export type VersionedRead = Result<OutcomeOf<typeof readFenced.spec.reply>>;

export interface Versioned {
  /** Writes unless a newer version has been there. The same again changes nothing. Safe to repeat. */
  write(id: string, value: string, version: bigint, options?: FenceOptions): Promise<VersionedWritten>;
  /** Removes, as of this version: older ones do not come back. Safe to repeat. */
  remove(id: string, version: bigint, options?: FenceOptions): Promise<VersionedWritten>;
  /** Writes as version `expected + 1` (1 where none is expected), if `expected` is the last. Safe with a request id. */
  compareAndSet(id: string, value: string, options: CompareOptions): Promise<VersionedCompared>;
  /** The value with its version. Safe to repeat. */
  read(id: string, options?: FenceOptions): Promise<VersionedRead>;
}

const NONE = 0;

/**
 * Values whose versions only go up, compared as integers of 64 bits.
 *
 * ```ts
 * const profiles = versioned(driver, { prefix: 'profile', ttlMs: 3_600_000 });
 * await profiles.write('7', JSON.stringify(row), row.version);
 * ```
 */
export function versioned(driver: Driver, options: VersionedOptions = {}): Versioned {
  const prefix = checkPrefix(options.prefix ?? 'versioned');
  const { ttlMs, floorTtlMs } = options;
  if (ttlMs !== undefined) checkMs('ttlMs', ttlMs);
  if (floorTtlMs !== undefined) {
    if (ttlMs === undefined)
      throw new AtomicError('BAD_ARGUMENT', 'floorTtlMs without ttlMs: values would outlive it');
    checkMs('floorTtlMs', floorTtlMs, 2 * ttlMs);
  }
  const most = checkInt('maxValueBytes', options.maxValueBytes ?? 1_048_576, 0, 512 * 1024 * 1024);
  const requestTtlMs = checkMs('requestTtlMs', options.requestTtlMs ?? REQUEST_TTL_MS);
  const kept = { ttlMs: ttlMs ?? NONE, floorTtlMs: floorTtlMs ?? NONE };

  const places = (id: string): { value: string; floor: string } => {
    const key = keysOf(prefix, id);
    return { value: key(), floor: key('floor') };
  };
  const fenceOf = (fence: number | undefined): number | null => {
    if (fence !== undefined) return checkInt('fence', fence, 0, Number.MAX_SAFE_INTEGER);
    if (options.fenced) throw new AtomicError('BAD_ARGUMENT', 'a fence is needed here');
    return null;
  };

  return {
    async write(id, value, version, { fence, ...call } = {}) {
      checkBytes('the value', value, most);
      const args = { version, remove: false, value, ...kept, fence: fenceOf(fence) };
      return write.run(driver, { keys: places(id), args }, call);
    },

    async remove(id, version, { fence, ...call } = {}) {
      const args = { version, remove: true, value: '', ...kept, fence: fenceOf(fence) };
      return write.run(driver, { keys: places(id), args }, call);
    },

    async compareAndSet(id, value, { expected, fence, ...call }) {
      checkBytes('the value', value, most);
      if (expected !== null && typeof expected !== 'bigint') {
        throw new AtomicError('BAD_ARGUMENT', 'expected must be a bigint or null');
      }
      const request =
        call.requestId === undefined ? [] : [keysOf(prefix, id)(`request:${checkRequestId(call.requestId)}`)];
      const next = expected === null ? 1n : expected + 1n;
      const args = { expected, next, value, ...kept, fence: fenceOf(fence), requestTtlMs };
      return cas.run(driver, { keys: { ...places(id), request }, args }, call);
    },

    async read(id, { fence, ...call } = {}) {
      const checked = fenceOf(fence);
      if (checked === null)
        return (await read.run(driver, { keys: places(id), args: {} }, call)) as VersionedRead;
      const args = { fence: checked, floorTtlMs: kept.floorTtlMs };
      return readFenced.run(driver, { keys: places(id), args }, call);
    },
  };
}

export const versionedCard = defineWorkflow({
  name: 'versioned',
  invariant: 'A version is never overwritten by a smaller one, also after its value has expired.',
  keys: {
    value: {
      pattern: 'prefix:{id}',
      holds: 'the value and its version',
      expires: 'ttlMs after the last write, or never',
    },
    floor: {
      pattern: 'prefix:{id}:floor',
      holds: 'the last version, whether it was a removal, the greatest fence',
      expires: 'floorTtlMs after the last use, or never',
    },
    request: {
      pattern: 'prefix:{id}:request:requestId',
      holds: 'what a compareAndSet was answered',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'Comparing with what is there and writing must be one step; WATCH would do it in three round trips and repeat them.',
  operations: {
    write: { does: 'writes or removes, unless a newer one was there', script: write },
    compareAndSet: { does: 'writes the next version of the expected one', script: cas },
    read: { does: 'reads', script: read },
    readFenced: { does: 'reads under a fence, and remembers it', script: readFenced },
  },
  bounds: [
    'a value of at most maxValueBytes',
    'a floor of some 150 bytes for each id, which stays by default',
  ],
  tests: ['test/workflows/contracts/versioned.ts', 'test/workflows/clock-leases.test.ts'],
});
