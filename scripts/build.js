// Builds dist/ from src/: cleans, compiles, makes the program executable. `npm run build`, and `npm start` calls
// it when dist/ is missing or older than the source. Plain JavaScript: it has to run before anything is built.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
/** The compiled program. */
export const program = join(dist, 'src', 'cli', 'main.js');
// Written last, so that a build that was interrupted counts as stale.
const stamp = join(dist, '.built');

/** Compiles; returns false, with the compiler's messages on stderr, when that fails. */
export function build() {
  const tsc = compiler();
  if (tsc === null) {
    console.error('the dependencies are missing: run npm ci first');
    return false;
  }
  rmSync(dist, { recursive: true, force: true });
  const run = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (run.status !== 0) return false;
  chmodSync(program, 0o755);
  writeFileSync(stamp, '');
  return true;
}

function compiler() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  } catch {
    return null;
  }
}

/** Whether dist/ is missing or a source file or setting is newer. */
export function isStale() {
  if (!existsSync(stamp) || !existsSync(program)) return true;
  const built = statSync(stamp).mtimeMs;
  const settings = ['package.json', 'tsconfig.json', 'tsconfig.build.json'].map((name) => join(root, name));
  if (settings.some((file) => statSync(file).mtimeMs > built)) return true;
  // A folder's own time changes when a file in it is removed or renamed.
  const source = join(root, 'src');
  const below = readdirSync(source, { recursive: true }).map((name) => join(source, String(name)));
  return [source, ...below].some((path) => !path.endsWith('.test.ts') && statSync(path).mtimeMs > built);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = !process.argv.includes('--if-stale') || isStale();
  if (wanted && !build()) process.exitCode = 1;
}
