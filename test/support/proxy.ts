// A TCP proxy in front of a server that breaks connections at exactly the point a test names: after a command ran
// but before its client knows, or before it ran. Called by tests of retries and of what clients make of doubt.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FrameScanner, headOf } from './frames.ts';

/** How many words of a request `match` sees, and how much of each. */
const WORDS = 8;
const WORD_LENGTH = 100;
const LINGER_MS = 500;
const UNFRAMED = new Set(['PSYNC', 'SYNC', 'MONITOR']);
const SUBSCRIPTIONS = new Set(['', 'P', 'S'].flatMap((kind) => [`${kind}SUBSCRIBE`, `${kind}UNSUBSCRIBE`]));
const MESSAGES = new Set(['MESSAGE', 'PMESSAGE', 'SMESSAGE']);
const PUSH = 0x3e;
const ARRAY = 0x2a;

export interface Fault {
  /** Which requests; all without it. */
  match?: RegExp;
  /** How many of them; 1 without it, for delays all. */
  times?: number;
}

type Kind = 'cut before request' | 'cut before reply' | 'delay';

interface Rule {
  readonly kind: Kind;
  readonly match: RegExp;
  readonly ms: number;
  left: number;
}

/**
 * Starts a proxy on a free loopback port in front of a server on another one.
 *
 *   const proxy = await startProxy(redis.port);
 *   proxy.cutBeforeReply({ match: /^EVALSHA/ });   // the next EVALSHA runs, its caller hears nothing
 *   proxy.cutBeforeRequest({ match: /^SET K1 /, times: 2 });
 *   proxy.delayReplies(200, { match: /^GET/ });
 *   proxy.stall();  proxy.resume();  proxy.cutAll();  proxy.reset();
 *   await proxy.stop();
 *
 * `match` is tried on the first words of a request, upper-cased, with single spaces between. Without it the next
 * request of any kind is meant, which may be one that a client library sends of itself. Requests that come behind
 * one that cuts the connection never reach the server. CLIENT REPLY OFF and SKIP are not understood; after PSYNC,
 * SYNC or MONITOR a connection passes through without faults other than stall() and cutAll().
 */
export async function startProxy(targetPort: number): Promise<FaultProxy> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return new FaultProxy(server, targetPort);
}

/** A running proxy. */
export class FaultProxy {
  readonly host = '127.0.0.1';
  readonly port: number;
  private readonly server: Server;
  private readonly links = new Set<Link>();
  private rules: Rule[] = [];
  private stalled = false;
  private cutCount = 0;
  private requestCount = 0;

  constructor(server: Server, targetPort: number) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.accept(client, targetPort));
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.links.size;
  }

  /** How many connections have been cut. */
  get cuts(): number {
    return this.cutCount;
  }

  /** How many requests clients have sent, whatever became of them. */
  get requests(): number {
    return this.requestCount;
  }

  /** The request reaches the server; when its reply comes the client is cut off instead. */
  cutBeforeReply(fault: Fault = {}): void {
    this.addRule('cut before reply', fault, 1);
  }

  /** The client is cut off, once earlier replies are with it, and the request never reaches the server. */
  cutBeforeRequest(fault: Fault = {}): void {
    this.addRule('cut before request', fault, 1);
  }

  /** Replies, and with them those behind them, reach the client so much later. */
  delayReplies(ms: number, fault: Fault = {}): void {
    this.addRule('delay', fault, Number.POSITIVE_INFINITY, ms);
  }

  /** Nothing passes in either direction until resume(); connections stay open and new ones are accepted. */
  stall(): void {
    this.stalled = true;
    for (const link of this.links) link.stall();
  }

  /** Ends a stall: what has gathered passes. */
  resume(): void {
    this.stalled = false;
    for (const link of this.links) link.resume();
  }

  /** Cuts every connection at once. */
  cutAll(): void {
    for (const link of this.links) link.cut();
  }

  /** No new faults, delayed replies go out, a stall ends, counters at zero; connections stay. */
  reset(): void {
    this.rules = [];
    this.resume();
    for (const link of this.links) link.hurry();
    this.cutCount = 0;
    this.requestCount = 0;
  }

  /** Cuts every connection and refuses new ones. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cutAll();
    await closed;
  }

  private addRule(kind: Kind, { match = /(?:)/, times }: Fault, usual: number, ms = 0): void {
    this.rules.push({ kind, match, ms, left: times ?? usual });
  }

  private accept(client: Socket, targetPort: number): void {
    const link = new Link(client, connect(targetPort, '127.0.0.1'), {
      meets: (kind, request) => this.meets(kind, request),
      requested: () => {
        this.requestCount++;
      },
      wasCut: () => {
        this.cutCount++;
      },
      closed: () => this.links.delete(link),
    });
    this.links.add(link);
    if (this.stalled) link.stall();
  }

  /** The rule of this kind that the request meets, used up by one. */
  private meets(kind: Kind, request: string): Rule | null {
    // `search`, because a regular expression with the flag g remembers where it last matched.
    const rule = this.rules.find(
      (each) => each.kind === kind && each.left > 0 && request.search(each.match) !== -1,
    );
    if (rule === undefined) return null;
    rule.left--;
    return rule;
  }
}

/** What a connection asks of its proxy. */
interface Desk {
  meets(kind: Kind, request: string): Rule | null;
  requested(): void;
  wasCut(): void;
  closed(): void;
}

/** A request that the server has yet to answer, or the place in the order where the client is to be cut off. */
interface Awaited {
  /** How many frames the answer has: one, but for subscriptions. */
  frames: number;
  /** For subscriptions: the word that each confirmation begins with. */
  readonly word: string | null;
  readonly cut: boolean;
  delayMs: number;
}

/** Bytes for the client and when they may go; or where it is cut off, or loses the server that went by itself. */
interface Parcel {
  readonly what: Buffer | 'cut' | 'end';
  readonly due: number;
}

/** One client and its connection to the server. */
class Link {
  private readonly client: Socket;
  private readonly upstream: Socket;
  private readonly desk: Desk;
  private readonly requests = new FrameScanner(true);
  private readonly replies = new FrameScanner(false);
  private readonly awaited: Awaited[] = [];
  private parcels: Parcel[] = [];
  /** The client has asked for messages, which in RESP2 are arrays like replies. */
  private subscribed = false;
  private timer: NodeJS.Timeout | null = null;
  private stalled = false;
  /** No frames any more: bytes pass as they come. */
  private raw = false;
  /** A request that cuts has been read: nothing that comes after it counts. */
  private deaf = false;
  private open = true;

  constructor(client: Socket, upstream: Socket, desk: Desk) {
    this.client = client;
    this.upstream = upstream;
    this.desk = desk;
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      // What follows an error is `close`.
      socket.on('error', () => {});
    }
    client.on('data', (chunk: Buffer) => this.fromClient(chunk));
    upstream.on('data', (chunk: Buffer) => this.fromServer(chunk));
    client.on('close', () => this.close());
    // The client hears of it after what the server had still said.
    upstream.on('close', () => this.send('end', 0));
  }

  stall(): void {
    this.stalled = true;
    this.client.pause();
    this.upstream.pause();
  }

  resume(): void {
    this.stalled = false;
    this.client.resume();
    this.upstream.resume();
    this.deliver();
  }

  /** Delayed replies go now. */
  hurry(): void {
    this.parcels = this.parcels.map(({ what }) => ({ what, due: 0 }));
    for (const each of this.awaited) each.delayMs = 0;
    this.deliver();
  }

  /** Cuts both sides off; what the client was given before still reaches it. */
  cut(): void {
    if (!this.open) return;
    this.desk.wasCut();
    this.close();
  }

  private close(): void {
    if (!this.open) return;
    this.open = false;
    if (this.timer !== null) clearTimeout(this.timer);
    for (const socket of [this.client, this.upstream]) {
      // What has been written still goes out, unless the other side has stopped reading.
      socket.destroySoon();
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    }
    this.desk.closed();
  }

  private fromClient(chunk: Buffer): void {
    if (this.deaf || !this.open) return;
    this.requests.add(chunk);
    try {
      for (let frame = this.raw ? null : this.requests.next(); frame !== null; ) {
        this.request(frame);
        if (this.deaf) return;
        frame = this.raw ? null : this.requests.next();
      }
    } catch {
      // Nonsense: the server is to judge it.
      this.raw = true;
    }
    if (this.raw) this.upstream.write(this.requests.rest());
  }

  private request(frame: Buffer): void {
    const words = headOf(frame, WORDS).map((word) => word.slice(0, WORD_LENGTH).toUpperCase());
    const text = words.join(' ');
    // An empty request, which the server passes over too.
    if (text === '') return;
    this.desk.requested();
    if (this.desk.meets('cut before request', text) !== null) {
      this.deaf = true;
      this.awaited.push({ frames: 0, word: null, cut: true, delayMs: 0 });
      this.cutWhereDue();
      return;
    }
    const command = words[0]!;
    this.upstream.write(frame);
    this.raw ||= UNFRAMED.has(command);
    this.deaf = this.desk.meets('cut before reply', text) !== null;
    const subscribes = SUBSCRIPTIONS.has(command);
    this.subscribed ||= subscribes;
    this.awaited.push({
      // Of UNSUBSCRIBE without names all confirmations but the first pass as messages.
      frames: subscribes ? Math.max(1, headOf(frame, Number.POSITIVE_INFINITY).length - 1) : 1,
      word: subscribes ? command : null,
      cut: this.deaf,
      delayMs: this.desk.meets('delay', text)?.ms ?? 0,
    });
  }

  private fromServer(chunk: Buffer): void {
    if (!this.open) return;
    this.replies.add(chunk);
    try {
      for (let frame = this.raw ? null : this.replies.next(); frame !== null && this.open; ) {
        this.reply(frame);
        frame = this.raw ? null : this.replies.next();
      }
    } catch {
      this.raw = true;
    }
    if (this.raw) this.send(this.replies.rest(), 0);
  }

  private reply(frame: Buffer): void {
    const head = this.awaited[0];
    const word = this.wordOf(frame);
    const confirms = head !== undefined && head.word !== null && head.word === word;
    const isMessage = word !== null && (MESSAGES.has(word) || SUBSCRIPTIONS.has(word) || frame[0] === PUSH);
    if (head === undefined || (isMessage && !confirms)) {
      this.send(frame, 0);
      return;
    }
    if (head.cut) {
      this.send('cut', 0);
      return;
    }
    this.send(frame, head.delayMs);
    // A subscription that is refused, or queued by MULTI, is answered once.
    head.frames = head.word === null || confirms ? head.frames - 1 : 0;
    if (head.frames === 0) this.awaited.shift();
    this.cutWhereDue();
  }

  /** The first word of what may be a message: any push, and arrays once the client has subscribed to something. */
  private wordOf(frame: Buffer): string | null {
    const may = frame[0] === PUSH || (frame[0] === ARRAY && this.subscribed);
    return may ? (headOf(frame, 1)[0] ?? '').toUpperCase() : null;
  }

  /** Has everything before a request that cuts been answered? */
  private cutWhereDue(): void {
    const head = this.awaited[0];
    if (head?.frames === 0 && head.cut) this.send('cut', 0);
  }

  private send(what: Parcel['what'], delayMs: number): void {
    this.parcels.push({ what, due: Date.now() + delayMs });
    this.deliver();
  }

  /** Gives the client what is due, in order. */
  private deliver(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    while (this.open && !this.stalled && this.parcels.length > 0) {
      const { what, due } = this.parcels[0]!;
      const wait = due - Date.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.deliver(), wait);
        return;
      }
      this.parcels.shift();
      if (what === 'cut') this.cut();
      else if (what === 'end') this.close();
      else this.client.write(what);
    }
  }
}
