// Connects the program's commands to a server by URL, with whichever client library is installed: the package itself
// depends on none. Called by functions.ts and strategies.ts.
import { type Driver, ioredis, iovalkey, nodeRedis } from '../workflows/index.ts';

/** What a user can do something about. */
export class NotConnected extends Error {}

export interface Connection {
  readonly driver: Driver;
  /** The URL without its credentials. */
  readonly shown: string;
  close(): Promise<void>;
}

const PATIENCE_MS = 5000;

/**
 * @param url `redis://` or `rediss://`; more than one, separated by commas, are nodes of a Cluster
 * @param isCluster it is a node of a Cluster
 * @throws NotConnected with the remedy
 */
export async function connectTo(url: string, isCluster: boolean): Promise<Connection> {
  const urls = url.split(',').map(parsed);
  const shown = urls.map(({ host }) => host).join(',');
  const made = await make(
    urls.map(({ href }) => href),
    isCluster || urls.length > 1,
  );
  try {
    await made.driver.everyPrimary(['PING'], PATIENCE_MS);
  } catch (error) {
    await made.close();
    throw new NotConnected(`${shown} does not answer: ${(error as Error).message}`);
  }
  return { ...made, shown };
}

function parsed(url: string): URL {
  const full = /^rediss?:\/\//.test(url) ? url : `redis://${url}`;
  try {
    const found = new URL(full);
    if (found.hostname !== '') return found;
  } catch {
    // Told below.
  }
  throw new NotConnected('a URL looks like redis://user:password@host:6379/0');
}

type Made = Omit<Connection, 'shown'>;

/** The libraries that will do, in this order. */
const LIBRARIES: readonly ((urls: readonly string[], isCluster: boolean) => Promise<Made>)[] = [
  async (urls, isCluster) => {
    const { Redis, Cluster } = await import('ioredis');
    const client = isCluster ? new Cluster([...urls]) : new Redis(urls[0], { lazyConnect: true });
    client.on('error', () => {});
    return closing(ioredis(client), () => client.disconnect());
  },
  async (urls, isCluster) => {
    const { createClient, createCluster } = await import('redis');
    const client = isCluster
      ? createCluster({ rootNodes: urls.map((url) => ({ url })) })
      : createClient({ url: urls[0] });
    client.on('error', () => {});
    return closing(nodeRedis(client), () => {
      if (client.isOpen) client.destroy();
    });
  },
  async (urls, isCluster) => {
    const { Redis, Cluster } = await import('iovalkey');
    const client = isCluster ? new Cluster([...urls]) : new Redis(urls[0], { lazyConnect: true });
    client.on('error', () => {});
    return closing(iovalkey(client), () => client.disconnect());
  },
];

async function make(urls: readonly string[], isCluster: boolean): Promise<Made> {
  for (const library of LIBRARIES) {
    try {
      return await library(urls, isCluster);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    }
  }
  throw new NotConnected('this needs a client library: npm install ioredis (or redis, or iovalkey)');
}

function closing(driver: Driver, end: () => void): Made {
  return {
    driver,
    async close() {
      await driver.close();
      end();
    },
  };
}
