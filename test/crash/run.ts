// `npm run crash`: a real server is killed again and again while clients write; with --power an engine in memory loses power
// and its disk fails, by seed. Both end with what was lost and what was there by half: nothing, or the exit status is 1.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { powerRun, tally } from './power.ts';
import { type Cycles, crashCycles } from './process.ts';

const HELP = `npm run crash -- [--cycles N] [--seed S]
npm run crash -- --power [--seeds N] [--seed S]

Checks that nothing which was acknowledged is ever lost, and that no unit (command, MULTI, script) is ever there by half.

Without --power: starts \`holdfast serve\` (built first where it is stale) in a temporary directory, with appendfsync always
and everysec in turn. Eight connections write plain commands, transfers between accounts, scripts of two keys and
pipelines of pairs, and read; a ninth asks for BGREWRITEAOF. After 20 to 400 ms the process is killed with -9 (one time
in ten it gets SIGTERM) and started again; then all contents are compared with what was acknowledged, and the next
cycle goes on with them. The seed decides on the load and the moment of each kill, but the operating system decides on
the order of things: a failure may need several tries of its seed. The directory of a failure is kept.

  --cycles N   kills (default 30; 200 take about two minutes)
  --seed S     default: by the clock

With --power: engines over a disk in memory that loses power in the midst of any operation, loses or tears what was not
synced, and whose operations fail with EIO or ENOSPC. A seed is several lives on one disk, and repeats exactly.

  --seeds N    how many, from S on (default 300)
  --seed S     the first (default: by the clock)
`;

const SHOW_EVERY = 5000;

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return otherwise;
  const value = Number(process.argv[at + 1]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a whole number`);
  return value;
}

function progress(text: () => string): () => void {
  let shown = Date.now();
  return () => {
    if (Date.now() - shown < SHOW_EVERY) return;
    shown = Date.now();
    console.log(`crash: ${text()}`);
  };
}

const seconds = (since: number): string => ((Date.now() - since) / 1000).toFixed(1);

async function kills(seed: number): Promise<number> {
  const cycles = option('cycles', 30);
  const build = fileURLToPath(new URL('../../scripts/build.js', import.meta.url));
  if (spawnSync(process.execPath, [build, '--if-stale'], { stdio: 'inherit' }).status !== 0) return 1;
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
  console.log(`crash: seed ${seed}, ${cycles} cycles in ${directory}`);
  const start = Date.now();
  const count: Cycles = { cycles: 0, acknowledged: 0, rewrites: 0, lost: 0, partial: 0 };
  const told = progress(
    () => `${count.cycles} of ${cycles} cycles, ${count.acknowledged} units acknowledged`,
  );
  const wrong = await crashCycles(directory, cycles, seed, count, told);
  const sum = `lost ${count.lost}, partial ${count.partial}: ${count.acknowledged} units acknowledged, ${count.cycles} cycles, ${count.rewrites} rewrites begun, ${seconds(start)} s (seed ${seed})`;
  if (wrong !== null) {
    console.log(`crash: FAILED with seed ${seed} at ${wrong}`);
    console.log(`  its directory: ${directory}\n  again: npm run crash -- --cycles ${cycles} --seed ${seed}`);
    console.log(`crash: ${sum}`);
    return 1;
  }
  rmSync(directory, { recursive: true, force: true });
  console.log(`crash: ${sum}`);
  return 0;
}

async function power(first: number): Promise<number> {
  const seeds = option('seeds', 300);
  console.log(`crash: power cuts and failing disks, seeds ${first} to ${first + seeds - 1}`);
  const start = Date.now();
  const count = tally();
  let done = 0;
  const told = progress(() => `${done} of ${seeds} seeds, ${count.acknowledged} units acknowledged`);
  let failures = 0;
  let lost = 0;
  for (; done < seeds; done++) {
    const seed = first + done;
    const wrong = await powerRun(seed, count);
    if (wrong !== null) {
      failures++;
      if (wrong.includes('lost:')) lost++;
      console.log(`crash: FAILED at seed ${seed}\n  ${wrong}`);
      console.log(`  again: npm run crash -- --power --seed ${seed} --seeds 1`);
      if (failures === 5) break;
    }
    told();
  }
  console.log(
    `crash: lost ${lost}, partial ${failures - lost}: ${count.acknowledged} units acknowledged, ${count.lives} lives, ${count.powerCuts} power cuts, ${count.kills} kills, ${count.failures} failing disks with ${count.refused} writes refused, ${count.rewrites} rewrites asked for, ${seconds(start)} s (seeds ${first} to ${first + seeds - 1})`,
  );
  return failures === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    console.log(HELP);
    return 0;
  }
  const seed = option('seed', Date.now() % 1_000_000);
  return process.argv.includes('--power') ? power(seed) : kills(seed);
}

process.exitCode = await main();
