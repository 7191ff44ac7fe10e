// The Lua worlds of Redis: Lua's libraries, the table `redis`, globals that nobody can change, and a word for those
// that there are not. scripts.ts opens the one of EVAL, functions.ts those of libraries.
import { fail } from '../lua/errors.ts';
import {
  first,
  freeze,
  type LuaResult,
  LuaState,
  LuaTable,
  type LuaValue,
  native,
  openLibraries,
} from '../lua/index.ts';
import { formatNumber } from '../lua/number.ts';
import { index, indexG } from '../lua/operations.ts';
import { FORM, type LuaFunction, paced, type Suspendable } from '../lua/value.ts';
import { openEvalOnly, openRedis } from './api.ts';
import { cText } from './convert.ts';
import type { Runner } from './runner.ts';

/** Names that change with each run, in the order of LuaState's inputs. */
const INPUTS = ['KEYS', 'ARGV'];

/** The world of EVAL. */
export function openEvalWorld(runner: Runner): LuaState {
  const redis = openRedis(runner);
  openEvalOnly(redis);
  return openWorld(runner, redis, INPUTS);
}

/** A world with this table as `redis`, closed to changes. */
export function openWorld(runner: Runner, redis: LuaTable, inputs: readonly string[] = []): LuaState {
  const globals = new LuaTable();
  const state = new LuaState(runner.execution, globals, inputs);
  openLibraries(state, runner.random);
  globals.set('pcall', flatPcall(globals.field('pcall') as LuaFunction));
  globals.set('redis', redis);
  globals.set('server', redis);
  globals.metatable = new LuaTable();
  globals.metatable.set('__index', unknownGlobal(state));
  freeze(state);
  return state;
}

/** What a read of a global that is not there calls. */
export function unknownGlobal(state: LuaState): LuaFunction {
  const { globals, inputNames } = state;
  return native((...args: LuaValue[]): LuaResult => {
    if (args.length !== 2) throw fail('Wrong number of arguments to luaProtectedTableError');
    const [table, name] = args;
    if (typeof name !== 'string' && typeof name !== 'number') {
      throw fail('Second argument to luaProtectedTableError must be a string or number');
    }
    // Compiled code knows them by itself; this is for `_G.KEYS`.
    const input = table === globals ? inputNames.indexOf(name as string) : -1;
    if (input >= 0) return state.inputs[input];
    const shown = typeof name === 'string' ? cText(name) : formatNumber(name);
    throw fail(`Script attempted to access nonexistent global variable '${shown}'`);
  });
}

/** Lua's pcall as Redis wraps it: an error that is a table with `err` arrives as that text, as it was before 7.0. */
function flatPcall(pcall: LuaFunction): LuaFunction {
  const suspendable = pcall[FORM] as (...args: LuaValue[]) => Suspendable;
  const wrapped = native(
    function pcallOfRedis(...args: LuaValue[]): LuaResult {
      return args.length === 0 ? CALLED_NOTHING : flat(pcall(...args));
    },
    function* pcallOfRedis(...args: LuaValue[]): Suspendable {
      return args.length === 0 ? CALLED_NOTHING : yield* flatG(yield* suspendable(...args));
    },
  );
  return paced(wrapped, 'pcall');
}

// Redis puts a boolean below the arguments, which is then what is called.
const CALLED_NOTHING = [false, 'attempt to call a boolean value'];

function flat(result: LuaResult): LuaResult {
  if (!isTableError(result)) return result;
  return flattened(result[1], index(result[1], 'err'));
}

function* flatG(result: LuaResult): Suspendable {
  if (!isTableError(result)) return result;
  return flattened(result[1], first(yield* indexG(result[1], 'err')));
}

function isTableError(result: LuaResult): result is readonly [false, LuaTable] {
  return Array.isArray(result) && result[0] === false && result[1] instanceof LuaTable;
}

// What is no text stays behind the table, as a result of its own.
function flattened(error: LuaTable, err: LuaValue): LuaResult {
  return typeof err === 'string' || typeof err === 'number' ? [false, err] : [false, error, err];
}
