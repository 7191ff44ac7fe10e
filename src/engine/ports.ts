// The world outside as ports: time and chance. The system versions are for real use; the virtual clock and the
// seeded generator make a run repeatable (tests, explorer).

/** A pending timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Unix time in milliseconds, an integer. */
  now(): number;
  /** Unix time in microseconds, an integer. */
  micros(): number;
  /** Calls `action` once after `milliseconds`. A background timer does not keep the process alive. */
  after(milliseconds: number, action: () => void, background?: boolean): Timer;
  /** Blocks for this long (DEBUG SLEEP). */
  sleep(milliseconds: number): void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  micros: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
  after(milliseconds, action, background = false) {
    // setTimeout holds at most 2^31-1 ms: longer waits are cut in pieces.
    const LONGEST = 2 ** 31 - 1;
    let handle: ReturnType<typeof setTimeout>;
    const arm = (left: number): void => {
      handle = setTimeout(() => (left > LONGEST ? arm(left - LONGEST) : action()), Math.min(left, LONGEST));
      if (background) (handle as { unref?: () => void }).unref?.();
    };
    arm(milliseconds);
    return { cancel: () => clearTimeout(handle) };
  },
  sleep(milliseconds) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  },
};

/** Calls `action` in the next turn of the event loop, after what has arrived meanwhile. */
export function soon(action: () => void): void {
  setImmediate(action);
}

interface VirtualTimer {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** A clock that stands still until it is told to advance; its timers fire on the way. */
export class VirtualClock implements Clock {
  private time: number;
  private order = 0;
  private readonly timers = new Set<VirtualTimer>();

  /** @param start Unix ms at which it begins. */
  constructor(start = 1_700_000_000_000) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  micros(): number {
    return this.time * 1000;
  }

  after(milliseconds: number, action: () => void): Timer {
    const timer = { at: this.time + milliseconds, order: this.order++, action };
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer) };
  }

  sleep(milliseconds: number): void {
    this.advance(milliseconds);
  }

  /** Moves the time on by `milliseconds`; due timers run in order of their time, each at its time. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      let next: VirtualTimer | undefined;
      for (const timer of this.timers) {
        if (timer.at > end) continue;
        if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) {
          next = timer;
        }
      }
      if (next === undefined) break;
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.action();
    }
    this.time = end;
  }
}

/** Numbers in [0, 1) from a seed (mulberry32): the same seed gives the same run. */
export class Random {
  /** Where the sequence is; put it back to repeat the rest. */
  state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
}
