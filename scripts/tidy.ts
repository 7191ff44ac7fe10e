// Checks of the repository's shape (`npm run tidy`): who may import whom, cycles, dead exports, dead links in the
// docs, header comments, words that belong to one machine. Long files and functions are listed, never failed.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Blanked,
  blank,
  type Export,
  exportsOf,
  type Import,
  importsOf,
  longFunctions,
} from './source.ts';

const BELOW_COMMANDS = ['persistence/rdb', 'keyspace', 'data', 'resp'];
const BELOW_ENGINE = [
  'propagation',
  'scripting',
  'persistence',
  'storage',
  'lua',
  'commands',
  ...BELOW_COMMANDS,
];

/** The rooms of src/ and what each may import beside itself. docs/ARCHITECTURE.md shows the same table. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  resp: [],
  data: [],
  lua: ['data', 'resp'],
  storage: [],
  keyspace: ['data', 'resp'],
  'persistence/rdb': ['keyspace', 'data', 'resp'],
  commands: BELOW_COMMANDS,
  propagation: ['commands', ...BELOW_COMMANDS],
  scripting: ['lua', 'commands', ...BELOW_COMMANDS],
  lint: ['lua', 'commands', ...BELOW_COMMANDS],
  persistence: ['storage', 'propagation', 'commands', ...BELOW_COMMANDS],
  engine: BELOW_ENGINE,
  server: ['engine', ...BELOW_ENGINE],
  // Imports none of the engine: a database is one more client to it.
  workflows: ['data', 'resp'],
  // Apart, for it needs a package and a `node:` module.
  'workflows/opentelemetry': ['workflows'],
  // src/index.ts, the package's entry.
  index: ['server', 'engine', ...BELOW_ENGINE],
  cli: ['index', 'workflows', 'server', 'lint', 'engine', ...BELOW_ENGINE],
};

/** Rooms that run anywhere: no `node:` module. */
const PORTABLE = new Set([
  'resp',
  'data',
  'lua',
  'keyspace',
  'persistence/rdb',
  'commands',
  'propagation',
  'scripting',
  'engine',
  'workflows',
]);

/** Packages that a room may import: optional peers, none of which is there for certain. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'workflows/opentelemetry': ['@opentelemetry/api'],
  cli: ['ioredis', 'redis', 'iovalkey', 'echarts'],
};

// Spelt apart, so that this file passes its own check.
const BANNED = [
  ['registry', 'npmjs', 'org'].join('.'),
  ['registry', 'yarnpkg', 'com'].join('.'),
  ['', 'work', ''].join('/'),
  ['', 'root', ''].join('/'),
  ['', 'Users', ''].join('/'),
];

const LONG_FILE = 500;
const LONG_FUNCTION = 70;

/** A file by its path from the root, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Findings {
  readonly problems: readonly string[];
  /** Places to look at. */
  readonly notes: readonly string[];
}

interface Module extends Blanked {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly (Import & { readonly target: string | null })[];
  readonly exports: readonly Export[];
}

/** All checks over these files; `entries` are the source files that package.json exports or runs. */
export function tidy(files: readonly SourceFile[], entries: ReadonlySet<string>): Findings {
  const modules = files.filter((file) => file.path.endsWith('.ts')).map(readModule);
  const source = modules.filter((module) => isSource(module.path));
  return {
    problems: [
      ...source.flatMap(wrongImports),
      ...cycles(source, false).map((cycle) => `${cycle[0]}: import cycle: ${cycle.join(' → ')}`),
      ...deadExports(modules, entries),
      ...missingEntries(modules, entries),
      ...source
        .filter((module) => !/^(?:#!.*\n)?\/[/*]/.test(module.text))
        .map((m) => `${m.path}: no header comment`),
      ...files.flatMap((file) => deadLinks(file, new Set(files.map((each) => each.path)))),
      ...files.flatMap(bannedWords),
    ],
    notes: [
      ...cycles(source, true).map((cycle) => `${cycle[0]}: cycle of types: ${cycle.join(' → ')}`),
      ...modules.filter((module) => !isTest(module.path)).flatMap(longPlaces),
    ],
  };
}

function readModule({ path, text }: SourceFile): Module {
  const blanked = blank(text);
  const imports = importsOf(blanked).map((each) => ({ ...each, target: resolve(path, each.from) }));
  return { ...blanked, path, text, imports, exports: exportsOf(blanked) };
}

function resolve(path: string, from: string): string | null {
  return from.startsWith('.') ? normalize(join(dirname(path), from)).replaceAll('\\', '/') : null;
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

/** Source proper: not a test, and not what only tests import. */
function isSource(path: string): boolean {
  return path.startsWith('src/') && !isTest(path) && !isSupport(path);
}

function isSupport(path: string): boolean {
  return path.endsWith('.support.ts');
}

function roomOf(path: string): string {
  const parts = path.split('/');
  // A folder or file inside a room may be a room of its own.
  const inner = parts.slice(1, 3).join('/').replace(/\.ts$/, '');
  if (Object.hasOwn(ROOMS, inner)) return inner;
  return parts.length > 2 ? parts[1] : parts[1].replace(/\.ts$/, '');
}

function wrongImports(module: Module): string[] {
  const room = roomOf(module.path);
  const allowed = ROOMS[room];
  if (allowed === undefined) return [`${module.path}: room ${room} has no row in scripts/tidy.ts`];
  return module.imports.flatMap(({ from, target, line }) => {
    const place = `${module.path}:${line}`;
    if (target === null) {
      if (PACKAGES[room]?.includes(from)) return [];
      if (!from.startsWith('node:')) return [`${place}: src/ imports no packages, but ${from}`];
      return PORTABLE.has(room) ? [`${place}: ${room} imports no node: module, but ${from}`] : [];
    }
    if (!target.startsWith('src/')) return [`${place}: src/ imports nothing outside itself, but ${target}`];
    if (isTest(target) || isSupport(target)) return [`${place}: ${target} is for tests only`];
    const other = roomOf(target);
    return other === room || allowed.includes(other) ? [] : [`${place}: ${room} may not import ${other}`];
  });
}

/** One shortest cycle through each knot of files; with types, those that appear only through `import type`. */
function cycles(modules: readonly Module[], withTypes: boolean): string[][] {
  const edges = (types: boolean): Map<string, string[]> =>
    new Map(
      modules.map((module) => {
        const used = module.imports.filter((each) => each.target !== null && (types || !each.typeOnly));
        return [module.path, used.map((each) => each.target as string)];
      }),
    );
  const graph = edges(withTypes);
  const known = withTypes ? new Set(cycles(modules, false).flat()) : new Set<string>();
  const found: string[][] = [];
  for (const start of graph.keys()) {
    if (known.has(start)) continue;
    const cycle = shortestCycle(graph, start);
    if (cycle === null) continue;
    for (const path of cycle) known.add(path);
    found.push(cycle);
  }
  return found;
}

function shortestCycle(graph: ReadonlyMap<string, readonly string[]>, start: string): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const path of queue) {
    for (const next of graph.get(path) ?? []) {
      if (next === start) {
        const cycle = [start];
        for (let at = path; at !== start; at = cameFrom.get(at) as string) cycle.unshift(at);
        return [start, ...cycle.slice(0, -1), start];
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, path);
      queue.push(next);
    }
  }
  return null;
}

function deadExports(modules: readonly Module[], entries: ReadonlySet<string>): string[] {
  const used = new Set<string>();
  const tested = new Set<string>();
  for (const module of modules) {
    const into = module.path.startsWith('src/') && isTest(module.path) ? tested : used;
    for (const { target, names } of module.imports) for (const name of names) into.add(`${target} ${name}`);
  }
  const isDead = (module: Module, { name, isType }: Export): boolean => {
    if (used.has(`${module.path} ${name}`) || used.has(`${module.path} *`)) return false;
    // A type that another declaration of the file mentions is that declaration's vocabulary; a function that its
    // own file calls may be exported for its unit test.
    const mentions = module.bare.match(
      new RegExp(`(?<![\\w$.])${name.replaceAll('$', '\\$')}(?![\\w$])`, 'g'),
    );
    const mentioned = (mentions?.length ?? 0) >= 2;
    return !(mentioned && (isType || tested.has(`${module.path} ${name}`)));
  };
  return modules
    .filter((module) => isSource(module.path) && !entries.has(module.path))
    .flatMap((module) =>
      module.exports
        .filter((each) => isDead(module, each))
        .map((each) => `${module.path}:${each.line}: dead export ${each.name}`),
    );
}

function missingEntries(modules: readonly Module[], entries: ReadonlySet<string>): string[] {
  const missing = [...entries].filter((entry) => !modules.some((module) => module.path === entry));
  return missing.map((entry) => `package.json: no ${entry} behind an entry`);
}

function deadLinks({ path, text }: SourceFile, paths: ReadonlySet<string>): string[] {
  if (path !== 'README.md' && !/^docs\/.*\.md$/.test(path)) return [];
  const prose = text.replace(/^(```+)[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, ' '));
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const target = match[1].split('#')[0];
    if (target === '' || /^[a-z]+:/i.test(target)) return [];
    const linked = normalize(join(dirname(path), target))
      .replaceAll('\\', '/')
      .replace(/\/$/, '');
    const exists = paths.has(linked) || [...paths].some((each) => each.startsWith(`${linked}/`));
    const line = text.slice(0, match.index).split('\n').length;
    return exists ? [] : [`${path}:${line}: dead link ${match[1]}`];
  });
}

function bannedWords({ path, text }: SourceFile): string[] {
  return BANNED.filter((word) => text.includes(word)).map((word) => `${path}: contains ${word}`);
}

function longPlaces(module: Module): string[] {
  const lines = module.text.split('\n').length - 1;
  const functions = longFunctions(module, LONG_FUNCTION);
  return [
    ...(lines > LONG_FILE ? [`${module.path}: ${lines} lines`] : []),
    ...functions.map((each) => `${module.path}:${each.line}: ${each.name} has ${each.length} lines`),
  ];
}

/** The source files behind the `exports` and `bin` of a package.json. */
export function entriesOf(manifest: { exports?: unknown; bin?: unknown }): Set<string> {
  const paths =
    JSON.stringify([manifest.exports, manifest.bin]).match(/dist\/src\/[\w/.-]+?\.js(?=")/g) ?? [];
  return new Set(paths.map((path) => path.replace(/^dist\//, '').replace(/\.js$/, '.ts')));
}

function main(): void {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  const paths = list.toString().split('\0');
  const files = [...new Set(paths)]
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { problems, notes } = tidy(files, entriesOf(manifest));
  for (const note of notes) console.log(`look  ${note}`);
  for (const problem of problems) console.log(`FAIL  ${problem}`);
  console.log(`tidy: ${files.length} files, ${problems.length} problems, ${notes.length} places to look at`);
  if (problems.length > 0) process.exitCode = 1;
}

if (process.argv[1] !== undefined && relative(process.argv[1], fileURLToPath(import.meta.url)) === '') main();
