// Waiting and MULTI/EXEC: inside, a blocking command never waits; outside, waiters see only the end of a unit.
import { expect, it } from 'vitest';
import { onEveryTarget } from '../support/targets.ts';
import { blockedClients, settle, wait } from './support.ts';

onEveryTarget('waiting: transactions', (t) => {
  it('serves only after the whole EXEC, from what is there then', async () => {
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    expect(
      await t.exec([
        ['RPUSH', 'k', 'a'],
        ['LPOP', 'k'],
        ['RPUSH', 'k', 'b'],
        ['LLEN', 'k'],
      ]),
    ).toEqual([1, 'a', 1, 1]);
    expect(await waiting.reply).toEqual(['k', 'b']);
  });

  it.each([
    ['takes it back', [['LPOP', 'k']]],
    ['deletes the key', [['DEL', 'k']]],
    ['replaces it by a string', [['SET', 'k', 'v']]],
    ['moves it away', [['RENAME', 'k', 'other']]],
    ['lets it expire', [['PEXPIRE', 'k', '-1']]],
    ['flushes', [['FLUSHALL']]],
  ])('wakes nobody when the transaction that pushed %s', async (_how, rest) => {
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    await t.exec([['RPUSH', 'k', 'a'], ...rest]);
    await settle(t);
    expect(waiting.done()).toBe(false);
    await t.call('DEL', 'k');
    await t.call('RPUSH', 'k', 'later');
    expect(await waiting.reply).toEqual(['k', 'later']);
  });

  it('lets the transaction see its own elements before any waiter takes them', async () => {
    const waiting = await wait(t, 'BRPOP', 'k', 0);
    const reply = await t.exec([
      ['RPUSH', 'k', '1', '2', '3'],
      ['LRANGE', 'k', 0, -1],
      ['LTRIM', 'k', 0, 1],
    ]);
    expect(reply).toEqual([3, ['1', '2', '3'], 'OK']);
    expect(await waiting.reply).toEqual(['k', '2']);
    expect(await t.call('LRANGE', 'k', 0, -1)).toEqual(['1']);
  });

  it('never waits inside MULTI, even with timeout 0', async () => {
    await t.call('MULTI');
    for (const command of [
      ['BLPOP', 'a', 'b', '0'],
      ['BRPOP', 'a', '0'],
      ['BLMPOP', '0', '1', 'a', 'LEFT'],
      ['BLMOVE', 'a', 'b', 'LEFT', 'LEFT', '0'],
      ['BRPOPLPUSH', 'a', 'b', '0'],
    ]) {
      expect(await t.call(...command)).toBe('QUEUED');
    }
    const reply = await t.rich('EXEC');
    const array = t.protocol === 3 ? 'null' : 'nullarray';
    expect((reply.value as { type: string }[]).map((one) => one.type)).toEqual([
      array,
      array,
      array,
      'null',
      'null',
    ]);
    expect(await blockedClients(t)).toBe(0);
  });

  it('pops at once inside MULTI where there is something', async () => {
    expect(
      await t.exec([
        ['RPUSH', 'k', 'a', 'b', 'c', 'd'],
        ['BLPOP', 'none', 'k', '0'],
        ['BLMOVE', 'k', 'd', 'RIGHT', 'LEFT', '0'],
        ['BLMPOP', '0', '1', 'k', 'LEFT', 'COUNT', '9'],
      ]),
    ).toEqual([4, ['k', 'a'], 'd', ['k', ['b', 'c']]]);
  });

  it('finds wrong arguments at EXEC, not when queued', async () => {
    const reply = await t.exec([
      ['BLPOP', 'k', 'x'],
      ['BLPOP', 'k', '-1'],
    ]);
    expect(reply).toEqual([
      { error: 'ERR timeout is not a float or out of range' },
      { error: 'ERR timeout is negative' },
    ]);
  });

  it('makes the served pop a change of its own: it dirties a WATCH and is logged behind the transaction', async () => {
    const units: string[][] = [];
    const watcher = await t.connect();
    const waiting = await wait(t, 'BLPOP', 'k', 0);
    await watcher.call('WATCH', 'k');
    t.engine.effects.onUnit = (ops) => units.push(ops.map((op) => op.args.join(' ')));
    await t.exec([
      ['SET', 'x', '1'],
      ['RPUSH', 'k', 'a'],
    ]);
    t.engine.effects.onUnit = null;
    await waiting.reply;
    expect(units).toEqual([['SET x 1', 'RPUSH k a'], ['LPOP k']]);
    expect(await watcher.exec([['PING']])).toBe(null);
  });

  it('serves several keys and waiters of one transaction', async () => {
    const a = await wait(t, 'BLPOP', 'a', 0);
    const b = await wait(t, 'BLPOP', 'b', 0);
    const either = await wait(t, 'BLPOP', 'b', 'a', 0);
    await t.exec([
      ['RPUSH', 'a', '1', '2'],
      ['RPUSH', 'b', '3'],
    ]);
    // Keys in the order in which they became ready: a serves `a` and `either` (which finds b first).
    expect(await a.reply).toEqual(['a', '1']);
    expect(await either.reply).toEqual(['b', '3']);
    await settle(t);
    expect(b.done()).toBe(false);
    expect(await t.call('LRANGE', 'a', 0, -1)).toEqual(['2']);
  });
});
