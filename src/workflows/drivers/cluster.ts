// The driver of a Redis Cluster: one connection to each primary that is needed, opened through the user's client, and
// the map of slots. Redirections are followed here, because only who sends a command knows whether it ran: MOVED and ASK
// mean that it did not. Made by ioredis.ts and node-redis.ts, and by glide.ts for its leases.
import { hashSlot, SLOTS } from '../../data/crc16.ts';
import { utf8Encode } from '../../resp/bytes.ts';
import {
  type Answer,
  type Driver,
  type Facts,
  type Lease,
  Lost,
  type NodeAnswer,
  type Request,
  ServerError,
  Unsent,
  type Word,
} from '../kit/driver.ts';
import { Reopening } from './direct.ts';
import { LeasePool, type MakeLease } from './pool.ts';
import { type Fate, inTimeUnsent, OPEN_MS, type Session } from './session.ts';

/** `host:port`. */
export type Address = string;

/** How the user's client reaches its nodes. */
export interface Nodes {
  /** Nodes to ask for the map of slots, as good as they are known now. */
  seeds(): readonly Address[] | Promise<readonly Address[]>;
  open(address: Address): Promise<Session>;
  /** The address under which this client reaches a node that calls itself so. */
  translate(address: Address): Address;
  /** Where leases of this client are of a kind of their own. */
  readonly makeLease?: MakeLease;
}

/** A command goes from node to node at most so often. */
const MOST_REDIRECTIONS = 5;
/** The map is asked for at most this often, in milliseconds, however many commands fail. */
const REFRESH_EVERY = 100;
/** How long one node may take to tell it, in milliseconds. */
const MAP_MS = 1000;

interface Node {
  readonly main: Reopening;
  readonly leases: LeasePool;
}

export class ClusterDriver implements Driver {
  readonly facts: Facts;
  private readonly nodes: Nodes;
  private readonly places = new Map<Address, Node>();
  private owners: (Address | undefined)[] = new Array(SLOTS);
  private primaries: readonly Address[] = [];
  private refreshing: Promise<void> | null = null;
  private refreshed = 0;
  private closed = false;

  constructor(client: string, nodes: Nodes) {
    this.facts = { client, topology: 'cluster' };
    this.nodes = nodes;
  }

  async send({ words, key, timeoutMs, signal }: Request): Promise<Answer> {
    const until = performance.now() + timeoutMs;
    const slot = key === '' ? -1 : slotOf(key);
    let address = await this.owner(slot, timeoutMs, signal);
    let asking = false;
    for (let hops = 0; ; hops++) {
      const left = Math.max(1, until - performance.now());
      try {
        const { main } = this.node(address);
        if (!asking) return await main.send(words, left, signal);
        const [, fate] = await main.pipeline([['ASKING'], words], left, signal);
        if (fate instanceof Error) throw fate;
        return fate;
      } catch (error) {
        const next = this.redirection(error);
        if (next === null || hops === MOST_REDIRECTIONS) throw this.noticed(error);
        address = next.address;
        asking = next.asking;
        if (!asking && slot >= 0) {
          this.owners[slot] = address;
          void this.refresh();
        }
      }
    }
  }

  async pipeline(requests: readonly Request[]): Promise<readonly Fate[]> {
    const started = performance.now();
    const fates: Fate[] = new Array(requests.length);
    const groups = new Map<Address, number[]>();
    for (let i = 0; i < requests.length; i++) {
      try {
        const { key, timeoutMs, signal } = requests[i];
        const address = await this.owner(key === '' ? -1 : slotOf(key), timeoutMs, signal);
        const group = groups.get(address);
        if (group === undefined) groups.set(address, [i]);
        else group.push(i);
      } catch (error) {
        fates[i] = error as Unsent;
      }
    }
    await Promise.all(
      [...groups].map(async ([address, group]) => {
        const { timeoutMs, signal } = requests[group[0]];
        const words = group.map((i) => requests[i].words);
        const got = await this.node(address).main.pipeline(words, timeoutMs, signal);
        group.forEach((i, k) => {
          fates[i] = got[k];
        });
      }),
    );
    // What was sent on to another node did not run: one after the other, so that they keep their order.
    for (let i = 0; i < fates.length; i++) {
      this.noticed(fates[i]);
      if (this.redirection(fates[i]) === null) continue;
      const { timeoutMs } = requests[i];
      try {
        const left = Math.max(1, timeoutMs - (performance.now() - started));
        fates[i] = await this.send({ ...requests[i], timeoutMs: left });
      } catch (error) {
        fates[i] = error as Unsent;
      }
    }
    return fates;
  }

  async lease(key: string, timeoutMs: number): Promise<Lease> {
    const until = performance.now() + timeoutMs;
    const address = await this.owner(key === '' ? -1 : slotOf(key), timeoutMs);
    try {
      const lease = await this.node(address).leases.lease(Math.max(1, until - performance.now()));
      return new WatchfulLease(lease, (fates) => this.look(fates, key));
    } catch (error) {
      throw this.noticed(error);
    }
  }

  async everyPrimary(words: readonly Word[], timeoutMs: number): Promise<readonly NodeAnswer[]> {
    await this.refresh(true);
    return Promise.all(
      this.primaries.map(async (node) => {
        const [answer] = await this.node(node).main.pipeline([words], timeoutMs);
        if (answer instanceof Error && !(answer instanceof ServerError)) throw answer;
        return { node, answer: answer as Answer };
      }),
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { main, leases } of this.places.values()) {
      main.close();
      leases.close();
    }
    this.places.clear();
  }

  private node(address: Address): Node {
    let node = this.places.get(address);
    if (node === undefined) {
      const open = (): Promise<Session> => this.nodes.open(address);
      node = { main: new Reopening(open), leases: new LeasePool(open, this.nodes.makeLease) };
      this.places.set(address, node);
    }
    return node;
  }

  private async owner(slot: number, timeoutMs: number, signal?: AbortSignal): Promise<Address> {
    if (this.closed) throw new Unsent('the driver is closed');
    if (this.primaries.length === 0) await inTimeUnsent(this.refresh(true), timeoutMs, signal);
    const address = slot < 0 ? this.primaries[0] : this.owners[slot];
    if (address !== undefined) return address;
    void this.refresh();
    throw new ServerError(
      slot < 0 ? 'CLUSTERDOWN no node answers' : `CLUSTERDOWN no node is known to own slot ${slot}`,
    );
  }

  private redirection(error: unknown): { address: Address; asking: boolean } | null {
    if (!(error instanceof ServerError) || (error.code !== 'MOVED' && error.code !== 'ASK')) return null;
    const place = error.message.slice(error.message.lastIndexOf(' ') + 1);
    return { address: this.nodes.translate(place), asking: error.code === 'ASK' };
  }

  /** What a failure says of the map. One who does not answer may be gone as well. */
  private noticed(error: unknown): unknown {
    const stale =
      error instanceof Unsent ||
      error instanceof Lost ||
      (error instanceof ServerError && ['CLUSTERDOWN', 'READONLY', 'MOVED'].includes(error.code));
    if (stale) void this.refresh();
    return error;
  }

  private look(fates: readonly Fate[], key: string): void {
    for (const fate of fates) {
      const next = this.redirection(fate);
      if (next !== null && !next.asking && key !== '') this.owners[slotOf(key)] = next.address;
      if (fate instanceof Error) this.noticed(fate);
    }
  }

  /** Asks for the map, at most one at a time and not too often. Rejects, where `needed`, if nobody answers. */
  private refresh(needed = false): Promise<void> {
    if (this.refreshing !== null) return this.refreshing;
    if (!needed && performance.now() - this.refreshed < REFRESH_EVERY) return Promise.resolve();
    const work = this.askForMap().finally(() => {
      this.refreshing = null;
      this.refreshed = performance.now();
    });
    this.refreshing = work;
    // A refresh that nobody waits for may fail: the next failure asks again.
    work.catch(() => {});
    return work;
  }

  // The user's client is asked for nodes only where no known one answers: it may be in trouble itself.
  private async askForMap(): Promise<void> {
    const known = new Set([...this.primaries, ...this.places.keys()]);
    if ((await this.askAny([...known])) === null) return;
    let failure: unknown;
    try {
      const seeds = await inTimeUnsent(Promise.resolve(this.nodes.seeds()), OPEN_MS);
      failure = await this.askAny(seeds.filter((address) => !known.has(address)));
    } catch (error) {
      failure = error;
    }
    if (failure === null) return;
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new Unsent(`no node of the cluster tells its slots: ${why}`, { cause: failure });
  }

  /** What the last one failed with; null where one has told the map. */
  private async askAny(addresses: readonly Address[]): Promise<unknown> {
    let failure: unknown = new Unsent('the client knows no other node');
    for (const address of addresses) {
      try {
        this.learn(await this.node(address).main.send(['CLUSTER', 'SLOTS'], MAP_MS));
        return null;
      } catch (error) {
        failure = error;
      }
    }
    return failure;
  }

  private learn(answer: Answer): void {
    const owners: (Address | undefined)[] = new Array(SLOTS);
    const primaries = new Set<Address>();
    for (const range of answer as readonly [number, number, readonly [string, number]][]) {
      const [from, to, [host, port]] = range;
      if (host === '' || host === null) continue;
      const address = this.nodes.translate(`${host}:${port}`);
      primaries.add(address);
      for (let slot = from; slot <= to; slot++) owners[slot] = address;
    }
    if (primaries.size === 0) throw new Unsent('the cluster has no slots assigned');
    this.owners = owners;
    this.primaries = [...primaries].sort();
  }
}

/** A lease that shows what came back, so that a redirection of WATCH teaches the map. */
class WatchfulLease implements Lease {
  private readonly inner: Lease;
  private readonly look: (fates: readonly Fate[]) => void;

  constructor(inner: Lease, look: (fates: readonly Fate[]) => void) {
    this.inner = inner;
    this.look = look;
  }

  async pipeline(commands: readonly (readonly Word[])[], timeoutMs: number): Promise<readonly Fate[]> {
    const fates = await this.inner.pipeline(commands, timeoutMs);
    this.look(fates);
    return fates;
  }

  async exec(commands: readonly (readonly Word[])[], timeoutMs: number): Promise<readonly Answer[] | null> {
    try {
      return await this.inner.exec(commands, timeoutMs);
    } catch (error) {
      this.look([error as Fate]);
      throw error;
    }
  }

  release(): void {
    this.inner.release();
  }

  discard(): void {
    this.inner.discard();
  }
}

function slotOf(key: string): number {
  return hashSlot(utf8Encode(key));
}
