// A primary with replicas, watched by three real Sentinels on loopback, which can be made to fail over or to notice
// a crash. Called by tests of clients that find their primary through Sentinel.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildHandle } from './child.ts';
import { fixedPort } from './fixed-ports.ts';
import { launchRedis } from './redis-server.ts';
import { ask, askAll, fieldsOf, until } from './waiting.ts';

const NAME = 'holdfast';
const SENTINELS = 3;
const QUORUM = 2;
const DOWN_AFTER_MS = 1000;
const FAILOVER_TIMEOUT_MS = 3000;
/** After one failover the Sentinels hold no election for twice their timeout. */
const FAILOVER_MS = 30_000;

export interface SentinelOptions {
  replicas?: number;
  /** Further arguments of every redis-server that holds data. */
  extra?: string[];
}

/** A server that holds data. */
interface Server {
  readonly port: number;
  process: ChildHandle;
  alive: boolean;
  readonly launch: () => Promise<ChildHandle>;
}

/**
 * Starts all of it; resolves once every Sentinel knows the others and the replicas, and these are in sync.
 *
 *   const setup = await startSentinel();
 *   new Redis({ name: setup.name, sentinels: setup.sentinels.map((port) => ({ host: '127.0.0.1', port })) });
 *   await setup.failover();                         // orderly: SENTINEL FAILOVER
 *   const killed = await setup.killPrimary();       // SIGKILL: the Sentinels elect and promote by themselves
 *   await setup.restart(killed);                    // comes back as a replica
 *   await setup.stop();
 */
export async function startSentinel({
  replicas = 1,
  extra = [],
}: SentinelOptions = {}): Promise<SentinelSetup> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-sentinel-'));
  const servers: Server[] = [];
  const watchers: ChildHandle[] = [];
  const setup = new SentinelSetup(directory, servers, watchers);
  try {
    servers.push(await startServer(directory, extra));
    const primary = servers[0]!.port;
    for (let i = 0; i < replicas; i++) {
      servers.push(await startServer(directory, [...extra, '--replicaof', '127.0.0.1', String(primary)]));
    }
    for (let i = 0; i < SENTINELS; i++) watchers.push(await startWatcher(directory, primary));
    await setup.settle('starting the Sentinels');
    return setup;
  } catch (error) {
    await setup.stop();
    throw error;
  }
}

async function startServer(directory: string, extra: readonly string[]): Promise<Server> {
  const port = await fixedPort();
  const dir = join(directory, `server-${port}`);
  mkdirSync(dir);
  const args = [
    ...['--save', '', '--appendonly', 'no', '--dir', dir, '--enable-debug-command', 'yes', '--hz', '100'],
    ...['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0', ...extra],
  ];
  const launch = (): Promise<ChildHandle> => launchRedis({ name: 'server', port, args });
  return { port, process: await launch(), alive: true, launch };
}

/** Starts a Sentinel; it writes what it learns into its own configuration file. */
async function startWatcher(directory: string, primary: number): Promise<ChildHandle> {
  const port = await fixedPort();
  const dir = join(directory, `sentinel-${port}`);
  mkdirSync(dir);
  const file = join(dir, 'sentinel.conf');
  writeFileSync(file, sentinelFile(port, primary, dir));
  const process = await launchRedis({ name: 'sentinel', port, file, args: ['--sentinel'] });
  // Were this refused, everything would only be slower.
  await ask(port, 'SENTINEL', 'DEBUG', ...HASTE).catch(() => null);
  return process;
}

function sentinelFile(port: number, primary: number, dir: string): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
    `sentinel parallel-syncs ${NAME} 1`,
    '',
  ].join('\n');
}

/** Periods that are seconds by default and only cost time here; a Sentinel that was starved rests half a minute. */
const HASTE = [
  ...['INFO-PERIOD', 200, 'PUBLISH-PERIOD', 200, 'PING-PERIOD', 200, 'ASK-PERIOD', 200],
  ...['ELECTION-TIMEOUT', 3000, 'TILT-PERIOD', 1000],
];

/** The running servers and Sentinels. */
export class SentinelSetup {
  /** The name under which the Sentinels know the primary. */
  readonly name = NAME;
  private readonly directory: string;
  private readonly servers: readonly Server[];
  private readonly watchers: readonly ChildHandle[];
  private primaryPort = 0;

  /** @param directory goes at stop(), with all files */
  constructor(directory: string, servers: readonly Server[], watchers: readonly ChildHandle[]) {
    this.directory = directory;
    this.servers = servers;
    this.watchers = watchers;
  }

  /** The ports of the Sentinels. */
  get sentinels(): readonly number[] {
    return this.watchers.map((each) => each.port);
  }

  /** The primary's port, as of the last call that completed. */
  get primary(): number {
    return this.primaryPort;
  }

  /** The ports of the living servers that are not the primary. */
  get replicas(): readonly number[] {
    return this.servers
      .filter((each) => each.alive && each.port !== this.primaryPort)
      .map((each) => each.port);
  }

  /** Makes the Sentinels promote a replica; resolves with its port once it accepts writes and all agree on it. */
  async failover(): Promise<number> {
    const before = this.primaryPort;
    await until({ ...this.wait(`failover from ${before}`), timeoutMs: FAILOVER_MS }, async () => {
      const other = await this.agreed();
      if (other !== null && other !== before) return this.adopt(other);
      // Refused while no replica is fit or a failover is under way: then the next round asks again. Not once this one
      // has done it and the others have yet to hear: it would do another, back, and lose what was written in between.
      const asked = this.watchers[0]!.port;
      if ((await this.named(asked)) === before) await ask(asked, 'SENTINEL', 'FAILOVER', NAME);
      return `${before} is still the primary`;
    });
    return this.primaryPort;
  }

  /** Kills the primary and resolves, with its port, once the Sentinels have promoted a replica. */
  async killPrimary(): Promise<number> {
    const killed = this.server(this.primaryPort);
    killed.alive = false;
    await killed.process.kill();
    await until(
      { ...this.wait(`election after ${killed.port} was killed`), timeoutMs: FAILOVER_MS },
      async () => {
        const other = await this.agreed();
        return other === null || other === killed.port ? `the primary is ${other}` : this.adopt(other);
      },
    );
    return killed.port;
  }

  /** Starts a killed server again, empty; resolves once it follows the primary. */
  async restart(port: number): Promise<void> {
    const server = this.server(port);
    if (server.alive) throw new Error(`server ${port} has not been killed`);
    server.process = await server.launch();
    server.alive = true;
    await this.settle(`restart of ${port}`);
  }

  /** Waits until all living replicas follow the primary in sync and every Sentinel knows and is content with all. */
  async settle(phase = 'settling'): Promise<void> {
    await until({ ...this.wait(phase), timeoutMs: FAILOVER_MS }, async () => {
      const primary = await this.agreed();
      if (primary === null) return 'the Sentinels disagree';
      const complaints = await Promise.all([
        this.adopt(primary),
        ...this.replicas.map((port) => unsynced(port, primary)),
        ...this.watchers.map(({ port }) => this.unaware(port)),
      ]);
      return complaints.find((each) => each !== null) ?? null;
    });
  }

  /** Ends all servers and Sentinels and removes their files. */
  async stop(): Promise<void> {
    const all = [...this.watchers, ...this.servers.map((each) => each.process)];
    await Promise.all(all.map((each) => each.kill()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private server(port: number): Server {
    const server = this.servers.find((each) => each.port === port);
    if (server === undefined) throw new Error(`no server on port ${port}`);
    return server;
  }

  private wait(phase: string): { phase: string; servers: () => ChildHandle[] } {
    return { phase, servers: () => [...this.servers.map((each) => each.process), ...this.watchers] };
  }

  /** The port that all Sentinels name, or null. */
  private async agreed(): Promise<number | null> {
    const ports = new Set(await Promise.all(this.watchers.map(({ port }) => this.named(port))));
    return ports.size === 1 ? [...ports][0]! : null;
  }

  /** The primary that a Sentinel names. */
  private async named(sentinel: number): Promise<number> {
    const answer = await ask(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
    return Number(answer.items[1]?.text);
  }

  /** Takes this server for the primary; rejects when it does not accept writes. */
  private async adopt(port: number): Promise<string | null> {
    // A write that changes nothing: a replica refuses it.
    await ask(port, 'DEL', '');
    this.primaryPort = port;
    return null;
  }

  private async unaware(sentinel: number): Promise<string | null> {
    const [primary, replicas] = await askAll(sentinel, [
      ['SENTINEL', 'MASTER', NAME],
      ['SENTINEL', 'REPLICAS', NAME],
    ]);
    const of = (items: readonly { text: string }[], field: string): string | undefined =>
      items[items.findIndex((item, i) => i % 2 === 0 && item.text === field) + 1]?.text;
    const fit = replicas!.items.filter(
      ({ items }) => of(items, 'flags') === 'slave' && of(items, 'master-link-status') === 'ok',
    );
    const state = `${of(primary!.items, 'flags')}, ${of(primary!.items, 'num-other-sentinels')} other Sentinels, ${fit.length} replicas`;
    const wanted = `master, ${SENTINELS - 1} other Sentinels, ${this.replicas.length} replicas`;
    return state === wanted ? null : `Sentinel ${sentinel} sees: ${state}`;
  }
}

async function unsynced(port: number, primary: number): Promise<string | null> {
  const fields = fieldsOf(await ask(port, 'INFO', 'replication'));
  const follows = fields.get('master_port') === String(primary) && fields.get('master_link_status') === 'up';
  return follows ? null : `${port} does not follow ${primary} in sync`;
}
