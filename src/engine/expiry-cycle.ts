// The active expiry cycle: purges keys whose time is over in the background, in small steps, so that commands run
// in between when many expire together. The engine owns one; what it purges is a unit of its own per key.
import type { Space } from '../keyspace/space.ts';
import type { Clock, Timer } from './ports.ts';

// One step is about 4 ms of work at most; when that was not enough the next comes soon.
const SEGMENTS = 1024;
const KEYS = 4096;
const AGAIN_MS = 5;

/** What the cycle needs of the engine. */
export interface CycleHost {
  /** Steps per second, the directive `hz`. */
  hz(): number;
  /** Is a unit open, so that nothing may change? */
  readonly inUnit: boolean;
  /** Purged keys are to be told: log, listeners, waiters. */
  purged(): void;
}

export class ExpiryCycle {
  /** DEBUG SET-ACTIVE-EXPIRE turns it off; keys then expire only when they are looked at. */
  active = true;
  private readonly space: Space;
  private readonly clock: Clock;
  private readonly host: CycleHost;
  private timer: Timer | null = null;
  private db = 0;
  private readonly cursors: number[] = [];

  constructor(space: Space, clock: Clock, host: CycleHost) {
    this.space = space;
    this.clock = clock;
    this.host = host;
  }

  /** Starts the cycle; its timer is no reason for the process to stay alive. False where it runs already. */
  start(): boolean {
    if (this.timer !== null) return false;
    this.schedule(1000 / this.host.hz());
    return true;
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  /**
   * Looks at up to `segments` segments of each database for expired keys and removes them, up to about `most`;
   * answers how many.
   */
  purge(segments: number, most = Number.POSITIVE_INFINITY): number {
    const { dbs } = this.space;
    let purged = 0;
    for (let i = 0; i < dbs.length && purged < most; i++) {
      this.db = (this.db + 1) % dbs.length;
      const db = dbs[this.db];
      if (db.expires === 0) continue;
      const step = db.expireCycle(this.cursors[this.db] ?? 0, segments, most - purged);
      this.cursors[this.db] = step.next;
      purged += step.purged;
    }
    this.space.endUnit();
    this.host.purged();
    return purged;
  }

  private schedule(milliseconds: number): void {
    this.timer = this.clock.after(Math.floor(milliseconds), () => this.step(), true);
  }

  private step(): void {
    this.space.tick();
    const purged = this.active && !this.host.inUnit ? this.purge(SEGMENTS, KEYS) : 0;
    this.schedule(purged >= KEYS ? AGAIN_MS : 1000 / this.host.hz());
  }
}
