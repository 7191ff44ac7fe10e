// `holdfast review` as a program: our own workflows, cards of a module, scripts, exit codes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Review } from '../../src/cli/review/point.ts';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const toolkit = new URL('../../src/workflows/index.ts', import.meta.url).href;

let folder: string;

function review(...args: string[]): { status: number | null; out: string; err: string } {
  const node = ['--import', import.meta.resolve('tsx'), program, 'review', ...args];
  const run = spawnSync(process.execPath, node, { cwd: folder, encoding: 'utf8' });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

function reviewed(...args: string[]): Review[] {
  return JSON.parse(review('--json', ...args).out);
}

const stateOf = (result: Review): Record<string, string> =>
  Object.fromEntries(result.points.map(({ id, state }) => [id, state]));

const CARD = `
  invariant: 'No seat is sold twice.',
  keys: {
    seats: { pattern: 'seats:{event}', holds: 'who has which', expires: 'never' },
    request: { pattern: 'seats:{event}:request:id', holds: 'the answer', expires: 'in a minute' },
  },
  why: 'HSETNX takes one seat, and two must be taken together.',
  bounds: ['one field for each seat'],
  tests: ['test/seats.test.js'],`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-review-'));
  mkdirSync(join(folder, 'test'));
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(join(folder, 'test', 'seats.test.js'), '');
  writeFileSync(
    join(folder, 'src', 'good.mjs'),
    `import { defineScript, defineWorkflow, ok, denied, text } from '${toolkit}';
    const take = defineScript({
      name: 'seats_take', version: 1, mode: 'write', retry: 'same-request-id',
      lua: "if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return {'taken'} end redis.call('SET', KEYS[2], '1', 'PX', 60000) return {'sold'}",
      keys: ['seats', 'request'], args: { seat: text, owner: text }, reply: { sold: ok(), taken: denied() },
    });
    export const seats = defineWorkflow({ name: 'seats', ${CARD} operations: { take: { does: 'takes', script: take } } });
    export const other = 5;
    setInterval(() => {}, 1000);`,
  );
  writeFileSync(
    join(folder, 'src', 'bad.ts'),
    `import { defineScript, defineWorkflow, ok } from '${toolkit}';
    const give = defineScript({
      name: 'give', version: 2, mode: 'write', retry: 'never',
      lua: "redis.call('HGETALL', KEYS[1]) while true do redis.call('INCR', ARGV[1]) end return {'ok'}",
      keys: ['a'], args: {}, reply: { ok: ok() },
    });
    export const card = defineWorkflow({
      name: 'bad',
      invariant: 'It is good. Always.' as string,
      keys: {
        a: { pattern: 'a:{x}', holds: 'a', expires: 'never' },
        b: { pattern: 'b:{y}', holds: 'b', expires: 'in an hour' },
      },
      why: '',
      bounds: [],
      tests: ['test/none.ts'],
      operations: {
        give: { does: 'gives', script: give },
        take: { does: 'takes', mechanism: 'command', retry: 'always', outcomes: ['done'] },
      },
      waived: { metrics: 'counted at the gateway' },
    });`,
  );
  writeFileSync(join(folder, 'src', 'none.mjs'), 'export const a = 1;\n');
  writeFileSync(join(folder, 'src', 'broken.mjs'), "throw new Error('on purpose');\n");
  writeFileSync(
    join(folder, 'take_v1.lua'),
    `-- KEYS[1] the stock, KEYS[2] the order
-- ARGV[1] the request id
if redis.call('GET', KEYS[1]) == '0' then return {'sold_out'} end
redis.call('DECR', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1], 'PX', 1000)
return {'sold'}
`,
  );
  writeFileSync(join(folder, 'walk.lua'), "redis.call('GET', 'stock')\nwhile true do end\n");
  writeFileSync(join(folder, 'wrong.lua'), 'return (\n');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('passes a workflow of our own, by its name in any spelling', () => {
  const { status, out } = review('bounded-counter');
  expect(status).toBe(0);
  expect(out).toContain('boundedCounter (holdfast)\n  ✔ The invariant, in one sentence\n      min ≤ value');
  expect(out).toContain('add: bounded_counter_add_v1 answers added, out_of_bounds');
  expect(out).toContain('15 points, none missing');
});

it('passes every workflow of our own', () => {
  const names = /one of (.*);/.exec(review().err)?.[1].split(', ') ?? [];
  expect(names.length).toBeGreaterThan(10);
  const reviews = reviewed(...names);
  expect(reviews.map(({ name }) => name)).toEqual(names);
  for (const { name, points } of reviews) {
    expect(
      points.flatMap(({ gaps }) => gaps.map(({ missing }) => missing)),
      name,
    ).toEqual([]);
  }
});

it('takes the first part of a name for all its forms', () => {
  expect(reviewed('rateLimit').map(({ name }) => name)).toContain('rateLimit.tokenBucket');
});

it('passes a complete card of a module, leaves other exports alone, and ends', () => {
  const { status, out } = review('src/good.mjs');
  expect(out).toContain('seats (src/good.mjs)');
  expect(out).toContain('✔ One hash slot in a Cluster\n      all keys share {event}');
  expect(out).toContain('      test/seats.test.js\n');
  expect(out).not.toContain('✘');
  expect(status).toBe(0);
});

it('says of each point what is missing and what to do', () => {
  const [bad] = reviewed('src/bad.ts');
  expect(stateOf(bad)).toEqual({
    invariant: 'no',
    keys: 'yes',
    slot: 'no',
    ttl: 'no',
    mechanism: 'no',
    retry: 'yes',
    tokens: 'no',
    contract: 'yes',
    loops: 'no',
    reads: 'no',
    bounds: 'no',
    lint: 'no',
    tests: 'no',
    metrics: 'waived',
    rollout: 'no',
  });
  expect(bad.complete).toBe(false);
  for (const point of bad.points.filter(({ state }) => state === 'no')) {
    expect(point.gaps.length).toBeGreaterThan(0);
    for (const { missing, remedy } of point.gaps) {
      expect(missing).not.toBe('');
      expect(remedy).not.toBe('');
    }
  }
  const { status, out } = review('src/bad.ts');
  expect(status).toBe(1);
  expect(out).toContain(
    '✘ One hash slot in a Cluster\n      the keys have several tags: {x}, {y}\n      remedy:',
  );
  expect(out).toContain('– Metrics of result');
  expect(out).toContain('waived: counted at the gateway');
  expect(out).toContain('there is no test/none.ts');
});

it('fills in what a script alone tells', () => {
  const { status, out } = review('take_v1.lua');
  expect(status).toBe(0);
  expect(out).toContain('KEYS[1] (the stock): written, by GET, DECR');
  expect(out).toContain('sold_out, sold');
  expect(out).toContain('the request id');
  expect(out).toContain('✔ Times to live are set in the same step as the write\n      SET\n');
});

it('finds keys, loops and a version that are not as they should be', () => {
  const [walk] = reviewed('walk.lua');
  expect(stateOf(walk)).toMatchObject({ keys: 'no', loops: 'no', contract: 'no', reads: 'yes' });
  expect(reviewed('wrong.lua')[0].points.map(({ id, state }) => [id, state])).toEqual([['syntax', 'no']]);
});

it.each([
  [[], 'what? a file, or one of '],
  [['nothing'], "'nothing' is neither"],
  [['none.lua'], "there is no file 'none.lua'"],
  [['src/none.mjs'], 'exports no card'],
  [['src/broken.mjs'], 'on purpose'],
  [['--wrong'], "Unknown option '--wrong'"],
])('ends with 2 on wrong use: %j', (args, message) => {
  const { status, err } = review(...args);
  expect(status).toBe(2);
  expect(err).toContain(message);
});
