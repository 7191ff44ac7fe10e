// All code in README.md and docs/: TypeScript is compiled against the real types and run, what its comments promise
// is checked, and transcripts of redis-cli are repeated. Blocks that want a server find one in place of port 6379.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, open } from '../../src/index.ts';
import { listen, type Server } from '../../src/server/index.ts';
import { freePort } from '../support/ports.ts';
import { type Value, Wire } from '../support/wire.ts';
import { type Program, programsOf, transcriptsOf } from './programs.ts';
import { disconnectAll } from './tracked.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, '.tmp', `docs-${process.pid}`);
process.chdir(root);
const pages = ['README.md', ...readdirSync('docs', { recursive: true }).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

// Files of the programs, under the package's root so that they find its dependencies.
const files = new Map<Program, string>();
let free = 0;

beforeAll(async () => {
  free = await freePort();
  mkdirSync(folder, { recursive: true });
});
afterEach(() => {
  disconnectAll();
  vi.restoreAllMocks();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(program: Program, port: number): string {
  const from = (path: string): string => `'${relative(folder, join(root, path))}'`;
  const source = program.source
    .replaceAll("'holdfast'", from('src/index.ts'))
    .replaceAll("'holdfast/server'", from('src/server/index.ts'))
    .replaceAll("'holdfast/workflows'", from('src/workflows/index.ts'))
    .replaceAll("'holdfast/workflows/opentelemetry'", from('src/workflows/opentelemetry.ts'))
    .replaceAll("'ioredis'", from('test/docs/tracked.ts'))
    .replaceAll('6379', String(port));
  const path = join(folder, `${program.where.replace(/\W/g, '-')}.ts`);
  writeFileSync(
    path,
    `import { __fails, __same } from ${from('test/docs/checks.ts')};\n${source}\nexport {};\n`,
  );
  files.set(program, path);
  return path;
}

for (const page of pages) {
  const programs = programsOf(page);
  const turns = transcriptsOf(page);
  if (programs.length + turns.length === 0) continue;

  describe(page, () => {
    let db: Database;
    let server: Server;
    beforeAll(async () => {
      db = await open();
      server = await listen(db, { port: 0 });
    });
    afterAll(async () => {
      await server.close();
      db.close();
    });

    if (turns.length > 0)
      it('transcripts of redis-cli', async () => {
        const wire = await Wire.open({ port: server.port });
        for (const { line, command, answer } of turns) {
          const reply = await wire.call(...command.split(' '));
          expect(shown(reply), `${page}:${line} ${command}`).toBe(answer);
        }
        wire.close();
      });

    it.each(programs)('$where', async (program) => {
      const log = vi.spyOn(console, 'log').mockImplementation(() => {});
      expect(program.source, 'a promise that is not checked').not.toMatch(/\/\/ [→✗]/);
      const path = write(program, program.needsServer ? server.port : free);
      await import(/* @vite-ignore */ pathToFileURL(path).href);
      const logged = log.mock.calls.map((words) => format(...words));
      for (const promised of program.logs) {
        expect(
          logged.some((text) => promised.startsWith(text)),
          `${promised}: logged was ${JSON.stringify(logged)}`,
        ).toBe(true);
      }
    });
  });
}

it('every program has correct types', () => {
  expect(files.size).toBeGreaterThan(0);
  const settings = {
    extends: '../../tsconfig.json',
    compilerOptions: { noUnusedLocals: false },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  expect(run.stdout).toBe('');
});

/** A reply as redis-cli prints it on a terminal. */
function shown(reply: Value): string {
  switch (reply.kind) {
    case 'status':
      return reply.text;
    case 'error':
      return `(error) ${reply.text}`;
    case 'int':
      return `(integer) ${reply.text}`;
    case 'bulk':
      return JSON.stringify(reply.text);
    case 'array':
      return reply.items.length === 0
        ? '(empty array)'
        : reply.items.map((item, i) => `${i + 1}) ${shown(item)}`).join('\n');
    default:
      return '(nil)';
  }
}
