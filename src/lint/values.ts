// What an expression of a script may hold, as far as it can be told without running it: a key, an argument, what a
// command answered, something computed of these. interpreter.ts makes the values, the rules ask about them.
import type { FunctionBody, TableConstructor } from '../lua/ast.ts';
import type { RedisCall } from './run.ts';

export type Value =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'constant'; readonly value: string | number | boolean | null }
  /** KEYS or ARGV themselves, or what a function got in their place. */
  | { readonly kind: 'inputs'; readonly of: Inputs }
  /** `index` is null for an element of a loop over them. */
  | { readonly kind: 'input'; readonly of: Inputs; readonly index: number | null }
  | { readonly kind: 'reply'; readonly call: RedisCall }
  | { readonly kind: 'element'; readonly of: Value; readonly key: Value }
  | Computed
  /** What a function of Lua's libraries makes of its arguments. */
  | { readonly kind: 'result'; readonly name: string; readonly args: readonly Value[] }
  | { readonly kind: 'table'; readonly table: TableFacts }
  | { readonly kind: 'function'; readonly func: FunctionBody }
  /** A library, or a function of one, by its name: `redis.call`. */
  | { readonly kind: 'library'; readonly name: string }
  /** Any number of values: the end of a list of arguments. */
  | { readonly kind: 'several'; readonly of: Value }
  | { readonly kind: 'either'; readonly values: readonly Value[] };

export type Inputs = 'KEYS' | 'ARGV';

export interface Computed {
  readonly kind: 'computed';
  readonly operator: string;
  readonly operands: readonly Value[];
  readonly line: number;
}

/** A table of the script: shared by all values that are this table, and filled as the script does it. */
export interface TableFacts {
  readonly node: TableConstructor | null;
  readonly line: number;
  readonly fields: Map<string, Value>;
  /** Positional items in order; holes are null constants. */
  readonly items: Value[];
  /** Items at places that are not known. */
  readonly others: Value[];
  /** Has fields or items under names that are not known. */
  open: boolean;
}

export const UNKNOWN: Value = { kind: 'unknown' };
export const NIL: Value = { kind: 'constant', value: null };

const MOST_ALTERNATIVES = 8;

/** One value for what may be any of these. */
export function either(values: readonly Value[]): Value {
  const flat = values.flatMap((value) => (value.kind === 'either' ? value.values : [value]));
  const distinct = new Map(flat.map((value) => [identity(value), value]));
  if (distinct.size === 1) return flat[0];
  if (distinct.size > MOST_ALTERNATIVES) return UNKNOWN;
  return bounded({ kind: 'either', values: [...distinct.values()] });
}

const BIGGEST = 256;
const sizes = new WeakMap<Value, number>();

function sizeOf(value: Value): number {
  const known = sizes.get(value);
  if (known !== undefined) return known;
  const size = 1 + partsOf(value).reduce((sum, part) => sum + sizeOf(part), 0);
  sizes.set(value, size);
  return size;
}

/** The value, or unknown where so much went into it (`x = x .. x` again and again) that nobody could look at it. */
export function bounded(value: Value): Value {
  return sizeOf(value) > BIGGEST ? UNKNOWN : value;
}

/** What a value was made of. */
function partsOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'element':
      return [value.of, value.key];
    case 'computed':
      return value.operands;
    case 'result':
      return value.args;
    case 'either':
      return value.values;
    case 'several':
      return [value.of];
    default:
      return [];
  }
}

/** All that a value may be. */
export function alternatives(value: Value): readonly Value[] {
  return value.kind === 'either' ? value.values : [value];
}

const tableNumbers = new WeakMap<object, number>();
let tables = 0;

function numberOf(object: object): number {
  const known = tableNumbers.get(object) ?? ++tables;
  tableNumbers.set(object, known);
  return known;
}

/** Equal for values that are certainly the same; each unknown one equals only itself in kind. */
export function identity(value: Value): string {
  switch (value.kind) {
    case 'constant':
      return JSON.stringify(value.value);
    case 'inputs':
      return value.of;
    case 'input':
      return `${value.of}[${value.index ?? 'i'}]`;
    case 'reply':
      return `reply ${value.call.order}`;
    case 'element':
      return `${identity(value.of)}[${identity(value.key)}]`;
    case 'computed':
      return `(${value.operator} ${value.operands.map(identity).join(' ')})`;
    case 'result':
      return `${value.name}(${value.args.map(identity).join(' ')})`;
    case 'table':
      return `table ${numberOf(value.table)}`;
    case 'function':
      return `function ${numberOf(value.func)}`;
    case 'library':
      return value.name;
    case 'several':
      return `several ${identity(value.of)}`;
    case 'either':
      return `either ${value.values.map(identity).sort().join(' ')}`;
    case 'unknown':
      return 'unknown';
  }
}

const CONVERSIONS = new Set(['tonumber', 'tostring', 'math.floor', 'math.ceil']);

/** The value without conversions (`tonumber(x)`) and defaults (`x or 0`) around it. */
export function core(value: Value): Value {
  if (value.kind === 'result' && CONVERSIONS.has(value.name) && value.args.length > 0) {
    return core(value.args[0]);
  }
  if (value.kind === 'either') {
    const rest = value.values.filter((each) => each.kind !== 'constant').map(core);
    const distinct = new Map(rest.map((each) => [identity(each), each]));
    if (distinct.size === 1) return rest[0];
  }
  return value;
}

/** Is it certainly the same value, conversions aside? */
export function isSame(a: Value, b: Value): boolean {
  const [left, right] = [core(a), core(b)];
  return isCertain(left) && identity(left) === identity(right);
}

function isCertain(value: Value): boolean {
  return !contains(value, (part) => part.kind === 'unknown' || isAnyInput(part));
}

const isAnyInput = (value: Value): boolean => value.kind === 'input' && value.index === null;

/** Is the value, or any part that it was made of, like this? */
export function contains(value: Value, test: (part: Value) => boolean): boolean {
  return test(value) || partsOf(value).some((part) => contains(part, test));
}

/** The string of a constant, numbers as Lua prints them; null for anything else. */
export function textOf(value: Value | undefined): string | null {
  if (value?.kind !== 'constant') return null;
  return typeof value.value === 'string' || typeof value.value === 'number' ? String(value.value) : null;
}

/** The value as a person would write it; replies by their command. */
export function shown(value: Value): string {
  switch (value.kind) {
    case 'constant':
      return typeof value.value === 'string' ? `'${value.value}'` : String(value.value ?? 'nil');
    case 'inputs':
      return value.of;
    case 'input':
      return `${value.of}[${value.index ?? 'i'}]`;
    case 'reply':
      return `(reply of ${value.call.name ?? 'a command'})`;
    case 'element':
      return value.of.kind === 'reply' ? shown(value.of) : `${shown(value.of)}[${shown(value.key)}]`;
    case 'computed':
      return value.operands.length === 1
        ? `${value.operator}${shown(value.operands[0])}`
        : value.operands.map(shown).join(` ${value.operator} `);
    case 'result':
      return `${value.name}(${value.args.map(shown).join(', ')})`;
    case 'either':
      return value.values.map(shown).join(' or ');
    default:
      return '...';
  }
}
