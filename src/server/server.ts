// Listens on TCP and a unix socket and gives each accepted socket a Connection. `holdfast serve` and tests
// start it; engine and transport meet only here.
import { chmodSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as NetServer, Socket } from 'node:net';
import type { Engine } from '../engine/engine.ts';
import type { ByteSource } from '../resp/decode.ts';
import { Connection, type ConnectionSettings } from './connection.ts';

export interface ListenOptions {
  /** Addresses to listen on; default 127.0.0.1. */
  readonly bind?: readonly string[];
  /** 0 picks a free port; undefined listens on no TCP port. */
  readonly port?: number;
  readonly unixSocket?: string;
  /** Octal permissions of the unix socket. */
  readonly unixSocketPermissions?: number;
  readonly backlog?: number;
}

const READ_SIZE = 64 * 1024;
// All sockets read into one buffer: a read is decoded before the next begins, and nothing is allocated for it.
const shared = Buffer.allocUnsafeSlow(READ_SIZE);

export class Server {
  /** Port that it listens on, once {@link listen} is done. */
  port = 0;
  private readonly engine: Engine;
  private readonly listeners: NetServer[] = [];
  private readonly connections = new Set<Connection>();
  private unixSocket: string | null = null;
  private sweep: ReturnType<typeof setInterval> | null = null;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Starts to listen. Rejects with the error of the first address that cannot be had. */
  async listen(options: ListenOptions): Promise<void> {
    try {
      if (options.port !== undefined) {
        for (const host of options.bind ?? ['127.0.0.1']) {
          const port = this.port === 0 ? options.port : this.port;
          const server = await this.open({ host, port, backlog: options.backlog }, false);
          this.port = (server.address() as AddressInfo).port;
        }
      }
      if (options.unixSocket !== undefined) {
        await this.open({ path: options.unixSocket, backlog: options.backlog }, true);
        this.unixSocket = options.unixSocket;
        if (options.unixSocketPermissions !== undefined) {
          chmodSync(options.unixSocket, options.unixSocketPermissions);
        }
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    this.engine.start();
    this.sweep = setInterval(() => this.closeIdle(), 1000);
    this.sweep.unref();
  }

  /** Stops listening and closes all connections once what was written is out. */
  async close(): Promise<void> {
    if (this.sweep !== null) clearInterval(this.sweep);
    this.engine.stop();
    const closed = this.listeners.map((server) => new Promise((done) => server.close(done)));
    for (const connection of [...this.connections]) connection.close();
    await Promise.all(closed);
    if (this.unixSocket !== null) rmSync(this.unixSocket, { force: true });
  }

  private open(
    where: { host?: string; port?: number; path?: string; backlog?: number },
    unix: boolean,
  ): Promise<NetServer> {
    return new Promise((resolve, reject) => {
      // Paused: the socket must not read before it has our buffer.
      const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
        this.accept(socket, unix),
      );
      server.once('error', reject);
      server.listen(where, () => {
        server.off('error', reject);
        server.on('error', () => {});
        this.listeners.push(server);
        resolve(server);
      });
    });
  }

  private accept(accepted: Socket, unix: boolean): void {
    const { engine } = this;
    const refusal = this.refusal(accepted, unix);
    if (refusal !== null) {
      engine.stats.rejectedConnections++;
      accepted.on('error', () => {});
      accepted.end(`-${refusal}\r\n`);
      return;
    }
    // Read now: the accepted socket loses its handle below.
    const info = {
      address: unix ? `${this.unixSocket}:0` : endpoint(accepted.remoteAddress, accepted.remotePort),
      localAddress: unix ? `${this.unixSocket}:0` : endpoint(accepted.localAddress, accepted.localPort),
      fd: descriptor(accepted),
      local: unix || isLoopback(accepted.remoteAddress ?? ''),
      trusted: false,
    };
    let connection: Connection | null = null;
    const socket = withSharedBuffer(
      accepted,
      (length) => connection?.data(shared as ByteSource, length) ?? true,
    );
    connection = new Connection(engine, socket, info, connectionSettings(engine), () => {
      if (connection !== null) this.connections.delete(connection);
    });
    this.connections.add(connection);
    const keepAlive = Number(engine.config.value('tcp-keepalive'));
    if (!unix && keepAlive > 0) socket.setKeepAlive(true, keepAlive * 1000);
    socket.resume();
  }

  private refusal(socket: Socket, unix: boolean): string | null {
    const { config } = this.engine;
    if (this.connections.size >= Number(config.value('maxclients')))
      return 'ERR max number of clients reached';
    const guarded = config.value('protected-mode') === 'yes' && config.value('requirepass') === '';
    if (guarded && !unix && !isLoopback(socket.remoteAddress ?? '')) {
      return 'DENIED Holdfast is running in protected mode: no password is set, so only the loopback interface is served. Set one (requirepass) or, if every host that can reach this port may change the data, start with --protected-mode no.';
    }
    return null;
  }

  // `timeout`: closes connections without a command for so long; waiting and subscribed ones are not idle.
  private closeIdle(): void {
    const seconds = Number(this.engine.config.value('timeout'));
    if (seconds === 0) return;
    const before = this.engine.clock.now() - seconds * 1000;
    for (const connection of [...this.connections]) {
      const { session } = connection;
      if (session.lastActive < before && !session.isBlocked && session.subscriptions === 0)
        connection.close();
    }
  }
}

/** Limits of a new connection, as the directives say now. */
export function connectionSettings(engine: Engine): ConnectionSettings {
  const { config } = engine;
  const limits = config.outputLimits();
  return {
    maxBulk: config.maxBulk,
    maxBuffer: Number(config.value('client-query-buffer-limit')),
    normalLimit: limits.normal,
    pubsubLimit: limits.pubsub,
  };
}

// `onread` gives a socket our buffer, but a net.Server offers no way to set it: the accepted socket's handle
// moves to a new Socket that has it. Bought 15-20 % at P16 against 'data' events (no 64 kB allocation a read).
function withSharedBuffer(accepted: Socket, onData: (length: number) => boolean): Socket {
  const inside = accepted as unknown as { _handle: object | null };
  const handle = inside._handle;
  inside._handle = null;
  // Without its handle it only tells the listener that it is gone; else close() would wait for it for ever.
  accepted.destroy();
  const options = {
    handle,
    allowHalfOpen: false,
    onread: { buffer: shared, callback: onData },
  };
  const socket = new Socket(options as never);
  socket.setNoDelay(true);
  return socket;
}

function endpoint(address: string | undefined, port: number | undefined): string {
  const host = (address ?? '').replace(/^::ffff:/, '');
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.replace(/^::ffff:/, '').startsWith('127.');
}

function descriptor(socket: Socket): number {
  return (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1;
}
