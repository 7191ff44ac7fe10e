// The oracle: finds an installed redis-server (or valkey-server) and starts it on a free loopback port with
// no persistence. Called by test/oracle; launchRedis also by the fixtures of other topologies here.
// HOLDFAST_REQUIRE_ORACLE=1 makes a missing oracle an error.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildHandle, startChild } from './child.ts';
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

export interface Launch {
  name: string;
  port: number;
  /** Arguments after the port and the address. */
  args: string[];
  /** A configuration file, which has to be the first argument. */
  file?: string;
  readyMs?: number;
  cleanup?(): void;
}

/** Starts redis-server with exactly these arguments on a port of the caller's choice. */
export async function launchRedis(launch: Launch): Promise<ChildHandle> {
  const program = findOracle();
  if (program === null) throw new Error('no redis-server on PATH');
  return startChild({
    name: launch.name,
    command: program,
    args: [
      ...(launch.file === undefined ? [] : [launch.file]),
      ...['--port', String(launch.port), '--bind', '127.0.0.1', '--daemonize', 'no'],
      ...launch.args,
    ],
    port: launch.port,
    // SORT ALPHA collates by locale: pin it.
    env: { ...process.env, LC_ALL: 'C', LANG: 'C' },
    ready: () => answersPing(launch.port),
    readyMs: launch.readyMs ?? 5000,
    cleanup: launch.cleanup,
  });
}

export async function startRedis(extra: string[] = []): Promise<ServerHandle> {
  if (findOracle() === null) throw new Error('no redis-server on PATH');
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-oracle-'));
  return launchRedis({
    name: 'redis',
    port: await freePort(),
    args: [
      ...['--save', '', '--appendonly', 'no', '--dir', dir],
      // A high hz, because an idle redis looks at the deadlines of blocked clients only hz times a second.
      ...['--enable-debug-command', 'yes', '--hz', '500'],
      ...extra,
    ],
    cleanup: () => rmSync(dir, { recursive: true, force: true }),
  });
}
