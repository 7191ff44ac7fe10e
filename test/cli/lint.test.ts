// `holdfast lint` as a program: exit codes, what it prints, which files of a folder it reads.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let folder: string;

function lint(...args: string[]): { status: number | null; out: string; err: string } {
  const node = ['--import', import.meta.resolve('tsx'), program, 'lint', ...args];
  const run = spawnSync(process.execPath, node, { cwd: folder, encoding: 'utf8' });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-lint-'));
  mkdirSync(join(folder, 'scripts', 'node_modules'), { recursive: true });
  writeFileSync(join(folder, 'good.lua'), "return redis.call('GET', KEYS[1])\n");
  writeFileSync(join(folder, 'scripts', 'bad.lua'), "return redis.call('GET', ARGV[1])\n");
  writeFileSync(join(folder, 'scripts', 'notes.md'), '```lua\nwhile true do end\n```\n');
  writeFileSync(join(folder, 'scripts', 'data.csv'), 'redis.call(\n');
  writeFileSync(join(folder, 'scripts', 'node_modules', 'other.lua'), 'no lua\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('ends with 0 where nothing is found', () => {
  expect(lint('good.lua')).toEqual({ status: 0, out: '1 file: nothing found\n', err: '' });
});

it('ends with 1 and tells place, rule, why and remedy', () => {
  const { status, out } = lint('scripts', 'good.lua');
  expect(status).toBe(1);
  const lines = out.split('\n');
  expect(lines[0]).toBe(
    `${join('scripts', 'bad.lua')}:1:26  error  undeclared-key  GET: ARGV[1] used as a key`,
  );
  expect(lines[1]).toMatch(/^ {4}why: {4}\S/);
  expect(lines[2]).toMatch(/^ {4}remedy: \S/);
  expect(lines[3]).toMatch(/notes\.md:2:1 {2}error {2}unbounded-loop/);
  expect(lines[6]).toBe('3 files: 2 errors, 0 warnings');
});

it('prints one array with all fields as JSON', () => {
  const { status, out } = lint('--json', 'scripts/bad.lua');
  expect(status).toBe(1);
  const findings = JSON.parse(out);
  expect(findings).toHaveLength(1);
  expect(Object.keys(findings[0])).toEqual([
    'file',
    'line',
    'column',
    'rule',
    'severity',
    'message',
    'why',
    'remedy',
  ]);
  expect(JSON.parse(lint('--json', 'good.lua').out)).toEqual([]);
});

it('lists the rules', () => {
  const { status, out } = lint('--rules');
  expect(status).toBe(0);
  expect(out).toMatch(/^undeclared-key {2}error\n {4}why: {4}\S.*\n {4}remedy: \S/m);
});

it.each([
  [[], 'which files?'],
  [['none.lua'], "there is no 'none.lua'"],
  [['scripts/data.csv'], "'scripts/data.csv' is neither Lua"],
  [['x'.repeat(5000)], 'ENAMETOOLONG'],
  [['--wrong'], "Unknown option '--wrong'"],
])('ends with 2 on wrong use: %j', (args, message) => {
  const { status, err } = lint(...args);
  expect(status).toBe(2);
  expect(err).toContain(message);
});

it('has a help text', () => {
  expect(lint('--help').out).toMatch(/^holdfast lint \[--json\] FILE/);
});
