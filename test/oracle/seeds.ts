// `npm run oracle -- seeds`: the Lua of the documents in ../shared/seeds (beside the repository), as it stands there,
// mistakes included: loaded on redis-server and on Holdfast, then run over random keys, arguments and data. Called by
// run.ts. The documents are read when it runs; where they are missing it says so.
//   --seed N --cases N                             which stream, how many runs of each script
//   --script N --case N                            replay one script (numbered over all documents), or one of its runs
//   --show                                         print how each run ended
//
// A script that reads TIME writes what the clock says: a run of one that differs is tried again, in a second that both
// servers share, before it counts. Where it reads TIME twice, numbers may differ (rule script-clock).

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { examplesIn } from '../../src/lint/documents.ts';
import { startHoldfast } from '../support/holdfast-server.ts';
import type { ServerHandle } from '../support/ports.ts';
import { findOracle, startRedis } from '../support/redis-server.ts';
import { parseReply, type Value, Wire } from '../support/wire.ts';
import { Random } from './random.ts';
import { RULES, type RuleId } from './rules.ts';
import { digestOf } from './scripts.ts';
import { quoteArg } from './steps.ts';
import { canon } from './values.ts';
import { walk } from './walk.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/seeds', import.meta.url));

/** Something that can be called: words before the number of keys, and the text to guess its data from. */
interface Entry {
  readonly call: readonly string[];
  readonly text: string;
  readonly keys: number;
  readonly args: number;
}

const isLibrary = (text: string): boolean => text.startsWith('#!lua');

/** The highest index of a table in the text, as in `KEYS[2]`. */
function highest(table: string, text: string): number {
  const uses = [...text.matchAll(new RegExp(`\\b${table}\\[(\\d+)\\]`, 'gi'))];
  return Math.max(0, ...uses.map((use) => Number(use[1])));
}

function entriesOf(text: string, functions: readonly string[]): Entry[] {
  const keys = highest('KEYS', text);
  const args = Math.max(highest('ARGV', text), highest('args', text));
  const entry = (...call: string[]): Entry => ({ call, text, keys, args });
  if (isLibrary(text)) return functions.flatMap((name) => [entry('FCALL', name), entry('FCALL_RO', name)]);
  // Functions that nobody registers or calls: called here.
  const names = [...text.matchAll(/^local function (\w+)\(keys, args\)/gm)].map((match) => match[1]!);
  if (names.length > 0) return names.map((name) => entry('EVAL', `${text}\nreturn ${name}(KEYS, ARGV)`));
  return [entry('EVAL', text), entry('EVALSHA', digestOf(text)), entry('EVAL_RO', text)];
}

// ---- what a run is given ---------------------------------------------------------------------------------

const NUMBERS = ['0', '1', '2', '3', '5', '10', '60', '300', '-1', '1.5', '1700000000000', '60000', '1e3'];
const WORDS = [
  'user:1',
  'owner-a',
  'req-1',
  'ada',
  '',
  'pay-7',
  'caf\xc3\xa9',
  '{"to":"ada","n":[1,2.5]}',
  '200',
];

interface Run {
  data: string[][];
  calls: string[][];
  protocol: '2' | '3';
}

function makeRun(entry: Entry, random: Random): Run {
  const literals = [...entry.text.matchAll(/'([\w:]+)'/g)].map((match) => match[1]!);
  const prefixes = literals.filter((word) => word.endsWith(':'));
  const fields = literals.filter((word) => !word.endsWith(':'));
  const keys = Array.from({ length: entry.keys }, (_, i) => `{k}:${i + 1}`);
  const args = Array.from({ length: entry.args }, (_, i) =>
    i > 0 && random.chance(0.75) ? random.pick(NUMBERS) : random.pick(random.chance(0.4) ? NUMBERS : WORDS),
  );
  const value = (): string => random.pick(random.chance(0.5) ? NUMBERS : [...WORDS, ...args, ...fields]);
  const data: string[][] = [];
  const fill = (key: string): void => {
    const type = random.chance(0.6) ? fitting(entry.text, key, keys) : random.pick(TYPES);
    if (type === 'string') data.push(['SET', key, random.chance(0.8) ? random.pick(NUMBERS) : value()]);
    else if (type === 'list') data.push(['RPUSH', key, value(), value()]);
    else if (type === 'set') data.push(['SADD', key, random.pick(NUMBERS)]);
    else if (type === 'zset')
      data.push(['ZADD', key, '1', 'a', '1699999999000', 'b', '1700000000000', value()]);
    else if (type === 'hash') {
      const some = fields.filter(() => random.chance(0.7)).flatMap((field) => [field, value()]);
      data.push(['HSET', key, 'other', '1', ...some]);
      // The states that the script itself writes, and its owner.
      if (random.chance(0.7) && args.length > 0) data.push(['HSET', key, 'owner', args[0]!]);
    }
    if (random.chance(0.2)) data.push(['EXPIRE', key, '1000']);
  };
  for (const key of keys) if (random.chance(0.8)) fill(key);
  for (const prefix of prefixes) {
    const id = args.length > 0 && random.chance(0.7) ? args[0]! : '1';
    if (random.chance(0.7)) data.push(['HSET', prefix + id, ...fields.flatMap((field) => [field, value()])]);
  }
  if (random.chance(0.3)) data.push(['HSET', 'user:7', 'name', args[0] ?? 'ada']);
  if (random.chance(0.2)) data.push(['SET', 'tenant:1:quota', '5']);
  const given = random.chance(0.1) ? args.slice(0, -1) : args;
  const named = random.chance(0.07) ? keys.slice(0, -1) : keys;
  const call = [...entry.call, String(named.length), ...named, ...given];
  const times = random.int(1, 3);
  return { data, calls: Array.from({ length: times }, () => call), protocol: random.chance(0.5) ? '2' : '3' };
}

const TYPES = ['string', 'list', 'set', 'zset', 'hash', 'none'] as const;

/** The type of data that the script's own commands want at a key. */
function fitting(text: string, key: string, keys: readonly string[]): (typeof TYPES)[number] {
  const place = `(?:KEYS|keys)\\[${keys.indexOf(key) + 1}\\]`;
  const alias = new RegExp(`local (\\w+) = ${place}`).exec(text)?.[1] ?? 'no alias';
  const command = new RegExp(`call\\('(\\w+)',\\s*(?:${place}|${alias}\\b)`).exec(text)?.[1] ?? 'GET';
  if (command.startsWith('H')) return 'hash';
  if (command.startsWith('Z')) return 'zset';
  if (/^S(?!ET)/.test(command)) return 'set';
  return 'string';
}

// ---- both servers ----------------------------------------------------------------------------------------

const MISSING = /^ERR '([A-Z ]+)' is not supported by Holdfast/;

class Pair {
  readonly left: Wire;
  readonly right: Wire;
  private readonly killers: readonly Wire[];

  constructor(wires: readonly Wire[]) {
    [this.left, this.right] = wires as [Wire, Wire];
    this.killers = wires.slice(2);
  }

  static async open(servers: readonly ServerHandle[]): Promise<Pair> {
    const wires = [...servers, ...servers].map(({ port }) => Wire.open({ port, timeoutMs: 20_000 }));
    const pair = new Pair(await Promise.all(wires));
    await pair.ask('CONFIG', 'SET', 'busy-reply-threshold', '50');
    return pair;
  }

  async ask(...words: string[]): Promise<[Value, Value]> {
    for (const wire of [this.left, this.right]) wire.send(...words);
    const replies = Promise.all([this.left.reply(), this.right.reply()]);
    // What does not end is killed.
    const timer = setInterval(() => {
      for (const wire of this.killers) wire.call('SCRIPT', 'KILL').catch(() => {});
    }, 2000);
    return replies.finally(() => clearInterval(timer));
  }

  close(): void {
    for (const wire of [this.left, this.right, ...this.killers]) wire.close();
  }
}

interface Outcome {
  /** Null when both agreed. */
  difference: string[] | null;
  /** What they agree by, where it takes a rule. */
  rule: RuleId | null;
  missing: string | null;
  replies: string[];
}

const shown = (reply: Value): string => canon(reply).slice(0, 500);

async function perform(pair: Pair, run: Run): Promise<Outcome> {
  const outcome: Outcome = { difference: null, rule: null, missing: null, replies: [] };
  await pair.ask('FLUSHALL');
  for (const command of run.data) await pair.ask(...command);
  await pair.ask('HELLO', run.protocol);
  for (const call of run.calls) {
    const [l, r] = await pair.ask(...call);
    const missing = r.kind === 'error' ? MISSING.exec(r.text) : null;
    if (missing !== null && l.text !== r.text) return { ...outcome, missing: missing[1]! };
    outcome.replies.push(shown(r));
    if (canon(l) === canon(r)) continue;
    if (l.kind === 'error' && l.text.replace('SCRIPT KILL...', 'SCRIPT KILL.') === r.text)
      outcome.rule = 'kill-text';
    else return { ...outcome, difference: [`redis    ${shown(l)}`, `holdfast ${shown(r)}`] };
  }
  await pair.ask('HELLO', '2');
  const data = await walk(pair.left, pair.right, true);
  if (data === null) return outcome;
  const lines = [`redis    ${data.left}`, `holdfast ${data.right}`, `data     ${data.question.join(' ')}`];
  return { ...outcome, difference: lines };
}

const numberless = (line: string): string =>
  line.replace(/^\w+ +/, '').replace(/bulk:\d+:-?[\d.]+(?=[\],]|$)/g, 'bulk:#');

async function performAgain(pair: Pair, run: Run, text: string): Promise<Outcome> {
  const readings = text.split("'TIME'").length - 1;
  let outcome = await perform(pair, run);
  for (let again = 0; readings > 0 && outcome.difference !== null && again < 3; again++) {
    await new Promise((done) => setTimeout(done, 1010 - (Date.now() % 1000)));
    outcome = await perform(pair, run);
  }
  await pair.ask('HELLO', '2');
  if (outcome.difference === null || readings < 2) return outcome;
  const [l, r] = outcome.difference.map(numberless);
  return l === r ? { ...outcome, difference: null, rule: 'script-clock' } : outcome;
}

// ---- the command -----------------------------------------------------------------------------------------

interface Totals {
  scripts: number;
  runs: number;
  succeeded: number;
  differences: number;
  missing: Map<string, number>;
  rules: Map<RuleId, number>;
}

export async function oracleSeeds(words: string[]): Promise<number> {
  const { values: given } = parseArgs({
    args: words,
    options: {
      seed: { type: 'string', default: '1' },
      cases: { type: 'string', default: '60' },
      script: { type: 'string' },
      case: { type: 'string' },
      show: { type: 'boolean', default: false },
    },
  });
  if (!existsSync(FOLDER)) {
    console.log('seeds: there is no ../shared/seeds beside the repository, nothing to compare');
    return 0;
  }
  if (findOracle() === null) {
    console.error('oracle: there is no redis-server on PATH (Debian: apt install redis-server)');
    return 2;
  }
  const servers = [await startRedis(), await startHoldfast()];
  const pair = await Pair.open(servers);
  const totals: Totals = {
    scripts: 0,
    runs: 0,
    succeeded: 0,
    differences: 0,
    missing: new Map(),
    rules: new Map(),
  };
  const wanted = (option: string | undefined, n: number): boolean =>
    option === undefined || Number(option) === n;
  let number = 0;
  for (const file of readdirSync(FOLDER).sort()) {
    const examples = examplesIn(readFileSync(join(FOLDER, file), 'latin1'));
    let agree = 0;
    const before = totals.runs;
    for (const example of examples) {
      const n = number++;
      if (!wanted(given.script, n)) continue;
      totals.scripts++;
      const report = (what: string, lines: readonly string[], again: string): void => {
        console.log(`\ndifference: ${file}:${example.line} (${example.form}), ${what}`);
        for (const line of lines) console.log(`  ${line}`);
        console.log(`  replay   npm run oracle -- seeds --seed ${given.seed} --script ${n}${again}`);
      };
      const found = await compare(pair, example.text, totals, {
        seeds: [Number(given.seed), n],
        cases: Number(given.cases),
        only: given.case === undefined ? null : Number(given.case),
        show: given.show ? (line) => console.log(`${n} ${file}:${example.line} ${line}`) : () => {},
        report,
      });
      totals.differences += found;
      if (found === 0) agree++;
    }
    if (given.script === undefined)
      console.log(`${file}: ${examples.length} scripts, ${agree} agree in ${totals.runs - before} runs`);
  }
  pair.close();
  await Promise.all(servers.map((server) => server.stop()));
  for (const [command, count] of totals.missing) console.log(`not supported yet: ${command} (${count} runs)`);
  for (const [id, count] of totals.rules)
    console.log(`  rule ${id} (${RULES[id].kind}) applied ${count} times`);
  console.log(`${totals.runs} runs, ${totals.succeeded} of them without an error, seed ${given.seed}`);
  console.log(`${totals.scripts} scripts, ${totals.differences} differences`);
  return totals.differences === 0 ? 0 : 1;
}

interface Options {
  seeds: number[];
  cases: number;
  only: number | null;
  show(line: string): void;
  report(what: string, lines: readonly string[], again: string): void;
}

/** The differences of one script: its load, and the first run of each entry that differs. */
async function compare(pair: Pair, text: string, totals: Totals, options: Options): Promise<number> {
  await pair.ask('FUNCTION', 'FLUSH');
  const load = isLibrary(text) ? ['FUNCTION', 'LOAD', text] : ['SCRIPT', 'LOAD', text];
  const [l, r] = await pair.ask(...load);
  options.show(`load: ${shown(r)}`);
  if (canon(l) !== canon(r)) {
    options.report('load', [`redis    ${shown(l)}`, `holdfast ${shown(r)}`], '');
    return 1;
  }
  if (l.kind === 'error') return 0;
  const entries = entriesOf(text, await functionsOf(pair));
  const endless = /while true do/.test(text);
  let differences = 0;
  for (const [at, entry] of entries.entries()) {
    const first = at * options.cases;
    for (let i = first; i < first + (endless ? 1 : options.cases); i++) {
      if (options.only !== null && options.only !== i) continue;
      const run = makeRun(entry, new Random(...options.seeds, i));
      const outcome = await performAgain(pair, run, text);
      totals.runs++;
      if (outcome.rule !== null) totals.rules.set(outcome.rule, (totals.rules.get(outcome.rule) ?? 0) + 1);
      options.show(`run ${i}: ${outcome.replies.join(' | ')}`);
      if (outcome.missing !== null)
        totals.missing.set(outcome.missing, (totals.missing.get(outcome.missing) ?? 0) + 1);
      else if (!outcome.replies.some((reply) => reply.startsWith('error'))) totals.succeeded++;
      if (outcome.difference === null) continue;
      const [name, , ...rest] = run.calls[0]!;
      const script = name === 'FCALL' || name === 'FCALL_RO' ? entry.call[1]! : '(the script)';
      const lines = [
        ...run.data.map((command) => `data     ${command.map(quoteArg).join(' ')}`),
        `call     ${[name!, script, ...rest].map((word) => (word === script ? word : quoteArg(word))).join(' ')}` +
          ` (${run.calls.length} times, RESP${run.protocol})`,
        ...outcome.difference,
      ];
      options.report(`run ${i}`, lines, ` --case ${i}`);
      differences++;
      break;
    }
  }
  return differences;
}

async function functionsOf(pair: Pair): Promise<string[]> {
  pair.left.send('FUNCTION', 'LIST');
  const [raw] = await pair.left.replies(1);
  const library = parseReply(raw!).items[0];
  return (library?.items[5]?.items ?? []).map((one) => one.items[1]!.text).sort();
}
