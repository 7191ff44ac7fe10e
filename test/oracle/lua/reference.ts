// The oracle of Lua: one process of lua5.1 that runs program after program (driver.lua), started again when one
// of them kills it. Called by run.ts and lua.test.ts. HOLDFAST_REQUIRE_ORACLE=1 makes a missing oracle an error.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, isThere } from '../../support/programs.ts';

/** How a program ended: `compile` is a compile error, `limit` too many steps, `died` the process with it. */
export type Ending = 'ok' | 'error' | 'compile' | 'limit' | 'died';

/** Byte strings (char codes 0-255). */
export interface Outcome {
  readonly ending: Ending;
  readonly output: string;
  readonly error: string;
}

export const CHUNK_NAME = '=prog';
const STEPS = 20_000_000;
const MEMORY_KB = 2_000_000;
const MAX_OUTPUT = 8 << 20;

/** The program's path, or null. HOLDFAST_LUA names another one. */
export function findLua(): string | null {
  return findProgram(process.env.HOLDFAST_LUA, ['lua5.1']);
}

/** True when tests that need the oracle should run; throws when it is required and missing. */
export function luaAvailable(): boolean {
  return isThere(findLua(), 'lua oracle', 'lua5.1');
}

interface Waiting {
  readonly source: string;
  readonly mark: string;
  readonly resolve: (outcome: Outcome) => void;
}

export class Reference {
  private readonly program: string;
  private readonly timeoutMs: number;
  private readonly driver = join(dirname(fileURLToPath(import.meta.url)), 'driver.lua');
  private child: ChildProcessWithoutNullStreams | null = null;
  private readonly waiting: Waiting[] = [];
  private received = '';
  /** Where in `received` the search for the mark goes on. */
  private searched = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @param timeoutMs how long one program may take */
  constructor(timeoutMs = 15_000) {
    this.timeoutMs = timeoutMs;
    const program = findLua();
    if (program === null) throw new Error('no lua5.1 on PATH');
    this.program = program;
  }

  /** Runs a program of bytes in a fresh world. Several may be under way: they are run in order. */
  run(source: string): Promise<Outcome> {
    return new Promise((resolve) => {
      const one = { source, mark: randomBytes(12).toString('hex'), resolve };
      this.waiting.push(one);
      if (this.child === null) this.start();
      else {
        this.send(one);
        if (this.waiting.length === 1) this.watch();
      }
    });
  }

  stop(): void {
    this.forget();
    for (const one of this.waiting.splice(0)) one.resolve({ ending: 'died', output: '', error: 'stopped' });
  }

  private start(): void {
    const args = [this.driver, String(STEPS), CHUNK_NAME];
    // Where ulimit cannot limit memory, programs that take all of it are none that the generator makes.
    const limited = `ulimit -v ${MEMORY_KB} 2>/dev/null; exec "$0" "$@"`;
    const child = spawn('/bin/sh', ['-c', limited, this.program, ...args], {
      env: { ...process.env, LC_ALL: 'C', LUA_INIT: '' },
    });
    this.child = child;
    this.received = '';
    this.searched = 0;
    let complaint = '';
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (text: string) => {
      if (this.child === child) this.receive(text);
    });
    child.stderr.setEncoding('latin1');
    child.stderr.on('data', (text: string) => {
      complaint = (complaint + text).slice(-1000);
    });
    child.stdin.on('error', () => {
      // The process is gone: 'exit' follows.
    });
    child.on('error', (error) => {
      if (this.child === child) this.died(error.message);
    });
    child.on('exit', (code, signal) => {
      if (this.child === child) this.died(`${signal ?? `exit code ${code}`} ${complaint}`.trim());
    });
    for (const one of this.waiting) this.send(one);
    this.watch();
  }

  private send(one: Waiting): void {
    this.child?.stdin.write(`${one.source.length} ${one.mark}\n${one.source}`, 'latin1');
  }

  private watch(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer =
      this.waiting.length === 0 ? null : setTimeout(() => this.died('took too long'), this.timeoutMs);
  }

  private receive(text: string): void {
    this.received += text;
    for (let one = this.waiting[0]; one !== undefined; one = this.waiting[0]) {
      const needle = `\n${one.mark} `;
      const at = this.received.indexOf(needle, this.searched);
      if (at < 0) {
        this.searched = Math.max(0, this.received.length - needle.length);
        if (this.received.length > MAX_OUTPUT) this.died('printed too much');
        return;
      }
      this.searched = at;
      const line = this.received.indexOf('\n', at + 1);
      if (line < 0) return;
      const [, ending, size] = this.received.slice(at + 1, line).split(' ');
      const end = line + 1 + Number(size);
      if (this.received.length < end) return;
      const output = this.received.slice(0, at);
      const error = this.received.slice(line + 1, end);
      this.received = this.received.slice(end);
      this.searched = 0;
      this.waiting.shift();
      this.watch();
      one.resolve({ ending: ending as Ending, output, error });
    }
  }

  /** The program under way ended the process, or is made to; the others run in a new one. */
  private died(why: string): void {
    this.forget();
    this.waiting.shift()?.resolve({ ending: 'died', output: this.received, error: why });
    if (this.waiting.length > 0) this.start();
  }

  private forget(): void {
    const { child } = this;
    this.child = null;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    child?.kill('SIGKILL');
  }
}
