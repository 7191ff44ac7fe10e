// Lua patterns, by both of their engines: results and error texts are those of the program lua5.1.
import { describe, expect, test } from 'vitest';
import { openString } from './lib-string.ts';
import { patternOf, unanchoredPatternOf } from './patterns.ts';
import { enter, type LuaHost, LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { all, LuaError, type LuaFunction, type LuaValue } from './value.ts';

const host: LuaHost = { clock: () => 0, tick: () => 1e9, charge: () => {} };
const string = openString(new LuaState(host, new LuaTable()));

function call(name: string, args: readonly LuaValue[]): readonly LuaValue[] {
  return all((string.get(name) as LuaFunction)(...args));
}

function errorOf(name: string, args: readonly LuaValue[]): LuaValue {
  try {
    call(name, args);
  } catch (error) {
    if (error instanceof LuaError) return error.value;
    throw error;
  }
  return undefined;
}

/** From now on the compiled form of a pattern is used. */
function compiled(pattern: string): void {
  for (const made of [patternOf(pattern), unanchoredPatternOf(pattern)]) {
    made.addWork(Number.MAX_VALUE);
    expect(made.isCompiled).toBe(true);
  }
}

type Row = readonly [name: string, args: readonly LuaValue[], results: readonly LuaValue[]];
type ErrorRow = readonly [name: string, args: readonly LuaValue[], message: string];

const matches: readonly Row[] = [
  ['match', ['hello world', 'o w'], ['o w']],
  ['match', ['hello', 'l+'], ['ll']],
  ['match', ['hello', 'l-o'], ['llo']],
  ['match', ['hello', 'x?hel?l'], ['hell']],
  ['match', ['hello', '.-'], ['']],
  ['match', ['hello', '.*l'], ['hell']],
  ['match', ['hello', '.-l'], ['hel']],
  ['match', ['aaab', 'a-b'], ['aaab']],
  ['match', ['aaa', '^a?a?a?aaa$'], ['aaa']],
  ['match', ['key = value', '^(%w+)%s*=%s*(%w+)$'], ['key', 'value']],
  ['match', ['key=', '^(%w+)=(%w*)$'], ['key', '']],
  ['match', ['2024-11-21', '(%d+)-(%d+)-(%d+)'], ['2024', '11', '21']],
  ['match', ['  trim me ', '^%s*(.-)%s*$'], ['trim me']],
  ['match', ['abc', 'a()b(c)'], [2, 'c']],
  ['match', ['abc', '()'], [1]],
  ['match', ['abc', '(a(b)(c))'], ['abc', 'b', 'c']],
  ['match', ['THE (quick) fox', '%f[%a]%a+%f[%A]'], ['THE']],
  ['match', ['f(a(b)c)d', '%b()'], ['(a(b)c)']],
  ['match', ['aXbXc', '%bXX'], ['XbX']],
  ['match', ['((', '%b()'], [undefined]],
  ['match', ['"say" \'it\'', '(["\'])(.-)%1'], ['"', 'say']],
  ['match', ['abcabd', '(abc)%1'], [undefined]],
  ['match', ['aa', '()%1'], [undefined]],
  ['match', ['$', '$'], ['']],
  ['match', ['a$', 'a$$'], ['a$']],
  ['match', ['a$b', 'a$b'], ['a$b']],
  ['match', ['a^', 'a^'], ['a^']],
  ['match', ['*', '*'], ['*']],
  ['match', ['a*', 'a**'], ['a*']],
  ['match', ['a*', '(a)*'], ['a']],
  ['match', ['-a', '-a'], ['-a']],
  ['match', ['a.b', '%.'], ['.']],
  ['match', ['[]]', '[]]+'], [']]']],
  ['match', ['a^b', '[b^]+'], ['^b']],
  ['match', ['a-z', '[a-]+'], ['a-']],
  ['match', ['b]', '[^]]'], ['b']],
  ['match', ['-', '[%a-z]'], ['-']],
  ['match', ['z', '[%a-z]'], ['z']],
  ['match', ['%', '[%%]'], ['%']],
  ['match', [']', '[a-%%]'], [']']],
  ['match', ['b', '[z-a]'], [undefined]],
  ['match', ['\xe9\xff', '[\x80-\xff]+'], ['\xe9\xff']],
  ['match', ['a\x00b', 'a%zb'], ['a\x00b']],
  ['match', ['a\x00b', '%Z+'], ['a']],
  ['match', ['a\x00b', '[^%z]+'], ['a']],
  ['match', ['a\x00b', 'a\x00x'], ['a']],
  ['match', ['_a1B2 ', '%w+'], ['a1B2']],
  ['match', ['\x7f\n', '%c+'], ['\x7f\n']],
  ['match', ['ab!?c', '%p+'], ['!?']],
  ['match', ['xyzFF09g', '%x+'], ['FF09']],
  ['match', ['Hello', '%u%l+'], ['Hello']],
  ['match', ['A\xc9', '%A'], ['\xc9']],
  ['match', ['g', '%g'], ['g']],
  ['match', ['\xe9', '%a'], [undefined]],
  ['match', ['hello', ''], ['']],
  ['match', ['', '^$'], ['']],
  ['match', ['hello', 'l', -1], [undefined]],
  ['match', ['hello', 'l', -2], ['l']],
  ['match', ['hello', '', 99], ['']],
  ['match', ['hello', '^l', 3], ['l']],
  ['find', ['hello', 'l'], [3, 3]],
  ['find', ['hello', 'xyz'], [undefined]],
  ['find', ['hello', 'l', 4], [4, 4]],
  ['find', ['a.b', '.', 2, true], [2, 2]],
  ['find', ['a+b', '+', 1, true], [2, 2]],
  ['find', ['a\x00b', '\x00'], [2, 2]],
  ['find', ['a\x00.b', '\x00.'], [2, 3]],
  ['find', ['abc', '', 10], [4, 3]],
  ['find', ['abc', 'b()'], [2, 2, 3]],
  ['find', ['abc', '(b)(c)'], [2, 3, 'b', 'c']],
  ['find', ['abc', '^b'], [undefined]],
  ['find', ['abc', '^b', 2], [2, 2]],
  ['find', [')', ')'], [1, 1]],
  ['find', ['abc', 'c$'], [3, 3]],
  ['find', ['abcabc', 'b', -3], [5, 5]],
  ['find', ['xyz', 'a%'], [undefined]],
  ['find', ['xyz', 'a[a'], [undefined]],
  ['find', ['xyz', '(a'], [undefined]],
  ['match', ['xyz', 'a)'], [undefined]],
  ['match', ['\x00', 'a%\x00'], [undefined]],
];

const errors: readonly ErrorRow[] = [
  ['find', ['abc', '%'], "malformed pattern (ends with '%')"],
  ['find', ['abc', 'a%'], "malformed pattern (ends with '%')"],
  ['find', ['abc', '[a'], "malformed pattern (missing ']')"],
  ['find', ['abc', '['], "malformed pattern (missing ']')"],
  ['find', ['abc', '[]'], "malformed pattern (missing ']')"],
  ['find', ['abc', '[^]'], "malformed pattern (missing ']')"],
  ['find', ['abc', '[%'], "malformed pattern (missing ']')"],
  ['find', ['abc', '[%]'], "malformed pattern (missing ']')"],
  ['find', ['abc', '%b'], 'unbalanced pattern'],
  ['find', ['abc', '%bx'], 'unbalanced pattern'],
  ['find', ['abc', '%f'], "missing '[' after '%f' in pattern"],
  ['find', ['abc', '%fa'], "missing '[' after '%f' in pattern"],
  ['find', ['abc', '%f[a'], "malformed pattern (missing ']')"],
  ['find', ['abc', '(a'], 'unfinished capture'],
  ['find', ['abc', '('], 'unfinished capture'],
  ['match', ['abc', 'a)'], 'invalid pattern capture'],
  ['find', ['abc', '%1'], 'invalid capture index'],
  ['find', ['abc', '(a)%2'], 'invalid capture index'],
  ['find', ['abc', '(a%1)'], 'invalid capture index'],
  ['find', ['abc', '%0'], 'invalid capture index'],
  ['find', ['', '[a'], "malformed pattern (missing ']')"],
];

describe('interpreted', () => {
  test.each(matches)('%s %j', (name, args, results) => {
    expect(call(name, args)).toEqual(results);
  });
  test.each(errors)('%s %j', (name, args, message) => {
    expect(errorOf(name, args)).toBe(message);
  });
});

describe('compiled', () => {
  test.each(matches)('%s %j', (name, args, results) => {
    compiled(args[1] as string);
    expect(call(name, args)).toEqual(results);
  });
  test.each(errors)('%s %j', (name, args, message) => {
    compiled(args[1] as string);
    expect(errorOf(name, args)).toBe(message);
  });
});

describe('limits', () => {
  test('32 captures are allowed, 33 are not', () => {
    expect(call('match', ['abc', '()'.repeat(32)])).toHaveLength(32);
    expect(errorOf('match', ['abc', '()'.repeat(33)])).toBe('too many captures');
  });

  test('a pattern of any number of items, a subject of any length', () => {
    const subject = 'a'.repeat(50_000);
    expect(call('find', [subject, 'a?'.repeat(20_000)])).toEqual([1, 20_000]);
    expect(call('find', [subject, `${'a'.repeat(20_000)}b`])).toEqual([undefined]);
    for (const pattern of ['(a*)*', '.-b', 'a*$', '(.-)$', '^(a-)$', '^(a+)%1$']) {
      const first = call('find', [subject, pattern]);
      compiled(pattern);
      expect(call('find', [subject, pattern])).toEqual(first);
    }
    expect(errorOf('find', [subject, 'a?'.repeat(2 ** 20)])).toBe('pattern too complex');
  });

  test('matching that takes for ever can be ended', () => {
    const end = new Error('enough');
    let ticks = 0;
    const strict: LuaHost = {
      ...host,
      tick: () => {
        if (++ticks > 20) throw end;
        return 1000;
      },
    };
    const before = enter(new LuaState(strict, new LuaTable()));
    try {
      const runaways = [
        [`${'a?'.repeat(30)}${'a'.repeat(30)}`, 'a'.repeat(30)],
        [`${'(.-)'.repeat(10)}b`, 'a'.repeat(600)],
        ['.*.*.*.*.*.*.*x', 'a'.repeat(600)],
        ['(a*)%1%1b', 'a'.repeat(5000)],
      ] as const;
      for (const [pattern, subject] of runaways) {
        for (const again of [false, true]) {
          ticks = 0;
          const made = patternOf(pattern);
          if (again) made.addWork(Number.MAX_VALUE);
          expect(() => made.search(subject, 0)).toThrow(end);
        }
      }
      ticks = 0;
      expect(() => patternOf('%ba)').search('a'.repeat(100_000), 0)).toThrow(end);
    } finally {
      enter(before);
    }
  });

  test('no quadratic search where a leading repetition fails', () => {
    const subject = 'a'.repeat(300_000);
    for (const pattern of ['a+b', 'a*b', '.-b', '(%w+)=', 'a-b', '%s*=']) {
      compiled(pattern);
      expect(call('find', [subject, pattern])).toEqual([undefined]);
    }
  });
});

test('no text of the pattern reaches the compiled program', () => {
  // With quotes, comments and line ends of JavaScript.
  const text = '\'"`\\*/}\n\r\u2028'.replace('\u2028', '\xe2');
  const pattern = `(${text.replace('*', '%*')})`;
  compiled(pattern);
  expect(call('match', [`x${text}y`, pattern])).toEqual([text]);
});
