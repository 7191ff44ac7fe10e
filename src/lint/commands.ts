// The command table as the linter asks it: which row a call means, which of its arguments are keys, whether it writes.
// All of it comes from src/commands; the rules and the interpreter call this.
import { keyPositions } from '../commands/derive.ts';
import { families } from '../commands/index.ts';
import type { CommandRow } from '../commands/spec.ts';
import { CommandTable, type TableEntry } from '../commands/table.ts';
import type { RedisCall } from './run.ts';
import { textOf, type Value } from './values.ts';

const table = new CommandTable(families);

/** The row that a call with these arguments runs; that of the subcommand for a container. */
export function rowOf(args: readonly Value[]): { entry: TableEntry | null; row: CommandRow | null } {
  const name = textOf(args[0]);
  const entry = name === null ? undefined : table.find(name);
  if (entry === undefined) return { entry: null, row: null };
  const sub = textOf(args[1])?.toLowerCase();
  const inner = sub === undefined ? undefined : entry.subcommands?.get(sub);
  return { entry, row: inner?.row ?? entry.row };
}

/** May the call change data? */
export function writes(call: RedisCall): boolean {
  return call.row?.flags.includes('write') === true;
}

/** Stands for an argument that is not known; no token or number is spelt like this. */
const HOLE = '\0';

export interface KeyArgument {
  readonly at: number;
  readonly value: Value;
  readonly flags: readonly string[];
}

/** The arguments that are keys, by the key specs of the row. */
export function keysOf(call: RedisCall): KeyArgument[] {
  if (call.row === null) return [];
  const words = call.args.map((arg) => textOf(arg) ?? HOLE);
  const positions = keyPositions(call.row, words) ?? [];
  return positions
    .filter(({ at }) => at < call.args.length)
    .map(({ at, flags }) => ({ at, flags, value: call.args[at] }));
}

/** Makes or fills its key: what a time to live would be set on. */
export function fills(call: RedisCall, key: KeyArgument): boolean {
  const isData = call.row !== null && call.row.group !== 'generic';
  return isData && writes(call) && key.flags.some((flag) => flag === 'insert' || flag === 'update');
}

/** Only takes away. */
export function onlyDeletes(call: RedisCall): boolean {
  const keys = keysOf(call);
  return keys.length > 0 && keys.every((key) => key.flags.includes('delete'));
}

/** Has the call this word among its arguments behind the key? */
export function hasWord(call: RedisCall, ...words: readonly string[]): boolean {
  return call.args.slice(2).some((arg) => words.includes(textOf(arg)?.toUpperCase() ?? ''));
}
