// `holdfast bench strategies`: WATCH, a script, a function and a lock on one contended key, with more and more clients.
// The strategies stand in strategies/contenders.ts, a measurement in strategies/measure.ts. main.ts calls it.
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { AtomicError, type Driver, Lost, ServerError, Unsent } from '../workflows/index.ts';
import { Misuse, readArguments } from './arguments.ts';
import { type Connection, connectTo, NotConnected } from './redis-url.ts';
import { CONTENDERS, command, type Keys } from './strategies/contenders.ts';
import { measure, type Step } from './strategies/measure.ts';
import { loadCharts, plotOf } from './strategies/plot.ts';
import { adviceOf, type Crossover, crossoverOf, crossoverText } from './strategies/verdict.ts';
import { styled } from './style.ts';
import { version } from './version.ts';

/** Exit codes. */
const DONE = 0;
const INCONSISTENT = 1;
const MISUSED = 2;

const MOST_CLIENTS = 500;

interface Wishes {
  readonly url: string | undefined;
  readonly isCluster: boolean;
  readonly seconds: number;
  readonly repeats: number;
  readonly clients: readonly number[];
  readonly svg: string | undefined;
  readonly json: boolean;
}

interface Report {
  readonly server: string;
  readonly date: string;
  readonly node: string;
  readonly cpus: string;
  readonly seconds: number;
  readonly repeats: number;
  readonly steps: readonly Step[];
  readonly crossover: Crossover;
  readonly advice: string;
}

/** @param args what follows `bench` */
export async function benchProgram(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = await bench(read(args));
  } catch (error) {
    if (
      ![Misuse, NotConnected, AtomicError, ServerError, Lost, Unsent].some((kind) => error instanceof kind)
    ) {
      throw error;
    }
    console.error(
      `holdfast: ${(error as Error).message}${error instanceof Misuse ? '; see holdfast bench --help' : ''}`,
    );
    process.exitCode = MISUSED;
  }
}

function read(args: readonly string[]): Wishes {
  const found = readArguments(args, {
    url: { type: 'string' },
    cluster: { type: 'boolean' },
    seconds: { type: 'string', default: '1' },
    repeats: { type: 'string', default: '1' },
    clients: { type: 'string', default: '1,2,4,8,16,32,64' },
    svg: { type: 'string' },
    json: { type: 'boolean' },
  });
  const [what, ...more] = found.positionals;
  if (what !== 'strategies' || more.length > 0) {
    throw new Misuse('which benchmark? holdfast bench strategies');
  }
  const values = found.values as Record<string, string | boolean | undefined>;
  const clients = String(values.clients)
    .split(',')
    .map((each) => numberOf('clients', each, 1, MOST_CLIENTS, true));
  return {
    url: values.url as string | undefined,
    isCluster: values.cluster === true,
    seconds: numberOf('seconds', String(values.seconds), 0.01, 600, false),
    repeats: numberOf('repeats', String(values.repeats), 1, 100, true),
    clients: [...new Set(clients)].sort((a, b) => a - b),
    svg: values.svg as string | undefined,
    json: values.json === true,
  };
}

function numberOf(option: string, given: string, least: number, most: number, isWhole: boolean): number {
  const value = /^\d+(?:\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= least && value <= most) || (isWhole && !Number.isInteger(value))) {
    throw new Misuse(
      `--${option}: '${given}' is no${isWhole ? ' whole' : ''} number from ${least} to ${most}`,
    );
  }
  return value;
}

async function bench(wishes: Wishes): Promise<number> {
  // First of all: nobody wants to hear of it after a minute of measuring.
  const charts = wishes.svg === undefined ? null : await charted();
  const own = wishes.url === undefined ? await startOwn() : null;
  const connections: Connection[] = [];
  try {
    const url = wishes.url ?? `redis://127.0.0.1:${own?.port}`;
    for (let i = 0; i < Math.max(...wishes.clients); i++) {
      connections.push(await connectTo(url, wishes.isCluster));
    }
    const drivers = connections.map(({ driver }) => driver);
    const server =
      own === null
        ? `${connections[0].shown}, ${await kindOf(drivers[0])}`
        : `Holdfast ${version()}, a process of its own`;
    const report = reportOf(server, wishes, await measured(drivers, wishes));
    if (charts !== null && wishes.svg !== undefined) {
      save(wishes.svg, plotOf(charts, report.steps, `${server}; Node ${report.node}; ${report.date}`));
    }
    show(report, wishes);
    return report.steps.every(({ consistent }) => consistent) ? DONE : INCONSISTENT;
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
    own?.child.disconnect();
  }
}

async function charted() {
  try {
    return await loadCharts();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Misuse('--svg needs a library that draws: npm install echarts');
  }
}

/** The server of our own, which ends when its channel is closed. */
function startOwn(): Promise<{ child: ChildProcess; port: number }> {
  const name = import.meta.url.endsWith('.ts') ? 'own-server.ts' : 'own-server.js';
  const child = fork(fileURLToPath(new URL(`./strategies/${name}`, import.meta.url)));
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve({ child, port: Number(port) }));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server did not start (exit status ${code})`)));
  });
}

async function kindOf(driver: Driver): Promise<string> {
  const [first] = await driver.everyPrimary(['INFO', 'server'], 5000);
  const info = String(first?.answer);
  // Valkey names both, its own second.
  const [, kind, number] =
    /^(valkey)_version:(\S+)/m.exec(info) ?? /^(redis)_version:(\S+)/m.exec(info) ?? [];
  return kind === undefined ? 'unknown version' : `${kind} ${number}`;
}

async function measured(drivers: readonly Driver[], wishes: Wishes): Promise<Step[]> {
  const tag = `holdfast-bench:{${randomUUID().slice(0, 8)}}`;
  const keys: Keys = { stock: `${tag}:stock`, sold: `${tag}:sold`, lock: `${tag}:lock` };
  const runs: Step[][] = [];
  try {
    for (const contender of CONTENDERS) await contender.prepare(drivers[0]);
    // Always all strategies in turn, so that what changes with time on this machine meets all of them.
    for (let i = 1; i <= wishes.repeats; i++) {
      const round: Step[] = [];
      for (const clients of wishes.clients) {
        for (const contender of CONTENDERS) {
          const times = wishes.repeats === 1 ? '' : `, run ${i} of ${wishes.repeats}`;
          progress(`${contender.name}, ${clients} ${clients === 1 ? 'client' : 'clients'}${times}`);
          round.push(await measure(contender, drivers.slice(0, clients), keys, wishes.seconds));
        }
      }
      runs.push(round);
    }
  } finally {
    progress('');
    await cleared(drivers[0], keys);
  }
  return runs[0].map((_, step) => middleOf(runs.map((round) => round[step])));
}

/** The run in the middle by throughput; inconsistent where any was. */
function middleOf(runs: readonly Step[]): Step {
  const sorted = [...runs].sort((a, b) => a.throughput - b.throughput);
  return { ...sorted[runs.length >> 1], consistent: runs.every(({ consistent }) => consistent) };
}

/** Takes away what was put there. Where the server is gone, what was wrong before is what counts. */
async function cleared(driver: Driver, keys: Keys): Promise<void> {
  try {
    for (const contender of CONTENDERS) await contender.clear(driver);
    for (const key of Object.values(keys)) await command(driver, 'DEL', key);
  } catch {
    // The keys have a time to live.
  }
}

function reportOf(server: string, { seconds, repeats }: Wishes, steps: readonly Step[]): Report {
  const crossover = crossoverOf(steps);
  const processors = cpus();
  return {
    server,
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpus: `${processors.length} × ${processors[0]?.model ?? 'unknown'}`,
    seconds,
    repeats,
    steps,
    crossover,
    advice: adviceOf(steps, crossover),
  };
}

function save(path: string, svg: string): void {
  try {
    writeFileSync(path, svg);
  } catch (error) {
    throw new Misuse(`'${path}' cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}

// ---- showing

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What is being measured, on one line for who looks; '' clears it. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function show(report: Report, { json, svg }: Wishes): void {
  if (json) {
    say(JSON.stringify(report, null, 2));
    return;
  }
  const runs = report.repeats === 1 ? '' : `, the middle one of ${report.repeats} runs`;
  say(
    `${report.server}; ${report.cpus}, Node ${report.node}, ${report.date}; ${report.seconds} s each${runs}`,
  );
  say('');
  for (const line of tableOf(report.steps)) say(line);
  say('');
  say(crossoverText(report.crossover));
  say(report.advice);
  if (svg !== undefined) say(`Plot: ${svg}`);
}

const COLUMNS: readonly (readonly [string, (step: Step) => string])[] = [
  ['clients', ({ clients }) => String(clients)],
  ['strategy', ({ strategy }) => strategy],
  ['ops/s', ({ throughput }) => String(Math.round(throughput))],
  ['conflicts', ({ conflictRate }) => percent(conflictRate)],
  ['retries/op', ({ retriesPerOperation }) => retriesPerOperation.toFixed(2)],
  ['success', ({ successShare }) => percent(successShare)],
  ['fairness', ({ fairness }) => fairness?.toFixed(2) ?? '-'],
  ['p50 ms', ({ p50Ms }) => p50Ms?.toFixed(2) ?? '-'],
  ['p99 ms', ({ p99Ms }) => p99Ms?.toFixed(2) ?? '-'],
  ['consistent', ({ consistent }) => (consistent ? 'yes' : 'NO')],
];

const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

function tableOf(steps: readonly Step[]): string[] {
  const rows = steps.map((step) => COLUMNS.map(([, cell]) => cell(step)));
  const widths = COLUMNS.map(([name], i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 1 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return [
    styled('bold', line(COLUMNS.map(([name]) => name))),
    ...rows.flatMap((row, i) => (i > 0 && i % CONTENDERS.length === 0 ? ['', line(row)] : [line(row)])),
  ];
}
