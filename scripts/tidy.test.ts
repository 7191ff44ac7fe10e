// Each rule of tidy.ts on a small made-up tree.
import { expect, test } from 'vitest';
import { blank, exportsOf, importsOf, longFunctions } from './source.ts';
import { entriesOf, type SourceFile, tidy } from './tidy.ts';

const HEADER = '// What it is.\n';

function tree(files: Record<string, string>): SourceFile[] {
  return Object.entries(files).map(([path, text]) => ({
    path,
    text: path.startsWith('src/') ? HEADER + text : text,
  }));
}

function problems(files: Record<string, string>, entries: string[] = []): readonly string[] {
  return tidy(tree(files), new Set(entries)).problems;
}

test('imports go down only', () => {
  expect(
    problems({
      'src/resp/a.ts': "import { b } from '../data/b.ts';\n",
      'src/data/b.ts': 'export const b = 1;\n',
      'src/engine/c.ts': "import '../resp/a.ts';\nimport net from 'node:net';\nimport x from 'express';\n",
      'src/attic/d.ts': '',
    }),
  ).toEqual([
    'src/resp/a.ts:2: resp may not import data',
    'src/engine/c.ts:3: engine imports no node: module, but node:net',
    'src/engine/c.ts:4: src/ imports no packages, but express',
    'src/attic/d.ts: room attic has no row in scripts/tidy.ts',
  ]);
});

test('a type counts for the direction', () => {
  const files = {
    'src/keyspace/a.ts': "import type { T } from '../engine/t.ts';\n",
    'src/engine/t.ts': 'export interface T {}\n',
  };
  expect(problems(files)).toEqual(['src/keyspace/a.ts:2: keyspace may not import engine']);
});

test('a cycle of values fails, one of types is listed', () => {
  const cycle = (keyword: string): Record<string, string> => ({
    'src/data/a.ts': "import { b } from './b.ts';\nexport const a = b;\n",
    'src/data/b.ts': `${keyword} { a } from './a.ts';\nexport const b = 1;\n`,
  });
  expect(problems(cycle('import'))).toEqual([
    'src/data/a.ts: import cycle: src/data/a.ts → src/data/b.ts → src/data/a.ts',
  ]);
  const { problems: none, notes } = tidy(tree(cycle('import type')), new Set());
  expect(none).toEqual([]);
  expect(notes).toHaveLength(1);
});

test('an export needs a use that is not a test beside it', () => {
  const files = {
    'src/index.ts': "export { used } from './data/a.ts';\n",
    'src/data/a.ts':
      'export const used = 1;\nexport function forTest(): Shape { return 1; }\nexport type Shape = number;\n',
    'src/data/a.test.ts': "import { forTest } from './a.ts';\n",
  };
  expect(problems(files, ['src/index.ts'])).toEqual(['src/data/a.ts:3: dead export forTest']);
  expect(problems({ ...files, 'test/x.test.ts': "import { forTest } from '../src/data/a.ts';\n" })).toEqual(
    [],
  );
});

test('package.json leads to source that exists', () => {
  expect(problems({}, ['src/gone.ts'])).toEqual(['package.json: no src/gone.ts behind an entry']);
});

test('docs link to what exists', () => {
  expect(
    problems({
      'README.md': '[a](docs/a.md#part) [b](docs/b.md) [c](https://example.com/x.md)\n```\n[d](d.md)\n```\n',
      'docs/a.md': '[up](../README.md)\n[folder](../docs)\n[gone](gone.md)\n',
    }),
  ).toEqual(['README.md:1: dead link docs/b.md', 'docs/a.md:3: dead link gone.md']);
});

test('headers and banned words', () => {
  const path = ['', 'work', 'main'].join('/');
  expect(tidy([{ path: 'src/data/a.ts', text: 'let a = 1;\n' }], new Set()).problems).toEqual([
    'src/data/a.ts: no header comment',
  ]);
  expect(problems({ 'a.json': `{"dir":"${path}"}` })).toHaveLength(1);
});

test('entries come from exports and bin', () => {
  const exports = { '.': { types: './dist/src/index.d.ts', default: './dist/src/index.js' } };
  expect([...entriesOf({ exports, bin: { x: './dist/src/cli/main.js' } })]).toEqual([
    'src/index.ts',
    'src/cli/main.ts',
  ]);
});

test('the reader sees through comments, strings, templates and patterns', () => {
  const text = [
    "// import { no } from './no.ts';",
    "import { a, type B as C } from './a.ts';",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    "const s = `import x from './x.ts' ${`${'}'}`} // no comment`;",
    'const p = /[/"]{2}/.test(s) ? 1 / 2 : 3;',
    "export { s as text, p } from './p.ts';",
    "export * from './all.ts';",
    "const lazy = await import('./lazy.ts');",
    'export async function* go() {}',
  ].join('\n');
  const blanked = blank(text);
  expect(blanked.bare).toHaveLength(text.length);
  expect(importsOf(blanked).map(({ from, names }) => [from, names])).toEqual([
    ['./a.ts', ['a', 'B']],
    ['./p.ts', ['s', 'p']],
    ['./all.ts', ['*']],
    ['./lazy.ts', ['*']],
  ]);
  expect(exportsOf(blanked).map(({ name }) => name)).toEqual(['go']);
});

test('long functions are found by their braces', () => {
  const body = '\n  x();'.repeat(5);
  const text = `class A {\n  run(a: number): void {${body}\n  }\n}\nconst f = (b) => {${body}\n};\nif (f) {${body}\n}\n`;
  expect(longFunctions(blank(text), 6).map(({ name, length }) => [name, length])).toEqual([
    ['run', 7],
    ['f', 7],
  ]);
});

test('an optional package may be imported where the table has it', () => {
  const files = {
    'src/workflows/opentelemetry.ts':
      "import '@opentelemetry/api';\nimport 'node:diagnostics_channel';\nimport './kit.ts';\n",
    'src/workflows/kit.ts': "import '@opentelemetry/api';\n",
    'src/cli/a.ts': "await import('echarts');\n",
  };
  expect(problems(files, ['src/workflows/opentelemetry.ts'])).toEqual([
    'src/workflows/kit.ts:2: src/ imports no packages, but @opentelemetry/api',
  ]);
});
