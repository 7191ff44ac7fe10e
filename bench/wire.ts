// `npm run bench -- wire`: requests per second over TCP, Holdfast beside redis-server, command by command and
// pipeline depth by depth. The two are measured alternately; the ratio is the median of the paired ratios.
import { spawn } from 'node:child_process';
import { type Load, run } from './load.ts';
import type { Options } from './main.ts';
import { median, progress, type Report, short, spread } from './report.ts';
import { type Cpu, encode, type Running, withBoth } from './servers.ts';

const CONNECTIONS = 50;
const KEYS = 100_000;
const COMMANDS = ['get', 'set', 'incr', 'lpush', 'hset', 'zadd', 'multi'];
const TARGETS: Readonly<Record<number, number>> = { 1: 0.85, 16: 0.8, 100: 1 };
/** Requests of the discarded first measurement, from which the length of the others follows. */
const WARM_UP: Readonly<Record<number, number>> = { 1: 50_000, 16: 400_000, 100: 800_000 };

interface Measurement {
  readonly perSecond: number;
  readonly cpu: Cpu;
}

interface Figure {
  readonly command: string;
  readonly pipeline: number;
  readonly requests: number;
  readonly redis: readonly Measurement[];
  readonly rival: readonly Measurement[];
}

export function benchWire(options: Options): Promise<Report> {
  return withBoth(options.noise, async (pair) => {
    const figures: Figure[] = [];
    for (const command of options.only ?? COMMANDS) {
      if (!COMMANDS.includes(command)) throw new Error(`--only knows ${COMMANDS.join(', ')}, not ${command}`);
      for (const pipeline of options.pipeline ?? [1, 16, 100]) {
        figures.push(await figure(pair, command, pipeline, options));
      }
    }
    return report(figures, pair, options);
  });
}

async function figure(
  pair: [Running, Running],
  command: string,
  pipeline: number,
  { repeats = 5, seconds = 1, requests }: Options,
): Promise<Figure> {
  const warmUp = Math.ceil((WARM_UP[pipeline] ?? 400_000) / (command === 'multi' ? 4 : 1));
  const speeds: number[] = [];
  for (const server of pair) speeds.push((await measure(server, command, pipeline, warmUp)).perSecond);
  // As many requests to each, so that both have the same work.
  const count = requests ?? Math.ceil((speeds[0] + speeds[1]) * 0.5 * seconds);
  const results: [Measurement[], Measurement[]] = [[], []];
  for (let i = 0; i < repeats; i++) {
    for (const which of i % 2 === 0 ? [0, 1] : [1, 0]) {
      results[which].push(await measure(pair[which], command, pipeline, count));
    }
    const [redis, rival] = results.map((list) => list[i].perSecond);
    progress(
      `${command} P${pipeline} ${i + 1}/${repeats}: ${short(redis)} ${short(rival)} ${(rival / redis).toFixed(2)}`,
    );
  }
  return { command, pipeline, requests: count, redis: results[0], rival: results[1] };
}

async function measure(
  server: Running,
  command: string,
  pipeline: number,
  count: number,
): Promise<Measurement> {
  // Lists and sorted sets would grow from one measurement to the next.
  await server.call('FLUSHALL');
  if (command === 'get') await redisBenchmark(server, 'set', 100, KEYS * 3);
  const before = server.cpu();
  const perSecond =
    command === 'multi'
      ? await transactions(server, pipeline, count)
      : await redisBenchmark(server, command, pipeline, count);
  const after = server.cpu();
  return { perSecond, cpu: { user: after.user - before.user, system: after.system - before.system } };
}

function redisBenchmark(
  { port }: Running,
  command: string,
  pipeline: number,
  count: number,
): Promise<number> {
  const options = {
    '-h': '127.0.0.1',
    '-p': port,
    '-c': CONNECTIONS,
    '-n': count,
    '-P': pipeline,
    '-r': KEYS,
  };
  const args = [...Object.entries(options).flat().map(String), '-t', command, '--csv'];
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

/** Transactions per second: MULTI, SET, GET, HSET, EXEC in one write; `pipeline` of them in flight. */
async function transactions(server: Running, pipeline: number, count: number): Promise<number> {
  const batches = Array.from({ length: Math.ceil(KEYS / 4 / pipeline) }, () => {
    const one = (): string => {
      const key = String(Math.floor(Math.random() * KEYS)).padStart(12, '0');
      return [
        encode('MULTI'),
        encode('SET', `key:${key}`, 'xxx'),
        encode('GET', `key:${key}`),
        encode('HSET', 'myhash', 'field', 'xxx'),
        encode('EXEC'),
      ].join('');
    };
    return Buffer.from(Array.from({ length: pipeline }, one).join(''));
  });
  const queued = '+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n';
  const reply = Buffer.from(`${queued}*3\r\n+OK\r\n$3\r\nxxx\r\n:0\r\n`.repeat(pipeline));
  // From here on HSET answers 0.
  await server.call('HSET', 'myhash', 'field', 'xxx');
  const total = Math.ceil(count / pipeline);
  let sent = 0;
  const next = (): Buffer | null => (sent === total ? null : batches[sent++ % batches.length]);
  const load: Load = { port: server.port, connections: CONNECTIONS, next, reply };
  return (total * pipeline) / (await run(load));
}

function report(figures: readonly Figure[], [redis, rival]: [Running, Running], options: Options): Report {
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
  return {
    bench: 'wire',
    tables: [
      {
        title: `Requests per second, ${rival.name} beside ${redis.name}`,
        columns: ['command', 'P', `${redis.name}/s`, `${rival.name}/s`, 'ratio', 'target', ''],
        rows: figures.map((figure) => {
          const ratios = figure.rival.map((each, i) => each.perSecond / figure.redis[i].perSecond);
          const target = TARGETS[figure.pipeline];
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
    ],
    notes: [
      `${CONNECTIONS} connections, random keys out of ${KEYS}, 3-byte values; ${options.repeats ?? 5} measurements each, taken alternately: median (min..max).`,
      'get … zadd by redis-benchmark. multi: transactions of SET, GET, HSET by our own generator, each sent in one write; P transactions in flight per connection.',
      'Load generator and server share the machine: CPU per request tells what the server alone would need.',
    ],
    data: figures,
  };
}
