// `npm run bench -- script`: Lua beside redis-server. A rate limiter over TCP (EVALSHA, FCALL) and in process beside
// clients of other makes, work in loops and strings by one call each, and scripts that were never seen before.
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Database } from '../src/index.ts';
import { type Client, openClient } from './client.ts';
import { LIMITER, LIMITER_LIBRARY, LOOPS, type LoopScript, unseen } from './lua.ts';
import type { Options } from './main.ts';
import { type Case, CONNECTIONS, type Figure, figure, figureTables, KEYS, redisBenchmark } from './pairs.ts';
import { median, progress, type Report, spread, type Table } from './report.ts';
import { encode, type Running, withBoth } from './servers.ts';

const PARTS = ['evalsha', 'fcall', 'loops', 'calls', 'unseen'];
/** Of the limiter's requests per second beside redis-server, by pipeline depth. */
const LIMITER_TARGETS: Readonly<Record<number, number>> = { 1: 0.9, 16: 1.3, 100: 1.3 };
const LOOP_TARGET = 3;
const CALL_TARGETS = { micros: 0.5, ioredis: 100, mock: 1000 };
/** The limiter lets this many through in so many seconds. */
const LIMIT = ['100', '60'];
/** Scripts per measurement that no server has seen before. */
const UNSEEN = 40;
/** Keys of the calls in process. */
const CALL_KEYS = 10_000;

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

interface Part {
  readonly tables: readonly Table[];
  readonly notes: readonly string[];
  readonly data: unknown;
}

export function benchScript(options: Options): Promise<Report> {
  // Names of parts, or of single scripts of `loops`.
  const wanted = options.only ?? PARTS;
  const loops = LOOPS.filter(({ name }) => wanted.includes('loops') || wanted.includes(name));
  for (const name of wanted) {
    if (!PARTS.includes(name) && !loops.some((loop) => loop.name === name)) {
      throw new Error(
        `--only knows ${[...PARTS, ...LOOPS.map((loop) => loop.name)].join(', ')}, not ${name}`,
      );
    }
  }
  return withBoth(options.noise, async (pair) => {
    const db = options.noise ? null : await openDatabase();
    const parts: Part[] = [];
    const overTcp = wanted.filter((name) => name === 'evalsha' || name === 'fcall');
    if (overTcp.length > 0) parts.push(await limiters(pair, overTcp, options));
    if (loops.length > 0) parts.push(await loopScripts(pair, db, loops, options));
    if (wanted.includes('calls') && db !== null) parts.push(await calls(pair[0], db, options));
    if (wanted.includes('unseen')) parts.push(await unseenScripts(pair, db, options));
    db?.close();
    return {
      bench: 'script',
      tables: parts.flatMap(({ tables }) => tables),
      notes: parts.flatMap(({ notes }) => notes),
      data: parts.map(({ data }) => data),
    };
  });
}

async function openDatabase(): Promise<Database> {
  const built: string = '../dist/src/index.js';
  const { open } = (await import(built)) as typeof import('../src/index.ts');
  return open();
}

// ---- the limiter over TCP

async function limiters(pair: [Running, Running], names: readonly string[], options: Options): Promise<Part> {
  for (const server of pair) {
    await server.call('SCRIPT', 'LOAD', LIMITER);
    await server.call('FUNCTION', 'LOAD', 'REPLACE', LIMITER_LIBRARY);
  }
  const figures: Figure[] = [];
  for (const name of names) {
    for (const pipeline of options.pipeline ?? [1, 16, 100]) {
      figures.push(await figure(pair, limiterCase(name, pipeline), options));
    }
  }
  return {
    tables: figureTables(figures, pair, LIMITER_TARGETS),
    notes: [
      `evalsha, fcall: INCR, EXPIRE at the first hit, compare with the limit; ${CONNECTIONS} connections, random keys out of ${KEYS}, by redis-benchmark; ${options.repeats ?? 5} measurements each, taken alternately: median (min..max).`,
      'Load generator and server share the machine: CPU per request tells what the server alone would need.',
    ],
    data: figures,
  };
}

function limiterCase(command: string, pipeline: number): Case {
  const words = command === 'fcall' ? ['FCALL', 'limit', '1'] : ['EVALSHA', sha1(LIMITER), '1'];
  return {
    command,
    pipeline,
    weight: 2,
    prepare: async (server) => {
      await server.call('FLUSHALL');
      // The load generator does not look at replies.
      const reply = await server.call(...words, 'counter:first', ...LIMIT);
      if (reply !== ':1\r\n')
        throw new Error(`${server.name} answers ${JSON.stringify(reply)} to ${command}`);
    },
    run: (server, count) =>
      redisBenchmark(server, pipeline, count, [...words, 'counter:__rand_int__', ...LIMIT]),
  };
}

// ---- loops, tables, strings

interface LoopTimes {
  readonly name: string;
  readonly redis: number[];
  readonly rival: number[];
  readonly inProcess: number[];
}

async function loopScripts(
  pair: [Running, Running],
  db: Database | null,
  loops: readonly LoopScript[],
  { repeats = 7 }: Options,
): Promise<Part> {
  const clients = [await openClient(pair[0].port), await openClient(pair[1].port)];
  const results: LoopTimes[] = [];
  for (const loop of loops) results.push(await loopScript(clients, db, loop, repeats));
  for (const client of clients) client.close();
  const milliseconds = (value: number): string => value.toFixed(1);
  const times = (value: number): string => value.toFixed(2);
  return {
    tables: [
      {
        title: 'Loops, tables and strings: one call, ms',
        columns: [
          'script',
          pair[0].name,
          pair[1].name,
          'in process',
          'ratio',
          'ratio in process',
          'target',
          '',
        ],
        rows: results.map(({ name, redis, rival, inProcess }) => {
          const ratios = redis.map((time, i) => time / rival[i]);
          const direct = redis.map((time, i) => time / inProcess[i]);
          return [
            name,
            spread(redis, milliseconds),
            spread(rival, milliseconds),
            inProcess.length === 0 ? '' : spread(inProcess, milliseconds),
            spread(ratios, times),
            inProcess.length === 0 ? '' : spread(direct, times),
            times(LOOP_TARGET),
            median(ratios) >= LOOP_TARGET ? 'ok' : 'short',
          ];
        }),
      },
    ],
    notes: [
      `Loops: EVALSHA over one connection, the two servers and the call in process in turn, ${repeats} times each after two that do not count: median (min..max). All three must give the same answer. Every setting is the default.`,
    ],
    data: results,
  };
}

async function loopScript(
  clients: readonly Client[],
  db: Database | null,
  { name, source, args }: LoopScript,
  repeats: number,
): Promise<LoopTimes> {
  const results: LoopTimes = { name, redis: [], rival: [], inProcess: [] };
  const first = Buffer.from(encode('EVAL', source, '0', ...args));
  const again = Buffer.from(encode('EVALSHA', sha1(source), '0', ...args));
  const answer = await clients[0].ask(first);
  if (answer[0] === '-') throw new Error(`${name}: redis-server answers ${answer}`);
  const other = await clients[1].ask(first);
  if (other !== answer) throw new Error(`${name}: ${other} instead of ${answer}`);
  const direct = db === null ? '' : String(db.eval(source, { args }));
  if (db !== null && !answer.includes(`${direct}\r\n`)) throw new Error(`${name}: ${direct} in process`);
  for (let i = -1; i < repeats; i++) {
    const redis = await timed(() => clients[0].ask(again));
    const rival = await timed(() => clients[1].ask(again));
    const inProcess = db === null ? 0 : await timed(() => db.evalsha(sha1(source), { args }));
    if (i < 0) continue;
    results.redis.push(redis);
    results.rival.push(rival);
    if (db !== null) results.inProcess.push(inProcess);
  }
  const [redis, rival] = [median(results.redis), median(results.rival)];
  progress(`${name}: ${redis.toFixed(1)} ms ${rival.toFixed(1)} ms ${(redis / rival).toFixed(2)}`);
  return results;
}

async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  const result = work();
  if (result instanceof Promise) await result;
  return performance.now() - began;
}

// ---- the limiter by single calls

/** Calls the limiter so many times, one after the other. */
interface Caller {
  readonly name: string;
  /** Calls between two looks at the clock. */
  readonly chunk: number;
  call(count: number): void | Promise<void>;
}

/** What the bench uses of ioredis and ioredis-mock. */
interface EvalClient {
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>;
  evalsha(sha: string, keys: number, ...args: string[]): Promise<unknown>;
}

async function calls(redis: Running, db: Database, { repeats = 7, seconds = 0.3 }: Options): Promise<Part> {
  const client = new Redis({ port: redis.port, host: '127.0.0.1' });
  const mock: string = 'ioredis-mock';
  const { default: Mock } = (await import(mock)) as { default: new () => EvalClient };
  const callers = [
    ...inProcess(db),
    await byClient('ioredis → redis-server', client as unknown as EvalClient, 100),
    await byClient('ioredis-mock', new Mock(), 10),
  ];
  const micros = new Map<string, number[]>(callers.map(({ name }) => [name, []]));
  for (const caller of callers) await measureCalls(caller, seconds);
  for (let i = 0; i < repeats; i++) {
    for (const caller of callers) micros.get(caller.name)?.push(await measureCalls(caller, seconds));
    progress(`calls ${i + 1}/${repeats}`);
  }
  client.disconnect();
  const of = (name: string): readonly number[] => micros.get(name) as readonly number[];
  const times = (name: string): number[] => of(name).map((time, i) => time / of('EVALSHA')[i]);
  const targets = [
    {
      figure: 'EVALSHA in process, µs',
      value: median(of('EVALSHA')),
      target: CALL_TARGETS.micros,
      most: true,
    },
    {
      figure: 'ioredis → redis-server / EVALSHA in process',
      value: median(times('ioredis → redis-server')),
      target: CALL_TARGETS.ioredis,
      most: false,
    },
    {
      figure: 'ioredis-mock / EVALSHA in process',
      value: median(times('ioredis-mock')),
      target: CALL_TARGETS.mock,
      most: false,
    },
  ];
  return {
    tables: [
      {
        title: 'The limiter, one call after the other',
        columns: ['call', 'µs', 'times EVALSHA in process'],
        rows: callers.map(({ name }) => [
          name,
          spread(of(name), (value) => value.toFixed(value < 10 ? 3 : 0)),
          spread(times(name), (value) => value.toFixed(value < 10 ? 2 : 0)),
        ]),
      },
      {
        title: 'Targets of one call',
        columns: ['figure', 'measured', 'target', ''],
        rows: targets.map(({ figure, value, target, most }) => [
          figure,
          value.toFixed(value < 10 ? 3 : 0),
          `${most ? '<=' : '>='} ${target}`,
          (most ? value <= target : value >= target) ? 'ok' : 'short',
        ]),
      },
    ],
    notes: [
      `One call after the other: ${CALL_KEYS} keys in turn, ${repeats} measurements of ${seconds} s each, taken alternately: median (min..max).`,
    ],
    data: { micros: Object.fromEntries(micros) },
  };
}

const callKeys = Array.from({ length: CALL_KEYS }, (_, i) => `limit:${i}`);

function inProcess(db: Database): Caller[] {
  const digest = db.scriptLoad(LIMITER);
  db.call('FUNCTION', 'LOAD', 'REPLACE', LIMITER_LIBRARY);
  let at = 0;
  const input = (): { keys: string[]; args: string[] } => {
    at = at + 1 === CALL_KEYS ? 0 : at + 1;
    return { keys: [callKeys[at]], args: LIMIT };
  };
  return [
    {
      name: 'EVALSHA',
      chunk: 1000,
      call: (count) => {
        for (let i = 0; i < count; i++) db.evalsha(digest, input());
      },
    },
    {
      name: 'EVAL',
      chunk: 1000,
      call: (count) => {
        for (let i = 0; i < count; i++) db.eval(LIMITER, input());
      },
    },
    {
      name: 'FCALL',
      chunk: 1000,
      call: (count) => {
        for (let i = 0; i < count; i++) db.fcall('limit', input());
      },
    },
  ];
}

async function byClient(name: string, client: EvalClient, chunk: number): Promise<Caller> {
  const sha = sha1(LIMITER);
  await client.eval(LIMITER, 1, 'limit:0', ...LIMIT);
  let at = 0;
  return {
    name,
    chunk,
    call: async (count) => {
      for (let i = 0; i < count; i++) {
        at = at + 1 === CALL_KEYS ? 0 : at + 1;
        await client.evalsha(sha, 1, callKeys[at], ...LIMIT);
      }
    },
  };
}

async function measureCalls(caller: Caller, seconds: number): Promise<number> {
  // What the caller before left behind (garbage, cold caches) is not this one's.
  await runCalls(caller, seconds / 4);
  return runCalls(caller, seconds);
}

/** Microseconds per call. */
async function runCalls({ call, chunk }: Caller, seconds: number): Promise<number> {
  const began = performance.now();
  const until = began + seconds * 1000;
  let done = 0;
  let now = began;
  while (now < until) {
    await call(chunk);
    done += chunk;
    now = performance.now();
  }
  return ((now - began) / done) * 1000;
}

// ---- scripts that were never seen before

async function unseenScripts(
  pair: [Running, Running],
  db: Database | null,
  { repeats = 7 }: Options,
): Promise<Part> {
  const clients = [await openClient(pair[0].port), await openClient(pair[1].port)];
  const redis: number[] = [];
  const rival: number[] = [];
  const direct: number[] = [];
  let number = 0;
  // The first of them warm up.
  for (let i = -1; i < repeats; i++) {
    for (let j = 0; j < UNSEEN; j++) {
      const source = unseen(++number);
      const command = Buffer.from(encode('EVAL', source, '0'));
      let expected = '';
      let answer = '';
      const times = [
        await timed(async () => {
          expected = await clients[0].ask(command);
        }),
        await timed(async () => {
          answer = await clients[1].ask(command);
        }),
        db === null ? 0 : await timed(() => db.eval(source)),
      ];
      if (expected[0] !== '$' || answer !== expected) {
        throw new Error(`unseen script ${number}: ${answer} instead of ${expected}`);
      }
      if (i < 0) continue;
      redis.push(times[0]);
      rival.push(times[1]);
      if (db !== null) direct.push(times[2]);
    }
  }
  for (const client of clients) client.close();
  const row = (name: string, times: readonly number[]): string[] => {
    const sorted = [...times].sort((a, b) => a - b);
    const at = (share: number): string => sorted[Math.floor((sorted.length - 1) * share)].toFixed(3);
    return [name, at(0.5), at(0.99), at(1)];
  };
  return {
    tables: [
      {
        title: 'First EVAL of a script of 100 lines, ms',
        columns: ['', 'median', 'p99', 'max'],
        rows: [
          row(pair[0].name, redis),
          row(pair[1].name, rival),
          ...(db === null ? [] : [row('in process', direct)]),
        ],
      },
    ],
    notes: [
      `First EVAL (target: 1 ms): ${repeats * UNSEEN} different scripts, after ${UNSEEN} that do not count; over one connection, and in process.`,
    ],
    data: { redis, rival, inProcess: direct },
  };
}
