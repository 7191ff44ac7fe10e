// Starts a server program as a child, keeps its last output, waits until it is ready, and ends exactly that
// process by its own handle. Called by redis-server.ts (and through it by the cluster and Sentinel fixtures) and
// holdfast-server.ts.

import { type ChildProcess, spawn } from 'node:child_process';
import { type ServerHandle, sleep } from './ports.ts';

const LAST_BYTES = 4000;
/** Children still alive: ended when this process exits, whatever the reason. */
const alive = new Set<ChildProcess>();
let hooked = false;

function endAll(): void {
  for (const child of alive) child.kill('SIGKILL');
}

export interface ChildOptions {
  name: string;
  command: string;
  args: string[];
  port: number;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Resolves true when the server answers; asked again and again until `readyMs` have passed. */
  ready(output: string): boolean | Promise<boolean>;
  readyMs: number;
  cleanup?(): void;
}

/** A server that we started ourselves, which can also be made to die. */
export interface ChildHandle extends ServerHandle {
  /** SIGKILL, as a crash of the machine would end it: resolves once it is gone. Its files stay until stop(). */
  kill(): Promise<void>;
}

export async function startChild(options: ChildOptions): Promise<ChildHandle> {
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let exit: string | null = null;
  let stopping = false;
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('latin1')).slice(-LAST_BYTES);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.on('error', (error) => {
    exit = error.message;
  });
  alive.add(child);
  if (!hooked) {
    hooked = true;
    process.on('exit', endAll);
  }
  const ended = new Promise<void>((resolve) => {
    child.on('close', (code, signal) => {
      exit ??= signal === null ? `exit code ${code}` : `signal ${signal}`;
      alive.delete(child);
      resolve();
    });
  });
  async function kill(): Promise<void> {
    stopping = true;
    child.kill('SIGKILL');
    await ended;
  }
  async function stop(): Promise<void> {
    stopping = true;
    if (alive.has(child)) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(timer);
    }
    options.cleanup?.();
  }
  const until = Date.now() + options.readyMs;
  while (!(await options.ready(output))) {
    if (exit !== null || Date.now() > until) {
      await stop();
      throw new Error(`${options.name} did not start (${exit ?? 'not ready in time'}):\n${output}`);
    }
    await sleep(10);
  }
  return {
    name: options.name,
    port: options.port,
    host: '127.0.0.1',
    tail: () => output,
    died: () => (stopping ? null : exit),
    kill,
    stop,
  };
}
