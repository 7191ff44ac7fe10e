// `holdfast check-aof` and `holdfast check-rdb` as their user meets them: what they print, their exit status, and that
// nothing is cut off unasked or under an open database.
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open } from '../../src/index.ts';
import { holdfastProgram } from '../support/holdfast-server.ts';
import { findProgram } from '../support/programs.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-check-'));
const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const INCREMENT = 'appendonlydir/appendonly.aof.1.incr.aof';
const BASE = 'appendonlydir/appendonly.aof.1.base.rdb';
let count = 0;
let whole: string;
/** Size of the log before its last batch. */
let before: number;

beforeAll(async () => {
  whole = join(root, 'whole');
  const db = await open(whole, { appendfsync: 'always' });
  db.set('é', '1');
  await db.flushed();
  before = statSync(join(whole, INCREMENT)).size;
  db.set('b', '2');
  await db.flushed();
  await db.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function copy(change: (dir: string) => void = () => {}): string {
  const dir = join(root, String(++count));
  cpSync(whole, dir, { recursive: true });
  change(dir);
  return dir;
}

const short = (dir: string): void => truncateSync(join(dir, INCREMENT), before + 40);
const changed = (dir: string): void => {
  const bytes = readFileSync(join(dir, INCREMENT));
  bytes[before - 3] ^= 1;
  writeFileSync(join(dir, INCREMENT), bytes);
};

function run(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...holdfastProgram(), ...args], {
    encoding: 'utf8',
    input: '',
    cwd: repository,
  });
  return { status, out: stdout, err: stderr };
}

describe('holdfast check-aof', () => {
  it('says of each file what it is', () => {
    const size = statSync(join(whole, INCREMENT)).size;
    const { status, out, err } = run('check-aof', whole);
    expect([status, err]).toEqual([0, '']);
    expect(out).toContain(`File ${join(whole, BASE)}: the base`);
    expect(out).toMatch(/3 units of 3 commands; 4 batches of Holdfast, with checksums/);
    expect(out).toContain(
      `AOF analyzed: filename=${join(whole, INCREMENT)}, size=${size}, ok_up_to=${size}, diff=0\n`,
    );
    expect(out.endsWith('Valid.\n')).toBe(true);
  });

  it('asks before it cuts, and cuts what it said', () => {
    const dir = copy(short);
    const file = join(dir, INCREMENT);
    const look = run('check-aof', dir);
    expect(look.status).toBe(1);
    expect(look.out).toMatch(/CUT at byte \d+: .*\n.*ok_up_to=.*\nRemedy: .*40 bytes go\.\n$/);
    const asked = run('check-aof', '--fix', dir);
    expect(asked.status).toBe(1);
    expect(asked.out).toContain(
      'There is no terminal to ask on: say --yes to have it cut.\nNothing was altered.\n',
    );
    expect(run('check-aof', '--fix', '--json', dir).status).toBe(1);
    expect(statSync(file).size).toBe(before + 40);
    const fixed = run('check-aof', '--fix', '--yes', dir);
    expect(fixed.status).toBe(0);
    expect(fixed.out).toContain(`Cut 40 bytes off ${file}: it ends at byte ${before} now.\n`);
    expect(statSync(file).size).toBe(before);
    expect(run('check-aof', '--fix', dir).out).toContain('Valid: there is nothing to fix.');
  });

  it('tells damage from an interrupted write, in JSON too', () => {
    const dir = copy(changed);
    const { status, out } = run('check-aof', '--json', join(dir, 'appendonlydir'));
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      directory: dir,
      valid: false,
      manifest: 'appendonlydir/appendonly.aof.manifest',
      files: [{ state: 'valid' }, { state: 'damaged', why: 'wrong checksum of batch 2' }],
      fix: { path: INCREMENT },
      cut: null,
    });
    expect(run('check-aof', dir).out).toContain('DAMAGED at byte ');
  });

  it('goes back to a point in time', () => {
    const dir = copy();
    const early = run('check-aof', '--truncate-to-timestamp', '1000', dir);
    expect(early.status).toBe(1);
    expect(early.out).toMatch(/Not cut: that time lies before the end of .*base\.rdb/);
    const late = run('check-aof', '--truncate-to-timestamp', '99999999999', dir);
    expect(late.status).toBe(0);
    expect(late.out).toContain('nothing to cut');
  });

  it('leaves an open directory alone', async () => {
    const dir = copy();
    const db = await open(dir);
    try {
      const { status, out, err } = run('check-aof', '--fix', '--yes', dir);
      expect([status, out]).toEqual([1, '']);
      expect(err).toBe(`holdfast: ${dir} is in use by process ${process.pid}: stop it first\n`);
      expect(run('check-aof', '--fix', '--yes', join(dir, INCREMENT)).err).toBe(err);
    } finally {
      await db.close();
    }
  });

  it.skipIf(findProgram(undefined, ['script']) === null)('asks on a terminal', async () => {
    const dir = copy(short);
    for (const [answer, size] of [
      ['n', before + 40],
      ['y', before],
    ] as const) {
      // script(1) gives it a terminal.
      const command = [process.execPath, ...holdfastProgram(), 'check-aof', '--fix', dir].join(' ');
      const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: repository });
      let out = '';
      child.stdout.on('data', (chunk) => {
        out += chunk;
        if (out.includes('[y/N]') && !child.stdin.writableEnded) child.stdin.end(`${answer}\n`);
      });
      const status = await new Promise((resolve) => child.on('close', resolve));
      expect(out).toContain('Cut 40 bytes off');
      expect([status, statSync(join(dir, INCREMENT)).size]).toEqual([answer === 'y' ? 0 : 1, size]);
    }
  });
});

describe('holdfast check-rdb', () => {
  it('says what a file holds, and where it is damaged', () => {
    const dir = copy();
    const good = run('check-rdb', join(dir, BASE));
    expect(good).toMatchObject({ status: 0, err: '' });
    expect(good.out).toMatch(
      /version 10 of the format[\s\S]*aof-base: 1[\s\S]*Valid: \d+ bytes, checked to the end\.\n$/,
    );
    const file = join(root, 'damaged.rdb');
    copyFileSync(join(dir, BASE), file);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(file, bytes);
    const bad = run('check-rdb', '--json', file);
    expect(bad.status).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({ file, ok: false, error: { offset: bytes.length } });
    expect(run('check-rdb', file).out).toMatch(/DAMAGED at byte \d+: wrong checksum\nRemedy: /);
  });
});

it.each([
  [['check-aof'], 'which file?'],
  [['check-aof', '--frob', 'a'], "Unknown option '--frob'"],
  [['check-aof', '--truncate-to-timestamp', 'soon', 'a'], "takes Unix seconds, not 'soon'"],
  [['check-aof', '--fix', '--truncate-to-timestamp', '5', 'a'], '--fix first'],
  [['check-aof', '/nowhere/at/all'], "there is no '/nowhere/at/all'"],
  [['check-rdb', '/'], "'/' is a directory"],
])('%j is wrong use', (args, why) => {
  const { status, out, err } = run(...args);
  expect([status, out]).toEqual([2, '']);
  expect(err).toContain(why);
});

it('explains itself', () => {
  expect(run('check-aof', '--help').out).toMatch(/--truncate-to-timestamp UNIX\n[\s\S]*Exit status: 0 valid/);
  expect(run('check-rdb', '--help').out).toContain('holdfast check-rdb [--json] FILE');
});
