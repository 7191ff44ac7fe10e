// The lock of a directory: a file that says which process has it, and that nobody minds once that process is gone.
// Called by node.ts.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { LOCK_FILE } from './paths.ts';
import { type DirectoryLock, StorageLocked } from './port.ts';

// Why takers never get in each other's way. A file of this kind appears complete (link, rename) and
//  - where none is, the first link wins;
//  - while its process lives, nobody else touches it;
//  - once its process is gone, only whoever has the file `<name>.takeover`, which is of this kind itself, replaces it.
// A process that died while taking over leaves two such files, and so on: each level is one death at a bad moment.
const DEPTH = 8;

/** Others may release what is in the way at the same moment. */
const ATTEMPTS = 20;

interface Holder {
  readonly pid: number;
  /** When the process began, so that another of the same number is not taken for it; '' where nobody can tell. */
  readonly start: string;
}

export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, LOCK_FILE);
  const text = `${process.pid} ${startOf(process.pid) ?? ''} ${randomBytes(8).toString('hex')}\n`;
  const holder = acquire(path, text, 0);
  if (holder !== null) throw new StorageLocked(directory, holder);
  return { release: async () => release(path, text) };
}

/** null: it is ours; otherwise the process that has it. */
function acquire(path: string, text: string, depth: number): number | null {
  const draft = `${path}.${text.split(/\s/).join('-')}draft`;
  let other: number = process.pid;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      fs.writeFileSync(draft, text, { mode: 0o644 });
      if (link(draft, path)) return null;
      const found = readHolder(path);
      if (found === undefined) continue;
      if (found !== null && isAlive(found)) return found.pid;
      if (depth === DEPTH) throw new Error(`${path}: remove this file, whose process is gone`);
      const taker = takeOver(path, draft, text, depth);
      if (taker === null) return null;
      other = taker ?? other;
    }
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return other;
}

/** null: done. A process: it is faster. undefined: what was to be taken over has changed. */
function takeOver(path: string, draft: string, text: string, depth: number): number | null | undefined {
  const right = `${path}.takeover`;
  const taker = acquire(right, text, depth + 1);
  if (taker !== null) return taker;
  try {
    const found = readHolder(path);
    if (found === undefined || (found !== null && isAlive(found))) return undefined;
    fs.renameSync(draft, path);
    return null;
  } finally {
    release(right, text);
  }
}

function release(path: string, text: string): void {
  if (readText(path) === text) fs.rmSync(path, { force: true });
}

function link(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** undefined: no such file. null: a power cut has spoilt it, so its process is gone too. */
function readHolder(path: string): Holder | null | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const match = /^([1-9]\d{0,9}) (\S*) [0-9a-f]{16}\n$/.exec(text);
  return match === null ? null : { pid: Number(match[1]), start: match[2] };
}

function isAlive({ pid, start }: Holder): boolean {
  const present = startOf(pid);
  if (present === null) return false;
  if (present !== undefined && start !== '') return present === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** When the process began, on this boot. null: it has ended, though nobody has collected it. undefined: cannot tell. */
function startOf(pid: number): string | null | undefined {
  try {
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before may hold anything, spaces and parentheses too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : `${boot}:${fields[19]}`;
  } catch {
    return undefined;
  }
}
