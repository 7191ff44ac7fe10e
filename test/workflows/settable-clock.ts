// A clock for tests that goes where it is told, backwards as well, as a server's clock does when somebody sets it. Its
// timers never fire, so that months pass at once: what has expired is found when somebody looks.
import type { Clock, Timer } from '../../src/index.ts';

export class SettableClock implements Clock {
  private time = 1_700_000_000_000;

  now(): number {
    return this.time;
  }

  micros(): number {
    return this.time * 1000;
  }

  after(): Timer {
    return { cancel() {} };
  }

  sleep(milliseconds: number): void {
    this.advance(milliseconds);
  }

  /** Lets time pass. */
  advance(milliseconds: number): void {
    this.time += milliseconds;
  }

  /** Sets it to a moment, as an operator would. */
  set(to: number): void {
    this.time = to;
  }
}
