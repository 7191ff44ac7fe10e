// Reads cases/*.txt: directed scripts, one command per line, that are run on both servers. The syntax:
//   == title          a new case: empty servers, fresh connections
//   GET k             a command on connection 0; ">2 GET k" on connection 2; ">2! GET k" expects no reply
//   @sleep 5   @walk   @closed 2   @raw 1 "*1\r\n..."      # comment
//   (after QUIT the close is checked without being asked for)
//   @protocol 2       the rest of the file is not repeated under RESP3
// Called by oracle.test.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, type Step, splitArgs } from './steps.ts';

export const CASE_CONNECTIONS = 4;

export interface Case {
  file: string;
  title: string;
  protocols: number[];
  steps: Step[];
  /** Line number of each step. */
  lines: number[];
}

function parseLine(line: string): Step {
  const args = splitArgs(line);
  const first = args[0]!;
  switch (first) {
    case '@sleep':
      return { kind: 'sleep', ms: Number(args[1]) };
    case '@walk':
      return { kind: 'walk' };
    case '@closed':
      return { kind: 'closed', conn: Number(args[1]) };
    case '@raw':
      return { kind: 'raw', conn: Number(args[1]), bytes: args[2] ?? '' };
  }
  if (first.startsWith('@')) throw new Error(`unknown directive ${first}`);
  const to = /^>(\d)(!?)$/.exec(first);
  if (to === null) return { kind: 'cmd', conn: 0, args };
  return {
    kind: 'cmd',
    conn: Number(to[1]),
    args: args.slice(1),
    ...(to[2] === '!' ? { silent: true } : {}),
  };
}

export function parseCases(file: string, text: string): Case[] {
  const cases: Case[] = [];
  let protocols = [2, 3];
  let current: Case | null = null;
  text.split('\n').forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('# ') || line === '#') return;
    if (line.startsWith('@protocol ')) protocols = line.slice(10).split(',').map(Number);
    else if (line.startsWith('== ')) {
      current = { file, title: line.slice(3), protocols, steps: [], lines: [] };
      cases.push(current);
    } else {
      if (current === null) throw new Error(`${file}:${i + 1}: a step before the first case`);
      try {
        current.steps.push(parseLine(line));
      } catch (error) {
        throw new Error(`${file}:${i + 1}: ${(error as Error).message}`);
      }
      current.lines.push(i + 1);
    }
  });
  return cases;
}

export function readCases(dir: string): Case[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .flatMap((name) => parseCases(name, readFileSync(join(dir, name), 'latin1')));
}

/** The steps as they are run: protocol first, and at the end a PING everywhere and a look at the whole dataset. */
export function caseSteps(one: Case, protocol: number): Step[] {
  const everyone = Array.from({ length: CASE_CONNECTIONS }, (_, conn) => conn);
  return [
    ...(protocol === 3 ? everyone.map((conn) => command(conn, 'HELLO', '3')) : []),
    ...one.steps,
    ...everyone.map((conn) => command(conn, 'PING')),
    { kind: 'walk' },
  ];
}
