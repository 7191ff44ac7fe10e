// What cjson-encode.ts and cjson-decode.ts share: the settings that both follow, the errors that both raise, and
// the lengths from which both do otherwise. lib-cjson.ts makes the settings, and changes them.
import { fail } from './errors.ts';
import type { LuaState } from './state.ts';

export interface Settings {
  readonly state: LuaState;
  /** What to do with an array that is excessively sparse: write it as an object, else refuse it. */
  sparseConvert: number;
  sparseRatio: number;
  sparseSafe: number;
  encodeDepth: number;
  decodeDepth: number;
  /** 0: NaN and infinity are refused, 1: written as they are, 2: written as null. */
  encodeInvalid: number;
  /** Whether what only C takes for a number is read: hexadecimal, inf, nan, leading zeros. */
  decodeInvalid: number;
  precision: number;
  /** Of no consequence here. */
  keepBuffer: number;
}

/** An error inside; the functions of the library make it one of Lua, for only they stand close enough to the
 *  calling Lua code to find its position. */
export class Refusal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What to throw instead of an error from inside. `nesting` is the text where the nesting was too deep for
 *  JavaScript, which happens only beyond the depth that the settings begin with. */
export function raised(error: unknown, nesting: string, state: LuaState): unknown {
  if (error instanceof Refusal) return fail(error.text);
  // Outside of the suspendable form, the run is repeated there, where more stack is free.
  if (error instanceof RangeError && state.isWhollySuspendable && /call stack/.test(error.message))
    return fail(nesting);
  return error;
}

/** Strings from this length on are copied by native code. */
export const LONG = 64;
/** A buffer beyond this is given back after the call. */
export const KEPT_BYTES = 1 << 17;
