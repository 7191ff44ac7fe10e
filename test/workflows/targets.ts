// Where the contracts run: every client library on every engine and topology it knows. Each target starts what it needs
// and stops it. Used by the test file of each client, by the matrix (`npm run test:drivers`) and by chaos.
import * as valkeyGlide from '@valkey/valkey-glide';
import { Redis as Ioredis, Cluster as IoredisCluster } from 'ioredis';
import { Redis as Iovalkey, Cluster as IovalkeyCluster } from 'iovalkey';
import { createClient, createCluster, createSentinel } from 'redis';
import { open } from '../../src/index.ts';
import { type Driver, embedded, glide, ioredis, iovalkey, nodeRedis } from '../../src/workflows/index.ts';
import { startHoldfast } from '../support/holdfast-server.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startRedis } from '../support/redis-server.ts';
import { startSentinel } from '../support/sentinel.ts';
import type { ClientName, EngineName } from './columns.ts';

/** A running engine: how a client reaches it. */
export interface Running {
  /** One server, or nodes of a cluster, or Sentinels. */
  readonly ports: readonly number[];
  /** Name of the primary's group. */
  readonly group?: string;
  stop(): Promise<void>;
}

/** Starts an engine. */
export async function startEngine(name: EngineName): Promise<Running> {
  switch (name) {
    case 'embedded':
      return { ports: [], stop: async () => {} };
    case 'holdfast':
    case 'redis-server': {
      const server = await (name === 'holdfast' ? startHoldfast() : startRedis());
      return { ports: [server.port], stop: () => server.stop() };
    }
    case 'redis-sentinel': {
      const setup = await startSentinel();
      return { ports: setup.sentinels, group: setup.name, stop: () => setup.stop() };
    }
    case 'redis-cluster': {
      const cluster = await startCluster();
      return { ports: cluster.nodes.map(({ port }) => port), stop: () => cluster.stop() };
    }
  }
}

/** A driver with what has to be closed behind it. */
export interface Connected {
  readonly driver: Driver;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Connects a client library as a user would, and makes a driver of it. */
export async function connect(client: ClientName, engine: EngineName, running: Running): Promise<Connected> {
  const nodes = running.ports.map((port) => ({ host: HOST, port }));
  switch (client) {
    case 'embedded': {
      const db = await open();
      const driver = embedded(db);
      return { driver, close: async () => db.close() };
    }
    case 'ioredis':
      return ofIoredis(ioredis, Ioredis, IoredisCluster, engine, running);
    case 'iovalkey':
      return ofIoredis(
        iovalkey,
        Iovalkey as unknown as typeof Ioredis,
        IovalkeyCluster as unknown as typeof IoredisCluster,
        engine,
        running,
      );
    case 'node-redis': {
      if (engine === 'redis-cluster') {
        const cluster = createCluster({
          rootNodes: nodes.map(({ port }) => ({ url: `redis://${HOST}:${port}` })),
        });
        cluster.on('error', () => {});
        await cluster.connect();
        const driver = nodeRedis(cluster);
        return closing(driver, async () => cluster.destroy());
      }
      if (engine === 'redis-sentinel') {
        const sentinel = createSentinel({ name: running.group as string, sentinelRootNodes: nodes });
        sentinel.on('error', () => {});
        await sentinel.connect();
        return closing(nodeRedis(sentinel), async () => sentinel.destroy());
      }
      const single = createClient({ url: `redis://${HOST}:${nodes[0].port}` });
      single.on('error', () => {});
      await single.connect();
      return closing(nodeRedis(single), async () => single.destroy());
    }
    case 'glide': {
      valkeyGlide.Logger.setLoggerConfig('off');
      const config = { addresses: nodes, requestTimeout: 3000 };
      const made =
        engine === 'redis-cluster'
          ? await valkeyGlide.GlideClusterClient.createClient(config)
          : await valkeyGlide.GlideClient.createClient(config);
      return closing(glide(made, valkeyGlide), async () => made.close());
    }
  }
}

async function ofIoredis(
  make: typeof ioredis,
  Single: typeof Ioredis,
  Cluster: typeof IoredisCluster,
  engine: EngineName,
  running: Running,
): Promise<Connected> {
  const nodes = running.ports.map((port) => ({ host: HOST, port }));
  const client =
    engine === 'redis-cluster'
      ? new Cluster(nodes)
      : engine === 'redis-sentinel'
        ? new Single({ sentinels: nodes, name: running.group })
        : new Single(nodes[0].port, HOST);
  client.on('error', () => {});
  return closing(make(client), async () => client.disconnect());
}

function closing(driver: Driver, end: () => Promise<void>): Connected {
  return {
    driver,
    async close() {
      await driver.close();
      await end();
    },
  };
}
