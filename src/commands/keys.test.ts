import { expect, it } from 'vitest';
import { onEveryTarget, type Plain, type Target } from '../../test/support/targets.ts';
import { VirtualClock } from '../engine/ports.ts';

const SAME = 'ERR source and destination objects are the same';
const NOT_INT = 'ERR value is out of range, value must between -2147483648 and 2147483647';
const NOT_INTEGER = 'ERR value is not an integer or out of range';

const clock = new VirtualClock();

/** Events of the changes that `work` makes, with the database. */
async function eventsOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const events: string[] = [];
  const stop = t.engine.effects.onChanges((changes) => {
    for (const { db, event, key } of changes) events.push(`${db} ${event} ${key}`);
  });
  await work();
  stop();
  return events;
}

/** One key of each type; a collection command tells whether a copy is its own. */
const SAMPLES: [type: string, make: string[], change: string[], read: string[]][] = [
  ['string', ['SET', 'k', 'v'], ['APPEND', 'k', 'w'], ['GET']],
  ['list', ['RPUSH', 'k', 'a', 'b'], ['RPUSH', 'k', 'c'], ['LRANGE', '0', '-1']],
  ['set', ['SADD', 'k', '1', '2'], ['SADD', 'k', '3'], ['SMEMBERS']],
  ['zset', ['ZADD', 'k', '1', 'a'], ['ZADD', 'k', '2', 'b'], ['ZRANGE', '0', '-1']],
  ['hash', ['HSET', 'k', 'f', 'v'], ['HSET', 'k', 'g', 'w'], ['HGETALL']],
];

onEveryTarget(
  'keys',
  (t) => {
    const read = ([name, ...rest]: string[], key: string): Promise<Plain> => t.call(name, key, ...rest);

    // ---- DEL, UNLINK, EXISTS, TYPE, TOUCH

    for (const name of ['DEL', 'UNLINK']) {
      it(`${name} removes what is there and counts it, once`, async () => {
        await t.call('MSET', 'a', '1', 'b', '2', 'c', '3');
        const events = await eventsOf(t, async () => {
          expect(await t.call(name, 'a', 'missing', 'b', 'a')).toBe(2);
        });
        expect(events).toEqual(['0 del a', '0 del b']);
        expect(await t.call('KEYS', '*')).toEqual(['c']);
      });
    }

    it('EXISTS counts a key as often as it is named', async () => {
      await t.call('SET', 'a', '1');
      expect(await t.call('EXISTS', 'a', 'a', 'missing')).toBe(2);
      expect(await t.call('EXISTS', 'missing')).toBe(0);
    });

    it('TYPE names each type, and none', async () => {
      for (const [type, make] of SAMPLES) {
        await t.call('DEL', 'k');
        await t.call(...make);
        expect(await t.call('TYPE', 'k')).toBe(type);
      }
      expect((await t.rich('TYPE', 'missing')).type).toBe('status');
      expect(await t.call('TYPE', 'missing')).toBe('none');
    });

    it('TOUCH counts keys and marks the access, also of a client with NO-TOUCH', async () => {
      await t.call('MSET', 'a', '1', 'b', '2');
      clock.advance(10_000);
      expect(await t.call('OBJECT', 'IDLETIME', 'a')).toBe(10);
      expect(await t.call('TOUCH', 'a', 'missing', 'a')).toBe(2);
      expect(await t.call('OBJECT', 'IDLETIME', 'a')).toBe(0);
      await t.call('CLIENT', 'NO-TOUCH', 'ON');
      await t.call('GET', 'b');
      expect(await t.call('OBJECT', 'IDLETIME', 'b')).toBe(10);
      await t.call('TOUCH', 'b');
      expect(await t.call('OBJECT', 'IDLETIME', 'b')).toBe(0);
    });

    it('reads that do not touch: EXISTS, TYPE, TTL, OBJECT', async () => {
      await t.call('SET', 'a', '1');
      clock.advance(10_000);
      for (const line of ['EXISTS a', 'TYPE a', 'TTL a', 'OBJECT ENCODING a', 'OBJECT REFCOUNT a']) {
        await t.call(...line.split(' '));
      }
      expect(await t.call('OBJECT', 'IDLETIME', 'a')).toBe(10);
    });

    // ---- KEYS, RANDOMKEY, SCAN

    it('KEYS matches globs; * means every key, the empty one too', async () => {
      await t.call('MSET', 'one', '1', 'two', '2', 'three', '3', '', '4', 'a\nb', '5');
      const keys = async (pattern: string) => ((await t.call('KEYS', pattern)) as string[]).sort();
      expect(await keys('*')).toEqual(['', 'a\nb', 'one', 'three', 'two']);
      expect(await keys('t*')).toEqual(['three', 'two']);
      expect(await keys('?[nw]?')).toEqual(['one', 'two']);
      expect(await keys('**')).toEqual(['a\nb', 'one', 'three', 'two']);
      expect(await keys('')).toEqual(['']);
    });

    it('KEYS, RANDOMKEY and SCAN never show a key that is over', async () => {
      t.engine.setActiveExpire(false);
      await t.call('SET', 'k', 'v', 'PX', '5');
      clock.advance(6);
      expect(await t.call('DBSIZE')).toBe(1);
      expect(await t.call('KEYS', '*')).toEqual([]);
      expect(await t.call('SCAN', '0')).toEqual(['0', []]);
      expect(await t.call('RANDOMKEY')).toBe(null);
      expect(await t.call('DBSIZE')).toBe(0);
    });

    it('RANDOMKEY answers one of the keys, null where there is none', async () => {
      expect(await t.call('RANDOMKEY')).toBe(null);
      await t.call('MSET', 'a', '1', 'b', '2');
      const met = new Set<Plain>();
      for (let i = 0; i < 50; i++) met.add(await t.call('RANDOMKEY'));
      expect([...met].sort()).toEqual(['a', 'b']);
    });

    async function scanAll(...options: string[]): Promise<{ keys: string[]; calls: number }> {
      const keys: string[] = [];
      let cursor = '0';
      let calls = 0;
      do {
        const [next, found] = (await t.call('SCAN', cursor, ...options)) as [string, string[]];
        keys.push(...found);
        cursor = next;
        calls++;
      } while (cursor !== '0');
      return { keys: keys.sort(), calls };
    }

    it('SCAN walks all keys in steps of COUNT', async () => {
      const names = Array.from({ length: 250 }, (_, i) => `key:${i}`);
      await t.call('MSET', ...names.flatMap((name) => [name, 'v']));
      const byTen = await scanAll();
      expect(byTen.keys).toEqual(names.sort());
      expect(byTen.calls).toBe(25);
      expect((await scanAll('COUNT', '1000')).calls).toBe(1);
      expect((await scanAll('COUNT', '1')).keys).toEqual(names);
    });

    it('SCAN filters by MATCH and TYPE, and walks on where nothing matches', async () => {
      for (let i = 0; i < 30; i++) await t.call('SET', `s${i}`, 'v');
      await t.call('RPUSH', 'list1', 'a');
      await t.call('RPUSH', 'list2', 'a');
      expect((await scanAll('TYPE', 'list')).keys).toEqual(['list1', 'list2']);
      expect((await scanAll('type', 'LIST', 'MATCH', '*1')).keys).toEqual(['list1']);
      expect((await scanAll('MATCH', 's1*')).keys).toHaveLength(11);
      const none = await scanAll('TYPE', 'nosuchtype');
      expect(none.keys).toEqual([]);
      expect(none.calls).toBeGreaterThan(3);
    });

    it('SCAN purges only what MATCH lets through, whatever its TYPE', async () => {
      t.engine.setActiveExpire(false);
      await t.call('SET', 'live', 'v');
      for (const key of ['over1', 'over2']) await t.call('SET', key, 'v', 'PX', '5');
      clock.advance(6);
      expect(await t.call('SCAN', '0', 'MATCH', 'live')).toEqual(['0', ['live']]);
      expect(await t.call('DBSIZE')).toBe(3);
      expect(await t.call('SCAN', '0', 'MATCH', '*1', 'TYPE', 'list')).toEqual(['0', []]);
      expect(await t.call('DBSIZE')).toBe(2);
      expect(await t.call('SCAN', '0')).toEqual(['0', ['live']]);
      expect(await t.call('DBSIZE')).toBe(1);
    });

    it('SCAN reads, and counts hits and misses, only where TYPE makes it look', async () => {
      t.engine.setActiveExpire(false);
      await t.call('MSET', 'a', '1', 'b', '2');
      await t.call('SET', 'over', 'v', 'PX', '5');
      clock.advance(6);
      const { stats } = t.engine.space;
      const before = [stats.hits, stats.misses];
      await t.call('SCAN', '0', 'MATCH', '?');
      expect([stats.hits, stats.misses]).toEqual(before);
      await t.call('SCAN', '0', 'TYPE', 'list');
      expect([stats.hits, stats.misses]).toEqual([before[0] + 2, before[1] + 1]);
    });

    it('SCAN refuses what is no cursor, no option or no count', async () => {
      expect(await t.fails('SCAN', 'abc')).toBe('ERR invalid cursor');
      expect(await t.fails('SCAN', 'abc', 'FOO')).toBe('ERR invalid cursor');
      expect(await t.fails('SCAN', '0', 'COUNT')).toBe('ERR syntax error');
      expect(await t.fails('SCAN', '0', 'FOO', 'x')).toBe('ERR syntax error');
      expect(await t.fails('SCAN', '0', 'COUNT', '0')).toBe('ERR syntax error');
      expect(await t.fails('SCAN', '0', 'COUNT', 'x')).toBe(NOT_INTEGER);
    });

    // ---- RENAME, RENAMENX

    it('RENAME takes value and deadline along and replaces whatever had the name', async () => {
      for (const [type, make, , show] of SAMPLES) {
        await t.call('FLUSHDB');
        await t.call(...make);
        await t.call('PEXPIRE', 'k', '5000');
        await t.call('SADD', 'to', 'x');
        await t.call('EXPIRE', 'to', '1');
        const value = await read(show, 'k');
        const events = await eventsOf(t, async () => {
          expect(await t.call('RENAME', 'k', 'to')).toBe('OK');
        });
        expect(events).toEqual(['0 rename_from k', '0 rename_to to']);
        expect(await read(show, 'to')).toEqual(value);
        expect([await t.call('TYPE', 'to'), await t.call('PTTL', 'to')]).toEqual([type, 5000]);
        expect(await t.call('EXISTS', 'k')).toBe(0);
      }
    });

    it('RENAME of a key without a deadline clears the one that the name had', async () => {
      await t.call('SET', 'a', '1');
      await t.call('SET', 'b', '2', 'EX', '100');
      await t.call('RENAME', 'a', 'b');
      expect(await t.call('TTL', 'b')).toBe(-1);
    });

    it('RENAME to itself does nothing; of a missing key it is an error', async () => {
      await t.call('SET', 'k', 'v');
      const events = await eventsOf(t, async () => {
        expect(await t.call('RENAME', 'k', 'k')).toBe('OK');
        expect(await t.call('RENAMENX', 'k', 'k')).toBe(0);
      });
      expect(events).toEqual([]);
      expect(await t.fails('RENAME', 'missing', 'k')).toBe('ERR no such key');
      expect(await t.fails('RENAMENX', 'missing', 'missing')).toBe('ERR no such key');
    });

    it('RENAMENX keeps what has the name', async () => {
      await t.call('MSET', 'a', '1', 'b', '2');
      expect(await t.call('RENAMENX', 'a', 'b')).toBe(0);
      expect(await t.call('MGET', 'a', 'b')).toEqual(['1', '2']);
      expect(await t.call('RENAMENX', 'a', 'c')).toBe(1);
      expect(await t.call('MGET', 'a', 'c')).toEqual([null, '1']);
    });

    it('RENAME onto a name that somebody waits for wakes him', async () => {
      const other = await t.connect();
      const popped = other.call('BLPOP', 'wanted', '0');
      await t.call('RPUSH', 'l', 'a', 'b');
      while (t.engine.blockedSessions === 0) await t.call('PING');
      await t.call('RENAME', 'l', 'wanted');
      expect(await popped).toEqual(['wanted', 'a']);
    });

    // ---- COPY, MOVE

    it('COPY makes a value of its own, with the deadline', async () => {
      for (const [type, make, change, show] of SAMPLES) {
        await t.call('FLUSHDB');
        await t.call(...make);
        await t.call('PEXPIRE', 'k', '5000');
        const value = await read(show, 'k');
        const events = await eventsOf(t, async () => {
          expect(await t.call('COPY', 'k', 'to')).toBe(1);
        });
        expect(events).toEqual(['0 copy_to to']);
        await t.call(...change);
        expect(await read(show, 'to')).toEqual(value);
        expect([await t.call('TYPE', 'to'), await t.call('PTTL', 'to')]).toEqual([type, 5000]);
      }
    });

    it('COPY keeps what is there unless REPLACE, and goes to other databases', async () => {
      await t.call('MSET', 'a', '1', 'b', '2');
      expect(await t.call('COPY', 'a', 'b')).toBe(0);
      expect(await t.call('COPY', 'a', 'b', 'REPLACE')).toBe(1);
      expect(await t.call('GET', 'b')).toBe('1');
      expect(await t.call('COPY', 'missing', 'b', 'REPLACE')).toBe(0);
      expect(await t.call('GET', 'b')).toBe('1');
      const events = await eventsOf(t, async () => {
        expect(await t.call('COPY', 'a', 'a', 'DB', '2')).toBe(1);
      });
      expect(events).toEqual(['2 copy_to a']);
      await t.call('SELECT', '2');
      expect(await t.call('GET', 'a')).toBe('1');
      await t.call('SELECT', '0');
    });

    it('COPY checks its arguments before it looks at keys', async () => {
      expect(await t.fails('COPY', 'a', 'a')).toBe(SAME);
      expect(await t.fails('COPY', 'a', 'a', 'DB', '0', 'REPLACE')).toBe(SAME);
      expect(await t.fails('COPY', 'a', 'b', 'DB')).toBe('ERR syntax error');
      expect(await t.fails('COPY', 'a', 'b', 'FOO')).toBe('ERR syntax error');
      expect(await t.fails('COPY', 'a', 'b', 'DB', 'x')).toBe(NOT_INTEGER);
      expect(await t.fails('COPY', 'a', 'b', 'DB', '16')).toBe('ERR DB index is out of range');
      expect(await t.fails('COPY', 'a', 'b', 'DB', '3000000000')).toBe(NOT_INT);
    });

    it('MOVE takes value and deadline to another database, unless the name is taken there', async () => {
      await t.call('SADD', 'k', 'a');
      await t.call('PEXPIRE', 'k', '5000');
      const events = await eventsOf(t, async () => {
        expect(await t.call('MOVE', 'k', '1')).toBe(1);
      });
      expect(events).toEqual(['0 move_from k', '1 move_to k']);
      expect(await t.call('EXISTS', 'k')).toBe(0);
      await t.call('SET', 'k', 'other');
      expect(await t.call('MOVE', 'k', '1')).toBe(0);
      expect(await t.call('MOVE', 'missing', '1')).toBe(0);
      await t.call('SELECT', '1');
      expect(await t.call('SMEMBERS', 'k')).toEqual(['a']);
      expect(await t.call('PTTL', 'k')).toBe(5000);
      await t.call('SELECT', '0');
      expect(await t.call('GET', 'k')).toBe('other');
    });

    it('MOVE refuses its own database and what is none', async () => {
      await t.call('SET', 'k', 'v');
      expect(await t.fails('MOVE', 'k', '0')).toBe(SAME);
      expect(await t.fails('MOVE', 'k', '16')).toBe('ERR DB index is out of range');
      expect(await t.fails('MOVE', 'k', '-1')).toBe('ERR DB index is out of range');
      expect(await t.fails('MOVE', 'k', '1.5')).toBe(NOT_INTEGER);
      expect(await t.fails('MOVE', 'k', '-3000000000')).toBe(NOT_INT);
    });

    // ---- OBJECT

    it('OBJECT ENCODING of strings: int, embstr up to 44 bytes, raw', async () => {
      const encodings: [value: string, encoding: string][] = [
        ['0', 'int'],
        ['-9223372036854775808', 'int'],
        ['9223372036854775807', 'int'],
        ['9223372036854775808', 'embstr'],
        ['007', 'embstr'],
        ['-0', 'embstr'],
        ['1.5', 'embstr'],
        ['', 'embstr'],
        ['x'.repeat(44), 'embstr'],
        ['x'.repeat(45), 'raw'],
      ];
      for (const [value, encoding] of encodings) {
        await t.call('SET', 'k', value);
        expect([value, await t.call('OBJECT', 'ENCODING', 'k')]).toEqual([value, encoding]);
      }
      await t.call('SET', 'k', '1');
      await t.call('INCR', 'k');
      expect(await t.call('OBJECT', 'ENCODING', 'k')).toBe('int');
      await t.call('APPEND', 'k', '1');
      expect(await t.call('OBJECT', 'ENCODING', 'k')).toBe('raw');
    });

    it('OBJECT ENCODING of collections is what the value says', async () => {
      await t.call('RPUSH', 'l', 'a');
      await t.call('SADD', 's', '1');
      await t.call('ZADD', 'z', '1', 'a');
      await t.call('HSET', 'h', 'f', 'v');
      const encodings = await Promise.all(
        ['l', 's', 'z', 'h'].map((key) => t.call('OBJECT', 'ENCODING', key)),
      );
      expect(encodings).toEqual(['listpack', 'intset', 'listpack', 'listpack']);
    });

    it('OBJECT REFCOUNT: small integers are shared', async () => {
      for (const [value, count] of [
        ['0', 2147483647],
        ['9999', 2147483647],
        ['10000', 1],
        ['-1', 1],
        ['01', 1],
        ['text', 1],
      ] as const) {
        await t.call('SET', 'k', value);
        expect([value, await t.call('OBJECT', 'REFCOUNT', 'k')]).toEqual([value, count]);
      }
      await t.call('INCR', 'n');
      expect(await t.call('OBJECT', 'REFCOUNT', 'n')).toBe(2147483647);
    });

    it('OBJECT of a missing key is null, of a missing subcommand an error', async () => {
      for (const sub of ['ENCODING', 'REFCOUNT', 'IDLETIME', 'FREQ']) {
        expect(await t.call('OBJECT', sub, 'missing')).toBe(null);
      }
      expect(await t.fails('OBJECT', 'foo', 'k')).toBe("ERR unknown subcommand 'foo'. Try OBJECT HELP.");
      expect(await t.fails('OBJECT', 'ENCODING')).toBe(
        "ERR wrong number of arguments for 'object|encoding' command",
      );
      expect(((await t.call('OBJECT', 'HELP')) as string[]).join(' ')).toContain('IDLETIME');
    });

    it('OBJECT FREQ and IDLETIME exclude each other', async () => {
      await t.call('SET', 'k', 'v');
      expect(await t.fails('OBJECT', 'FREQ', 'k')).toMatch(
        /^ERR An LFU maxmemory policy is not selected, access frequency not tracked\. Please note/,
      );
      await t.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
      await t.call('SET', 'lfu', 'v');
      expect(await t.call('OBJECT', 'FREQ', 'lfu')).toBe(5);
      expect(await t.fails('OBJECT', 'IDLETIME', 'lfu')).toMatch(
        /^ERR An LFU maxmemory policy is selected, idle time not tracked\. Please note/,
      );
      await t.call('RENAME', 'lfu', 'renamed');
      expect(await t.call('OBJECT', 'FREQ', 'renamed')).toBeGreaterThan(5);
      await t.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    });

    it('the log gets these commands as they were sent', async () => {
      const units: unknown[] = [];
      t.engine.effects.onUnit = (ops) => units.push(ops.map((op) => [op.db, ...op.args]));
      await t.call('SET', 'a', '1');
      await t.call('rename', 'a', 'b');
      await t.call('RENAME', 'b', 'b');
      await t.call('DEL', 'missing');
      await t.call('COPY', 'b', 'c', 'DB', '1');
      await t.call('UNLINK', 'b', 'x');
      t.engine.effects.onUnit = null;
      expect(units).toEqual([
        [[0, 'SET', 'a', '1']],
        [[0, 'rename', 'a', 'b']],
        [[0, 'COPY', 'b', 'c', 'DB', '1']],
        [[0, 'UNLINK', 'b', 'x']],
      ]);
    });
  },
  { clock },
);
