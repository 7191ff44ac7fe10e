// `holdfast bench strategies` as a program, with tiny settings: what it says, not how fast anything is. And what follows
// from made-up figures.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Step } from '../../src/cli/strategies/measure.ts';
import { adviceOf, crossoverOf, crossoverText } from '../../src/cli/strategies/verdict.ts';
import { startHoldfast } from '../support/holdfast-server.ts';
import type { ServerHandle } from '../support/ports.ts';
import { Wire } from '../support/wire.ts';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'holdfast-strategies-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(...args: string[]): { status: number | null; out: string; err: string } {
  const node = ['--import', import.meta.resolve('tsx'), program, 'bench', ...args];
  const run = spawnSync(process.execPath, node, { cwd: folder, encoding: 'utf8' });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

const TINY = ['strategies', '--seconds', '0.05', '--clients', '2,1'];
const NAMES = ['WATCH', 'script', 'function', 'lock'];

it('measures all four on a server of its own, each consistent, and draws them', () => {
  const svg = join(folder, 'plot.svg');
  const { status, out, err } = bench(...TINY, '--json', '--svg', svg);
  expect(err).toBe('');
  expect(status).toBe(0);
  const report = JSON.parse(out);
  expect(report).toMatchObject({ seconds: 0.05, repeats: 1, node: process.version });
  expect(report.server).toMatch(/^Holdfast \d/);
  expect(['always', 'never', 'from']).toContain(report.crossover.kind);
  const steps: Step[] = report.steps;
  expect(steps.map(({ strategy, clients }) => `${strategy} ${clients}`)).toEqual(
    [1, 2].flatMap((clients) => NAMES.map((name) => `${name} ${clients}`)),
  );
  for (const step of steps) {
    expect(step.consistent, step.strategy).toBe(true);
    expect(step.successShare).toBeGreaterThan(0);
    expect(step.successShare).toBeLessThanOrEqual(1);
    expect(step.conflictRate).toBeGreaterThanOrEqual(0);
    if (step.strategy === 'script' || step.strategy === 'function') {
      expect(step).toMatchObject({ retriesPerOperation: 0, conflictRate: 0, successShare: 1 });
    }
    if (step.clients === 1) expect(step.conflictRate).toBe(0);
    if (step.fairness !== null) expect(step.fairness).toBeGreaterThanOrEqual(1 / step.clients - 1e-9);
    expect(step.p99Ms).toBeGreaterThanOrEqual(step.p50Ms as number);
  }
  const drawn = readFileSync(svg, 'utf8');
  expect(drawn).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
  for (const name of NAMES) expect(drawn).toContain(`>${name}</text>`);
  const lines = new Set(
    [...drawn.matchAll(/ d="M[\d.]+ [\d.]+L[^"]*" fill="none"[^>]* stroke="(#[0-9a-f]{6})"/g)].map(
      ([, colour]) => colour,
    ),
  );
  expect(['#0072b2', '#d55e00', '#009e73', '#aa4499'].filter((colour) => lines.has(colour))).toHaveLength(4);
});

it('prints a table, the crossover and advice', () => {
  const { status, out } = bench(...TINY, '--repeats', '2');
  expect(status).toBe(0);
  expect(out).toContain('the middle one of 2 runs');
  expect(out).toMatch(
    /^clients {2}strategy +ops\/s +conflicts +retries\/op +success +fairness +p50 ms +p99 ms +consistent$/m,
  );
  for (const name of NAMES) expect(out).toMatch(new RegExp(`^ +2 {2}${name} .* yes$`, 'm'));
  expect(out).not.toContain('NO');
});

describe('on a server of the user', () => {
  let server: ServerHandle;
  beforeAll(async () => {
    server = await startHoldfast();
  });
  afterAll(() => server.stop());

  it('takes away what it put there', async () => {
    const wire = await Wire.open({ port: server.port });
    await wire.call('SET', 'mine', '1');
    const { status, out } = bench(...TINY, '--json', '--url', `redis://127.0.0.1:${server.port}`);
    expect(status).toBe(0);
    expect(JSON.parse(out).server).toMatch(/^127\.0\.0\.1:\d+, redis \d/);
    expect((await wire.call('KEYS', '*')).items.map(({ text }) => text)).toEqual(['mine']);
    expect((await wire.call('FUNCTION', 'LIST')).items).toEqual([]);
    wire.close();
  });
});

it.each([
  [[], 'which benchmark?'],
  [['wire'], 'which benchmark?'],
  [['strategies', '--clients', '1,x'], "--clients: 'x' is no whole number from 1 to 500"],
  [['strategies', '--seconds', '0'], "--seconds: '0' is no number from 0.01 to 600"],
  [['strategies', '--repeats', '1.5'], "--repeats: '1.5' is no whole number"],
  [['strategies', '--wrong'], "Unknown option '--wrong'"],
  [['strategies', '--url', 'redis://127.0.0.1:1'], '127.0.0.1:1 does not answer'],
])('ends with 2 on wrong use: %j', (args, message) => {
  const { status, err, out } = bench(...args);
  expect(err).toContain(message);
  expect(status).toBe(2);
  expect(out).toBe('');
});

it('has a help text', () => {
  expect(bench('--help').out).toMatch(/^holdfast bench strategies \[--url URL\]/);
});

function step(strategy: string, clients: number, throughput: number, conflictRate = 0): Step {
  return {
    strategy,
    clients,
    throughput,
    conflictRate,
    retriesPerOperation: 0,
    successShare: 1,
    fairness: 1,
    consistent: true,
    p50Ms: 1,
    p99Ms: 1,
  };
}

describe('the crossover', () => {
  const script = [step('script', 1, 100), step('script', 2, 100), step('script', 4, 100)];

  it('lies between the last step that WATCH won and the next', () => {
    // Ahead by 0.2 at 1 and 2 clients, behind by the same at 4.
    const watch = [step('WATCH', 1, 125, 0), step('WATCH', 2, 125, 0.1), step('WATCH', 4, 100 / 1.2, 0.3)];
    const crossover = crossoverOf([...watch, ...script]);
    expect(crossover).toEqual({
      kind: 'from',
      conflictRate: expect.closeTo(0.2),
      clients: expect.closeTo(3),
    });
    expect(crossoverText(crossover)).toContain('from a conflict rate of 20 %, met at some 3 clients');
    expect(adviceOf([...watch, ...script], crossover)).toContain('1.2 times WATCH at 4 clients');
  });

  it('is always where WATCH won nothing, also where it had no success at all', () => {
    const watch = [step('WATCH', 1, 90), step('WATCH', 2, 90, 0.1), step('WATCH', 4, 0, 1)];
    const crossover = crossoverOf([...watch, ...script]);
    expect(crossover).toEqual({ kind: 'always' });
    expect(adviceOf([...watch, ...script], crossover)).toMatch(
      /^Use a script or function for a key like this at 4/,
    );
  });

  it('is never where WATCH still wins at the last step', () => {
    const watch = [step('WATCH', 1, 90), step('WATCH', 2, 90, 0.1), step('WATCH', 4, 110, 0.2)];
    const crossover = crossoverOf([...watch, ...script]);
    expect(crossover).toEqual({ kind: 'never' });
    expect(adviceOf([...watch, ...script], crossover)).toContain(
      'Stay with WATCH while its conflict rate is about 20 %',
    );
  });
});
