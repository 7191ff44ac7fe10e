// Starts Holdfast as a child process, the way a user does (`holdfast serve`), and waits for its
// "listening on" line. HOLDFAST_CLI names a compiled main.js to run instead of the sources. Called by test/oracle
// and by tests that need a real process.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from './child.ts';
import { freePort, type ServerHandle } from './ports.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export function holdfastProgram(): string[] {
  const compiled = process.env.HOLDFAST_CLI;
  return compiled ? [compiled] : ['--import', 'tsx', join(root, 'src/cli/main.ts')];
}

export function holdfastExists(): boolean {
  return existsSync(process.env.HOLDFAST_CLI ?? join(root, 'src/cli/main.ts'));
}

export async function startHoldfast(extra: string[] = []): Promise<ServerHandle> {
  const port = await freePort();
  return startChild({
    name: 'holdfast',
    command: process.execPath,
    args: [
      ...holdfastProgram(),
      ...['serve', '--port', String(port), '--save', '', '--appendonly', 'no', ...extra],
    ],
    cwd: root,
    port,
    ready: (output) => output.includes('listening on'),
    readyMs: 20_000,
  });
}
