import { expect, it } from 'vitest';
import { onEveryTarget, type Target } from '../../test/support/targets.ts';
import { ListValue } from '../keyspace/list-value.ts';

const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const NOT_INTEGER = 'ERR value is not an integer or out of range';

const all = (t: Target, key: string) => t.call('LRANGE', key, 0, -1);
const listAt = (t: Target, key: string) => t.engine.space.dbs[0].peek(key) as ListValue;
const encoding = (t: Target, key: string) => listAt(t, key).encoding();
const filled = (count: number, make: (i: number) => string = String) =>
  Array.from({ length: count }, (_, i) => make(i));

/** Names and keys of the keyspace events that `work` causes, in order. */
async function eventsOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const { space } = t.engine;
  const before = [space.eventFlags, space.onEvent] as const;
  space.eventFlags = 0xffff & ~2048;
  space.onEvent = (_db, event, key) => seen.push(`${event} ${key}`);
  await work();
  [space.eventFlags, space.onEvent] = before;
  return seen;
}

onEveryTarget('lists', (t) => {
  it('pushes at both ends, one element after the other', async () => {
    expect(await t.call('RPUSH', 'k', 'a', 'b')).toBe(2);
    expect(await t.call('LPUSH', 'k', 'c', 'd')).toBe(4);
    expect(await all(t, 'k')).toEqual(['d', 'c', 'a', 'b']);
    expect(await t.call('LPUSHX', 'k', 'x')).toBe(5);
    expect(await t.call('RPUSHX', 'k', 'y', 'z')).toBe(7);
    expect(await t.call('LPUSHX', 'missing', 'x')).toBe(0);
    expect(await t.call('RPUSHX', 'missing', 'x')).toBe(0);
    expect(await t.call('LLEN', 'missing')).toBe(0);
    expect(await t.call('LLEN', 'k')).toBe(7);
  });

  it('keeps every byte of an element', async () => {
    const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
    await t.call('RPUSH', 'k', bytes, '', '\r\n');
    expect(await all(t, 'k')).toEqual([bytes, '', '\r\n']);
  });

  it('pops one element as a bulk, a count as an array', async () => {
    await t.call('RPUSH', 'k', 'a', 'b', 'c', 'd', 'e');
    expect(await t.call('LPOP', 'k')).toBe('a');
    expect(await t.call('RPOP', 'k')).toBe('e');
    expect(await t.call('RPOP', 'k', 2)).toEqual(['d', 'c']);
    expect(await t.call('LPOP', 'k', 0)).toEqual([]);
    expect(await t.call('LPOP', 'k', 1)).toEqual(['b']);
    expect(t.engine.space.dbs[0].size).toBe(0);
    await t.call('RPUSH', 'k', 'a', 'b');
    expect(await t.call('LPOP', 'k', '9223372036854775807')).toEqual(['a', 'b']);
  });

  it('pops nothing off a missing list: a null bulk, with a count a null array', async () => {
    const array = t.protocol === 3 ? 'null' : 'nullarray';
    expect((await t.rich('LPOP', 'k')).type).toBe('null');
    expect((await t.rich('LPOP', 'k', '0')).type).toBe(array);
    expect((await t.rich('RPOP', 'k', '1')).type).toBe(array);
    expect((await t.rich('LMPOP', '1', 'k', 'LEFT')).type).toBe(array);
  });

  it('checks the arguments of a pop before the key', async () => {
    await t.call('SET', 's', 'v');
    const positive = 'ERR value is out of range, must be positive';
    expect(await t.fails('LPOP', 's', 'x')).toBe(positive);
    expect(await t.fails('LPOP', 's', '-1')).toBe(positive);
    expect(await t.fails('RPOP', 'k', '9223372036854775808')).toBe(positive);
    expect(await t.fails('LPOP', 's', '1')).toBe(WRONGTYPE);
    expect(await t.fails('RPOP', 's')).toBe(WRONGTYPE);
    expect(await t.fails('LPOP', 'k', '1', '2')).toBe("ERR wrong number of arguments for 'lpop' command");
  });

  it('reads by index and by range, from either end', async () => {
    await t.call('RPUSH', 'k', 'a', 'b', 'c');
    expect(await t.call('LINDEX', 'k', 0)).toBe('a');
    expect(await t.call('LINDEX', 'k', -1)).toBe('c');
    expect(await t.call('LINDEX', 'k', 3)).toBe(null);
    expect(await t.call('LINDEX', 'k', '-9223372036854775808')).toBe(null);
    expect(await t.call('LINDEX', 'missing', 'x')).toBe(null);
    expect(await t.fails('LINDEX', 'k', 'x')).toBe(NOT_INTEGER);
    expect(await t.call('LRANGE', 'k', 1, 1)).toEqual(['b']);
    expect(await t.call('LRANGE', 'k', -2, 100)).toEqual(['b', 'c']);
    expect(await t.call('LRANGE', 'k', -100, -2)).toEqual(['a', 'b']);
    expect(await t.call('LRANGE', 'k', 2, 1)).toEqual([]);
    expect(await t.call('LRANGE', 'k', 3, 9)).toEqual([]);
    expect(await t.call('LRANGE', 'missing', 0, -1)).toEqual([]);
    expect(await t.fails('LRANGE', 'missing', 'x', 0)).toBe(NOT_INTEGER);
    expect(await t.fails('LRANGE', 'k', 0, '1.0')).toBe(NOT_INTEGER);
  });

  it('replaces an element', async () => {
    await t.call('RPUSH', 'k', 'a', 'b', 'c');
    expect(await t.call('LSET', 'k', 0, 'A')).toBe('OK');
    expect(await t.call('LSET', 'k', -1, 'C')).toBe('OK');
    expect(await all(t, 'k')).toEqual(['A', 'b', 'C']);
    expect(await t.fails('LSET', 'k', 3, 'x')).toBe('ERR index out of range');
    expect(await t.fails('LSET', 'k', -4, 'x')).toBe('ERR index out of range');
    expect(await t.fails('LSET', 'k', 'x', 'x')).toBe(NOT_INTEGER);
    expect(await t.fails('LSET', 'missing', 'x', 'x')).toBe('ERR no such key');
  });

  it('trims to a range', async () => {
    await t.call('RPUSH', 'k', 'a', 'b', 'c', 'd', 'e');
    expect(await t.call('LTRIM', 'k', 1, -2)).toBe('OK');
    expect(await all(t, 'k')).toEqual(['b', 'c', 'd']);
    await t.call('LTRIM', 'k', -2, 100);
    expect(await all(t, 'k')).toEqual(['c', 'd']);
    await t.call('LTRIM', 'k', 5, 10);
    expect(t.engine.space.dbs[0].size).toBe(0);
    expect(await t.call('LTRIM', 'missing', 0, 0)).toBe('OK');
    expect(await t.fails('LTRIM', 'missing', 0, 'x')).toBe(NOT_INTEGER);
  });

  it('removes matching elements from the head, the tail or everywhere', async () => {
    const start = ['x', 'a', 'x', 'b', 'x'];
    for (const [count, removed, rest] of [
      ['1', 1, ['a', 'x', 'b', 'x']],
      ['-2', 2, ['x', 'a', 'b']],
      ['0', 3, ['a', 'b']],
      ['9', 3, ['a', 'b']],
      ['-9223372036854775808', 3, ['a', 'b']],
    ] as const) {
      await t.call('RPUSH', 'k', ...start);
      expect(await t.call('LREM', 'k', count, 'x')).toBe(removed);
      expect(await all(t, 'k')).toEqual(rest);
      await t.call('LTRIM', 'k', 1, 0);
    }
    await t.call('RPUSH', 'k', 'x');
    expect(await t.call('LREM', 'k', 0, 'y')).toBe(0);
    expect(await t.call('LREM', 'k', 0, 'x')).toBe(1);
    expect(t.engine.space.dbs[0].size).toBe(0);
    expect(await t.call('LREM', 'missing', 0, 'x')).toBe(0);
    expect(await t.fails('LREM', 'missing', 'x', 'x')).toBe(NOT_INTEGER);
  });

  it('inserts around the first pivot', async () => {
    await t.call('RPUSH', 'k', 'a', 'b', 'a');
    expect(await t.call('LINSERT', 'k', 'BEFORE', 'a', '1')).toBe(4);
    expect(await t.call('LINSERT', 'k', 'after', 'b', '2')).toBe(5);
    expect(await all(t, 'k')).toEqual(['1', 'a', 'b', '2', 'a']);
    expect(await t.call('LINSERT', 'k', 'AFTER', 'nope', 'x')).toBe(-1);
    expect(await t.call('LINSERT', 'missing', 'AFTER', 'a', 'x')).toBe(0);
    expect(await t.fails('LINSERT', 'missing', 'NEAR', 'a', 'x')).toBe('ERR syntax error');
  });

  it('finds positions by rank, count and length', async () => {
    await t.call('RPUSH', 'k', 'a', 'b', 'c', '1', '2', '3', 'c', 'c');
    expect(await t.call('LPOS', 'k', 'c')).toBe(2);
    expect(await t.call('LPOS', 'k', 'c', 'RANK', 2)).toBe(6);
    expect(await t.call('LPOS', 'k', 'c', 'RANK', -1)).toBe(7);
    expect(await t.call('LPOS', 'k', 'c', 'RANK', 4)).toBe(null);
    expect(await t.call('LPOS', 'k', 'c', 'COUNT', 2)).toEqual([2, 6]);
    expect(await t.call('LPOS', 'k', 'c', 'COUNT', 0)).toEqual([2, 6, 7]);
    expect(await t.call('LPOS', 'k', 'c', 'COUNT', 0, 'RANK', -2)).toEqual([6, 2]);
    expect(await t.call('LPOS', 'k', 'c', 'COUNT', 0, 'MAXLEN', 7)).toEqual([2, 6]);
    expect(await t.call('LPOS', 'k', 'c', 'maxlen', 1, 'rank', -1)).toBe(7);
    expect(await t.call('LPOS', 'k', 'c', 'MAXLEN', 2)).toBe(null);
    expect(await t.call('LPOS', 'k', 'nope', 'COUNT', 0)).toEqual([]);
    expect(await t.call('LPOS', 'k', 'nope')).toBe(null);
    expect(await t.call('LPOS', 'missing', 'x')).toBe(null);
    expect(await t.call('LPOS', 'missing', 'x', 'COUNT', 1)).toEqual([]);
  });

  it('refuses wrong options of LPOS before it looks at the key', async () => {
    await t.call('SET', 's', 'v');
    expect(await t.fails('LPOS', 's', 'a', 'RANK', 0)).toBe(
      "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
    );
    expect(await t.fails('LPOS', 's', 'a', 'RANK', '-9223372036854775808')).toBe(
      'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
    );
    expect(await t.fails('LPOS', 's', 'a', 'RANK', 'x')).toBe(NOT_INTEGER);
    expect(await t.fails('LPOS', 's', 'a', 'COUNT', 'x')).toBe("ERR COUNT can't be negative");
    expect(await t.fails('LPOS', 's', 'a', 'MAXLEN', -1)).toBe("ERR MAXLEN can't be negative");
    expect(await t.fails('LPOS', 's', 'a', 'RANK')).toBe('ERR syntax error');
    expect(await t.fails('LPOS', 's', 'a', 'FIRST', 1)).toBe('ERR syntax error');
    expect(await t.fails('LPOS', 's', 'a')).toBe(WRONGTYPE);
  });

  it('moves elements between ends and lists', async () => {
    await t.call('RPUSH', 'a', '1', '2', '3', '4');
    expect(await t.call('LMOVE', 'a', 'b', 'LEFT', 'RIGHT')).toBe('1');
    expect(await t.call('LMOVE', 'a', 'b', 'right', 'left')).toBe('4');
    expect(await t.call('RPOPLPUSH', 'a', 'b')).toBe('3');
    expect(await all(t, 'a')).toEqual(['2']);
    expect(await all(t, 'b')).toEqual(['3', '4', '1']);
    expect(await t.call('RPOPLPUSH', 'b', 'b')).toBe('1');
    expect(await all(t, 'b')).toEqual(['1', '3', '4']);
    expect(await t.call('LMOVE', 'a', 'a', 'LEFT', 'LEFT')).toBe('2');
    expect(await all(t, 'a')).toEqual(['2']);
    expect(await t.call('RPOPLPUSH', 'a', 'b')).toBe('2');
    expect(t.engine.space.dbs[0].size).toBe(1);
    expect(await t.call('RPOPLPUSH', 'a', 'b')).toBe(null);
  });

  it('moves nothing when either key holds another type', async () => {
    await t.call('SET', 's', 'v');
    await t.call('RPUSH', 'a', '1');
    expect(await t.fails('LMOVE', 'a', 's', 'LEFT', 'LEFT')).toBe(WRONGTYPE);
    expect(await t.fails('LMOVE', 's', 'a', 'LEFT', 'LEFT')).toBe(WRONGTYPE);
    expect(await t.call('LMOVE', 'missing', 's', 'LEFT', 'LEFT')).toBe(null);
    expect(await t.fails('LMOVE', 's', 'a', 'LEFT', 'UP')).toBe('ERR syntax error');
    expect(await all(t, 'a')).toEqual(['1']);
  });

  it('pops off the first list that exists', async () => {
    await t.call('RPUSH', 'b', '1', '2', '3');
    expect(await t.call('LMPOP', 2, 'a', 'b', 'LEFT')).toEqual(['b', ['1']]);
    expect(await t.call('LMPOP', 2, 'a', 'b', 'right', 'count', 10)).toEqual(['b', ['3', '2']]);
    expect(await t.call('LMPOP', 2, 'a', 'b', 'RIGHT')).toBe(null);
    const numkeys = 'ERR numkeys should be greater than 0';
    const count = 'ERR count should be greater than 0';
    expect(await t.fails('LMPOP', 0, 'a', 'LEFT')).toBe(numkeys);
    expect(await t.fails('LMPOP', 'x', 'a', 'LEFT')).toBe(numkeys);
    expect(await t.fails('LMPOP', 2, 'a', 'LEFT')).toBe('ERR syntax error');
    expect(await t.fails('LMPOP', 1, 'a', 'UP')).toBe('ERR syntax error');
    expect(await t.fails('LMPOP', 1, 'a', 'LEFT', 'COUNT', 0)).toBe(count);
    expect(await t.fails('LMPOP', 1, 'a', 'LEFT', 'COUNT', 'x')).toBe(count);
    expect(await t.fails('LMPOP', 1, 'a', 'LEFT', 'COUNT', 1, 'COUNT', 1)).toBe('ERR syntax error');
    expect(await t.fails('LMPOP', 1, 'a', 'LEFT', 'COUNT')).toBe('ERR syntax error');
    await t.call('SET', 's', 'v');
    await t.call('RPUSH', 'b', '1');
    expect(await t.fails('LMPOP', 2, 's', 'b', 'LEFT')).toBe(WRONGTYPE);
    expect(await t.call('LMPOP', 2, 'b', 's', 'LEFT')).toEqual(['b', ['1']]);
  });

  it('answers WRONGTYPE where the key is a string', async () => {
    await t.call('SET', 's', 'v');
    for (const command of [
      ['LPUSH', 's', 'a'],
      ['RPUSHX', 's', 'a'],
      ['LLEN', 's'],
      ['LINDEX', 's', 'x'],
      ['LSET', 's', 'x', 'a'],
      ['LRANGE', 's', '0', '1'],
      ['LTRIM', 's', '0', '1'],
      ['LREM', 's', '0', 'a'],
      ['LINSERT', 's', 'AFTER', 'a', 'b'],
    ]) {
      expect(await t.fails(...command)).toBe(WRONGTYPE);
    }
    expect(await t.call('GET', 's')).toBe('v');
  });

  it('announces each change, and the deletion of an emptied list', async () => {
    const events = await eventsOf(t, async () => {
      await t.call('RPUSH', 'a', '1', '2', '3', '4');
      await t.call('LPUSHX', 'a', '0');
      await t.call('LSET', 'a', 0, 'x');
      await t.call('LINSERT', 'a', 'AFTER', 'x', 'y');
      await t.call('LREM', 'a', 0, 'y');
      await t.call('LTRIM', 'a', 0, -1);
      await t.call('LPOP', 'a');
      await t.call('RPOP', 'a', 2);
      await t.call('LMOVE', 'a', 'b', 'LEFT', 'RIGHT');
      await t.call('RPOPLPUSH', 'a', 'b');
      await t.call('LMPOP', 1, 'b', 'RIGHT', 'COUNT', 9);
    });
    expect(events).toEqual([
      'new a',
      'rpush a',
      'lpush a',
      'lset a',
      'linsert a',
      'lrem a',
      'ltrim a',
      'lpop a',
      'rpop a',
      'new b',
      'rpush b',
      'lpop a',
      'lpush b',
      'rpop a',
      'del a',
      'rpop b',
      'del b',
    ]);
  });

  it('announces nothing where nothing changed', async () => {
    await t.call('RPUSH', 'a', '1');
    const events = await eventsOf(t, async () => {
      await t.call('LPUSHX', 'missing', '1');
      await t.call('LPOP', 'a', 0);
      await t.call('LPOP', 'missing');
      await t.call('LREM', 'a', 0, 'nope');
      await t.call('LINSERT', 'a', 'AFTER', 'nope', 'x');
      await t.call('LTRIM', 'missing', 0, 0);
      await t.call('LMOVE', 'missing', 'a', 'LEFT', 'LEFT');
      await t.call('LMPOP', 1, 'missing', 'LEFT');
      await t.fails('LSET', 'a', 5, 'x');
    });
    expect(events).toEqual([]);
  });

  it('dirties a watched key by a change only', async () => {
    const cases: [command: string[], dirty: boolean][] = [
      [['RPUSH', 'k', 'x'], true],
      [['LSET', 'k', '0', 'a'], true],
      [['LTRIM', 'k', '0', '-1'], true],
      [['LMOVE', 'k', 'k', 'LEFT', 'LEFT'], true],
      [['LPOP', 'k'], true],
      [['LREM', 'k', '0', 'nope'], false],
      [['LINSERT', 'k', 'AFTER', 'nope', 'x'], false],
      [['LPOP', 'k', '0'], false],
      [['LRANGE', 'k', '0', '-1'], false],
    ];
    const other = await t.connect();
    for (const [command, dirty] of cases) {
      await other.call('LTRIM', 'k', 1, 0);
      await other.call('RPUSH', 'k', 'a', 'b');
      await t.call('WATCH', 'k');
      await other.call(...command);
      const reply = await t.exec([['LLEN', 'k']]);
      expect([command.join(' '), reply === null]).toEqual([command.join(' '), dirty]);
    }
  });

  it('logs effects: pops with what they took, moves without their timeout, nothing for an idle trim', async () => {
    const logged: string[] = [];
    t.engine.effects.onUnit = (ops) => logged.push(...ops.map((op) => op.args.join(' ')));
    await t.call('RPUSH', 'a', '1', '2', '3', '4', '5', '6');
    await t.call('LMPOP', 2, 'missing', 'a', 'LEFT', 'COUNT', 2);
    await t.call('BLPOP', 'a', 0);
    await t.call('BRPOP', 'missing', 'a', 0);
    await t.call('BLMPOP', 0, 1, 'a', 'RIGHT');
    await t.call('BLMOVE', 'a', 'b', 'left', 'RIGHT', 0);
    await t.call('BRPOPLPUSH', 'b', 'a', 0);
    await t.call('LTRIM', 'a', 0, -1);
    await t.call('LREM', 'a', 0, 'nope');
    await t.call('LTRIM', 'a', 5, -1);
    t.engine.effects.onUnit = null;
    expect(logged).toEqual([
      'RPUSH a 1 2 3 4 5 6',
      'LPOP a 2',
      'LPOP a',
      'RPOP a',
      'RPOP a 1',
      'LMOVE a b left RIGHT',
      'RPOPLPUSH b a',
      'LTRIM a 5 -1',
    ]);
  });
});

onEveryTarget('list encodings', (t) => {
  it('is a listpack up to 8192 bytes', async () => {
    // 7 bytes of frame; an element of 50 bytes takes 52.
    const fifty = 'x'.repeat(50);
    await t.call('RPUSH', 'k', ...filled(157, () => fifty));
    expect(encoding(t, 'k')).toBe('listpack');
    await t.call('RPUSH', 'k', 'y'.repeat(19));
    expect(encoding(t, 'k')).toBe('listpack');
    // 8192 - 7 - 157*52 - 21 = 0 bytes are left.
    await t.call('RPUSH', 'k', '');
    expect(encoding(t, 'k')).toBe('listpack');
    await t.call('RPUSH', 'k', '');
    expect(encoding(t, 'k')).toBe('quicklist');
  });

  it('fits by the lengths of what is added, not by what it will take', async () => {
    // 7 + 81 × 100 bytes, though the listpack then has 7 + 81 × 103.
    await t.call('RPUSH', 'k', ...filled(81, () => 'x'.repeat(100)));
    expect(encoding(t, 'k')).toBe('listpack');
    await t.call('RPUSH', 'k', 'y');
    expect([encoding(t, 'k'), listAt(t, 'k').nodeCounts()]).toEqual(['quicklist', [81, 1]]);
  });

  it('goes back to listpack at half the limit when one node is left', async () => {
    await t.call('RPUSH', 'k', ...filled(100, () => 'x'.repeat(100)));
    expect(listAt(t, 'k').nodeCounts()).toEqual([79, 21]);
    await t.call('RPOP', 'k', 21);
    expect(encoding(t, 'k')).toBe('quicklist');
    // 40 × 103 + 7 bytes are more than 4096.
    await t.call('RPOP', 'k', 39);
    expect(encoding(t, 'k')).toBe('quicklist');
    await t.call('RPOP', 'k');
    expect(encoding(t, 'k')).toBe('listpack');
  });

  it('stays a quicklist while two small nodes are left', async () => {
    await t.call('RPUSH', 'k', ...filled(100, () => 'x'.repeat(100)));
    await t.call('LPOP', 'k', 78);
    expect([encoding(t, 'k'), listAt(t, 'k').nodeCounts()]).toEqual(['quicklist', [1, 21]]);
    await t.call('LPOP', 'k');
    expect(encoding(t, 'k')).toBe('listpack');
  });

  it('converts by LSET, LINSERT and moves as well, and by a big element', async () => {
    const big = 'x'.repeat(8200);
    await t.call('RPUSH', 'k', 'a', 'b', 'c');
    await t.call('LSET', 'k', 1, big);
    expect(encoding(t, 'k')).toBe('quicklist');
    await t.call('LSET', 'k', 1, 'b');
    expect(encoding(t, 'k')).toBe('listpack');
    await t.call('LINSERT', 'k', 'AFTER', 'b', big);
    expect(encoding(t, 'k')).toBe('quicklist');
    await t.call('LMOVE', 'k', 'other', 'RIGHT', 'LEFT');
    await t.call('LMOVE', 'k', 'other', 'RIGHT', 'LEFT');
    expect([encoding(t, 'k'), encoding(t, 'other')]).toEqual(['listpack', 'quicklist']);
    await t.call('LREM', 'other', 1, big);
    expect(encoding(t, 'other')).toBe('listpack');
    await t.call('RPUSH', 'other', big);
    await t.call('LTRIM', 'other', 0, 0);
    expect(encoding(t, 'other')).toBe('listpack');
    await t.call('RPUSH', 'alone', big);
    expect(encoding(t, 'alone')).toBe('quicklist');
  });

  it('follows a limit in elements', async () => {
    t.engine.space.limits.listMaxListpackSize = 4;
    await t.call('RPUSH', 'k', 'a', 'b', 'c', 'd');
    expect(encoding(t, 'k')).toBe('listpack');
    await t.call('RPUSH', 'k', 'e');
    expect([encoding(t, 'k'), listAt(t, 'k').nodeCounts()]).toEqual(['quicklist', [4, 1]]);
    // The first node is full, and so is what lies around the pivot: it splits.
    await t.call('LINSERT', 'k', 'AFTER', 'b', 'x');
    expect(listAt(t, 'k').nodeCounts()).toEqual([2, 4]);
    expect(await all(t, 'k')).toEqual(['a', 'b', 'x', 'c', 'd', 'e']);
    await t.call('RPOP', 'k', 4);
    expect(encoding(t, 'k')).toBe('listpack');
    t.engine.space.limits.listMaxListpackSize = -2;
  });

  it('works on lists of many chunks', async () => {
    await t.call('RPUSH', 'k', ...filled(5000));
    expect(await t.call('LINDEX', 'k', 2500)).toBe('2500');
    expect(await t.call('LINSERT', 'k', 'BEFORE', '2500', 'here')).toBe(5001);
    expect(await t.call('LPOS', 'k', '4999')).toBe(5000);
    expect(await t.call('LRANGE', 'k', 2499, 2501)).toEqual(['2499', 'here', '2500']);
    await t.call('LTRIM', 'k', 2000, -2001);
    expect(await t.call('LLEN', 'k')).toBe(1001);
    expect(await t.call('LINDEX', 'k', 0)).toBe('2000');
  });
});

it('a list built in one go has one node', () => {
  const list = ListValue.of(filled(5000), -2);
  expect([list.encoding(), list.nodeCounts(), list.size]).toEqual(['quicklist', [5000], 5000]);
  expect(ListValue.of(['a'], -2).encoding()).toBe('listpack');
});

it('a clone keeps encoding and sizes to itself', () => {
  const list = ListValue.of(filled(5000), -2);
  const copy = list.clone();
  list.removeRange(0, 4999);
  list.shrink(-2);
  expect([list.encoding(), copy.encoding(), copy.size, copy.at(4998)]).toEqual([
    'listpack',
    'quicklist',
    5000,
    '4998',
  ]);
});
