// A real Redis cluster on loopback: starts the nodes, joins them, and makes happen what clusters do to their
// clients: failovers, crashes, slots on the move. Called by tests of everything that talks to a cluster.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSlot, SLOTS } from '../../src/data/crc16.ts';
import type { ChildHandle } from './child.ts';
import { fixedPort } from './fixed-ports.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { launchRedis } from './redis-server.ts';
import { type MigrateOptions, openMigration, runMigration, type SlotMigration } from './slot-migration.ts';
import { ask, askAll, fieldsOf, until } from './waiting.ts';

const NODE_TIMEOUT_MS = 1000;
/** A little longer than the server tries a failover it was asked for. */
const FAILOVER_MS = 5500;

export interface ClusterOptions {
  primaries?: number;
  replicasPerPrimary?: number;
  /** Where the nodes keep their files; without it a directory that stop() removes. */
  directory?: string;
  /** After how long without an answer a node counts as failing. */
  nodeTimeoutMs?: number;
  /**
   * Puts a proxy before every node and lets the nodes announce those, so that clients never get past them. Replicas
   * reach their primaries through them too: a stalled proxy stalls replication, but not the bus of the cluster.
   */
  proxies?: boolean;
  /** Further arguments of every redis-server. */
  extra?: string[];
}

/** A node as the cluster last saw it. */
export interface ClusterNode {
  readonly port: number;
  /** The 40 digits by which nodes know each other. */
  readonly id: string;
  readonly role: 'primary' | 'replica';
  /** The id of a replica's primary. */
  readonly primaryId: string | null;
  readonly alive: boolean;
  /** The process; another one after restart(). */
  readonly process: ChildHandle;
  /** What stands before it, when the cluster was started with `proxies`. */
  readonly proxy: FaultProxy | null;
}

interface Node extends ClusterNode {
  id: string;
  role: 'primary' | 'replica';
  primaryId: string | null;
  alive: boolean;
  process: ChildHandle;
  readonly launch: () => Promise<ChildHandle>;
}

/** One line of CLUSTER NODES, as far as it matters here. */
interface Seen {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly primaryId: string | null;
  readonly slots: readonly (readonly [number, number])[];
}

function readNodes(text: string): Seen[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [id, address, flags, primary, , , , , ...rest] = line.split(' ');
    // Slots on the move stand in brackets beside those that are owned.
    const owned = rest.filter((range) => !range.startsWith('['));
    return {
      id: id!,
      port: Number(/:(\d+)@/.exec(address!)?.[1]),
      flags: flags!.split(','),
      primaryId: primary === '-' ? null : primary!,
      slots: owned.map((range) => {
        const [from, to] = range.split('-').map(Number);
        return [from!, to ?? from!] as const;
      }),
    };
  });
}

const isGone = (seen: Seen): boolean =>
  seen.flags.some((flag) => ['fail', 'fail?', 'handshake', 'noaddr'].includes(flag));

/** Who owns what and who follows whom, as one line: equal where two nodes agree. */
function agreement(view: readonly Seen[]): string {
  const lines = view.map((each) => [each.id, each.primaryId, JSON.stringify(each.slots)].join(' '));
  return lines.sort().join('\n');
}

/**
 * Starts a cluster and resolves once it serves every slot and all replicas are in sync.
 *
 *   const cluster = await startCluster();                     // 3 primaries with a replica each
 *   const slot = cluster.slotOf('{order:1}:total');
 *   await cluster.failover(cluster.primaryOf(slot));          // orderly; { force: true } without the primary's consent
 *   const { killed, promoted } = await cluster.killPrimary(slot);
 *   await cluster.restart(killed);                            // comes back as a replica of `promoted`
 *   await cluster.migrateSlot(slot, other, { keysPerStep: 1, steps: async ({ phase, left }) => { … } });
 *   await cluster.stop();
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { primaries = 3, replicasPerPrimary = 1 } = options;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
  const count = primaries * (1 + replicasPerPrimary);
  const started = await Promise.allSettled(
    Array.from({ length: count }, () => startNode(directory, options)),
  );
  const nodes = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const cluster = new Cluster(nodes, options.directory === undefined ? directory : null);
  try {
    for (const each of started) if (each.status === 'rejected') throw each.reason;
    await introduce(nodes, primaries);
    await follow(nodes, primaries);
    await cluster.settle('starting the cluster');
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function startNode(directory: string, options: ClusterOptions): Promise<Node> {
  const port = await fixedPort();
  const dir = join(directory, `node-${port}`);
  mkdirSync(dir, { recursive: true });
  const proxy = options.proxies ? await startProxy(port) : null;
  const args = [
    ...['--save', '', '--appendonly', 'no', '--dir', dir, '--enable-debug-command', 'yes', '--hz', '100'],
    ...[
      '--cluster-enabled',
      'yes',
      '--cluster-config-file',
      'nodes.conf',
      '--cluster-announce-ip',
      '127.0.0.1',
    ],
    ...['--cluster-node-timeout', String(options.nodeTimeoutMs ?? NODE_TIMEOUT_MS)],
    ...(proxy === null ? [] : ['--cluster-announce-port', String(proxy.port)]),
    // Replicas stay where the test put them and may always stand for election.
    ...['--cluster-allow-replica-migration', 'no', '--cluster-replica-validity-factor', '0'],
    ...['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'],
    ...(options.extra ?? []),
  ];
  const launch = (): Promise<ChildHandle> =>
    launchRedis({ name: 'cluster node', port, args, readyMs: 10_000 });
  try {
    const process = await launch();
    const id = (await ask(port, 'CLUSTER', 'MYID')).text;
    return { port, id, role: 'primary', primaryId: null, alive: true, process, proxy, launch };
  } catch (error) {
    await proxy?.stop();
    throw error;
  }
}

/** Gives out the slots and makes every node know every other. */
async function introduce(nodes: readonly Node[], primaries: number): Promise<void> {
  const firstSlot = (index: number): number => Math.floor((SLOTS * index) / primaries);
  await Promise.all(
    nodes.slice(0, primaries).map(({ port }, i) =>
      askAll(port, [
        // Epochs that differ from the start spare the primaries settling that among themselves.
        ['CLUSTER', 'SET-CONFIG-EPOCH', i + 1],
        ['CLUSTER', 'ADDSLOTSRANGE', firstSlot(i), firstSlot(i + 1) - 1],
      ]),
    ),
  );
  // All pairs at once: waiting for the gossip takes seconds.
  const meet = (node: Node, others: readonly Node[]): Promise<unknown> =>
    askAll(
      node.port,
      others.map((other) => ['CLUSTER', 'MEET', '127.0.0.1', other.port]),
    );
  await Promise.all(nodes.slice(0, -1).map((node, i) => meet(node, nodes.slice(i + 1))));
  await until({ phase: 'nodes meet', servers: () => nodes.map((node) => node.process) }, async () => {
    const views = await Promise.all(
      nodes.map(async ({ port }) => readNodes((await ask(port, 'CLUSTER', 'NODES')).text)),
    );
    const known = views.map((view) => view.filter((seen) => !isGone(seen)).length);
    return known.every((n, i) => n === nodes.length && views[i]!.length === n)
      ? null
      : `known nodes: ${known}`;
  });
}

/** Makes the nodes behind the primaries their replicas, in turns. */
async function follow(nodes: readonly Node[], primaries: number): Promise<void> {
  await Promise.all(
    nodes.slice(primaries).map(({ port }, i) => ask(port, 'CLUSTER', 'REPLICATE', nodes[i % primaries]!.id)),
  );
}

/** A running cluster. What it says of roles and slots is as of the last call that it completed, or refresh(). */
export class Cluster {
  private readonly members: readonly Node[];
  private readonly removed: string | null;
  private readonly owners: (Node | undefined)[] = new Array(SLOTS);

  /** @param removed a directory that goes at stop() */
  constructor(members: readonly Node[], removed: string | null) {
    this.members = members;
    this.removed = removed;
  }

  /** All nodes, the primaries of the start first. */
  get nodes(): readonly ClusterNode[] {
    return this.members;
  }

  slotOf(key: string): number {
    return hashSlot(key);
  }

  /** The owner of a slot. */
  primaryOf(slot: number): ClusterNode {
    const owner = this.owners[slot];
    if (owner === undefined) throw new Error(`slot ${slot} has no owner`);
    return owner;
  }

  /** A living replica of this primary. */
  replicaOf(primary: ClusterNode): ClusterNode {
    const replica = this.members.find((node) => node.alive && node.primaryId === primary.id);
    if (replica === undefined) throw new Error(`node ${primary.port} has no living replica`);
    return replica;
  }

  /** Makes a replica of `primary` the primary and answers it; `force` does not ask the present primary. */
  async failover(primary: ClusterNode, { force = false } = {}): Promise<ClusterNode> {
    const replica = this.replicaOf(primary);
    let asked = 0;
    await this.settle(`failover from ${primary.port} to ${replica.port}`, async () => {
      if (replica.role === 'primary' && (!primary.alive || primary.primaryId === replica.id)) return null;
      // The server gives an attempt up after 5 s without saying so.
      if (replica.role === 'replica' && Date.now() - asked > FAILOVER_MS) {
        asked = Date.now();
        await ask(replica.port, 'CLUSTER', 'FAILOVER', ...(force ? ['FORCE'] : []));
      }
      return `${replica.port} is a ${replica.role}, ${primary.port} a ${primary.role}`;
    });
    return replica;
  }

  /** Kills the owner of a slot; resolves once a replica has been elected in its place and the cluster serves again. */
  async killPrimary(slot: number): Promise<{ killed: ClusterNode; promoted: ClusterNode }> {
    const killed = this.primaryOf(slot);
    this.replicaOf(killed);
    await this.kill(killed);
    await this.settle(`election after ${killed.port} was killed`, async () =>
      this.primaryOf(slot) === killed ? `${killed.port} still owns slot ${slot}` : null,
    );
    return { killed, promoted: this.primaryOf(slot) };
  }

  /** SIGKILL, and no waiting for what the others make of it. */
  async kill(node: ClusterNode): Promise<void> {
    const member = this.member(node);
    member.alive = false;
    await member.process.kill();
  }

  /** Starts a killed node again, empty but for its place in the cluster; resolves once it is in step again. */
  async restart(node: ClusterNode): Promise<void> {
    const member = this.member(node);
    if (member.alive) throw new Error(`node ${node.port} has not been killed`);
    member.process = await member.launch();
    member.alive = true;
    await this.settle(`restart of ${node.port}`);
  }

  /**
   * Moves a slot with its keys to another primary. `steps` is called, and awaited, when the slot has been opened,
   * after every batch of keys, and when all keys have moved: clients meet ASK and TRYAGAIN meanwhile, MOVED after.
   */
  async migrateSlot(slot: number, to: ClusterNode, options: MigrateOptions = {}): Promise<void> {
    await runMigration(await this.openMigration(slot, to, options.keysPerStep), options.steps);
  }

  /** The same by hand: the slot stays half-way until step() and finish() are called. */
  async openMigration(slot: number, to: ClusterNode, keysPerStep?: number): Promise<SlotMigration> {
    const from = this.primaryOf(slot);
    if (to.role !== 'primary' || to === from) throw new Error(`slot ${slot} cannot move to node ${to.port}`);
    const others = this.members.filter(
      (node) => node.alive && node.role === 'primary' && node !== from && node !== to,
    );
    return openMigration({ slot, from, to, others, keysPerStep }, () =>
      this.settle(`slot ${slot} moves from ${from.port} to ${to.port}`, async () =>
        this.primaryOf(slot) === to ? null : `${this.primaryOf(slot).port} owns it`,
      ),
    );
  }

  /** Looks at the cluster again after something happened to it that did not go through this object. */
  refresh(): Promise<void> {
    return this.settle('looking at the cluster');
  }

  /**
   * Waits until all living nodes are content, see the same cluster and have their replicas in sync, and `missing`,
   * asked about that state, answers null.
   */
  async settle(phase: string, missing: () => Promise<string | null> = async () => null): Promise<void> {
    const living = this.members.filter((node) => node.alive);
    await until({ phase, servers: () => this.members.map((node) => node.process) }, async () => {
      const reports = await Promise.all(living.map((node) => this.look(node)));
      const differing = reports.findIndex((each) => each.agreement !== reports[0]!.agreement);
      if (differing > 0) return `${living[0]!.port} and ${living[differing]!.port} see different clusters`;
      this.accept(reports[0]!.view);
      const complaint = reports.find((each) => each.complaint !== null)?.complaint ?? null;
      // Asked in any case: it may have to set something going.
      return (await missing()) ?? complaint;
    });
  }

  /** Ends all nodes and removes their files. */
  async stop(): Promise<void> {
    // Nothing is to be saved, and a primary that is asked to go waits for its replicas first.
    await Promise.all(this.members.flatMap((node) => [node.process.kill(), node.proxy?.stop()]));
    if (this.removed !== null) rmSync(this.removed, { recursive: true, force: true });
  }

  private member(node: ClusterNode): Node {
    const member = this.members.find((each) => each === node);
    if (member === undefined) throw new Error(`node ${node.port} is not of this cluster`);
    return member;
  }

  /** What one node sees, and what it lacks. */
  private async look(node: Node): Promise<{ view: Seen[]; agreement: string; complaint: string | null }> {
    const [nodes, info, replication] = await askAll(node.port, [
      ['CLUSTER', 'NODES'],
      ['CLUSTER', 'INFO'],
      ['INFO', 'replication'],
    ]);
    const view = readNodes(nodes!.text);
    const lost = this.members.find(
      (each) => each.alive && !view.some((seen) => seen.id === each.id && !isGone(seen)),
    );
    const link = fieldsOf(replication!).get('master_link_status') ?? 'up';
    // Its own word on whom it follows: what we know of it may be older.
    const followed = view.find((seen) => seen.id === node.id)?.primaryId;
    const followsLiving = this.members.some((each) => each.alive && each.id === followed);
    const complaints = [
      fieldsOf(info!).get('cluster_state') === 'ok' ? null : 'cluster_state is not ok',
      lost === undefined ? null : `has lost ${lost.port}`,
      link === 'up' || !followsLiving ? null : `link to its primary is ${link}`,
    ].filter((each) => each !== null);
    const complaint = complaints.length === 0 ? null : `${node.port}: ${complaints.join(', ')}`;
    return { view, agreement: agreement(view), complaint };
  }

  private accept(view: readonly Seen[]): void {
    this.owners.fill(undefined);
    for (const seen of view) {
      const member = this.members.find((node) => node.id === seen.id);
      if (member === undefined) continue;
      member.primaryId = seen.primaryId;
      member.role = seen.primaryId === null ? 'primary' : 'replica';
      for (const [from, to] of seen.slots) this.owners.fill(member, from, to + 1);
    }
  }
}
