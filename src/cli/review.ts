// `holdfast review`: finds the cards or scripts that were named, and prints their checklists. What the points are stands
// in review/card.ts and review/script.ts. main.ts calls it.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as toolkit from '../workflows/index.ts';
import { Misuse, readArguments } from './arguments.ts';
import { type Place, reviewCard } from './review/card.ts';
import type { Point, Review } from './review/point.ts';
import { reviewScript } from './review/script.ts';
import { type Style, styled } from './style.ts';

/** Exit codes. */
const COMPLETE = 0;
const INCOMPLETE = 1;
const MISUSED = 2;

const MODULES = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']);

/** @param args what follows `review` */
export async function reviewProgram(args: readonly string[]): Promise<void> {
  let lines: readonly string[];
  let hasLoaded = false;
  try {
    const { values, positionals } = parsed(args);
    if (positionals.length === 0) throw new Misuse(`what? a file, or one of ${ownNames().join(', ')}`);
    const reviews: Review[] = [];
    for (const name of positionals) {
      hasLoaded ||= MODULES.has(extname(name));
      reviews.push(...(await reviewsOf(name)));
    }
    process.exitCode = reviews.every(({ complete }) => complete) ? COMPLETE : INCOMPLETE;
    lines = values.json === true ? [JSON.stringify(reviews, null, 2)] : reviews.flatMap(linesOf);
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    console.error(`holdfast: ${error.message}; see holdfast review --help`);
    process.exitCode = MISUSED;
    lines = [];
  }
  // A module that was loaded may have opened connections, which would keep this process for ever.
  const end = hasLoaded ? () => process.exit() : () => {};
  process.stdout.write(lines.map((line) => `${line}\n`).join(''), end);
}

function parsed(args: readonly string[]) {
  return readArguments(args, { json: { type: 'boolean' } });
}

async function reviewsOf(name: string): Promise<Review[]> {
  const kind = extname(name);
  if (kind !== '.lua' && !MODULES.has(kind)) return ownWorkflow(name);
  if (statSync(name, { throwIfNoEntry: false })?.isFile() !== true)
    throw new Misuse(`there is no file '${name}'`);
  if (kind === '.lua') return [reviewScript(name, readFileSync(name, 'utf8'), includesOf(name))];
  const cards = Object.values(await load(name)).filter(toolkit.isWorkflowCard);
  if (cards.length === 0) {
    throw new Misuse(`'${name}' exports no card: export const card = defineWorkflow({ ... })`);
  }
  const root = rootOf(dirname(resolve(name)));
  const place = { source: name, exists: (path: string) => existsSync(join(root, path)), isPackage: false };
  return cards.map((card) => reviewCard(card, place));
}

// ---- workflows of our own

const ownCards = () => Object.values(toolkit).filter(toolkit.isWorkflowCard);

const ownNames = (): string[] => ownCards().map(({ name }) => name);

function ownWorkflow(name: string): Review[] {
  const plain = (text: string): string => text.replaceAll('-', '').toLowerCase();
  const cards = ownCards().filter(
    (card) => plain(card.name) === plain(name) || plain(card.name).startsWith(`${plain(name)}.`),
  );
  if (cards.length === 0) {
    throw new Misuse(`'${name}' is neither .js, .ts or .lua nor one of ${ownNames().join(', ')}`);
  }
  const root = rootOf(dirname(fileURLToPath(import.meta.url)));
  const place: Place = {
    source: 'holdfast',
    exists: (path) => existsSync(join(root, path)),
    isPackage: !existsSync(join(root, 'test')),
  };
  return cards.map((card) => reviewCard(card, place));
}

// ---- files

/** The folder with the package.json of this one, or itself. */
function rootOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) return folder;
  }
}

/** A script finds its pieces in the folder `include` beside it. */
function includesOf(file: string): (name: string) => string | null {
  return (name) => {
    const piece = join(dirname(file), 'include', `${name}.lua`);
    return existsSync(piece) ? readFileSync(piece, 'utf8') : null;
  };
}

async function load(file: string): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      throw new Misuse(
        `this Node reads no TypeScript: NODE_OPTIONS='--import tsx' holdfast review ${file}, or review what is built from it`,
      );
    }
    throw new Misuse(`'${file}' cannot be loaded: ${message}`);
  }
}

// ---- showing

const MARKS: Readonly<Record<Point['state'], readonly [string, Style]>> = {
  yes: ['✔', 'green'],
  no: ['✘', 'red'],
  waived: ['–', 'yellow'],
};

function linesOf({ name, source, points, complete }: Review): string[] {
  const missing = points.filter(({ state }) => state === 'no').length;
  const title = name === source ? name : `${name} (${source})`;
  return [
    styled('bold', title),
    ...points.flatMap(pointLines),
    complete ? `${points.length} points, none missing` : `${points.length} points, ${missing} missing`,
    '',
  ];
}

function pointLines({ title, state, found, gaps }: Point): string[] {
  const [mark, style] = MARKS[state];
  return [
    `  ${styled(style, mark)} ${title}`,
    ...found.map((line) => styled('dim', `      ${line}`)),
    ...gaps.flatMap(({ missing, remedy }) => [
      `      ${styled(style, missing)}`,
      `      ${styled('dim', 'remedy:')} ${remedy}`,
    ]),
  ];
}
