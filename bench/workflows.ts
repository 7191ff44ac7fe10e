// `npm run bench -- workflows`: the toolkit beside its peers on one redis-server through ioredis, one after the other and
// many at once; the same workflows on the embedded engine; and the round trips of each operation, counted on the wire.
// Called by main.ts.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Ratelimit } from '@upstash/ratelimit';
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { Mutex } from 'redis-semaphore';
import Redlock from 'redlock';
import type * as Toolkit from '../src/workflows/index.ts';
import type { Options } from './main.ts';
import { median, progress, type Report, short, spread, type Table } from './report.ts';
import { type Running, startRedis } from './servers.ts';

const PARTS = ['limiter', 'lock', 'embedded', 'trips'];
/** Of the fastest peer's operations per second, and of our own through ioredis. */
const TARGETS = { peers: 1.0, embedded: 50 };
const CONCURRENT = 64;
const KEYS = 1000;
const LEASE_MS = 10_000;

/** One thing that is measured: an operation, called with a running number. */
interface Contender {
  readonly name: string;
  run(i: number): Promise<unknown>;
}

interface Measured {
  readonly perSecond: number;
  readonly p99: number;
}

interface Part {
  readonly tables: readonly Table[];
  readonly notes: readonly string[];
  readonly data: unknown;
}

interface Setup {
  readonly toolkit: typeof Toolkit;
  readonly redis: Redis;
  readonly driver: Toolkit.Driver;
  readonly embedded: Toolkit.Driver;
  readonly server: Running;
  readonly repeats: number;
  readonly seconds: number;
}

export async function benchWorkflows(options: Options): Promise<Report> {
  const wanted = options.only ?? PARTS;
  const strange = wanted.find((name) => !PARTS.includes(name));
  if (strange !== undefined) throw new Error(`--only knows ${PARTS.join(', ')}, not ${strange}`);
  const toolkit = (await import('../dist/src/workflows/index.js' as string)) as typeof Toolkit;
  const { open } = (await import('../dist/src/index.js' as string)) as typeof import('../src/index.ts');
  const server = await startRedis();
  const redis = new Redis(server.port, '127.0.0.1');
  const db = await open();
  const setup: Setup = {
    toolkit,
    redis,
    driver: toolkit.ioredis(redis),
    embedded: toolkit.embedded(db),
    server,
    repeats: options.repeats ?? 5,
    seconds: options.seconds ?? 1,
  };
  try {
    const parts: Part[] = [];
    if (wanted.includes('limiter')) parts.push(await beside('token bucket', limiters(setup), setup));
    if (wanted.includes('lock')) parts.push(await beside('lock, taken and given back', locks(setup), setup));
    if (wanted.includes('embedded')) parts.push(await embeddedPart(setup));
    if (wanted.includes('trips')) parts.push(await tripsPart(setup));
    return {
      bench: 'workflows',
      tables: parts.flatMap(({ tables }) => tables),
      notes: parts.flatMap(({ notes }) => notes),
      data: parts.map(({ data }) => data),
    };
  } finally {
    await setup.driver.close();
    redis.disconnect();
    db.close();
    await server.stop();
  }
}

// ---- contenders

const PLENTY = 1_000_000_000;

function ourLimiter({ toolkit }: Setup, driver: Toolkit.Driver): Contender {
  const limiter = toolkit.rateLimit.tokenBucket(driver, {
    prefix: 'hf',
    capacity: 1_000_000,
    refill: 100_000,
  });
  return { name: 'holdfast', run: (i) => limiter.take(`u${i % KEYS}`) };
}

function limiters(setup: Setup): readonly Contender[] {
  const { redis } = setup;
  const flexible = new RateLimiterRedis({
    storeClient: redis,
    points: PLENTY,
    duration: 60,
    keyPrefix: 'rlf',
  });
  const upstash = new Ratelimit({
    redis: upstashOver(redis),
    limiter: Ratelimit.tokenBucket(100_000, '1 s', 1_000_000),
    ephemeralCache: false,
    analytics: false,
    prefix: 'up',
  });
  return [
    ourLimiter(setup, setup.driver),
    { name: 'rate-limiter-flexible (a fixed window)', run: (i) => flexible.consume(`u${i % KEYS}`) },
    { name: '@upstash/ratelimit', run: (i) => upstash.limit(`u${i % KEYS}`) },
  ];
}

/**
 * Upstash's library wants its own client, of which it uses eval and evalsha. The first line of its scripts has a flag
 * that only Upstash's servers know: it is left out, and the digest with it.
 */
function upstashOver(redis: Redis): ConstructorParameters<typeof Ratelimit>[0]['redis'] {
  const loaded = new Map<string, string>();
  let missed = '';
  const call = (sha: string, keys: string[], args: unknown[]): Promise<unknown> =>
    redis.evalsha(sha, keys.length, ...keys, ...args.map(String));
  return {
    async evalsha(hash: string, keys: string[], args: unknown[]) {
      const sha = loaded.get(hash);
      if (sha !== undefined) return call(sha, keys, args);
      missed = hash;
      throw new Error('NOSCRIPT No matching script');
    },
    async eval(script: string, keys: string[], args: unknown[]) {
      const sha = (await redis.script('LOAD', script.replace(/^#!lua[^\n]*\n/, ''))) as string;
      loaded.set(missed, sha);
      return call(sha, keys, args);
    },
  } as unknown as ConstructorParameters<typeof Ratelimit>[0]['redis'];
}

function ourLock({ toolkit }: Setup, driver: Toolkit.Driver): Contender {
  const lock = toolkit.lock(driver, { prefix: 'hflock', leaseMs: LEASE_MS });
  return {
    name: 'holdfast (with a fence)',
    async run(i) {
      const id = `l${i % KEYS}`;
      const held = (await lock.acquire(id)).orThrow();
      (await lock.release(id, held)).orThrow();
    },
  };
}

function locks(setup: Setup): readonly Contender[] {
  const { redis } = setup;
  const redlock = new Redlock([redis as never], { retryCount: 0 });
  return [
    ourLock(setup, setup.driver),
    {
      name: 'redlock',
      run: async (i) => (await redlock.acquire([`red${i % KEYS}`], LEASE_MS)).release(),
    },
    {
      name: 'redis-semaphore',
      async run(i) {
        const mutex = new Mutex(redis as never, `sem${i % KEYS}`, {
          lockTimeout: LEASE_MS,
          refreshInterval: 0,
        });
        await mutex.acquire();
        await mutex.release();
      },
    },
  ];
}

// ---- beside peers

async function beside(what: string, contenders: readonly Contender[], setup: Setup): Promise<Part> {
  const tables: Table[] = [];
  const data: unknown[] = [];
  for (const clients of [1, CONCURRENT]) {
    const results = contenders.map(() => [] as Measured[]);
    for (const { run } of contenders) await run(0);
    for (let round = 0; round < setup.repeats; round++) {
      progress(`workflows: ${what}, ${clients} at once, round ${round + 1} of ${setup.repeats}`);
      // Whoever begins in one round ends the next: nobody has the quiet minutes.
      for (let k = 0; k < contenders.length; k++) {
        const i = (k + round) % contenders.length;
        results[i].push(await measure(contenders[i], clients, setup.seconds));
      }
    }
    const ours = results[0];
    tables.push({
      title: `${what}, ioredis to redis-server, ${clients === 1 ? 'one after the other' : `${clients} at once`}`,
      columns: ['', 'operations/s', 'p99 µs', 'holdfast is', 'target'],
      rows: contenders.map(({ name }, i) => [
        name,
        spread(
          results[i].map(({ perSecond }) => perSecond),
          short,
        ),
        spread(
          results[i].map(({ p99 }) => p99),
          (p99) => p99.toFixed(0),
        ),
        i === 0 ? '' : `${ratio(ours, results[i]).toFixed(2)}x`,
        i === 0 ? '' : `${TARGETS.peers.toFixed(1)}x`,
      ]),
    });
    data.push({ what, clients, contenders: contenders.map(({ name }, i) => ({ name, rounds: results[i] })) });
  }
  return { tables, notes: [], data };
}

/** Median of the rounds' ratios: what both met in one round falls out. */
function ratio(ours: readonly Measured[], theirs: readonly Measured[]): number {
  return median(ours.map(({ perSecond }, i) => perSecond / theirs[i].perSecond));
}

/** How long each operation takes while so many are under way. */
async function measure({ run }: Contender, clients: number, seconds: number): Promise<Measured> {
  const micros: number[] = [];
  const until = performance.now() + seconds * 1000;
  const started = performance.now();
  let next = 0;
  const client = async (): Promise<void> => {
    for (;;) {
      const begin = performance.now();
      if (begin >= until) return;
      await run(next++);
      micros.push((performance.now() - begin) * 1000);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const took = (performance.now() - started) / 1000;
  micros.sort((a, b) => a - b);
  return { perSecond: micros.length / took, p99: micros[Math.floor(micros.length * 0.99)] };
}

// ---- the embedded engine

async function embeddedPart(setup: Setup): Promise<Part> {
  const pairs: readonly [string, Contender, Contender][] = [
    ['token bucket', ourLimiter(setup, setup.embedded), ourLimiter(setup, setup.driver)],
    ['lock, taken and given back', ourLock(setup, setup.embedded), ourLock(setup, setup.driver)],
  ];
  const rows: string[][] = [];
  const data: unknown[] = [];
  for (const [what, inside, outside] of pairs) {
    const results: [number, number][] = [];
    await inside.run(0);
    for (let round = 0; round < setup.repeats; round++) {
      progress(`workflows: ${what}, embedded, round ${round + 1} of ${setup.repeats}`);
      const there = await measure(outside, 1, setup.seconds);
      results.push([await throughput(inside, setup.seconds), there.perSecond]);
    }
    rows.push([
      what,
      spread(
        results.map(([here]) => 1e6 / here),
        (micros) => `${micros.toFixed(2)} µs`,
      ),
      spread(
        results.map(([, there]) => 1e6 / there),
        (micros) => `${micros.toFixed(0)} µs`,
      ),
      `${median(results.map(([here, there]) => here / there)).toFixed(0)}x`,
      `${TARGETS.embedded}x`,
    ]);
    data.push({ what, results });
  }
  const table = {
    title: 'the same on the embedded engine, one after the other',
    columns: ['', 'embedded', 'ioredis to redis-server', 'faster', 'target'],
    rows,
  };
  return { tables: [table], notes: [], data };
}

/** Operations per second without a look at the clock around each: that alone costs a tenth here. */
async function throughput({ run }: Contender, seconds: number): Promise<number> {
  const started = performance.now();
  let done = 0;
  while (performance.now() - started < seconds * 1000) {
    for (let i = 0; i < 500; i++) await run(done++);
  }
  return done / ((performance.now() - started) / 1000);
}

// ---- round trips

/** A relay that counts how often something was sent after something had come back. */
class Relay {
  trips = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private asking = false;

  private constructor(target: number) {
    this.server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1');
      this.sockets.add(client).add(upstream);
      client.on('data', (data) => {
        if (!this.asking) this.trips++;
        this.asking = true;
        upstream.write(data);
      });
      upstream.on('data', (data) => {
        this.asking = false;
        client.write(data);
      });
      for (const socket of [client, upstream]) socket.on('error', () => {});
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
    });
  }

  static async start(target: number): Promise<{ relay: Relay; port: number }> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) => relay.server.listen(0, '127.0.0.1', resolve));
    return { relay, port: (relay.server.address() as { port: number }).port };
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

async function tripsPart({ toolkit, server }: Setup): Promise<Part> {
  const { relay, port } = await Relay.start(server.port);
  const redis = new Redis(port, '127.0.0.1');
  const driver = toolkit.ioredis(redis);
  const rows: string[][] = [];
  try {
    for (const [name, target, run] of operations(toolkit, driver)) {
      // The first two open connections and load scripts.
      await run();
      await run();
      const before = relay.trips;
      await run();
      rows.push([name, String(relay.trips - before), String(target)]);
    }
  } finally {
    await driver.close();
    redis.disconnect();
    relay.stop();
  }
  const table = { title: 'round trips, counted on the wire', columns: ['', 'trips', 'target'], rows };
  return { tables: [table], notes: [], data: rows };
}

type Operation = readonly [string, number, () => Promise<unknown>];

function operations(toolkit: typeof Toolkit, driver: Toolkit.Driver): readonly Operation[] {
  const id = 'trip';
  const limiter = toolkit.rateLimit.tokenBucket(driver, { prefix: 'trip', capacity: 1000, refill: 100 });
  const lock = toolkit.lock(driver, { prefix: 'triplock', leaseMs: LEASE_MS });
  const counter = toolkit.boundedCounter(driver, { prefix: 'tripcount', max: 1000n });
  let n = 0;
  return [
    ['rateLimit.tokenBucket take', 1, () => limiter.take(id)],
    ['rateLimit.tokenBucket take, with a request id', 1, () => limiter.take(id, { requestId: `r${n++}` })],
    ['boundedCounter add', 1, () => counter.add(id, 1n)],
    ['lock acquire and release', 2, async () => lock.release(id, (await lock.acquire(id)).orThrow())],
    [
      'transaction: WATCH, two reads, three writes',
      3,
      () =>
        toolkit.transaction(driver, { watch: ['{trip}a', '{trip}b'] }, async (tx) => {
          const [a, b] = await Promise.all([tx.read.get('{trip}a'), tx.read.get('{trip}b')]);
          return tx.commit((queue) => {
            queue.set('{trip}a', Number(a) + 1);
            queue.set('{trip}b', Number(b) + 1);
            queue.incr('{trip}c');
          });
        }),
    ],
  ];
}
