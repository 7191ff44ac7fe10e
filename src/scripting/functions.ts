// Function libraries below their rows (commands/functions.ts): loads, deletes, dumps and restores them, and has their
// functions run. The world of libraries is opened with the first of them.
import type {
  EnginePort,
  FunctionsPort,
  LibraryInfo,
  RestorePolicy,
  SessionPort,
} from '../commands/ports.ts';
import { parseInt64 } from '../data/numbers.ts';
import { isQuick } from '../lua/index.ts';
import { dumpLibraries } from '../persistence/rdb/payload.ts';
import { type Reply, ReplyError } from '../resp/reply.ts';
import { listTable } from './convert.ts';
import { dumpedLibraries } from './dump.ts';
import { flagNames } from './flags.ts';
import { Libraries, type Library, type LibraryFunction, libraryName } from './library.ts';
import { LibraryWorld } from './library-world.ts';
import type { Runnable, Runner } from './runner.ts';

const NOT_FOUND = new ReplyError('ERR Function not found');
const BAD_KEYS = new ReplyError('ERR Bad number of keys provided');
const TOO_MANY_KEYS = new ReplyError("ERR Number of keys can't be greater than number of args");
const NEGATIVE_KEYS = new ReplyError("ERR Number of keys can't be negative");

/** Where the keys of FCALL begin. */
const FIRST_KEY = 3;

/** Most names that are kept as they were spelled. */
const MOST_SPELLED = 1024;

export class Functions implements FunctionsPort {
  private readonly engine: EnginePort;
  private readonly runner: Runner;
  private current = Libraries.NONE;
  private opened: LibraryWorld | null = null;
  /** Functions as this database runs them: forks share libraries, and run each in a world of their own. */
  private readonly runnables = new WeakMap<LibraryFunction, Runnable>();
  /** The same by names as FCALL spells them, until the libraries change. */
  private readonly spelled = new Map<string, Runnable>();

  constructor(engine: EnginePort, runner: Runner) {
    this.engine = engine;
    this.runner = runner;
  }

  /** All that is loaded, for snapshots. */
  get libraries(): Libraries {
    return this.current;
  }

  /** Takes what a snapshot holds, of this database or of another. */
  adopt(libraries: Libraries): void {
    this.put(libraries);
  }

  load(code: string, replace: boolean): string {
    const name = libraryName(code);
    if (!replace && this.current.get(name) !== undefined)
      throw new ReplyError(`ERR Library '${name}' already exists`);
    this.replaceAll(this.current.with(this.define(code)));
    return name;
  }

  delete(name: string): boolean {
    const library = this.current.get(name);
    if (library === undefined) return false;
    this.replaceAll(this.current.without(library));
    return true;
  }

  flush(): void {
    this.replaceAll(Libraries.NONE);
  }

  list(): LibraryInfo[] {
    return [...this.current.all()].map(({ name, code, functions }) => ({
      name,
      code,
      functions: functions.map((f) => ({
        name: f.name,
        description: f.description,
        flags: flagNames(f.flags),
      })),
    }));
  }

  dump(): string {
    return dumpLibraries([...this.current.all()].map(({ code }) => code));
  }

  restore(payload: string, policy: RestorePolicy): void {
    let incoming = Libraries.NONE;
    for (const code of dumpedLibraries(payload)) {
      const name = libraryName(code);
      if (incoming.get(name) !== undefined) throw new ReplyError(`ERR Library '${name}' already exists`);
      incoming = incoming.with(this.define(code));
    }
    if (policy === 'flush') {
      this.replaceAll(incoming);
      return;
    }
    const libraries = [...incoming.all()];
    const known = libraries.find(({ name }) => this.current.get(name) !== undefined);
    if (known !== undefined && policy === 'append')
      throw new ReplyError(`ERR Library ${known.name} already exists`);
    this.replaceAll(this.current.with(...libraries));
  }

  get counts(): { libraries: number; functions: number } {
    return { libraries: this.current.size, functions: this.current.functionCount };
  }

  kill(): Reply {
    return this.runner.kill('function');
  }

  call(session: SessionPort, args: readonly string[], readOnly: boolean): Reply {
    const runnable = this.spelled.get(args[1]) ?? this.find(args[1]);
    if (runnable === undefined) return NOT_FOUND;
    const keys = parseInt64(args[2]);
    if (keys === null) return BAD_KEYS;
    if (keys > args.length - FIRST_KEY) return TOO_MANY_KEYS;
    if (keys < 0) return NEGATIVE_KEYS;
    const firstArg = FIRST_KEY + Number(keys);
    const parameters = [listTable(args, FIRST_KEY, firstArg), listTable(args, firstArg, args.length)];
    return this.runner.run(runnable, session, this.world.state, parameters, readOnly, args);
  }

  private get world(): LibraryWorld {
    this.opened ??= new LibraryWorld(this.runner);
    return this.opened;
  }

  private define(code: string): Library {
    const { library, callbacks } = this.world.load(code);
    for (const [entry, run] of callbacks) this.keep(entry, run);
    return library;
  }

  private find(name: string): Runnable | undefined {
    const found = this.current.find(name);
    if (found === undefined) return undefined;
    const { library, entry } = found;
    // Another database has loaded it.
    if (!this.runnables.has(entry)) for (const [own, run] of this.world.adopt(library)) this.keep(own, run);
    const runnable = this.runnables.get(entry) as Runnable;
    if (this.spelled.size < MOST_SPELLED) this.spelled.set(name, runnable);
    return runnable;
  }

  private keep(entry: LibraryFunction, run: Runnable['run']): void {
    this.runnables.set(entry, {
      kind: 'function',
      name: entry.name,
      flags: entry.flags,
      compatible: false,
      run,
      quick: isQuick(run),
    });
  }

  private replaceAll(libraries: Libraries): void {
    const before = this.current;
    this.put(libraries);
    // A transaction that is undone undoes this as well.
    this.engine.space.journal?.push(() => this.put(before));
  }

  private put(libraries: Libraries): void {
    this.current = libraries;
    this.spelled.clear();
  }
}
