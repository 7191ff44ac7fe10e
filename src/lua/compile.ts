// From source to a function of Lua: parse, emit, let JavaScript compile. The suspendable form is made when it
// is first asked for. Used by index.ts and by loadstring.

import { emit, type Form, floatingByte, RUNTIME_NAMES } from './emitter.ts';
import { fail } from './errors.ts';
import { ipairsNext, next, pairsNext } from './lib-base.ts';
import { formatNumber, parseNumber } from './number.ts';
import * as operations from './operations.ts';
import { parse } from './parser.ts';
import { type CallSite, register, sourceUrl } from './positions.ts';
import { callAt, isCompiled, isDirect, iterate, Pause, PROBE, TailCall } from './requests.ts';
import { isMixed, type LuaState } from './state.ts';
import { currentEpoch, LuaTable, saveInEpoch } from './table.ts';
import {
  all,
  FORM,
  LuaError,
  type LuaFunction,
  type LuaValue,
  NOTHING,
  paceOf,
  type Suspendable,
} from './value.ts';

const { settle } = operations;

/** An object that holds captured variables; `ep` in chunks whose variables outlive a run. */
interface Environment {
  [name: string]: LuaValue;
  ep: number;
}

// A captured variable of an earlier run is about to change: keep what it was.
function own(environment: Environment): void {
  const epoch = currentEpoch();
  if (environment.ep === epoch) return;
  const before = { ...environment };
  saveInEpoch(() => Object.assign(environment, before));
  environment.ep = epoch;
}

function tableOf(items: LuaValue[], fixed: number): LuaTable {
  return LuaTable.of(items, 0, floatingByte(fixed));
}

// The table `arg` of Lua 5.0.
function argTable(values: readonly LuaValue[]): LuaTable {
  const table = LuaTable.of([undefined, ...values], 1);
  table.set('n', values.length);
  return table;
}

function forNumber(value: LuaValue, what: string): number {
  const n = typeof value === 'string' ? parseNumber(value) : value;
  if (typeof n === 'number') return n;
  throw fail(`'for' ${what} must be a number`);
}

const runtime: Record<string, unknown> = {
  T: LuaTable,
  P: PROBE,
  N: NOTHING,
  A: Array.isArray,
  TO: tableOf,
  index: operations.index,
  setIndex: operations.setIndex,
  arith: (event: operations.ArithmeticEvent, a: LuaValue, b: LuaValue) =>
    settle(operations.planArithmetic(event, a, b)),
  negate: (a: LuaValue) => settle(operations.planNegate(a)),
  length: operations.length,
  concat: (a: LuaValue, b: LuaValue) => settle(operations.planConcat(a, b)),
  less: operations.lessThan,
  lessEqual: (a: LuaValue, b: LuaValue) => settle(operations.planLessEqual(a, b)),
  equals: operations.equals,
  callable: operations.callable,
  all,
  mod: (a: number, b: number) => a - Math.floor(a / b) * b,
  pow: operations.power,
  forNumber,
  NX: pairsNext,
  NY: next,
  IP: ipairsNext,
  G: operations.settleG,
  planIndex: operations.planIndex,
  planSetIndex: operations.planSetIndex,
  planArith: operations.planArithmetic,
  planNegate: operations.planNegate,
  planConcat: operations.planConcat,
  planLess: operations.planLess,
  planLessEqual: operations.planLessEqual,
  planEquals: operations.planEquals,
  callAt,
  iterate,
  isCompiled,
  argTable,
  Pause,
  TailCall,
  isDirect,
  own,
  EP: currentEpoch,
  fmt: formatNumber,
  cat: operations.concatenate,
};

type Factory = (...environments: Environment[]) => LuaFunction;
type SuspendableForm = (...environmentsAndArguments: (Environment | LuaValue)[]) => Suspendable;

let asking = false;

/**
 * Is it a compiled function that cannot run for long, whatever it is given: no loop, no recursion, no patterns?
 * Such a run needs no budget and never asks to be run again.
 */
export function isQuick(f: LuaFunction): boolean {
  if (f[FORM] !== undefined) return paceOf(f) === 'quick';
  asking = true;
  try {
    return (f(PROBE) as unknown) === true;
  } finally {
    asking = false;
  }
}

/** Does a native that can pause call the function itself, rather than ask its driver to? */
export function runsDirect(f: LuaFunction): boolean {
  return isQuick(f) || (f[FORM] === undefined && isMixed());
}

class Chunk {
  /** By form: the places and the text, for positions.ts. */
  readonly sites: (readonly CallSite[])[] = [];
  readonly texts: (string | null)[] = [null, null];
  // What the text refers to.
  readonly s: LuaState;
  readonly form: (number: number, environments: Environment[], args: readonly LuaValue[]) => unknown;
  direct: Factory[] = [];
  private straight: readonly boolean[] = [];
  private suspendable: SuspendableForm[] | null = null;
  private readonly id: number;
  private readonly source: string;
  private readonly name: string;
  private readonly parserName: string;
  private readonly persistent: boolean;
  private readonly depth: number;

  constructor(
    state: LuaState,
    source: string,
    name: string,
    parserName: string,
    persistent: boolean,
    depth: number,
  ) {
    this.s = state;
    this.source = source;
    this.name = name;
    this.parserName = parserName;
    this.persistent = persistent;
    this.depth = depth;
    this.id = register(this);
    this.form = (number, environments, args) => {
      if (asking) return this.straight[number];
      this.suspendable ??= this.make('suspendable').list as SuspendableForm[];
      return this.suspendable[number](...environments, ...args);
    };
  }

  main(): LuaFunction {
    const { root, list, straight } = this.make('direct');
    this.direct = list as Factory[];
    this.straight = straight;
    return this.direct[root]();
  }

  private make(form: Form): { root: number; list: unknown[]; straight: readonly boolean[] } {
    const { s: state, name: source, persistent } = this;
    const index = form === 'direct' ? 0 : 1;
    try {
      const main = parse(this.source, this.parserName, this.depth);
      const { text, sites, bound, straight } = emit(main, { state, source, form, persistent });
      this.sites[index] = sites;
      this.texts[index] = text;
      const make = new Function('$r', '$c', text + sourceUrl(this.id, index));
      const environment = {
        s: state,
        S: sites,
        B: bound,
        form: this.form,
        direct: this.direct,
      };
      return { ...make({ ...runtime, K: () => state.tick() }, environment), straight };
    } catch (error) {
      // JavaScript has limits of its own (nesting, arguments of a call) beyond which Lua's lie.
      if (error instanceof RangeError || error instanceof SyntaxError) {
        throw new LuaError(`${source}: function or expression too complex`);
      }
      throw error;
    }
  }
}

if (RUNTIME_NAMES.split(',').some((name) => name !== 'K' && !(name in runtime))) {
  throw new Error('the emitter uses a name that compile.ts does not provide');
}

/**
 * Compiles a chunk; the function may be called any number of times.
 * @param name display name, as in messages: `user_script`
 * @param parserName the same in messages of the parser, which has more room for it
 * @param depth C calls that Lua would be in: they bound the nesting of the source
 * @throws LuaError with Lua's text
 */
export function compileChunk(
  state: LuaState,
  source: string,
  name: string,
  parserName: string,
  persistent: boolean,
  depth: number,
): LuaFunction {
  return new Chunk(state, source, name, parserName, persistent, depth).main();
}
