// A clock for tests that goes where it is told, backwards as well, as a server's clock does when somebody sets it.
import { type Clock, VirtualClock } from '../../src/index.ts';

export class SettableClock implements Clock {
  private readonly inner = new VirtualClock();
  private shift = 0;

  now(): number {
    return this.inner.now() + this.shift;
  }

  micros(): number {
    return this.now() * 1000;
  }

  after(milliseconds: number, action: () => void) {
    return this.inner.after(milliseconds, action);
  }

  sleep(milliseconds: number): void {
    this.inner.sleep(milliseconds);
  }

  /** Lets time pass. */
  advance(milliseconds: number): void {
    this.inner.advance(milliseconds);
  }

  /** Sets it to a moment, as an operator would; no time passes by it. */
  set(to: number): void {
    this.shift += to - this.now();
  }
}
