// What an operation of Lua does when its quick case, which compiled code has inline, does not apply:
// conversions, metamethods, errors. A plan… function answers the result, or the metamethod that is to be
// called for it; the direct form calls it (settle), the suspendable form asks its driver to (settleG).
import { fail } from './errors.ts';
import { pow } from './libm.ts';
import { formatNumber, parseNumber } from './number.ts';
import { type CallSite, callSite } from './positions.ts';
import { callRequest } from './requests.ts';
import { charge, runningState } from './state.ts';
import { LuaTable } from './table.ts';
import {
  first,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaValue,
  type Suspendable,
  typeName,
} from './value.ts';

/** Depth of __index and __newindex chains (MAXTAGLOOP). */
const MAX_CHAIN = 100;

/** Of its result an operation uses… */
type Use = 'first' | 'truth' | 'untruth' | 'nothing';

/** A metamethod that is to be called for an operation. */
export class MetaCall {
  readonly f: LuaValue;
  readonly args: LuaValue[];
  readonly use: Use;
  constructor(f: LuaValue, args: LuaValue[], use: Use = 'first') {
    this.f = f;
    this.args = args;
    this.use = use;
  }
}

export type Plan = LuaValue | MetaCall;

export function settle(plan: Plan): LuaValue {
  if (!(plan instanceof MetaCall)) return plan;
  const { f, args, use } = plan;
  return used(typeof f === 'function' ? f(...args) : callable(f)(...args), use);
}

export function* settleG(
  plan: Plan,
  site: CallSite | null = null,
): Generator<ReturnType<typeof callRequest>, LuaValue, LuaResult> {
  if (!(plan instanceof MetaCall)) return plan;
  return used(yield callRequest(plan.f, plan.args, site), plan.use);
}

function used(result: LuaResult, use: Use): LuaValue {
  if (use === 'first') return first(result);
  if (use === 'nothing') return undefined;
  const value = first(result);
  const truth = value !== undefined && value !== false;
  return use === 'truth' ? truth : !truth;
}

export function metatableOf(value: LuaValue): LuaTable | null {
  if (value instanceof LuaTable) return value.metatable;
  return typeof value === 'string' ? runningState().stringMeta : null;
}

export function metamethod(value: LuaValue, event: string): LuaValue {
  const meta = metatableOf(value);
  return meta === null ? undefined : meta.field(event);
}

/** A native calls a function of Lua. Its name is known to positions.ts. */
export function callFromNative(f: LuaValue, ...args: LuaValue[]): LuaResult {
  return typeof f === 'function' ? f(...args) : callable(f)(...args);
}

// ---- calls

/** What to call in place of a value that is no function: its __call, or something that raises. */
export function callable(value: LuaValue): LuaFunction {
  const handler = metamethod(value, '__call');
  if (typeof handler === 'function') return (...args) => handler(value, ...args);
  return () => {
    throw fail(`attempt to call ${describe(value, 1)}`);
  };
}

// `local 'x' (a nil value)`, or `a nil value` where the value has no name.
function describe(value: LuaValue, operand: 1 | 2): string {
  const site = callSite();
  const how = operand === 1 ? site?.how : site?.how2;
  const name = operand === 1 ? site?.name : site?.name2;
  const type = `a ${typeName(value)} value`;
  return how ? `${how} '${name}' (${type})` : type;
}

// ---- fields

export function planIndex(object: LuaValue, key: LuaValue): Plan {
  let at = object;
  for (let i = 0; i < MAX_CHAIN; i++) {
    let handler: LuaValue;
    if (at instanceof LuaTable) {
      const value = at.get(key);
      if (value !== undefined || at.metatable === null) return value;
      handler = at.metatable.field('__index');
      if (handler === undefined) return undefined;
    } else {
      handler = metamethod(at, '__index');
      if (handler === undefined) throw fail(`attempt to index ${describe(at, i === 0 ? 1 : 2)}`);
    }
    if (typeof handler === 'function') return new MetaCall(handler, [at, key]);
    at = handler;
  }
  throw fail('loop in gettable');
}

export function planSetIndex(object: LuaValue, key: LuaValue, value: LuaValue): Plan {
  let at = object;
  for (let i = 0; i < MAX_CHAIN; i++) {
    let handler: LuaValue;
    if (at instanceof LuaTable) {
      const { metatable } = at;
      // A table without the metamethod, or with the key, takes the value itself.
      if (
        metatable === null ||
        (handler = metatable.field('__newindex')) === undefined ||
        at.get(key) !== undefined
      ) {
        at.set(key, value);
        return undefined;
      }
      // Lua makes room for the key before it looks for a metamethod.
      if (key === undefined) throw fail('table index is nil');
      if (Number.isNaN(key)) throw fail('table index is NaN');
    } else {
      handler = metamethod(at, '__newindex');
      if (handler === undefined) throw fail(`attempt to index ${describe(at, i === 0 ? 1 : 2)}`);
    }
    if (typeof handler === 'function') return new MetaCall(handler, [at, key, value], 'nothing');
    at = handler;
  }
  throw fail('loop in settable');
}

export function index(object: LuaValue, key: LuaValue): LuaValue {
  return settle(planIndex(object, key));
}

export function setIndex(object: LuaValue, key: LuaValue, value: LuaValue): void {
  settle(planSetIndex(object, key, value));
}

export function indexG(object: LuaValue, key: LuaValue): Suspendable {
  return settleG(planIndex(object, key)) as Suspendable;
}

export function setIndexG(object: LuaValue, key: LuaValue, value: LuaValue): Suspendable {
  return settleG(planSetIndex(object, key, value)) as Suspendable;
}

// ---- arithmetic

export const arithmetic = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  mod: (a: number, b: number) => a - Math.floor(a / b) * b,
  pow: power,
} as const;

export type ArithmeticEvent = keyof typeof arithmetic;

/** C's pow: JavaScript answers NaN where C says 1. */
export function power(a: number, b: number): number {
  if (b === 2) return a * a;
  if (b === 0.5) return a === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.sqrt(a) + 0;
  if (a === 1 || (a === -1 && (b === Number.POSITIVE_INFINITY || b === Number.NEGATIVE_INFINITY))) return 1;
  return pow(a, b);
}

function toNumber(value: LuaValue): number | undefined {
  return typeof value === 'number' ? value : typeof value === 'string' ? parseNumber(value) : undefined;
}

export function planArithmetic(event: ArithmeticEvent, a: LuaValue, b: LuaValue): Plan {
  const x = toNumber(a);
  const y = toNumber(b);
  if (x !== undefined && y !== undefined) return arithmetic[event](x, y);
  const handler = metamethod(a, `__${event}`) ?? metamethod(b, `__${event}`);
  if (handler !== undefined) return new MetaCall(handler, [a, b]);
  const culprit = x === undefined ? 1 : 2;
  throw fail(`attempt to perform arithmetic on ${describe(culprit === 1 ? a : b, culprit)}`);
}

export function planNegate(a: LuaValue): Plan {
  const x = toNumber(a);
  if (x !== undefined) return -x;
  const handler = metamethod(a, '__unm');
  if (handler !== undefined) return new MetaCall(handler, [a, a]);
  throw fail(`attempt to perform arithmetic on ${describe(a, 1)}`);
}

/** `#value`: of strings and tables; tables have no __len in 5.1. */
export function length(value: LuaValue): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof LuaTable) return value.length();
  throw fail(`attempt to get length of ${describe(value, 1)}`);
}

// ---- concatenation

export function planConcat(a: LuaValue, b: LuaValue): Plan {
  const left = typeof a === 'number' ? formatNumber(a) : a;
  const right = typeof b === 'number' ? formatNumber(b) : b;
  if (typeof left === 'string' && typeof right === 'string') {
    return concatenate(left, right);
  }
  const handler = metamethod(a, '__concat') ?? metamethod(b, '__concat');
  if (handler !== undefined) return new MetaCall(handler, [a, b]);
  const culprit = typeof left === 'string' ? 2 : 1;
  throw fail(`attempt to concatenate ${describe(culprit === 1 ? a : b, culprit)}`);
}

/** From this length on a text says what it takes. */
const LONG = 0x40000;

export function concatenate(a: string, b: string): string {
  if (a.length + b.length > LONG) {
    if (a.length + b.length > MAX_STRING) throw new LuaError('not enough memory');
    charge(a.length + b.length);
  }
  return a + b;
}

/** V8's longest string. */
export const MAX_STRING = 2 ** 29 - 24;

// ---- comparison

function comparison(a: LuaValue, b: LuaValue): LuaError {
  const x = typeName(a);
  const y = typeName(b);
  return fail(x === y ? `attempt to compare two ${x} values` : `attempt to compare ${x} with ${y}`);
}

// Both operands must have the same metamethod.
function sharedHandler(a: LuaValue, b: LuaValue, event: string): LuaValue {
  const handler = metamethod(a, event);
  return handler !== undefined && handler === metamethod(b, event) ? handler : undefined;
}

export function planLess(a: LuaValue, b: LuaValue): Plan {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  if (typeof a !== typeof b || typeName(a) !== typeName(b)) throw comparison(a, b);
  const handler = sharedHandler(a, b, '__lt');
  if (handler === undefined) throw comparison(a, b);
  return new MetaCall(handler, [a, b], 'truth');
}

export function planLessEqual(a: LuaValue, b: LuaValue): Plan {
  if (typeof a === 'number' && typeof b === 'number') return a <= b;
  if (typeof a === 'string' && typeof b === 'string') return a <= b;
  if (typeof a !== typeof b || typeName(a) !== typeName(b)) throw comparison(a, b);
  const handler = sharedHandler(a, b, '__le');
  if (handler !== undefined) return new MetaCall(handler, [a, b], 'truth');
  const other = sharedHandler(b, a, '__lt');
  if (other === undefined) throw comparison(a, b);
  return new MetaCall(other, [b, a], 'untruth');
}

export function planEquals(a: LuaValue, b: LuaValue): Plan {
  if (a === b) return true;
  if (!(a instanceof LuaTable && b instanceof LuaTable)) return false;
  if (a.metatable === null || b.metatable === null) return false;
  const handler = sharedHandler(a, b, '__eq');
  return handler === undefined ? false : new MetaCall(handler, [a, b], 'truth');
}

export function lessThan(a: LuaValue, b: LuaValue): boolean {
  return settle(planLess(a, b)) as boolean;
}

export function lessThanG(
  a: LuaValue,
  b: LuaValue,
): Generator<ReturnType<typeof callRequest>, boolean, LuaResult> {
  return settleG(planLess(a, b)) as Generator<ReturnType<typeof callRequest>, boolean, LuaResult>;
}

export function equals(a: LuaValue, b: LuaValue): boolean {
  return settle(planEquals(a, b)) as boolean;
}

// ---- text

let lastAddress = 0x5581_0000_0000;
const addresses = new WeakMap<object, string>();

/** An address for `tostring`: the same value always has the same. */
export function addressOf(value: object): string {
  let address = addresses.get(value);
  if (address === undefined) {
    lastAddress += 0x20;
    address = `0x${lastAddress.toString(16)}`;
    addresses.set(value, address);
  }
  return address;
}

/** What `tostring` is to answer. */
export function planToString(value: LuaValue): Plan {
  const handler = metamethod(value, '__tostring');
  if (handler !== undefined) return new MetaCall(handler, [value]);
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return formatNumber(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return 'nil';
    default:
      return `${typeName(value)}: ${typeName(value) === 'userdata' ? (value as { address: string }).address : addressOf(value)}`;
  }
}

export function toStringMeta(value: LuaValue): LuaValue {
  return settle(planToString(value));
}
