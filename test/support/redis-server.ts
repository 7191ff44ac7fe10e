// The oracle: finds an installed redis-server (or valkey-server) and starts it on a free loopback port with
// no persistence. Called by test/oracle. HOLDFAST_REQUIRE_ORACLE=1 makes a missing oracle an error.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { freePort, type ServerHandle } from './ports.ts';
import { findProgram, isThere } from './programs.ts';
import { Wire } from './wire.ts';

/** The program's path, or null. HOLDFAST_ORACLE names another one. */
export function findOracle(): string | null {
  return findProgram(process.env.HOLDFAST_ORACLE, ['redis-server', 'valkey-server']);
}

/** True when tests that need the oracle should run; throws when it is required and missing. */
export function oracleAvailable(): boolean {
  return isThere(findOracle(), 'oracle', 'redis-server');
}

async function answersPing(port: number): Promise<boolean> {
  try {
    const wire = await Wire.open({ port, timeoutMs: 500 });
    const reply = await wire.call('PING');
    wire.close();
    return reply.text === 'PONG';
  } catch {
    return false;
  }
}

export async function startRedis(extra: string[] = []): Promise<ServerHandle> {
  const program = findOracle();
  if (program === null) throw new Error('no redis-server on PATH');
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-oracle-'));
  const port = await freePort();
  return startChild({
    name: 'redis',
    command: program,
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir],
      // A high hz, because an idle redis looks at the deadlines of blocked clients only hz times a second.
      ...['--enable-debug-command', 'yes', '--daemonize', 'no', '--hz', '500'],
      ...extra,
    ],
    port,
    // SORT ALPHA collates by locale: pin it.
    env: { ...process.env, LC_ALL: 'C', LANG: 'C' },
    ready: () => answersPing(port),
    readyMs: 5000,
    cleanup: () => rmSync(dir, { recursive: true, force: true }),
  });
}
