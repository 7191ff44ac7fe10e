// `npm run oracle -- lua`: random programs in lua5.1 and in Holdfast's Lua, in both of its forms, until the time is
// over or too much differs. Called by ../run.ts.
//   --seconds N --seed N --json                    how long, which stream, result as JSON
//   --program N                                    replay exactly one program
//   --show                                         with --program: print it
//   --self                                         compare lua5.1 with itself (tests the generator)
//   --no-shrink --max N                            report faster; stop after N differences

import { parseArgs } from 'node:util';
import { Comparison, type Difference, normalise } from './compare.ts';
import { type Mode, program } from './programs.ts';
import { findLua, type Outcome, Reference } from './reference.ts';
import { shrink } from './shrink.ts';
import { Watchdog } from './watchdog.ts';

const SHRINK_MS = 10_000;
/** Differences of one key that are reported; the others are counted. */
const SAME_KEY = 3;
const HANG_MS = 30_000;
/** Programs that lua5.1 runs while we do. */
const BATCH = 64;

interface Finding {
  program: number;
  mode: Mode;
  replay: string;
  difference: Difference;
  source: string;
  seen: number;
}

export async function oracleLua(args: string[]): Promise<number> {
  const { values: given } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string' },
      program: { type: 'string' },
      json: { type: 'boolean', default: false },
      show: { type: 'boolean', default: false },
      self: { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
      max: { type: 'string', default: '20' },
    },
  });
  if (findLua() === null) {
    console.error('oracle: there is no lua5.1 on PATH (Debian: apt install lua5.1)');
    return 2;
  }
  const seed = given.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(given.seed);
  const only = given.program === undefined ? null : Number(given.program);
  if (only !== null && given.show) console.log(program(seed, only).source);

  const started = Date.now();
  const until = started + Number(given.seconds) * 1000;
  const findings: Finding[] = [];
  const reference = new Reference();
  const other = given.self ? new Reference() : null;
  const comparison = new Comparison(reference, other);
  const replay = (n: number | string): string => `npm run oracle -- lua --seed ${seed} --program ${n}`;
  const watchdog = new Watchdog(HANG_MS, `lua: program {n} does not end; replay   ${replay('{n}')}`);

  let programs = 0;
  let skipped = 0;
  let shown = started;
  const ahead = (from: number): { source: string; mode: Mode; outcome: Promise<Outcome> }[] =>
    Array.from({ length: only === null ? BATCH : 1 }, (_, i) => {
      const { source, mode } = program(seed, from + i);
      return { source, mode, outcome: reference.run(source) };
    });

  let at = only ?? 0;
  let next = ahead(at);
  const done = (): boolean =>
    findings.length >= Number(given.max) || (only !== null ? programs > 0 : Date.now() >= until);
  while (!done()) {
    const batch = next;
    next = only === null ? ahead(at + BATCH) : [];
    for (const one of batch) {
      if (done()) break;
      const n = at++;
      const outcome = await one.outcome;
      watchdog.alive(n);
      const verdict = await comparison.against(one.source, outcome);
      programs++;
      if (verdict === 'skipped') skipped++;
      if (typeof verdict !== 'string') {
        const known = findings.filter((finding) => finding.difference.key === verdict.key);
        if (known.length >= SAME_KEY) known.at(-1)!.seen++;
        else {
          const finding: Finding = {
            program: n,
            mode: one.mode,
            replay: replay(n),
            difference: verdict,
            source: one.source,
            seen: 1,
          };
          findings.push(finding);
          if (!given['no-shrink']) await makeSmaller(finding, comparison, watchdog);
          if (!given.json) report(finding, seed);
        }
      }
      if (Date.now() - shown >= 5000) {
        shown = Date.now();
        process.stderr.write(`lua: ${programs} programs, ${findings.length} differences\n`);
      }
    }
  }
  for (const one of next) one.outcome.catch(() => null);
  reference.stop();
  other?.stop();
  await watchdog.stop();

  const seconds = (Date.now() - started) / 1000;
  if (given.json) {
    const summary = {
      seed,
      seconds,
      programs,
      skipped,
      differences: findings.length,
      findings,
    };
    console.log(JSON.stringify(summary, null, 2));
  } else {
    for (const finding of findings)
      if (finding.seen > 1) console.log(`  ${finding.seen - 1} more: ${finding.difference.key}`);
    console.log(`lua: seed ${seed}, ${Math.round(programs / seconds)} programs/s, ${skipped} not comparable`);
    console.log(`lua: ${programs} programs, ${findings.length} differences`);
  }
  return findings.length === 0 ? 0 : 1;
}

async function makeSmaller(finding: Finding, comparison: Comparison, watchdog: Watchdog): Promise<void> {
  const { key } = finding.difference;
  const shows = async (source: string): Promise<boolean> => {
    watchdog.alive(finding.program);
    const verdict = await comparison.judge(source);
    if (typeof verdict === 'string' || verdict.key !== key) return false;
    finding.difference = verdict;
    return true;
  };
  finding.source = await shrink(finding.source, shows, SHRINK_MS);
}

const MOST_LINES = 40;

function report(finding: Finding, seed: number): void {
  const { difference, source } = finding;
  const indent = (text: string): string[] => {
    const lines = text.split('\n');
    const some = lines.slice(0, MOST_LINES).map((line) => `    ${line}`);
    return lines.length > MOST_LINES ? [...some, `    … ${lines.length - MOST_LINES} more lines`] : some;
  };
  const outcome = ({ output, error }: Outcome): string[] =>
    indent(`${normalise(output)}${error === '' ? '' : `error: ${error}`}`.trimEnd());
  const lines = [
    '',
    `difference: ${difference.key}`,
    `  seed ${seed}, program ${finding.program} (${finding.mode})`,
    `  lua5.1    ${difference.lines[0]}`,
    `  ${difference.form.padEnd(9)} ${difference.lines[1]}`,
    '  program:',
    ...source
      .trimEnd()
      .split('\n')
      .map((line) => `    ${line}`),
    '  lua5.1 says:',
    ...outcome(difference.expected),
    `  ${difference.form} says:`,
    ...outcome(difference.actual),
    `  replay   ${finding.replay}`,
  ];
  console.log(lines.join('\n'));
}
