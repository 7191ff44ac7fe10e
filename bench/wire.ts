// `npm run bench -- wire`: requests per second over TCP, Holdfast beside redis-server, command by command and
// pipeline depth by depth.
import { type Load, run } from './load.ts';
import type { Options } from './main.ts';
import { type Case, CONNECTIONS, type Figure, figure, figureTables, KEYS, redisBenchmark } from './pairs.ts';
import type { Report } from './report.ts';
import { encode, type Running, withBoth } from './servers.ts';

const COMMANDS = ['get', 'set', 'incr', 'lpush', 'hset', 'zadd', 'multi'];
const TARGETS: Readonly<Record<number, number>> = { 1: 0.85, 16: 0.8, 100: 1 };

export function benchWire(options: Options): Promise<Report> {
  return withBoth(options.noise, async (pair) => {
    const figures: Figure[] = [];
    for (const command of options.only ?? COMMANDS) {
      if (!COMMANDS.includes(command)) throw new Error(`--only knows ${COMMANDS.join(', ')}, not ${command}`);
      for (const pipeline of options.pipeline ?? [1, 16, 100]) {
        figures.push(await figure(pair, caseOf(command, pipeline), options));
      }
    }
    return {
      bench: 'wire',
      tables: figureTables(figures, pair, TARGETS),
      notes: [
        `${CONNECTIONS} connections, random keys out of ${KEYS}, 3-byte values; ${options.repeats ?? 5} measurements each, taken alternately: median (min..max).`,
        'get … zadd by redis-benchmark. multi: transactions of SET, GET, HSET by our own generator, each sent in one write; P transactions in flight per connection.',
        'Load generator and server share the machine: CPU per request tells what the server alone would need.',
      ],
      data: figures,
    };
  });
}

function caseOf(command: string, pipeline: number): Case {
  return {
    command,
    pipeline,
    weight: command === 'multi' ? 4 : 1,
    prepare: async (server) => {
      // Lists and sorted sets would grow from one measurement to the next.
      await server.call('FLUSHALL');
      if (command === 'get') await redisBenchmark(server, 100, KEYS * 3, ['-t', 'set']);
    },
    run: (server, count) =>
      command === 'multi'
        ? transactions(server, pipeline, count)
        : redisBenchmark(server, pipeline, count, ['-t', command]),
  };
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
