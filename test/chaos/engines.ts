// The servers of chaos and what can be done to them: one that keeps everything on disk, Sentinels, a Cluster. All faults
// but Redis' own losses: what a server has confirmed must be there afterwards. Called by run.ts and round.ts.
import type { Random } from '../oracle/random.ts';
import { type FaultProxy, startProxy } from '../support/proxy.ts';
import { type Cluster, type ClusterNode, startCluster } from '../support/redis-cluster.ts';
import { startRestartable } from '../support/restartable-redis.ts';
import { type SentinelSetup, startSentinel } from '../support/sentinel.ts';
import { ask, fieldsOf, until } from '../support/waiting.ts';
import type { EngineName } from '../workflows/columns.ts';
import type { Running } from '../workflows/targets.ts';
import { sleep } from '../workflows/world.ts';

export const KINDS = ['single', 'sentinel', 'cluster'] as const;
export type Kind = (typeof KINDS)[number];

/** One kind of fault: does it and resolves when the next may come. `prefix` is that of the data under load. */
export type Fault = (random: Random, prefix: string) => Promise<void>;

export interface Engine {
  readonly kind: Kind;
  /** What test/workflows/targets.ts calls it. */
  readonly name: EngineName;
  readonly faults: Readonly<Record<string, Fault>>;
  /** How the n-th client process or driver reaches it. */
  reach(n: number): Running;
  /** How a client gets past all proxies. */
  readonly past: Running;
  /** Ends all faults and waits until everything is well. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

export async function startEngine(kind: Kind): Promise<Engine> {
  if (kind === 'single') return single();
  return kind === 'sentinel' ? sentinels() : clusters();
}

const stop = async (): Promise<void> => {};
/** What carries out a workflow; greetings and questions of the clients pass. */
const WORK = /^(?:EVAL|EVALSHA|EVAL_RO|EVALSHA_RO|FCALL|FCALL_RO|EXEC)\b/;
const LONGEST_STALL_MS = 800;

/** Faults of the line, each on the proxy that `choose` names. */
function lineFaults(choose: (random: Random, prefix: string) => Promise<FaultProxy>): Record<string, Fault> {
  return {
    async 'cut-reply'(random, prefix) {
      (await choose(random, prefix)).cutBeforeReply({ match: WORK, times: random.int(1, 5) });
    },
    async 'cut-request'(random, prefix) {
      (await choose(random, prefix)).cutBeforeRequest({ match: WORK, times: random.int(1, 5) });
    },
    async cut(random, prefix) {
      (await choose(random, prefix)).cutAll();
    },
    async delay(random, prefix) {
      const fault = { match: WORK, times: random.int(1, 50) };
      (await choose(random, prefix)).delayReplies(random.int(5, 300), fault);
    },
    async stall(random, prefix) {
      const proxy = await choose(random, prefix);
      proxy.stall();
      await sleep(random.int(50, LONGEST_STALL_MS));
      proxy.resume();
    },
  };
}

async function flush(ports: readonly number[]): Promise<void> {
  for (const port of ports) await ask(port, 'SCRIPT', 'FLUSH');
}

/** So many proxies: a fault meets some clients and others not. */
const PROXIES = 4;

async function single(): Promise<Engine> {
  const redis = await startRestartable(['--appendfsync', 'always']);
  const proxies: FaultProxy[] = [];
  for (let i = 0; i < PROXIES; i++) proxies.push(await startProxy(redis.port));
  return {
    kind: 'single',
    name: 'redis-server',
    faults: {
      ...lineFaults(async (random) => random.pick(proxies)),
      flush: () => flush([redis.port]),
      // The log is on disk before an answer is sent, so nothing that was confirmed may be gone.
      async kill(random) {
        await redis.kill();
        await sleep(random.int(0, 400));
        await redis.start();
      },
    },
    reach: (n) => ({ ports: [proxies[n % PROXIES]!.port], stop }),
    past: { ports: [redis.port], stop },
    async heal() {
      for (const proxy of proxies) proxy.reset();
      if (!redis.running) await redis.start();
    },
    async stop() {
      for (const proxy of proxies) await proxy.stop();
      await redis.stop();
    },
  };
}

async function sentinels(): Promise<Engine> {
  const setup = await startSentinel();
  const running: Running = { ports: setup.sentinels, group: setup.name, stop };
  return {
    kind: 'sentinel',
    name: 'redis-sentinel',
    faults: {
      flush: () => flush([setup.primary, ...setup.replicas]),
      async cut() {
        await ask(setup.primary, 'CLIENT', 'KILL', 'TYPE', 'normal');
      },
      async stall(random) {
        // Longer, and on a busy machine the Sentinels take it for dead.
        const ms = random.int(50, LONGEST_STALL_MS / 2);
        await ask(setup.primary, 'CLIENT', 'PAUSE', ms, 'ALL');
        await sleep(ms);
      },
      failover: () => orderly(setup),
    },
    reach: () => running,
    past: running,
    heal: () => setup.settle('after the faults'),
    stop: () => setup.stop(),
  };
}

const PAUSE_MS = 20_000;

/**
 * A failover that loses nothing, which Sentinel by itself does not promise: no writes from before the replica has
 * everything until the old primary is a replica. Clients meet a stall, closed connections and READONLY all the same.
 */
async function orderly(setup: SentinelSetup): Promise<void> {
  // Else the Sentinels might hold the next failover back, with all writes waiting.
  await setup.settle('before a failover');
  const old = setup.primary;
  await ask(old, 'CLIENT', 'PAUSE', PAUSE_MS, 'WRITE');
  const offset = async (port: number, field: string): Promise<string | undefined> =>
    fieldsOf(await ask(port, 'INFO', 'replication')).get(field);
  await until({ phase: 'the replica has everything', servers: () => [] }, async () => {
    const wanted = await offset(old, 'master_repl_offset');
    const got = await Promise.all(setup.replicas.map((port) => offset(port, 'slave_repl_offset')));
    return got.every((each) => each === wanted) ? null : `${wanted} and ${got}`;
  });
  const next = await setup.failover();
  await ask(old, 'REPLICAOF', '127.0.0.1', next);
  await ask(old, 'CLIENT', 'UNPAUSE');
  await setup.settle('after a failover');
}

async function clusters(): Promise<Engine> {
  const cluster = await startCluster({ proxies: true });
  const proxies = cluster.nodes.map((node) => node.proxy!);
  const running: Running = { ports: proxies.map(({ port }) => port), stop };
  const primaries = (): ClusterNode[] => cluster.nodes.filter((node) => node.role === 'primary');
  return {
    kind: 'cluster',
    name: 'redis-cluster',
    faults: {
      ...lineFaults(async (random, prefix) => {
        // Where the data is, for elsewhere nobody would notice.
        return cluster.primaryOf(await slotUnderLoad(cluster, random, prefix)).proxy!;
      }),
      flush: () => flush(cluster.nodes.map(({ port }) => port)),
      async failover(random, prefix) {
        await cluster.failover(cluster.primaryOf(await slotUnderLoad(cluster, random, prefix)));
      },
      async migrate(random, prefix) {
        const slot = await slotUnderLoad(cluster, random, prefix);
        const to = random.pick(primaries().filter((node) => node !== cluster.primaryOf(slot)));
        // Some steps, however many keys there are: who needs keys on both sides waits for the end.
        const keys = Number(
          (await ask(cluster.primaryOf(slot).port, 'CLUSTER', 'COUNTKEYSINSLOT', slot)).text,
        );
        const keysPerStep = 1 + Math.ceil(keys / random.int(2, 20));
        await cluster.migrateSlot(slot, to, { keysPerStep, steps: () => sleep(random.int(0, 60)) });
      },
    },
    reach: () => running,
    past: running,
    async heal() {
      for (const proxy of proxies) proxy.reset();
      await cluster.settle('after the faults');
    },
    stop: () => cluster.stop(),
  };
}

/** The slot of one of the keys with this prefix. */
async function slotUnderLoad(cluster: Cluster, random: Random, prefix: string): Promise<number> {
  for (const { port } of cluster.nodes.filter((node) => node.role === 'primary')) {
    const { items } = await ask(port, 'SCAN', 0, 'MATCH', `${prefix}*`, 'COUNT', 10_000);
    const keys = items[1]!.items;
    if (keys.length > 0) return cluster.slotOf(random.pick(keys).text);
  }
  return random.int(0, 16383);
}
