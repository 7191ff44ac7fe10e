// What is known of one run of a script or function: its commands in order, what it compares, computes and returns.
// interpreter.ts fills it, the rules read it.

import type { CommandRow } from '../commands/spec.ts';
import type { TableEntry } from '../commands/table.ts';
import type { Call, Expression, FunctionBody, Statement } from '../lua/ast.ts';
import type { Computed, Value } from './values.ts';

/** A call of redis.call or redis.pcall, at one moment of the run. */
export interface RedisCall {
  /** Moments are numbered through the run. */
  readonly order: number;
  readonly line: number;
  readonly node: Call;
  /** Upper case; null where the script computes it. */
  readonly name: string | null;
  /** Its row in the command table, that of the subcommand for a container. */
  readonly row: CommandRow | null;
  readonly entry: TableEntry | null;
  /** With the command's name at 0. */
  readonly args: readonly Value[];
  /** More arguments may follow (`unpack`). */
  readonly open: boolean;
  /** Through redis.pcall, or within pcall. */
  readonly guarded: boolean;
  /** What the script looks at to come here: conditions of the branches around it. */
  readonly guards: readonly Value[];
}

/** How a run ends at one place: by return, or by error(). */
export interface Exit {
  readonly order: number;
  readonly line: number;
  readonly values: readonly Value[];
  readonly raised: boolean;
  /** Commands that have written by then, on some way to here. */
  readonly writes: readonly RedisCall[];
  readonly guards: readonly Value[];
}

/** `a < b`, at one moment. */
export interface Comparison {
  readonly order: number;
  readonly line: number;
  readonly operator: string;
  readonly left: Value;
  readonly right: Value;
}

export type Loop = Extract<Statement, { kind: 'while' | 'repeat' }>;

/** What starts a run: a script, a registered function, or a function that nobody in the text calls. */
export interface Root {
  readonly kind: 'script' | 'function';
  /** Of the function; null for a script. */
  readonly name: string | null;
  readonly func: FunctionBody;
  /** Flags as the script or registration gives them, and the line where. */
  readonly flags: readonly string[];
  readonly flagsLine: number;
}

export interface Run {
  readonly root: Root;
  readonly calls: RedisCall[];
  readonly exits: Exit[];
  readonly comparisons: Comparison[];
  readonly computed: Computed[];
  /** What math.floor and the like were given: a fraction in there does no harm. */
  readonly rounded: Set<Value>;
  readonly loops: Set<Loop>;
  /** Each expression's value, of all moments together. */
  readonly values: Map<Expression, Value>;
  /** What the script calls a value, by its identity: names of variables, words of comments. */
  readonly names: Map<string, Set<string>>;
}

/** An empty run. */
export function newRun(root: Root): Run {
  return {
    root,
    calls: [],
    exits: [],
    comparisons: [],
    computed: [],
    rounded: new Set(),
    loops: new Set(),
    values: new Map(),
    names: new Map(),
  };
}
