// Shape of a command's spec row, and the short forms in which families write it. The row stands beside its
// handler; COMMAND, ACL categories, queue and script rules, slots, typed methods and docs derive from it
// (derive.ts, table.ts).
import type { Db } from '../keyspace/db.ts';
import type { Reply } from '../resp/reply.ts';
import type { EnginePort, Env, SessionPort } from './ports.ts';

/** Flags as COMMAND INFO prints them. */
export type Flag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'pubsub'
  | 'noscript'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'skip_monitor'
  | 'skip_slowlog'
  | 'asking'
  | 'fast'
  | 'no_auth'
  | 'may_replicate'
  | 'no_mandatory_keys'
  | 'protected'
  | 'no_async_loading'
  | 'no_multi'
  | 'allow_busy'
  | 'movablekeys';

/** Groups as COMMAND DOCS prints them; each implies its ACL category. */
export type Group =
  | 'string'
  | 'bitmap'
  | 'generic'
  | 'hash'
  | 'list'
  | 'set'
  | 'sorted-set'
  | 'pubsub'
  | 'transactions'
  | 'connection'
  | 'server'
  | 'scripting'
  | 'stream'
  | 'geo'
  | 'hyperloglog';

/** One key specification, with the meaning of Redis' key specs. */
export interface KeySpec {
  /** Flags in lower case as COMMAND INFO prints them in upper: `RO access`, `RW update`, `OW insert`, ... */
  readonly flags: readonly string[];
  readonly begin: { readonly index: number } | { readonly keyword: string; readonly from: number } | null;
  readonly find:
    | { readonly last: number; readonly step: number; readonly limit: number }
    | { readonly keynum: number; readonly first: number; readonly step: number }
    | null;
  readonly notes?: string;
}

/** Keys at `first`..`last` (negative from the end) by `step`. */
export function keysAt(flags: string, first = 1, last = first, step = 1): KeySpec {
  const relative = last < 0 ? last : last - first;
  return { flags: flags.split(' '), begin: { index: first }, find: { last: relative, step, limit: 0 } };
}

/** `numkeys` at an index, the keys right behind it. */
export function keysCounted(flags: string, at = 1): KeySpec {
  return { flags: flags.split(' '), begin: { index: at }, find: { keynum: 0, first: 1, step: 1 } };
}

/**
 * A data handler: deterministic, sees the session's database and its arguments only. `args[0]` is the
 * command's name as sent (`args[1]` the subcommand's of a container). Arity has been checked.
 */
export type DataHandler = (db: Db, args: readonly string[], env: Env) => Reply;

/** A control handler also sees its session and the engine. */
export type ControlHandler = (session: SessionPort, args: readonly string[], engine: EnginePort) => Reply;

/** A row as a family writes it. */
export interface CommandRow {
  /** Number of arguments with the name (of the container too); negative: at least that many. */
  readonly arity: number;
  readonly flags: readonly Flag[];
  readonly group: Group;
  readonly since: string;
  /** One line, our own words. */
  readonly summary: string;
  readonly complexity?: string;
  /** Arguments in the notation of the manual pages: `key value [NX|XX] [EX seconds|PX milliseconds]`. */
  readonly syntax?: string;
  readonly keys?: readonly KeySpec[];
  /** ACL categories beyond those that group and flags imply, without `@`; `-name` takes an implied one away. */
  readonly categories?: readonly string[];
  /** Command tips as COMMAND INFO prints them. */
  readonly tips?: readonly string[];
  /** Positions of keys where `keys` cannot tell (SORT … STORE, MIGRATE); for COMMAND GETKEYS. */
  readonly keyPositions?: (
    args: readonly string[],
  ) => { readonly at: number; readonly flags: readonly string[] }[] | null;
  /** Flags of the keys of a call, where the arguments decide (`variable_flags`: SET … GET, BITFIELD). */
  readonly keyFlags?: (args: readonly string[]) => readonly string[];
  /** Runs at once inside MULTI instead of being queued. */
  readonly immediate?: boolean;
  /** A refusal of it ends the transaction with EXECABORT. */
  readonly aborts?: boolean;
  /** With the flag allow_busy: is the command allowed in this form while a script is busy? */
  readonly allowedBusy?: (args: readonly string[]) => boolean;
  /** Marks the access even for clients with NO-TOUCH. */
  readonly touches?: boolean;
  /** Allowed to a RESP2 connection that has subscriptions. */
  readonly subscriber?: boolean;
  /** Makes the command from the two parameters of the in-process method, where they are not its arguments. */
  readonly words?: (name: string, bytes: Bytes, first: unknown, second: unknown) => string[];
  /** The in-process method answers bytes: its reply is never text (DUMP). */
  readonly binary?: boolean;
  readonly run?: DataHandler;
  readonly control?: ControlHandler;
  readonly subcommands?: Readonly<Record<string, Command<never, unknown>>>;
}

/** What an argument may be in process; numbers are printed as Redis prints them, strings are UTF-8. */
export type Arg = string | number | bigint | Uint8Array;

/** The bytes of an argument. */
export type Bytes = (arg: Arg) => string;

/** Timeout of a blocking command in process: seconds (0 waits for ever), or with a signal that ends the wait. */
export type Wait = number | { readonly seconds: number; readonly signal?: AbortSignal };

/** A row with the types of its in-process method: `Args` its parameters, `Result` what it returns. */
export interface Command<Args extends readonly unknown[], Result> extends CommandRow {
  readonly types?: { readonly args: (args: Args) => void; readonly result: Result };
}

/** Declares a command: `command<[key: Arg, value: Arg], 'OK' | null>({ ... })`. */
export function command<Args extends readonly unknown[], Result>(row: CommandRow): Command<Args, Result> {
  return row;
}

/** Declares a container such as CONFIG; its subcommands are commands. In process: `db.configGet(...)`. */
export function container<S extends Readonly<Record<string, Command<never, unknown>>>>(
  row: Omit<CommandRow, 'subcommands' | 'flags'> & { flags?: readonly Flag[] },
  subcommands: S,
): Omit<CommandRow, 'subcommands'> & { readonly subcommands: S } {
  return { ...row, flags: row.flags ?? [], subcommands };
}
