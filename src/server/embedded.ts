// The embedded database as Node programs get it: the engine's Database plus what needs Node, which is the
// connector that lets a real client library run against it without a socket. src/index.ts exports it.
import { type Duplex, duplexPair } from 'node:stream';
import { Database as EngineDatabase, type OpenOptions } from '../engine/database.ts';
import { nodeStorage } from '../storage/node.ts';
import { Connection } from './connection.ts';
import { processHeap } from './heap.ts';
import { connectionSettings } from './server.ts';

/** What ioredis asks of a class given as its `Connector` option. */
interface IoredisConnector {
  connect(onError?: unknown): Promise<Duplex>;
  disconnect(): void;
  check(info?: unknown): boolean;
}

/** An embedded database; see the engine's Database for its methods. */
export class Database extends EngineDatabase {
  /**
   * A class for ioredis' `Connector` option: the real client over an in-memory stream, full protocol included.
   *
   *     const redis = new Redis({ Connector: db.connector() });
   */
  // ioredis' own type of a connector has private members, which no class but its own can have: only any fits.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  connector(): new () => any {
    const { engine } = this;
    return class implements IoredisConnector {
      private stream: Duplex | null = null;

      async connect(): Promise<Duplex> {
        // As a socket does: the end of one half ends the other, and whoever closes is gone for the peer too.
        const [near, far] = duplexPair({ allowHalfOpen: false });
        near.once('close', () => far.destroy());
        far.once('close', () => near.destroy());
        const transport = asSocket(far);
        const connection = new Connection(
          engine,
          transport as never,
          IN_PROCESS,
          connectionSettings(engine),
          () => {},
        );
        far.on('data', (chunk: Buffer) => {
          if (!connection.data(chunk, chunk.length)) far.pause();
        });
        this.stream = asSocket(near);
        return this.stream;
      }

      disconnect(): void {
        const { stream } = this;
        this.stream = null;
        stream?.end();
        // What was written is on its way until then.
        setImmediate(() => stream?.destroy());
      }

      check(): boolean {
        return true;
      }
    };
  }
}

const IN_PROCESS = {
  address: 'in-process:0',
  localAddress: 'in-process:0',
  fd: -1,
  local: true,
  trusted: true,
};

// Client libraries and Connection tune their socket; a stream in memory has nothing to tune and no time-outs.
function asSocket(stream: Duplex): Duplex {
  const nothing = (): Duplex => stream;
  return Object.assign(stream, {
    setNoDelay: nothing,
    setKeepAlive: nothing,
    setTimeout: nothing,
    destroySoon: () => stream.end(() => stream.destroy()),
  });
}

/** Options of a database that lives in a directory. */
export interface PersistentOptions extends OpenOptions {
  /**
   * When what was done is on disk: `everysec` (default) after a second at most, `always` as soon as `db.flushed()`
   * resolves and before a client over the wire gets its reply, `no` when the operating system likes.
   */
  readonly appendfsync?: 'always' | 'everysec' | 'no';
  /** Given sentences for the operator: what was recovered, what went wrong. Default: nobody. */
  readonly onNotice?: (message: string) => void;
}

/**
 * Opens an embedded database: in memory, or in a directory, which is made where it is missing. What the directory holds
 * (of Holdfast or of redis-server 7) is there when the promise resolves.
 *
 *     const db = await open('./data', { appendfsync: 'everysec' });
 *     db.set('greeting', 'hello');
 *     await db.flushed();
 *     await db.close();
 *
 * @throws StorageLocked where another process has the directory open (with its pid)
 * @throws RecoveryError where what the directory holds is damaged: it says which file, where and what to do
 */
export function open(options?: OpenOptions): Promise<Database>;
export function open(directory: string, options?: PersistentOptions): Promise<Database>;
export async function open(
  where: string | OpenOptions = {},
  more: PersistentOptions = {},
): Promise<Database> {
  if (typeof where !== 'string') return new Database({ heap: processHeap, ...where });
  const { appendfsync = 'everysec', onNotice, ...options } = more;
  const config = { ...options.config, appendonly: 'yes', appendfsync, dir: where };
  const db = new Database({ heap: processHeap, ...options, config });
  try {
    await db.persistTo(nodeStorage(where), onNotice);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}
