// Listens on TCP and a unix socket and gives each accepted socket a Connection. `holdfast serve` and tests
// start it; engine and transport meet only here.
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server as NetServer, Socket } from 'node:net';
import type { Engine } from '../engine/engine.ts';
import type { ByteSource } from '../resp/decode.ts';
import { Connection, type ConnectionSettings } from './connection.ts';

export interface ListenOptions {
  /** Addresses as the directive has them (`*`, `::*`, `-::1` that may be missing); default 127.0.0.1. */
  readonly bind?: readonly string[];
  /** 0 picks a free port; undefined listens on no TCP port. */
  readonly port?: number;
  readonly unixSocket?: string;
  /** Octal permissions of the unix socket. */
  readonly unixSocketPermissions?: number;
  readonly backlog?: number;
}

/** How long close() waits for clients to take what was written. */
const FAREWELL_MS = 1000;
const READ_SIZE = 64 * 1024;
// All sockets read into one buffer: a read is decoded before the next begins, and nothing is allocated for it.
const shared = Buffer.allocUnsafeSlow(READ_SIZE);

export class Server {
  /** Port that it listens on, once {@link listen} is done. */
  port = 0;
  private readonly engine: Engine;
  private readonly listeners: NetServer[] = [];
  private readonly connections = new Set<Connection>();
  /** Sockets that are still open, also those whose session has ended but whose last words are on the way. */
  private readonly sockets = new Set<Socket>();
  private unixSocket: string | null = null;
  private startedEngine = false;
  private sweep: ReturnType<typeof setInterval> | null = null;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Starts to listen. Rejects with the error of the first address that cannot be had. */
  async listen(options: ListenOptions): Promise<void> {
    try {
      if (options.port !== undefined) await this.listenTcp(options.port, options);
      if (options.unixSocket !== undefined) await this.listenUnix(options.unixSocket, options);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.startedEngine = this.engine.start();
    this.sweep = setInterval(() => this.inspect(), 1000);
    this.sweep.unref();
  }

  /** Stops listening and closes all connections once what was written is out. */
  async close(): Promise<void> {
    if (this.sweep !== null) clearInterval(this.sweep);
    // An embedded database that is also served goes on.
    if (this.startedEngine) this.engine.stop();
    const closed = this.listeners.map((server) => new Promise((done) => server.close(done)));
    for (const connection of [...this.connections]) connection.close();
    const gone = [...this.sockets].map((socket) => new Promise((done) => socket.once('close', done)));
    const late = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy();
    }, FAREWELL_MS);
    await Promise.all([...closed, ...gone]);
    clearTimeout(late);
    if (this.unixSocket !== null) rmSync(this.unixSocket, { force: true });
    this.unixSocket = null;
  }

  private async listenTcp(wanted: number, { bind = ['127.0.0.1'], backlog }: ListenOptions): Promise<void> {
    for (const address of bind) {
      const optional = address.startsWith('-');
      const named = optional ? address.slice(1) : address;
      const host = named === '*' ? '0.0.0.0' : named === '::*' ? '::' : named;
      // A port that the system chose for the first address serves the others too.
      const port = wanted === 0 ? this.port : wanted;
      try {
        // An IPv6 address is only that: 0.0.0.0 and :: are listened on side by side.
        const server = await this.open({ host, port, backlog, ipv6Only: true });
        this.port = (server.address() as AddressInfo).port;
      } catch (error) {
        if (!optional || !MISSING_ADDRESS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }
  }

  private async listenUnix(path: string, options: ListenOptions): Promise<void> {
    // What an earlier run left behind is in the way; a socket that somebody answers on is not ours to take.
    if (await isDeadSocket(path)) rmSync(path, { force: true });
    await this.open({ path, backlog: options.backlog });
    this.unixSocket = path;
    if (options.unixSocketPermissions !== undefined) chmodSync(path, options.unixSocketPermissions);
  }

  private open(where: {
    host?: string;
    port?: number;
    path?: string;
    backlog?: number;
    ipv6Only?: boolean;
  }): Promise<NetServer> {
    return new Promise((resolve, reject) => {
      // Paused: the socket must not read before it has our buffer.
      const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
        this.accept(socket, where.path ?? null),
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

  private accept(accepted: Socket, unix: string | null): void {
    const { engine } = this;
    if (engine.isClosed) {
      accepted.destroy();
      return;
    }
    const refusal = this.refusal(accepted, unix !== null);
    if (refusal !== null) {
      engine.stats.rejectedConnections++;
      accepted.on('error', () => {});
      // Nothing it sends is read: without this it would stay half open.
      accepted.end(`-${refusal}\r\n`, () => accepted.destroy());
      return;
    }
    // Read now: the accepted socket loses its handle below.
    const info = {
      address: unix !== null ? `${unix}:0` : endpoint(accepted.remoteAddress, accepted.remotePort),
      localAddress: unix !== null ? `${unix}:0` : endpoint(accepted.localAddress, accepted.localPort),
      fd: descriptor(accepted),
      local: unix !== null || isLoopback(accepted.remoteAddress ?? ''),
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
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const keepAlive = Number(engine.config.value('tcp-keepalive'));
    if (unix === null && keepAlive > 0) socket.setKeepAlive(true, keepAlive * 1000);
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

  // Once a second: output that is left unread for too long, and `timeout`, which closes connections without a
  // command for so long; waiting and subscribed ones are not idle.
  private inspect(): void {
    const seconds = Number(this.engine.config.value('timeout'));
    const before = this.engine.clock.now() - seconds * 1000;
    for (const connection of [...this.connections]) {
      connection.limit();
      const { session } = connection;
      if (seconds === 0 || session.isBlocked || session.subscriptions > 0) continue;
      if (session.lastActive < before) connection.close();
    }
  }
}

const MISSING_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ENOTSUP']);

const settingsOf = new WeakMap<Engine, ConnectionSettings>();

/** Limits of connections, as the directives say: one object per engine, kept up to date. */
export function connectionSettings(engine: Engine): ConnectionSettings {
  const known = settingsOf.get(engine);
  if (known !== undefined) return known;
  const settings = { maxBulk: 0, maxBuffer: 0 } as ConnectionSettings;
  const refresh = (): void => {
    const { config } = engine;
    const limits = config.outputLimits();
    settings.maxBulk = config.maxBulk;
    settings.maxBuffer = Number(config.value('client-query-buffer-limit'));
    settings.normalLimit = limits.normal;
    settings.pubsubLimit = limits.pubsub;
  };
  refresh();
  engine.config.onChange(refresh);
  settingsOf.set(engine, settings);
  return settings;
}

async function isDeadSocket(path: string): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
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
