// Drivers over node-redis (the package `redis`, 5 and 6). The user's client shows where to connect and how; each
// connection of the driver is a duplicate of it that queues nothing and reconnects never.
import { type Answer, type Driver, Lost, ServerError, Unsent } from '../kit/driver.ts';
import { type Address, ClusterDriver } from './cluster.ts';
import { DirectDriver } from './direct.ts';
import { type Fate, OPEN_MS, plain, type Session, type Words } from './session.ts';

/** What is used of `createClient()`. */
export interface NodeRedisClient {
  // biome-ignore lint/suspicious/noExplicitAny: types of the library differ with its modules and versions
  readonly options: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  duplicate(overrides?: any): any;
}

/** What is used of `createCluster()`. */
export interface NodeRedisCluster {
  // biome-ignore lint/suspicious/noExplicitAny: types of the library differ with its modules and versions
  readonly masters: any[];
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly replicas: any[];
  readonly isOpen: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  nodeClient(node: any): any;
  connect(): Promise<unknown>;
}

/** What is used of `createSentinel()`. */
export interface NodeRedisSentinel {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  getMasterNode(): { readonly host: string; readonly port: number } | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: types of the library differ with its modules and versions
  _execute(isReadonly: boolean, work: (client: any) => Promise<any>): Promise<any>;
}

interface Connection {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  sendCommand(words: readonly (string | Buffer)[]): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
}

/**
 * A driver over a client of node-redis: of `createClient()`, `createSentinel()` or `createCluster()`. The client stays the user's: the
 * driver opens connections of its own, with the same address, credentials and TLS.
 *
 * ```ts
 * const driver = nodeRedis(createClient());
 * ```
 */
export function nodeRedis(client: NodeRedisClient | NodeRedisSentinel | NodeRedisCluster): Driver {
  if ('nodeClient' in client) return clusterOf(client);
  if ('getMasterNode' in client) return sentinelOf(client);
  const { socket } = client.options ?? {};
  return new DirectDriver(
    { client: 'node-redis', topology: 'single' },
    () => connect(client, {}),
    () => (socket?.path ? String(socket.path) : `${socket?.host ?? 'localhost'}:${socket?.port ?? 6379}`),
  );
}

/** Each new connection goes to whom the Sentinels name then. */
function sentinelOf(sentinel: NodeRedisSentinel): Driver {
  return new DirectDriver(
    { client: 'node-redis', topology: 'sentinel' },
    async () => {
      if (!sentinel.isOpen) await sentinel.connect();
      // The one way to a client of the primary, which knows its address, credentials and TLS; it runs nothing here.
      const primary = (await sentinel._execute(false, async (client) => [client])) as [NodeRedisClient];
      return connect(primary[0], {});
    },
    () => {
      const node = sentinel.getMasterNode();
      return node === undefined ? 'primary' : `${node.host}:${node.port}`;
    },
  );
}

async function connect(client: NodeRedisClient, place: object): Promise<Session> {
  const connection = client.duplicate({
    RESP: 2,
    // Notifications need RESP3.
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    commandOptions: {},
    commandsQueueMaxLength: undefined,
    readonly: false,
    socket: { ...client.options?.socket, ...place, reconnectStrategy: false },
  }) as Connection;
  connection.on('error', () => {});
  // The library bounds only the making of the connection, not the greeting.
  const timer = setTimeout(() => close(connection), OPEN_MS);
  try {
    await connection.connect();
  } catch (error) {
    close(connection);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return new NodeRedisSession(connection);
}

class NodeRedisSession implements Session {
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get alive(): boolean {
    return this.connection.isReady;
  }

  async send(words: Words): Promise<Answer> {
    if (!this.alive) throw new Unsent('the connection is closed');
    try {
      return plain(await this.connection.sendCommand(words.map(word)));
    } catch (error) {
      throw fateOf(error);
    }
  }

  // The library writes what is sent in one turn together.
  async pipeline(commands: readonly Words[]): Promise<readonly Fate[]> {
    return Promise.all(commands.map((words) => this.send(words).catch((error: Fate) => error)));
  }

  close(): void {
    close(this.connection);
  }
}

function close(connection: Connection): void {
  try {
    connection.destroy();
  } catch {
    // It was closed already.
  }
}

function word(each: Words[number]): string | Buffer {
  if (typeof each === 'string') return each;
  return each instanceof Uint8Array ? Buffer.from(each) : String(each);
}

// The library's classes are told by name: it is not imported here.
function fateOf(error: unknown): ServerError | Unsent | Lost {
  if (error instanceof Unsent) return error;
  const { name, message } = error as Error;
  const kind = name === 'Error' ? ((error as object).constructor?.name ?? name) : name;
  if (kind === 'SimpleError' || kind === 'BlobError' || kind === 'ErrorReply')
    return new ServerError(message);
  if (kind === 'ClientOfflineError' || kind === 'ClientClosedError')
    return new Unsent(message, { cause: error });
  return new Lost(`the connection closed before the reply: ${message}`, { cause: error });
}

// ---- Cluster

function clusterOf(cluster: NodeRedisCluster): Driver {
  const ready = async (): Promise<void> => {
    if (!cluster.isOpen) await cluster.connect();
  };
  // A node calls itself by one address and may be reached by another (nodeAddressMap): the client knows both.
  const reached = (address: Address): Address => {
    const node = [...cluster.masters, ...cluster.replicas].find((each) => each.address === address);
    return node?.host === undefined ? address : `${node.host}:${node.port}`;
  };
  // Kept from the first time: the nodes of the user's client come and go, credentials and TLS stay.
  let template: NodeRedisClient | undefined;
  return new ClusterDriver('node-redis', {
    async seeds() {
      await ready();
      return [...cluster.masters, ...cluster.replicas].map(({ host, port }) => `${host}:${port}`);
    },
    async open(address: Address) {
      if (template === undefined) {
        await ready();
        template = (await cluster.nodeClient(cluster.masters[0])) as NodeRedisClient;
      }
      const cut = address.lastIndexOf(':');
      return connect(template, { host: address.slice(0, cut), port: Number(address.slice(cut + 1)) });
    },
    translate: reached,
  });
}
