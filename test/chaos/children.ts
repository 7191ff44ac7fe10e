// A handle on a process of clients (child.ts), which runs one load after the other. Used by round.ts and by the stress
// test of the workflows.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Orders } from './child.ts';
import type { Counts } from './clients.ts';

export class Child {
  private readonly process: ChildProcess;
  private readonly gone: Promise<never>;
  private counts: Promise<Counts> | undefined;

  /** Forks it, with `execArgv` for node, by default with the loader that this process was started with. */
  constructor(execArgv: readonly string[] = process.execArgv) {
    this.process = fork(fileURLToPath(new URL('child.ts', import.meta.url)), { execArgv: [...execArgv] });
    this.gone = new Promise((_, reject) => {
      this.process.on('exit', (code) => reject(new Error(`a child process ended with ${code}`)));
    });
    this.gone.catch(() => {});
  }

  /** Resolves once it is connected. Its clients wait for `go`. */
  async begin(orders: Orders): Promise<void> {
    const ready = new Promise<void>((isReady) => {
      this.counts = Promise.race([this.gone, this.hear(isReady)]);
    });
    this.counts?.catch(() => {});
    this.process.send(orders);
    await Promise.race([ready, this.counts]);
  }

  /** Sets its clients to work. */
  go(): void {
    this.process.send('go');
  }

  /** What its clients met with, once they have ended. */
  result(): Promise<Counts> {
    if (this.counts === undefined) throw new Error('it was told nothing to do');
    return this.counts;
  }

  /** Tells them to end. */
  end(): Promise<Counts> {
    this.process.send('stop');
    return this.result();
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }

  private hear(isReady: () => void): Promise<Counts> {
    return new Promise((resolve) => {
      const listen = (message: unknown): void => {
        if (message === 'ready') {
          isReady();
          return;
        }
        this.process.off('message', listen);
        resolve(message as Counts);
      };
      this.process.on('message', listen);
    });
  }
}
