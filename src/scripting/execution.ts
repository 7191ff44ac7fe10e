// How a script's Lua code is run: at full speed where it is known to be quick; else under watch, so that it can
// be undone and run again in the suspendable form, in slices, if it takes long. Scripts are deterministic
// (frozen time, the state of their chance restored, the data undone), so nobody can tell. Runner calls it.
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
/** The same of suspendable code. */
const SLICE = 8;
/** Fuel between two looks at the clock: well below a millisecond of direct code. */
const FUEL = 50_000;
const SUSPENDABLE_FUEL = 5_000;
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
  /** Commands that the watched script called, null where nobody watches. */
  calls: TableEntry[] | null = null;

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
    this.calls = [];
    task.state.fuel = FUEL;
    let inside: Epoch | null = null;
    const undo = (): void => {
      undoEpoch();
      engine.undo(point);
      watched.random.restore(random);
      for (const entry of this.calls ?? []) entry.calls--;
      this.calls = [];
      watched.restart();
    };
    try {
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
      const rest = new Suspended(task, begin(task.f, task.args), undo);
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
      do task.state.fuel = SUSPENDABLE_FUEL;
      while (!resume(task.state, rest.driver));
      return this.watched.done(task.command, rest.driver.results);
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
    const { task, driver } = rest;
    const mayRollBack = engine.config.value('script-kill-rollback') === 'yes';
    // From here on others wait anyway: only what may be undone once more is kept.
    if (!mayRollBack) engine.closeUndo(point);
    let inside = epoch;
    let killedAt: Site | null = null;
    const close = (): void => {
      if (mayRollBack) engine.closeUndo(point);
    };
    const work: LongWork = {
      name: task.name,
      kind: task.kind,
      command: task.command,
      spent,
      step: () => {
        this.mode = 'suspendable';
        this.sliceEnd = engine.elapsed() + SLICE;
        this.deadline = Number.POSITIVE_INFINITY;
        task.state.fuel = SUSPENDABLE_FUEL;
        const outside = switchEpoch(inside);
        try {
          if (!resume(task.state, driver)) return undefined;
          close();
          return watched.done(task.command, driver.results);
        } catch (error) {
          if (error instanceof Ended && mayRollBack) rest.undo();
          close();
          if (error instanceof Ended || error instanceof LuaError) {
            return watched.failed(task, error, error instanceof LuaError ? error.site : killedAt);
          }
          throw error;
        } finally {
          inside = switchEpoch(outside);
        }
      },
      kill: () => {
        if (watched.wrote && !mayRollBack) return false;
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

  tick(): number {
    if (this.mode === 'quick') return NO_LIMIT;
    const now = this.engine.elapsed();
    if (now >= this.memoryAt) {
      this.memoryAt = now + MEMORY_EVERY;
      this.checkMemory(0);
    }
    if (now >= this.deadline) throw new Ended('budget');
    if (this.mode === 'direct') {
      if (now >= this.sliceEnd) throw new NeedsSuspendable();
      return FUEL;
    }
    return now >= this.sliceEnd ? -1 : SUSPENDABLE_FUEL;
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
  readonly driver: Driver;
  readonly undo: () => void;
  constructor(task: Task, driver: Driver, undo: () => void) {
    this.task = task;
    this.driver = driver;
    this.undo = undo;
  }
}

/** Remembers a call of the watched script. */
export function remember(calls: TableEntry[], entry: TableEntry): void {
  if (calls.length < MOST_CALLS) calls.push(entry);
}
