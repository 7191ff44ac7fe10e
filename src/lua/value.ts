// The values of Lua as JavaScript sees them, and what every part of this room agrees on: nil is undefined,
// strings are byte strings (char codes 0-255), functions are JavaScript functions, results are one value or
// an array of them. Libraries (lib-*.ts), operations.ts, driver.ts and the generated code use it.
import type { Coroutine } from './driver.ts';
import type { LuaTable } from './table.ts';

export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction | Coroutine | Userdata;

/** One value bare, any other number of values in an array. No Lua value is an array, so they cannot be
 *  confused; a function without results answers {@link NOTHING}. */
export type LuaResult = LuaValue | readonly LuaValue[];

/** A request of a generator form to its driver (call another function, suspend…). */
export interface Request {
  readonly request: true;
}

/** What a function runs as while a script is suspendable: it yields requests and is given their results. */
export type Suspendable = Generator<Request, LuaResult, LuaResult>;

/**
 * A function of Lua. Natives carry {@link FORM}: null where they never call back into Lua, else their
 * suspendable form. A compiled function has no FORM; called with PROBE and its arguments it begins that form.
 */
export interface LuaFunction {
  (...args: LuaValue[]): LuaResult;
  [FORM]?: ((...args: LuaValue[]) => Suspendable) | null;
  [MOSTLY_DIRECT]?: true;
}

export const FORM = Symbol('suspendable form');
export const MOSTLY_DIRECT = Symbol('mostly direct');

/** No values at all. */
export const NOTHING: readonly LuaValue[] = Object.freeze([]);

/** Light userdata; the only one that scripts meet is cjson.null. */
export class Userdata {
  readonly type = 'userdata' as const;
  readonly address: string;
  constructor(address: string) {
    this.address = address;
  }
}

/** A null pointer as light userdata: `cjson.null`. */
export const NULL_POINTER = new Userdata('(nil)');

/** An error on its way through Lua: any value. Not an `Error`: no stack is captured. */
export class LuaError {
  readonly value: LuaValue;
  /** Where in Lua it was raised; null where no Lua code was running or nobody can ask. */
  readonly site: Site | null;
  constructor(value: LuaValue, site: Site | null = null) {
    this.value = value;
    this.site = site;
  }
}

/** A place in a Lua source: the chunk's display name and the line. */
export interface Site {
  readonly source: string;
  readonly line: number;
}

/** Marks a JavaScript function as native. `suspendable` is needed where it calls Lua functions. */
export function native<F extends (...args: never[]) => LuaResult>(
  run: F,
  suspendable: ((...args: never[]) => Suspendable) | null = null,
): LuaFunction {
  const f = run as unknown as LuaFunction;
  f[FORM] = suspendable as unknown as ((...args: LuaValue[]) => Suspendable) | null;
  return f;
}

/**
 * Says of a native that it only needs its suspendable form where all must be able to pause (a search that takes
 * long); else compiled code calls it directly. Answers the native.
 */
export function mostlyDirect(f: LuaFunction): LuaFunction {
  f[MOSTLY_DIRECT] = true;
  return f;
}

// How long a native may run, where its form does not tell.
const pace = new WeakMap<LuaFunction, 'slow' | 'quick' | 'pcall'>();

/** Says of a native that it may run for long on small input (pattern matching, compiling), that it is quick
 *  although it may call back, or that it is as quick as its first argument (pcall). Answers the native. */
export function paced(f: LuaFunction, how: 'slow' | 'quick' | 'pcall'): LuaFunction {
  pace.set(f, how);
  return f;
}

export function paceOf(f: LuaFunction): 'slow' | 'quick' | 'pcall' {
  return pace.get(f) ?? (f[FORM] === null ? 'quick' : 'slow');
}

/** First of the results. */
export function first(result: LuaResult): LuaValue {
  return Array.isArray(result) ? result[0] : (result as LuaValue);
}

/** All results as an array (the caller must not change it). */
export function all(result: LuaResult): readonly LuaValue[] {
  return Array.isArray(result) ? result : [result as LuaValue];
}

export type LuaTypeName =
  | 'nil'
  | 'boolean'
  | 'number'
  | 'string'
  | 'table'
  | 'function'
  | 'thread'
  | 'userdata';

/** `type(value)`. */
export function typeName(value: LuaValue): LuaTypeName {
  switch (typeof value) {
    case 'undefined':
      return 'nil';
    case 'boolean':
      return 'boolean';
    case 'number':
      return 'number';
    case 'string':
      return 'string';
    case 'function':
      return 'function';
    default:
      return (value as { readonly type: LuaTypeName }).type;
  }
}
