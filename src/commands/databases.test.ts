import { expect, it } from 'vitest';
import { onEveryTarget } from '../../test/support/targets.ts';

const OUT_OF_RANGE = 'ERR DB index is out of range';
const NOT_INT = 'ERR value is out of range, value must between -2147483648 and 2147483647';

onEveryTarget('databases', (t) => {
  it('SELECT changes the database of its own connection only', async () => {
    const other = await t.connect();
    await t.call('SELECT', '3');
    await t.call('SET', 'k', 'three');
    expect(await other.call('GET', 'k')).toBe(null);
    await other.call('SELECT', '3');
    expect(await other.call('GET', 'k')).toBe('three');
    expect(await t.call('CLIENT', 'INFO')).toContain(' db=3 ');
    await t.call('SELECT', '15');
    expect(await t.call('DBSIZE')).toBe(0);
  });

  it('SELECT refuses what is no database and stays where it is', async () => {
    await t.call('SELECT', '1');
    expect(await t.fails('SELECT', '16')).toBe(OUT_OF_RANGE);
    expect(await t.fails('SELECT', '-1')).toBe(OUT_OF_RANGE);
    expect(await t.fails('SELECT', 'x')).toBe('ERR value is not an integer or out of range');
    expect(await t.fails('SELECT', '3000000000')).toBe(NOT_INT);
    expect(await t.call('CLIENT', 'INFO')).toContain(' db=1 ');
  });

  it('SWAPDB exchanges the contents under the eyes of everybody', async () => {
    const other = await t.connect();
    await other.call('SELECT', '1');
    await t.call('MSET', 'k', 'zero', 'only0', '1');
    await other.call('SET', 'k', 'one', 'EX', '100');
    expect(await t.call('SWAPDB', '0', '1')).toBe('OK');
    expect([await t.call('GET', 'k'), await t.call('TTL', 'k'), await t.call('DBSIZE')]).toEqual([
      'one',
      100,
      1,
    ]);
    expect([await other.call('GET', 'k'), await other.call('DBSIZE')]).toEqual(['zero', 2]);
    expect(await t.call('SWAPDB', '1', '1')).toBe('OK');
    expect(await other.call('GET', 'k')).toBe('zero');
  });

  it('SWAPDB names the index that is none', async () => {
    expect(await t.fails('SWAPDB', 'x', 'y')).toBe('ERR invalid first DB index');
    expect(await t.fails('SWAPDB', '0', 'y')).toBe('ERR invalid second DB index');
    expect(await t.fails('SWAPDB', '3000000000', '0')).toBe('ERR invalid first DB index');
    expect(await t.fails('SWAPDB', '0', '16')).toBe(OUT_OF_RANGE);
    expect(await t.fails('SWAPDB', '-1', '0')).toBe(OUT_OF_RANGE);
  });

  it('SWAPDB wakes who waits for a key that came', async () => {
    const other = await t.connect();
    const popped = other.call('BLPOP', 'l', '0');
    while (t.engine.blockedSessions === 0) await t.call('PING');
    await t.call('SELECT', '1');
    await t.call('RPUSH', 'l', 'a');
    await t.call('SWAPDB', '0', '1');
    expect(await popped).toEqual(['l', 'a']);
  });

  it('FLUSHDB empties its database, FLUSHALL all of them', async () => {
    const fill = async () => {
      for (const db of ['1', '0']) {
        await t.call('SELECT', db);
        await t.call('MSET', 'a', '1', 'b', '2');
        await t.call('EXPIRE', 'a', '100');
      }
    };
    const sizes = () => t.engine.space.dbs.slice(0, 2).map((db) => [db.size, db.expires]);
    for (const mode of [[], ['ASYNC'], ['sync']]) {
      await fill();
      expect(await t.call('FLUSHDB', ...mode)).toBe('OK');
      expect(sizes()).toEqual([
        [0, 0],
        [2, 1],
      ]);
      await fill();
      expect(await t.call('FLUSHALL', ...mode)).toBe('OK');
      expect(sizes()).toEqual([
        [0, 0],
        [0, 0],
      ]);
    }
  });

  it('a flush with another mode is a syntax error and removes nothing', async () => {
    await t.call('SET', 'k', 'v');
    for (const name of ['FLUSHDB', 'FLUSHALL']) {
      expect(await t.fails(name, 'NOW')).toBe('ERR syntax error');
      expect(await t.fails(name, 'SYNC', 'ASYNC')).toBe('ERR syntax error');
    }
    expect(await t.call('DBSIZE')).toBe(1);
  });

  it('the log gets every flush and swap, even of what is empty', async () => {
    const logged: string[] = [];
    t.engine.effects.onUnit = (ops) => logged.push(...ops.map((op) => `${op.db} ${op.args.join(' ')}`));
    await t.call('FLUSHALL');
    await t.call('flushdb', 'async');
    await t.call('SWAPDB', '0', '1');
    await t.call('SWAPDB', '0', '0');
    await t.call('SELECT', '1');
    t.engine.effects.onUnit = null;
    expect(logged).toEqual(['0 FLUSHALL', '0 flushdb async', '0 SWAPDB 0 1', '0 SWAPDB 0 0']);
  });

  it('DBSIZE counts keys', async () => {
    expect(await t.call('DBSIZE')).toBe(0);
    await t.call('MSET', 'a', '1', 'b', '2', 'a', '3');
    expect(await t.call('DBSIZE')).toBe(2);
  });
});
