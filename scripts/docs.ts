// Writes the parts of docs/ that follow from tables in the source: docs/commands.md whole, and in other pages what
// stands between `<!-- generated: name -->` and `<!-- end -->`. `npm run docs`; a test fails when a page is not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Group } from '../src/commands/spec.ts';
import type { TableEntry } from '../src/commands/table.ts';
import { UNSUPPORTED_AREAS } from '../src/commands/unsupported.ts';
import { commandTable, Engine } from '../src/engine/engine.ts';
import { UNSUPPORTED_NAMES, unsupportedDirective } from '../src/engine/unsupported-directives.ts';
import { RULES as LINT_RULES } from '../src/lint/index.ts';
import { Verbatim } from '../src/resp/reply.ts';
import { processSurroundings } from '../src/server/surroundings.ts';
import { RULES } from '../test/oracle/rules.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Groups in the order of the page, with what they are called there. */
const GROUPS: readonly (readonly [Group, string])[] = [
  ['string', 'Strings'],
  ['bitmap', 'Bitmaps'],
  ['generic', 'Keys'],
  ['hash', 'Hashes'],
  ['list', 'Lists'],
  ['set', 'Sets'],
  ['sorted-set', 'Sorted sets'],
  ['stream', 'Streams'],
  ['geo', 'Geo'],
  ['hyperloglog', 'HyperLogLog'],
  ['pubsub', 'Pub/sub'],
  ['transactions', 'Transactions'],
  ['scripting', 'Scripts and functions'],
  ['connection', 'Connections'],
  ['server', 'Server'],
];

type Row = readonly string[];

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

// A pipe would end the cell, in code as well.
const code = (text: string): string => (text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``);
const wireName = (name: string): string => name.replace('|', ' ').toUpperCase();

/** Commands that can be called, containers by their subcommands. */
function callable(): TableEntry[] {
  return [...commandTable.all()].flatMap((entry) => {
    const runs = entry.run !== null || entry.control !== null;
    return [...(runs ? [entry] : []), ...(entry.subcommands?.values() ?? [])];
  });
}

function commandsPage(): string {
  const all = callable().sort((a, b) => (a.name < b.name ? -1 : 1));
  const sections = GROUPS.flatMap(([group, title]) => {
    const rows = all
      .filter(({ row }) => row.group === group)
      .map(({ name, row }) => [code(wireName(name)), code(row.syntax ?? ''), row.since, row.summary]);
    return rows.length === 0
      ? []
      : [`## ${title}`, table(['command', 'arguments', 'since Redis', 'does'], rows)];
  });
  return [
    '# Commands',
    '<!-- Written by `npm run docs` from the command table. -->',
    `What Holdfast answers, ${all.length} commands with their subcommands. In process each is a method:`,
    '`db.zadd(…)` for ZADD, `db.clientSetname(…)` for CLIENT SETNAME; see [embedded.md](embedded.md). Commands of Redis',
    '7.2 that are missing here are listed in [differences.md](differences.md).',
    ...sections.map((part) => `\n${part}`),
    '',
  ].join('\n');
}

function missingCommands(): string {
  const rows = UNSUPPORTED_AREAS.map(({ area, planned, commands }) => [
    area,
    commands.map((name) => code(wireName(name))).join(', '),
    planned ? 'yes' : 'no',
  ]);
  return table(['area', 'commands', 'will come'], rows);
}

function idleDirectives(): string {
  const byReason = new Map<string, string[]>();
  for (const name of UNSUPPORTED_NAMES) {
    const reason = unsupportedDirective(name) ?? '';
    byReason.set(reason, [...(byReason.get(reason) ?? []), code(name)]);
  }
  return table(
    ['what holds instead', 'directives'],
    [...byReason].map(([reason, names]) => [reason, names.join(', ')]),
  );
}

function oracleDialect(): string {
  const rows = Object.entries(RULES).filter(([, { kind }]) => kind === 'dialect');
  return table(
    ['rule', 'difference'],
    rows.map(([id, { why }]) => [code(id), why]),
  );
}

function debugSubcommands(): string {
  const names = [...(commandTable.find('debug')?.subcommands?.values() ?? [])].map(({ name }) => name);
  return names.map((name) => code(wireName(name).replace('DEBUG ', ''))).join(', ');
}

function infoFields(): string {
  const surroundings = processSurroundings(() => ({ tcpPort: 0, configFile: '', version: '' }));
  const engine = new Engine({ surroundings });
  const outlet = { info: { trusted: true }, reply: () => {}, push: () => {}, close: () => {} };
  const reply = engine.execute(engine.connect(outlet as never), ['INFO', 'default']);
  const rows: string[][] = [];
  for (const line of reply instanceof Verbatim ? reply.text.split('\r\n') : []) {
    if (line.startsWith('# ')) rows.push([line.slice(2), '']);
    else if (line !== '') rows.at(-1)?.splice(1, 1, `${rows.at(-1)?.[1]} ${code(line.split(':')[0])}`.trim());
  }
  const varying: Record<string, string> = {
    Errorstats: 'one line for each first word of an error',
    Keyspace: 'one line for each database with keys; `avg_ttl` is 0',
  };
  rows.push([
    'Commandstats',
    'on request, one line for each command called: `calls`, `rejected_calls`, `failed_calls`',
  ]);
  return table(
    ['section', 'fields'],
    rows.map(([section, fields]) => [section, varying[section] ?? fields]),
  );
}

function errorCodes(): string {
  const source = readFileSync(join(root, 'src/engine/errors.ts'), 'utf8');
  const rows = [...source.matchAll(/^ \* - `(HF_\w+)`: (.*)$/gm)].map(([, name, meaning]) => [
    code(name),
    meaning,
  ]);
  return table(['code', 'when'], rows);
}

function lintRules(): string {
  const fence = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;
  return LINT_RULES.map(({ id, severity, why, remedy, wrong, right, language = 'lua' }) =>
    [`### ${id}`, `${severity}. ${why}`, fence(language, wrong), remedy, fence(language, right)].join('\n\n'),
  ).join('\n\n');
}

const PARTS: Readonly<Record<string, () => string>> = {
  'missing commands': missingCommands,
  'directives without effect': idleDirectives,
  'oracle dialect': oracleDialect,
  'debug subcommands': debugSubcommands,
  'info fields': infoFields,
  'error codes': errorCodes,
  'lint rules': lintRules,
};

const PART = /(<!-- generated: ([^>]*?) -->\n)[\s\S]*?(<!-- end -->)/g;

function filled(page: string, text: string): string {
  return text.replace(PART, (_, open: string, name: string, close: string) => {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`${page}: there is no part '${name}'`);
    return `${open}\n${part()}\n\n${close}`;
  });
}

/** Every generated page, as it has to be. */
export function pages(): { readonly path: string; readonly text: string }[] {
  const withParts = ['docs/differences.md', 'docs/embedded.md', 'docs/lint.md'].map((path) => ({
    path,
    text: filled(path, readFileSync(join(root, path), 'utf8')),
  }));
  return [{ path: 'docs/commands.md', text: commandsPage() }, ...withParts];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { path, text } of pages()) writeFileSync(join(root, path), text);
}
