// Drivers over Valkey GLIDE, for one server and for a Cluster. GLIDE finds the nodes, follows redirections and reconnects
// by itself, and never sends a command again once it has left; so the user's client carries everything but leases. A
// lease is a client of its own of one node: GLIDE's cluster client would carry EXEC to where a slot has moved, and the
// WATCH would stay behind. GLIDE hides reconnecting too, so a lease asks for its CLIENT ID with WATCH, before EXEC, and
// inside of it.
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
import { type Address, ClusterDriver } from './cluster.ts';
import { LeasePool, type MakeLease } from './pool.ts';
import {
  allFail,
  type Fate,
  type GiveBack,
  inTime,
  type Session,
  SessionLease,
  type Words,
} from './session.ts';

// biome-ignore lint/suspicious/noExplicitAny: the library's own types are its own
type Theirs = any;

/** What is used of `GlideClient` and `GlideClusterClient`. */
export interface GlideLike {
  customCommand(args: Theirs[], options?: Theirs): Promise<Theirs>;
  exec(batch: Theirs, raiseOnError: boolean, options?: Theirs): Promise<Theirs>;
  close(): void;
}

/** What is used of the module `@valkey/valkey-glide`: its classes. */
export interface GlideModule {
  readonly Batch: Theirs;
  readonly ClusterBatch: Theirs;
  readonly GlideClient: Theirs;
  readonly GlideClusterClient: Theirs;
  readonly Decoder: Theirs;
}

/**
 * A driver over a client of Valkey GLIDE. The second argument is its module, which has the classes that a client does
 * not give.
 *
 * ```ts
 * import * as valkeyGlide from '@valkey/valkey-glide';
 * const driver = glide(await valkeyGlide.GlideClient.createClient(config), valkeyGlide);
 * ```
 */
export function glide(client: GlideLike, module: GlideModule): Driver {
  return new GlideDriver(client, module);
}

class GlideDriver implements Driver {
  readonly facts: Facts;
  private readonly line: Line;
  private readonly leases: { lease(key: string, timeoutMs: number): Promise<Lease>; close(): unknown };

  constructor(client: GlideLike, module: GlideModule) {
    const isCluster = client instanceof module.GlideClusterClient;
    this.facts = { client: 'glide', topology: isCluster ? 'cluster' : 'single' };
    this.line = new Line(client, module, isCluster);
    this.leases = isCluster ? clusterLeases(this.line) : singleLeases(this.line);
  }

  send({ words, key, timeoutMs, signal }: Request): Promise<Answer> {
    return inTime(this.line.send(words, key), timeoutMs, signal);
  }

  async pipeline(requests: readonly Request[]): Promise<readonly Fate[]> {
    if (requests.length === 0) return [];
    const { timeoutMs, signal } = requests[0];
    // With a route a batch goes to one node; keys of several are parted by GLIDE.
    const work = this.line.batch(
      requests.map(({ words }) => words),
      '',
      timeoutMs,
    );
    try {
      return await inTime(work, timeoutMs, signal);
    } catch (error) {
      return allFail(requests.length, error as Lost);
    }
  }

  lease(key: string, timeoutMs: number): Promise<Lease> {
    return this.leases.lease(key, timeoutMs);
  }

  async everyPrimary(words: readonly Word[], timeoutMs: number): Promise<readonly NodeAnswer[]> {
    return inTime(this.line.everywhere(words), timeoutMs);
  }

  async close(): Promise<void> {
    await this.leases.close();
  }
}

const makeLease: MakeLease = (session, giveBack) => new GlideLease(session as GlideSession, giveBack);

function singleLeases(line: Line) {
  const pool = new LeasePool(async () => new GlideSession(await line.ofOneNode()), makeLease);
  return { lease: (_key: string, timeoutMs: number) => pool.lease(timeoutMs), close: () => pool.close() };
}

/** The user's client keeps its map of slots to itself, so leases have another. */
function clusterLeases(line: Line): ClusterDriver {
  return new ClusterDriver('glide', {
    makeLease,
    async seeds() {
      const { addresses } = line.config;
      return addresses.map(({ host, port }) => `${host}:${port ?? 6379}`);
    },
    async open(address: Address) {
      const cut = address.lastIndexOf(':');
      const place = { host: address.slice(0, cut), port: Number(address.slice(cut + 1)) };
      return new GlideSession(await line.ofOneNode(place));
    },
    translate: (address) => address,
  });
}

interface Place {
  readonly host: string;
  readonly port?: number;
}

/** One GLIDE client, with its answers in our shapes. */
class Line {
  readonly client: GlideLike;
  private readonly module: GlideModule;
  private readonly isCluster: boolean;

  constructor(client: GlideLike, module: GlideModule, isCluster: boolean) {
    this.client = client;
    this.module = module;
    this.isCluster = isCluster;
  }

  get config(): { readonly addresses: readonly Place[] } {
    return (this.client as unknown as { config: { readonly addresses: readonly Place[] } }).config;
  }

  /** A client of its own, with the same configuration, of this node or of those that it names. */
  async ofOneNode(place?: Place): Promise<Line> {
    const config = place === undefined ? this.config : { ...this.config, addresses: [place] };
    return new Line(await this.module.GlideClient.createClient(config), this.module, false);
  }

  async send(words: Words, key: string): Promise<Answer> {
    try {
      return plain(await this.client.customCommand(words.map(word), this.options(key)), words);
    } catch (error) {
      throw fateOf(error);
    }
  }

  /** Several in one write, in order. @param key where all of them go; '' for wherever their keys are */
  async batch(commands: readonly Words[], key: string, timeoutMs: number): Promise<readonly Fate[]> {
    try {
      const answers = (await this.client.exec(this.filled(false, commands), false, {
        ...this.options(key),
        timeout: Math.ceil(timeoutMs),
      })) as unknown[];
      return answers.map((answer, i) => plain(answer, commands[i]));
    } catch (error) {
      return allFail(commands.length, fateOf(error) as Lost);
    }
  }

  /** MULTI … EXEC. */
  async atomic(
    commands: readonly Words[],
    key: string,
    timeoutMs: number,
  ): Promise<readonly Answer[] | null> {
    try {
      const answers = (await this.client.exec(this.filled(true, commands), false, {
        ...this.options(key),
        timeout: Math.ceil(timeoutMs),
      })) as unknown[] | null;
      return answers?.map((answer, i) => plain(answer, commands[i])) ?? null;
    } catch (error) {
      throw fateOf(error);
    }
  }

  async everywhere(words: Words): Promise<readonly NodeAnswer[]> {
    if (!this.isCluster) return [{ node: 'primary', answer: await caught(this.send(words, '')) }];
    const answer = await this.client
      .customCommand(words.map(word), { route: 'allPrimaries', decoder: this.module.Decoder.Bytes })
      .catch((error: unknown) => {
        throw fateOf(error);
      });
    // One entry for each node, by address.
    const entries: [string, unknown][] = Array.isArray(answer)
      ? answer.map(({ key, value }: { key: string; value: unknown }) => [String(key), value])
      : Object.entries(answer as object);
    return entries.map(([node, value]) => ({ node, answer: plain(value, words) }));
  }

  private filled(isAtomic: boolean, commands: readonly Words[]): unknown {
    const batch = new (this.isCluster ? this.module.ClusterBatch : this.module.Batch)(isAtomic);
    for (const words of commands) batch.customCommand(words.map(word));
    return batch;
  }

  private options(key: string): object {
    // As bytes: GLIDE refuses a whole reply for one string that is no UTF-8, other clients replace what they cannot read.
    const decoder = this.module.Decoder.Bytes;
    if (!this.isCluster || key === '') return { decoder };
    return { decoder, route: { type: 'primarySlotKey', key } };
  }
}

/** Who waits has a timeout of their own, shorter than this. */
const LONG_MS = 60_000;

/** A client as a pooled connection; what a lease does beyond that is GlideLease's. */
class GlideSession implements Session {
  readonly line: Line;
  alive = true;

  constructor(line: Line) {
    this.line = line;
  }

  send(words: Words): Promise<Answer> {
    return this.line.send(words, '');
  }

  pipeline(commands: readonly Words[]): Promise<readonly Fate[]> {
    return this.line.batch(commands, '', LONG_MS);
  }

  close(): void {
    this.alive = false;
    this.line.client.close();
  }
}

class GlideLease extends SessionLease {
  private readonly line: Line;
  /** The connection that WATCH went to; null before it. */
  private id: Answer = null;

  constructor(session: GlideSession, giveBack: GiveBack) {
    super(session, giveBack);
    this.line = session.line;
  }

  override async pipeline(commands: readonly Words[], timeoutMs: number): Promise<readonly Fate[]> {
    const [id, ...fates] = await super.pipeline([['CLIENT', 'ID'], ...commands], timeoutMs);
    if (id instanceof Error) return fates;
    if (this.id === null) this.id = id;
    else if (this.id !== id)
      return allFail(commands.length, new Lost('GLIDE reconnected: the WATCH is gone'));
    if (commands.some(([name]) => name === 'UNWATCH')) this.id = null;
    return fates;
  }

  override async exec(commands: readonly Words[], timeoutMs: number): Promise<readonly Answer[] | null> {
    const until = performance.now() + timeoutMs;
    if (this.id !== null) {
      const [now] = await super.pipeline([['CLIENT', 'ID']], timeoutMs);
      if (now instanceof Error) throw new Unsent(now.message, { cause: now });
      // A reconnect is a conflict: what was read is not protected any more.
      if (now !== this.id) return null;
    }
    const left = Math.max(1, until - performance.now());
    const replies = await inTime(this.line.atomic([['CLIENT', 'ID'], ...commands], '', left), left);
    if (replies === null) return null;
    if (this.id !== null && replies[0] !== this.id) {
      throw new Lost('GLIDE reconnected between WATCH and EXEC: the writes are in, but were not protected');
    }
    this.id = null;
    return replies.slice(1);
  }
}

async function caught(work: Promise<Answer>): Promise<Answer> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
}

function word(each: Word): string | Buffer {
  if (typeof each === 'string') return each;
  return each instanceof Uint8Array ? Buffer.from(each) : String(each);
}

// GLIDE turns replies into what it thinks of a command, whatever the protocol: these answered decimals as text.
const DECIMALS =
  /^(?:ZSCORE|ZMSCORE|ZINCRBY|Z\w*RANGE\w*|ZPOP\w+|ZRANDMEMBER|ZDIFF|ZINTER|ZUNION|INCRBYFLOAT|HINCRBYFLOAT)$/;

function plain(answer: unknown, words: Words): Answer {
  return flat(answer, DECIMALS.test(String(words[0]).toUpperCase()));
}

/** RESP2's shapes. */
function flat(answer: unknown, decimals: boolean): Answer {
  switch (typeof answer) {
    case 'number':
      return decimals || !Number.isInteger(answer) ? decimalText(answer) : answer;
    case 'boolean':
      return answer ? 1 : 0;
    case 'string':
      return answer;
    case 'bigint':
      return String(answer);
  }
  if (answer === null || answer === undefined) return null;
  if (answer instanceof Error) return fateOf(answer) as ServerError;
  if (answer instanceof Uint8Array)
    return Buffer.from(answer.buffer, answer.byteOffset, answer.length).toString();
  if (answer instanceof Set) return [...answer].map((item) => flat(item, decimals));
  if (!Array.isArray(answer)) {
    return Object.entries(answer as object).flatMap(([key, value]) => [key, flat(value, decimals)]);
  }
  const out: Answer[] = [];
  for (const item of answer) {
    // A map comes as pairs.
    if (isPair(item)) out.push(flat(item.key, decimals), flat(item.value, decimals));
    else out.push(flat(item, decimals));
  }
  return out;
}

function decimalText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  return value === Number.NEGATIVE_INFINITY ? '-inf' : String(value);
}

function isPair(item: unknown): item is { key: unknown; value: unknown } {
  return (
    typeof item === 'object' && item !== null && !Array.isArray(item) && 'key' in item && 'value' in item
  );
}

const KINDS: Readonly<Record<string, string>> = {
  NoScriptError: 'NOSCRIPT',
  ResponseError: 'ERR',
  BusyLoadingError: 'LOADING',
  ExecAbortError: 'EXECABORT',
  ReadOnly: 'READONLY',
  TryAgain: 'TRYAGAIN',
  ClusterDown: 'CLUSTERDOWN',
  CrossSlot: 'CROSSSLOT',
  MasterDown: 'MASTERDOWN',
  Moved: 'MOVED',
  Ask: 'ASK',
  AuthenticationFailed: 'NOAUTH',
};

// Told by name: the module's classes may be another copy's.
function fateOf(error: unknown): ServerError | Unsent | Lost {
  if (error instanceof ServerError || error instanceof Unsent || error instanceof Lost) return error;
  const { message } = error as Error;
  const kind = (error as object).constructor?.name;
  if (kind === 'ClosingError') return new Unsent(message, { cause: error });
  // What timed out or met a closed line may have been sent: GLIDE does not say.
  if (kind === 'ConnectionError' || kind === 'TimeoutError') return new Lost(message, { cause: error });
  if (kind === 'ExecAbortError') return new ServerError(`EXECABORT ${message}`);
  const signalled = /^An error was signalled by the server: - (\w+): ([\s\S]*)$/.exec(message);
  if (signalled !== null) return new ServerError(`${KINDS[signalled[1]] ?? 'ERR'} ${signalled[2]}`);
  const coded = /^([A-Z][A-Z0-9_]*): ([\s\S]*)$/.exec(message);
  if (coded !== null) return new ServerError(`${coded[1]} ${coded[2]}`);
  // No words of a server: GLIDE's own trouble, such as a pipe that broke inside of it. The request may have left.
  return new Lost(message, { cause: error });
}
