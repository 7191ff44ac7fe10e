import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globMatch } from './glob.ts';

// Checked against redis-server 7.0.15 (SET, then SCAN MATCH); `nocase` rows against its CONFIG GET and by reading.
const cases: [pattern: string, text: string, expected: boolean][] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', false],
  ['?', '', false],
  ['**', 'abc', true],
  ['a*', 'a', true],
  ['a**', 'a', true],
  ['*a', 'a', true],
  ['a*b*c', 'aXbXbXc', true],
  ['a*b*c', 'aXbXbX', false],
  ['h?llo', 'hello', true],
  ['h?llo', 'hllo', false],
  ['h??', 'hello', false],
  ['h[ae]llo', 'hallo', true],
  ['h[ae]llo', 'hillo', false],
  ['h[^e]llo', 'hallo', true],
  ['h[^e]llo', 'hello', false],
  ['h[a-c]llo', 'hbllo', true],
  ['h[c-a]llo', 'hbllo', true],
  ['h[a-c]llo', 'hdllo', false],
  ['[]a]', 'a', false],
  ['[]', 'a', false],
  ['[', 'a', false],
  ['[^', 'a', true],
  ['[^]', 'a', true],
  ['[a', 'a', true],
  ['[abc', 'b', true],
  ['[abc', 'bc', false],
  ['[a-', 'a', true],
  ['[a-', '-', true],
  ['[a-]', 'a', true],
  ['[a-]', '-', false],
  ['[a-]', '^', true],
  ['[a-]b', 'ab', false],
  ['[a\\]b]', ']', true],
  ['[a\\-z]', '-', true],
  ['[a\\-z]', 'b', false],
  ['[\\', '\\', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['\\', '\\', true],
  ['a\\', 'a\\', true],
  ['\\\\', '\\', true],
  ['\\a', 'a', true],
  ['[a-\xff]', 'b', false],
  ['[a-\xff]', '\xfe', false],
  ['[a-\xff]', 'A', true],
  ['[\x80-\xff]', '\xc0', true],
  ['a\x00*', 'a\x00b', true],
];

describe('globMatch', () => {
  test.each(cases)('%j against %j is %j', (pattern, text, expected) => {
    expect(globMatch(pattern, text)).toBe(expected);
  });

  test.each([
    ['HeLLo', 'hEllO', true],
    ['[a-z]x', 'QX', true],
    ['[A-Z]', 'q', true],
    ['[Z-a]', 'z', false],
    ['[\\Q]', 'q', false],
    ['\\Q', 'q', true],
    ['\xe9', '\xc9', false],
  ] as [string, string, boolean][])('without case, %j against %j is %j', (pattern, text, expected) => {
    expect(globMatch(pattern, text, true)).toBe(expected);
  });

  test('a literal prefix, suffix and infix are found exactly when the text has them', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
    fc.assert(
      fc.property(letters, letters, (part, text) => {
        if (text === '') return;
        expect(globMatch(`${part}*`, text)).toBe(text.startsWith(part));
        expect(globMatch(`*${part}`, text)).toBe(text.endsWith(part));
        expect(globMatch(`*${part}*`, text)).toBe(text.includes(part));
      }),
    );
  });

  test('agrees with full backtracking on any pattern of stars, marks and letters', () => {
    const slow = (p: string, t: string): boolean => {
      if (p === '') return t === '';
      if (p[0] === '*') return slow(p.slice(1), t) || (t !== '' && slow(p, t.slice(1)));
      return t !== '' && (p[0] === '?' || p[0] === t[0]) && slow(p.slice(1), t.slice(1));
    };
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 9 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(globMatch(p, t)).toBe(slow(p, t));
      }),
      { numRuns: 1000 },
    );
  });

  test('many stars cost no exponential time, and no stack', () => {
    const started = performance.now();
    expect(globMatch(`${'a*'.repeat(24)}b`, 'a'.repeat(5000))).toBe(false);
    expect(globMatch('*a'.repeat(20_000), 'a'.repeat(20_000))).toBe(true);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
