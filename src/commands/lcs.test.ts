import { expect, it } from 'vitest';
import { onEveryTarget } from '../../test/support/targets.ts';

onEveryTarget('LCS', (t) => {
  it('finds the subsequence, its length and its matches', async () => {
    await t.call('MSET', 'a', 'ohmytext', 'b', 'mynewtext');
    expect(await t.call('LCS', 'a', 'b')).toBe('mytext');
    expect(await t.call('LCS', 'a', 'b', 'len')).toBe(6);
    const last = [
      [4, 7],
      [5, 8],
    ];
    const first = [
      [2, 3],
      [0, 1],
    ];
    expect(await t.call('LCS', 'a', 'b', 'IDX')).toEqual(['matches', [last, first], 'len', 6]);
    expect(await t.call('LCS', 'a', 'b', 'IDX', 'MINMATCHLEN', 4, 'WITHMATCHLEN')).toEqual([
      'matches',
      [[...last, 4]],
      'len',
      6,
    ]);
    expect(await t.call('LCS', 'a', 'b', 'IDX', 'MINMATCHLEN', -1)).toEqual([
      'matches',
      [last, first],
      'len',
      6,
    ]);
    expect((await t.rich('LCS', 'a', 'b', 'IDX')).type).toBe(t.protocol === 3 ? 'map' : 'array');
  });

  it('chooses among equal ones as Redis does', async () => {
    await t.call('MSET', 'a', 'ab', 'b', 'ba', 'c', 'abcbdab', 'd', 'bdcaba');
    expect(await t.call('LCS', 'a', 'b')).toBe('b');
    expect(await t.call('LCS', 'b', 'a')).toBe('a');
    expect(await t.call('LCS', 'c', 'd')).toBe('bdab');
  });

  it('treats a missing key as empty, and numbers as text', async () => {
    await t.call('INCRBY', 'n', 1234);
    await t.call('APPEND', 'raw', 'x2');
    await t.call('APPEND', 'raw', '4');
    expect(await t.call('LCS', 'n', 'raw')).toBe('24');
    expect(await t.call('LCS', 'n', 'missing')).toBe('');
    expect(await t.call('LCS', 'missing', 'missing', 'IDX')).toEqual(['matches', [], 'len', 0]);
  });

  it('its errors, and their order', async () => {
    await t.call('RPUSH', 'l', 'x');
    const notStrings = 'ERR The specified keys must contain string values';
    expect(await t.fails('LCS', 'a', 'l')).toBe(notStrings);
    expect(await t.fails('LCS', 'l', 'a', 'FOO')).toBe(notStrings);
    expect(await t.fails('LCS', 'a', 'b', 'FOO')).toBe('ERR syntax error');
    expect(await t.fails('LCS', 'a', 'b', 'MINMATCHLEN')).toBe('ERR syntax error');
    expect(await t.fails('LCS', 'a', 'b', 'MINMATCHLEN', 'x')).toBe(
      'ERR value is not an integer or out of range',
    );
    expect(await t.fails('LCS', 'a', 'b', 'LEN', 'IDX')).toBe(
      'ERR If you want both the length and indexes, please just use IDX.',
    );
  });
});
