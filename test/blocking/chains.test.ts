// Served commands that fill other keys: whoever waits there is served before anything else runs.
import { expect, it } from 'vitest';
import { onEveryTarget } from '../support/targets.ts';
import { blockedClients, settle, wait } from './support.ts';

const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

onEveryTarget('waiting: chains', (t) => {
  it('hands an element on through several waiters', async () => {
    const end = await wait(t, 'BLPOP', 'c', 0);
    const second = await wait(t, 'BLMOVE', 'b', 'c', 'LEFT', 'LEFT', 0);
    const first = await wait(t, 'BLMOVE', 'a', 'b', 'LEFT', 'LEFT', 0);
    await t.call('RPUSH', 'a', 'x');
    expect([await first.reply, await second.reply, await end.reply]).toEqual(['x', 'x', ['c', 'x']]);
    expect(await t.call('EXISTS', 'a', 'b', 'c')).toBe(0);
  });

  it('follows a chain up within the call that started it', async () => {
    await wait(t, 'BRPOPLPUSH', 'a', 'b', 0);
    await wait(t, 'BRPOPLPUSH', 'b', 'c', 0);
    expect(
      await t.exec([
        ['RPUSH', 'a', 'x'],
        ['LLEN', 'a'],
      ]),
    ).toEqual([1, 1]);
    expect(await t.call('LRANGE', 'c', 0, -1)).toEqual(['x']);
    expect(await blockedClients(t)).toBe(0);
  });

  it('ends a circle when its waiters are served', async () => {
    const there = await wait(t, 'BRPOPLPUSH', 'a', 'b', 0);
    const back = await wait(t, 'BRPOPLPUSH', 'b', 'a', 0);
    await t.call('RPUSH', 'a', 'x');
    expect([await there.reply, await back.reply]).toEqual(['x', 'x']);
    expect(await t.call('LRANGE', 'a', 0, -1)).toEqual(['x']);
    expect(await t.call('EXISTS', 'b')).toBe(0);
  });

  it('moves within one list', async () => {
    const first = await wait(t, 'BRPOPLPUSH', 'k', 'k', 0);
    const second = await wait(t, 'BLMOVE', 'k', 'k', 'LEFT', 'RIGHT', 0);
    await t.call('RPUSH', 'k', 'x');
    expect([await first.reply, await second.reply]).toEqual(['x', 'x']);
    expect(await t.call('LRANGE', 'k', 0, -1)).toEqual(['x']);
  });

  it('answers WRONGTYPE to a waiter whose target is no list, and gives the element to the next', async () => {
    const wrong = await wait(t, 'BLMOVE', 'k', 'target', 'LEFT', 'LEFT', 0);
    const right = await wait(t, 'BLMOVE', 'k', 'other', 'LEFT', 'LEFT', 0);
    await t.call('SET', 'target', 'v');
    await t.call('RPUSH', 'k', 'x');
    await expect(wrong.reply).rejects.toThrow(WRONGTYPE);
    expect(await right.reply).toBe('x');
    expect(await t.call('LRANGE', 'other', 0, -1)).toEqual(['x']);
    expect(await t.call('GET', 'target')).toBe('v');
    expect(await blockedClients(t)).toBe(0);
  });

  it('leaves the element when the only waiter cannot take it', async () => {
    const wrong = await wait(t, 'BRPOPLPUSH', 'k', 'target', 0);
    await t.call('SET', 'target', 'v');
    await t.call('RPUSH', 'k', 'x');
    await expect(wrong.reply).rejects.toThrow(WRONGTYPE);
    expect(await t.call('LRANGE', 'k', 0, -1)).toEqual(['x']);
  });

  it('answers WRONGTYPE to a waiter when an earlier one of its keys has another type by then', async () => {
    const waiting = await wait(t, 'BLPOP', 'a', 'b', 0);
    await t.call('SET', 'a', 'v');
    await settle(t);
    expect(waiting.done()).toBe(false);
    await t.call('RPUSH', 'b', 'x');
    await expect(waiting.reply).rejects.toThrow(WRONGTYPE);
    expect(await t.call('LRANGE', 'b', 0, -1)).toEqual(['x']);
  });

  it('serves the queue of a key to its end although each service changes it', async () => {
    const waiters = [];
    for (let i = 0; i < 20; i++) waiters.push(await wait(t, 'BLMOVE', 'k', 'done', 'LEFT', 'RIGHT', 0));
    const end = await wait(t, 'BLMPOP', 0, 1, 'done', 'LEFT', 'COUNT', 100);
    await t.call('RPUSH', 'k', ...waiters.map((_, i) => i));
    expect(await Promise.all(waiters.map((w) => w.reply))).toEqual(waiters.map((_, i) => String(i)));
    expect(await end.reply).toEqual(['done', waiters.map((_, i) => String(i))]);
  });
});
