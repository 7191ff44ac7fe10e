// The package as users get it: packed from a copy of the sources, installed from the tarball, imported, run.
import { type ExecFileOptions, execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'));
const copy = join(folder, 'copy');
const user = join(folder, 'user');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

let packed: Packed;

async function run(program: string, args: readonly string[], options: ExecFileOptions = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], { cwd: user, ...options });
  return String(stdout);
}

// In a copy: others may be building dist/ or running it right now.
beforeAll(async () => {
  mkdirSync(copy);
  mkdirSync(user);
  const parts = [
    'src',
    'docs',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'README.md',
    'LICENSE',
  ];
  for (const part of [...parts, 'scripts']) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const report = await run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], {
    cwd: copy,
  });
  packed = (JSON.parse(report.slice(report.indexOf('['))) as Packed[])[0];
  writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  const quiet = ['--offline', '--no-audit', '--no-fund', '--silent'];
  await run('npm', ['install', ...quiet, join(folder, packed.filename)]);
}, 60_000);

describe('the package', () => {
  it('ships the compiled sources, the docs, and nothing else', () => {
    const intended =
      /^(?:package\.json|README\.md|LICENSE|docs\/[\w/-]+\.(?:md|svg)|dist\/src\/[\w/-]+\.(?:js|js\.map|d\.ts))$/i;
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !intended.test(path) || path.includes('.test.'))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'package.json', 'docs/differences.md'],
        ...['dist/src/index.js', 'dist/src/index.d.ts', 'dist/src/server/index.js', 'dist/src/cli/main.js'],
      ]),
    );
    expect(packed.size).toBeLessThan(1_000_000);
  });

  it('is imported, and serves', async () => {
    writeFileSync(
      join(user, 'use.js'),
      `import { connect } from 'node:net';
      import { HoldfastError, open } from 'holdfast';
      import { listen } from 'holdfast/server';
      const db = await open();
      db.set('k', 'v');
      try { db.incr('k'); } catch (error) { console.log(error instanceof HoldfastError, error.code); }
      const server = await listen(db, { port: 0 });
      const socket = connect(server.port, '127.0.0.1', () => socket.write('GET k\\r\\n'));
      socket.once('data', async (reply) => {
        console.log(JSON.stringify(String(reply)));
        socket.destroy();
        await server.close();
        db.close();
      });`,
    );
    expect(await run(process.execPath, ['use.js'])).toBe('true ERR\n"$1\\r\\nv\\r\\n"\n');
  });

  it('has types', async () => {
    writeFileSync(
      join(user, 'use.ts'),
      `import { open, VirtualClock } from 'holdfast';
      import { listen } from 'holdfast/server';
      const db = await open({ clock: new VirtualClock() });
      const value: string | null = db.get('k');
      // @ts-expect-error: not any
      const wrong: number = db.get('k');
      const server = await listen(db, { port: 0 });
      const port: number = server.port;
      export { port, value, wrong };`,
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
    const types = ['--typeRoots', join(root, 'node_modules', '@types'), '--types', 'node'];
    const output = await run(process.execPath, [tsc, ...options, ...types, 'use.ts']).catch(
      (error: { stdout: string }) => error.stdout,
    );
    expect(output).toBe('');
  });

  it('has the holdfast program', async () => {
    expect(await run('npx', ['--no-install', 'holdfast', '--help'])).toMatch(
      /^holdfast: an exact Redis engine/,
    );
    const program = join(user, 'node_modules', '.bin', 'holdfast');
    expect(await run(program, ['--version'])).toMatch(/^holdfast \d+\.\d+\.\d+\n$/);
    expect(await run(program, ['serve', '--help'])).toContain('--port 6379');
  });

  it('does without its optional packages, and names the one that is missing', async () => {
    const program = join(user, 'node_modules', '.bin', 'holdfast');
    const refused = async (...args: string[]): Promise<string> =>
      run(program, args).then(
        () => 'not refused',
        (error: { code: number; stderr: string }) => `${error.code} ${error.stderr}`,
      );
    expect(await refused('bench', 'strategies', '--svg', 'plot.svg')).toMatch(/^2 .*npm install echarts/);
    expect(await refused('bench', 'strategies')).toMatch(/^2 .*npm install ioredis/);
    expect(await run(program, ['review', 'boundedCounter'])).toContain('none missing');
    writeFileSync(join(user, 'metrics.js'), "import 'holdfast/workflows/opentelemetry';");
    const missing = await run(process.execPath, ['metrics.js']).catch((error: Error) => error.message);
    expect(missing).toContain("Cannot find package '@opentelemetry/api'");
  });
});
