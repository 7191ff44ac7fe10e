// The Sentinel fixture against real servers: failovers that a client which asks the Sentinels lives through.
import { Redis } from 'ioredis';
import { createSentinel } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oracleAvailable } from './redis-server.ts';
import { type SentinelSetup, startSentinel } from './sentinel.ts';
import { ask } from './waiting.ts';

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`${what}: ${Math.round(performance.now() - start)} ms`);
  return result;
}

const roleOf = async (port: number): Promise<string> => (await ask(port, 'ROLE')).items[0]!.text;

describe.skipIf(!oracleAvailable())('a primary under real Sentinels', () => {
  let setup: SentinelSetup;
  let client: Redis;
  beforeAll(async () => {
    setup = await timed('startSentinel', () => startSentinel({ replicas: 2 }));
    client = new Redis({
      name: setup.name,
      sentinels: setup.sentinels.map((port) => ({ host: '127.0.0.1', port })),
    });
    client.on('error', () => {});
  }, 60_000);
  afterAll(async () => {
    client?.disconnect();
    await timed('stop', async () => setup?.stop());
  });

  it('has three Sentinels that name one primary, and replicas that follow it', async () => {
    expect(new Set(setup.sentinels).size).toBe(3);
    expect(await roleOf(setup.primary)).toBe('master');
    expect(await Promise.all(setup.replicas.map(roleOf))).toEqual(['slave', 'slave']);
    expect((await ask(setup.sentinels[2]!, 'SENTINEL', 'CKQUORUM', setup.name)).text).toMatch(/^OK 3 usable/);
    await client.set('before', '1');
    expect(await client.wait(2, 2000)).toBe(2);
  });

  it('serves node-redis too', async () => {
    const sentinelRootNodes = setup.sentinels.map((port) => ({ host: '127.0.0.1', port }));
    const node = createSentinel({ name: setup.name, sentinelRootNodes });
    node.on('error', () => {});
    await node.connect();
    try {
      await node.set('node', '1');
      expect((await ask(setup.primary, 'GET', 'node')).text).toBe('1');
    } finally {
      node.destroy();
    }
  });

  it('fails over: the client writes to the new primary and finds what it wrote', async () => {
    const before = setup.primary;
    const after = await timed('failover', () => setup.failover());
    expect(after).not.toBe(before);
    expect(setup.primary).toBe(after);
    expect(await roleOf(after)).toBe('master');
    expect(await client.get('before')).toBe('1');
    await timed('settle', () => setup.settle());
    expect(await roleOf(before)).toBe('slave');
  });

  it('lets the Sentinels notice a crash, and takes the old primary back as a replica', async () => {
    const before = setup.primary;
    await client.set('crash', '1');
    expect(await client.wait(2, 2000)).toBe(2);
    expect(await timed('killPrimary', () => setup.killPrimary())).toBe(before);
    expect(setup.primary).not.toBe(before);
    expect(setup.replicas).not.toContain(before);
    await expect(ask(before, 'PING')).rejects.toThrow('ECONNREFUSED');
    expect(await client.get('crash')).toBe('1');
    await timed('restart', () => setup.restart(before));
    expect(await roleOf(before)).toBe('slave');
    expect((await ask(before, 'GET', 'crash')).text).not.toBe('');
  });
});
