// The generated parts of docs/ are current, and docs/differences.md names the tests that there are.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { pages } from '../../scripts/docs.ts';
import type { ApiCode } from '../../src/index.ts';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

it.each(pages())('$path is what `npm run docs` writes', ({ path, text }) => {
  expect(read(path)).toBe(text);
});

// `it('name'`, `it.skipIf(…)('name'`
const testsOf = (path: string): string[] =>
  [...read(path).matchAll(/\bit(?:\.\w+\([^)]*\))?\(\s*'((?:[^'\\]|\\.)*)'/g)].map((match) =>
    match[1].replaceAll("\\'", "'"),
  );

it('docs/differences.md names every test of a difference, and no other', () => {
  const own = 'test/docs/differences.test.ts';
  const named: string[] = [];
  // → `a test`, `another`, src/some.test.ts: `a test there`
  for (const [, list] of read('docs/differences.md').matchAll(/→ ([^→]*?)(?=\n\n|\n- |\n*$)/g)) {
    for (const [, file, name] of list.matchAll(/(?:([\w/.-]+\.ts)(?::\s+|$))?(?:`([^`]+)`)?/g)) {
      if (file !== undefined) expect(existsSync(file), file).toBe(true);
      if (name === undefined) continue;
      const wanted = name.replace(/\s+/g, ' ');
      if (file === undefined) named.push(wanted);
      expect(testsOf(file ?? own), `${file ?? own}: ${wanted}`).toContain(wanted);
    }
  }
  expect(named.sort()).toEqual(testsOf(own).sort());
});

it('docs/embedded.md has every code of the interface', () => {
  const codes: Record<ApiCode, true> = {
    HF_CLOSED: true,
    HF_ARGUMENT: true,
    HF_BUSY: true,
    HF_ASYNC: true,
    HF_ABORTED: true,
  };
  for (const code of Object.keys(codes)) expect(read('docs/embedded.md')).toContain(`| \`${code}\` |`);
});
