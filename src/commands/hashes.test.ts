import { expect, it } from 'vitest';
import { onEveryTarget, type Plain, type Target } from '../../test/support/targets.ts';
import type { Collection } from '../keyspace/values.ts';

const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const MAX = '9223372036854775807';

function encodingOf(t: Target, key: string): string {
  return (t.engine.space.dbs[0].peek(key) as Collection).encoding();
}

/** Events of the changes that `work` makes. */
async function eventsOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const events: string[] = [];
  const stop = t.engine.effects.onChanges((changes) => {
    for (const { event, key } of changes) events.push(`${event} ${key}`);
  });
  await work();
  stop();
  return events;
}

/** Does a command change the watched key `h`? */
async function dirties(t: Target, ...command: (string | number)[]): Promise<boolean> {
  const other = await t.connect();
  await other.call('WATCH', 'h');
  await t.call(...command);
  return (await other.exec([['PING']])) === null;
}

/** HSET with `count` fields f0… of values v0…. */
function fill(t: Target, count: number): Promise<Plain> {
  const args: string[] = [];
  for (let i = 0; i < count; i++) args.push(`f${i}`, `v${i}`);
  return t.call('HSET', 'h', ...args);
}

onEveryTarget(
  'hashes',
  (t) => {
    it('HSET counts new fields, HMSET answers OK', async () => {
      expect(await t.call('HSET', 'h', 'a', '1', 'b', '2')).toBe(2);
      expect(await t.call('HSET', 'h', 'a', '3', 'c', '4', 'c', '5')).toBe(1);
      expect(await t.call('HMSET', 'h', 'd', '6')).toBe('OK');
      expect(await t.call('HGETALL', 'h')).toEqual(['a', '3', 'b', '2', 'c', '5', 'd', '6']);
    });

    it('HSET and HMSET want pairs, and say so under their own name', async () => {
      expect(await t.fails('HSET', 'h', 'a', '1', 'b')).toBe(
        "ERR wrong number of arguments for 'hset' command",
      );
      expect(await t.fails('HMSET', 'h', 'a', '1', 'b')).toBe(
        "ERR wrong number of arguments for 'hmset' command",
      );
      expect(await t.call('HLEN', 'h')).toBe(0);
      // The table cannot tell, so the command is queued and fails when it runs.
      expect(await t.exec([['HSET', 'h', 'a', '1', 'b']])).toEqual([
        { error: "ERR wrong number of arguments for 'hset' command" },
      ]);
    });

    it('HSETNX sets only what is missing', async () => {
      expect(await t.call('HSETNX', 'h', 'a', '1')).toBe(1);
      expect(await t.call('HSETNX', 'h', 'a', '2')).toBe(0);
      expect(await t.call('HGET', 'h', 'a')).toBe('1');
    });

    it('reads fields, lengths and presence', async () => {
      await t.call('HSET', 'h', 'a', 'x\0\xff', 'n', '-12');
      expect(await t.call('HGET', 'h', 'a')).toBe('x\0\xff');
      expect(await t.call('HGET', 'h', 'z')).toBe(null);
      expect(await t.call('HMGET', 'h', 'n', 'z', 'n')).toEqual(['-12', null, '-12']);
      expect(await t.call('HSTRLEN', 'h', 'a')).toBe(3);
      expect(await t.call('HSTRLEN', 'h', 'z')).toBe(0);
      expect([await t.call('HEXISTS', 'h', 'a'), await t.call('HEXISTS', 'h', 'z')]).toEqual([1, 0]);
      expect(await t.call('HKEYS', 'h')).toEqual(['a', 'n']);
      expect(await t.call('HVALS', 'h')).toEqual(['x\0\xff', '-12']);
    });

    it('a missing hash is an empty one', async () => {
      expect(await t.call('HGET', 'h', 'a')).toBe(null);
      expect(await t.call('HMGET', 'h', 'a', 'b')).toEqual([null, null]);
      expect(await t.call('HGETALL', 'h')).toEqual([]);
      expect(await t.call('HKEYS', 'h')).toEqual([]);
      expect(await t.call('HDEL', 'h', 'a')).toBe(0);
      expect(await t.call('HRANDFIELD', 'h')).toBe(null);
      expect(await t.call('HRANDFIELD', 'h', '3', 'WITHVALUES')).toEqual([]);
      expect(await t.call('HSCAN', 'h', '0', 'nonsense')).toEqual(['0', []]);
      expect(t.engine.space.dbs[0].exists('h')).toBe(false);
    });

    it('HGETALL is a map in RESP3', async () => {
      await t.call('HSET', 'h', 'a', '1');
      expect((await t.rich('HGETALL', 'h')).type).toBe(t.protocol === 3 ? 'map' : 'array');
      expect((await t.rich('HGETALL', 'none')).type).toBe(t.protocol === 3 ? 'map' : 'array');
      expect((await t.rich('HKEYS', 'h')).type).toBe('array');
    });

    it('HDEL removes fields, and the key with the last', async () => {
      await t.call('HSET', 'h', 'a', '1', 'b', '2', 'c', '3');
      expect(await t.call('HDEL', 'h', 'a', 'a', 'x')).toBe(1);
      expect(await t.call('HDEL', 'h', 'b', 'c')).toBe(2);
      expect(t.engine.space.dbs[0].exists('h')).toBe(false);
    });

    it('refuses other types before anything else can go wrong', async () => {
      await t.call('SET', 's', 'x');
      for (const command of [
        'HSET s a 1',
        'HSETNX s a 1',
        'HGET s a',
        'HMGET s a',
        'HGETALL s',
        'HDEL s a',
        'HLEN s',
      ]) {
        expect(await t.fails(...command.split(' '))).toBe(WRONGTYPE);
      }
      for (const command of [
        'HSTRLEN s a',
        'HEXISTS s a',
        'HKEYS s',
        'HVALS s',
        'HINCRBY s a 1',
        'HINCRBYFLOAT s a 1',
      ]) {
        expect(await t.fails(...command.split(' '))).toBe(WRONGTYPE);
      }
      expect(await t.fails('HRANDFIELD', 's')).toBe(WRONGTYPE);
      expect(await t.fails('HSCAN', 's', '0', 'nonsense')).toBe(WRONGTYPE);
      // Arguments that are parsed before the key is looked up.
      expect(await t.fails('HINCRBY', 's', 'a', 'x')).toBe('ERR value is not an integer or out of range');
      expect(await t.fails('HINCRBYFLOAT', 's', 'a', 'x')).toBe('ERR value is not a valid float');
      expect(await t.fails('HRANDFIELD', 's', 'x')).toBe('ERR value is not an integer or out of range');
      expect(await t.fails('HSCAN', 's', 'x')).toBe('ERR invalid cursor');
    });

    it('HINCRBY is exact over all 64 bits', async () => {
      expect(await t.call('HINCRBY', 'h', 'n', '5')).toBe(5);
      expect(await t.call('HINCRBY', 'h', 'n', '-7')).toBe(-2);
      await t.call('HSET', 'h', 'n', '9007199254740991');
      await t.call('HINCRBY', 'h', 'n', '2');
      expect(await t.call('HGET', 'h', 'n')).toBe('9007199254740993');
      await t.call('HSET', 'h', 'n', '-9223372036854775808');
      await t.call('HINCRBY', 'h', 'n', MAX);
      expect(await t.call('HGET', 'h', 'n')).toBe('-1');
    });

    it('HINCRBY refuses what is no integer and what would overflow', async () => {
      await t.call('HSET', 'h', 'n', MAX, 's', '1.5', 'space', ' 1');
      expect(await t.fails('HINCRBY', 'h', 'n', '1')).toBe('ERR increment or decrement would overflow');
      expect(await t.fails('HINCRBY', 'h', 's', '1')).toBe('ERR hash value is not an integer');
      expect(await t.fails('HINCRBY', 'h', 'space', '1')).toBe('ERR hash value is not an integer');
      expect(await t.fails('HINCRBY', 'h', 'n', '9223372036854775808')).toBe(
        'ERR value is not an integer or out of range',
      );
      expect(await t.call('HGET', 'h', 'n')).toBe(MAX);
    });

    it('HINCRBYFLOAT adds as long double does', async () => {
      expect(await t.call('HINCRBYFLOAT', 'h', 'f', '0.1')).toBe('0.1');
      expect(await t.call('HINCRBYFLOAT', 'h', 'f', '0.2')).toBe('0.3');
      expect(await t.call('HINCRBYFLOAT', 'h', 'f', '-5.0e3')).toBe('-4999.70000000000000018');
      expect(await t.call('HINCRBYFLOAT', 'h', 'g', '0x10')).toBe('16');
      await t.call('HSET', 'h', 's', 'abc', 'i', 'inf');
      expect(await t.fails('HINCRBYFLOAT', 'h', 's', '1')).toBe('ERR hash value is not a float');
      expect(await t.fails('HINCRBYFLOAT', 'h', 'i', '1')).toBe(
        'ERR increment would produce NaN or Infinity',
      );
      expect(await t.fails('HINCRBYFLOAT', 'h', 'f', 'inf')).toBe('ERR value is NaN or Infinity');
      expect(await t.fails('HINCRBYFLOAT', 'h', 'f', 'nan')).toBe('ERR value is not a valid float');
      expect(await t.fails('HINCRBYFLOAT', 'h', 'f', '1 ')).toBe('ERR value is not a valid float');
    });

    it('is a listpack in insertion order until it grows, also after removals and updates', async () => {
      await fill(t, 128);
      expect(encodingOf(t, 'h')).toBe('listpack');
      await t.call('HDEL', 'h', 'f0', 'f64');
      await t.call('HSET', 'h', 'f1', 'new', 'f0', 'last');
      const keys = (await t.call('HKEYS', 'h')) as string[];
      expect(keys.slice(0, 3)).toEqual(['f1', 'f2', 'f3']);
      expect(keys.slice(-2)).toEqual(['f127', 'f0']);
      await t.call('HSET', 'h', 'x', '1', 'y', '2');
      expect(encodingOf(t, 'h')).toBe('hashtable');
      await t.call('HDEL', 'h', ...keys);
      expect(encodingOf(t, 'h')).toBe('hashtable');
      expect(await t.call('HLEN', 'h')).toBe(2);
    });

    it('a long field, a long value or too many arguments at once convert it', async () => {
      await t.call('HSET', 'h', 'f', 'v'.repeat(64));
      expect(encodingOf(t, 'h')).toBe('listpack');
      await t.call('HSET', 'h', 'f', 'v'.repeat(65));
      expect(encodingOf(t, 'h')).toBe('hashtable');
      await t.call('HSETNX', 'h2', 'f'.repeat(65), 'v');
      expect(encodingOf(t, 'h2')).toBe('hashtable');
      await t.call('HINCRBY', 'h3', 'f'.repeat(65), '1');
      expect(encodingOf(t, 'h3')).toBe('hashtable');
      const same = Array.from({ length: 129 }, () => ['f', 'v']).flat();
      expect(await t.call('HSET', 'h4', ...same)).toBe(1);
      expect(encodingOf(t, 'h4')).toBe('hashtable');
    });

    it('announces changes, and only changes', async () => {
      expect(
        await eventsOf(t, async () => {
          await t.call('HSET', 'h', 'a', '1', 'b', '2');
          await t.call('HMSET', 'h', 'a', '1');
          await t.call('HSETNX', 'h', 'a', '2');
          await t.call('HSETNX', 'h', 'c', '2');
          await t.call('HINCRBY', 'h', 'c', '0');
          await t.call('HINCRBYFLOAT', 'h', 'c', '1.5');
          await t.call('HDEL', 'h', 'x');
          await t.call('HDEL', 'h', 'a');
          await t.call('HDEL', 'h', 'b', 'c');
        }),
      ).toEqual(['hset h', 'hset h', 'hset h', 'hincrby h', 'hincrbyfloat h', 'hdel h', 'hdel h', 'del h']);
    });

    it('dirties WATCH by writing, also the same value, and not by a write without effect', async () => {
      await t.call('HSET', 'h', 'a', '1');
      expect(await dirties(t, 'HSET', 'h', 'a', '1')).toBe(true);
      expect(await dirties(t, 'HSETNX', 'h', 'a', '1')).toBe(false);
      expect(await dirties(t, 'HDEL', 'h', 'z')).toBe(false);
      expect(await dirties(t, 'HGETALL', 'h')).toBe(false);
      expect(await dirties(t, 'HDEL', 'h', 'a')).toBe(true);
    });

    it('logs the result of HINCRBYFLOAT, and other commands as they came', async () => {
      const logged: (readonly string[])[] = [];
      t.engine.effects.onUnit = (ops) => logged.push(...ops.map((op) => op.args));
      await t.call('hSet', 'h', 'f', '1');
      await t.call('HINCRBYFLOAT', 'h', 'f', '0.5');
      await t.call('HDEL', 'h', 'none');
      t.engine.effects.onUnit = null;
      expect(logged).toEqual([
        ['hSet', 'h', 'f', '1'],
        ['HSET', 'h', 'f', '1.5'],
      ]);
    });

    it('HRANDFIELD gives one, several different, or any with repetition', async () => {
      await t.call('HSET', 'h', 'a', '1', 'b', '2', 'c', '3');
      expect(['a', 'b', 'c']).toContain(await t.call('HRANDFIELD', 'h'));
      expect(await t.call('HRANDFIELD', 'h', '0')).toEqual([]);
      expect(await t.call('HRANDFIELD', 'h', '99')).toEqual(['a', 'b', 'c']);
      const two = (await t.call('HRANDFIELD', 'h', '2')) as string[];
      expect(two).toHaveLength(2);
      // Different, and in the listpack's order.
      expect(two[0] < two[1]).toBe(true);
      const many = (await t.call('HRANDFIELD', 'h', '-100')) as string[];
      expect(many).toHaveLength(100);
      expect(new Set(many)).toEqual(new Set(['a', 'b', 'c']));
      expect(await t.call('HRANDFIELD', 'h', '3', 'withvalues')).toEqual(
        t.protocol === 3
          ? [
              ['a', '1'],
              ['b', '2'],
              ['c', '3'],
            ]
          : ['a', '1', 'b', '2', 'c', '3'],
      );
    });

    it('HRANDFIELD chooses each field about equally often', async () => {
      await fill(t, 200);
      const seen = new Map<string, number>();
      for (let i = 0; i < 200; i++) {
        for (const count of ['20', '150']) {
          const fields = (await t.call('HRANDFIELD', 'h', count)) as string[];
          expect(new Set(fields).size).toBe(Number(count));
          for (const field of fields) seen.set(field, (seen.get(field) ?? 0) + 1);
        }
      }
      // 170 draws expected of each, with a standard deviation below 8.
      expect(seen.size).toBe(200);
      expect(Math.min(...seen.values())).toBeGreaterThan(120);
      expect(Math.max(...seen.values())).toBeLessThan(220);
    });

    it('HRANDFIELD refuses odd arguments', async () => {
      await t.call('HSET', 'h', 'a', '1');
      expect(await t.fails('HRANDFIELD', 'h', '1', 'x')).toBe('ERR syntax error');
      expect(await t.fails('HRANDFIELD', 'h', '1', 'withvalues', 'x')).toBe('ERR syntax error');
      expect(await t.fails('HRANDFIELD', 'h', '-9223372036854775808')).toBe(
        'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
      );
      expect(await t.call('HRANDFIELD', 'h', MAX)).toEqual(['a']);
      expect(await t.fails('HRANDFIELD', 'h', MAX, 'withvalues')).toBe('ERR value is out of range');
      expect(await t.call('HRANDFIELD', 'h', '4611686018427387903', 'withvalues')).toHaveLength(
        t.protocol === 3 ? 1 : 2,
      );
      expect(await t.fails('HRANDFIELD', 'h', '4611686018427387904', 'withvalues')).toBe(
        'ERR value is out of range',
      );
    });

    it('HSCAN gives a listpack whole, whatever the cursor', async () => {
      await t.call('HSET', 'h', 'a', '1', 'ab', '2', 'c', '3');
      expect(await t.call('HSCAN', 'h', '0', 'COUNT', '1')).toEqual(['0', ['a', '1', 'ab', '2', 'c', '3']]);
      expect(await t.call('HSCAN', 'h', '77', 'match', 'a*')).toEqual(['0', ['a', '1', 'ab', '2']]);
    });

    it('HSCAN walks a hash table in steps and meets every field', async () => {
      await fill(t, 500);
      const met = new Set<string>();
      let calls = 0;
      let cursor = '0';
      do {
        const [next, items] = (await t.call('HSCAN', 'h', cursor, 'COUNT', '50')) as [string, string[]];
        for (let i = 0; i < items.length; i += 2) {
          met.add(items[i]);
          expect(items[i + 1]).toBe(items[i].replace('f', 'v'));
        }
        cursor = next;
        calls++;
        await t.call('HDEL', 'h', `f${calls * 7}`);
      } while (cursor !== '0');
      expect(calls).toBeGreaterThanOrEqual(9);
      for (let i = 0; i < 500; i++) if (i % 7 !== 0 || i > calls * 7) expect(met).toContain(`f${i}`);
    });

    it('HSCAN checks its options', async () => {
      await t.call('HSET', 'h', 'a', '1');
      expect(await t.fails('HSCAN', 'h', '0', 'COUNT', '0')).toBe('ERR syntax error');
      expect(await t.fails('HSCAN', 'h', '0', 'COUNT', 'x')).toBe(
        'ERR value is not an integer or out of range',
      );
      expect(await t.fails('HSCAN', 'h', '0', 'MATCH')).toBe('ERR syntax error');
      expect(await t.fails('HSCAN', 'h', '0', 'TYPE', 'hash')).toBe('ERR syntax error');
      expect(await t.fails('HSCAN', 'h', '0', 'NOVALUES')).toBe('ERR syntax error');
    });
  },
  { config: { 'hash-max-listpack-entries': '128' } },
);
