// How the in-process methods of scripts and functions take their keys and arguments: `db.eval(script, { keys, args })`.
import type { Arg, Bytes } from './spec.ts';

/** Keys and arguments of a script or function in process. */
export interface ScriptInput {
  /** KEYS: the keys that it works on. */
  readonly keys?: readonly Arg[];
  /** ARGV: anything else. */
  readonly args?: readonly Arg[];
}

/** `(script, { keys, args })` as the command has it: `script numkeys key... arg...`. */
export function scriptWords(name: string, bytes: Bytes, script: unknown, input: unknown): string[] {
  const { keys, args } = (input ?? NOTHING) as ScriptInput;
  const words = [name, scriptText(script as Arg, bytes), '0'];
  if (keys !== undefined && keys.length > 0) {
    words[2] = String(keys.length);
    for (let i = 0; i < keys.length; i++) words.push(bytes(keys[i]));
  }
  if (args !== undefined) for (let i = 0; i < args.length; i++) words.push(bytes(args[i]));
  return words;
}

const NOTHING: ScriptInput = {};

/** Texts up to this length are not worth being looked up. */
const SHORT = 39;
const KEPT = 256;
const known = new Map<string, string>();

// A program has few scripts and calls them often: that a text is the bytes of one need be found out once.
function scriptText(script: Arg, bytes: Bytes): string {
  if (typeof script !== 'string' || script.length <= SHORT) return bytes(script);
  let text = known.get(script);
  if (text === undefined) {
    text = bytes(script);
    if (known.size >= KEPT) known.clear();
    known.set(script, text);
  }
  return text;
}
