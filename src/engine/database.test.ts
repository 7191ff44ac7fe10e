import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from './database.ts';
import { HoldfastError } from './errors.ts';
import { VirtualClock } from './ports.ts';

let clock: VirtualClock;
let db: Database;

beforeEach(() => {
  clock = new VirtualClock();
  db = new Database({ clock, seed: 7 });
});
afterEach(() => db.close());

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof HoldfastError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('commands as methods', () => {
  it('takes and gives UTF-8 strings, numbers and bytes', () => {
    expect(db.set('naïve', 'été €')).toBe('OK');
    expect(db.get('naïve')).toBe('été €');
    expect(db.strlen('naïve')).toBe(9);
    db.set('bytes', new Uint8Array([0, 255, 128]));
    expect([...(db.buffers.get('bytes') ?? [])]).toEqual([0, 255, 128]);
    db.set('n', 41);
    expect(db.incr('n')).toBe(42);
    db.set('big', 9223372036854775806n);
    expect(db.incr('big')).toBe(9223372036854775807n);
  });

  it('gives maps as objects, sets as arrays, doubles as numbers', () => {
    db.hset('h', 'a', 1, '__proto__', 2);
    const hash = db.hgetall('h');
    expect(Object.entries(hash)).toEqual([
      ['a', '1'],
      ['__proto__', '2'],
    ]);
    db.sadd('s', 'x');
    expect(db.smembers('s')).toEqual(['x']);
    db.zadd('z', 1.5, 'm');
    expect(db.zscore('z', 'm')).toBe(1.5);
  });

  it('throws HoldfastError with the code of the reply and changes nothing', () => {
    db.set('text', 'abc');
    expect(codeOf(() => db.incr('text'))).toBe('ERR');
    expect(codeOf(() => db.lpush('text', 'x'))).toBe('WRONGTYPE');
    expect(codeOf(() => db.call('NOSUCH'))).toBe('ERR');
    expect(codeOf(() => db.set('k', {} as never))).toBe('HF_ARGUMENT');
    expect(codeOf(() => db.set('k', ['v'] as never))).toBe('HF_ARGUMENT');
    expect(db.get('text')).toBe('abc');
    expect(db.exists('k')).toBe(0);
  });

  it('runs any command by call, with errors inside arrays as elements', () => {
    expect(db.call('set', 'k', 'v', 'EX', 10)).toBe('OK');
    expect(db.call('TTL', 'k')).toBe(10);
    db.multi();
    db.incr('k');
    const [reply] = db.exec() as unknown[];
    expect(reply).toBeInstanceOf(HoldfastError);
  });
});

describe('transaction', () => {
  it('commits all of it', () => {
    const result = db.transaction((tx) => {
      tx.set('a', 1);
      tx.incrby('a', 4);
      return tx.get('a');
    });
    expect(result).toBe('5');
    expect(db.get('a')).toBe('5');
  });

  it('undoes everything when it throws: values, types, deadlines, databases', () => {
    db.set('s', 'before', 'PX', 5000);
    db.rpush('l', 'a', 'b');
    db.zadd('z', 1, 'm');
    db.select(3);
    db.set('other', '1');
    db.select(0);
    const boom = new Error('boom');
    expect(() =>
      db.transaction((tx) => {
        tx.set('s', 'after');
        tx.rpush('l', 'c');
        tx.lpop('l');
        tx.del('z');
        tx.sadd('z', 'now a set');
        tx.set('fresh', 'x');
        tx.swapdb(0, 3);
        tx.flushall();
        tx.set('s', 'last');
        throw boom;
      }),
    ).toThrow(boom);
    expect(db.get('s')).toBe('before');
    expect(db.pttl('s')).toBe(5000);
    expect(db.lrange('l', 0, -1)).toEqual(['a', 'b']);
    expect(db.zrange('z', 0, -1)).toEqual(['m']);
    expect(db.exists('fresh')).toBe(0);
    db.select(3);
    expect(db.get('other')).toBe('1');
  });

  it('puts the session back as well: its database, and no MULTI', () => {
    expect(() =>
      db.transaction((tx) => {
        tx.select(5);
        tx.multi();
        tx.set('queued', '1');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(db.set('k', 'v')).toBe('OK');
    expect(db.get('k')).toBe('v');
    expect(db.clientInfo()).toMatch(/ db=0 .* multi=-1 /);
  });

  it('is a savepoint inside another', () => {
    db.rpush('l', 'a');
    db.transaction((tx) => {
      tx.rpush('l', 'b');
      expect(() =>
        tx.transaction((inner) => {
          inner.rpush('l', 'c');
          throw new Error('inner');
        }),
      ).toThrow('inner');
      expect(tx.lrange('l', 0, -1)).toEqual(['a', 'b']);
    });
    expect(db.lrange('l', 0, -1)).toEqual(['a', 'b']);
  });

  it('is refused while the session has a MULTI open', () => {
    db.multi();
    expect(codeOf(() => db.transaction((tx) => tx.set('k', 'v')))).toBe('HF_BUSY');
    db.discard();
    expect(db.transaction((tx) => tx.set('k', 'v'))).toBe('OK');
  });

  it('refuses a promise and undoes it', () => {
    expect(codeOf(() => db.transaction(async (tx) => tx.set('k', 'v')))).toBe('HF_ASYNC');
    expect(db.exists('k')).toBe(0);
  });

  it('keeps other sessions out while it runs', () => {
    const other = db.session();
    db.transaction((tx) => {
      tx.set('k', 'v');
      expect(codeOf(() => other.get('k'))).toBe('HF_BUSY');
    });
    expect(other.get('k')).toBe('v');
  });

  it('dirties watches of others only at the commit', () => {
    const other = db.session();
    other.watch('k');
    expect(() =>
      db.transaction((tx) => {
        tx.set('k', '1');
        throw new Error('undone');
      }),
    ).toThrow();
    other.multi();
    other.get('k');
    expect(other.exec()).toEqual([null]);
    other.watch('k');
    db.transaction((tx) => tx.set('k', '1'));
    other.multi();
    expect(other.exec()).toBeNull();
  });

  it('publishes and wakes waiters only at the commit', async () => {
    const heard: string[] = [];
    db.listen('news', (m) => heard.push(m.message));
    const waiter = db.session();
    const popped = waiter.blpop('queue', 0);
    expect(() =>
      db.transaction((tx) => {
        tx.publish('news', 'undone');
        tx.rpush('queue', 'undone');
        throw new Error('undone');
      }),
    ).toThrow();
    db.transaction((tx) => {
      tx.publish('news', 'done');
      tx.rpush('queue', 'a');
      tx.lpop('queue');
      tx.rpush('queue', 'b');
    });
    expect(await popped).toEqual(['queue', 'b']);
    await settled();
    expect(heard).toEqual(['done']);
  });
});

describe('sessions', () => {
  it('have their own MULTI, WATCH and SELECT', () => {
    const a = db.session();
    const b = db.session();
    a.select(1);
    a.set('k', 'in 1');
    expect(b.get('k')).toBeNull();
    a.select(0);
    a.watch('stock');
    a.multi();
    expect(a.decr('stock')).toBe('QUEUED');
    b.set('stock', 5);
    expect(a.exec()).toBeNull();
    a.watch('stock');
    a.multi();
    a.decr('stock');
    expect(a.exec()).toEqual([4]);
  });

  it('end by close', async () => {
    const a = db.session();
    const waiting = a.blpop('q', 0);
    a.close();
    await expect(waiting).rejects.toMatchObject({ code: 'HF_CLOSED' });
    expect(codeOf(() => a.get('k'))).toBe('HF_CLOSED');
    db.rpush('q', 'kept');
    expect(db.llen('q')).toBe(1);
    db.close();
    expect(codeOf(() => db.get('k'))).toBe('HF_CLOSED');
    expect(codeOf(() => db.session())).toBe('HF_CLOSED');
  });
});

describe('blocking commands', () => {
  it('resolve when served, and with null after their time', async () => {
    const served = db.session().blpop('q', 0);
    const late = db.session().blpop('other', { seconds: 1.5 });
    db.rpush('q', 'x');
    expect(await served).toEqual(['q', 'x']);
    clock.advance(1499);
    let done = false;
    void late.then(() => {
      done = true;
    });
    await settled();
    expect(done).toBe(false);
    clock.advance(1);
    expect(await late).toBeNull();
  });

  it('end with the AbortSignal, and take nothing any more', async () => {
    const controller = new AbortController();
    const client = db.session();
    const waiting = client.blpop('q', { seconds: 0, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'HF_ABORTED' });
    db.rpush('q', 'x');
    expect(db.llen('q')).toBe(1);
    expect(await client.blpop('q', 0)).toEqual(['q', 'x']);
    const early = client.blpop('q', { seconds: 0, signal: controller.signal });
    await expect(early).rejects.toMatchObject({ code: 'HF_ABORTED' });
  });

  it('reject with the error of the command', async () => {
    db.set('text', 'v');
    await expect(db.session().blpop('text', 0)).rejects.toMatchObject({ code: 'WRONGTYPE' });
    await expect(db.session().blpop('q', -1)).rejects.toMatchObject({ code: 'ERR' });
  });

  it('refuse a second command of a session that waits', async () => {
    const client = db.session();
    const waiting = client.blpop('q', 0);
    expect(codeOf(() => client.get('k'))).toBe('HF_BUSY');
    await expect(client.blpop('q', 0)).rejects.toMatchObject({ code: 'HF_BUSY' });
    db.rpush('q', 'x');
    expect(await waiting).toEqual(['q', 'x']);
    expect(client.get('k')).toBeNull();
  });
});

describe('listeners', () => {
  it('listen to channels and patterns until stopped', async () => {
    const heard: unknown[] = [];
    const stop = db.listen('news.*', (m) => heard.push(m), { pattern: true });
    expect(db.publish('news.é', 'ü')).toBe(1);
    await settled();
    expect(heard).toEqual([{ kind: 'pmessage', pattern: 'news.*', channel: 'news.é', message: 'ü' }]);
    stop();
    expect(db.publish('news.é', 'x')).toBe(0);
  });

  it('live tells the changes of each unit, once, after it', async () => {
    const units: string[][] = [];
    const stop = db.live((changes) => units.push(changes.map((c) => `${c.event} ${c.key}`)));
    db.set('a', '1');
    db.get('a');
    db.transaction((tx) => {
      tx.incr('a');
      tx.del('a');
    });
    expect(() =>
      db.transaction((tx) => {
        tx.set('a', '2');
        throw new Error('undone');
      }),
    ).toThrow();
    await settled();
    expect(units).toEqual([['set a'], ['incrby a', 'del a']]);
    stop();
    db.set('a', '3');
    await settled();
    expect(units).toHaveLength(2);
  });
});

describe('time and chance', () => {
  it('stand still with a virtual clock, and the active cycle runs on it', async () => {
    const events: string[] = [];
    db.live((changes) => events.push(...changes.map((c) => c.event)));
    db.set('k', 'v', 'PX', 1000);
    clock.advance(1000);
    expect(db.exists('k')).toBe(1);
    expect(db.dbsize()).toBe(1);
    clock.advance(200);
    expect(db.dbsize()).toBe(0);
    await settled();
    expect(events).toEqual(['set', 'expire', 'expired']);
  });

  it('give the same run for the same seed', () => {
    const run = (seed: number): unknown[] => {
      const one = new Database({ clock: new VirtualClock(), seed });
      one.sadd('s', ...Array.from({ length: 50 }, (_, i) => `m${i}`));
      const picks = Array.from({ length: 10 }, () => one.spop('s'));
      one.close();
      return picks;
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });
});

describe('snapshots and forks', () => {
  it('revertTo goes back, whatever happened since', () => {
    db.rpush('l', 'a');
    db.set('k', '1', 'PX', 9000);
    const snapshot = db.snapshot();
    const first = [db.srandmember('none'), db.rpush('l', 'b'), db.del('k'), db.set('new', 'x')];
    expect(first).toBeDefined();
    db.revertTo(snapshot);
    expect(db.lrange('l', 0, -1)).toEqual(['a']);
    expect(db.pttl('k')).toBe(9000);
    expect(db.exists('new')).toBe(0);
    db.rpush('l', 'c');
    db.revertTo(snapshot);
    expect(db.lrange('l', 0, -1)).toEqual(['a']);
  });

  it('revertTo repeats chance as well', () => {
    db.sadd('s', ...Array.from({ length: 50 }, (_, i) => `m${i}`));
    const snapshot = db.snapshot();
    const first = db.spop('s');
    db.revertTo(snapshot);
    expect(db.spop('s')).toBe(first);
  });

  it('revertTo counts as a change of every watched key', () => {
    const snapshot = db.snapshot();
    const client = db.session();
    client.watch('k');
    db.revertTo(snapshot);
    client.multi();
    expect(client.exec()).toBeNull();
  });

  it('forks are independent, in both directions', () => {
    db.hset('h', 'f', 1);
    const fork = db.fork();
    fork.hincrby('h', 'f', 1);
    db.hincrby('h', 'f', 10);
    expect(fork.hget('h', 'f')).toBe('2');
    expect(db.hget('h', 'f')).toBe('11');
    fork.flushall();
    expect(db.dbsize()).toBe(1);
    fork.close();
  });

  it('cost far less than a copy', () => {
    for (let i = 0; i < 20_000; i++) db.set(`key:${i}`, i);
    const { directory } = db.snapshot().space.dbs[0];
    // The segments are shared, not copied: one write afterwards copies one of them.
    const before = new Set(directory);
    db.set('key:1', 'changed');
    const after = new Set(db.snapshot().space.dbs[0].directory);
    const copied = [...after].filter((segment) => !before.has(segment));
    expect(before.size).toBeGreaterThan(8);
    expect(copied).toHaveLength(1);
  });
});
