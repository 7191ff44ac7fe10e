// `npm run oracle`: random rounds against redis-server and Holdfast, until the time is over or too much differs.
//   --seconds N --seed N --families a,b --json     how long, which stream, which families, result as JSON
//   --round R --steps S                            replay exactly one round, or its first S steps
//   --self                                         compare redis-server with itself (tests this harness)
//   --against host:port                            use a Holdfast that runs already
//   --no-shrink --max N --round-length N           report faster; stop after N distinct differences
// `npm run oracle -- lua`: the Lua room against lua5.1 instead, see lua/run.ts.
// `npm run oracle -- seeds`: the Lua of documents beside the repository instead, see seeds.ts.

import { parseArgs } from 'node:util';
import { startHoldfast } from '../support/holdfast-server.ts';
import type { ServerHandle } from '../support/ports.ts';
import { findOracle, startRedis } from '../support/redis-server.ts';
import { type Difference, Match } from './execute.ts';
import { CONNECTIONS, generateRound, pickFamilies } from './generate.ts';
import { RULES, type RuleId } from './rules.ts';
import { shrink } from './shrink.ts';
import { quoteArg, showStep } from './steps.ts';

const SHRINK_MS = 20_000;

interface Finding {
  round: number;
  steps: number;
  replay: string;
  difference: Difference;
  smallest: string[] | null;
  seen: number;
}

function options() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string' },
      families: { type: 'string' },
      json: { type: 'boolean', default: false },
      round: { type: 'string' },
      steps: { type: 'string' },
      self: { type: 'boolean', default: false },
      against: { type: 'string' },
      'no-shrink': { type: 'boolean', default: false },
      max: { type: 'string', default: '50' },
      'round-length': { type: 'string', default: '3000' },
    },
  });
  return values;
}

function running(address: string): ServerHandle {
  const [host, port] = address.split(':');
  return {
    name: 'holdfast',
    host: host || '127.0.0.1',
    port: Number(port),
    tail: () => '',
    died: () => null,
    stop: () => Promise.resolve(),
  };
}

async function main(): Promise<number> {
  const given = options();
  if (findOracle() === null) {
    console.error('oracle: there is no redis-server on PATH (Debian: apt install redis-server)');
    return 2;
  }
  const seed = given.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(given.seed);
  const families = pickFamilies(given.families?.split(',') ?? null);
  const length = Number(given['round-length']);
  const startRight = (): Promise<ServerHandle> =>
    given.self
      ? startRedis()
      : given.against === undefined
        ? startHoldfast(['--enable-debug-command', 'yes'])
        : Promise.resolve(running(given.against));
  const started = Date.now();
  const until = started + Number(given.seconds) * 1000;
  const only = given.round === undefined ? null : Number(given.round);

  let left = await startRedis();
  let right = await startRight();
  let match = new Match(left, right, {
    connections: CONNECTIONS,
    dialect: !given.self,
    replyTimeoutMs: 4000,
    swapWakes: false,
  });
  const totals = { steps: 0, commands: 0, rounds: 0, walks: 0, busyMs: 0 };
  const covered = new Set<string>();
  const rules = new Map<RuleId, number>();
  const findings = new Map<string, Finding>();
  const focused = new Set<string>();
  await match.open();

  let lastShown = 0;
  const progress = (): boolean => {
    const now = Date.now();
    if (now - lastShown >= 1000) {
      lastShown = now;
      const steps = totals.steps + match.steps;
      const rate = Math.round((totals.commands + match.commands) / Math.max(0.001, (now - started) / 1000));
      const line = `oracle: ${steps} steps, ${rate} commands/s, round ${totals.rounds}, ${findings.size} differences`;
      process.stderr.write(process.stderr.isTTY ? `\r${line}   ` : `${line}\n`);
    }
    return only !== null || now < until;
  };
  const bank = (): void => {
    totals.steps += match.steps;
    totals.commands += match.commands;
    totals.walks += match.walks;
    for (const name of match.covered) covered.add(name);
    for (const [id, n] of match.rules) rules.set(id, (rules.get(id) ?? 0) + n);
    match.steps = match.commands = match.walks = 0;
    match.rules.clear();
  };

  for (let round = only ?? 0; only !== null ? round === only : Date.now() < until; round++) {
    const plan = generateRound(seed, round, families, length);
    const steps = given.steps === undefined ? plan.steps : plan.steps.slice(0, Number(given.steps));
    totals.rounds++;
    focused.add(plan.focus);
    await match.reset();
    const difference = await match.run(steps, progress);
    bank();
    if (difference === null) continue;
    const known = findings.get(difference.key);
    if (known !== undefined) known.seen++;
    else {
      const again = `--seed ${seed} --round ${round} --steps ${difference.step + 1}`;
      const chosen = given.families === undefined ? '' : ` --families ${given.families}`;
      const long = length === 3000 ? '' : ` --round-length ${length}`;
      const finding: Finding = {
        round,
        steps: difference.step + 1,
        replay: `npm run oracle -- ${again}${chosen}${long}`,
        difference,
        smallest: null,
        seen: 1,
      };
      findings.set(difference.key, finding);
      const dead = left.died() !== null || right.died() !== null;
      if (!given['no-shrink'] && !dead) {
        const smaller = await shrink(match, steps, difference, SHRINK_MS).catch(() => null);
        if (smaller !== null) finding.smallest = smaller.steps.map(showStep);
        match.steps = match.commands = match.walks = 0;
      }
      if (!given.json) report(finding, seed);
    }
    if (findings.size >= Number(given.max)) break;
    if (left.died() !== null || right.died() !== null) {
      match.close();
      if (left.died() !== null) left = await startRedis();
      if (right.died() !== null) {
        if (given.against !== undefined) break;
        right = await startRight();
      }
      match = new Match(left, right, match.options);
      await match.open();
    }
  }
  match.close();
  await Promise.all([left.stop(), right.stop()]);

  const seconds = (Date.now() - started) / 1000;
  const summary = {
    differences: findings.size,
    seed,
    seconds: Math.round(seconds * 10) / 10,
    steps: totals.steps,
    commandsPerSecond: Math.round(totals.commands / seconds),
    rounds: totals.rounds,
    datasetComparisons: totals.walks,
    commands: [...covered].sort(),
    families: families.map((family) => family.name),
    focused: [...focused].sort(),
    rules: Object.fromEntries([...rules].sort()),
    findings: [...findings.values()],
  };
  if (given.json) console.log(JSON.stringify(summary, null, 2));
  else {
    if (process.stderr.isTTY) process.stderr.write('\n');
    for (const [id, n] of [...rules].sort())
      console.log(`  rule ${id} (${RULES[id].kind}) applied ${n} times`);
    console.log(
      `${summary.steps} steps in ${summary.rounds} rounds, ${summary.commandsPerSecond} commands/s, ` +
        `${summary.datasetComparisons} dataset comparisons, seed ${seed}`,
    );
    console.log(
      `${covered.size} commands covered, ${families.length} families: ${summary.families.join(', ')}`,
    );
    console.log(`${findings.size} differences`);
  }
  return findings.size === 0 ? 0 : 1;
}

function report(finding: Finding, seed: number): void {
  const { difference } = finding;
  const lines = [
    '',
    `difference: ${difference.why}`,
    `  seed ${seed}, round ${finding.round}, step ${difference.step}, connection ${difference.conn}`,
    `  command  ${difference.args.map(quoteArg).join(' ')}`,
    `  redis    ${difference.left}`,
    `  holdfast ${difference.right}`,
    `  replay   ${finding.replay}`,
  ];
  if (finding.smallest !== null)
    lines.push(
      `  smallest sequence (${finding.smallest.length} steps):`,
      ...finding.smallest.map((s) => `    ${s}`),
    );
  console.log(lines.join('\n'));
}

async function lua(): Promise<number> {
  const { oracleLua } = await import('./lua/run.ts');
  return oracleLua(process.argv.slice(3));
}

async function seeds(): Promise<number> {
  const { oracleSeeds } = await import('./seeds.ts');
  return oracleSeeds(process.argv.slice(3));
}

const commands: Record<string, () => Promise<number>> = { lua, seeds };
process.exitCode = await (commands[process.argv[2] ?? ''] ?? main)();
