// One Lua world: its globals, and the fuel that bounds how long its code runs before somebody looks at the
// clock. Generated code, libraries and driver.ts use it; scripting creates one per engine.
import type { LuaTable } from './table.ts';
import type { LuaValue } from './value.ts';

export interface LuaHost {
  /** Processor time in seconds, for os.clock. */
  clock(): number;
  /**
   * Called whenever the fuel is used up. May throw to end the run (an error that pcall does not catch), and
   * answers how much fuel there is until it wants to be asked again. Where `canPause`, a negative answer makes
   * the run pause.
   */
  tick(state: LuaState, canPause: boolean): number;
  /** Bytes were or are about to be taken at once by a table or string; throws where that is too much. */
  charge(bytes: number): void;
}

/** From here on natives that can pause look at the clock: others have used up the fuel beyond it. */
const LOW_FUEL = 64;

export class LuaState {
  readonly host: LuaHost;
  readonly globals: LuaTable;
  /** Metatable of all strings. */
  stringMeta: LuaTable | null = null;
  /** Elementary steps (some nanoseconds each) until the next tick; generated code counts it down. */
  fuel = 0;
  /** Globals that change with each run, by name (KEYS, ARGV): compiled code reads `inputs`, not the table. */
  readonly inputNames: readonly string[];
  readonly inputs: LuaValue[] = [];
  /** Read-only tables that inputs nearly always are, by place: compiled code is prepared for them. */
  readonly usual: (LuaTable | undefined)[] = [];
  /** The globals and the libraries in them are read-only: compiled code may bind to them once. */
  frozen = false;
  /** The suspendable form runs. */
  suspendable = false;
  /** So many calls are made by the driver, and can pause; what they call runs in the direct form (driver.ts). */
  directDepth = Number.POSITIVE_INFINITY;
  /** Calls have reached that depth. */
  deep = false;

  constructor(host: LuaHost, globals: LuaTable, inputNames: readonly string[] = []) {
    this.host = host;
    this.globals = globals;
    this.inputNames = inputNames;
  }

  /** Sets a global of {@link inputNames} for the coming run; `index` is its place there. */
  setInput(index: number, value: LuaValue): void {
    this.inputs[index] = value;
  }

  /** All of the running code can pause, so its limits are Lua's, not those of JavaScript's stack. */
  get isWhollySuspendable(): boolean {
    return this.suspendable && this.directDepth === Number.POSITIVE_INFINITY;
  }

  /** Generated code calls it when fuel is below zero. */
  tick(): void {
    this.fuel = this.host.tick(this, false);
  }

  /** Suspendable code asks whether to pause, where fuel is low. */
  shouldPause(): boolean {
    if (this.fuel >= LOW_FUEL || !this.suspendable) return false;
    this.fuel = this.host.tick(this, true);
    return this.fuel < 0;
  }
}

// The world whose code runs right now: libraries that get no state (string methods, tables) charge it.
let running: LuaState | null = null;

/** Makes `state` the running world; answers the one before, to be put back in a `finally`. */
export function enter(state: LuaState | null): LuaState | null {
  const before = running;
  running = state;
  return before;
}

export function runningState(): LuaState {
  if (running === null) throw new Error('no Lua code is running');
  return running;
}

/** Natives that can pause ask whether to. */
export function shouldPause(): boolean {
  return running?.shouldPause() ?? false;
}

/** See {@link LuaState.isWhollySuspendable}. */
export function isWhollySuspendable(): boolean {
  return running?.isWhollySuspendable ?? false;
}

/** Does running suspendable code call some functions in their direct form? */
export function isMixed(): boolean {
  return running !== null && running.directDepth < Number.POSITIVE_INFINITY;
}

/** A native says that it is about to do `steps` elementary steps (a byte compared, an element moved) beyond
 *  a constant; may end the run. Call it before or within long work, not for a handful of steps. */
export function spend(steps: number): void {
  if (running === null) return;
  running.fuel -= steps;
  if (running.fuel < 0) running.tick();
}

/** A native is about to build something of this many bytes; throws `not enough memory` where that is too
 *  much. Needed from some 64 KiB on. */
export function charge(bytes: number): void {
  running?.host.charge(bytes);
}
