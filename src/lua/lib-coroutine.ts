// Coroutines. The body of a coroutine always runs in the suspendable form (driver.ts), whatever its creator
// runs in. Opened by index.ts.
import { Coroutine, currentDriver, Driver } from './driver.ts';
import { badArgument, plainError } from './errors.ts';
import { NeedsSuspendable } from './escalate.ts';
import { caughtValue } from './lib-base.ts';
import { siteAt, where } from './positions.ts';
import { isCompiled, Resume, Yield } from './requests.ts';
import type { LuaState } from './state.ts';
import { currentEpoch, LuaTable } from './table.ts';
import {
  all,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaValue,
  native,
  type Suspendable,
} from './value.ts';

/** Coroutines in coroutines, each resumed by direct code: JavaScript's stack bounds them. */
const MAX_NESTED = 190;

export function openCoroutine(state: LuaState): LuaTable {
  const library = new LuaTable();
  let nested = 0;

  // Direct code resumes: a driver of its own runs the coroutine until it yields.
  function resumeHere(coroutine: Coroutine, args: readonly LuaValue[]): LuaResult {
    refuse(coroutine);
    // What a coroutine of an earlier run does cannot be undone.
    if (coroutine.epoch !== currentEpoch()) throw new NeedsSuspendable('yield');
    if (nested >= MAX_NESTED) throw plainError('C stack overflow');
    nested++;
    try {
      const driver = new Driver(coroutine, args);
      driver.resume(state);
      return driver.results;
    } finally {
      nested--;
    }
  }

  const define = (name: string, f: LuaFunction): void => library.set(name, f);
  define(
    'create',
    native(function create(f: LuaValue) {
      return new Coroutine(compiledArgument(f), currentEpoch());
    }),
  );
  define(
    'resume',
    native(
      function resume(coroutine: LuaValue, ...args: LuaValue[]): LuaResult {
        const co = coroutineArgument(coroutine);
        try {
          return [true, ...all(resumeHere(co, args))];
        } catch (error) {
          return [false, caughtValue(error)];
        }
      },
      function* resume(...all_: LuaValue[]): Suspendable {
        const [coroutine, ...args] = all_;
        const co = coroutineArgument(coroutine);
        try {
          refuse(co);
          return [true, ...all(yield new Resume(co, args))];
        } catch (error) {
          return [false, caughtValue(error)];
        }
      },
    ),
  );
  define(
    'yield',
    native(
      function yield_(): LuaResult {
        // Between here and the driver is direct code; where all is suspendable there may be nothing.
        if (state.directDepth < Number.POSITIVE_INFINITY) throw new NeedsSuspendable('yield');
        throw plainError('attempt to yield across metamethod/C-call boundary');
      },
      function* yield_(...values: LuaValue[]): Suspendable {
        return yield new Yield(values);
      },
    ),
  );
  define(
    'status',
    native(function status(coroutine: LuaValue) {
      return coroutineArgument(coroutine).status;
    }),
  );
  define(
    'running',
    native(function running() {
      return currentDriver()?.coroutine ?? undefined;
    }),
  );
  define(
    'wrap',
    native(function wrap(f: LuaValue) {
      const co = new Coroutine(compiledArgument(f), currentEpoch());
      return native(
        function wrapped(...args: LuaValue[]): LuaResult {
          try {
            return resumeHere(co, args);
          } catch (error) {
            throw passedOn(caughtValue(error));
          }
        },
        function* wrapped(...args: LuaValue[]): Suspendable {
          try {
            refuse(co);
            return yield new Resume(co, args);
          } catch (error) {
            throw passedOn(caughtValue(error));
          }
        },
      );
    }),
  );
  return library;
}

function compiledArgument(value: LuaValue): LuaFunction {
  if (isCompiled(value)) return value as LuaFunction;
  throw badArgument(1, 'Lua function expected');
}

function coroutineArgument(value: LuaValue): Coroutine {
  if (value instanceof Coroutine) return value;
  throw badArgument(1, 'coroutine expected');
}

function refuse(coroutine: Coroutine): void {
  if (coroutine.status !== 'suspended') {
    throw plainError(`cannot resume ${coroutine.status} coroutine`);
  }
}

// An error that leaves a wrapped coroutine gets the position of the call in front, if it is a text.
function passedOn(value: LuaValue): LuaError {
  return new LuaError(typeof value === 'string' ? where(1) + value : value, siteAt(1));
}
