// Ends the process when one program runs too long in it, and says which: the program that hangs keeps JavaScript's
// only thread, so the watch is kept by another. Called by run.ts.
import { Worker } from 'node:worker_threads';

const WATCH = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { turns, limitMs, message } = workerData;
let seen = -1;
let since = Date.now();
setInterval(() => {
  const now = Atomics.load(turns, 0);
  if (now !== seen) {
    seen = now;
    since = Date.now();
  } else if (Date.now() - since > limitMs) {
    writeSync(2, message.replaceAll('{n}', String(Atomics.load(turns, 1))) + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }
}, 200);
`;

export class Watchdog {
  private readonly turns = new Int32Array(new SharedArrayBuffer(8));
  private readonly worker: Worker;

  /** `message` is printed, with the number of the program in place of {n}. */
  constructor(limitMs: number, message: string) {
    const { turns } = this;
    this.worker = new Worker(WATCH, { eval: true, workerData: { turns, limitMs, message } });
    this.worker.unref();
  }

  /** The process works on this program now. */
  alive(program: number): void {
    Atomics.store(this.turns, 1, program);
    Atomics.add(this.turns, 0, 1);
  }

  async stop(): Promise<void> {
    await this.worker.terminate();
  }
}
