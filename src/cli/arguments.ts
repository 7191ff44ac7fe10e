// What the program's commands have in common in reading their flags. Called by each of them.
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The user's mistake: told in one line, with exit status 2. */
export class Misuse extends Error {}

/** Flags and words of a command. @throws Misuse in place of what parseArgs says */
export function readArguments<const O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: O,
): ReturnType<typeof parseArgs<{ args: string[]; options: O; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Misuse((error as Error).message.split('. ')[0]);
  }
}
