// What a keyspace holds, as plain data that tests can compare, and random commands to change it with. Used by the
// property tests of snapshots and rollback beside src/keyspace.
import fc from 'fast-check';
import type { Engine } from '../../src/engine/engine.ts';
import type { Session } from '../../src/engine/session.ts';
import { HashValue } from '../../src/keyspace/hash-value.ts';
import { ListValue } from '../../src/keyspace/list-value.ts';
import { SetValue } from '../../src/keyspace/set-value.ts';
import type { Space } from '../../src/keyspace/space.ts';
import { Collection, type Value } from '../../src/keyspace/values.ts';
import { ZsetValue } from '../../src/keyspace/zset-value.ts';
import type { Reply } from '../../src/resp/reply.ts';

export type Command = readonly string[];

/** Per database: each key with its value and deadline, expired ones that still lie there included. */
export function contents(space: Space): Record<string, unknown>[] {
  return space.dbs.map((db) => {
    const found: [string, unknown][] = [];
    let expires = 0;
    for (const seg of new Set(db.freezeInPlace().directory)) {
      for (let i = 0; i < seg.size; i++) {
        if (seg.deadline(i) !== 0) expires++;
        found.push([seg.keys[i], [describe(seg.values[i]), seg.deadline(i)]]);
      }
    }
    if (db.size !== found.length || db.expires !== expires) {
      throw new Error(`${db.size} keys, ${db.expires} with a deadline, but ${found.length} and ${expires}`);
    }
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function describe(value: Value): unknown {
  if (!(value instanceof Collection)) return value;
  return [value.encoding(), ...elements(value)];
}

function elements(value: Collection): unknown[] {
  if (value instanceof ListValue) return value.slice(0, value.size);
  if (value instanceof SetValue) return value.members();
  if (value instanceof HashValue) {
    return Array.from({ length: value.size }, (_, i) => [value.fieldAt(i), value.valueAt(i)]);
  }
  if (value instanceof ZsetValue) {
    const found: unknown[] = [];
    value.forEach(0, value.size, false, (member, score) => found.push([member, score]));
    return found;
  }
  return [String(value)];
}

/** A session without a transport. Its pushes stay in `takePushes()`, or come to `pushed`. */
export function bareSession(engine: Engine, pushed: Reply[] = []): Session {
  const info = {
    address: '',
    localAddress: '',
    fd: -1,
    local: true,
    trusted: true,
    queryBuffer: () => 0,
    outputBuffer: () => 0,
  };
  return engine.connect({ info, reply: () => {}, push: (message) => pushed.push(message), close: () => {} });
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const element = fc.constantFrom('1', '2', '3', 'x', 'y', '');
const db = fc.constantFrom('0', '1', '2');

function line(...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string[]> {
  return fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)));
}

/** Commands that change something, all of them without chance, over few keys in three databases. */
export const anyWrite: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: line('SET', key, element) },
  line('SET', key, element, 'PX', fc.constantFrom('1', '5', '1000')),
  line('APPEND', key, element),
  line('SETRANGE', key, '2', element),
  line('INCR', key),
  line('SETBIT', key, '9', '1'),
  { weight: 2, arbitrary: line('RPUSH', key, element, element) },
  line('LPUSH', key, element),
  line('LPOP', key),
  line('LSET', key, '0', element),
  line('LREM', key, '0', element),
  line('RPOPLPUSH', key, key),
  { weight: 2, arbitrary: line('SADD', key, element, element) },
  line('SREM', key, element),
  line('SMOVE', key, key, element),
  line('SUNIONSTORE', key, key, key),
  { weight: 2, arbitrary: line('HSET', key, element, element) },
  line('HDEL', key, element),
  line('HINCRBY', key, element, '1'),
  { weight: 2, arbitrary: line('ZADD', key, '1', element, '2', element) },
  line('ZINCRBY', key, '1', element),
  line('ZREM', key, element),
  line('ZPOPMIN', key),
  { weight: 2, arbitrary: line('DEL', key) },
  { weight: 2, arbitrary: line('RENAME', key, key) },
  line('COPY', key, key, 'REPLACE'),
  line('COPY', key, key, 'DB', db),
  { weight: 2, arbitrary: line('MOVE', key, db) },
  line('SORT', key, 'ALPHA', 'STORE', key),
  { weight: 2, arbitrary: line('PEXPIRE', key, fc.constantFrom('1', '5', '1000', '-1')) },
  line('PERSIST', key),
  line('GETEX', key, 'PERSIST'),
  { weight: 3, arbitrary: line('SELECT', db) },
  line('SWAPDB', db, db),
  line('FLUSHDB'),
  line('FLUSHALL'),
  line('GET', key),
);
