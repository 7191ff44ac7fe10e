// A script that runs for long: it goes on in slices, one per turn of the event loop, while its unit stays
// open. Who sends a command meanwhile waits; once the script has run for busy-reply-threshold they get BUSY,
// but for the commands that may end it. The engine owns one; scripting/runner.ts hands it the work.
import type { LongWork } from '../commands/ports.ts';
import type { TableEntry } from '../commands/table.ts';
import { Later } from '../resp/reply.ts';
import type { Session } from './session.ts';

/** What long runs need of the engine. */
export interface LongRunHost {
  /** busy-reply-threshold in milliseconds; 0: never. */
  threshold(): number;
  /** Runs a command that had to wait, and sends its reply. */
  release(held: Held): void;
  /** Calls `action` in the event loop's next turn. */
  soon(action: () => void): void;
  /** Milliseconds of a clock that only goes forward. */
  elapsed(): number;
}

/** A command that waits for the end of a long run. */
export interface Held {
  readonly session: Session;
  readonly args: readonly string[];
  readonly entry: TableEntry | undefined;
}

export class LongRuns {
  /** What runs; null most of the time. */
  work: LongWork | null = null;
  private readonly host: LongRunHost;
  private later = new Later();
  private startedAt = 0;
  private held: Held[] = [];
  private busy = false;

  constructor(host: LongRunHost) {
    this.host = host;
  }

  /** Goes on with `work` in the background; its reply comes with the Later. */
  begin(work: LongWork): Later {
    this.work = work;
    this.later = new Later();
    this.startedAt = this.host.elapsed() - work.spent;
    this.busy = false;
    this.schedule(work);
    return this.later;
  }

  /** How long the script has run, in milliseconds. */
  get duration(): number {
    return this.host.elapsed() - this.startedAt;
  }

  /** Has it run for so long that others are to be told? */
  get isBusy(): boolean {
    return this.busy;
  }

  /** A command has to wait until the run ends or counts as long. */
  hold(held: Held): void {
    this.held.push(held);
  }

  /** The engine closes: nothing goes on, nobody gets a reply. */
  stop(): void {
    this.work = null;
    this.held = [];
  }

  private schedule(work: LongWork): void {
    this.host.soon(() => {
      if (this.work !== work) return;
      const reply = work.step();
      if (this.work !== work) return;
      if (reply === undefined) {
        const threshold = this.host.threshold();
        if (!this.busy && threshold > 0 && this.duration >= threshold) {
          this.busy = true;
          this.releaseAll();
        }
        this.schedule(work);
        return;
      }
      this.work = null;
      this.later.settle(reply);
      this.releaseAll();
    });
  }

  // In the order in which they came. One of them may be a long script again: the others go on waiting.
  private releaseAll(): void {
    const { held } = this;
    this.held = [];
    for (const one of held) this.host.release(one);
  }
}
