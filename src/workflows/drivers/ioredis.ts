// Drivers over ioredis and iovalkey, its fork, which have one interface. The user's client shows where to connect and
// how; each connection of the driver is a duplicate of it that sends nothing twice, queues nothing and reconnects never.
import { type Answer, type Driver, Lost, ServerError, Unsent } from '../kit/driver.ts';
import { AtomicError } from '../kit/errors.ts';
import { type Address, ClusterDriver } from './cluster.ts';
import { DirectDriver } from './direct.ts';
import { type Fate, OPEN_MS, plain, type Session, type Words } from './session.ts';

/** What is used of `Redis` of ioredis 5 and 6 and of iovalkey. */
export interface IoredisClient {
  readonly status: string;
  // biome-ignore lint/suspicious/noExplicitAny: each version has its own type of options
  readonly options: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  duplicate(options?: any): any;
}

/** What is used of `Cluster`. */
export interface IoredisCluster {
  readonly isCluster: true;
  readonly status: string;
  // biome-ignore lint/suspicious/noExplicitAny: each version has its own type of options
  readonly options: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  nodes(role?: any): any[];
  // biome-ignore lint/suspicious/noExplicitAny: as above
  once(event: any, listener: (...args: any[]) => void): unknown;
  connect(): Promise<unknown>;
}

/** A connection of the library, once duplicated. */
interface Connection {
  readonly status: string;
  readonly stream?: { cork?(): void; uncork?(): void };
  call(name: string, ...args: unknown[]): Promise<unknown>;
  connect(): Promise<unknown>;
  disconnect(): void;
  on(event: 'error', listener: () => void): unknown;
}

/**
 * A driver over a client of ioredis 5 or 6: `new Redis(...)`, also with Sentinels, or `new Cluster(...)`. The client
 * stays the user's: the driver opens connections of its own, with the same address, credentials and TLS.
 *
 * ```ts
 * const driver = ioredis(new Redis());
 * ```
 * @throws AtomicError BAD_ARGUMENT where the client has a keyPrefix: workflows have prefixes of their own
 */
export function ioredis(client: IoredisClient | IoredisCluster): Driver {
  return driverOf('ioredis', client);
}

/** A driver over a client of iovalkey. Otherwise as {@link ioredis}. */
export function iovalkey(client: IoredisClient | IoredisCluster): Driver {
  return driverOf('iovalkey', client);
}

function driverOf(name: string, client: IoredisClient | IoredisCluster): Driver {
  const isCluster = 'isCluster' in client && client.isCluster === true;
  const { keyPrefix } = (isCluster ? client.options.redisOptions : client.options) ?? {};
  if (keyPrefix || client.options.keyPrefix) {
    throw new AtomicError('BAD_ARGUMENT', 'give the workflows a prefix instead of the client a keyPrefix');
  }
  if (isCluster) return clusterOf(name, client as IoredisCluster);
  const { options } = client;
  const single = client as IoredisClient;
  return new DirectDriver(
    { client: name, topology: options.sentinels ? 'sentinel' : 'single' },
    () => connect(single, {}),
    () => (options.path ? String(options.path) : `${options.host}:${options.port}`),
  );
}

const OVERRIDES = {
  lazyConnect: true,
  // What became of a command must be certain: nothing is queued, repeated or answered on another connection.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  retryStrategy: () => null,
  reconnectOnError: null,
  maxRetriesPerRequest: null,
  enableAutoPipelining: false,
  commandTimeout: undefined,
  stringNumbers: false,
  readOnly: false,
  monitor: false,
  // The shapes of RESP2, see Answer.
  protocol: 2,
  replyMapping: 'legacy',
};

async function connect(client: IoredisClient, place: object): Promise<Session> {
  const connection = client.duplicate({ ...OVERRIDES, ...place }) as Connection;
  connection.on('error', () => {});
  // The library bounds only the making of the connection, not what a server must answer before it counts as ready.
  const timer = setTimeout(() => connection.disconnect(), OPEN_MS);
  try {
    await connection.connect();
  } catch (error) {
    connection.disconnect();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return new IoredisSession(connection);
}

/** Commands of independent callers that leave in one write. 8 to 16 measured best with 64 at once, 4 and 32 worse. */
const TOGETHER = 16;

class IoredisSession implements Session {
  private readonly connection: Connection;
  private inPipeline = false;
  /** Commands of this turn. */
  private gathered = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get alive(): boolean {
    return this.connection.status === 'ready';
  }

  send(words: Words): Promise<Answer> {
    if (!this.alive) return Promise.reject(new Unsent('the connection is closed'));
    if (!this.inPipeline) this.gather();
    const [name, ...args] = words;
    for (let i = 0; i < args.length; i++) {
      if (args[i] instanceof Uint8Array) args[i] = bufferOf(args[i] as Uint8Array);
    }
    return this.connection.call(name as string, ...args).then(plain, fail);
  }

  async pipeline(commands: readonly Words[]): Promise<readonly Fate[]> {
    const { stream } = this.connection;
    // One write for all of them, however many.
    stream?.cork?.();
    this.inPipeline = true;
    const sent = commands.map((words) => this.send(words).catch((error: Fate) => error));
    this.inPipeline = false;
    stream?.uncork?.();
    return Promise.all(sent);
  }

  /**
   * What is sent in one turn leaves in few writes: replies come in bunches, and each of them sends the next command. A
   * write for each costs the client two fifths of its time; one for all would leave the server idle meanwhile. The first
   * leaves at once: alone, a command loses no time.
   */
  private gather(): void {
    const { stream } = this.connection;
    if (stream?.cork === undefined) return;
    if (this.gathered === 0) process.nextTick(this.flush);
    else {
      if (this.gathered > 1 && this.gathered % TOGETHER === 1) stream.uncork?.();
      if (this.gathered % TOGETHER === 1) stream.cork();
    }
    this.gathered++;
  }

  private readonly flush = (): void => {
    const { gathered } = this;
    this.gathered = 0;
    if (gathered > 1) this.connection.stream?.uncork?.();
  };

  close(): void {
    this.connection.disconnect();
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
}

function fail(error: unknown): never {
  throw fateOf(error);
}

function fateOf(error: unknown): ServerError | Unsent | Lost {
  if (error instanceof Unsent) return error;
  const { name, message } = error as Error;
  if (name === 'ReplyError') return new ServerError(message);
  if (message.startsWith("Stream isn't writeable")) return new Unsent(message, { cause: error });
  return new Lost(`the connection closed before the reply: ${message}`, { cause: error });
}

// ---- Cluster

function clusterOf(name: string, cluster: IoredisCluster): Driver {
  const { natMap } = cluster.options;
  // Kept from the first time: the nodes of the user's client come and go, credentials and TLS stay.
  let template: IoredisClient | undefined;
  return new ClusterDriver(name, {
    async seeds() {
      await ready(cluster);
      return cluster.nodes('all').map((node) => `${node.options.host}:${node.options.port}`);
    },
    async open(address: Address) {
      if (template === undefined) await ready(cluster);
      template ??= cluster.nodes('all')[0] as IoredisClient;
      const cut = address.lastIndexOf(':');
      return connect(template, {
        host: address.slice(0, cut),
        port: Number(address.slice(cut + 1)),
        connectionName: cluster.options.redisOptions?.connectionName,
      });
    },
    translate(address) {
      const mapped = typeof natMap === 'function' ? natMap(address) : natMap?.[address];
      return mapped ? `${mapped.host}:${mapped.port}` : address;
    },
  });
}

/** Only a cluster that has connected knows its nodes. It stays the user's: what breaks it later does not matter here. */
async function ready(cluster: IoredisCluster): Promise<void> {
  if (cluster.nodes('all').length > 0) return;
  if (cluster.status === 'end') throw new Unsent('the cluster client was closed');
  if (cluster.status === 'wait') await cluster.connect();
  else await new Promise<void>((resolve) => cluster.once('ready', resolve));
}
