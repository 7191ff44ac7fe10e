// Holdfast's side of the comparison: a program in a plain world of the Lua room. Called by compare.ts.
import { createLua, type Form } from '../../../src/lua/plain.ts';
import { CHUNK_NAME, type Outcome } from './reference.ts';

/** @param form how to run it; where that is not possible, as scripts do, a second time in the suspendable form */
export function runHoldfast(source: string, form: Form): Outcome {
  let output = '';
  const lua = createLua({
    write: (text) => {
      output += text;
    },
  });
  try {
    const result = lua.run(source, CHUNK_NAME.slice(1), form === 'direct' ? {} : { form });
    if (result.ok) return { ending: 'ok', output, error: '' };
    return { ending: 'error', output, error: result.error ?? '' };
  } catch (error) {
    // Nothing but Lua's errors may come out of the room.
    const { stack, message } = error instanceof Error ? error : new Error(String(error));
    return { ending: 'died', output, error: stack ?? message };
  }
}
