// What the server is told at its start: redis.conf's syntax and the command line's `--directive value…`, read
// into values that Config takes. Reading files is a port, so that this is tested without any; cli/main.ts calls it.
import { globMatch } from '../data/glob.ts';
import { Unfit } from '../engine/directive-kinds.ts';
import { DIRECTIVE_NAMES, DIRECTIVES, directiveName } from '../engine/directives.ts';
import { asksNothing, UNSUPPORTED_NAMES, unsupportedDirective } from '../engine/unsupported-directives.ts';
import { utf8Decode, utf8Encode } from '../resp/bytes.ts';
import { splitInline } from '../resp/decode.ts';

/** What is wrong, in one line that names the directive and the place. */
export class ConfigurationError extends Error {}

export interface Files {
  /** Contents as a byte string. Throws when it cannot be read. */
  read(path: string): string;
  /** Names of a folder's entries; none when there is no such folder. */
  list(folder: string): readonly string[];
}

export interface Configuration {
  /** Directives by their present names, as Config takes them. */
  readonly values: Readonly<Record<string, string>>;
  /** One line for each directive that has no effect. */
  readonly warnings: readonly string[];
}

interface Line {
  /** `redis.conf:12`, or `--port` for the command line. */
  readonly where: string;
  readonly words: readonly string[];
}

/**
 * Reads `[redis.conf] [--directive value…]`; the command line comes last and so wins.
 * @throws ConfigurationError
 */
export function readConfiguration(args: readonly string[], files: Files): Configuration {
  const reader = new Reader(files);
  let rest = args;
  if (args.length > 0 && !args[0].startsWith('-')) {
    reader.file(args[0]);
    rest = args.slice(1);
  }
  for (const line of commandLine(rest)) reader.line(line);
  return { values: reader.values, warnings: reader.warnings };
}

/** Directives of the command line. `--name` is followed by values up to the next `--`. */
export function commandLine(args: readonly string[]): Line[] {
  const lines: { where: string; words: string[] }[] = [];
  // Right behind a name there must be a value, whatever it looks like; only `--save` may go without.
  let wantsValue = false;
  for (const [i, arg] of args.entries()) {
    if (arg.startsWith('--') && !wantsValue) {
      const words = splitInline(utf8Encode(arg.slice(2)));
      if (words === null || words.length === 0) throw new ConfigurationError(`unbalanced quotes in '${arg}'`);
      const name = words[0].toLowerCase();
      lines.push({ where: `--${name}`, words });
      wantsValue = words.length === 1;
      if (wantsValue && name === 'save' && (args[i + 1] ?? '--').startsWith('--')) {
        words.push('');
        wantsValue = false;
      }
    } else if (lines.length === 0) {
      throw new ConfigurationError(`'${arg}' is no option: options look like --port 6379`);
    } else {
      (lines.at(-1) as Line & { words: string[] }).words.push(utf8Encode(arg));
      wantsValue = false;
    }
  }
  return lines;
}

/** Directives of a redis.conf: one a line, words quoted as in inline commands, `#` comments. */
export function fileLines(name: string, contents: string): Line[] {
  const lines: Line[] = [];
  for (const [i, raw] of contents.split('\n').entries()) {
    const line = raw.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
    if (line === '' || line.startsWith('#')) continue;
    const where = `${name}:${i + 1}`;
    const words = splitInline(line);
    if (words === null) throw new ConfigurationError(`${where}: unbalanced quotes`);
    if (words.length > 0) lines.push({ where, words });
  }
  return lines;
}

class Reader {
  readonly values: Record<string, string> = {};
  readonly warnings: string[] = [];
  private readonly files: Files;
  /** Files being read: one that includes itself would never end. */
  private readonly open: string[] = [];

  constructor(files: Files) {
    this.files = files;
  }

  file(path: string, from = ''): void {
    if (this.open.includes(path)) throw new ConfigurationError(`${from}: '${path}' includes itself`);
    let contents: string;
    try {
      contents = this.files.read(path);
    } catch (error) {
      const why =
        (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
      throw new ConfigurationError(`${from === '' ? '' : `${from}: `}cannot read '${path}': ${why}`);
    }
    this.open.push(path);
    for (const line of fileLines(path, contents)) this.line(line);
    this.open.pop();
  }

  line({ where, words: [given, ...words] }: Line): void {
    const name = directiveName(given);
    if (name !== undefined) this.set(name, words, where);
    else if (given.toLowerCase() === 'include') this.include(words, where);
    else {
      const instead = unsupportedDirective(given);
      if (instead === null) throw unknown(given, where);
      if (asksNothing(given, words)) return;
      this.warnings.push(`${place(where, given)} has no effect: ${instead}`);
    }
  }

  private set(name: string, words: readonly string[], where: string): void {
    const { kind, initial } = DIRECTIVES[name];
    if (words.length === 0 || (words.length > 1 && !kind.many)) {
      const given = words.length === 0 ? 'nothing is given' : `${words.length} words are given`;
      throw new ConfigurationError(`${place(where, name)} takes ${kind.accepts}; ${given}`);
    }
    const parsed = kind.parse(words, this.values[name] ?? initial);
    if (parsed instanceof Unfit) {
      throw new ConfigurationError(
        `${place(where, name)} takes ${kind.accepts}; not '${utf8Decode(words.join(' '))}'`,
      );
    }
    const before = this.values[name] ?? '';
    this.values[name] = kind.addsUp && parsed !== '' && before !== '' ? `${before} ${parsed}` : parsed;
  }

  // Paths are relative to the working directory, as in Redis. A pattern that matches nothing is nothing.
  private include(words: readonly string[], where: string): void {
    if (words.length !== 1) throw new ConfigurationError(`${place(where, 'include')} takes one path`);
    const path = utf8Decode(words[0]);
    const slash = path.lastIndexOf('/');
    const last = path.slice(slash + 1);
    if (!/[*?[]/.test(path)) {
      this.file(path, where);
      return;
    }
    if (/[*?[]/.test(path.slice(0, slash + 1))) {
      throw new ConfigurationError(`${place(where, 'include')} takes patterns in the file's name only`);
    }
    const folder = path.slice(0, slash + 1);
    const names = this.files.list(folder === '' ? '.' : folder).filter((name) => globMatch(last, name));
    for (const name of names.toSorted()) {
      if (!name.startsWith('.') || last.startsWith('.')) this.file(folder + name, where);
    }
  }
}

// On the command line the place is the directive itself.
const place = (where: string, name: string): string => (where.startsWith('--') ? where : `${where}: ${name}`);

function unknown(given: string, where: string): ConfigurationError {
  const name = given.toLowerCase();
  const [before, value] = name.split('=', 2);
  if (value !== undefined && directiveName(before) !== undefined) {
    return new ConfigurationError(`${place(where, given)}: write --${before} ${value}, with a space`);
  }
  const best = nearest(name, [...DIRECTIVE_NAMES, ...UNSUPPORTED_NAMES, 'include']);
  const hint = best === null ? '' : `: did you mean '${best}'?`;
  const at = where.startsWith('--') ? 'on the command line' : `at ${where}`;
  return new ConfigurationError(`unknown directive '${utf8Decode(given)}' ${at}${hint}`);
}

/** The name that takes the fewest edits, when these are few. */
export function nearest(name: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let fewest = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const edits = distance(name, candidate);
    if (edits < fewest) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

// Levenshtein, one row at a time.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
