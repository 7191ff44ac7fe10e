// `npm run bench -- durable`: what it costs to keep data, Holdfast beside redis-server with the same directives: writes
// under appendfsync always, readers meanwhile, everysec against no log, loading, and stalls during a rewrite.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './load.ts';
import type { Options } from './main.ts';
import { CONNECTIONS, redisBenchmark } from './pairs.ts';
import { startPinger } from './ping.ts';
import { median, progress, type Report, short, spread, type Table } from './report.ts';
import { encode, type Running, startHoldfast, startRedis } from './servers.ts';

const PARTS = ['always', 'readers', 'everysec', 'load', 'rewrite'];
const LOG = (policy: string): string[] => [
  '--save',
  '',
  '--appendonly',
  'yes',
  '--appendfsync',
  policy,
  '--auto-aof-rewrite-percentage',
  '0',
];

type Start = (name?: string, options?: string[]) => Promise<Running>;
const SERVERS: readonly (readonly [name: string, start: Start])[] = [
  ['redis', startRedis],
  ['holdfast', startHoldfast],
];

/** Directories of this run; removed at its end. */
const directories: string[] = [];

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  directories.push(made);
  return made;
}

export async function benchDurable(options: Options): Promise<Report> {
  const parts = options.only ?? PARTS;
  for (const part of parts) {
    if (!PARTS.includes(part)) throw new Error(`--only knows ${PARTS.join(', ')}, not ${part}`);
  }
  const tables: Table[] = [];
  const data: Record<string, unknown> = {};
  const keep = (part: string, result: { table: Table; data: unknown }): void => {
    tables.push(result.table);
    data[part] = result.data;
  };
  try {
    if (parts.includes('always')) keep('always', await always(options));
    if (parts.includes('readers')) keep('readers', await readers(options));
    if (parts.includes('everysec')) keep('everysec', await everysec(options));
    if (parts.includes('load')) keep('load', await load(options));
    if (parts.includes('rewrite')) keep('rewrite', await rewrite(options));
  } finally {
    for (const made of directories) rmSync(made, { recursive: true, force: true });
  }
  return {
    bench: 'durable',
    tables,
    notes: [
      'Both servers run with the same directives on the same file system, one at a time or alternately; median (min..max).',
      'always, everysec: SET of 3 bytes by redis-benchmark. readers: one connection asks for another key, one request after the other, while 50 connections write under appendfsync always.',
      'load: from the start of the process to the first PONG, less what an empty directory takes. rewrite: PING every millisecond during BGREWRITEAOF.',
    ],
    data,
  };
}

async function pair<T>(policy: string, work: (servers: [Running, Running]) => Promise<T>): Promise<T> {
  const servers: Running[] = [];
  try {
    for (const [name, start] of SERVERS) {
      servers.push(await start(name, ['--dir', directory(), ...LOG(policy)]));
    }
    return await work(servers as [Running, Running]);
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function always({ repeats = 5, seconds = 1 }: Options): Promise<{ table: Table; data: unknown }> {
  const shapes = [
    { name: '1 client', connections: 1, pipeline: 1 },
    { name: '50 clients', connections: CONNECTIONS, pipeline: 1 },
    { name: '50 clients, P16', connections: CONNECTIONS, pipeline: 16 },
  ];
  return pair('always', async (servers) => {
    const rows: string[][] = [];
    const all: unknown[] = [];
    for (const { name, connections, pipeline } of shapes) {
      const one = (server: Running, count: number): Promise<number> =>
        redisBenchmark(server, pipeline, count, ['-t', 'set'], connections);
      const speeds: number[] = [];
      for (const server of servers)
        speeds.push(await one(server, 1000 * Math.min(connections, 20) * pipeline));
      const count = Math.ceil(((speeds[0] + speeds[1]) / 2) * seconds);
      const results: [number[], number[]] = [[], []];
      for (let i = 0; i < repeats; i++) {
        for (const which of i % 2 === 0 ? [0, 1] : [1, 0])
          results[which].push(await one(servers[which], count));
        progress(`always, ${name} ${i + 1}/${repeats}: ${short(results[0][i])} ${short(results[1][i])}`);
      }
      const ratios = results[1].map((value, i) => value / results[0][i]);
      rows.push([
        name,
        spread(results[0], short),
        spread(results[1], short),
        spread(ratios, two),
        '1.00',
        median(ratios) >= 1 ? 'ok' : 'short',
      ]);
      all.push({ name, redis: results[0], holdfast: results[1] });
    }
    return {
      table: {
        title: 'SET per second under appendfsync always',
        columns: ['load', 'redis/s', 'holdfast/s', 'ratio', 'target', ''],
        rows,
      },
      data: all,
    };
  });
}

/** Milliseconds that each of many GETs took, one after the other. */
async function readWhile(server: Running, work: Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  const request = encode('GET', 'another:key');
  await new Promise<void>((resolve, reject) => {
    let sentAt = 0;
    const next = (): void => {
      if (over) {
        resolve();
        return;
      }
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('connect', next);
    socket.on('data', () => {
      times.push(performance.now() - sentAt);
      next();
    });
    socket.on('error', reject);
  });
  socket.destroy();
  await done;
  return times.sort((a, b) => a - b);
}

async function readers({ repeats = 5, seconds = 1 }: Options): Promise<{ table: Table; data: unknown }> {
  return pair('always', async (servers) => {
    const results: { p50: number; p99: number }[][] = [[], []];
    for (const server of servers) await server.call('SET', 'another:key', 'x');
    for (let i = 0; i < repeats; i++) {
      for (const which of i % 2 === 0 ? [0, 1] : [1, 0]) {
        const server = servers[which];
        const count = Math.ceil(20_000 * seconds);
        const times = await readWhile(server, redisBenchmark(server, 1, count, ['-t', 'set']));
        results[which].push({ p50: quantile(times, 0.5), p99: quantile(times, 0.99) });
      }
      progress(`readers ${i + 1}/${repeats}: p99 ${two(results[0][i].p99)} ${two(results[1][i].p99)} ms`);
    }
    const rows = (['p50', 'p99'] as const).map((which) => {
      const [redis, holdfast] = results.map((list) => list.map((each) => each[which]));
      const ratios = holdfast.map((value, i) => value / redis[i]);
      const target = which === 'p99' ? '0.50' : '';
      const verdict = which === 'p99' ? (median(ratios) <= 0.5 ? 'ok' : 'short') : '';
      return [which, spread(redis, two), spread(holdfast, two), spread(ratios, two), target, verdict];
    });
    return {
      table: {
        title: 'A reader of another key while 50 clients write under always, ms',
        columns: ['', 'redis', 'holdfast', 'ratio', 'at most', ''],
        rows,
      },
      data: results,
    };
  });
}

async function everysec({ repeats = 5, seconds = 1 }: Options): Promise<{ table: Table; data: unknown }> {
  const rows: string[][] = [];
  const all: unknown[] = [];
  for (const pipeline of [1, 16]) {
    for (const [name, start] of SERVERS) {
      const without = await start(`${name}, no log`, [
        '--save',
        '',
        '--appendonly',
        'no',
        '--dir',
        directory(),
      ]);
      const logged = await start(`${name}, everysec`, ['--dir', directory(), ...LOG('everysec')]);
      try {
        const one = (server: Running, count: number): Promise<number> =>
          redisBenchmark(server, pipeline, count, ['-t', 'set']);
        const speed = await one(without, 100_000 * pipeline);
        await one(logged, 100_000 * pipeline);
        const results: [number[], number[]] = [[], []];
        for (let i = 0; i < repeats; i++) {
          for (const which of i % 2 === 0 ? [0, 1] : [1, 0]) {
            results[which].push(await one([without, logged][which], Math.ceil(speed * seconds)));
          }
          progress(
            `everysec P${pipeline} ${name} ${i + 1}/${repeats}: ${short(results[0][i])} ${short(results[1][i])}`,
          );
        }
        const ratios = results[1].map((value, i) => value / results[0][i]);
        const ours = name === 'holdfast';
        rows.push([
          name,
          String(pipeline),
          spread(results[0], short),
          spread(results[1], short),
          spread(ratios, two),
          ours ? '0.85' : '',
          ours ? (median(ratios) >= 0.85 ? 'ok' : 'short') : '',
        ]);
        all.push({ name, pipeline, without: results[0], logged: results[1] });
      } finally {
        await without.stop();
        await logged.stop();
      }
    }
  }
  return {
    table: {
      title: 'SET per second with appendfsync everysec, against no log',
      columns: ['server', 'P', 'no log/s', 'everysec/s', 'ratio', 'target', ''],
      rows,
    },
    data: all,
  };
}

/** So many keys with values of so many bytes. */
async function fill(server: Running, keys: number, size = 16): Promise<void> {
  let number = 0;
  const batch = 100;
  // Nothing that compresses.
  const noise = Array.from({ length: 64 }, () => randomBytes(size).toString('latin1'));
  const next = (): Buffer | null => {
    if (number >= keys) return null;
    let text = '';
    for (let i = 0; i < batch; i++) {
      const key = `key:${number++}`;
      text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${size}\r\n${noise[number % 64]}\r\n`;
    }
    return Buffer.from(text, 'latin1');
  };
  await run({ port: server.port, connections: 4, next, reply: Buffer.from('+OK\r\n'.repeat(batch)) });
}

async function load({ keys = 1_000_000, repeats = 3 }: Options): Promise<{ table: Table; data: unknown }> {
  const rows: string[][] = [];
  const all: unknown[] = [];
  // Redis writes them: each server reads the same files.
  const kinds: { name: string; size: number; count: number; options: string[]; isLog: boolean }[] = [];
  for (const size of [16, 500]) {
    const saved = directory();
    const options = ['--dir', saved, '--save', '', '--appendonly', 'no'];
    const count = size === 16 ? keys : Math.ceil(keys / 4);
    const saver = await startRedis('redis', options);
    await fill(saver, count, size);
    await saver.call('SAVE');
    await saver.stop();
    const bytes = statSync(join(saved, 'dump.rdb')).size;
    kinds.push({
      name: `RDB file, values of ${size} bytes, MB/s`,
      size: bytes,
      count,
      options,
      isLog: false,
    });
  }
  const plain = directory();
  const logged = ['--dir', plain, ...LOG('everysec')];
  const writer = await startRedis('redis', logged);
  await fill(writer, keys);
  await writer.stop();
  kinds.unshift({
    name: 'log of SET, commands/s',
    size: sizeOf(join(plain, 'appendonlydir')),
    count: keys,
    options: logged,
    isLog: true,
  });
  const time = async (start: Start, options: string[]): Promise<number> => {
    const from = performance.now();
    const server = await start(undefined, options);
    const seconds = (performance.now() - from) / 1000;
    await server.stop();
    return seconds;
  };
  for (const { name, size, count, options, isLog } of kinds) {
    const net: [number[], number[]] = [[], []];
    for (let i = 0; i < repeats; i++) {
      for (const [which, [, start]] of SERVERS.entries()) {
        const empty = await time(start, ['--dir', directory(), ...LOG('everysec')]);
        net[which].push(Math.max(0.001, (await time(start, options)) - empty));
      }
      progress(`load, ${name} ${i + 1}/${repeats}: ${net.map((list) => two(list[i])).join(' ')} s`);
    }
    const ratios = net[1].map((seconds, i) => net[0][i] / seconds);
    const perSecond = (list: number[]): string =>
      spread(
        list.map((seconds) => (isLog ? count : size / 1e6) / seconds),
        isLog ? short : (value) => value.toFixed(0),
      );
    const met = isLog ? median(ratios) >= 0.8 : size / 1e6 / median(net[1]) >= 100;
    rows.push([
      name,
      (size / 1e6).toFixed(0),
      perSecond(net[0]),
      perSecond(net[1]),
      spread(ratios, two),
      isLog ? 'ratio 0.80' : '100 MB/s',
      met ? 'ok' : 'short',
    ]);
    all.push({ name, size, count, redis: net[0], holdfast: net[1] });
  }
  return {
    table: {
      title: 'Loading',
      columns: ['', 'MB', 'redis', 'holdfast', 'ratio', 'target', ''],
      rows,
    },
    data: all,
  };
}

async function rewrite({ keys = 1_000_000 }: Options): Promise<{ table: Table; data: unknown }> {
  const rows: string[][] = [];
  const all: unknown[] = [];
  for (const [name, start] of SERVERS) {
    const server = await start(name, ['--dir', directory(), ...LOG('everysec')]);
    try {
      await fill(server, keys);
      await sleep(3000);
      const quiet = await startPinger(server.port);
      await sleep(2000);
      const before = await quiet.stop();
      const pinger = await startPinger(server.port);
      const from = performance.now();
      await server.call('BGREWRITEAOF');
      await sleep(20);
      while (!/aof_rewrite_in_progress:0/.test(await server.call('INFO', 'persistence'))) await sleep(20);
      const seconds = (performance.now() - from) / 1000;
      const latencies = await pinger.stop();
      progress(`rewrite ${name}: ${two(seconds)} s, longest wait ${two(latencies.max)} ms`);
      const ours = name === 'holdfast';
      rows.push([
        name,
        two(seconds),
        two(latencies.p50),
        two(latencies.p99),
        two(latencies.max),
        two(before.max),
        ours ? '10' : '',
        ours ? (latencies.max <= 10 ? 'ok' : 'short') : '',
      ]);
      all.push({ name, seconds, latencies, before });
    } finally {
      await server.stop();
    }
  }
  return {
    table: {
      title: `Rewriting the log of ${keys} keys`,
      columns: ['server', 's', 'p50 ms', 'p99 ms', 'longest wait ms', 'when idle', 'at most', ''],
      rows,
    },
    data: all,
  };
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

const two = (value: number): string => value.toFixed(2);
const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
