// Runs the suspendable form of Lua functions: generators that yield a request whenever they call something,
// on a stack of our own. So a script can pause anywhere, a coroutine is a stack of its own, tail calls take
// no room, and the depth of recursion is Lua's, not JavaScript's. Used by index.ts (long or deep scripts)
// and by the coroutine library.
import { fail, plainError } from './errors.ts';
import { callable, metamethod } from './operations.ts';
import { type CallSite, enterDriver, type Level, leaveDriver } from './positions.ts';
import { CallRequest, Pause, PROBE, ReplaceRequest, Resume, TailCall, Yield } from './requests.ts';
import type { LuaState } from './state.ts';
import { FORM, type LuaFunction, type LuaResult, type LuaValue, type Suspendable } from './value.ts';

/** Calls in progress at once (LUAI_MAXCALLS), and of those the ones that a native or metamethod made
 *  (LUAI_MAXCCALLS). */
const MAX_CALLS = 20_000;
const MAX_NATIVE_CALLS = 200;

interface Frame {
  readonly run: Suspendable;
  /** Where it waits for a call; null for natives. */
  site: CallSite | null;
  readonly native: boolean;
  /** Called by a native or a metamethod: no coroutine can yield across it. */
  readonly fixed: boolean;
  /** Callers that tail calls replaced. */
  readonly tails: number;
}

/** A thread of Lua. */
export class Coroutine {
  readonly type = 'thread' as const;
  status: 'suspended' | 'running' | 'normal' | 'dead' = 'suspended';
  /** Null until first resumed. */
  body: LuaFunction | null;
  readonly frames: Frame[] = [];
  /** Frames that are `fixed`. */
  fixed = 0;
  /** How many threads wait for it. */
  depth = 0;
  /** Who resumed it. */
  resumer: Coroutine | null = null;
  /** Epoch of the run that made it (table.ts). */
  readonly epoch: number;
  /** No coroutine, but the code that a run begins with. */
  readonly isMain: boolean;
  constructor(body: LuaFunction, epoch: number, isMain = false) {
    this.body = body;
    this.epoch = epoch;
    this.isMain = isMain;
  }
}

/** Begins a function's suspendable form; null where it has none and is called as it is. */
function started(f: LuaFunction, args: readonly LuaValue[]): Suspendable | null {
  const form = f[FORM];
  if (form === null) return null;
  if (form !== undefined) return form(...args);
  return (f as unknown as (probe: LuaValue, args: readonly LuaValue[]) => Suspendable)(PROBE, args);
}

/** How far a driver came. */
export type Progress = 'done' | 'yielded' | 'paused';

/** A run of suspendable code: a thread, and the coroutines that it resumes. */
export class Driver {
  private readonly main: Coroutine;
  /** The thread that runs, or will when the driver goes on. */
  private thread: Coroutine;
  private value: LuaResult = undefined;
  private error: unknown = undefined;
  private throwing = false;
  // The innermost frame waits for a call that is being made.
  private calling = false;

  /**
   * Begins `thread`, or goes on with it where it yielded.
   * @param directDepth what is called at this depth runs in the direct form: fast, but it cannot pause. The host's
   *  tick throws NeedsSuspendable where that takes too long.
   */
  constructor(thread: Coroutine, args: readonly LuaValue[], directDepth = Number.POSITIVE_INFINITY) {
    this.main = thread;
    this.directDepth = directDepth;
    this.thread = thread;
    thread.status = 'running';
    this.value = args.length === 1 ? args[0] : args;
    this.starting = args;
  }
  private starting: readonly LuaValue[];
  private directDepth: number;

  /**
   * Runs until the end, until the main thread yields, or until it pauses.
   * @throws what the code raised and nobody caught
   */
  resume(state: LuaState): Progress {
    enterDriver(this);
    const before = current;
    const { deep, directDepth } = state;
    current = this;
    state.directDepth = this.directDepth;
    try {
      return this.driveFrames(state);
    } finally {
      current = before;
      state.deep = deep;
      state.directDepth = directDepth;
      leaveDriver();
    }
  }

  /** Between two slices: from here on all can pause. */
  leaveDirect(): void {
    this.directDepth = Number.POSITIVE_INFINITY;
  }

  /** Does some code run in the direct form? */
  get isMixed(): boolean {
    return this.directDepth < MAX_CALLS;
  }

  /** Results at the end, values of a yield. */
  get results(): LuaResult {
    return this.value;
  }

  /** The thread whose code runs; null while that is the main one. */
  get coroutine(): Coroutine | null {
    return this.thread.isMain ? null : this.thread;
  }

  /** The next step raises this in the code, wherever it is. */
  interrupt(error: unknown): void {
    this.throwing = true;
    this.error = error;
  }

  /** The place of the code that pauses; null where that is a native. */
  get site(): CallSite | null {
    const { frames } = this.thread;
    for (let i = frames.length - 1; i >= 0; i--) if (frames[i].site !== null) return frames[i].site;
    return null;
  }

  /** For positions.ts: frames that wait, innermost first. One that runs was seen on JavaScript's stack. */
  levels(): Level[] {
    const found: Level[] = [];
    const { frames } = this.thread;
    for (let i = frames.length - 1; i >= 0; i--) {
      const { native, site, tails } = frames[i];
      if (i < frames.length - 1 || this.calling) found.push(native || site === null ? 'native' : site);
      for (let t = 0; t < tails; t++) found.push('tail');
    }
    return found;
  }

  private push(f: LuaValue, args: readonly LuaValue[], fixed: boolean, tails: number): void {
    if (typeof f !== 'function') {
      const handler = metamethod(f, '__call');
      if (typeof handler !== 'function') {
        callable(f)();
        return;
      }
      this.push(handler, [f, ...args], fixed, tails);
      return;
    }
    const { thread } = this;
    if (thread.frames.length >= MAX_CALLS) throw fail('stack overflow');
    if (fixed && thread.fixed >= MAX_NATIVE_CALLS) throw fail('C stack overflow');
    const run = f[FORM] === undefined && thread.frames.length >= this.directDepth ? null : started(f, args);
    if (run === null) {
      this.value = f(...args);
      return;
    }
    if (fixed) thread.fixed++;
    thread.frames.push({ run, site: null, native: f[FORM] !== undefined, fixed, tails });
    this.value = undefined;
  }

  private pop(): Frame {
    const { thread } = this;
    const frame = thread.frames.pop() as Frame;
    if (frame.fixed) thread.fixed--;
    return frame;
  }

  // Its name is known to positions.ts.
  private driveFrames(state: LuaState): Progress {
    for (;;) {
      const { thread } = this;
      const { frames } = thread;
      let request: unknown;
      if (thread.body !== null) request = new CallRequest(thread.body, this.starting, null, false);
      else if (frames.length === 0) {
        if (this.finish(thread)) return 'done';
        continue;
      } else {
        const frame = frames[frames.length - 1];
        state.deep = frames.length >= this.directDepth;
        let step: IteratorResult<unknown, LuaResult | TailCall>;
        try {
          if (this.throwing) {
            this.throwing = false;
            step = frame.run.throw(this.error);
          } else step = frame.run.next(this.value);
        } catch (error) {
          this.pop();
          this.interrupt(error);
          continue;
        }
        if (!step.done) request = step.value;
        else {
          this.pop();
          if (!(step.value instanceof TailCall)) {
            this.value = step.value;
            continue;
          }
          const { f, args } = step.value;
          request = new ReplaceRequest(f, args, frame.fixed, Math.min(frame.tails + 1, 1000));
        }
      }
      this.calling = true;
      try {
        const progress = this.serve(request, state);
        if (progress !== null) return progress;
      } catch (error) {
        this.interrupt(error);
      } finally {
        this.calling = false;
      }
    }
  }

  private serve(request: unknown, state: LuaState): Progress | null {
    const { thread } = this;
    const { frames } = thread;
    if (request instanceof CallRequest) {
      if (thread.body !== null) {
        thread.body = null;
        this.push(request.f, request.args, false, 0);
        return null;
      }
      const { site } = request;
      if (site !== null) frames[frames.length - 1].site = site;
      this.push(request.f, request.args, request.fixed, 0);
    } else if (request instanceof ReplaceRequest) {
      this.push(request.f, request.args, request.fixed, request.tails);
    } else if (request instanceof Pause) {
      if (request.site !== null) frames[frames.length - 1].site = request.site;
      this.value = undefined;
      // A coroutine that direct code resumes cannot pause by itself.
      if (!this.main.isMain) {
        if (state.fuel < 0) state.tick();
      } else if (state.shouldPause()) return 'paused';
    } else if (request instanceof Resume) this.enterCoroutine(request);
    else if (request instanceof Yield) return this.leaveCoroutine(request.values);
    return null;
  }

  // A thread has no frames left: its results or error go to whoever resumed it.
  private finish(thread: Coroutine): boolean {
    thread.status = 'dead';
    if (thread === this.main) {
      if (!this.throwing) return true;
      this.throwing = false;
      throw this.error;
    }
    this.thread = thread.resumer as Coroutine;
    thread.resumer = null;
    this.thread.status = 'running';
    return false;
  }

  private enterCoroutine({ coroutine, args }: Resume): void {
    const { thread } = this;
    if (thread.depth >= MAX_NATIVE_CALLS) throw plainError('C stack overflow');
    coroutine.depth = thread.depth + 1;
    thread.status = 'normal';
    coroutine.status = 'running';
    coroutine.resumer = thread;
    this.thread = coroutine;
    this.starting = args;
    this.value = args.length === 1 ? args[0] : args;
  }

  private leaveCoroutine(values: readonly LuaValue[]): Progress | null {
    const { thread } = this;
    if (thread.isMain || thread.fixed > 0) {
      throw plainError('attempt to yield across metamethod/C-call boundary');
    }
    thread.status = 'suspended';
    this.value = values.length === 1 ? values[0] : values;
    if (thread === this.main) return 'yielded';
    this.thread = thread.resumer as Coroutine;
    thread.resumer = null;
    this.thread.status = 'running';
    return null;
  }
}

let current: Driver | null = null;

/** The driver that runs right now, if any. */
export function currentDriver(): Driver | null {
  return current;
}
