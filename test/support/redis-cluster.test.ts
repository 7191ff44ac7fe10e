// The cluster fixture against real servers: that what it says of the cluster is what a client meets there.
import { GlideClusterClient } from '@valkey/valkey-glide';

import { Cluster as IORedis } from 'ioredis';
import { Cluster as IOValkey } from 'iovalkey';
import { createCluster } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, type ClusterNode, startCluster } from './redis-cluster.ts';
import { oracleAvailable } from './redis-server.ts';
import type { MigrationStep } from './slot-migration.ts';
import { type Arg, type Value, Wire } from './wire.ts';

async function call(node: ClusterNode, ...args: Arg[]): Promise<Value> {
  const wire = await Wire.open({ port: node.port });
  try {
    return await wire.call(...args);
  } finally {
    wire.close();
  }
}

const textOf = async (node: ClusterNode, ...args: Arg[]): Promise<string> => (await call(node, ...args)).text;

/** Calls with nothing but a lap clock around them, so that a slow phase shows in the output. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`${what}: ${Math.round(performance.now() - start)} ms`);
  return result;
}

describe.skipIf(!oracleAvailable())('a real cluster', () => {
  let cluster: Cluster;
  const slot = 16_000;
  /** A tag whose keys lie in `slot`'s half of the cluster. */
  let tag: string;
  beforeAll(async () => {
    cluster = await timed('startCluster', () => startCluster());
    for (let i = 0; tag === undefined; i++) if (cluster.slotOf(`t${i}`) === slot) tag = `{t${i}}`;
  }, 60_000);
  afterAll(() => timed('stop', async () => cluster?.stop()));

  it('has three primaries with a replica each that together own every slot', async () => {
    expect(cluster.nodes.map((node) => node.role)).toEqual([
      ...['primary', 'primary', 'primary'],
      ...['replica', 'replica', 'replica'],
    ]);
    const owners = new Set(Array.from({ length: 16_384 }, (_, i) => cluster.primaryOf(i)));
    expect(owners).toEqual(new Set(cluster.nodes.slice(0, 3)));
    for (const primary of owners) {
      const replica = cluster.replicaOf(primary);
      expect((await call(replica, 'ROLE')).items.map((item) => item.text).slice(0, 4)).toEqual([
        ...['slave', '127.0.0.1', String(primary.port), 'connected'],
      ]);
    }
  });

  it('answers MOVED to the owner that primaryOf names', async () => {
    const owner = cluster.primaryOf(slot);
    expect(await textOf(owner, 'SET', `${tag}a`, '1')).toBe('OK');
    expect(await textOf(cluster.primaryOf(0), 'GET', `${tag}a`)).toBe(
      `MOVED ${slot} 127.0.0.1:${owner.port}`,
    );
  });

  it('serves the clients of the toolkit', async () => {
    const root = { host: '127.0.0.1', port: cluster.nodes[0]!.port };
    const io = new IORedis([root]);
    const valkey = new IOValkey([root]);
    const node = createCluster({ rootNodes: [{ socket: root }] });
    await node.connect();
    try {
      for (let i = 0; i < 20; i++) await io.set(`client:${i}`, String(i));
      for (let i = 0; i < 20; i++) expect(await node.get(`client:${i}`)).toBe(String(i));
      for (let i = 0; i < 20; i++) expect(await valkey.get(`client:${i}`)).toBe(String(i));
    } finally {
      io.disconnect();
      valkey.disconnect();
      node.destroy();
    }
  });

  it('fails over to the replica with the data, and back by force', async () => {
    const owner = cluster.primaryOf(slot);
    expect((await call(owner, 'WAIT', 1, 2000)).text).toMatch(/^[01]$/);
    const next = await timed('failover', () => cluster.failover(owner));
    expect(cluster.primaryOf(slot)).toBe(next);
    expect([next.role, owner.role, owner.primaryId]).toEqual(['primary', 'replica', next.id]);
    expect(await textOf(next, 'GET', `${tag}a`)).toBe('1');
    expect(await textOf(next, 'SET', `${tag}b`, '2')).toBe('OK');
    expect(await timed('failover by force', () => cluster.failover(next, { force: true }))).toBe(owner);
    expect(await textOf(owner, 'SET', `${tag}b`, '3')).toBe('OK');
  });

  it('moves a slot in steps that a test can stop between: ASK, TRYAGAIN, MOVED', async () => {
    const from = cluster.primaryOf(slot);
    const to = cluster.primaryOf(0);
    const keys = Array.from({ length: 10 }, (_, i) => `${tag}m${i}`);
    await call(from, 'DEL', `${tag}a`, `${tag}b`);
    for (const key of keys) await call(from, 'SET', key, key);
    const seen: MigrationStep[] = [];
    await timed('migrateSlot', () =>
      cluster.migrateSlot(slot, to, {
        keysPerStep: 4,
        steps: async (step) => {
          seen.push(step);
          if (step.phase === 'opened') expect(await textOf(from, 'GET', keys[0]!)).toBe(keys[0]);
          if (step.phase === 'moved') expect(await textOf(from, 'MGET', ...keys)).toMatch(/^TRYAGAIN/);
          if (step.phase === 'emptied')
            expect(await textOf(from, 'GET', keys[0]!)).toBe(`ASK ${slot} 127.0.0.1:${to.port}`);
        },
      }),
    );
    expect(seen).toEqual([
      { phase: 'opened', moved: 0, left: 10 },
      { phase: 'moved', moved: 4, left: 6 },
      { phase: 'moved', moved: 8, left: 2 },
      { phase: 'emptied', moved: 10, left: 0 },
    ]);
    expect(cluster.primaryOf(slot)).toBe(to);
    expect(await textOf(from, 'GET', keys[0]!)).toBe(`MOVED ${slot} 127.0.0.1:${to.port}`);
    expect((await call(to, 'MGET', ...keys)).items.map((item) => item.text)).toEqual(keys);
  });

  it('leaves a slot half-way until it is finished by hand', async () => {
    const from = cluster.primaryOf(slot);
    const to = cluster.primaryOf(16_383);
    const migration = await cluster.openMigration(slot, to, 1);
    expect(await migration.step()).toEqual({ phase: 'moved', moved: 1, left: 9 });
    expect(await textOf(from, 'SET', `${tag}new`, '1')).toBe(`ASK ${slot} 127.0.0.1:${to.port}`);
    expect(cluster.primaryOf(slot)).toBe(from);
    await migration.finish();
    expect(cluster.primaryOf(slot)).toBe(to);
    await expect(cluster.openMigration(slot, to)).rejects.toThrow('cannot move');
  });

  it('elects the replica of a primary that was killed, and takes the old one back as a replica', async () => {
    const before = cluster.primaryOf(slot);
    const expected = cluster.replicaOf(before);
    const { killed, promoted } = await timed('killPrimary', () => cluster.killPrimary(slot));
    expect([killed, promoted]).toEqual([before, expected]);
    expect(killed.alive).toBe(false);
    await expect(textOf(killed, 'PING')).rejects.toThrow('ECONNREFUSED');
    expect(await textOf(promoted, 'SET', `${tag}after`, '1')).toBe('OK');
    expect(() => cluster.replicaOf(promoted)).toThrow('no living replica');
    await timed('restart', () => cluster.restart(killed));
    expect(cluster.replicaOf(promoted)).toBe(killed);
    expect(await textOf(killed, 'DBSIZE')).toBe(await textOf(promoted, 'DBSIZE'));
  });
});

describe.skipIf(!oracleAvailable())('a cluster behind proxies', () => {
  it('lets a client only through them: cut off after its command ran, moved, and failed over', async () => {
    const cluster = await timed('startCluster with proxies', () => startCluster({ proxies: true }));
    const proxies = cluster.nodes.map((node) => node.proxy!);
    const glide = await GlideClusterClient.createClient({
      addresses: [{ host: '127.0.0.1', port: proxies[0]!.port }],
      requestTimeout: 3000,
    });
    try {
      const slot = cluster.slotOf('key');
      const [owner, other] = [
        cluster.primaryOf(slot),
        cluster.nodes.find((node) => cluster.primaryOf(slot) !== node)!,
      ];
      expect(await textOf(other, 'GET', 'key')).toBe(`MOVED ${slot} 127.0.0.1:${owner.proxy!.port}`);
      expect(await glide.incr('key')).toBe(1);
      owner.proxy!.cutBeforeReply({ match: /^INCR KEY$/ });
      await glide.incr('key').catch(() => null);
      expect(owner.proxy!.cuts).toBe(1);
      // Whether the client sends it again is its own affair.
      expect(Number(await textOf(owner, 'GET', 'key'))).toBeGreaterThanOrEqual(2);
      const before = Number(await textOf(owner, 'GET', 'key'));
      const next = await cluster.failover(owner);
      expect(await glide.incr('key')).toBe(before + 1);
      expect(await textOf(next, 'GET', 'key')).toBe(String(before + 1));
    } finally {
      glide.close();
      await cluster.stop();
    }
    expect(proxies.map((proxy) => proxy.connections)).toEqual(proxies.map(() => 0));
  }, 60_000);
});

describe.skipIf(!oracleAvailable())('a cluster that cannot start', () => {
  it('says which phase hung and shows what the process wrote', async () => {
    const refused = startCluster({
      primaries: 1,
      replicasPerPrimary: 0,
      extra: ['--no-such-directive', 'yes'],
    });
    await expect(refused).rejects.toThrow(/cluster node did not start.*\n.*[\s\S]*no-such-directive/);
  });
});
