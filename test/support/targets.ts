// Runs the same command tests on every way in: in process, TCP with RESP2, TCP with RESP3. Command tests beside
// src/commands use it. Replies are shown in RESP2's view (maps and sets as flat arrays, doubles as strings,
// booleans as 1 or 0), so that one expectation serves all targets; RESP3's own shapes are tested by `rich`.
//
//   onEveryTarget('strings', (t) => {
//     it('sets', async () => {
//       expect(await t.call('SET', 'k', 'v')).toBe('OK');
//       expect(await t.fails('INCR', 'k')).toBe('ERR value is not an integer or out of range');
//       const other = await t.connect();            // a second client of the same server
//       expect(await t.exec([['SET', 'k', '1'], ['INCR', 'k']])).toEqual(['OK', 2]);   // MULTI … EXEC
//     });
//   });
//
// Each test starts with an empty keyspace. Strings are byte strings (latin1). Errors inside arrays are shown as
// `{ error: text }`. `t.messages()` takes the pushes that came since.
import net from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import type { Outlet, Session } from '../../src/engine/session.ts';
import { encode } from '../../src/resp/encode.ts';
import { Block, type Reply } from '../../src/resp/reply.ts';
import { Server } from '../../src/server/server.ts';
import { type Parsed, ReplyParser } from './parser.ts';

export type Plain = string | number | bigint | null | { error: string } | Plain[];

export interface TestClient {
  /** Sends a command and answers its reply; an error reply rejects. */
  call(...args: (string | number)[]): Promise<Plain>;
  /** Text of the error that the command answers; rejects when it succeeds. */
  fails(...args: (string | number)[]): Promise<string>;
  /** MULTI, the commands, EXEC: what EXEC answers. */
  exec(commands: (string | number)[][]): Promise<Plain>;
  /** Reply with its RESP type kept. */
  rich(...args: (string | number)[]): Promise<Parsed>;
  /** Out-of-band messages since the last call. */
  messages(): Promise<Plain[]>;
  close(): Promise<void>;
}

export interface Target extends TestClient {
  readonly name: 'in-process' | 'tcp-resp2' | 'tcp-resp3';
  readonly protocol: 2 | 3;
  /** A further client of the same kind. */
  connect(): Promise<TestClient>;
  /** The engine behind it, for clocks and white-box checks. */
  readonly engine: Engine;
}

/** Declares the tests of `body` once per target. */
export function onEveryTarget(
  title: string,
  body: (target: Target) => void,
  options: ConstructorParameters<typeof Engine>[0] = {},
): void {
  for (const name of ['in-process', 'tcp-resp2', 'tcp-resp3'] as const) {
    describe(`${title} (${name})`, () => {
      const protocol = name === 'tcp-resp2' ? 2 : 3;
      const target = {} as Target & { engine: Engine };
      let server: Server | null = null;
      let open: TestClient[] = [];
      const connect = async (): Promise<TestClient> => {
        const wire: Wire = server === null ? new InProcess(target.engine) : await TcpWire.open(server.port);
        const client = new Plainly(wire, protocol);
        await client.call('HELLO', protocol).catch(() => wire.setProtocol?.(protocol));
        open.push(client);
        return client;
      };
      beforeAll(async () => {
        const config = { 'enable-debug-command': 'yes', ...options.config };
        Object.assign(target, { name, protocol, engine: new Engine({ seed: 1, ...options, config }) });
        if (name !== 'in-process') {
          server = new Server(target.engine);
          await server.listen({ port: 0 });
        }
      });
      beforeEach(async () => {
        for (const db of target.engine.space.dbs) db.clear();
        const first = await connect();
        Object.assign(target, {
          connect,
          call: first.call.bind(first),
          fails: first.fails.bind(first),
          exec: first.exec.bind(first),
          rich: first.rich.bind(first),
          messages: first.messages.bind(first),
          close: first.close.bind(first),
        });
      });
      afterEach(async () => {
        for (const client of open) await client.close();
        open = [];
      });
      afterAll(async () => {
        await server?.close();
        target.engine.stop();
      });
      body(target);
    });
  }
}

interface Wire {
  send(args: string[]): Promise<Parsed>;
  pushes: Parsed[];
  setProtocol?(protocol: 2 | 3): void;
  close(): Promise<void>;
}

class Plainly implements TestClient {
  private readonly wire: Wire;
  private readonly protocol: 2 | 3;
  constructor(wire: Wire, protocol: 2 | 3) {
    this.wire = wire;
    this.protocol = protocol;
  }

  rich(...args: (string | number)[]): Promise<Parsed> {
    return this.wire.send(args.map(String));
  }

  async call(...args: (string | number)[]): Promise<Plain> {
    const reply = await this.rich(...args);
    if (reply.type === 'error') throw new Error(reply.value as string);
    return plain(reply);
  }

  async fails(...args: (string | number)[]): Promise<string> {
    const reply = await this.rich(...args);
    if (reply.type !== 'error') throw new Error(`${args.join(' ')} answered ${JSON.stringify(plain(reply))}`);
    return reply.value as string;
  }

  async exec(commands: (string | number)[][]): Promise<Plain> {
    await this.call('MULTI');
    for (const command of commands) await this.call(...command);
    return this.call('EXEC');
  }

  async messages(): Promise<Plain[]> {
    // Whatever was sent before now has arrived once PING is answered.
    if (this.protocol === 3) await this.rich('PING');
    else await new Promise((done) => setTimeout(done, 20));
    return this.wire.pushes.splice(0).map(plain);
  }

  close(): Promise<void> {
    return this.wire.close();
  }
}

/** RESP2's view of a parsed reply. */
export function plain(reply: Parsed): Plain {
  switch (reply.type) {
    case 'error':
      return { error: reply.value as string };
    case 'array':
    case 'map':
    case 'set':
    case 'push':
      return (reply.value as Parsed[]).map(plain);
    case 'boolean':
      return reply.value ? 1 : 0;
    default:
      return reply.value as Plain;
  }
}

class InProcess implements Wire, Outlet {
  readonly info = {
    address: 'in-process:0',
    localAddress: 'in-process:0',
    fd: -1,
    local: true,
    trusted: true,
    queryBuffer: () => 0,
    outputBuffer: () => 0,
  };
  readonly pushes: Parsed[] = [];
  private readonly engine: Engine;
  private readonly session: Session;
  private waiting: ((reply: Parsed) => void) | null = null;

  constructor(engine: Engine) {
    this.engine = engine;
    this.session = engine.connect(this);
  }

  setProtocol(protocol: 2 | 3): void {
    this.session.protocol = protocol;
    this.session.refresh();
  }

  send(args: string[]): Promise<Parsed> {
    return new Promise((resolve) => {
      this.waiting = resolve;
      const reply = this.engine.execute(this.session, args);
      if (!(reply instanceof Block)) this.reply(reply);
      for (const push of this.session.takePushes()) this.push(push);
    });
  }

  reply(reply: Reply): void {
    const resolve = this.waiting;
    this.waiting = null;
    const parsed = this.parse(reply);
    if (parsed.length === 0) return;
    for (const push of parsed.slice(1)) this.pushes.push(push);
    resolve?.(parsed[0]);
  }

  push(message: Reply): void {
    this.pushes.push(...this.parse(message));
  }

  async close(): Promise<void> {
    this.engine.disconnect(this.session);
  }

  private parse(reply: Reply): Parsed[] {
    const parser = new ReplyParser();
    return parser.feed(Buffer.from(encode(reply, this.session.protocol), 'latin1'));
  }
}

class TcpWire implements Wire {
  readonly pushes: Parsed[] = [];
  private readonly socket: net.Socket;
  private readonly parser = new ReplyParser();
  private readonly waiting: { subscribes: boolean; resolve: (reply: Parsed) => void }[] = [];

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const reply of this.parser.feed(chunk)) this.received(reply);
    });
  }

  static open(port: number): Promise<TcpWire> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(new TcpWire(socket)));
      socket.on('error', reject);
    });
  }

  send(args: string[]): Promise<Parsed> {
    return new Promise((resolve) => {
      this.waiting.push({ subscribes: /subscribe/i.test(args[0]), resolve });
      const head = `*${args.length}\r\n`;
      this.socket.write(head + args.map((a) => `$${a.length}\r\n${a}\r\n`).join(''), 'latin1');
    });
  }

  close(): Promise<void> {
    return new Promise((done) => {
      this.socket.once('close', () => done());
      if (this.socket.destroyed) done();
      else this.socket.destroy();
    });
  }

  // A message is a push in RESP3; in RESP2 it looks like any array and is told by its first word.
  private received(reply: Parsed): void {
    const items = Array.isArray(reply.value) ? (reply.value as Parsed[]) : [];
    const word = items[0]?.value;
    const message = word === 'message' || word === 'pmessage' || word === 'smessage';
    const confirms = reply.type === 'push' && !message && this.waiting[0]?.subscribes;
    const isPush =
      reply.type === 'push' ? !confirms : message && items.length >= 3 && this.waiting.length === 0;
    const next = isPush ? undefined : this.waiting.shift();
    if (next === undefined) this.pushes.push(reply);
    else next.resolve(reply);
  }
}
