import { expect, it } from 'vitest';
import { onEveryTarget, type Target } from '../../test/support/targets.ts';
import { parseEventFlags } from '../keyspace/events.ts';

const POSITIVE = 'ERR value is out of range, must be positive';

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

/** What the log records of `work`. */
async function logOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const ops: string[] = [];
  t.engine.effects.onUnit = (unit) => ops.push(...unit.map((op) => op.args.join(' ')));
  await work();
  t.engine.effects.onUnit = null;
  return ops;
}

/** Waits until `count` clients are blocked. */
async function blocked(t: Target, count: number): Promise<void> {
  while (t.engine.blockedSessions !== count) await new Promise((done) => setTimeout(done, 2));
}

onEveryTarget('sorted-set pops', (t) => {
  it('ZPOPMIN and ZPOPMAX take from their end', async () => {
    await t.call('ZADD', 'z', 1, 'a', 2, 'b', 3, 'c', 4, 'd', 5, 'e');
    expect(await t.call('ZPOPMIN', 'z')).toEqual(['a', '1']);
    expect(await t.call('ZPOPMAX', 'z')).toEqual(['e', '5']);
    const pairs = (...items: string[][]) => (t.protocol === 3 ? items : items.flat());
    expect(await t.call('ZPOPMAX', 'z', 1)).toEqual(pairs(['d', '4']));
    expect(await t.call('ZPOPMIN', 'z', 0)).toEqual([]);
    expect(await t.call('ZPOPMIN', 'z', 9)).toEqual(pairs(['b', '2'], ['c', '3']));
    expect(t.engine.space.dbs[0].size).toBe(0);
    expect(await t.call('ZPOPMIN', 'z')).toEqual([]);
    expect(await t.call('ZPOPMIN', 'z', 2)).toEqual([]);
    expect(await t.fails('ZPOPMIN', 'z', -1)).toBe(POSITIVE);
    expect(await t.fails('ZPOPMIN', 'z', 'x')).toBe(POSITIVE);
    expect(await t.fails('ZPOPMIN', 'z', 1, 2)).toBe('ERR syntax error');
  });

  it('takes from a skiplist too', async () => {
    await t.call('ZADD', 'z', ...Array.from({ length: 300 }, (_, i) => [i, `m${i}`]).flat());
    await t.call('ZPOPMIN', 'z', 100);
    await t.call('ZPOPMAX', 'z', 150);
    expect(await t.call('ZRANGE', 'z', 0, 0)).toEqual(['m100']);
    expect(await t.call('ZRANGE', 'z', -1, -1)).toEqual(['m149']);
    expect(await t.call('ZMSCORE', 'z', 'm99', 'm120', 'm150')).toEqual([null, '120', null]);
  });

  it('ZMPOP takes from the first set that exists', async () => {
    await t.call('ZADD', 'y', 1, 'a', 2, 'b', 3, 'c');
    expect(await t.call('ZMPOP', 2, 'x', 'y', 'MIN')).toEqual(['y', [['a', '1']]]);
    expect(await t.call('ZMPOP', 2, 'x', 'y', 'max', 'count', 9)).toEqual([
      'y',
      [
        ['c', '3'],
        ['b', '2'],
      ],
    ]);
    expect((await t.rich('ZMPOP', '1', 'y', 'MIN')).type).toBe(t.protocol === 3 ? 'null' : 'nullarray');
    expect(await t.fails('ZMPOP', 0, 'x', 'MIN')).toBe('ERR numkeys should be greater than 0');
    expect(await t.fails('ZMPOP', 'a', 'x', 'MIN')).toBe('ERR numkeys should be greater than 0');
    expect(await t.fails('ZMPOP', 1, 'x', 'MIN', 'COUNT', 0)).toBe('ERR count should be greater than 0');
    expect(await t.fails('ZMPOP', 1, 'x', 'MIN', 'COUNT', 'x')).toBe('ERR count should be greater than 0');
    expect(await t.fails('ZMPOP', 1, 'x', 'MID')).toBe('ERR syntax error');
    expect(await t.fails('ZMPOP', 2, 'x', 'MIN')).toBe('ERR syntax error');
    expect(await t.fails('ZMPOP', 1, 'x', 'MIN', 'COUNT')).toBe('ERR syntax error');
    expect(await t.fails('ZMPOP', 1, 'x', 'MIN', 'COUNT', 1, 'COUNT', 1)).toBe('ERR syntax error');
  });

  it('announces pops, and logs them as plain ones', async () => {
    await t.call('ZADD', 'z', 1, 'a', 2, 'b', 3, 'c', 4, 'd', 5, 'e', 6, 'f');
    expect(await eventsOf(t, () => t.call('ZPOPMIN', 'z'))).toEqual(['zpopmin z']);
    expect(await logOf(t, () => t.call('ZMPOP', 1, 'z', 'MAX', 'COUNT', 2))).toEqual(['ZPOPMAX z 2']);
    expect(await logOf(t, () => t.call('BZPOPMIN', 'none', 'z', 0))).toEqual(['ZPOPMIN z']);
    expect(await logOf(t, () => t.call('BZMPOP', 0, 1, 'z', 'MIN'))).toEqual(['ZPOPMIN z 1']);
    expect(await eventsOf(t, () => t.call('ZPOPMAX', 'z', 9))).toEqual(['zpopmax z', 'del z']);
    expect(await logOf(t, () => t.call('ZMPOP', 1, 'z', 'MIN'))).toEqual([]);
  });

  it('BZPOPMIN and BZPOPMAX answer at once where they can', async () => {
    await t.call('ZADD', 'y', 1, 'a', 2, 'b');
    expect(await t.call('BZPOPMAX', 'x', 'y', 0)).toEqual(['y', 'b', '2']);
    expect(await t.call('BZPOPMIN', 'x', 'y', 0)).toEqual(['y', 'a', '1']);
    expect(await t.fails('BZPOPMIN', 'x', 'z')).toBe('ERR timeout is not a float or out of range');
    expect(await t.fails('BZPOPMIN', 'x', -1)).toBe('ERR timeout is negative');
    expect(await t.fails('BZMPOP', 'x', 0, 'z', 'MIN')).toBe('ERR numkeys should be greater than 0');
    expect(await t.fails('BZMPOP', 'x', 1, 'z', 'MIN')).toBe('ERR timeout is not a float or out of range');
  });

  it('waits, and is served in the order of arrival', async () => {
    const first = await t.connect();
    const second = await t.connect();
    const third = await t.connect();
    const a = first.call('BZPOPMIN', 'x', 'z', 0);
    await blocked(t, 1);
    const b = second.call('BZPOPMAX', 'z', 0);
    await blocked(t, 2);
    const c = third.call('BZMPOP', 0, 2, 'y', 'z', 'MIN', 'COUNT', 5);
    await blocked(t, 3);
    expect(await t.call('ZADD', 'z', 1, 'a', 2, 'b', 3, 'c', 4, 'd')).toBe(4);
    expect(await a).toEqual(['z', 'a', '1']);
    expect(await b).toEqual(['z', 'd', '4']);
    expect(await c).toEqual([
      'z',
      [
        ['b', '2'],
        ['c', '3'],
      ],
    ]);
    expect(await t.call('ZCARD', 'z')).toBe(0);
  });

  it('sleeps on while the key holds another type', async () => {
    const other = await t.connect();
    const popped = other.call('BZPOPMIN', 'z', 0);
    await blocked(t, 1);
    await t.call('SADD', 'z', 'm');
    expect(t.engine.blockedSessions).toBe(1);
    await t.call('SREM', 'z', 'm');
    await t.call('ZADD', 'z', 1, 'a');
    expect(await popped).toEqual(['z', 'a', '1']);
  });

  it('is woken by a stored result, and logged behind it', async () => {
    await t.call('SADD', 's', 'm');
    const other = await t.connect();
    const popped = other.call('BZPOPMIN', 'z', 0);
    await blocked(t, 1);
    expect(await logOf(t, () => t.call('ZUNIONSTORE', 'z', 1, 's'))).toEqual([
      'ZUNIONSTORE z 1 s',
      'ZPOPMIN z',
    ]);
    expect(await popped).toEqual(['z', 'm', '1']);
  });

  it('sees the state after the whole transaction', async () => {
    const other = await t.connect();
    const popped = other.call('BZPOPMIN', 'z', 0);
    await blocked(t, 1);
    await t.exec([
      ['ZADD', 'z', 1, 'a'],
      ['ZREM', 'z', 'a'],
      ['ZADD', 'z', 2, 'b'],
    ]);
    expect(await popped).toEqual(['z', 'b', '2']);
  });

  it('gives up with a null array, at once within MULTI', async () => {
    const nothing = t.protocol === 3 ? 'null' : 'nullarray';
    expect((await t.rich('BZPOPMIN', 'z', '0.01')).type).toBe(nothing);
    expect((await t.rich('BZMPOP', '0.01', '1', 'z', 'MAX')).type).toBe(nothing);
    expect(
      await t.exec([
        ['BZPOPMAX', 'z', 0],
        ['BZMPOP', 0, 1, 'z', 'MIN'],
      ]),
    ).toEqual([null, null]);
  });
});
