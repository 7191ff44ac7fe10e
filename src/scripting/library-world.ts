// The two Lua worlds of function libraries. To the code that runs while a library is loaded, Redis shows little: a table
// `redis` with register_function, log and constants, and no other global. To functions that are called it shows all
// that scripts have but KEYS and ARGV. Both are the same code with the same local variables.
//
// So a library runs twice when it is loaded: first in a world that has that little, where whatever it may not do is an
// error; then in the world of calls, where its functions stay. Since nothing is within its reach while it loads, the
// second run can do nothing that the first did not. Used by functions.ts.
import {
  begin,
  callLua,
  compile,
  freeze,
  LuaError,
  type LuaFunction,
  type LuaHost,
  LuaState,
  LuaTable,
  type LuaValue,
  NeedsSuspendable,
  NOTHING,
  native,
  resume,
} from '../lua/index.ts';
import { formatNumber } from '../lua/number.ts';
import { siteAt } from '../lua/positions.ts';
import { ReplyError } from '../resp/reply.ts';
import { openLog, openRedis, openVersion } from './api.ts';
import { cText, errorTable } from './convert.ts';
import { flagBit } from './flags.ts';
import { isName, type Library, type LibraryFunction, libraryName, WRONG_NAME } from './library.ts';
import type { Runner } from './runner.ts';
import { openWorld, unknownGlobal } from './world.ts';

/** What `redis` is called by, in both worlds. */
const REDIS = ['redis', 'server'];

/** Display name of libraries, as messages show it. */
const CHUNK = 'user_function';

/** Longest that the code of a library may run while it is loaded. */
const LOAD_LIMIT_MS = 500;
/** Steps between two looks at the clock. */
const LOAD_SLICE = 100_000;

/** What a library has registered so far, by name. */
type Registered = Map<string, { readonly entry: LibraryFunction; readonly callback: LuaFunction }>;

export class LibraryWorld {
  /** The world that functions are called in. */
  readonly state: LuaState;
  private readonly runner: Runner;
  private readonly atLoad: LuaState;
  private readonly redisAtCall: LuaTable;
  private readonly redisAtLoad: LuaTable;
  /** Where register_function puts functions; null while no library is being loaded. */
  private registered: Registered | null = null;
  private deadline = 0;

  constructor(runner: Runner) {
    this.runner = runner;
    this.redisAtCall = openRedis(runner);
    this.state = openWorld(runner, this.redisAtCall, REDIS);
    for (const place of REDIS.keys()) this.state.usual[place] = this.redisAtCall;
    const globals = new LuaTable();
    const host: LuaHost = {
      clock: () => runner.execution.clock(),
      tick: () => this.tick(),
      charge: (bytes) => runner.execution.charge(bytes),
    };
    this.atLoad = new LuaState(host, globals);
    const metatable = new LuaTable();
    metatable.set('__index', unknownGlobal(this.atLoad));
    const first = this.openLoadRedis(metatable, (level, message) => runner.log(level, message));
    for (const name of REDIS) globals.set(name, first);
    globals.metatable = metatable;
    this.atLoad.stringMeta = this.state.stringMeta;
    freeze(this.atLoad);
    // What it logs was logged by the first run.
    this.redisAtLoad = this.openLoadRedis(metatable, (level, message) => {
      if (this.registered === null) runner.log(level, message);
    });
    this.redisAtLoad.makeReadOnly();
    this.useRedis(this.redisAtCall);
  }

  /**
   * Runs the code of a library; answers the library and its functions in Lua.
   * @throws ReplyError what FUNCTION LOAD answers
   */
  load(code: string): { library: Library; callbacks: ReadonlyMap<LibraryFunction, LuaFunction> } {
    const name = libraryName(code);
    const body = code.slice(code.indexOf('\n'));
    const main = compiled(this.atLoad, body);
    this.deadline = this.runner.execution.clock() + LOAD_LIMIT_MS / 1000;
    this.atLoad.fuel = LOAD_SLICE;
    const { size } = this.register(this.atLoad, main);
    if (size === 0) throw new ReplyError('ERR No functions registered');
    const found = this.registerForCalls(body);
    return {
      library: { name, code, functions: [...found.values()].map(({ entry }) => entry) },
      callbacks: new Map([...found.values()].map(({ entry, callback }) => [entry, callback])),
    };
  }

  /** The functions of a library that another database has loaded: its code runs here as well. */
  adopt(library: Library): ReadonlyMap<LibraryFunction, LuaFunction> {
    const found = this.registerForCalls(library.code.slice(library.code.indexOf('\n')));
    const callbacks = new Map<LibraryFunction, LuaFunction>();
    for (const entry of library.functions) {
      const own = found.get(entry.name);
      if (own !== undefined) callbacks.set(entry, own.callback);
    }
    return callbacks;
  }

  private registerForCalls(body: string): Registered {
    const { state } = this;
    const main = compiled(state, body);
    this.useRedis(this.redisAtLoad);
    // The first run ended in time, and this one takes as long: far fewer steps than this.
    state.fuel = 2 ** 30 - 1;
    try {
      return this.register(state, main);
    } finally {
      state.fuel = 0;
      this.useRedis(this.redisAtCall);
    }
  }

  private useRedis(table: LuaTable): void {
    REDIS.forEach((_, i) => {
      this.state.setInput(i, table);
    });
  }

  private register(state: LuaState, main: LuaFunction): Registered {
    this.registered = new Map();
    try {
      try {
        callLua(state, main, []);
      } catch (error) {
        if (!(error instanceof NeedsSuspendable)) throw error;
        this.registered = new Map();
        const driver = begin(main, []);
        while (!resume(state, driver));
      }
      return this.registered;
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      throw new ReplyError(`ERR Error registering functions: ${cText(messageOf(error.value))}`);
    } finally {
      this.registered = null;
    }
  }

  private tick(): number {
    if (this.runner.execution.clock() > this.deadline) raise('FUNCTION LOAD timeout');
    return LOAD_SLICE;
  }

  // The table `redis` while a library is loaded.
  private openLoadRedis(metatable: LuaTable, log: (level: number, message: string) => void): LuaTable {
    const table = new LuaTable();
    table.set(
      'register_function',
      native((...args: LuaValue[]) => {
        this.registerFunction(args);
        return NOTHING;
      }),
    );
    openLog(table, { log });
    openVersion(table);
    table.metatable = metatable;
    return table;
  }

  private registerFunction(args: LuaValue[]): void {
    const { registered } = this;
    if (registered === null) {
      raise('redis.register_function can only be called on FUNCTION LOAD command');
      return;
    }
    const { entry, callback } = readArguments(args);
    if (!isName(entry.name)) raise(WRONG_NAME);
    if (registered.has(entry.name)) raise('Function already exists in the library');
    registered.set(entry.name, { entry, callback });
  }
}

function compiled(state: LuaState, body: string): LuaFunction {
  try {
    return compile(state, body, CHUNK, { persistent: true });
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
    throw new ReplyError(`ERR Error compiling function: ${cText(String(error.value))}`);
  }
}

// Redis' own errors are tables that have their code, those of Lua get one.
function messageOf(value: LuaValue): string {
  const text = value instanceof LuaTable ? value.field('err') : value;
  const known = textOf(text);
  if (known === null) return 'ERR unknown error';
  return value instanceof LuaTable ? known : `ERR ${known}`;
}

function raise(text: string): never {
  throw new LuaError(errorTable(`ERR ${text}`, false), siteAt(1));
}

/** As lua_isstring and lua_tostring see it: numbers are strings, too. */
function textOf(value: LuaValue): string | null {
  return typeof value === 'string' ? value : typeof value === 'number' ? formatNumber(value) : null;
}

function readArguments(args: readonly LuaValue[]): { entry: LibraryFunction; callback: LuaFunction } {
  if (args.length !== 1 && args.length !== 2) raise('wrong number of arguments to redis.register_function');
  if (args.length === 1) return readNamed(args[0]);
  const name = textOf(args[0]);
  const [, callback] = args;
  if (name === null) raise('first argument to redis.register_function must be a string');
  if (typeof callback !== 'function') raise('second argument to redis.register_function must be a function');
  return { entry: { name, description: null, flags: 0 }, callback };
}

// Names of arguments and flags end at a NUL byte, and their case does not count. A library has no way to make
// metatables while it loads: the fields are the table's own.
function readNamed(table: LuaValue): { entry: LibraryFunction; callback: LuaFunction } {
  if (!(table instanceof LuaTable)) {
    raise(
      'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).',
    );
  }
  let name: string | null = null;
  let description: string | null = null;
  let callback: LuaFunction | null = null;
  let flags = 0;
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
    const argument = textOf(key);
    if (argument === null) raise('named argument key given to redis.register_function is not a string');
    const value = table.get(key);
    switch (cText(argument).toLowerCase()) {
      case 'function_name':
        name = textOf(value);
        if (name === null) raise('function_name argument given to redis.register_function must be a string');
        break;
      case 'description':
        description = textOf(value);
        if (description === null) {
          raise('description argument given to redis.register_function must be a string');
        }
        break;
      case 'callback':
        if (typeof value !== 'function') {
          raise('callback argument given to redis.register_function must be a function');
        }
        callback = value;
        break;
      case 'flags':
        flags = readFlags(value);
        break;
      default:
        raise('unknown argument given to redis.register_function');
    }
  }
  if (name === null) raise('redis.register_function must get a function name argument');
  if (callback === null) raise('redis.register_function must get a callback argument');
  return { entry: { name, description, flags }, callback };
}

function readFlags(table: LuaValue): number {
  if (!(table instanceof LuaTable)) {
    raise('flags argument to redis.register_function must be a table representing function flags');
  }
  let flags = 0;
  for (let i = 1; ; i++) {
    const value = table.get(i);
    if (value === undefined) return flags;
    const bit = flagBit(cText(textOf(value) ?? '').toLowerCase());
    if (bit === 0) raise('unknown flag given');
    flags |= bit;
  }
}
