// The first line of a script for EVAL, where it begins with `#!`: which engine it is for and what it says of itself.
// Called by scripts.ts; libraries have their own (library.ts).
import { splitInline } from '../resp/decode.ts';
import { ReplyError } from '../resp/reply.ts';
import { cText } from './convert.ts';
import { flagBit } from './flags.ts';

export interface Shebang {
  /** Without such a line: what Redis before 7 let a script do stays allowed. */
  readonly compatible: boolean;
  /** Bits of ScriptFlag. */
  readonly flags: number;
  /** The script with an empty first line in place of it, so that lines keep their numbers. */
  readonly source: string;
}

/** @throws ReplyError what EVAL answers for a line that it does not understand */
export function readShebang(body: string): Shebang {
  if (!body.startsWith('#!')) return { compatible: true, flags: 0, source: body };
  const end = body.indexOf('\n');
  const line = body.slice(0, Math.max(0, end));
  // To C the text ends at a NUL byte.
  if (end < 0 || line.includes('\0')) throw error('Invalid script shebang');
  const words = splitInline(line);
  if (words === null) throw error('Invalid engine in script shebang');
  const [engine, ...options] = words.map(cText);
  if (engine !== '#!lua') throw error(`Unexpected engine in script shebang: ${engine}`);
  let flags = 0;
  for (const option of options) {
    if (!option.startsWith('flags=')) throw error(`Unknown lua shebang option: ${option}`);
    const names = option.slice('flags='.length);
    if (names === '') continue;
    for (const name of names.split(',')) {
      const bit = flagBit(name);
      if (bit === 0) throw error(`Unexpected flag in script shebang: ${name}`);
      flags |= bit;
    }
  }
  return { compatible: false, flags, source: body.slice(end) };
}

function error(text: string): ReplyError {
  return new ReplyError(`ERR ${text}`);
}
