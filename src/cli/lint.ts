// `holdfast lint`: reads files and folders, prints what the rules of src/lint find, in words or as JSON. main.ts calls
// it.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Finding, isLinted, lint, RULES, type Severity } from '../lint/index.ts';
import { Misuse, readArguments } from './arguments.ts';
import { type Style, styled } from './style.ts';

/** Exit codes. */
const CLEAN = 0;
const FOUND = 1;
const MISUSED = 2;

/** Folders that hold what others have written, or what was built. */
const LEFT_OUT = new Set(['node_modules', 'dist', '.git']);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @param args what follows `lint` */
export async function lintProgram(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = run(args);
  } catch (error) {
    // What the file system refuses has a code: a folder that may not be read, a name that is too long.
    const isRefusal = typeof (error as NodeJS.ErrnoException).code === 'string';
    if (!(error instanceof Misuse) && !isRefusal) throw error;
    const more = isRefusal ? '' : '; see holdfast lint --help';
    console.error(`holdfast: ${(error as Error).message}${more}`);
    process.exitCode = MISUSED;
  }
}

function run(args: readonly string[]): number {
  const { values, positionals } = parsed(args);
  if (values.rules === true) {
    tellRules(values.json === true);
    return CLEAN;
  }
  if (positionals.length === 0) throw new Misuse('which files?');
  const files = positionals.flatMap(filesOf);
  const findings = files.flatMap((file) => lint(file, textOf(file), includesOf(file)));
  if (values.json === true) say(JSON.stringify(findings, null, 2));
  else tell(findings, files.length);
  return findings.length === 0 ? CLEAN : FOUND;
}

function parsed(args: readonly string[]) {
  return readArguments(args, { json: { type: 'boolean' }, rules: { type: 'boolean' } });
}

/** A file that is named is read whatever it is called; of a folder, what the linter knows. */
function filesOf(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new Misuse(`there is no '${path}'`);
  if (!stats.isDirectory()) {
    if (!isLinted(path))
      throw new Misuse(`'${path}' is neither Lua, nor a document, nor code that lint reads`);
    return [path];
  }
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : filesOf(inner);
      return entry.isFile() && isLinted(inner) ? [inner] : [];
    });
}

const textOf = (file: string): string => readFileSync(file, 'utf8');

/** A script finds its pieces in the folder `include` beside it. */
function includesOf(file: string): (name: string) => string | null {
  return (name) => {
    const piece = join(dirname(file), 'include', `${name}.lua`);
    return existsSync(piece) ? textOf(piece) : null;
  };
}

const STYLES: Readonly<Record<Severity, Style>> = { error: 'red', warning: 'yellow' };

function tell(findings: readonly Finding[], files: number): void {
  for (const { file, line, column, severity, rule, message, why, remedy } of findings) {
    const place = styled('bold', `${file}:${line}:${column}`);
    say(`${place}  ${styled(STYLES[severity], severity)}  ${styled('cyan', rule)}  ${message}`);
    say(styled('dim', `    why:    ${why}`));
    say(styled('dim', `    remedy: ${remedy}`));
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const what = `${count(errors, 'error')}, ${count(findings.length - errors, 'warning')}`;
  say(`${count(files, 'file')}: ${findings.length === 0 ? 'nothing found' : what}`);
}

function tellRules(asJson: boolean): void {
  if (asJson) {
    say(
      JSON.stringify(
        RULES.map(({ id, severity, why, remedy }) => ({ id, severity, why, remedy })),
        null,
        2,
      ),
    );
    return;
  }
  for (const { id, severity, why, remedy } of RULES) {
    say(`${styled('cyan', id)}  ${styled(STYLES[severity], severity)}`);
    say(`    why:    ${why}`);
    say(`    remedy: ${remedy}`);
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
