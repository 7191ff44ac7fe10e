// Function libraries: what the first line of a library says, the library with its functions, and the set of all that are
// loaded. Libraries and sets never change: a command makes a new set and puts it in place of the old one, so that it has
// an effect as a whole or none, and a snapshot or a rollback is the set of before. Used by functions.ts.
import { splitInline } from '../resp/decode.ts';
import { ReplyError } from '../resp/reply.ts';

/** A function as the library registered it. */
export interface LibraryFunction {
  readonly name: string;
  readonly description: string | null;
  /** Bits of {@link ScriptFlag}. */
  readonly flags: number;
}

export interface Library {
  readonly name: string;
  /** The whole text, first line included. */
  readonly code: string;
  readonly functions: readonly LibraryFunction[];
}

const NAME = /^[A-Za-z0-9_]+$/;

/** Redis says so of a function's name as well. */
export const WRONG_NAME =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long';

export function isName(text: string): boolean {
  return NAME.test(text);
}

const error = (text: string): ReplyError => new ReplyError(`ERR ${text}`);

/** Up to its first NUL byte: how C prints a text. */
const printed = (text: string): string => text.split('\0', 1)[0];

/**
 * The library's name, which the first line `#!lua name=mylib` gives.
 * @throws ReplyError what FUNCTION LOAD answers
 */
export function libraryName(code: string): string {
  if (!code.startsWith('#!')) throw error('Missing library metadata');
  const end = code.indexOf('\n');
  const header = code.slice(0, Math.max(0, end));
  // To C the text ends at a NUL byte.
  if (end < 0 || header.includes('\0')) throw error('Invalid library metadata');
  const words = splitInline(header);
  if (words === null) throw error('Invalid library metadata');
  let name: string | null = null;
  for (const word of words.slice(1)) {
    if (word.slice(0, 5).toLowerCase() !== 'name=') {
      throw error(`Invalid metadata value given: ${printed(word)}`);
    }
    if (name !== null) throw error('Invalid metadata value, name argument was given multiple times');
    name = word.slice(5);
  }
  if (name === null) throw error('Library name was not given');
  if (!isName(name)) throw error(WRONG_NAME);
  const engine = words[0].slice(2);
  if (engine.toLowerCase() !== 'lua') throw error(`Engine '${engine}' not found`);
  return name;
}

/** A function with the library it is of. */
export interface Registered {
  readonly library: Library;
  readonly entry: LibraryFunction;
}

/** All libraries that are loaded, in the order in which they came. */
export class Libraries {
  static readonly NONE = new Libraries(new Map(), new Map());

  private readonly byName: ReadonlyMap<string, Library>;
  /** By the function's name in lower case: FCALL takes any. */
  private readonly byFunction: ReadonlyMap<string, Registered>;

  private constructor(byName: ReadonlyMap<string, Library>, byFunction: ReadonlyMap<string, Registered>) {
    this.byName = byName;
    this.byFunction = byFunction;
  }

  get size(): number {
    return this.byName.size;
  }

  get functionCount(): number {
    return this.byFunction.size;
  }

  get(name: string): Library | undefined {
    return this.byName.get(name);
  }

  all(): IterableIterator<Library> {
    return this.byName.values();
  }

  /** The function of a name in any case. */
  find(name: string): Registered | undefined {
    return this.byFunction.get(name.toLowerCase());
  }

  /**
   * With these libraries added, each in place of the one of its name.
   * @throws ReplyError where a function has the name of one in another library
   */
  with(...added: readonly Library[]): Libraries {
    const byName = new Map(this.byName);
    const byFunction = new Map(this.byFunction);
    for (const { name } of added) {
      const old = byName.get(name);
      if (old === undefined) continue;
      byName.delete(name);
      for (const entry of old.functions) byFunction.delete(entry.name.toLowerCase());
    }
    for (const library of added) {
      byName.set(library.name, library);
      for (const entry of library.functions) {
        const key = entry.name.toLowerCase();
        if (byFunction.has(key)) throw error(`Function ${entry.name} already exists`);
        byFunction.set(key, { library, entry });
      }
    }
    return new Libraries(byName, byFunction);
  }

  without(library: Library): Libraries {
    const byName = new Map(this.byName);
    const byFunction = new Map(this.byFunction);
    byName.delete(library.name);
    for (const entry of library.functions) byFunction.delete(entry.name.toLowerCase());
    return new Libraries(byName, byFunction);
  }
}
