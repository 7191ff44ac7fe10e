// Cycles of a real server: load from several connections, kill -9 at some moment, a start on the same directory, and a look
// at whether all that was acknowledged is there, and nothing by half. Called by run.ts (`npm run crash`).
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Chance, chance } from '../../src/storage/random.ts';
import { freePort, sleep } from '../support/ports.ts';
import { type Value, Wire } from '../support/wire.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const PATIENCE = 20_000;
const LAST_BYTES = 4000;
const ACCOUNTS = 8;
const START = 1000;
const SLOTS = 16;
/** One cycle of so many ends with SIGTERM. */
const STOPS = 10;
const SCRIPT =
  "redis.call('SET', KEYS[1], ARGV[1]) redis.call('RPUSH', KEYS[3], 'x') redis.call('LTRIM', KEYS[3], 0, 9) redis.call('SET', KEYS[2], ARGV[1]) return 1";

export interface Cycles {
  cycles: number;
  acknowledged: number;
  rewrites: number;
  lost: number;
  partial: number;
}

/** A server that this process started, and ends. */
class Server {
  readonly port: number;
  private readonly child: ChildProcess;
  private output = '';
  private readonly ended: Promise<void>;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.child = child;
    this.ended = new Promise((resolve) => child.once('close', () => resolve()));
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    void this.ended.then(() => process.off('exit', endWithUs));
  }

  /** @throws Error with what the server said, where it does not start */
  static async start(directory: string, policy: string): Promise<Server> {
    const port = await freePort();
    const args = ['serve', '--port', String(port), '--dir', directory, '--save', '', '--appendfsync', policy];
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const server = new Server(port, child);
    const ready = new Promise<boolean>((resolve) => {
      const collect = (chunk: Buffer): void => {
        server.output = (server.output + chunk.toString('latin1')).slice(-LAST_BYTES);
        if (server.output.includes('listening on')) resolve(true);
      };
      child.stdout?.on('data', collect);
      child.stderr?.on('data', collect);
      void server.ended.then(() => resolve(false));
    });
    if (await Promise.race([ready, sleep(PATIENCE).then(() => false)])) return server;
    await server.kill();
    throw new Error(`the server does not start:\n${server.output}`);
  }

  get said(): string {
    return this.output;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** As an operator ends it; says what is wrong with that. */
  async stop(): Promise<string | null> {
    this.child.kill('SIGTERM');
    const done = await Promise.race([this.ended.then(() => true), sleep(PATIENCE).then(() => false)]);
    if (!done) return 'it does not end on SIGTERM';
    return this.child.exitCode === 0 ? null : `it ended with exit status ${this.child.exitCode} on SIGTERM`;
  }
}

/** What a number that only grows may be after a crash: the last acknowledged, one that was sent, or between. */
interface Bounds {
  acknowledged: number;
  sent: number;
}

/** The value that a writer gives to its unit of a number; nothing else may ever be read. */
function payload(writer: number, number: number): string {
  return `${number}:${'abcdefghij'.repeat((writer * 7 + number * 13) % 40)}:${writer}`;
}

/** All that the clients of a directory know of it, from cycle to cycle. */
export class Ledger {
  private readonly bounds = new Map<string, Bounds>();
  private readonly next: number[] = [];
  acknowledged = 0;

  /** A writer's next number. */
  number(writer: number): number {
    this.next[writer] = (this.next[writer] ?? 0) + 1;
    return this.next[writer];
  }

  /** A unit is sent that makes a key's number this one; what it answers tells that it was acknowledged. */
  sends(keys: readonly string[], number: number): () => void {
    for (const key of keys) this.of(key).sent = number;
    return () => {
      this.acknowledged++;
      for (const key of keys) this.atLeast(key, number);
    };
  }

  of(key: string): Bounds {
    let bounds = this.bounds.get(key);
    if (bounds === undefined) {
      bounds = { acknowledged: 0, sent: 0 };
      this.bounds.set(key, bounds);
    }
    return bounds;
  }

  atLeast(key: string, number: number): void {
    const bounds = this.of(key);
    bounds.acknowledged = Math.max(bounds.acknowledged, number);
  }

  /** What was read after a restart; from then on it is what is there. */
  found(key: string, number: number): string | null {
    const bounds = this.of(key);
    const { acknowledged, sent } = bounds;
    bounds.acknowledged = number;
    bounds.sent = number;
    if (number < acknowledged) return `lost: ${key} is at ${number}, and ${acknowledged} was acknowledged`;
    if (number > sent) return `partial: ${key} is at ${number}, and only ${sent} was sent`;
    return null;
  }
}

type Load = (wire: Wire, ledger: Ledger, dice: Chance) => Promise<void>;

const ok = (reply: Value): Value => {
  if (reply.kind === 'error') throw new Error(`a command was refused: ${reply.text}`);
  return reply;
};

// Plain commands: the number and its payload in one value, and a counter.
const plain =
  (writer: number): Load =>
  async (wire, ledger, dice) => {
    const number = ledger.number(writer);
    const key = `plain:${writer}:${dice(SLOTS)}`;
    const done = ledger.sends([key], number);
    ok(await wire.call('SET', key, payload(writer, number)));
    done();
    const counter = `counter:${writer}`;
    const counted = ledger.sends([counter], ledger.of(counter).sent + 1);
    ok(await wire.call('INCR', counter));
    counted();
  };

// Transfers: what one account loses another gains, and the number stands beside it.
const transfer =
  (writer: number): Load =>
  async (wire, ledger, dice) => {
    const number = ledger.number(writer);
    const from = dice(ACCOUNTS);
    const to = (from + 1 + dice(ACCOUNTS - 1)) % ACCOUNTS;
    const amount = 1 + dice(100);
    const key = `transfer:${writer}`;
    const done = ledger.sends([key], number);
    wire.send('MULTI');
    wire.send('DECRBY', `account:${from}`, amount);
    wire.send('SET', key, payload(writer, number));
    wire.send('INCRBY', `account:${to}`, amount);
    wire.send('EXEC');
    const replies = await wire.replies(5);
    if (replies[4].toString('latin1', 0, 2) !== '*3')
      throw new Error(`EXEC was refused: ${replies[4].toString('latin1', 0, 200)}`);
    done();
  };

// Scripts that write two keys.
const script =
  (writer: number): Load =>
  async (wire, ledger) => {
    const number = ledger.number(writer);
    const done = ledger.sends([`left:${writer}`], number);
    const keys = [`left:${writer}`, `right:${writer}`, `list:${writer}`];
    ok(await wire.call('EVAL', SCRIPT, '3', ...keys, payload(writer, number)));
    done();
  };

// Pipelines of pairs, each of which is there whole or not at all.
const pipeline =
  (writer: number): Load =>
  async (wire, ledger, dice) => {
    const dones: (() => void)[] = [];
    const count = 1 + dice(30);
    for (let i = 0; i < count; i++) {
      const number = ledger.number(writer);
      const slot = dice(SLOTS);
      dones.push(ledger.sends([`pair:${writer}:${slot}:a`], number));
      const text = payload(writer, number);
      wire.send('MSET', `pair:${writer}:${slot}:a`, text, `pair:${writer}:${slot}:b`, text);
    }
    for (const done of dones) {
      ok(await wire.reply());
      done();
    }
  };

// Whoever was told a value has been told that it stays.
const reader =
  (writer: number): Load =>
  async (wire, ledger) => {
    const { text } = ok(await wire.call('GET', `counter:${writer}`));
    ledger.atLeast(`counter:${writer}`, Number(text));
  };

const PLAIN = [1, 2];
const TRANSFERS = [3, 4];
const SCRIPTS = [5];
const PIPELINES = [6, 7];
const LOADS: readonly Load[] = [
  ...PLAIN.map(plain),
  ...TRANSFERS.map(transfer),
  ...SCRIPTS.map(script),
  ...PIPELINES.map(pipeline),
  reader(PLAIN[0]),
];

/** Looks at everything that is there; answers what is wrong, a line each. */
async function look(port: number, ledger: Ledger): Promise<string[]> {
  const wire = await Wire.open({ port });
  const wrong: string[] = [];
  const get = async (...keys: string[]): Promise<(string | null)[]> =>
    ok(await wire.call('MGET', ...keys)).items.map(({ kind, text }) => (kind === 'nullbulk' ? null : text));
  const check = (key: string, writer: number, value: string | null): void => {
    const number = value === null ? 0 : Number.parseInt(value, 10);
    if (value !== null && value !== payload(writer, number))
      wrong.push(`partial: ${key} holds what nobody wrote: ${value.slice(0, 100)}`);
    const bounds = ledger.found(key, number);
    if (bounds !== null) wrong.push(bounds);
  };
  const slots = Array.from({ length: SLOTS }, (_, i) => i);
  try {
    const accounts = await get(...Array.from({ length: ACCOUNTS }, (_, i) => `account:${i}`));
    const sum = accounts.reduce((total, each) => total + Number(each), 0);
    if (sum !== ACCOUNTS * START)
      wrong.push(`partial: the accounts hold ${sum} instead of ${ACCOUNTS * START}`);
    for (const writer of PLAIN) {
      const keys = slots.map((slot) => `plain:${writer}:${slot}`);
      for (const [i, value] of (await get(...keys)).entries()) check(keys[i], writer, value);
      const [counted] = await get(`counter:${writer}`);
      const bounds = ledger.found(`counter:${writer}`, Number(counted ?? 0));
      if (bounds !== null) wrong.push(bounds);
    }
    for (const writer of TRANSFERS) {
      const [value] = await get(`transfer:${writer}`);
      check(`transfer:${writer}`, writer, value);
    }
    for (const writer of SCRIPTS) {
      const [left, right] = await get(`left:${writer}`, `right:${writer}`);
      if (left !== right) wrong.push(`partial: of a script left is ${left}, right is ${right}`);
      check(`left:${writer}`, writer, left);
    }
    for (const writer of PIPELINES) {
      for (const slot of slots) {
        const [a, b] = await get(`pair:${writer}:${slot}:a`, `pair:${writer}:${slot}:b`);
        if (a !== b) wrong.push(`partial: of pair ${slot} one half is ${a}, the other ${b}`);
        check(`pair:${writer}:${slot}:a`, writer, a);
      }
    }
  } finally {
    wire.close();
  }
  return wrong;
}

async function fill(port: number): Promise<void> {
  const wire = await Wire.open({ port });
  const accounts = Array.from({ length: ACCOUNTS }, (_, i) => [`account:${i}`, String(START)]);
  ok(await wire.call('MSET', ...accounts.flat()));
  wire.close();
}

/** A connection that works until the server is gone; what the server refused is thrown. */
async function client(port: number, load: (wire: Wire) => Promise<void>): Promise<void> {
  const wire = await Wire.open({ port });
  try {
    while (!wire.closed) await load(wire);
  } catch (error) {
    if (!wire.closed) throw error;
  } finally {
    wire.close();
  }
}

/**
 * Runs cycles in a directory; answers what went wrong, null where nothing did.
 * @param told is called after each cycle
 */
export async function crashCycles(
  directory: string,
  cycles: number,
  seed: number,
  count: Cycles,
  told: () => void,
): Promise<string | null> {
  const dice = chance(seed);
  const ledger = new Ledger();
  for (let cycle = 0; cycle <= cycles; cycle++) {
    const policy = cycle % 2 === 0 ? 'always' : 'everysec';
    const failed = (what: string, said = ''): string =>
      `cycle ${cycle} (${policy}): ${what}${said === '' ? '' : `\n${said}`}`;
    let server: Server;
    try {
      server = await Server.start(directory, policy);
    } catch (error) {
      return failed((error as Error).message);
    }
    try {
      if (cycle === 0) await fill(server.port);
      const wrong = await look(server.port, ledger);
      count.lost += wrong.filter((each) => each.startsWith('lost')).length;
      count.partial += wrong.filter((each) => each.startsWith('partial')).length;
      if (wrong.length > 0) return failed(wrong.join('\n  '), server.said);
      if (cycle === cycles) break;
      const { port } = server;
      const loads = LOADS.map((load) => {
        const own = chance(dice(2 ** 30));
        return client(port, (wire) => load(wire, ledger, own));
      });
      // One rewrite after the other, or now and then.
      const pause = dice(3) === 0 ? 1 : 10 + dice(150);
      loads.push(
        client(port, async (wire) => {
          await sleep(pause);
          if ((await wire.call('BGREWRITEAOF')).kind === 'status') count.rewrites++;
        }),
      );
      const working = Promise.all(loads);
      const troubled = await Promise.race([
        sleep(20 + dice(381)).then(() => null),
        working.then(
          () => 'the server went away by itself',
          (error: Error) => error.message,
        ),
      ]);
      if (troubled !== null) return failed(troubled, server.said);
      if (dice(STOPS) > 0) await server.kill();
      else {
        const badly = await server.stop();
        if (badly !== null) return failed(badly, server.said);
      }
      await working;
      count.cycles++;
      count.acknowledged += ledger.acknowledged;
      ledger.acknowledged = 0;
      told();
    } catch (error) {
      return failed((error as Error).message, server.said);
    } finally {
      if (server.isAlive) await server.kill();
    }
  }
  return null;
}
