// A redis-server that can crash and come back on the same port with what its log holds. Called by tests of what a
// client and its callers live through when their one server restarts.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildHandle } from './child.ts';
import { fixedPort } from './fixed-ports.ts';
import { launchRedis } from './redis-server.ts';

export interface RestartableRedis {
  readonly host: string;
  readonly port: number;
  readonly running: boolean;
  /** The last lines that the present process, or the last one, wrote. */
  tail(): string;
  /** SIGKILL. The port refuses connections until start(). */
  kill(): Promise<void>;
  /** Starts the server again; resolves once it has read its log and answers. */
  start(): Promise<void>;
  /** Ends it for good and removes its files. */
  stop(): Promise<void>;
}

/** Starts redis-server with `appendonly yes`: what it has answered survives kill(), unless `extra` says otherwise. */
export async function startRestartable(extra: string[] = []): Promise<RestartableRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-restartable-'));
  const port = await fixedPort();
  const args = [
    ...['--appendonly', 'yes', '--save', '', '--dir', dir, '--enable-debug-command', 'yes', '--hz', '100'],
    ...extra,
  ];
  const removeFiles = (): void => rmSync(dir, { recursive: true, force: true });
  const launch = (): Promise<ChildHandle> =>
    launchRedis({ name: 'restartable redis', port, args, readyMs: 10_000 });
  let running = true;
  let process = await launch().catch((error: unknown) => {
    removeFiles();
    throw error;
  });
  return {
    host: '127.0.0.1',
    port,
    get running() {
      return running;
    },
    tail: () => process.tail(),
    async kill() {
      running = false;
      await process.kill();
    },
    async start() {
      if (running) throw new Error(`redis on port ${port} has not been killed`);
      process = await launch();
      running = true;
    },
    async stop() {
      running = false;
      await process.kill();
      removeFiles();
    },
  };
}
