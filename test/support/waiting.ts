// Waiting with a bound for servers that settle in their own time: a wait that runs out says which phase hung, what
// was still missing and what the processes wrote last. Called by redis-cluster.ts, sentinel.ts and their tests.

import { type ServerHandle, sleep } from './ports.ts';
import { type Arg, type Value, Wire, WireError } from './wire.ts';

/** How long one phase of a fixture may take; a loaded machine needs the room. */
export const PHASE_MS = 20_000;
const LAST_LINES = 6;

/** One command on a connection of its own. An error reply rejects with its text. */
export async function ask(port: number, ...args: Arg[]): Promise<Value> {
  const wire = await Wire.open({ port, timeoutMs: 2000 });
  try {
    const reply = await wire.call(...args);
    if (reply.kind === 'error') throw new WireError(`${args.slice(0, 3).join(' ')}: ${reply.text}`);
    return reply;
  } finally {
    wire.close();
  }
}

/** The fields of INFO, CLUSTER INFO and their like. */
export async function askFields(port: number, ...args: Arg[]): Promise<Map<string, string>> {
  const { text } = await ask(port, ...args);
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

export interface Wait {
  /** What is waited for, as it should stand in the error. */
  phase: string;
  /** Whose last lines the error shows. */
  servers: () => readonly ServerHandle[];
  timeoutMs?: number;
  everyMs?: number;
}

/** Asks `missing` again and again until it answers null; an error it throws counts as something missing. */
export async function until(wait: Wait, missing: () => Promise<string | null>): Promise<void> {
  const timeoutMs = wait.timeoutMs ?? PHASE_MS;
  const end = Date.now() + timeoutMs;
  for (;;) {
    const what = await missing().catch((error: Error) => error.message);
    if (what === null) return;
    if (Date.now() > end) throw new Error(report(wait, timeoutMs, what));
    await sleep(wait.everyMs ?? 20);
  }
}

function report(wait: Wait, timeoutMs: number, what: string): string {
  const tails = wait.servers().map((server) => {
    const lines = server.tail().trimEnd().split('\n').slice(-LAST_LINES);
    return `--- ${server.name} (port ${server.port}${server.died() === null ? '' : `, ${server.died()}`})\n${lines.join('\n')}`;
  });
  return [`${wait.phase}: not done after ${timeoutMs} ms: ${what}`, ...tails].join('\n');
}
