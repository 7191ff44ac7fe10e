import { expect, it } from 'vitest';
import { onEveryTarget, type Plain, type Target } from '../../test/support/targets.ts';
import { parseEventFlags } from '../keyspace/events.ts';
import type { ZsetValue } from '../keyspace/zset-value.ts';

const flat = (reply: Plain) => (reply as Plain[]).flat();
const all = async (t: Target, key: string) => flat(await t.call('ZRANGE', key, 0, -1, 'WITHSCORES'));
const scored = async (t: Target, ...command: (string | number)[]) =>
  flat(await t.call(...command, 'WITHSCORES'));

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

onEveryTarget('sorted-set algebra', (t) => {
  it('unites, intersects and subtracts', async () => {
    await t.call('ZADD', 'x', 1, 'a', 2, 'b', 3, 'c');
    await t.call('ZADD', 'y', 10, 'b', 20, 'c', 30, 'd');
    expect(await scored(t, 'ZUNION', 2, 'x', 'y')).toEqual(['a', '1', 'b', '12', 'c', '23', 'd', '30']);
    expect(await scored(t, 'ZINTER', 2, 'x', 'y')).toEqual(['b', '12', 'c', '23']);
    expect(await scored(t, 'ZDIFF', 2, 'x', 'y')).toEqual(['a', '1']);
    expect(await t.call('ZUNION', 2, 'x', 'none')).toEqual(['a', 'b', 'c']);
    expect(await t.call('ZINTER', 2, 'x', 'none')).toEqual([]);
    expect(await t.call('ZDIFF', 2, 'none', 'x')).toEqual([]);
    expect(await t.call('ZDIFF', 2, 'x', 'x')).toEqual([]);
    expect(await scored(t, 'ZUNION', 2, 'x', 'x')).toEqual(['a', '2', 'b', '4', 'c', '6']);
  });

  it('weighs and aggregates', async () => {
    await t.call('ZADD', 'x', 1, 'a', 5, 'b');
    await t.call('ZADD', 'y', 3, 'a', 2, 'b');
    expect(await scored(t, 'ZUNION', 2, 'x', 'y', 'WEIGHTS', 2, 0.5)).toEqual(['a', '3.5', 'b', '11']);
    expect(await scored(t, 'ZUNION', 2, 'x', 'y', 'AGGREGATE', 'MIN')).toEqual(['a', '1', 'b', '2']);
    expect(await scored(t, 'ZINTER', 2, 'x', 'y', 'aggregate', 'max', 'weights', 1, -1)).toEqual([
      'a',
      '1',
      'b',
      '5',
    ]);
  });

  it('takes infinities that cancel out for 0', async () => {
    await t.call('ZADD', 'x', 'inf', 'a', 'inf', 'b');
    await t.call('ZADD', 'y', '-inf', 'a', 4, 'b');
    expect(await scored(t, 'ZUNION', 2, 'x', 'y')).toEqual(['a', '0', 'b', 'inf']);
    expect(await scored(t, 'ZINTER', 2, 'x', 'y')).toEqual(['a', '0', 'b', 'inf']);
    expect(await scored(t, 'ZUNION', 1, 'x', 'WEIGHTS', 0)).toEqual(['a', '0', 'b', '0']);
    expect(await scored(t, 'ZUNION', 2, 'y', 'x', 'WEIGHTS', 1, 0)).toEqual(['a', '-inf', 'b', '4']);
    // An intersection aggregates the NaN of the later sets, which makes the whole sum 0.
    expect(await scored(t, 'ZINTER', 2, 'y', 'x', 'WEIGHTS', 1, 0)).toEqual(['a', '0', 'b', '0']);
  });

  it('counts members of plain sets with score 1', async () => {
    await t.call('ZADD', 'z', 5, 'a', 7, '2', 9, 'x');
    await t.call('SADD', 'ints', 1, 2, 3);
    await t.call('SADD', 'words', 'a', 'b');
    expect(await scored(t, 'ZUNION', 3, 'z', 'ints', 'words')).toEqual([
      '1',
      '1',
      '3',
      '1',
      'b',
      '1',
      'a',
      '6',
      '2',
      '8',
      'x',
      '9',
    ]);
    expect(await scored(t, 'ZINTER', 2, 'z', 'ints', 'WEIGHTS', 1, 100)).toEqual(['2', '107']);
    expect(await scored(t, 'ZDIFF', 2, 'words', 'z')).toEqual(['b', '1']);
    expect(await t.call('ZINTERCARD', 2, 'ints', 'ints')).toBe(3);
    expect(await t.call('ZUNIONSTORE', 'words', 1, 'words')).toBe(2);
    expect(await all(t, 'words')).toEqual(['a', '1', 'b', '1']);
  });

  it('stores in place of anything, or removes', async () => {
    await t.call('ZADD', 'x', 1, 'a', 2, 'b');
    await t.call('SET', 'd', 'v');
    expect(await eventsOf(t, () => t.call('ZUNIONSTORE', 'd', 1, 'x', 'WEIGHTS', 3))).toEqual([
      'zunionstore d',
    ]);
    expect(await all(t, 'd')).toEqual(['a', '3', 'b', '6']);
    expect(await eventsOf(t, () => t.call('ZINTERSTORE', 'd', 2, 'x', 'd'))).toEqual(['zinterstore d']);
    expect(await all(t, 'd')).toEqual(['a', '4', 'b', '8']);
    expect(await eventsOf(t, () => t.call('ZDIFFSTORE', 'd', 2, 'd', 'none'))).toEqual(['zdiffstore d']);
    expect(await eventsOf(t, () => t.call('ZDIFFSTORE', 'd', 2, 'd', 'd'))).toEqual(['del d']);
    expect(await eventsOf(t, () => t.call('ZINTERSTORE', 'd', 2, 'x', 'none'))).toEqual([]);
    expect(await t.call('ZUNIONSTORE', 'd', 1, 'none')).toBe(0);
  });

  it('stores few short members as a listpack', async () => {
    await t.call('ZADD', 'x', ...Array.from({ length: 200 }, (_, i) => [i % 7, `m${i}`]).flat());
    const encoding = () => (t.engine.space.dbs[0].peek('d') as ZsetValue).encoding();
    await t.call('ZUNIONSTORE', 'd', 1, 'x');
    expect(encoding()).toBe('skiplist');
    expect(await t.call('ZRANK', 'd', 'm5')).toBe(164);
    await t.call('ZREMRANGEBYRANK', 'x', 128, -1);
    await t.call('ZUNIONSTORE', 'd', 1, 'x');
    expect(encoding()).toBe('listpack');
    await t.call('ZADD', 'x', 0, 'x'.repeat(65));
    await t.call('ZREM', 'x', 'm0');
    await t.call('ZUNIONSTORE', 'd', 1, 'x');
    expect(encoding()).toBe('skiplist');
  });

  it('ZINTERCARD counts up to its limit', async () => {
    await t.call('ZADD', 'x', 1, 'a', 2, 'b', 3, 'c');
    await t.call('ZADD', 'y', 1, 'c', 2, 'b', 3, 'a', 4, 'd');
    expect(await t.call('ZINTERCARD', 2, 'x', 'y')).toBe(3);
    expect(await t.call('ZINTERCARD', 2, 'x', 'y', 'LIMIT', 2)).toBe(2);
    expect(await t.call('ZINTERCARD', 2, 'x', 'y', 'LIMIT', 0)).toBe(3);
    expect(await t.fails('ZINTERCARD', 2, 'x', 'y', 'LIMIT', -1)).toBe("ERR LIMIT can't be negative");
    expect(await t.fails('ZINTERCARD', 2, 'x', 'y', 'LIMIT', 'x')).toBe("ERR LIMIT can't be negative");
    expect(await t.fails('ZINTERCARD', 2, 'x', 'y', 'WITHSCORES')).toBe('ERR syntax error');
  });

  it('refuses what it does not understand', async () => {
    expect(await t.fails('ZUNION', 0, 'x')).toBe("ERR at least 1 input key is needed for 'zunion' command");
    expect(await t.fails('zdiffstore', 'd', -1, 'x')).toBe(
      "ERR at least 1 input key is needed for 'zdiffstore' command",
    );
    expect(await t.fails('ZINTERCARD', 0, 'x')).toBe(
      "ERR at least 1 input key is needed for 'zintercard' command",
    );
    expect(await t.fails('ZINTER', 'x', 'x')).toBe('ERR value is not an integer or out of range');
    expect(await t.fails('ZINTER', 2, 'x')).toBe('ERR syntax error');
    expect(await t.fails('ZUNION', 1, 'x', 'WEIGHTS', 'x')).toBe('ERR weight value is not a float');
    expect(await t.fails('ZUNION', 2, 'x', 'y', 'WEIGHTS', 1)).toBe('ERR syntax error');
    expect(await t.fails('ZUNION', 1, 'x', 'AGGREGATE', 'AVG')).toBe('ERR syntax error');
    expect(await t.fails('ZUNIONSTORE', 'd', 1, 'x', 'WITHSCORES')).toBe('ERR syntax error');
    expect(await t.fails('ZDIFF', 1, 'x', 'WEIGHTS', 1)).toBe('ERR syntax error');
    expect(await t.fails('ZUNION', 1, 'x', 'LIMIT', 1)).toBe('ERR syntax error');
  });
});
