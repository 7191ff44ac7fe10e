// Tests of the Lua oracle itself: what it generates, compares and shrinks.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { Comparison, difference, normalise } from './compare.ts';
import { parseCorpus, readCorpus } from './corpus.ts';
import { generateProgram } from './generate.ts';
import { mutate, reflow } from './mutate.ts';
import { program } from './programs.ts';
import { luaAvailable, type Outcome, Reference } from './reference.ts';
import { shrink } from './shrink.ts';
import { tokens } from './tokens.ts';

const outcome = (output: string, error = ''): Outcome => ({
  ending: error === '' ? 'ok' : 'error',
  output,
  error,
});

describe('programs', () => {
  it('are the same from the same seed', () => {
    for (let n = 0; n < 30; n++) expect(program(5, n)).toEqual(program(5, n));
    expect(generateProgram(5, 1)).not.toBe(generateProgram(6, 1));
    expect(generateProgram(5, 1)).not.toBe(generateProgram(5, 2));
  });
  it('come in every mode', () => {
    const modes = new Set(Array.from({ length: 100 }, (_, n) => program(1, n).mode));
    expect([...modes].sort()).toEqual(['mutated', 'random', 'reflowed']);
  });
  it('of the corpus have distinct titles', () => {
    const names = readCorpus().map((one) => `${one.file} ${one.title}`);
    expect(names.length).toBeGreaterThan(300);
    expect(new Set(names).size).toBe(names.length);
  });
  it('of the corpus begin at their title', () => {
    expect(parseCorpus('f', '-- words\n--== a\nprint(1)\nprint(2)\n--== b\n')).toEqual([
      { file: 'f', title: 'a', line: 2, source: 'print(1)\nprint(2)\n' },
      { file: 'f', title: 'b', line: 5, source: '\n' },
    ]);
    expect(() => parseCorpus('f', 'print(1)\n')).toThrow('before the first title');
  });
});

describe('tokens', () => {
  it('join to the source', () => {
    for (let n = 0; n < 50; n++) {
      const { source } = program(3, n);
      expect(tokens(source).join('')).toBe(source);
    }
  });
  it('are those of Lua', () => {
    expect(tokens('x=[==[a]]]==]..0x1F--[[c]]y"\\"" ...1e+5')).toEqual([
      ...['x', '=', '[==[a]]]==]', '..', '0x1F', '--[[c]]', 'y', '"\\""', ' ', '...', '1e+5'],
    ]);
  });
});

describe('mutations', () => {
  it('change the program', () => {
    const source = 'local a = f(1, 2)\nif a then print(a .. "x") end\n';
    const changed = Array.from({ length: 50 }, (_, n) => mutate(new Random(n), source));
    expect(changed.filter((one) => one !== source).length).toBeGreaterThan(40);
  });
  it('of line breaks leave the tokens', () => {
    const significant = (text: string): string[] => tokens(text).filter((one) => !/^(\s|--)/.test(one));
    const source = readCorpus()[0]!.source;
    const changed = Array.from({ length: 20 }, (_, n) => reflow(new Random(n), source));
    for (const one of changed) expect(significant(one)).toEqual(significant(source));
    expect(changed.filter((one) => one !== source).length).toBeGreaterThan(10);
  });
});

describe('comparison', () => {
  it('finds output, endings and errors that differ', () => {
    expect(difference('direct', outcome('1\n'), outcome('1\n'))).toBeNull();
    expect(difference('direct', outcome('1\n2\n'), outcome('1\n3\n'))!.lines).toEqual(['2', '3']);
    expect(difference('direct', outcome('1\n'), outcome('1\n', 'prog:1: x'))!.lines).toEqual([
      'ok',
      'error: prog:1: x',
    ]);
    expect(difference('direct', outcome('', 'prog:1: x'), outcome('', 'prog:2: x'))).not.toBeNull();
    expect(
      difference('direct', outcome(''), { ending: 'died', output: '', error: 'TypeError' }),
    ).not.toBeNull();
  });
  it('leaves out addresses, the sign of nan, and how the stack was full', () => {
    expect(normalise('table: 0x55aa function: 0x1\tthread: 0xff')).toBe('table: 0x function: 0x\tthread: 0x');
    expect(normalise('[-nan] [nan] [  -nan]')).toBe('[nan] [nan] [nan]');
    expect(normalise('prog:1: C stack overflow (x)\ny')).toBe('prog:1: stack overflow\ny');
    expect(normalise('a\0b\tc')).toBe('a\tc');
    expect(normalise('banana 0x12')).toBe('banana 0x12');
  });
});

describe('shrinking', () => {
  it('leaves what shows the difference', async () => {
    const source = ['local a = 1', 'for i = 1, 3 do', '  print(i)', '  bad(i, 2)', 'end', 'print(a)'].join(
      '\n',
    );
    const small = await shrink(source, async (text) => /bad\(/.test(text), 5000);
    expect(small.trim()).toBe('bad(');
  });
});

describe.skipIf(!luaAvailable())('lua5.1', () => {
  let reference: Reference;
  beforeAll(() => {
    reference = new Reference();
  });
  afterAll(() => reference.stop());

  it('answers with output, endings and errors', async () => {
    const sources = ['print(1, "a\\0b", "c")', 'error("x")', 'x =', 'error({})', 'return 5', ''];
    expect(await Promise.all(sources.map((source) => reference.run(source)))).toEqual([
      { ending: 'ok', output: '1\ta\tc\n', error: '' },
      { ending: 'error', output: '', error: 'prog:1: x' },
      { ending: 'compile', output: '', error: "prog:1: unexpected symbol near '<eof>'" },
      { ending: 'error', output: '', error: '(error object is not a string)' },
      { ending: 'ok', output: '', error: '' },
      { ending: 'ok', output: '', error: '' },
    ]);
  });
  it('gives every program a world of its own', async () => {
    await reference.run('x = 1 string.upper = nil getmetatable("").__add = print table.insert(_G, 1)');
    expect((await reference.run('print(x, string.upper ~= nil, getmetatable("").__add, #_G)')).output).toBe(
      'nil\ttrue\tnil\t0\n',
    );
  });
  it('shows no line of its own side', async () => {
    for (let level = 1; level < 6; level++) {
      const { error } = await reference.run(`error('x', ${level})`);
      expect(error).toBe(level === 1 ? 'prog:1: x' : 'x');
    }
  });
  it('ends programs that do not, and goes on with the next', async () => {
    const [endless, after] = await Promise.all([
      reference.run('while true do end'),
      reference.run('print(2)'),
    ]);
    expect([endless.ending, after.output]).toEqual(['limit', '2\n']);
  });
  it('is started again when it dies', async () => {
    const impatient = new Reference(1000);
    // A coroutine has no step limit.
    const [died, after] = await Promise.all([
      impatient.run('coroutine.wrap(function() while true do end end)()'),
      impatient.run('print("again")'),
    ]);
    impatient.stop();
    expect([died.ending, after.output]).toEqual(['died', 'again\n']);
  });
  it('agrees with itself about random programs', async () => {
    const other = new Reference();
    const comparison = new Comparison(reference, other);
    for (let n = 0; n < 100; n++) {
      const verdict = await comparison.judge(program(2, n).source);
      if (typeof verdict !== 'string') expect.fail(`program ${n}: ${verdict.lines.join(' | ')}`);
    }
    other.stop();
  });
  it('runs random programs to their end', async () => {
    const endings = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => (await reference.run(generateProgram(4, n))).ending),
    );
    expect(endings.filter((ending) => ending === 'ok').length).toBeGreaterThan(185);
  });
});
