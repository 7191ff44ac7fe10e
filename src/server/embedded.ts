// The embedded database as Node programs get it: the engine's Database plus what needs Node, which is the
// connector that lets a real client library run against it without a socket. src/index.ts exports it.
import { type Duplex, duplexPair } from 'node:stream';
import { Database as EngineDatabase, type OpenOptions } from '../engine/database.ts';
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

/** Opens an embedded database in memory. */
export async function open(options: OpenOptions = {}): Promise<Database> {
  return new Database({ heap: processHeap, ...options });
}
