// Waiting in process: promises, signals, virtual time, and units that may be rolled back.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, open, VirtualClock } from '../../src/index.ts';

describe('waiting: in process', () => {
  const clock = new VirtualClock();
  let db: Database;
  beforeEach(async () => {
    db = await open({ clock, seed: 1 });
  });
  afterEach(() => db.close());

  it('answers a promise that another session fulfils', async () => {
    const popped = db.session().blpop('k', 0);
    const moved = db.session().blmove('k', 'd', 'LEFT', 'RIGHT', 0);
    const many = db.session().blmpop(0, 2, 'none', 'k', 'RIGHT', 'COUNT', 5);
    expect(db.rpush('k', 'é', 'b', 'c', 'd')).toBe(4);
    expect(db.exists('k')).toBe(0);
    expect(await popped).toEqual(['k', 'é']);
    expect(await moved).toBe('b');
    expect(await many).toEqual(['k', ['d', 'c']]);
  });

  it('refuses other commands of a session that waits', async () => {
    const session = db.session();
    const popped = session.blpop('k', 0);
    expect(() => session.rpush('k', 'a')).toThrow(expect.objectContaining({ code: 'HF_BUSY' }));
    await expect(session.blpop('other', 0)).rejects.toMatchObject({ code: 'HF_BUSY' });
    db.rpush('k', 'a');
    expect(await popped).toEqual(['k', 'a']);
    expect(session.rpush('k', 'b')).toBe(1);
  });

  it('ends on the clock of the database, not before', async () => {
    let reply: unknown = 'waits';
    const popped = db.blpop('k', 1.5).then((value) => {
      reply = value;
    });
    clock.advance(1499);
    await Promise.resolve();
    expect(reply).toBe('waits');
    clock.advance(1);
    await popped;
    expect(reply).toBe(null);
  });

  it('ends in the order of the deadlines', async () => {
    const ended: string[] = [];
    const waits = [3, 1, 2].map((seconds) =>
      db
        .session()
        .brpop('k', seconds)
        .then(() => ended.push(`after ${seconds}`)),
    );
    clock.advance(5000);
    await Promise.all(waits);
    expect(ended).toEqual(['after 1', 'after 2', 'after 3']);
  });

  it('ends by a signal, and takes nothing afterwards', async () => {
    const controller = new AbortController();
    const popped = db.session().blpop('k', { seconds: 0, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(popped).rejects.toMatchObject({ code: 'HF_ABORTED', cause: new Error('enough') });
    db.rpush('k', 'a');
    expect(db.llen('k')).toBe(1);
    await expect(db.session().blpop('none', { seconds: 0, signal: controller.signal })).rejects.toMatchObject(
      {
        code: 'HF_ABORTED',
      },
    );
    expect(db.engine.blockedSessions).toBe(0);
  });

  it('ends when the session is closed', async () => {
    const session = db.session();
    const popped = session.blpop('k', 0);
    session.close();
    await expect(popped).rejects.toMatchObject({ code: 'HF_CLOSED' });
    db.rpush('k', 'a');
    expect(db.llen('k')).toBe(1);
  });

  it('rejects with the error of the command', async () => {
    const session = db.session();
    await expect(session.blpop('k', -1)).rejects.toMatchObject({ message: 'ERR timeout is negative' });
    const popped = session.blpop('k', 0);
    db.clientUnblock(session.id, 'ERROR');
    await expect(popped).rejects.toMatchObject({ code: 'UNBLOCKED' });
    expect(session.ping()).toBe('PONG');
  });

  it('wakes nobody by a transaction that is undone, everybody by one that commits', async () => {
    let woken = false;
    const popped = db.session().blpop('k', 0);
    popped.then(() => {
      woken = true;
    });
    expect(() =>
      db.transaction((tx) => {
        tx.rpush('k', 'undone');
        throw new Error('no');
      }),
    ).toThrow('no');
    await Promise.resolve();
    expect([woken, db.exists('k')]).toEqual([false, 0]);
    const seen = db.transaction((tx) => {
      tx.rpush('k', 'a', 'b', 'c');
      tx.lpop('k');
      return tx.lrange('k', 0, -1);
    });
    expect(seen).toEqual(['b', 'c']);
    expect(await popped).toEqual(['k', 'b']);
    expect(db.lrange('k', 0, -1)).toEqual(['c']);
  });

  it('does not wait inside a transaction', async () => {
    let popped: Promise<unknown> | undefined;
    db.transaction((tx) => {
      popped = tx.blpop('k', 0);
    });
    expect(await popped).toBe(null);
    expect(db.engine.blockedSessions).toBe(0);
  });

  it('looks at the clock anew for each service', async () => {
    // The list expires between the unit that pushed it and the service: nothing to serve, and the next unit has the
    // time of its own.
    const popped = db.session().blpop('k', 0);
    let expired = 0;
    db.live((changes) => {
      expired += changes.filter((change) => change.event === 'expired').length;
    });
    const { now } = clock;
    let calls = 0;
    clock.now = () => now.call(clock) + (calls++ === 0 ? 0 : 1000);
    db.transaction((tx) => {
      tx.rpush('s', 'x');
      tx.pexpire('s', 500);
      tx.rename('s', 'k');
    });
    clock.now = now;
    await Promise.resolve();
    await Promise.resolve();
    expect(expired).toBe(1);
    db.set('t', 'v', 'PX', 5000);
    expect(db.pttl('t')).toBe(5000);
    db.rpush('k', 'y');
    expect(await popped).toEqual(['k', 'y']);
  });
});
