// Lua 5.1 for the rooms above: worlds, compiling, running. Used by scripting and by the tests that compare
// with the program lua5.1.
import { compileChunk } from './compile.ts';
import { Coroutine, Driver } from './driver.ts';
import { isMemoryError, NeedsSuspendable } from './escalate.ts';
import { openBase } from './lib-base.ts';
import { openBit } from './lib-bit.ts';
import { openCjson } from './lib-cjson.ts';
import { openCmsgpack } from './lib-cmsgpack.ts';
import { openCoroutine } from './lib-coroutine.ts';
import { type MathRandom, openMath } from './lib-math.ts';
import { openOs } from './lib-os.ts';
import { openString } from './lib-string.ts';
import { openStruct } from './lib-struct.ts';
import { openTable } from './lib-table.ts';
import { chunkId, SYNTAX_ID_SIZE } from './parser.ts';
import { enter, type LuaState } from './state.ts';
import { currentEpoch, LuaTable } from './table.ts';
import { LuaError, type LuaFunction, type LuaResult, type LuaValue } from './value.ts';

export { isQuick } from './compile.ts';
export { Driver } from './driver.ts';
export { NeedsSuspendable } from './escalate.ts';
export { type LuaHost, LuaState } from './state.ts';
export { LuaTable } from './table.ts';
export * from './value.ts';

/** Fills the globals with Lua's libraries and those that Redis adds: cjson, cmsgpack, bit, struct. */
export function openLibraries(state: LuaState, random: MathRandom): void {
  openBase(state, (source, name) =>
    compileChunk(state, source, chunkId(name), chunkId(name, SYNTAX_ID_SIZE), false, 1),
  );
  const { globals } = state;
  const string = openString(state);
  globals.set('string', string);
  globals.set('table', openTable(state));
  globals.set('math', openMath(state, random));
  globals.set('coroutine', openCoroutine(state));
  globals.set('os', openOs(state));
  globals.set('cjson', openCjson(state));
  globals.set('cmsgpack', openCmsgpack(state));
  globals.set('bit', openBit(state));
  globals.set('struct', openStruct(state));
  state.stringMeta = new LuaTable();
  state.stringMeta.set('__index', string);
}

/** Makes the globals, all tables in them and the metatable of strings read-only. */
export function freeze(state: LuaState): void {
  const seen = new Set<LuaTable>();
  const visit = (table: LuaTable): void => {
    if (seen.has(table)) return;
    seen.add(table);
    for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
      const value = table.get(key);
      if (value instanceof LuaTable) visit(value);
    }
    if (table.metatable !== null) visit(table.metatable);
    table.makeReadOnly();
  };
  visit(state.globals);
  if (state.stringMeta !== null) visit(state.stringMeta);
  state.frozen = true;
}

export interface CompileOptions {
  /** What the chunk's functions keep lives on between runs (a function library), and can be undone. */
  readonly persistent?: boolean;
}

/**
 * Compiles a chunk; the function may be called any number of times.
 * @param name display name, as in messages: `user_script`
 * @throws LuaError with Lua's text
 */
export function compile(
  state: LuaState,
  source: string,
  name: string,
  options: CompileOptions = {},
): LuaFunction {
  return compileChunk(state, source, name, name, options.persistent === true, 0);
}

/**
 * Runs a function to its end, at full speed.
 * @throws LuaError; NeedsSuspendable when it must be run again with {@link begin} (all its effects undone)
 */
export function callLua(state: LuaState, f: LuaFunction, args: readonly LuaValue[]): LuaResult {
  const before = enter(state);
  try {
    return f(...args);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    if (isMemoryError(error)) throw new LuaError('not enough memory');
    throw new NeedsSuspendable('depth');
  } finally {
    enter(before);
  }
}

/** Begins a run that can pause: see {@link Driver}, whose resume {@link resume} calls. */
export function begin(f: LuaFunction, args: readonly LuaValue[], directDepth?: number): Driver {
  return new Driver(new Coroutine(f, currentEpoch(), true), args, directDepth);
}

/**
 * Goes on with a run until it ends (true) or pauses.
 * @throws LuaError; NeedsSuspendable when it must be run again with a greater depth (all its effects undone)
 */
export function resume(state: LuaState, driver: Driver): boolean {
  const before = enter(state);
  const { suspendable } = state;
  state.suspendable = true;
  try {
    return driver.resume(state) === 'done';
  } catch (error) {
    if (error instanceof RangeError) {
      if (isMemoryError(error)) throw new LuaError('not enough memory');
      if (driver.isMixed) throw new NeedsSuspendable('depth');
      throw new LuaError('stack overflow');
    }
    throw error;
  } finally {
    state.suspendable = suspendable;
    enter(before);
  }
}

export type { LuaValue };
