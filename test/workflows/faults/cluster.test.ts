// The toolkit while a Cluster changes under it: failovers and slots on the move, with every client at once under load.
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  batch,
  boundedCounter,
  defineScript,
  int,
  leaderboard,
  type OperationEvent,
  ok,
  reservation,
  session,
  setTelemetry,
  slotOf,
  sweep,
  transaction,
} from '../../../src/workflows/index.ts';
import { type Cluster, startCluster } from '../../support/redis-cluster.ts';
import { oracleAvailable } from '../../support/redis-server.ts';
import { ask, askAll } from '../../support/waiting.ts';
import { type Connected, connect } from '../targets.ts';
import { freshPrefix, raw, sleep } from '../world.ts';
import { Load, underLoad } from './load.ts';
import { codeOf, counting, LINES } from './support.ts';

describe.skipIf(!oracleAvailable())('on a Cluster', () => {
  let cluster: Cluster;
  const clients = new Map<string, Connected>();
  beforeAll(async () => {
    cluster = await startCluster();
    const running = { ports: cluster.nodes.map(({ port }) => port), stop: async () => {} };
    for (const client of LINES) clients.set(client, await connect(client, 'redis-cluster', running));
  }, 60_000);
  afterEach(() => {
    setTelemetry(null);
  });
  afterAll(async () => {
    for (const each of clients.values()) await each.close();
    await cluster?.stop();
  });

  const driverOf = (client: string) => clients.get(client)!.driver;
  const all = () => [...clients.values()].map(({ driver }) => driver);
  const always = counting('always');

  /** Does this while the slot of a key is on the move, with no key moved yet. */
  async function whileMoving(key: string, work: () => Promise<void>): Promise<void> {
    const slot = slotOf(key);
    const from = cluster.primaryOf(slot);
    const to = cluster.nodes.find((node) => node.role === 'primary' && node !== from)!;
    const move = await cluster.openMigration(slot, to);
    try {
      await work();
    } finally {
      await move.finish();
    }
  }

  it('the slots of keys are those of the server', async () => {
    const keys = fc.sample(
      fc.oneof(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
        fc.stringMatching(/^[a-c{}]{1,12}$/),
      ),
      300,
    );
    const slots = await askAll(
      cluster.nodes[0].port,
      keys.map((key) => ['CLUSTER', 'KEYSLOT', Buffer.from(key)]),
    );
    expect(keys.map(slotOf)).toEqual(slots.map(({ text }) => Number(text)));
  });

  describe.each(LINES)('%s', (client) => {
    it('a script that is stopped amid its work is sent again where that is safe, else an error that says so', async () => {
      const driver = driverOf(client);
      const key = freshPrefix();
      const emptying = (retry: 'never' | 'always') =>
        defineScript({
          ...{ name: 'emptying', version: 1, mode: 'write', retry, keys: ['key'], args: {} },
          lua: `-- ${retry}\nredis.call('DEL', KEYS[1])\nreturn {'set', redis.call('INCR', KEYS[1])}`,
          reply: { set: ok({ value: int }) },
        }).run(driver, { keys: { key }, args: {} });
      await raw(driver, 'SET', key, 1);
      await whileMoving(key, async () => {
        await expect(emptying('never')).rejects.toMatchObject({
          code: 'SERVER',
          message: expect.stringContaining('non local key'),
        });
      });
      await raw(driver, 'SET', key, 1);
      await whileMoving(key, async () => {
        // The key has gone, as the server said, and the next send finds its new home.
        expect(await emptying('always')).toMatchObject({ status: 'set', value: 1, meta: { attempts: 2 } });
      });
    });

    it('while its slot moves, the only session gets another id, and the only entry another score', async () => {
      const driver = driverOf(client);
      const prefix = freshPrefix();
      const id = prefix;
      const sessions = session(driver, { prefix, ttlMs: 60_000, maxSessions: 1, whenFull: 'evict' });
      const board = leaderboard(driver, { prefix: `${prefix}:board`, mode: 'latest' });
      const plan = sweep(driver, { prefix: `${prefix}:plan` });
      await sessions.create(id, 1, { sessionId: 'one' });
      await board.submit(id, 'ada', 1);
      await plan.schedule(id, 'm', 1000);
      const [claim] = (await plan.run(id)).orThrow().members;
      const stale = { member: 'other', token: 99 };
      const once = { meta: { attempts: 1 } };
      await whileMoving(`${prefix}:{${id}}`, async () => {
        expect(await plan.ack(id, [claim, stale])).toMatchObject({ settled: 1, stale: ['other'], ...once });
        expect(await board.submit(id, 'ada', 2)).toMatchObject({ status: 'ranked', ...once });
        expect(await sessions.rotate(id, 'one', { newId: 'two' })).toMatchObject({
          status: 'rotated',
          ...once,
        });
        expect(await sessions.create(id, 3, { sessionId: 'three' })).toMatchObject({ evicted: 1, ...once });
        expect(await sessions.read(id, 'three')).toMatchObject({ status: 'found', data: 3 });
        expect(await sessions.revokeAll(id)).toMatchObject({ status: 'revoked', left: 0, ...once });
      });
    });

    it('while its slot moves, a reservation that cannot be written whole is not written at all', async () => {
      const driver = driverOf(client);
      const prefix = freshPrefix();
      const id = prefix;
      const pool = reservation(driver, { prefix });
      await pool.add(id, 10);
      for (const holdId of ['one', 'two']) await pool.reserve(id, { holdId, quantity: 1, holdMs: 5 });
      await pool.cancel(id, 'one');
      await sleep(10);
      await whileMoving(`${prefix}:{${id}}`, async () => {
        // It sweeps the last hold that was due, and then there is no such key for its own.
        const held = { holdId: 'three', quantity: 4, holdMs: 60_000 };
        expect(await pool.reserve(id, held, { deadlineMs: 200 })).toMatchObject({ status: 'unknown' });
      });
      expect(await pool.read(id)).toMatchObject({ available: 10, held: 0, sold: 0 });
      const held = { holdId: 'three', quantity: 4, holdMs: 60_000 };
      expect(await pool.reserve(id, held)).toMatchObject({ status: 'held' });
      expect(await pool.read(id)).toMatchObject({ available: 6, held: 4, sold: 0 });
    });

    it('upstash#122, ioredis#536: a batch over all shards meets no NOSCRIPT, and keeps its order in each slot', async () => {
      const driver = driverOf(client);
      const prefix = freshPrefix();
      const keys = Array.from({ length: 9 }, (_, i) => `${prefix}:{${i}}`);
      const calls = () =>
        keys.flatMap((key) => [1, 2, 3].map(() => always.call({ keys: { counter: key }, args: {} })));
      const values = async () =>
        (await batch(driver, calls())).map((each) => ('value' in each ? each.value : each));
      expect(await values()).toEqual(keys.flatMap(() => [1, 2, 3]));
      for (const { port } of cluster.nodes) await ask(port, 'SCRIPT', 'FLUSH');
      expect(await values()).toEqual(keys.flatMap(() => [4, 5, 6]));
    });

    it('rueidis#974, bullmq#2463: a key that was not declared and lies elsewhere is an error, and nothing happened', async () => {
      const driver = driverOf(client);
      const prefix = freshPrefix();
      const owner = (key: string) => cluster.primaryOf(cluster.slotOf(key));
      let other = 0;
      while (owner(`${prefix}${other}`) === owner(prefix)) other++;
      const stray = defineScript({
        name: 'stray',
        version: 1,
        lua: `redis.call('INCR', KEYS[1] .. '${other}') return {'done', 1}`,
        mode: 'write',
        retry: 'never',
        keys: ['here'],
        args: {},
        reply: { done: ok({ n: int }) },
      });
      await expect(stray.run(driver, { keys: { here: prefix }, args: {} })).rejects.toMatchObject({
        code: 'SERVER',
        message: expect.stringContaining('non local key'),
      });
      expect(await raw(driver, 'EXISTS', `${prefix}${other}`)).toBe(0);
    });

    it('a half-moved slot: one key is found where it is, several wait for the end of the move', async () => {
      const driver = driverOf(client);
      const prefix = freshPrefix();
      const counter = boundedCounter(driver, { prefix, max: 100n });
      const slot = cluster.slotOf(`${prefix}:{a}`);
      const from = cluster.primaryOf(slot);
      const to = cluster.nodes.find((node) => node.role === 'primary' && node !== from)!;
      await counter.add('a', 1n);
      await always.run(driver, { keys: { counter: `${prefix}:{a}:one` }, args: {} });
      const move = await cluster.openMigration(slot, to, 1);
      expect(await always.run(driver, { keys: { counter: `${prefix}:{a}:new` }, args: {} })).toMatchObject({
        value: 1,
      });
      await move.step();
      expect(await always.run(driver, { keys: { counter: `${prefix}:{a}:one` }, args: {} })).toMatchObject({
        value: 2,
      });
      const events: OperationEvent[] = [];
      setTelemetry((event) => {
        if (event.event === 'redis.atomic.operation') events.push(event);
      });
      // The counter is there and the record of the request is not: nobody can run that before the move is over.
      let isOver = false;
      const waits = counter.add('a', 2n, { requestId: 'r', deadlineMs: 10_000 }).finally(() => {
        isOver = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(isOver).toBe(false);
      await move.finish();
      expect(await waits).toMatchObject({ status: 'added', value: 3n });
      // GLIDE repeats what met TRYAGAIN by itself.
      if (client !== 'glide') expect(events[0].retries.TRYAGAIN).toBeGreaterThan(0);
      expect(await counter.add('a', 1n)).toMatchObject({ value: 4n, meta: { attempts: 1 } });
    });

    it('a transaction begins again where its slot has moved between WATCH and EXEC', async () => {
      const driver = driverOf(client);
      const key = `${freshPrefix()}:{a}`;
      await raw(driver, 'SET', key, 5);
      const slot = cluster.slotOf(key);
      const from = cluster.primaryOf(slot);
      const to = cluster.nodes.find((node) => node.role === 'primary' && node !== from)!;
      const result = await transaction(driver, { watch: [key] }, async (tx) => {
        const value = Number(await tx.read.get(key));
        if (tx.attempt === 1) await cluster.migrateSlot(slot, to);
        return tx.commit((queue) => queue.set(key, value + 1));
      });
      expect(result).toMatchObject({ status: 'committed' });
      expect(result.meta.attempts).toBeGreaterThan(1);
      expect(await raw(driver, 'GET', key)).toBe('6');
    });
  });

  it('a slot that moves under load loses and doubles nothing, and nothing is unknown', async () => {
    const id = freshPrefix();
    const loads = all().map((driver, i) => new Load(driver, `l${i}`, id));
    const slot = cluster.slotOf(loads[0].prefix);
    await underLoad(loads, async () => {
      const from = cluster.primaryOf(slot);
      const to = cluster.nodes.find((node) => node.role === 'primary' && node !== from)!;
      await cluster.migrateSlot(slot, to, { keysPerStep: 50 });
    });
    for (const load of loads) {
      await load.expectExact();
      expect([load.driver.facts.client, load.remembered.unknown, load.plain.unknown]).toEqual([
        load.driver.facts.client,
        0,
        0,
      ]);
    }
  });

  it('an orderly failover under load loses and doubles nothing, and nothing is unknown', async () => {
    const id = freshPrefix();
    const loads = all().map((driver, i) => new Load(driver, `l${i}`, id));
    await underLoad(loads, () => cluster.failover(cluster.primaryOf(cluster.slotOf(loads[0].prefix))));
    for (const load of loads) {
      await load.expectExact();
      // GLIDE may time out meanwhile, and says no more than that.
      const unknown = load.driver.facts.client === 'glide' ? 0 : load.plain.unknown + load.remembered.unknown;
      expect([load.driver.facts.client, unknown]).toEqual([load.driver.facts.client, 0]);
    }
  });

  it('a primary killed under load: all clients go on with the next one within their deadline', async () => {
    const id = freshPrefix();
    const loads = all().map((driver, i) => new Load(driver, `l${i}`, id));
    const slot = cluster.slotOf(loads[0].prefix);
    let killed = cluster.primaryOf(slot);
    await underLoad(loads, async () => {
      ({ killed } = await cluster.killPrimary(slot));
    });
    // Replication is asynchronous: what a dead primary had confirmed may be gone. Twice nothing may be.
    for (const load of loads) await load.expectNoneTwice();
    await cluster.restart(killed);
    const counter = boundedCounter(driverOf('ioredis'), { prefix: freshPrefix(), max: 5n });
    expect(await codeOf(counter.add('a', 1n))).toMatchObject({ status: 'added' });
  });
});
