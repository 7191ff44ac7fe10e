// `npm run bench -- wire|script|durable|embedded|memory|workflows [options]`: reads the options, builds when needed, prints the report.
// Every figure is measured side by side in one run; progress goes to stderr, the report to stdout.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchDurable } from './durable.ts';
import { benchEmbedded } from './embedded.ts';
import { benchMemory } from './memory.ts';
import { print, type Report } from './report.ts';
import { benchScript } from './script.ts';
import { benchWire } from './wire.ts';
import { benchWorkflows } from './workflows.ts';

const USAGE = `usage: npm run bench -- wire|script|durable|embedded|memory|workflows [options]

  --json            machine-readable, every single measurement included
  --markdown        tables for docs/performance.md
  --repeats N       measurements per figure (wire 5, script 5 over TCP and 7, embedded 7)
  --seconds S       length of one measurement (wire 1, script 1 over TCP and 0.3, embedded 0.3)
  --noise           redis-server against itself: what the machine adds by chance (wire, script, memory)
wire:
  --only get,multi  some of get, set, incr, lpush, hset, zadd, multi
  --pipeline 1,16   some pipeline depths (1,16,100)
  --requests N      requests per measurement instead of a time
script:
  --only evalsha    some of evalsha, fcall, loops, calls, unseen, or single scripts (fib, cjson, …)
  --pipeline 1,16   as for wire
durable:
  --only always     some of always, readers, everysec, load, rewrite
  --keys N          keys that are loaded and rewritten (1000000)
memory:
  --keys N          default 5000000
workflows:
  --only limiter    some of limiter, lock, embedded, trips
`;

/** What the command line asks for; undefined where a bench has its own default. */
export interface Options {
  readonly repeats?: number;
  readonly seconds?: number;
  readonly requests?: number;
  readonly keys?: number;
  readonly only?: readonly string[];
  readonly pipeline?: readonly number[];
  readonly noise: boolean;
}

const benches: Readonly<Record<string, (options: Options) => Promise<Report>>> = {
  wire: benchWire,
  script: benchScript,
  durable: benchDurable,
  embedded: benchEmbedded,
  memory: benchMemory,
  workflows: benchWorkflows,
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      noise: { type: 'boolean', default: false },
      repeats: { type: 'string' },
      seconds: { type: 'string' },
      requests: { type: 'string' },
      keys: { type: 'string' },
      only: { type: 'string' },
      pipeline: { type: 'string' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const bench = benches[positionals[0]];
  if (bench === undefined || positionals.length > 1) throw new Error(USAGE);
  const build = fileURLToPath(new URL('../scripts/build.js', import.meta.url));
  if (
    !values.noise &&
    spawnSync(process.execPath, [build, '--if-stale'], { stdio: 'inherit' }).status !== 0
  ) {
    throw new Error('the build failed');
  }
  const report = await bench({
    repeats: positive('repeats', values.repeats),
    seconds: positive('seconds', values.seconds),
    requests: positive('requests', values.requests),
    keys: positive('keys', values.keys),
    only: values.only?.split(','),
    pipeline: values.pipeline?.split(',').map((text) => positive('pipeline', text) as number),
    noise: values.noise,
  });
  print(report, values.json ? 'json' : values.markdown ? 'markdown' : 'text');
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a positive number, not ${text}`);
  return value;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
