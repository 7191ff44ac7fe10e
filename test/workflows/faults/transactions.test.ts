// Transactions over WATCH when connections, replies, time or leases go missing: a conflict is never missed, a commit
// never silent, and what was watched is always given up.
import { expect, it } from 'vitest';
import { MOST_LEASES } from '../../../src/workflows/drivers/pool.ts';
import { type Driver, type Request, transaction } from '../../../src/workflows/index.ts';
import { freshPrefix, raw } from '../world.ts';
import { CERTAIN, codeOf, eventually, LINES, type Line, onEachLine } from './support.ts';

/** Adds one to a number, with something happening between the read and the commit. */
function increment(
  driver: Driver,
  key: string,
  between: (attempt: number) => unknown = () => {},
  options: { attempts?: number; deadlineMs?: number; retry?: 'always'; signal?: AbortSignal } = {},
) {
  return transaction(driver, { watch: [key], ...options }, async (tx) => {
    const before = Number(await tx.read.get(key));
    await between(tx.attempt);
    return tx.commit((queue) => queue.set(key, before + 1), before);
  });
}

/** Ids of the connections that watch or have watched: all but the one asking. */
async function connectionIds(line: Line): Promise<string[]> {
  const list = await line.direct('CLIENT', 'LIST', 'TYPE', 'normal');
  return list
    .split('\n')
    .filter((each) => / cmd=(?:get|watch|client\|id) /.test(each))
    .map((each) => /^id=(\d+)/.exec(each)![1]);
}

onEachLine(LINES, (line) => {
  it('ioredis#266, ioredis#999, node-redis#1322: transactions at once on one driver do not mix up their WATCH', async () => {
    const { driver, direct } = line();
    const keys = Array.from({ length: 8 }, freshPrefix);
    const busy = { on: true };
    const noise = (async () => {
      while (busy.on) await raw(driver, 'SET', `${keys[0]}:other`, 1);
    })();
    const results = await Promise.all(
      keys.map((key) => increment(driver, key, () => raw(driver, 'GET', key))),
    );
    busy.on = false;
    await noise;
    expect(results.map(({ status, meta }) => [status, meta.conflicts])).toEqual(
      keys.map(() => ['committed', 0]),
    );
    for (const key of keys) expect(await direct('GET', key)).toBe('1');
  });

  it('ioredis#1686: a reconnect between WATCH and EXEC is a conflict, never a silent commit', async () => {
    const { driver, proxy, direct } = line();
    const key = freshPrefix();
    await direct('SET', key, 10);
    const result = await increment(driver, key, async (attempt) => {
      if (attempt > 1) return;
      proxy.cutAll();
      await direct('SET', key, 20);
      // Time enough for a client to reconnect behind our back.
      await eventually('connected again', async () => {
        const got = await codeOf(raw(driver, 'PING'));
        return got === 'PONG';
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    expect(result).toMatchObject({ status: 'committed', value: 20 });
    expect(result.meta.attempts).toBeGreaterThan(1);
    expect(await direct('GET', key)).toBe('21');
  });

  it('a connection that the server kills between WATCH and EXEC is a conflict as well', async () => {
    const { driver, direct } = line();
    const key = freshPrefix();
    await direct('SET', key, 10);
    const result = await increment(driver, key, async (attempt) => {
      if (attempt > 1) return;
      for (const id of await connectionIds(line())) await direct('CLIENT', 'KILL', 'ID', id);
      await direct('SET', key, 20);
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    expect(result).toMatchObject({ status: 'committed', value: 20 });
    expect(await direct('GET', key)).toBe('21');
  });

  it('a function that swallows the failure of a read commits nothing on it', async () => {
    const { driver, proxy, direct } = line();
    const key = freshPrefix();
    await direct('SET', key, 10);
    proxy.cutBeforeReply({ match: /^GET/ });
    const result = await transaction(driver, { watch: [key] }, async (tx) => {
      const seen = await tx.read.get(key).catch(() => 'nothing');
      if (tx.attempt === 1) await new Promise((resolve) => setTimeout(resolve, 50));
      return tx.commit((queue) => queue.set(key, `${seen}!`));
    });
    expect(result).toMatchObject({ status: 'committed' });
    expect(await direct('GET', key)).toBe('10!');
  });

  it('a decision without any look is carried out', async () => {
    const { driver, direct } = line();
    const key = freshPrefix();
    const result = await transaction(driver, { watch: [key] }, (tx) =>
      tx.commit((queue) => queue.set(key, 1)),
    );
    expect(result).toMatchObject({ status: 'committed', replies: ['OK'] });
    const rejected = await transaction(driver, { watch: [key] }, (tx) => tx.reject('no'));
    expect(rejected).toMatchObject({ status: 'rejected' });
    expect(await direct('GET', key)).toBe('1');
  });

  it('redis-py#566: conflicts without end exhaust the attempts, and nothing was written', async () => {
    const { driver, direct } = line();
    const key = freshPrefix();
    let seen = 0;
    const work = increment(driver, key, async () => direct('SET', key, `other${++seen}`), { attempts: 3 });
    await expect(work).rejects.toMatchObject({ code: 'CONFLICT_EXHAUSTED' });
    expect(seen).toBe(3);
    expect(await direct('GET', key)).toBe('other3');
  });

  it('a watched key that expires between WATCH and EXEC is a conflict', async () => {
    const { driver, direct } = line();
    const key = freshPrefix();
    await direct('SET', key, 10, 'PX', 60);
    const result = await increment(driver, key, async (attempt) => {
      if (attempt > 1) return;
      await eventually('it expires', async () => (await direct('EXISTS', key)) === '0');
    });
    expect(result).toMatchObject({ status: 'committed', value: 0, meta: { attempts: 2, conflicts: 1 } });
    expect(await direct('GET', key)).toBe('1');
  });

  it('gives WATCH up when it rejects, throws or runs out of time, and uses the connection again', async () => {
    const { driver, direct } = line();
    const [watched, other] = [freshPrefix(), freshPrefix()];
    const ends: (() => Promise<unknown>)[] = [
      () =>
        transaction(driver, { watch: [watched] }, async (tx) => {
          await tx.read.get(watched);
          return tx.reject('no');
        }),
      () =>
        transaction(driver, { watch: [watched] }, async (tx) => {
          await tx.read.get(watched);
          throw new Error('mine');
        }),
      () =>
        increment(driver, watched, () => new Promise((resolve) => setTimeout(resolve, 300)), {
          deadlineMs: 100,
        }),
    ];
    const outcomes: unknown[] = [];
    for (const end of ends) {
      outcomes.push(await codeOf(end()));
      await direct('SET', watched, 'foreign');
      const next = await increment(driver, other);
      expect(next).toMatchObject({ status: 'committed', meta: { attempts: 1, conflicts: 0 } });
    }
    expect(outcomes).toMatchObject([{ status: 'rejected', reason: 'no' }, { message: 'mine' }, 'DEADLINE']);
    expect(await direct('GET', watched)).toBe('foreign');
    expect(await direct('GET', other)).toBe('3');
  });

  it('a function that takes too long ends as DEADLINE, also one that holds up the process, and nothing is written', async () => {
    const { driver, direct } = line();
    const key = freshPrefix();
    const started = performance.now();
    const slow = increment(driver, key, () => new Promise((resolve) => setTimeout(resolve, 800)), {
      deadlineMs: 150,
    });
    expect(await codeOf(slow)).toBe('DEADLINE');
    expect(performance.now() - started).toBeLessThan(600);
    const busy = increment(
      driver,
      key,
      () => {
        const until = performance.now() + 200;
        while (performance.now() < until);
      },
      { deadlineMs: 150 },
    );
    expect(await codeOf(busy)).toBe('DEADLINE');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await direct('EXISTS', key)).toBe('0');
  });

  it('a lost EXEC is unknown, or run again where that was asked for', async () => {
    const { driver, proxy, direct } = line();
    const key = freshPrefix();
    proxy.cutBeforeReply({ match: /^EXEC/ });
    expect(await increment(driver, key)).toMatchObject({ status: 'unknown', meta: { retry: 'never' } });
    expect(await direct('GET', key)).toBe('1');
    proxy.cutBeforeReply({ match: /^EXEC/ });
    const again = await increment(driver, key, undefined, { retry: 'always' });
    expect(again).toMatchObject({ status: 'committed', value: 2, meta: { attempts: 2, retry: 'always' } });
    expect(await direct('GET', key)).toBe('3');
  });

  it('after a lost EXEC, no later failure says that nothing was written', async () => {
    const { driver, proxy, direct } = line();
    const key = freshPrefix();
    proxy.cutBeforeReply({ match: /^EXEC/ });
    const slow = (attempt: number) => attempt > 1 && new Promise((resolve) => setTimeout(resolve, 900));
    const result = await increment(driver, key, slow, { retry: 'always', deadlineMs: 500 });
    expect(result).toMatchObject({ status: 'unknown' });
    expect(await direct('GET', key)).toBe('1');
  });

  it('a signal ends it while the function runs, and nothing is written', async () => {
    const { driver, direct } = line();
    const key = freshPrefix();
    const controller = new AbortController();
    const work = increment(driver, key, () => controller.abort(), { signal: controller.signal });
    expect(await codeOf(work)).toBe('ABORTED');
    const waits = new AbortController();
    const never = increment(driver, key, () => new Promise(() => setTimeout(() => waits.abort(), 20)), {
      signal: waits.signal,
    });
    expect(await codeOf(never)).toBe('ABORTED');
    expect(await direct('EXISTS', key)).toBe('0');
    expect(await increment(driver, key)).toMatchObject({ status: 'committed' });
  });

  it('takes two round trips without contention, three on GLIDE', async () => {
    const { driver, proxy, client } = line();
    const key = freshPrefix();
    await increment(driver, key);
    proxy.reset();
    await increment(driver, key);
    // WATCH and GET; MULTI, SET and EXEC. GLIDE asks for its CLIENT ID in each of three.
    expect(proxy.requests).toBe(client === 'glide' ? 8 : 5);
  });
});

/** Counts the writes to leases: each is one round trip. */
function counting(driver: Driver): { driver: Driver; trips: () => number } {
  let trips = 0;
  const spied: Driver = {
    ...driver,
    facts: driver.facts,
    send: (request: Request) => driver.send(request),
    pipeline: (requests) => driver.pipeline(requests),
    everyPrimary: (words, ms) => driver.everyPrimary(words, ms),
    close: () => driver.close(),
    async lease(key, ms) {
      const lease = await driver.lease(key, ms);
      return {
        pipeline: (commands, timeoutMs) => {
          trips++;
          return lease.pipeline(commands, timeoutMs);
        },
        exec: (commands, timeoutMs) => {
          trips++;
          return lease.exec(commands, timeoutMs);
        },
        release: () => lease.release(),
        discard: () => lease.discard(),
      };
    },
  };
  return { driver: spied, trips: () => trips };
}

onEachLine(CERTAIN, (line) => {
  it('reads of one turn share a round trip with WATCH', async () => {
    const { driver, trips } = counting(line().driver);
    const prefix = freshPrefix();
    const watch = ['a', 'b', 'c'].map((name) => `${prefix}:{x}:${name}`);
    const result = await transaction(driver, { watch }, async (tx) => {
      const values = await Promise.all(watch.map((key) => tx.read.get(key)));
      return tx.commit((queue) => queue.set(watch[0], values.length));
    });
    expect(result.status).toBe('committed');
    expect(trips()).toBe(2);
  });

  it('more transactions than leases wait their turn, and LEASE_EXHAUSTED says that none came', async () => {
    const { another } = line();
    const { driver, close } = await another();
    const key = freshPrefix();
    let free = (): void => {};
    const gate = new Promise<void>((resolve) => {
      free = resolve;
    });
    let holding = 0;
    const held = Array.from({ length: MOST_LEASES }, (_, i) =>
      increment(driver, `${key}:${i}`, () => {
        holding++;
        return gate;
      }),
    );
    await eventually('all leases are taken', () => holding === MOST_LEASES);
    expect(await codeOf(increment(driver, key, undefined, { deadlineMs: 100 }))).toBe('LEASE_EXHAUSTED');
    const waits = increment(driver, key);
    free();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual(held.map(() => 'committed'));
    expect(await waits).toMatchObject({ status: 'committed' });
    await close();
  });

  it('a server without connections to give is DISCONNECTED in time, and no lease is lost on it', async () => {
    const { proxy, another, direct } = line();
    const { driver, close } = await another();
    const key = freshPrefix();
    proxy.stall();
    const started = performance.now();
    const many = Array.from({ length: MOST_LEASES }, (_, i) =>
      codeOf(increment(driver, `${key}:${i}`, undefined, { deadlineMs: 200 })),
    );
    expect(new Set(await Promise.all(many))).toEqual(new Set(['DISCONNECTED']));
    expect(performance.now() - started).toBeLessThan(700);
    proxy.resume();
    const after = Array.from({ length: MOST_LEASES }, (_, i) => increment(driver, `${key}:${i}`));
    for (const each of await Promise.all(after)) expect(each.status).toBe('committed');
    expect(await direct('EXISTS', `${key}:0`)).toBe('1');
    await close();
  });

  it('waits for a server that comes back, and says DISCONNECTED where it does not', async () => {
    const { driver, redis, direct, proxy } = line();
    const key = freshPrefix();
    await increment(driver, key);
    await redis.kill();
    await eventually('connections are closed', () => proxy.connections === 0);
    expect(await codeOf(increment(driver, key, undefined, { deadlineMs: 200 }))).toBe('DISCONNECTED');
    const work = increment(driver, key);
    await redis.start();
    expect(await work).toMatchObject({ status: 'committed', value: 1 });
    expect(await direct('GET', key)).toBe('2');
  });
});
