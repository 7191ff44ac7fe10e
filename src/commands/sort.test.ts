import { expect, it } from 'vitest';
import { onEveryTarget, type Target } from '../../test/support/targets.ts';

const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const NOT_DOUBLE = "ERR One or more scores can't be converted into double";
const SYNTAX = 'ERR syntax error';
const NOT_INTEGER = 'ERR value is not an integer or out of range';

async function eventsOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const events: string[] = [];
  const stop = t.engine.effects.onChanges((changes) => {
    for (const { event, key } of changes) events.push(`${event} ${key}`);
  });
  await work();
  stop();
  return events;
}

onEveryTarget('sort', (t) => {
  it('sorts lists, sets and sorted sets by number', async () => {
    await t.call('RPUSH', 'l', '3', '-1.5', '10', '2', '2');
    await t.call('SADD', 's', '30', '4', '200');
    await t.call('ZADD', 'z', '1', '9', '2', '8', '3', '7');
    expect(await t.call('SORT', 'l')).toEqual(['-1.5', '2', '2', '3', '10']);
    expect(await t.call('SORT', 'l', 'DESC')).toEqual(['10', '3', '2', '2', '-1.5']);
    expect(await t.call('SORT', 's')).toEqual(['4', '30', '200']);
    expect(await t.call('SORT', 'z')).toEqual(['7', '8', '9']);
    expect(await t.call('SORT', 'missing')).toEqual([]);
  });

  it('numbers are what C reads: space in front, hexadecimal, infinity, nothing', async () => {
    await t.call('RPUSH', 'l', '0x10', ' 3', '', 'inf', '-inf', '1e1', '+5');
    expect(await t.call('SORT', 'l')).toEqual(['-inf', '', ' 3', '+5', '1e1', '0x10', 'inf']);
    for (const bad of ['a', '1 ', ' ', 'nan', '1e400', '1e-320', '1,5']) {
      await t.call('DEL', 'l');
      await t.call('RPUSH', 'l', '1', bad);
      expect([bad, await t.fails('SORT', 'l')]).toEqual([bad, NOT_DOUBLE]);
    }
  });

  it('equal numbers are put in the order of their bytes, DESC the other way', async () => {
    await t.call('RPUSH', 'l', '1.0', '1', '01', '1.00');
    expect(await t.call('SORT', 'l')).toEqual(['01', '1', '1.0', '1.00']);
    expect(await t.call('SORT', 'l', 'DESC')).toEqual(['1.00', '1.0', '1', '01']);
  });

  it('ALPHA compares bytes', async () => {
    await t.call('RPUSH', 'l', 'b', 'B', '10', '9', '\xff', 'ab');
    expect(await t.call('SORT', 'l', 'ALPHA')).toEqual(['10', '9', 'B', 'ab', 'b', '\xff']);
    expect(await t.call('SORT', 'l', 'ALPHA', 'DESC')).toEqual(['\xff', 'b', 'ab', 'B', '9', '10']);
    expect(await t.call('SORT', 'l', 'DESC', 'ASC', 'alpha')).toEqual(['10', '9', 'B', 'ab', 'b', '\xff']);
  });

  it('LIMIT takes a part; bounds outside are clamped', async () => {
    await t.call('RPUSH', 'l', '5', '4', '3', '2', '1');
    const limited: [offset: string, count: string, result: string[]][] = [
      ['0', '2', ['1', '2']],
      ['3', '10', ['4', '5']],
      ['-5', '2', ['1', '2']],
      ['1', '-1', ['2', '3', '4', '5']],
      ['1', '-100', ['2', '3', '4', '5']],
      ['2', '0', []],
      ['5', '2', []],
      ['100', '-1', []],
      ['0', '9223372036854775807', ['1', '2', '3', '4', '5']],
      ['-9223372036854775808', '1', ['1']],
    ];
    for (const [offset, count, result] of limited) {
      expect([offset, count, await t.call('SORT', 'l', 'LIMIT', offset, count)]).toEqual([
        offset,
        count,
        result,
      ]);
    }
    expect(await t.call('SORT', 'missing', 'LIMIT', '0', '5')).toEqual([]);
  });

  it('BY looks weights up: keys, fields, missing ones count as 0', async () => {
    await t.call('RPUSH', 'l', 'a', 'b', 'c', 'd');
    await t.call('MSET', 'w_a', '3', 'w_b', '-1', 'w_c', '2');
    expect(await t.call('SORT', 'l', 'BY', 'w_*')).toEqual(['b', 'd', 'c', 'a']);
    expect(await t.call('SORT', 'l', 'BY', 'w_*', 'DESC', 'LIMIT', '0', '2')).toEqual(['a', 'c']);
    await t.call('HSET', 'h_a', 'f', '1');
    await t.call('HSET', 'h_b', 'f', '9');
    await t.call('HSET', 'h_c', 'g', '5');
    expect(await t.call('SORT', 'l', 'BY', 'h_*->f')).toEqual(['c', 'd', 'a', 'b']);
    await t.call('SET', 'w_d', 'text');
    expect(await t.fails('SORT', 'l', 'BY', 'w_*')).toBe(NOT_DOUBLE);
  });

  it('BY with ALPHA puts what was not found first', async () => {
    await t.call('RPUSH', 'l', '1', '2', '3');
    await t.call('MSET', 'n_1', 'zoe', 'n_2', 'adam');
    expect(await t.call('SORT', 'l', 'BY', 'n_*', 'ALPHA')).toEqual(['3', '2', '1']);
    expect(await t.call('SORT', 'l', 'BY', 'n_*', 'ALPHA', 'DESC')).toEqual(['1', '2', '3']);
  });

  it('a key of another type is as good as missing for BY and GET', async () => {
    await t.call('RPUSH', 'l', '2', '1');
    await t.call('RPUSH', 'w_1', 'x');
    await t.call('SET', 'h_1', 'text');
    expect(await t.call('SORT', 'l', 'BY', 'w_*', 'GET', 'h_*->f', 'GET', 'w_*')).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  it('BY without an asterisk does not sort: the order of the value, from either end', async () => {
    await t.call('RPUSH', 'l', '3', 'x', '1', '2');
    expect(await t.call('SORT', 'l', 'BY', 'nosort')).toEqual(['3', 'x', '1', '2']);
    expect(await t.call('SORT', 'l', 'BY', 'nosort', 'DESC')).toEqual(['2', '1', 'x', '3']);
    expect(await t.call('SORT', 'l', 'BY', 'nosort', 'LIMIT', '1', '2')).toEqual(['x', '1']);
    expect(await t.call('SORT', 'l', 'BY', 'nosort', 'DESC', 'LIMIT', '1', '2')).toEqual(['1', 'x']);
    expect(await t.call('SORT', 'l', 'BY', 'nosort', 'BY', 'w_*')).toEqual(['3', 'x', '1', '2']);
    await t.call('ZADD', 'z', '1', 'c', '2', 'b', '3', 'a');
    expect(await t.call('SORT', 'z', 'BY', 'nosort')).toEqual(['c', 'b', 'a']);
    expect(await t.call('SORT', 'z', 'BY', 'nosort', 'DESC', 'LIMIT', '0', '2')).toEqual(['a', 'b']);
    expect(await t.call('SORT', 'z', 'BY', 'nosort', 'LIMIT', '2', '5')).toEqual(['a']);
    expect(await t.call('SORT', 'z', 'BY', 'nosort', 'LIMIT', '3', '5')).toEqual([]);
    await t.call('SADD', 's', '3', '1', '2');
    expect(await t.call('SORT', 's', 'BY', 'nosort', 'DESC', 'LIMIT', '0', '2')).toEqual(['1', '2']);
  });

  it('GET answers what patterns name, # the element itself', async () => {
    await t.call('RPUSH', 'l', '2', '1');
    await t.call('MSET', 'n_1', 'one', 'n_2_x', 'two');
    await t.call('HSET', 'h_1', 'f', 'field', '', 'empty');
    expect(await t.call('SORT', 'l', 'GET', '#', 'GET', 'n_*', 'GET', 'n_*_x', 'GET', 'h_*->f')).toEqual([
      '1',
      'one',
      null,
      'field',
      '2',
      null,
      'two',
      null,
    ]);
    expect(await t.call('SORT', 'l', 'GET', 'fixed')).toEqual([null, null]);
    // An arrow at the end is part of the key.
    await t.call('SET', 'h_1->', 'odd');
    expect(await t.call('SORT', 'l', 'GET', 'h_*->')).toEqual(['odd', null]);
    await t.call('MSET', '1', 'first star', '2*', 'second');
    expect(await t.call('SORT', 'l', 'GET', '*', 'GET', '**')).toEqual(['first star', null, null, 'second']);
  });

  it('STORE writes a list, with missing values as empty strings, and clears a deadline', async () => {
    await t.call('RPUSH', 'l', '3', '1', '2');
    await t.call('SET', 'n_1', 'one');
    await t.call('SET', 'to', 'old', 'EX', '100');
    const events = await eventsOf(t, async () => {
      expect(await t.call('SORT', 'l', 'STORE', 'to')).toBe(3);
    });
    expect(events).toEqual(['sortstore to']);
    expect([await t.call('LRANGE', 'to', '0', '-1'), await t.call('TTL', 'to')]).toEqual([
      ['1', '2', '3'],
      -1,
    ]);
    expect(await t.call('SORT', 'l', 'GET', 'n_*', 'GET', '#', 'STORE', 'l')).toBe(6);
    expect(await t.call('LRANGE', 'l', '0', '-1')).toEqual(['one', '1', '', '2', '', '3']);
    expect(await t.call('OBJECT', 'ENCODING', 'l')).toBe('listpack');
  });

  it('STORE of nothing removes the key, and tells so only where there was one', async () => {
    await t.call('SET', 'to', 'old');
    expect(
      await eventsOf(t, async () => {
        expect(await t.call('SORT', 'missing', 'STORE', 'to')).toBe(0);
        expect(await t.call('SORT', 'missing', 'STORE', 'to')).toBe(0);
      }),
    ).toEqual(['del to']);
  });

  it('STORE of a long list is a quicklist', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => String(2999 - i));
    await t.call('RPUSH', 'l', ...many);
    await t.call('SORT', 'l', 'STORE', 'to');
    expect(await t.call('OBJECT', 'ENCODING', 'to')).toBe('quicklist');
    expect(await t.call('LRANGE', 'to', '0', '-1')).toEqual(many.reverse());
  });

  it('a set that is stored unsorted is put in the order of its bytes', async () => {
    await t.call('SADD', 's', 'c', 'a', 'b', '10', '9');
    await t.call('SORT', 's', 'BY', 'nosort', 'STORE', 'to');
    expect(await t.call('LRANGE', 'to', '0', '-1')).toEqual(['10', '9', 'a', 'b', 'c']);
  });

  it('STORE wakes who waits for the list', async () => {
    const other = await t.connect();
    const popped = other.call('BLPOP', 'to', '0');
    while (t.engine.blockedSessions === 0) await t.call('PING');
    await t.call('RPUSH', 'l', '2', '1');
    await t.call('SORT', 'l', 'STORE', 'to');
    expect(await popped).toEqual(['to', '1']);
  });

  it('arguments are refused one after the other, before the key is looked at', async () => {
    await t.call('SET', 'text', 'v');
    expect(await t.fails('SORT', 'text', 'FOO')).toBe(SYNTAX);
    expect(await t.fails('SORT', 'text', 'LIMIT', '0')).toBe(SYNTAX);
    expect(await t.fails('SORT', 'text', 'LIMIT', 'a', 'b')).toBe(NOT_INTEGER);
    expect(await t.fails('SORT', 'text', 'LIMIT', '0', 'b', 'FOO')).toBe(NOT_INTEGER);
    for (const option of ['BY', 'GET', 'STORE']) expect(await t.fails('SORT', 'text', option)).toBe(SYNTAX);
    expect(await t.fails('SORT', 'text')).toBe(WRONGTYPE);
    await t.call('HSET', 'hash', 'f', 'v');
    expect(await t.fails('SORT', 'hash', 'BY', 'nosort')).toBe(WRONGTYPE);
  });

  it('a failed SORT stores nothing', async () => {
    await t.call('RPUSH', 'l', 'a');
    await t.call('SET', 'to', 'old');
    expect(await eventsOf(t, () => t.fails('SORT', 'l', 'STORE', 'to'))).toEqual([]);
    expect(await t.call('GET', 'to')).toBe('old');
  });

  it('SORT_RO sorts and knows no STORE', async () => {
    await t.call('RPUSH', 'l', '2', '1');
    expect(await t.call('SORT_RO', 'l', 'DESC', 'GET', '#')).toEqual(['2', '1']);
    expect(await t.fails('SORT_RO', 'l', 'STORE', 'to')).toBe(SYNTAX);
  });

  it('sorting a sorted set leaves it a skiplist, and is no change', async () => {
    await t.call('ZADD', 'z', '1', 'a');
    await t.call('WATCH', 'z');
    expect(await eventsOf(t, () => t.call('SORT', 'z', 'ALPHA'))).toEqual([]);
    expect(await t.call('OBJECT', 'ENCODING', 'z')).toBe('skiplist');
    expect(await t.exec([['ZSCORE', 'z', 'a']])).toEqual(['1']);
  });

  it('COMMAND GETKEYS finds the key, and the last STORE', async () => {
    expect(
      await t.call(
        'COMMAND',
        'GETKEYS',
        'SORT',
        'k',
        'BY',
        'store',
        'STORE',
        'a',
        'GET',
        'store',
        'store',
        'b',
      ),
    ).toEqual(['k', 'b']);
    expect(await t.call('COMMAND', 'GETKEYS', 'SORT', 'k', 'LIMIT', 'store', 'x')).toEqual(['k']);
    expect(await t.call('COMMAND', 'GETKEYS', 'SORT_RO', 'k', 'BY', 'w_*')).toEqual(['k']);
  });
});
