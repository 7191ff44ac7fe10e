import { expect, it } from 'vitest';
import { onEveryTarget, type Plain, type Target } from '../../test/support/targets.ts';
import { parseEventFlags } from '../keyspace/events.ts';
import type { ZsetValue } from '../keyspace/zset-value.ts';

const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const NOT_INTEGER = 'ERR value is not an integer or out of range';
const NOT_FLOAT = 'ERR value is not a valid float';
const NOT_RANGE = 'ERR min or max is not a float';
const NOT_LEX = 'ERR min or max not valid string range item';

const zsetAt = (t: Target, key: string) => t.engine.space.dbs[0].peek(key) as ZsetValue;
const encoding = (t: Target, key: string) => zsetAt(t, key).encoding();
const flat = (reply: Plain) => (reply as Plain[]).flat();
const all = async (t: Target, key: string) => flat(await t.call('ZRANGE', key, 0, -1, 'WITHSCORES'));
const pairs = (count: number) => Array.from({ length: count }, (_, i) => [i, `m${i}`]).flat();

async function eventsOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const { space } = t.engine;
  const before = [space.eventFlags, space.onEvent] as const;
  space.eventFlags = parseEventFlags('KEA') as number;
  space.onEvent = (_db, event, key) => seen.push(`${event} ${key}`);
  await work();
  [space.eventFlags, space.onEvent] = before;
  return seen;
}

/** Does the command make EXEC of a client that watches `key` fail? */
async function dirties(t: Target, key: string, ...command: (string | number)[]): Promise<boolean> {
  const other = await t.connect();
  await other.call('WATCH', key);
  await t.rich(...command);
  return (await other.exec([['PING']])) === null;
}

onEveryTarget('sorted sets', (t) => {
  it('ZADD counts new members, with CH changed ones too', async () => {
    expect(await t.call('ZADD', 'z', 1, 'a', 2, 'b')).toBe(2);
    expect(await t.call('ZADD', 'z', 1, 'a', 3, 'b', 4, 'c')).toBe(1);
    expect(await t.call('ZADD', 'z', 'ch', 1, 'a', 5, 'b', 6, 'd')).toBe(2);
    expect(await all(t, 'z')).toEqual(['a', '1', 'c', '4', 'b', '5', 'd', '6']);
    expect(await t.call('ZADD', 'z', 7, 'e', 8, 'e')).toBe(1);
    expect(await t.call('ZSCORE', 'z', 'e')).toBe('8');
  });

  it('ZADD NX, XX, GT and LT choose what may change', async () => {
    await t.call('ZADD', 'z', 5, 'a');
    expect(await t.call('ZADD', 'z', 'NX', 'CH', 9, 'a', 1, 'b')).toBe(1);
    expect(await t.call('ZADD', 'z', 'XX', 'CH', 6, 'a', 1, 'new')).toBe(1);
    expect(await t.call('ZADD', 'z', 'GT', 'CH', 5, 'a', 2, 'b', 0, 'c')).toBe(2);
    expect(await t.call('ZADD', 'z', 'XX', 'LT', 'CH', 7, 'a', 1, 'b')).toBe(1);
    expect(await all(t, 'z')).toEqual(['c', '0', 'b', '1', 'a', '6']);
    expect(await t.call('ZADD', 'none', 'XX', 1, 'a')).toBe(0);
    expect(t.engine.space.dbs[0].exists('none')).toBe(false);
  });

  it('ZADD INCR answers the new score, or null when nothing was done', async () => {
    expect(await t.call('ZADD', 'z', 'INCR', 2.5, 'a')).toBe('2.5');
    expect(await t.call('ZADD', 'z', 'incr', 1, 'a')).toBe('3.5');
    expect(await t.call('ZADD', 'z', 'NX', 'INCR', 1, 'a')).toBeNull();
    expect(await t.call('ZADD', 'z', 'GT', 'INCR', -1, 'a')).toBeNull();
    expect(await t.call('ZADD', 'z', 'XX', 'INCR', 1, 'b')).toBeNull();
    expect(await t.call('ZADD', 'none', 'XX', 'INCR', 1, 'b')).toBeNull();
    expect((await t.rich('ZADD', 'z', 'INCR', '0', 'a')).type).toBe(t.protocol === 3 ? 'double' : 'bulk');
  });

  it('ZADD refuses before it changes anything', async () => {
    expect(await t.fails('ZADD', 'z', 1, 'a', 'x', 'b')).toBe(NOT_FLOAT);
    expect(await t.fails('ZADD', 'z', 'nan', 'b')).toBe(NOT_FLOAT);
    expect(await t.fails('ZADD', 'z', '1 ', 'b')).toBe(NOT_FLOAT);
    expect(await t.fails('ZADD', 'z', 1, 'a', 2)).toBe('ERR syntax error');
    expect(await t.fails('ZADD', 'z', 'NX', 'CH')).toBe('ERR syntax error');
    expect(await t.fails('ZADD', 'z', 'NX', 'XX', 1, 'a')).toBe(
      'ERR XX and NX options at the same time are not compatible',
    );
    for (const options of [
      ['GT', 'NX'],
      ['LT', 'NX'],
      ['GT', 'LT'],
    ]) {
      expect(await t.fails('ZADD', 'z', ...options, 1, 'a')).toBe(
        'ERR GT, LT, and/or NX options at the same time are not compatible',
      );
    }
    expect(await t.fails('ZADD', 'z', 'INCR', 1, 'a', 2, 'b')).toBe(
      'ERR INCR option supports a single increment-element pair',
    );
    expect(t.engine.space.dbs[0].size).toBe(0);
    await t.call('SET', 's', 'v');
    expect(await t.fails('ZADD', 's', 'x', 'a')).toBe(NOT_FLOAT);
    expect(await t.fails('ZADD', 's', 1, 'a')).toBe(WRONGTYPE);
  });

  it('reads scores as Redis does and prints the shortest form', async () => {
    const forms: [string, string][] = [
      ['3.0', '3'],
      ['.5', '0.5'],
      ['5.', '5'],
      ['+7', '7'],
      ['0x10', '16'],
      ['1e3', '1000'],
      ['0.1', '0.1'],
      ['-1.25', '-1.25'],
      ['123456789012345', '123456789012345'],
      ['1234.56789', '1234.56789'],
      ['1e20', '1e+20'],
      ['1e-7', '1e-7'],
      ['inf', 'inf'],
      ['-Infinity', '-inf'],
    ];
    for (const [sent, shown] of forms) {
      await t.call('ZADD', 'z', sent, 'm');
      expect(await t.call('ZSCORE', 'z', 'm'), sent).toBe(shown);
    }
  });

  it('ZINCRBY adds, and refuses the sum of both infinities', async () => {
    expect(await t.call('ZINCRBY', 'z', '1.1', 'a')).toBe('1.1');
    expect(await t.call('ZINCRBY', 'z', '2.2', 'a')).toBe('3.3000000000000003');
    expect(await t.call('ZINCRBY', 'z', 'inf', 'a')).toBe('inf');
    expect(await t.fails('ZINCRBY', 'z', '-inf', 'a')).toBe('ERR resulting score is not a number (NaN)');
    expect(await t.call('ZSCORE', 'z', 'a')).toBe('inf');
    expect(await t.fails('ZINCRBY', 'z', 'x', 'a')).toBe(NOT_FLOAT);
  });

  it('keeps the sign of a zero only in a skiplist', async () => {
    await t.call('ZADD', 'z', '-0', 'a');
    expect(await t.call('ZSCORE', 'z', 'a')).toBe('0');
    await t.call('ZADD', 'z', 1, 'x'.repeat(65), '-0', 'b');
    expect(await t.call('ZMSCORE', 'z', 'a', 'b')).toEqual(['0', '-0']);
  });

  it('orders equal scores by bytes', async () => {
    const members = ['b', 'B', '', '\xff', '\0', 'aa', 'a', 'a\0'];
    await t.call('ZADD', 'z', ...members.flatMap((member) => [0, member]));
    const sorted = ['', '\0', 'B', 'a', 'a\0', 'aa', 'b', '\xff'];
    expect(await t.call('ZRANGE', 'z', 0, -1)).toEqual(sorted);
    expect(await t.call('ZREVRANGE', 'z', 0, -1)).toEqual(sorted.reverse());
  });

  it('ZREM removes what is there, and the key with the last member', async () => {
    await t.call('ZADD', 'z', 1, 'a', 2, 'b', 3, 'c');
    expect(await t.call('ZREM', 'z', 'a', 'x', 'a', 'c')).toBe(2);
    expect(await t.call('ZCARD', 'z')).toBe(1);
    expect(await t.call('ZREM', 'z', 'b')).toBe(1);
    expect(await t.call('ZREM', 'z', 'b')).toBe(0);
    expect(t.engine.space.dbs[0].exists('z')).toBe(false);
  });

  it('ZSCORE and ZMSCORE answer null for what is missing', async () => {
    await t.call('ZADD', 'z', 1.5, 'a');
    expect(await t.call('ZSCORE', 'z', 'b')).toBeNull();
    expect(await t.call('ZSCORE', 'none', 'b')).toBeNull();
    expect(await t.call('ZMSCORE', 'z', 'b', 'a')).toEqual([null, '1.5']);
    expect(await t.call('ZMSCORE', 'none', 'b', 'a')).toEqual([null, null]);
    expect((await t.rich('ZSCORE', 'z', 'a')).type).toBe(t.protocol === 3 ? 'double' : 'bulk');
  });

  it('ZRANK and ZREVRANK, with WITHSCORE as of 7.2', async () => {
    await t.call('ZADD', 'z', 1, 'a', 2, 'b', 3, 'c');
    expect(await t.call('ZRANK', 'z', 'c')).toBe(2);
    expect(await t.call('ZREVRANK', 'z', 'c')).toBe(0);
    expect(await t.call('ZRANK', 'z', 'b', 'withscore')).toEqual([1, '2']);
    expect(await t.call('ZREVRANK', 'z', 'a', 'WITHSCORE')).toEqual([2, '1']);
    expect((await t.rich('ZRANK', 'z', 'x')).type).toBe('null');
    const noPair = t.protocol === 3 ? 'null' : 'nullarray';
    expect((await t.rich('ZRANK', 'z', 'x', 'WITHSCORE')).type).toBe(noPair);
    expect((await t.rich('ZREVRANK', 'none', 'x', 'WITHSCORE')).type).toBe(noPair);
    expect(await t.fails('ZRANK', 'z', 'a', 'WITHSCORES')).toBe('ERR syntax error');
    expect(await t.fails('ZREVRANK', 'z', 'a', 'WITHSCORE', 'x')).toBe(
      "ERR wrong number of arguments for 'zrevrank' command",
    );
  });

  it('keeps ranks right in a skiplist while members come, move and go', async () => {
    await t.call('ZADD', 'z', ...pairs(500));
    expect(encoding(t, 'z')).toBe('skiplist');
    expect(await t.call('ZRANK', 'z', 'm300')).toBe(300);
    await t.call('ZREM', 'z', 'm10', 'm20', 'm400');
    expect(await t.call('ZRANK', 'z', 'm300')).toBe(298);
    await t.call('ZADD', 'z', -1, 'm300', 1000, 'm0');
    expect(await t.call('ZRANK', 'z', 'm300')).toBe(0);
    expect(await t.call('ZREVRANK', 'z', 'm0')).toBe(0);
    expect(await t.call('ZRANK', 'z', 'm5')).toBe(5);
  });

  it('turns from listpack to skiplist for good', async () => {
    await t.call('ZADD', 'z', ...pairs(128));
    expect(encoding(t, 'z')).toBe('listpack');
    await t.call('ZADD', 'z', 1, 'one more');
    expect(encoding(t, 'z')).toBe('skiplist');
    await t.call('ZREMRANGEBYRANK', 'z', 1, -1);
    expect(encoding(t, 'z')).toBe('skiplist');
    await t.call('ZADD', 'long', 1, 'x'.repeat(64));
    expect(encoding(t, 'long')).toBe('listpack');
    await t.call('ZADD', 'long', 1, 'x'.repeat(65));
    expect(encoding(t, 'long')).toBe('skiplist');
    // 7.2 goes by the number of pairs, even when they are all the same.
    await t.call('ZADD', 'same', ...Array.from({ length: 129 }, () => [1, 'a']).flat());
    expect(encoding(t, 'same')).toBe('skiplist');
  });

  it('announces what changed, and nothing else', async () => {
    expect(await eventsOf(t, () => t.call('ZADD', 'z', 1, 'a', 2, 'b'))).toEqual(['zadd z']);
    expect(await eventsOf(t, () => t.call('ZADD', 'z', 1, 'a'))).toEqual([]);
    expect(await eventsOf(t, () => t.call('ZINCRBY', 'z', 1, 'a'))).toEqual(['zincr z']);
    expect(await eventsOf(t, () => t.call('ZADD', 'z', 'INCR', 1, 'c'))).toEqual(['zincr z']);
    expect(await eventsOf(t, () => t.call('ZINCRBY', 'z', 0, 'a'))).toEqual([]);
    expect(await eventsOf(t, () => t.call('ZREM', 'z', 'x'))).toEqual([]);
    expect(await eventsOf(t, () => t.call('ZREM', 'z', 'a', 'b', 'c'))).toEqual(['zrem z', 'del z']);
  });

  it('dirties WATCH exactly where something changed', async () => {
    await t.call('ZADD', 'z', 1, 'a', 2, 'b');
    expect(await dirties(t, 'z', 'ZADD', 'z', 1, 'a')).toBe(false);
    expect(await dirties(t, 'z', 'ZADD', 'z', 'NX', 9, 'a')).toBe(false);
    expect(await dirties(t, 'z', 'ZADD', 'z', 'XX', 9, 'new')).toBe(false);
    expect(await dirties(t, 'z', 'ZREM', 'z', 'x')).toBe(false);
    expect(await dirties(t, 'z', 'ZREMRANGEBYSCORE', 'z', 5, 9)).toBe(false);
    expect(await dirties(t, 'z', 'ZPOPMIN', 'z', 0)).toBe(false);
    expect(await dirties(t, 'z', 'ZADD', 'z', 2, 'a')).toBe(true);
    expect(await dirties(t, 'z', 'ZREM', 'z', 'a')).toBe(true);
    expect(await dirties(t, 'z', 'ZRANGESTORE', 'z', 'none', 0, -1)).toBe(true);
    expect(await dirties(t, 'z', 'ZUNIONSTORE', 'z', 1, 'none')).toBe(false);
  });

  it('ZRANDMEMBER answers one, distinct ones or repeated ones', async () => {
    expect(await t.call('ZRANDMEMBER', 'none')).toBeNull();
    expect(await t.call('ZRANDMEMBER', 'none', 3)).toEqual([]);
    for (const size of [20, 600]) {
      await t.call('ZADD', 'z', ...pairs(size));
      const known = new Set(await t.call('ZRANGE', 'z', 0, -1).then((reply) => reply as string[]));
      expect(known.has((await t.call('ZRANDMEMBER', 'z')) as string)).toBe(true);
      expect(await t.call('ZRANDMEMBER', 'z', 0)).toEqual([]);
      for (const count of [1, 5, size - 1, size, size + 9]) {
        const drawn = (await t.call('ZRANDMEMBER', 'z', count)) as string[];
        expect(drawn.length).toBe(Math.min(count, size));
        expect(new Set(drawn).size).toBe(drawn.length);
        expect(drawn.every((member) => known.has(member))).toBe(true);
      }
      expect(((await t.call('ZRANDMEMBER', 'z', -3 * size)) as string[]).length).toBe(3 * size);
      const scored = (await t.call('ZRANDMEMBER', 'z', 4, 'WITHSCORES')) as Plain[];
      expect(scored.length).toBe(t.protocol === 3 ? 4 : 8);
      const [member, score] = flat(scored) as string[];
      expect(member).toBe(`m${score}`);
    }
    expect(await t.fails('ZRANDMEMBER', 'z', 'x')).toBe(NOT_INTEGER);
    expect(await t.fails('ZRANDMEMBER', 'z', '-9223372036854775808')).toBe(
      'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
    );
    expect(await t.fails('ZRANDMEMBER', 'z', '-9223372036854775807', 'WITHSCORES')).toBe(
      'ERR value is out of range',
    );
    expect(await t.fails('ZRANDMEMBER', 'z', 1, 'x')).toBe('ERR syntax error');
    expect(await t.fails('ZRANDMEMBER', 'z', 1, 'WITHSCORES', 'x')).toBe('ERR syntax error');
  });

  it('ZRANDMEMBER reaches every member', async () => {
    await t.call('ZADD', 'z', ...pairs(8));
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++)
      for (const m of (await t.call('ZRANDMEMBER', 'z', 2)) as string[]) seen.add(m);
    expect(seen.size).toBe(8);
  });

  it('ZSCAN answers a small set whole and a big one in steps', async () => {
    await t.call('ZADD', 'small', 1.5, 'a', 2, 'b');
    expect(await t.call('ZSCAN', 'small', 0, 'COUNT', 1)).toEqual(['0', ['a', '1.5', 'b', '2']]);
    expect(await t.call('ZSCAN', 'small', 77, 'MATCH', 'b*')).toEqual(['0', ['b', '2']]);
    expect(await t.call('ZSCAN', 'none', 0)).toEqual(['0', []]);
    await t.call('ZADD', 'big', ...pairs(1000));
    const seen = new Set<string>();
    let cursor = '0';
    let calls = 0;
    do {
      const [next, items] = (await t.call('ZSCAN', 'big', cursor, 'COUNT', 50)) as [string, string[]];
      for (let i = 0; i < items.length; i += 2) {
        expect(items[i]).toBe(`m${items[i + 1]}`);
        seen.add(items[i]);
      }
      // Members that leave on the way must not hide others.
      await t.call('ZREM', 'big', items[0], `m${900 + calls}`);
      cursor = next;
      calls++;
    } while (cursor !== '0');
    expect(calls).toBeGreaterThan(5);
    const left = (await t.call('ZRANGE', 'big', 0, -1)) as string[];
    expect(left.every((member) => seen.has(member))).toBe(true);
    expect(await t.fails('ZSCAN', 'big', 'x')).toBe('ERR invalid cursor');
    expect(await t.fails('ZSCAN', 'big', 0, 'COUNT', 0)).toBe('ERR syntax error');
    expect(await t.fails('ZSCAN', 'big', 0, 'TYPE', 'zset')).toBe('ERR syntax error');
  });

  it('ZSCAN prints the scores of a skiplist with 17 digits, as no other command does', async () => {
    await t.call('ZADD', 'z', 0.1, 'a');
    expect(await t.call('ZSCAN', 'z', 0)).toEqual(['0', ['a', '0.1']]);
    await t.call('ZADD', 'z', 0.1, 'x'.repeat(65));
    const [, items] = (await t.call('ZSCAN', 'z', 0)) as [string, string[]];
    expect(items[items.indexOf('a') + 1]).toBe('0.10000000000000001');
  });

  it('refuses other types', async () => {
    await t.call('SET', 's', 'v');
    for (const command of [
      ['ZINCRBY', 's', 1, 'a'],
      ['ZREM', 's', 'a'],
      ['ZCARD', 's'],
      ['ZSCORE', 's', 'a'],
      ['ZMSCORE', 's', 'a'],
      ['ZRANK', 's', 'a'],
      ['ZRANDMEMBER', 's'],
      ['ZRANDMEMBER', 's', 2],
      ['ZSCAN', 's', 0],
      ['ZCOUNT', 's', 0, 1],
      ['ZLEXCOUNT', 's', '-', '+'],
      ['ZRANGE', 's', 0, 1],
      ['ZRANGESTORE', 'd', 's', 0, 1],
      ['ZREMRANGEBYRANK', 's', 0, 1],
      ['ZREMRANGEBYLEX', 's', '-', '+'],
      ['ZPOPMIN', 's'],
      ['ZPOPMAX', 's', 0],
      ['ZMPOP', 1, 's', 'MIN'],
      ['BZPOPMIN', 's', 0],
      ['ZUNION', 1, 's', 'x'],
      ['ZINTERCARD', 1, 's'],
    ]) {
      expect(await t.fails(...command), command.join(' ')).toBe(WRONGTYPE);
    }
  });
});

onEveryTarget('sorted-set ranges', (t) => {
  it('ZRANGE by rank, from either end', async () => {
    await t.call('ZADD', 'z', 1, 'a', 2, 'b', 3, 'c', 4, 'd');
    expect(await t.call('ZRANGE', 'z', 1, 2)).toEqual(['b', 'c']);
    expect(await t.call('ZRANGE', 'z', -2, 99)).toEqual(['c', 'd']);
    expect(await t.call('ZRANGE', 'z', -99, 0)).toEqual(['a']);
    expect(await t.call('ZRANGE', 'z', 0, 1, 'REV')).toEqual(['d', 'c']);
    expect(await t.call('ZREVRANGE', 'z', -1, -1)).toEqual(['a']);
    expect(await t.call('ZRANGE', 'z', 3, 1)).toEqual([]);
    expect(await t.call('ZRANGE', 'z', 0, -9)).toEqual([]);
    expect(await t.call('ZRANGE', 'z', 0, '9223372036854775807')).toEqual(['a', 'b', 'c', 'd']);
    expect(await t.call('ZRANGE', 'none', 0, -1)).toEqual([]);
    expect(await t.fails('ZRANGE', 'z', 0, '9223372036854775808')).toBe(NOT_INTEGER);
  });

  it('WITHSCORES is flat in RESP2 and pairs in RESP3', async () => {
    await t.call('ZADD', 'z', 1, 'a', 2.5, 'b');
    const expected =
      t.protocol === 3
        ? [
            ['a', '1'],
            ['b', '2.5'],
          ]
        : ['a', '1', 'b', '2.5'];
    expect(await t.call('ZRANGE', 'z', 0, -1, 'WITHSCORES')).toEqual(expected);
    expect(await t.call('ZRANGEBYSCORE', 'z', 0, 9, 'withscores')).toEqual(expected);
    expect(await t.call('ZUNION', 1, 'z', 'WITHSCORES')).toEqual(expected);
  });

  it('ranges by score with open and endless bounds', async () => {
    await t.call('ZADD', 'z', '-inf', 'low', 1, 'a', 2, 'b', 2, 'c', 3, 'd', 'inf', 'high');
    expect(await t.call('ZRANGE', 'z', '(1', 3, 'BYSCORE')).toEqual(['b', 'c', 'd']);
    expect(await t.call('ZRANGEBYSCORE', 'z', '-inf', '(2')).toEqual(['low', 'a']);
    expect(await t.call('ZREVRANGEBYSCORE', 'z', '+inf', '(2')).toEqual(['high', 'd']);
    expect(await t.call('ZRANGE', 'z', 3, 2, 'BYSCORE', 'REV')).toEqual(['d', 'c', 'b']);
    expect(await t.call('ZRANGEBYSCORE', 'z', 3, 2)).toEqual([]);
    expect(await t.call('ZRANGEBYSCORE', 'z', '(2', '(2')).toEqual([]);
    expect(await t.call('ZCOUNT', 'z', '(-inf', '(inf')).toBe(4);
    expect(await t.call('ZCOUNT', 'z', '-inf', 'inf')).toBe(6);
    expect(await t.call('ZCOUNT', 'none', 0, 1)).toBe(0);
    // strtod's freedoms: an empty text is 0, blanks in front, no range check.
    expect(await t.call('ZCOUNT', 'z', '', ' 2')).toBe(3);
    expect(await t.call('ZCOUNT', 'z', '(', '1e400')).toBe(5);
    for (const bad of ['x', '1x', '1 ', 'nan', '((1']) {
      expect(await t.fails('ZCOUNT', 'none', bad, 1), bad).toBe(NOT_RANGE);
      expect(await t.fails('ZRANGE', 'none', 1, bad, 'BYSCORE'), bad).toBe(NOT_RANGE);
      expect(await t.fails('ZREMRANGEBYSCORE', 'none', 1, bad), bad).toBe(NOT_RANGE);
    }
  });

  it('LIMIT skips and cuts; a negative count means all, a negative offset none', async () => {
    await t.call('ZADD', 'z', ...pairs(10));
    expect(await t.call('ZRANGEBYSCORE', 'z', 2, 8, 'LIMIT', 1, 2)).toEqual(['m3', 'm4']);
    expect(await t.call('ZRANGE', 'z', 8, 2, 'BYSCORE', 'REV', 'LIMIT', 1, 2)).toEqual(['m7', 'm6']);
    expect(await t.call('ZRANGEBYSCORE', 'z', 7, 'inf', 'LIMIT', 1, -1)).toEqual(['m8', 'm9']);
    expect(await t.call('ZRANGEBYSCORE', 'z', 7, 'inf', 'LIMIT', -1, 5)).toEqual([]);
    expect(await t.call('ZRANGEBYSCORE', 'z', 7, 'inf', 'LIMIT', 3, 5)).toEqual([]);
    expect(await t.call('ZRANGEBYSCORE', 'z', 7, 'inf', 'LIMIT', 0, 0)).toEqual([]);
    expect(await t.fails('ZRANGEBYSCORE', 'z', 7, 'inf', 'LIMIT', 'x', 0)).toBe(NOT_INTEGER);
    expect(await t.fails('ZRANGEBYSCORE', 'z', 7, 'inf', 'LIMIT', 0)).toBe('ERR syntax error');
    expect(await t.fails('ZRANGE', 'z', 0, 1, 'LIMIT', 0, 1)).toBe(
      'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
    );
  });

  it('ranges by member where scores are equal', async () => {
    for (const [key, more] of [
      ['small', 0],
      ['big', 200],
    ] as const) {
      await t.call('ZADD', key, ...['a', 'b', 'bb', 'c'].flatMap((member) => [0, member]));
      for (let i = 0; i < more; i++) await t.call('ZADD', key, 0, `d${i}`);
      expect(await t.call('ZRANGE', key, '[b', '(c', 'BYLEX')).toEqual(['b', 'bb']);
      expect(await t.call('ZRANGEBYLEX', key, '-', '[b')).toEqual(['a', 'b']);
      expect(await t.call('ZREVRANGEBYLEX', key, '[c', '(a')).toEqual(['c', 'bb', 'b']);
      expect(await t.call('ZREVRANGEBYLEX', key, '[c', '-', 'LIMIT', 1, 2)).toEqual(['bb', 'b']);
      expect(await t.call('ZRANGEBYLEX', key, '(b', '+', 'LIMIT', 1, 1)).toEqual(['c']);
      expect(await t.call('ZRANGEBYLEX', key, '+', '-')).toEqual([]);
      expect(await t.call('ZRANGEBYLEX', key, '(b', '[b')).toEqual([]);
      expect(await t.call('ZLEXCOUNT', key, '-', '+')).toBe(4 + more);
      expect(await t.call('ZLEXCOUNT', key, '(a', '[c')).toBe(3);
      expect(await t.call('ZREMRANGEBYLEX', key, '[b', '(c')).toBe(2);
      expect(await t.call('ZRANGEBYLEX', key, '-', '(d')).toEqual(['a', 'c']);
    }
    for (const bad of ['', 'a', '+a', '-5']) {
      expect(await t.fails('ZLEXCOUNT', 'none', bad, '+'), bad).toBe(NOT_LEX);
      expect(await t.fails('ZRANGEBYLEX', 'none', '-', bad), bad).toBe(NOT_LEX);
      expect(await t.fails('ZREMRANGEBYLEX', 'none', '-', bad), bad).toBe(NOT_LEX);
    }
    expect(await t.fails('ZRANGE', 'none', '-', '+', 'BYLEX', 'WITHSCORES')).toBe(
      'ERR syntax error, WITHSCORES not supported in combination with BYLEX',
    );
  });

  it('takes no option that the older commands do not know', async () => {
    for (const command of ['ZREVRANGE', 'ZRANGEBYSCORE', 'ZRANGEBYLEX']) {
      expect(await t.fails(command, 'z', 0, 1, 'REV')).toBe('ERR syntax error');
      expect(await t.fails(command, 'z', 0, 1, 'BYSCORE')).toBe('ERR syntax error');
    }
    expect(await t.fails('ZRANGE', 'z', 0, 1, 'BYLEX', 'BYSCORE')).toBe('ERR syntax error');
    expect(await t.fails('ZRANGE', 'z', 0, 1, 'REV', 'REV')).toBe('ERR syntax error');
    expect(await t.fails('ZRANGESTORE', 'd', 'z', 0, 1, 'WITHSCORES')).toBe('ERR syntax error');
  });

  it('ZRANGESTORE replaces the destination, or removes it', async () => {
    await t.call('ZADD', 'z', ...pairs(10));
    await t.call('SET', 'd', 'v');
    expect(await t.call('ZRANGESTORE', 'd', 'z', 8, 5, 'BYSCORE', 'REV', 'LIMIT', 1, 2)).toBe(2);
    expect(await all(t, 'd')).toEqual(['m6', '6', 'm7', '7']);
    expect(await t.call('ZRANGESTORE', 'z', 'z', 0, 2)).toBe(3);
    expect(await all(t, 'z')).toEqual(['m0', '0', 'm1', '1', 'm2', '2']);
    expect(await eventsOf(t, () => t.call('ZRANGESTORE', 'd', 'z', 0, 0))).toEqual(['zrangestore d']);
    expect(await eventsOf(t, () => t.call('ZRANGESTORE', 'd', 'z', 9, 9))).toEqual(['del d']);
    expect(await eventsOf(t, () => t.call('ZRANGESTORE', 'd', 'none', 0, 9))).toEqual([]);
    await t.call('ZADD', 'many', ...pairs(300));
    await t.call('ZRANGESTORE', 'd', 'many', 0, 127);
    expect(encoding(t, 'd')).toBe('listpack');
    await t.call('ZRANGESTORE', 'd', 'many', 0, 128);
    expect(encoding(t, 'd')).toBe('skiplist');
  });

  it('ZREMRANGEBY… remove what the ranges find', async () => {
    for (const size of [20, 300]) {
      await t.call('ZADD', 'z', ...pairs(size));
      expect(await t.call('ZREMRANGEBYRANK', 'z', 1, 2)).toBe(2);
      expect(await t.call('ZREMRANGEBYRANK', 'z', -2, -1)).toBe(2);
      expect(await t.call('ZREMRANGEBYRANK', 'z', 5, 4)).toBe(0);
      expect(await t.call('ZREMRANGEBYSCORE', 'z', '(3', 6)).toBe(3);
      expect(await t.call('ZCARD', 'z')).toBe(size - 7);
      expect(await t.call('ZRANGE', 'z', 0, 2)).toEqual(['m0', 'm3', 'm7']);
      expect(await t.call('ZMSCORE', 'z', 'm4', 'm7')).toEqual([null, '7']);
      expect(await eventsOf(t, () => t.call('ZREMRANGEBYSCORE', 'z', '-inf', 'inf'))).toEqual([
        'zremrangebyscore z',
        'del z',
      ]);
    }
    expect(await t.call('ZREMRANGEBYRANK', 'none', 0, -1)).toBe(0);
    expect(await t.fails('ZREMRANGEBYRANK', 'none', 'x', -1)).toBe(NOT_INTEGER);
  });
});
