// How a script's Lua code is run: at full speed where it is known to be quick; else under watch, so that it can
// be undone and run again in a form that can pause, in slices, if it takes long: first with what it calls in the
// direct form, then, where a single such call takes too long, with fewer and fewer of them (LEVELS). Scripts are
// deterministic (frozen time, the state of their chance restored, the data undone), so nobody can tell. Runner
// calls it.
import type { EnginePort, LongWork, UndoPoint } from '../commands/ports.ts';
import type { TableEntry } from '../commands/table.ts';
import {
  begin,
  callLua,
  type Driver,
  LuaError,
  type LuaFunction,
  type LuaHost,
  type LuaResult,
  type LuaState,
  type LuaValue,
  NeedsSuspendable,
  resume,
} from '../lua/index.ts';
import type { MathRandom } from '../lua/lib-math.ts';
import { siteAt } from '../lua/positions.ts';
import { beginEpoch, type Epoch, switchEpoch, undoEpoch } from '../lua/table.ts';
import type { Site } from '../lua/value.ts';
import type { Reply } from '../resp/reply.ts';

/** Longest stretch of direct code, in milliseconds: then the event loop has waited long enough. */
const DIRECT_SLICE = 40;
/** The same of suspendable code; and of direct code that it calls, beyond the slice. */
const SLICE = 8;
const GRACE = 30;
/** Depths of calls from which on they run in the direct form: one after the other is tried. */
const LEVELS = [1, 8, 64, Number.POSITIVE_INFINITY] as const;
const LAST_LEVEL = LEVELS.length - 1;
/** A script that has changed so much is not run again any more. */
const MOST_UNDONE = 200_000;
/** Fuel between two looks at the clock: well below a millisecond of direct code. */
const FUEL = 50_000;
const SUSPENDABLE_FUEL = 5_000;
const LATE_FUEL = 20;
const NO_LIMIT = 2 ** 30;
/** Between two looks at the heap: milliseconds, and bytes that tables and strings say they take. */
const MEMORY_EVERY = 4;
const CHARGE_EVERY = 16 * 1024 * 1024;
/** Part of the heap's limit that a script may fill. */
const HEAP_SHARE = 0.7;
/** Calls remembered, so that their counts can be taken back. */
const MOST_CALLS = 100_000;

/** Ends a script whatever it does; Lua cannot catch it. */
export class Ended {
  readonly why: 'killed' | 'budget';
  constructor(why: Ended['why']) {
    this.why = why;
  }
}

/** What is to be run. */
export interface Task {
  readonly name: string;
  readonly kind: 'script' | 'function';
  /** The command as sent. */
  readonly command: readonly string[];
  readonly state: LuaState;
  readonly f: LuaFunction;
  readonly args: readonly LuaValue[];
  /** Its caller can wait for a reply that comes later. */
  readonly canWait: boolean;
}

/** What an execution needs of the runner. */
export interface Watched {
  readonly random: MathRandom;
  /** The running script has called a command that writes. */
  wrote: boolean;
  /** Puts the script's session back to where the script began. */
  restart(): void;
  done(command: readonly string[], result: LuaResult): Reply;
  /** `site` is where the script was, for what is no error of Lua's own. */
  failed(task: Task, error: LuaError | Ended, site: Site | null): Reply;
}

type Mode = 'quick' | 'direct' | 'suspendable';

export class Execution implements LuaHost {
  private readonly engine: EnginePort;
  private readonly watched: Watched;
  private mode: Mode = 'quick';
  /** When the running slice ends, and when a caller that cannot wait gets an error. */
  private sliceEnd = 0;
  private deadline = 0;
  private memoryAt = 0;
  private charged = 0;
  private canEscalate = false;
  /** Commands that the watched script called, null where nobody watches. */
  calls: TableEntry[] | null = null;
  /** What took long the last time: at which level it ended. It need not be tried in the direct form again. */
  private readonly known = new WeakMap<LuaFunction, number>();

  constructor(engine: EnginePort, watched: Watched) {
    this.engine = engine;
    this.watched = watched;
  }

  /** What follows cannot take long. */
  beginQuick(state: LuaState): void {
    this.mode = 'quick';
    state.fuel = NO_LIMIT;
  }

  /** Runs what may take long. */
  run(task: Task): Reply {
    const { engine, watched } = this;
    const start = engine.elapsed();
    const budget = this.budget;
    this.mode = 'direct';
    this.deadline = task.canWait || budget === 0 ? Number.POSITIVE_INFINITY : start + budget;
    this.sliceEnd = task.canWait ? start + DIRECT_SLICE : Number.POSITIVE_INFINITY;
    this.memoryAt = start + MEMORY_EVERY;
    const random = watched.random.save();
    const point = engine.openUndo();
    const outside = beginEpoch(task.kind === 'function');
    const calls: TableEntry[] = [];
    this.calls = calls;
    task.state.fuel = FUEL;
    let inside: Epoch | null = null;
    const undo = (): void => {
      undoEpoch();
      engine.undo(point);
      watched.random.restore(random);
      for (const entry of calls) entry.calls--;
      calls.length = 0;
      watched.restart();
    };
    try {
      const level = task.canWait ? this.known.get(task.f) : undefined;
      if (level !== undefined) {
        const rest = new Suspended(task, undo, calls, level);
        inside = switchEpoch(outside);
        return this.goOn(rest, point, inside, 0);
      }
      const result = callLua(task.state, task.f, task.args);
      engine.closeUndo(point);
      return watched.done(task.command, result);
    } catch (error) {
      if (error instanceof LuaError) {
        engine.closeUndo(point);
        return watched.failed(task, error, error.site);
      }
      undo();
      if (error instanceof Ended) {
        engine.closeUndo(point);
        return watched.failed(task, error, null);
      }
      if (!(error instanceof NeedsSuspendable)) {
        engine.closeUndo(point);
        throw error;
      }
      const rest = new Suspended(task, undo, calls, error.why === 'depth' ? LAST_LEVEL : 0);
      if (!task.canWait) return this.finishNow(rest, point);
      inside = switchEpoch(outside);
      return this.goOn(rest, point, inside, engine.elapsed() - start);
    } finally {
      this.calls = null;
      if (inside === null) switchEpoch(outside);
    }
  }

  // The caller cannot wait: the suspendable form runs to its end at once.
  private finishNow(rest: Suspended, point: UndoPoint): Reply {
    const { task } = rest;
    this.mode = 'suspendable';
    this.sliceEnd = Number.POSITIVE_INFINITY;
    try {
      for (;;) {
        try {
          do task.state.fuel = SUSPENDABLE_FUEL;
          while (!resume(task.state, rest.driver));
          return this.watched.done(task.command, rest.driver.results);
        } catch (error) {
          if (!(error instanceof NeedsSuspendable) || !rest.escalate(error)) throw error;
        }
      }
    } catch (error) {
      if (error instanceof Ended) rest.undo();
      if (error instanceof Ended || error instanceof LuaError) {
        return this.watched.failed(task, error, error instanceof LuaError ? error.site : null);
      }
      rest.undo();
      throw error;
    } finally {
      this.engine.closeUndo(point);
    }
  }

  private goOn(rest: Suspended, point: UndoPoint, epoch: Epoch, spent: number): Reply {
    const { engine, watched } = this;
    const { task } = rest;
    const mayRollBack = engine.config.value('script-kill-rollback') === 'yes';
    // What cannot be run once more need not be kept.
    const isOpen = (): boolean => mayRollBack || rest.level < LAST_LEVEL;
    if (!isOpen()) engine.closeUndo(point);
    let inside = epoch;
    let killedAt: Site | null = null;
    let slices = 0;
    const close = (): void => {
      if (isOpen()) engine.closeUndo(point);
      // The next time may be another case: what ends within a slice is tried in the direct form again.
      if (slices > 1) this.known.set(task.f, rest.level);
      else this.known.delete(task.f);
    };
    const work: LongWork = {
      name: task.name,
      kind: task.kind,
      command: task.command,
      spent,
      step: () => {
        if (isOpen() && !mayRollBack && engine.undoLength > MOST_UNDONE) {
          rest.settle();
          engine.closeUndo(point);
        }
        this.mode = 'suspendable';
        this.canEscalate = rest.level < LAST_LEVEL;
        this.sliceEnd = engine.elapsed() + SLICE;
        this.deadline = Number.POSITIVE_INFINITY;
        task.state.fuel = SUSPENDABLE_FUEL;
        slices++;
        this.calls = rest.calls;
        const outside = switchEpoch(inside);
        try {
          if (!resume(task.state, rest.driver)) return undefined;
          close();
          return watched.done(task.command, rest.driver.results);
        } catch (error) {
          const wasOpen = isOpen();
          if (error instanceof NeedsSuspendable && rest.escalate(error)) {
            if (wasOpen && !isOpen()) engine.closeUndo(point);
            return undefined;
          }
          if (error instanceof Ended && mayRollBack) rest.undo();
          close();
          if (error instanceof Ended || error instanceof LuaError) {
            return watched.failed(task, error, error instanceof LuaError ? error.site : killedAt);
          }
          throw error;
        } finally {
          this.calls = null;
          inside = switchEpoch(outside);
        }
      },
      kill: () => {
        if (watched.wrote && !mayRollBack) return false;
        const { driver } = rest;
        killedAt = driver.site;
        driver.interrupt(new Ended('killed'));
        return true;
      },
    };
    return engine.runLong(work);
  }

  private get budget(): number {
    return Math.max(0, Number(this.engine.config.value('busy-reply-threshold')));
  }

  // ---- LuaHost

  clock(): number {
    return this.engine.elapsed() / 1000;
  }

  tick(_state: LuaState, canPause: boolean): number {
    if (this.mode === 'quick') return NO_LIMIT;
    const now = this.engine.elapsed();
    if (now >= this.memoryAt) {
      this.memoryAt = now + MEMORY_EVERY;
      this.checkMemory(0);
    }
    if (now >= this.deadline) throw new Ended('budget');
    if (this.mode === 'direct') {
      if (now >= this.sliceEnd) throw new NeedsSuspendable('time');
      return FUEL;
    }
    if (now < this.sliceEnd) return SUSPENDABLE_FUEL;
    if (canPause) return -1;
    if (this.canEscalate && now >= this.sliceEnd + GRACE) throw new NeedsSuspendable('time');
    // Little, so that the code which can pause is the next to ask.
    return LATE_FUEL;
  }

  charge(bytes: number): void {
    this.charged += bytes;
    if (this.charged < CHARGE_EVERY) return;
    this.charged = 0;
    this.checkMemory(bytes);
  }

  // Before a script fills the heap, which would end the process, it gets an error.
  private checkMemory(more: number): void {
    const { heap } = this.engine;
    if (heap === null) return;
    const limit = heap.limit * HEAP_SHARE;
    if (heap.used() + 2 * more < limit) return;
    // What looks full may be rubbish.
    heap.collect();
    if (heap.used() + 2 * more >= limit) throw new LuaError('not enough memory', siteAt(1));
  }
}

class Suspended {
  readonly task: Task;
  readonly undo: () => void;
  /** What {@link Execution.calls} is while it runs. */
  readonly calls: TableEntry[];
  /** Of {@link LEVELS}. */
  level: number;
  driver: Driver;
  constructor(task: Task, undo: () => void, calls: TableEntry[], level: number) {
    this.task = task;
    this.calls = calls;
    this.undo = undo;
    this.level = level;
    this.driver = this.begin();
  }

  /** Undoes all and begins again, at a level that can do what was missing; false where there is none. */
  escalate(error: NeedsSuspendable): boolean {
    if (this.level === LAST_LEVEL) return false;
    this.undo();
    this.level = error.why === 'depth' ? LAST_LEVEL : this.level + 1;
    this.driver = this.begin();
    return true;
  }

  /** From here on there is no way back. */
  settle(): void {
    this.level = LAST_LEVEL;
    this.driver.leaveDirect();
  }

  private begin(): Driver {
    const { task, level } = this;
    return begin(task.f, task.args, LEVELS[level]);
  }
}

/** Remembers a call of the watched script. */
export function remember(calls: TableEntry[], entry: TableEntry): void {
  if (calls.length < MOST_CALLS) calls.push(entry);
}
