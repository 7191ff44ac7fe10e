// A Lua world as the program lua5.1 has it: globals that can be written, and print. For tests that compare
// with that program, and for trying things.

import { fail } from './errors.ts';
import { NeedsSuspendable } from './escalate.ts';
import { begin, callLua, compile, openLibraries, resume } from './index.ts';
import { MathRandom } from './lib-math.ts';
import { toStringMeta } from './operations.ts';
import { orderAsPlainLua } from './order.ts';
import { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { LuaError, type LuaValue, NOTHING, native } from './value.ts';

/** `mixed`: only the outermost function can pause. */
export type Form = 'direct' | 'mixed' | 'suspendable';

export interface PlainLua {
  /** Runs a chunk in a world of its own. `form` forces how; by default as in production. */
  run(source: string, chunkName: string, options?: { form?: Form }): PlainResult;
}

export interface PlainResult {
  readonly ok: boolean;
  /** The error, as a text. */
  readonly error?: string;
}

/** Fuel between two pauses of the suspendable form: little, so that tests pause often. */
const SLICE = 50;
const FUEL = 1_000_000;
/** A program that takes longer hangs. */
const MOST_STEPS = 200_000_000;

export function createLua(options: { write: (text: string) => void }): PlainLua {
  const attempt = (source: string, name: string, form: Form): { text: string; result: PlainResult } => {
    const suspendable = form !== 'direct';
    let text = '';
    let steps = 0;
    const globals = new LuaTable();
    const state = new LuaState(
      {
        clock: () => performance.now() / 1000,
        tick: (_, canPause) => {
          steps += suspendable ? SLICE : FUEL;
          if (steps > MOST_STEPS) throw new Error(`not done after ${MOST_STEPS} steps`);
          return canPause ? -1 : suspendable ? SLICE : FUEL;
        },
        charge: () => undefined,
      },
      globals,
    );
    openLibraries(state, new MathRandom());
    globals.set(
      'print',
      native((...values: LuaValue[]) => {
        values.forEach((value, i) => {
          const word = toStringMeta(value);
          if (typeof word !== 'string' && typeof word !== 'number')
            throw fail("'tostring' must return a string to 'print'");
          // C's idea of where a text ends.
          text += `${i === 0 ? '' : '\t'}${String(word).split('\0', 1)[0]}`;
        });
        text += '\n';
        return NOTHING;
      }),
    );
    const before = orderAsPlainLua(true);
    try {
      const main = compile(state, source, name);
      if (!suspendable) callLua(state, main, []);
      else {
        const driver = begin(main, [], form === 'mixed' ? 1 : undefined);
        do state.fuel = SLICE;
        while (!resume(state, driver));
      }
      return { text, result: { ok: true } };
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      const { value } = error;
      const isText = typeof value === 'string' || typeof value === 'number';
      return {
        text,
        result: { ok: false, error: isText ? String(value) : '(error object is not a string)' },
      };
    } finally {
      orderAsPlainLua(before);
    }
  };
  return {
    run(source, chunkName, { form } = {}) {
      let outcome: ReturnType<typeof attempt>;
      try {
        outcome = attempt(source, chunkName, form ?? 'direct');
      } catch (error) {
        if (form === 'direct' || !(error instanceof NeedsSuspendable)) throw error;
        outcome = attempt(source, chunkName, 'suspendable');
      }
      options.write(outcome.text);
      return outcome.result;
    },
  };
}
