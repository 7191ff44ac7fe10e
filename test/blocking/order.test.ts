// Who is served, and in what order (docs: semantics of Redis 7.2, first come first served per key).
import { expect, it } from 'vitest';
import { onEveryTarget } from '../support/targets.ts';
import { blockedClients, settle, wait, waitOn } from './support.ts';

onEveryTarget('waiting: order', (t) => {
  it('serves the waiters of a key in the order in which they came', async () => {
    const first = await wait(t, 'BLPOP', 'k', 0);
    const second = await wait(t, 'BRPOP', 'k', 0);
    const third = await wait(t, 'BLPOP', 'k', 0);
    expect(await t.call('RPUSH', 'k', 'a', 'b')).toBe(2);
    expect(await first.reply).toEqual(['k', 'a']);
    expect(await second.reply).toEqual(['k', 'b']);
    await settle(t);
    expect(third.done()).toBe(false);
    await t.call('RPUSH', 'k', 'c');
    expect(await third.reply).toEqual(['k', 'c']);
    expect(await blockedClients(t)).toBe(0);
    expect(await t.call('LLEN', 'k')).toBe(0);
  });

  it('leaves what nobody waits for', async () => {
    const one = await wait(t, 'BLPOP', 'k', 0);
    const some = await wait(t, 'BLMPOP', 0, 2, 'other', 'k', 'RIGHT', 'COUNT', 2);
    await t.call('RPUSH', 'k', 'a', 'b', 'c', 'd');
    expect(await one.reply).toEqual(['k', 'a']);
    expect(await some.reply).toEqual(['k', ['d', 'c']]);
    expect(await t.call('LRANGE', 'k', 0, -1)).toEqual(['b']);
  });

  it('sees elements in the order that LPUSH gives them', async () => {
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    await t.call('LPUSH', 'k', 'a', 'b', 'c');
    expect(await waiting.reply).toEqual(['k', 'c']);
  });

  it('puts a client that waits again behind the others', async () => {
    const first = await wait(t, 'BLPOP', 'k', 0);
    const second = await wait(t, 'BLPOP', 'k', 0);
    await t.call('RPUSH', 'k', '1');
    expect(await first.reply).toEqual(['k', '1']);
    const again = await waitOn(t, first.client, 'BLPOP', 'k', 0);
    await t.call('RPUSH', 'k', '2', '3');
    expect(await second.reply).toEqual(['k', '2']);
    expect(await again.reply).toEqual(['k', '3']);
  });

  it('wakes a client by any of its keys, once', async () => {
    const waiting = await wait(t, 'BLPOP', 'a', 'b', 'c', 0);
    await t.call('RPUSH', 'b', '1', '2');
    expect(await waiting.reply).toEqual(['b', '1']);
    await t.call('RPUSH', 'a', 'x');
    expect(await t.call('LRANGE', 'a', 0, -1)).toEqual(['x']);
    expect(await t.call('LRANGE', 'b', 0, -1)).toEqual(['2']);
  });

  it('takes from the first of its keys when several became ready at once', async () => {
    const waiting = await wait(t, 'BLPOP', 'a', 'b', 0);
    await t.exec([
      ['RPUSH', 'b', '1'],
      ['RPUSH', 'a', '2'],
    ]);
    expect(await waiting.reply).toEqual(['a', '2']);
    expect(await t.call('LRANGE', 'b', 0, -1)).toEqual(['1']);
  });

  it('serves a client that names a key twice once', async () => {
    const twice = await wait(t, 'BLPOP', 'k', 'k', 0);
    const other = await wait(t, 'BLPOP', 'k', 0);
    await t.call('RPUSH', 'k', '1', '2', '3');
    expect(await twice.reply).toEqual(['k', '1']);
    expect(await other.reply).toEqual(['k', '2']);
    expect(await t.call('LRANGE', 'k', 0, -1)).toEqual(['3']);
    expect(await blockedClients(t)).toBe(0);
  });

  it('keeps the order of each key apart', async () => {
    const both = await wait(t, 'BLPOP', 'a', 'b', 0);
    const onlyB = await wait(t, 'BLPOP', 'b', 0);
    const onlyA = await wait(t, 'BLPOP', 'a', 0);
    await t.exec([
      ['RPUSH', 'b', '1'],
      ['RPUSH', 'a', '2'],
    ]);
    // `both` is first in either queue and takes from a; b then is for the next.
    expect(await both.reply).toEqual(['a', '2']);
    expect(await onlyB.reply).toEqual(['b', '1']);
    await settle(t);
    expect(onlyA.done()).toBe(false);
  });

  it('serves clients that wait for a list past those that wait for a sorted set', async () => {
    const zset = await wait(t, 'BZPOPMIN', 'k', 0);
    const list = await wait(t, 'BLPOP', 'k', 0);
    await t.call('RPUSH', 'k', 'a');
    expect(await list.reply).toEqual(['k', 'a']);
    await settle(t);
    expect(zset.done()).toBe(false);
    await t.call('ZADD', 'k', 1, 'm');
    expect(await zset.reply).toEqual(['k', 'm', '1']);
  });

  it('answers each client in its own protocol and with its own command', async () => {
    const pop = await wait(t, 'BLPOP', 'k', 0);
    const move = await wait(t, 'BLMOVE', 'k', 'd', 'LEFT', 'RIGHT', 0);
    const old = await wait(t, 'BRPOPLPUSH', 'k', 'd', 0);
    await t.call('RPUSH', 'k', '1', '2', '3');
    expect([await pop.reply, await move.reply, await old.reply]).toEqual([['k', '1'], '2', '3']);
    expect(await t.call('LRANGE', 'd', 0, -1)).toEqual(['3', '2']);
  });
});
