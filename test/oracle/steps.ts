// The language of a test: steps in one global order, each on one of several connections. The generator makes
// them, cases/*.txt are parsed into them, execute.ts runs them and shrink.ts drops them.

import { escapeBytes } from '../support/wire.ts';

export type Step = CommandStep | SleepStep | WalkStep | ClosedStep | RawStep;

interface Glued {
  /** Belongs to the step before it: the shrinker keeps or drops them together. */
  glue?: boolean;
}

/** One command. An argument `{id:N}` becomes the client id of connection N on each server. */
export interface CommandStep extends Glued {
  kind: 'cmd';
  conn: number;
  args: string[];
  /** The server must not answer (CLIENT REPLY OFF / SKIP). */
  silent?: boolean;
}
/** Nothing is sent for a while. */
export interface SleepStep extends Glued {
  kind: 'sleep';
  ms: number;
}
/** Compare the whole dataset. */
export interface WalkStep extends Glued {
  kind: 'walk';
}
/** The server must have closed this connection; it is opened again. */
export interface ClosedStep extends Glued {
  kind: 'closed';
  conn: number;
  /** Both may also still be open (the command that closes may not have run); they must agree. */
  maybe?: boolean;
}
/** Bytes as they are; whatever comes back until silence or close is compared. */
export interface RawStep extends Glued {
  kind: 'raw';
  conn: number;
  bytes: string;
}

export const command = (conn: number, ...args: string[]): CommandStep => ({ kind: 'cmd', conn, args });

export function quoteArg(arg: string): string {
  return /^[A-Za-z0-9_:.\-+*(){}[\]<>=/,!@$%^&|?~]+$/.test(arg) ? arg : `"${escapeBytes(arg, 1e6)}"`;
}

/** A step as a line of a case file. */
export function showStep(step: Step): string {
  switch (step.kind) {
    case 'sleep':
      return `@sleep ${step.ms}`;
    case 'walk':
      return '@walk';
    case 'closed':
      return `@closed ${step.conn}`;
    case 'raw':
      return `@raw ${step.conn} ${quoteArg(step.bytes)}`;
    case 'cmd':
      return `>${step.conn}${step.silent ? '!' : ''} ${step.args.map(quoteArg).join(' ')}`;
  }
}

/** Splits a line the way redis-cli does: blanks separate, "…" with escapes and '…' quote. */
export function splitArgs(line: string): string[] {
  const args: string[] = [];
  let i = 0;
  const fail = (): never => {
    throw new Error(`unbalanced quotes: ${line}`);
  };
  while (i < line.length) {
    if (line[i] === ' ') {
      i++;
      continue;
    }
    let arg = '';
    const quote = line[i] === '"' || line[i] === "'" ? line[i++] : '';
    for (;;) {
      const c = line[i];
      if (c === undefined) {
        if (quote !== '') fail();
        break;
      }
      if (quote === '' && c === ' ') break;
      if (quote !== '' && c === quote) {
        i++;
        if (i < line.length && line[i] !== ' ') fail();
        break;
      }
      if (quote === '"' && c === '\\') {
        const next = line[i + 1] ?? fail();
        const hex = /^x([0-9a-f]{2})/i.exec(line.slice(i + 1, i + 4));
        if (hex !== null) {
          arg += String.fromCharCode(Number.parseInt(hex[1]!, 16));
          i += 4;
        } else {
          const named: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
          arg += named[next] ?? next;
          i += 2;
        }
        continue;
      }
      arg += c;
      i++;
    }
    args.push(arg);
  }
  return args;
}
