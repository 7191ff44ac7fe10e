// What wakes a waiter: every way in which a list can come to stand at a key, and nothing else.
import { expect, it } from 'vitest';
import { onEveryTarget } from '../support/targets.ts';
import { settle, wait, waitOn } from './support.ts';

onEveryTarget('waiting: what wakes', (t) => {
  it.each([
    ['RPUSH', [['RPUSH', 'k', 'x']]],
    [
      'LMOVE',
      [
        ['RPUSH', 's', 'x'],
        ['LMOVE', 's', 'k', 'LEFT', 'LEFT'],
      ],
    ],
    [
      'RENAME',
      [
        ['RPUSH', 's', 'x'],
        ['RENAME', 's', 'k'],
      ],
    ],
    [
      'RENAMENX',
      [
        ['RPUSH', 's', 'x'],
        ['RENAMENX', 's', 'k'],
      ],
    ],
    [
      'COPY',
      [
        ['RPUSH', 's', 'x'],
        ['COPY', 's', 'k'],
      ],
    ],
    [
      'SORT … STORE',
      [
        ['SADD', 's', 'x'],
        ['SORT', 's', 'ALPHA', 'STORE', 'k'],
      ],
    ],
    [
      'SWAPDB',
      [
        ['SELECT', '1'],
        ['RPUSH', 'k', 'x'],
        ['SELECT', '0'],
        ['SWAPDB', '0', '1'],
      ],
    ],
    [
      'MOVE',
      [
        ['SELECT', '1'],
        ['RPUSH', 'k', 'x'],
        ['MOVE', 'k', '0'],
        ['SELECT', '0'],
      ],
    ],
  ])('%s', async (_name, commands) => {
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    for (const command of commands) await t.call(...command);
    expect(await waiting.reply).toEqual(['k', 'x']);
    expect(await t.call('EXISTS', 'k')).toBe(0);
  });

  it.each([
    ['a string', ['SET', 'k', 'x']],
    ['a set', ['SADD', 'k', 'x']],
    ['a hash', ['HSET', 'k', 'f', 'x']],
    ['a sorted set', ['ZADD', 'k', '1', 'x']],
  ])('not %s; the key is served once it is a list', async (_name, command) => {
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    await t.call(...command);
    await settle(t);
    expect(waiting.done()).toBe(false);
    await t.call('DEL', 'k');
    await t.call('RPUSH', 'k', 'y');
    expect(await waiting.reply).toEqual(['k', 'y']);
  });

  it('not a SORT … STORE over a key of another type (as in Redis), but a RENAME over it', async () => {
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    await t.call('SET', 'k', 'v');
    await t.call('SADD', 's', 'x');
    expect(await t.call('SORT', 's', 'ALPHA', 'STORE', 'k')).toBe(1);
    await settle(t);
    expect(waiting.done()).toBe(false);
    await t.call('RPUSH', 'l', 'y');
    await t.call('RENAME', 'l', 'k');
    expect(await waiting.reply).toEqual(['k', 'y']);
  });

  it('not by a key of that name in another database', async () => {
    const client = await t.connect();
    await client.call('SELECT', 2);
    const waiting = await waitOn(t, client, 'BLPOP', 'k', 0);
    await t.call('RPUSH', 'k', 'zero');
    await settle(t);
    expect(waiting.done()).toBe(false);
    await t.call('SELECT', 2);
    await t.call('RPUSH', 'k', 'two');
    await t.call('SELECT', 0);
    expect(await waiting.reply).toEqual(['k', 'two']);
    expect(await t.call('LLEN', 'k')).toBe(1);
  });

  it('not by LPUSHX, LREM or LTRIM of a missing key', async () => {
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    await t.call('LPUSHX', 'k', 'x');
    await t.call('LREM', 'k', 0, 'x');
    await t.call('LTRIM', 'k', 0, -1);
    await t.call('DEL', 'k');
    await t.call('FLUSHALL');
    await settle(t);
    expect(waiting.done()).toBe(false);
  });

  it('SWAPDB wakes the waiters of both databases', async () => {
    const zero = await wait(t, 'BLPOP', 'a', 0);
    const client = await t.connect();
    await client.call('SELECT', 1);
    const one = await waitOn(t, client, 'BLPOP', 'b', 0);
    await t.call('RPUSH', 'b', '0');
    await t.call('SELECT', 1);
    await t.call('RPUSH', 'a', '1');
    await t.call('SELECT', 0);
    await settle(t);
    expect([zero.done(), one.done()]).toEqual([false, false]);
    await t.call('SWAPDB', 0, 1);
    expect(await zero.reply).toEqual(['a', '1']);
    expect(await one.reply).toEqual(['b', '0']);
  });

  it('a list with a deadline, which it keeps', async () => {
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    await t.call('RPUSH', 's', '1', '2');
    await t.call('PEXPIRE', 's', 100000);
    await t.call('RENAME', 's', 'k');
    expect(await waiting.reply).toEqual(['k', '1']);
    expect(await t.call('TTL', 'k')).toBe(100);
  });
});
