// What suspendable code asks of its driver (driver.ts): call this, iterate, pause, resume or yield. Compiled code,
// operations and natives make the requests.
import type { Coroutine } from './driver.ts';
import type { CallSite } from './positions.ts';
import type { LuaState } from './state.ts';
import { FORM, type LuaFunction, type LuaValue, MOSTLY_DIRECT } from './value.ts';

/** As the first argument asks a compiled function to begin its suspendable form, with the second's arguments. */
export const PROBE = { probe: true } as unknown as LuaValue;

export class CallRequest {
  readonly request = true as const;
  readonly f: LuaValue;
  readonly args: readonly LuaValue[];
  /** Where compiled code calls, itself or by a metamethod; null for calls by natives. */
  readonly site: CallSite | null;
  /** A call by a native, an iteration or a metamethod: a coroutine cannot yield across it. */
  readonly fixed: boolean;
  constructor(f: LuaValue, args: readonly LuaValue[], site: CallSite | null, fixed: boolean) {
    this.f = f;
    this.args = args;
    this.site = site;
    this.fixed = fixed;
  }
}

/** A native's suspendable form yields it to call a function; the yield answers the results. */
export function callRequest(
  f: LuaValue,
  args: readonly LuaValue[],
  site: CallSite | null = null,
): CallRequest {
  return new CallRequest(f, args, site, true);
}

/** Compiled code calls, at `site`. */
export function callAt(site: CallSite, f: LuaValue, args: readonly LuaValue[]): CallRequest {
  return new CallRequest(f, args, site, false);
}

/** Compiled code calls the iterator of a `for`. */
export function iterate(site: CallSite, f: LuaValue, args: readonly LuaValue[]): CallRequest {
  return new CallRequest(f, args, site, true);
}

/** Is it a compiled function? Only such a one takes its caller's place in a tail call. */
export function isCompiled(f: LuaValue): boolean {
  return typeof f === 'function' && f[FORM] === undefined;
}

/** Gives way: the fuel is used up. Natives have no site. */
export class Pause {
  readonly request = true as const;
  readonly site: CallSite | null;
  constructor(site: CallSite | null = null) {
    this.site = site;
  }
}

/** The driver's own: a tail call takes its caller's place. */
export class ReplaceRequest {
  readonly f: LuaValue;
  readonly args: readonly LuaValue[];
  readonly fixed: boolean;
  readonly tails: number;
  constructor(f: LuaValue, args: readonly LuaValue[], fixed: boolean, tails: number) {
    this.f = f;
    this.args = args;
    this.fixed = fixed;
    this.tails = tails;
  }
}

/** What compiled code returns for `return f(…)`: the function takes its place. */
export class TailCall {
  readonly f: LuaValue;
  readonly args: readonly LuaValue[];
  constructor(f: LuaValue, args: readonly LuaValue[]) {
    this.f = f;
    this.args = args;
  }
}

/** coroutine.resume and coroutine.yield, as natives' requests. */
export class Resume {
  readonly request = true as const;
  readonly coroutine: Coroutine;
  readonly args: readonly LuaValue[];
  constructor(coroutine: Coroutine, args: readonly LuaValue[]) {
    this.coroutine = coroutine;
    this.args = args;
  }
}
export class Yield {
  readonly request = true as const;
  readonly values: readonly LuaValue[];
  constructor(values: readonly LuaValue[]) {
    this.values = values;
  }
}

/** Does suspendable code call the function itself? A native that never calls Lua nor takes long, and deep down any
 *  compiled one. */
export function isDirect(f: LuaValue, state: LuaState): f is LuaFunction {
  if (typeof f !== 'function') return false;
  const form = f[FORM];
  if (form === null) return true;
  if (form === undefined) return state.deep;
  return state.directDepth < Number.POSITIVE_INFINITY && f[MOSTLY_DIRECT] === true;
}
