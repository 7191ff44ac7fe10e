// `npm run test:drivers`: runs every contract through every client library on every engine, and prints the matrix
// driver x engine x workflow. Exits with 1 where a test failed, was skipped, or a cell is empty.
//   --client ioredis,glide    only these clients
//   --engine redis-cluster    only these engines
//   --json                    the matrix as JSON
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { CLIENTS, type ClientName, ENGINES, type EngineName, enginesOf } from './columns.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Assertion {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
  readonly failureMessages: readonly string[];
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly Assertion[];
    readonly message: string;
  }[];
}

interface Cell {
  passed: number;
  failed: number;
  skipped: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { client: { type: 'string' }, engine: { type: 'string' }, json: { type: 'boolean' } },
  });
  const clients = chosen(values.client, CLIENTS, 'client');
  const engines = chosen(values.engine, ENGINES, 'engine');
  const columns = clients.flatMap((client) =>
    enginesOf(client).flatMap((engine) => (engines.includes(engine) ? [`${client} on ${engine}`] : [])),
  );
  const report = await run(clients, engines, values.json === true);
  const matrix = new Map<string, Map<string, Cell>>();
  const failures: string[] = [];
  for (const { assertionResults, message } of report.testResults) {
    if (assertionResults.length === 0) failures.push(message);
    for (const { ancestorTitles, title, status, failureMessages } of assertionResults) {
      const [column, workflow] = ancestorTitles;
      const row = matrix.get(workflow) ?? new Map<string, Cell>();
      matrix.set(workflow, row);
      const cell = row.get(column) ?? { passed: 0, failed: 0, skipped: 0 };
      row.set(column, cell);
      if (status === 'passed') cell.passed++;
      else if (status === 'failed') cell.failed++;
      else cell.skipped++;
      if (status === 'failed')
        failures.push(`${column} > ${workflow} > ${title}\n${failureMessages[0] ?? ''}`);
    }
  }
  const cells = [...matrix.values()].flatMap((row) => columns.map((column) => row.get(column)));
  const empty = cells.filter((cell) => cell === undefined).length;
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const cell of cells) {
    total.passed += cell?.passed ?? 0;
    total.failed += cell?.failed ?? 0;
    total.skipped += cell?.skipped ?? 0;
  }
  if (values.json) {
    const plain = Object.fromEntries([...matrix].map(([name, row]) => [name, Object.fromEntries(row)]));
    console.log(JSON.stringify({ matrix: plain, total, empty }, null, 2));
  } else {
    for (const failure of failures) console.log(`${failure}\n`);
    print(matrix, columns);
    console.log(
      `\n${matrix.size} workflows x ${columns.length} drivers and engines: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped, ${empty} cells empty`,
    );
  }
  const isGood = total.failed + total.skipped + empty + failures.length === 0 && total.passed > 0;
  return isGood ? 0 : 1;
}

function chosen<T extends string>(value: string | undefined, all: readonly T[], what: string): readonly T[] {
  if (value === undefined) return all;
  const names = value.split(',');
  const wrong = names.find((name) => !all.includes(name as T));
  if (wrong !== undefined) throw new Error(`there is no ${what} '${wrong}': ${all.join(', ')}`);
  return names as T[];
}

async function run(
  clients: readonly ClientName[],
  engines: readonly EngineName[],
  isQuiet: boolean,
): Promise<Report> {
  if (!isQuiet) console.error(`running ${clients.join(', ')}: some minutes`);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-matrix-'));
  const file = join(folder, 'report.json');
  const reporters = [
    '--reporter=json',
    `--outputFile=${file}`,
    ...(isQuiet || !process.stdout.isTTY ? [] : ['--reporter=dot']),
  ];
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const child = spawn(
      process.execPath,
      [vitest, 'run', ...clients.map((client) => `test/workflows/${client}.test.ts`), ...reporters],
      {
        cwd: root,
        stdio: ['ignore', isQuiet ? 'ignore' : 'inherit', 'inherit'],
        // Nothing may be left out: a missing redis-server is a failure here.
        env: { ...process.env, HOLDFAST_ENGINES: engines.join(','), HOLDFAST_REQUIRE_ORACLE: '1' },
      },
    );
    await new Promise((resolve) => child.on('close', resolve));
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(matrix: ReadonlyMap<string, ReadonlyMap<string, Cell>>, columns: readonly string[]): void {
  const width = Math.max(...[...matrix.keys()].map((name) => name.length));
  // The columns' names are long: they stand above as a list, numbered.
  columns.forEach((column, i) => {
    console.log(`${String(i + 1).padStart(3)}  ${column}`);
  });
  console.log(`\n${' '.repeat(width)} ${columns.map((_, i) => String(i + 1).padStart(4)).join('')}`);
  for (const [name, row] of [...matrix].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`${name.padEnd(width)} ${columns.map((column) => shown(row.get(column))).join('')}`);
  }
}

/** How many passed, or what is wrong. */
function shown(cell: Cell | undefined): string {
  if (cell === undefined) return styleText('yellow', '   -');
  if (cell.failed > 0) return styleText('red', `  ${cell.failed}!`.slice(-4));
  if (cell.skipped > 0) return styleText('yellow', `  ${cell.skipped}?`.slice(-4));
  return String(cell.passed).padStart(4);
}

process.exitCode = await main();
