// The lock of a directory between real processes: killed owners, numbers of processes used again, takers that race.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { lockDirectory } from './lock.ts';
import { StorageLocked } from './port.ts';

const MODULE = pathToFileURL(fileURLToPath(new URL('lock.ts', import.meta.url))).href;

let directory: string;
let dead: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  // What a process left that is gone for good: its number may be anyone's, its start nobody's.
  dead = `${process.pid} another-boot:1 0123456789abcdef\n`;
});

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'holdfast-lock-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(directory, { recursive: true });
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that runs this code, which has `fs` and `lockDirectory`, and the lines it prints. */
function child(code: string): { process: ChildProcess; line(): Promise<string | undefined> } {
  const script = `
    import fs from 'node:fs';
    import { lockDirectory } from '${MODULE}';
    ${code}`;
  const started = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(started);
  const lines = createInterface({ input: started.stdout! })[Symbol.asyncIterator]();
  return { process: started, line: async () => (await lines.next()).value };
}

function pidInTheWay(path = directory): number | null {
  try {
    lockDirectory(path);
    return null;
  } catch (error) {
    if (error instanceof StorageLocked) return error.pid;
    throw error;
  }
}

function leftovers(path = directory): string[] {
  return fs.readdirSync(path).sort();
}

const lockFile = (path = directory): string => join(path, 'holdfast.lock');

test('another process has it until it is killed, then it is free', async () => {
  const other = child(`
    lockDirectory(${JSON.stringify(directory)});
    console.log('locked');
    setInterval(() => {}, 1000);`);
  expect(await other.line()).toBe('locked');
  expect(pidInTheWay()).toBe(other.process.pid);
  expect(() => lockDirectory(directory)).toThrow(`${directory} is in use by process ${other.process.pid}`);
  const ended = once(other.process, 'exit');
  other.process.kill('SIGKILL');
  await ended;
  const mine = lockDirectory(directory);
  expect([pidInTheWay(), leftovers()]).toEqual([process.pid, ['holdfast.lock']]);
  await mine.release();
  expect(leftovers()).toEqual([]);
});

test('a process that ended but was not collected is gone', async () => {
  if (process.platform !== 'linux') return;
  // The shell becomes `sleep`, which never collects its child.
  const zombies = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 20']);
  children.push(zombies);
  const [line] = await once(createInterface({ input: zombies.stdout }), 'line');
  const stat = (): string => fs.readFileSync(`/proc/${line}/stat`, 'latin1');
  await vi.waitFor(() => expect(stat()).toContain(' Z '));
  fs.writeFileSync(lockFile(), `${line}  0123456789abcdef\n`);
  expect(pidInTheWay()).toBe(null);
  zombies.kill('SIGKILL');
});

describe('what is in the way', () => {
  const started = (pid: number): string => {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  };
  const boot = (): string => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();

  test('a process of the same number but another start is another', () => {
    if (process.platform !== 'linux') return;
    const [pid, start] = [process.ppid, started(process.ppid)];
    fs.writeFileSync(lockFile(), `${pid} ${boot()}:${start} 0123456789abcdef\n`);
    expect(pidInTheWay()).toBe(pid);
    fs.writeFileSync(lockFile(), `${pid} ${boot()}:${start}1 0123456789abcdef\n`);
    expect(pidInTheWay()).toBe(null);
    expect(leftovers()).toEqual(['holdfast.lock']);
  });

  test('without a start the number decides', () => {
    fs.writeFileSync(lockFile(), `${process.ppid}  0123456789abcdef\n`);
    expect(pidInTheWay()).toBe(process.ppid);
    const gone = Number(execFileSync(process.execPath, ['-p', 'process.pid']).toString());
    fs.writeFileSync(lockFile(), `${gone}  0123456789abcdef\n`);
    expect(pidInTheWay()).toBe(null);
  });

  test.each(['', 'x', '\0'.repeat(30), '12', '0  0123456789abcdef\n'])(
    '%j is what a power cut left',
    (text) => {
      fs.writeFileSync(lockFile(), text);
      expect(pidInTheWay()).toBe(null);
      expect(pidInTheWay()).toBe(process.pid);
    },
  );

  test('takers that died while taking over', () => {
    for (let depth = 0; depth < 5; depth++) {
      fs.writeFileSync(`${lockFile()}${'.takeover'.repeat(depth)}`, dead);
      expect(pidInTheWay()).toBe(null);
      expect(leftovers()).toEqual(['holdfast.lock']);
      for (let each = 0; each <= depth; each++) {
        fs.writeFileSync(`${lockFile()}${'.takeover'.repeat(each)}`, dead);
      }
    }
    for (let depth = 0; depth < 12; depth++) {
      fs.writeFileSync(`${lockFile()}${'.takeover'.repeat(depth)}`, dead);
    }
    expect(() => lockDirectory(directory)).toThrow('remove this file');
  });

  test('release takes nobody else’s', async () => {
    const mine = lockDirectory(directory);
    fs.writeFileSync(lockFile(), dead);
    const next = lockDirectory(directory);
    await mine.release();
    expect(pidInTheWay()).toBe(process.pid);
    await next.release();
    await next.release();
    expect(leftovers()).toEqual([]);
  });
});

const STEPS = ['linkSync', 'readFileSync', 'renameSync', 'rmSync', 'writeFileSync'] as const;

/** Calls `act` before the step of this number among all that touch the directory. False: there are fewer. */
function atStep(number: number, act: () => void, work: () => void): boolean {
  let steps = 0;
  let inside = false;
  for (const name of STEPS) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
      if (!inside && String(args[0]).startsWith(directory) && ++steps === number) {
        inside = true;
        act();
        inside = false;
      }
      return original(...args);
    }) as never);
  }
  work();
  vi.restoreAllMocks();
  return steps >= number;
}

test.each(['nobody', 'a dead process', 'a dead taker'])('one of two takers gets it from %s', (before) => {
  const prepare = (): void => {
    for (const name of fs.readdirSync(directory)) fs.rmSync(join(directory, name));
    if (before !== 'nobody') fs.writeFileSync(lockFile(), dead);
    if (before === 'a dead taker') fs.writeFileSync(`${lockFile()}.takeover`, dead);
  };
  const winners = new Set<string>();
  let step = 1;
  for (; ; step++) {
    prepare();
    let first: number | null = 0;
    let second: number | null = 0;
    const reached = atStep(
      step,
      () => (second = pidInTheWay()),
      () => (first = pidInTheWay()),
    );
    if (!reached) break;
    const outcome = [first, second].map((pid) => (pid === null ? 'has it' : pid));
    expect([step, outcome.toSorted()]).toEqual([step, [process.pid, 'has it']]);
    expect(pidInTheWay()).toBe(process.pid);
    expect(leftovers()).toEqual(['holdfast.lock']);
    winners.add(first === null ? 'first' : 'second');
  }
  expect(step).toBeGreaterThan(3);
  expect(winners.size).toBe(2);
});

test('the owner lets go while another looks', async () => {
  for (let step = 1; ; step++) {
    const mine = lockDirectory(directory);
    const reached = atStep(
      step,
      () => void mine.release(),
      () => pidInTheWay(),
    );
    await mine.release();
    if (!reached) break;
    expect([null, process.pid]).toContain(pidInTheWay());
    expect(leftovers()).toEqual(['holdfast.lock']);
    fs.rmSync(lockFile());
  }
});

test('a taker killed at any step leaves nothing that keeps the next one out', async () => {
  if (process.platform !== 'linux') return;
  const paths = Array.from({ length: 40 }, (_, step) => join(directory, `${step}`));
  for (const path of paths) {
    fs.mkdirSync(path);
    fs.writeFileSync(lockFile(path), dead);
    fs.writeFileSync(`${lockFile(path)}.takeover`, dead);
  }
  let deaths = 0;
  for (const [index, path] of paths.entries()) {
    const step = index + 1;
    const taker = stoppedAt(step, path);
    if (taker === 'done') break;
    deaths++;
    const mine = lockDirectory(path);
    expect([step, pidInTheWay(path)]).toEqual([step, process.pid]);
    await mine.release();
    expect([step, fs.existsSync(lockFile(path))]).toEqual([step, false]);
  }
  expect(deaths).toBeGreaterThan(10);
  expect(deaths).toBeLessThan(paths.length);
});

/** Takes the lock as a process of an earlier boot, gone by now, that came no further than to this step. */
function stoppedAt(step: number, path: string): 'stopped' | 'done' {
  let steps = 0;
  for (const name of STEPS) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
      if (String(args[0]).endsWith('/boot_id')) return 'another-boot';
      if (!String(args[0]).startsWith(path)) return original(...args);
      // Whatever follows death, finally blocks too, finds no system to call.
      if (++steps >= step) throw new Error('killed');
      return original(...args);
    }) as never);
  }
  try {
    lockDirectory(path);
    return 'done';
  } catch (error) {
    if ((error as Error).message !== 'killed') throw error;
    return 'stopped';
  } finally {
    vi.restoreAllMocks();
  }
}

test('a real kill in the middle', async () => {
  for (const name of ['linkSync', 'renameSync']) {
    fs.writeFileSync(lockFile(), dead);
    const other = child(`
      const original = fs.${name};
      fs.${name} = (...args) => {
        if (String(args[1]).endsWith('${name === 'linkSync' ? '.takeover' : '.lock'}')) {
          original(...args);
          process.kill(process.pid, 'SIGKILL');
        }
        return original(...args);
      };
      lockDirectory(${JSON.stringify(directory)});`);
    const [, signal] = await once(other.process, 'exit');
    expect(signal).toBe('SIGKILL');
    expect(leftovers()).toContain('holdfast.lock.takeover');
    const mine = lockDirectory(directory);
    expect(pidInTheWay()).toBe(process.pid);
    await mine.release();
    for (const left of leftovers()) fs.rmSync(join(directory, left));
  }
});

test('processes that take at the same moment: always exactly one', async () => {
  const rounds = 150;
  for (let round = 0; round < rounds; round++) {
    fs.mkdirSync(join(directory, `${round}`));
    if (round % 3 > 0) fs.writeFileSync(lockFile(join(directory, `${round}`)), dead);
    if (round % 3 > 1) fs.writeFileSync(`${lockFile(join(directory, `${round}`))}.takeover`, dead);
  }
  const code = `
    import { once } from 'node:events';
    console.log('ready');
    const [line] = await once(process.stdin, 'data');
    const got = [];
    for (let round = 0; round < ${rounds}; round++) {
      while (Date.now() < Number(line) + 4 * round);
      try {
        lockDirectory(${JSON.stringify(directory)} + '/' + round);
        got.push(round);
      } catch (error) {
        if (error.name !== 'StorageLocked') throw error;
      }
    }
    console.log(JSON.stringify(got));
    await once(process.stdin, 'data');
    process.exit();`;
  const takers = [child(code), child(code)];
  for (const taker of takers) expect(await taker.line()).toBe('ready');
  const begin = Date.now() + 50;
  for (const taker of takers) taker.process.stdin!.write(`${begin}\n`);
  const got = await Promise.all(takers.map(async (taker) => JSON.parse((await taker.line())!) as number[]));
  const all = got.flat().toSorted((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: rounds }, (_, round) => round));
  for (const [index, taker] of takers.entries()) {
    for (const round of got[index]) {
      expect(pidInTheWay(join(directory, `${round}`))).toBe(taker.process.pid);
      expect(leftovers(join(directory, `${round}`))).toEqual(['holdfast.lock']);
    }
  }
  for (const taker of takers) taker.process.stdin!.end('end\n');
});
