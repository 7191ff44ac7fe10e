// `db.functions`: function libraries in process, typed, beside the commands FUNCTION LOAD, LIST… which it calls.
import type { FunctionStats, ListedLibrary } from '../commands/functions.ts';
import type { Arg } from '../commands/spec.ts';

export interface LoadOptions {
  /** Puts the library in place of one that has its name; without it that is an error. */
  readonly replace?: boolean;
}

export interface ListOptions {
  /** Only libraries whose name matches this glob. */
  readonly name?: string;
  /** With the code of each. */
  readonly code?: boolean;
}

/** A library that is loaded. */
export interface FunctionLibrary {
  readonly name: string;
  readonly engine: string;
  readonly functions: readonly {
    readonly name: string;
    readonly description: string | null;
    readonly flags: readonly string[];
  }[];
  /** Where it was asked for. */
  readonly code?: string;
}

/** How many libraries and functions there are, and the function that runs right now. */
export interface FunctionCounts {
  readonly libraries: number;
  readonly functions: number;
  readonly running: {
    readonly name: string;
    readonly command: readonly string[];
    readonly milliseconds: number;
  } | null;
}

/** What they need of a client. */
interface Caller {
  call(name: string, ...args: Arg[]): unknown;
  readonly buffers: { functionDump(): Uint8Array };
}

/** The function libraries of a database. Errors are those of the commands: HoldfastError. */
export class FunctionLibraries {
  private readonly client: Caller;

  /** @internal Use `db.functions`. */
  constructor(client: Caller) {
    this.client = client;
  }

  /** Loads a library from its text, which begins with `#!lua name=…`; answers the name. */
  load(code: string | Uint8Array, { replace = false }: LoadOptions = {}): string {
    return this.client.call('FUNCTION', 'LOAD', ...(replace ? ['REPLACE'] : []), code) as string;
  }

  /** @throws HoldfastError where there is no such library */
  delete(name: string): void {
    this.client.call('FUNCTION', 'DELETE', name);
  }

  /** Deletes all libraries. */
  flush(): void {
    this.client.call('FUNCTION', 'FLUSH');
  }

  list({ name, code = false }: ListOptions = {}): FunctionLibrary[] {
    const options = [...(name === undefined ? [] : ['LIBRARYNAME', name]), ...(code ? ['WITHCODE'] : [])];
    const found = this.client.call('FUNCTION', 'LIST', ...options) as ListedLibrary[];
    return found.map(({ library_name, engine, functions, library_code }) => ({
      name: library_name,
      engine,
      functions: functions.map((f) => ({ name: f.name, description: f.description, flags: f.flags })),
      ...(library_code === undefined ? {} : { code: library_code }),
    }));
  }

  /** All libraries in the form of Redis' FUNCTION DUMP. */
  dump(): Uint8Array {
    return this.client.buffers.functionDump();
  }

  /**
   * Loads what {@link dump} answered, all of it or nothing.
   * @param policy what happens to libraries that are there: `append` (a name that is taken is an error),
   *   `replace` those of the same name, or `flush` all
   */
  restore(payload: Uint8Array, policy: 'append' | 'replace' | 'flush' = 'append'): void {
    this.client.call('FUNCTION', 'RESTORE', payload, policy);
  }

  stats(): FunctionCounts {
    const { running_script: running, engines } = this.client.call('FUNCTION', 'STATS') as FunctionStats;
    return {
      libraries: engines.LUA.libraries_count,
      functions: engines.LUA.functions_count,
      running:
        running === null
          ? null
          : { name: running.name, command: running.command, milliseconds: running.duration_ms },
    };
  }
}
