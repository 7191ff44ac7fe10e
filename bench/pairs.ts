// Requests per second of the two servers, measured alternately: a figure is so many pairs of measurements, its
// ratio the median of the paired ratios. Used by the benches that work over TCP.
import { spawn } from 'node:child_process';
import type { Options } from './main.ts';
import { median, progress, short, spread, type Table } from './report.ts';
import type { Cpu, Running } from './servers.ts';

export const CONNECTIONS = 50;
export const KEYS = 100_000;
/** Requests of the discarded first measurement, from which the length of the others follows. */
const WARM_UP: Readonly<Record<number, number>> = { 1: 50_000, 16: 400_000, 100: 800_000 };

/** What is measured: sends so many requests, answers how many a second were answered. */
export interface Case {
  readonly command: string;
  readonly pipeline: number;
  /** How many requests of the simplest kind one of these is worth. */
  readonly weight: number;
  prepare(server: Running): Promise<unknown>;
  run(server: Running, count: number): Promise<number>;
}

interface Measurement {
  readonly perSecond: number;
  readonly cpu: Cpu;
}

export interface Figure {
  readonly command: string;
  readonly pipeline: number;
  readonly requests: number;
  readonly redis: readonly Measurement[];
  readonly rival: readonly Measurement[];
}

export async function figure(
  pair: [Running, Running],
  each: Case,
  { repeats = 5, seconds = 1, requests }: Options,
): Promise<Figure> {
  const { command, pipeline } = each;
  const warmUp = Math.ceil((WARM_UP[pipeline] ?? 400_000) / each.weight);
  const speeds: number[] = [];
  for (const server of pair) speeds.push((await measure(server, each, warmUp)).perSecond);
  // As many requests to each, so that both have the same work.
  const count = requests ?? Math.ceil((speeds[0] + speeds[1]) * 0.5 * seconds);
  const results: [Measurement[], Measurement[]] = [[], []];
  for (let i = 0; i < repeats; i++) {
    for (const which of i % 2 === 0 ? [0, 1] : [1, 0]) {
      results[which].push(await measure(pair[which], each, count));
    }
    const [redis, rival] = results.map((list) => list[i].perSecond);
    progress(
      `${command} P${pipeline} ${i + 1}/${repeats}: ${short(redis)} ${short(rival)} ${(rival / redis).toFixed(2)}`,
    );
  }
  return { command, pipeline, requests: count, redis: results[0], rival: results[1] };
}

async function measure(server: Running, each: Case, count: number): Promise<Measurement> {
  await each.prepare(server);
  const before = server.cpu();
  const perSecond = await each.run(server, count);
  const after = server.cpu();
  return { perSecond, cpu: { user: after.user - before.user, system: after.system - before.system } };
}

/** Requests per second; `words` are arguments that say what to send, `__rand_int__` a key's number. */
export function redisBenchmark(
  { port }: Running,
  pipeline: number,
  count: number,
  words: readonly string[],
  connections = CONNECTIONS,
): Promise<number> {
  const options = {
    '-h': '127.0.0.1',
    '-p': port,
    '-c': connections,
    '-n': count,
    '-P': pipeline,
    '-r': KEYS,
  };
  const args = [...Object.entries(options).flat().map(String), '--csv', ...words];
  return new Promise((resolve, reject) => {
    const child = spawn('redis-benchmark', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data;
      });
    }
    child.once('error', reject);
    child.once('close', () => {
      // "GET","187617.27",… below a line of titles.
      const perSecond = Number(/^"[^"]+","([\d.]+)"/m.exec(output)?.[1]);
      if (perSecond > 0) resolve(perSecond);
      else reject(new Error(`redis-benchmark ${args.join(' ')} printed: ${output}`));
    });
  });
}

export function figureTables(
  figures: readonly Figure[],
  [redis, rival]: readonly [Running, Running],
  targets: Readonly<Record<number, number>>,
): Table[] {
  const speed = (list: readonly Measurement[]): string =>
    spread(
      list.map((each) => each.perSecond),
      short,
    );
  const perRequest = (figure: Figure, list: readonly Measurement[]): string => {
    const micros = (part: keyof Cpu): string =>
      ((median(list.map((each) => each.cpu[part])) / figure.requests) * 1e6).toFixed(2);
    return `${micros('user')} + ${micros('system')}`;
  };
  return [
    {
      title: `Requests per second, ${rival.name} beside ${redis.name}`,
      columns: ['command', 'P', `${redis.name}/s`, `${rival.name}/s`, 'ratio', 'target', ''],
      rows: figures.map((figure) => {
        const ratios = figure.rival.map((each, i) => each.perSecond / figure.redis[i].perSecond);
        const target = targets[figure.pipeline];
        const verdict = target === undefined ? '' : median(ratios) >= target ? 'ok' : 'short';
        return [
          figure.command,
          String(figure.pipeline),
          speed(figure.redis),
          speed(figure.rival),
          spread(ratios, (ratio) => ratio.toFixed(2)),
          target?.toFixed(2) ?? '',
          verdict,
        ];
      }),
    },
    {
      title: "The server's CPU time per request in µs, user + system",
      columns: ['command', 'P', redis.name, rival.name],
      rows: figures.map((figure) => [
        figure.command,
        String(figure.pipeline),
        perRequest(figure, figure.redis),
        perRequest(figure, figure.rival),
      ]),
    },
  ];
}
