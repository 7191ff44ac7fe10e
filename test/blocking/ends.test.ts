// How a wait ends without an element: its time is over, CLIENT UNBLOCK, the client goes.
import { expect, it } from 'vitest';
import { onEveryTarget } from '../support/targets.ts';
import { blockedClients, idOf, settle, until, wait, waitOn } from './support.ts';

onEveryTarget('waiting: how it ends', (t) => {
  const nullArray = () => (t.protocol === 3 ? 'null' : 'nullarray');

  it('answers a null array when the time is over, BLMOVE too', async () => {
    for (const command of [
      ['BLPOP', 'a', 'b', '0.02'],
      ['BRPOP', 'a', '0.02'],
      ['BLMPOP', '0.02', '1', 'a', 'LEFT'],
      ['BLMOVE', 'a', 'b', 'LEFT', 'LEFT', '0.02'],
      ['BRPOPLPUSH', 'a', 'b', '0.02'],
    ]) {
      const start = Date.now();
      expect([command[0], (await t.rich(...command)).type]).toEqual([command[0], nullArray()]);
      expect(Date.now() - start).toBeGreaterThanOrEqual(19);
    }
    expect(await blockedClients(t)).toBe(0);
  });

  it('takes nothing after its time', async () => {
    expect(await t.call('BLPOP', 'k', '0.01')).toBe(null);
    await t.call('RPUSH', 'k', 'a');
    expect(await t.call('LLEN', 'k')).toBe(1);
  });

  it('keeps to its first deadline whatever happens to the key meanwhile', async () => {
    const client = await t.connect();
    const start = Date.now();
    const waiting = await waitOn(t, client, 'BLPOP', 'k', '0.2');
    for (let i = 0; i < 5; i++) {
      await t.call('SADD', 'k', 'm');
      await t.call('DEL', 'k');
      await new Promise((next) => setTimeout(next, 10));
    }
    expect(await waiting.reply).toBe(null);
    const took = Date.now() - start;
    expect(took).toBeGreaterThanOrEqual(199);
    expect(took).toBeLessThan(2000);
  });

  it('refuses wrong timeouts', async () => {
    for (const [timeout, error] of [
      ['x', 'ERR timeout is not a float or out of range'],
      ['', 'ERR timeout is not a float or out of range'],
      ['nan', 'ERR timeout is not a float or out of range'],
      ['-0.1', 'ERR timeout is negative'],
      ['1e30', 'ERR timeout is out of range'],
    ] as const) {
      expect([timeout, await t.fails('BLPOP', 'k', timeout)]).toEqual([timeout, error]);
      expect(await t.fails('BLMOVE', 'a', 'b', 'LEFT', 'LEFT', timeout)).toBe(error);
      expect(await t.fails('BLMPOP', timeout, 1, 'a', 'LEFT')).toBe(error);
    }
    expect(await t.fails('BLMPOP', 'x', 0, 'a', 'LEFT')).toBe('ERR numkeys should be greater than 0');
    expect(await t.fails('BLMOVE', 'a', 'b', 'UP', 'LEFT', 'x')).toBe('ERR syntax error');
  });

  it('refuses keys of another type at once', async () => {
    const wrong = 'WRONGTYPE Operation against a key holding the wrong kind of value';
    await t.call('SET', 's', 'v');
    expect(await t.fails('BLPOP', 'missing', 's', 0)).toBe(wrong);
    expect(await t.fails('BLMPOP', 0, 2, 's', 'missing', 'LEFT')).toBe(wrong);
    expect(await t.fails('BLMOVE', 's', 'x', 'LEFT', 'LEFT', 0)).toBe(wrong);
    // The target is looked at only once there is something to move.
    const waiting = await wait(t, 'BLMOVE', 'missing', 's', 'LEFT', 'LEFT', 0);
    expect(waiting.done()).toBe(false);
  });

  it('ends by CLIENT UNBLOCK, as a timeout or with an error', async () => {
    for (const [how, outcome] of [
      [[], null],
      [['TIMEOUT'], null],
      [['error'], 'UNBLOCKED client unblocked via CLIENT UNBLOCK'],
    ] as const) {
      const client = await t.connect();
      const id = await idOf(client);
      const waiting = await waitOn(t, client, 'BLPOP', 'k', 0);
      expect(await t.call('CLIENT', 'UNBLOCK', id, ...how)).toBe(1);
      if (outcome === null) expect(await waiting.reply).toBe(null);
      else await expect(waiting.reply).rejects.toThrow(outcome);
      expect(await client.call('ECHO', 'still here')).toBe('still here');
      expect(await t.call('CLIENT', 'UNBLOCK', id)).toBe(0);
    }
    expect(await t.call('CLIENT', 'UNBLOCK', 999999)).toBe(0);
    await t.call('RPUSH', 'k', 'a');
    expect(await t.call('LLEN', 'k')).toBe(1);
  });

  it('gives the null array of a BLMOVE that is unblocked', async () => {
    const client = await t.connect();
    const id = await idOf(client);
    const reply = client.rich('BLMOVE', 'a', 'b', 'LEFT', 'LEFT', 0);
    await until(async () => (await blockedClients(t)) === 1);
    await t.call('CLIENT', 'UNBLOCK', id);
    expect((await reply).type).toBe(nullArray());
  });

  it('can wait again after it was unblocked', async () => {
    const client = await t.connect();
    const id = await idOf(client);
    const waiting = await waitOn(t, client, 'BLPOP', 'k', 0);
    await t.call('CLIENT', 'UNBLOCK', id, 'TIMEOUT');
    await waiting.reply;
    const again = await waitOn(t, client, 'BLPOP', 'k', 0);
    await t.call('RPUSH', 'k', 'a');
    expect(await again.reply).toEqual(['k', 'a']);
  });

  it('skips a client that went away', async () => {
    const gone = await wait(t, 'BLPOP', 'k', 0);
    const next = await wait(t, 'BLPOP', 'k', 0);
    await gone.client.close();
    await until(async () => (await blockedClients(t)) === 1);
    await t.call('RPUSH', 'k', 'a');
    expect(await next.reply).toEqual(['k', 'a']);
  });

  it('keeps the element when the only waiter went away', async () => {
    const gone = await wait(t, 'BLMOVE', 'k', 'd', 'LEFT', 'LEFT', 0);
    await gone.client.close();
    await until(async () => (await blockedClients(t)) === 0);
    await t.call('RPUSH', 'k', 'a');
    expect(await t.call('LRANGE', 'k', 0, -1)).toEqual(['a']);
  });

  it('skips a client that was killed', async () => {
    const client = await t.connect();
    const id = await idOf(client);
    await waitOn(t, client, 'BLPOP', 'k', 0);
    expect(await t.call('CLIENT', 'KILL', 'ID', id)).toBe(1);
    await settle(t);
    expect(await blockedClients(t)).toBe(0);
    await t.call('RPUSH', 'k', 'a');
    expect(await t.call('LLEN', 'k')).toBe(1);
  });
});
