// `npm run bench -- memory`: millions of small keys into redis-server and Holdfast. Bytes per key, and how long
// a second connection that sends PING every millisecond has to wait meanwhile.
import { run } from './load.ts';
import type { Options } from './main.ts';
import { startPinger } from './ping.ts';
import type { Latencies } from './pinger.ts';
import { progress, type Report } from './report.ts';
import { encode, type Running, withBoth } from './servers.ts';

const CONNECTIONS = 4;
const PIPELINE = 64;
const TARGET_RATIO = 1.5;
const TARGET_STALL = 50;
/** Lets a collector that runs when idle do its work. */
const SETTLE = 3000;

interface Measurement {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly peak: number;
  readonly bytesPerKey: number;
  readonly setsPerSecond: number;
  readonly latencies: Latencies;
}

export function benchMemory({ keys = 5_000_000, noise }: Options): Promise<Report> {
  return withBoth(noise, async (pair) => {
    const results: Measurement[] = [];
    for (const server of pair) results.push(await measure(server, keys));
    return report(results as [Measurement, Measurement], keys);
  });
}

async function measure(server: Running, keys: number): Promise<Measurement> {
  progress(`${server.name}: ${keys} keys…`);
  const before = server.memory().now;
  const pinger = await startPinger(server.port);
  const seconds = await fill(server.port, keys);
  const latencies = await pinger.stop();
  const size = await server.call('DBSIZE');
  const expected = `:${Math.ceil(keys / PIPELINE) * PIPELINE}\r\n`;
  if (size !== expected)
    throw new Error(`${server.name} holds ${size.trim()} keys instead of ${expected.trim()}`);
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  const { now: after, peak } = server.memory();
  const bytesPerKey = (after - before) / keys;
  progress(
    `${server.name}: ${bytesPerKey.toFixed(1)} bytes per key, longest wait ${latencies.max.toFixed(1)} ms`,
  );
  return { name: server.name, before, after, peak, bytesPerKey, setsPerSecond: keys / seconds, latencies };
}

/** Sets key:000000000000 and so on; the digits are written into one prepared batch per connection. */
function fill(port: number, keys: number): Promise<number> {
  const one = encode('SET', 'key:000000000000', 'xxx');
  const batches = Array.from({ length: CONNECTIONS }, () => Buffer.from(one.repeat(PIPELINE)));
  const digits = one.indexOf('key:') + 4;
  let number = 0;
  const next = (connection: number): Buffer | null => {
    if (number >= keys) return null;
    const batch = batches[connection];
    for (let i = 0; i < PIPELINE; i++) {
      let rest = number++;
      const end = i * one.length + digits + 12;
      for (let at = end - 1; at >= end - 12; at--) {
        batch[at] = 48 + (rest % 10);
        rest = Math.floor(rest / 10);
      }
    }
    return batch;
  };
  return run({ port, connections: CONNECTIONS, next, reply: Buffer.from('+OK\r\n'.repeat(PIPELINE)) });
}

function report(results: readonly [Measurement, Measurement], keys: number): Report {
  const [redis, rival] = results;
  const ratio = rival.bytesPerKey / redis.bytesPerKey;
  const stall = rival.latencies.max;
  const mega = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return {
    bench: 'memory',
    tables: [
      {
        title: `${keys} keys of 16 bytes with values of 3`,
        columns: [
          'server',
          'MB before',
          'MB after',
          'MB peak',
          'bytes/key',
          'sets/s',
          'p50 ms',
          'p99.9 ms',
          'max ms',
          'pinger late ms',
        ],
        rows: results.map((each) => [
          each.name,
          mega(each.before),
          mega(each.after),
          mega(each.peak),
          each.bytesPerKey.toFixed(1),
          each.setsPerSecond.toFixed(0),
          each.latencies.p50.toFixed(2),
          each.latencies.p999.toFixed(2),
          each.latencies.max.toFixed(1),
          each.latencies.ownLag.toFixed(1),
        ]),
      },
      {
        title: 'Targets',
        columns: ['figure', 'measured', 'target', ''],
        rows: [
          ['memory ratio', ratio.toFixed(2), `<= ${TARGET_RATIO}`, ratio <= TARGET_RATIO ? 'ok' : 'short'],
          [
            'longest stall, ms',
            stall.toFixed(1),
            `<= ${TARGET_STALL}`,
            stall <= TARGET_STALL ? 'ok' : 'short',
          ],
        ],
      },
    ],
    notes: [
      `SET from ${CONNECTIONS} connections, ${PIPELINE} at a time, as fast as the server answers; resident memory, ${SETTLE / 1000} s after the last key.`,
      'Latency: PING every millisecond from another process, whether or not the last one was answered, timed from when it left.',
      "Pinger late: how late that process itself was at worst; that much of the longest wait may be the machine's.",
    ],
    data: { keys, ratio, results },
  };
}
