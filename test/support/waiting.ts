// Waiting with a bound for servers that settle in their own time: a wait that runs out says which phase hung, what
// was still missing and what the processes wrote last. Called by redis-cluster.ts, sentinel.ts and their tests.

import { type ServerHandle, sleep } from './ports.ts';
import { type Arg, parseReply, type Value, Wire, WireError } from './wire.ts';

/** How long one phase of a fixture may take; a loaded machine needs the room. */
export const PHASE_MS = 20_000;
const LAST_LINES = 6;

/** Commands in one pipeline on a connection of its own. The first error reply rejects with its text. */
export async function askAll(port: number, commands: readonly (readonly Arg[])[]): Promise<Value[]> {
  const wire = await Wire.open({ port, timeoutMs: 3000 });
  try {
    for (const args of commands) wire.send(...args);
    const replies = (await wire.replies(commands.length)).map(parseReply);
    const bad = replies.findIndex((reply) => reply.kind === 'error');
    if (bad === -1) return replies;
    throw new WireError(`port ${port}: ${commands[bad]!.slice(0, 3).join(' ')}: ${replies[bad]!.text}`);
  } finally {
    wire.close();
  }
}

/** One command on a connection of its own. An error reply rejects with its text. */
export async function ask(port: number, ...args: Arg[]): Promise<Value> {
  const [reply] = await askAll(port, [args]);
  return reply!;
}

/** The fields of what INFO, CLUSTER INFO and their like answer. */
export function fieldsOf({ text }: Value): Map<string, string> {
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
