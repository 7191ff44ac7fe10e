// The library string: results and error texts are those of the program lua5.1.
import { describe, expect, test } from 'vitest';
import { openString } from './lib-string.ts';
import { enter, type LuaHost, LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { all, FORM, LuaError, type LuaFunction, type LuaValue, native, type Request } from './value.ts';

const host: LuaHost = { clock: () => 0, tick: () => 1e9, charge: () => {} };
const string = openString(new LuaState(host, new LuaTable()));

const table = new LuaTable();
for (const [key, value] of [
  ['a', '1'],
  ['b', false],
  ['ab', 'xy'],
  ['c', ''],
  [1, 'one'],
  [2, 22],
  ['x', true],
] as [string | number, LuaValue][]) {
  table.set(key, value);
}

function call(name: string, ...args: readonly LuaValue[]): readonly LuaValue[] {
  return all((string.get(name) as LuaFunction)(...args));
}

/** The suspendable form, with what it asks for done at once. */
function callSuspendable(name: string, ...args: readonly LuaValue[]): readonly LuaValue[] {
  const run = (string.get(name) as LuaFunction)[FORM]!(...args);
  let step = run.next();
  while (!step.done) {
    const { f, args: given } = step.value as Request & { f: LuaFunction; args: readonly LuaValue[] };
    step = run.next(f(...given));
  }
  return all(step.value);
}

function errorOf(run: () => unknown): LuaValue {
  try {
    run();
  } catch (error) {
    if (error instanceof LuaError) return error.value;
    throw error;
  }
  return undefined;
}

const calls: readonly (readonly [name: string, args: readonly LuaValue[], results: readonly LuaValue[]])[] = [
  ['gsub', ['abc', 'b', 'x'], ['axc', 1]],
  ['gsub', ['abc', 'b', '%0%0'], ['abbc', 1]],
  ['gsub', ['abc', 'b', '%1'], ['abc', 1]],
  ['gsub', ['abc', '(b)(c)', '%2%1'], ['acb', 1]],
  ['gsub', ['abc', '()', '%1'], ['1a2b3c4', 4]],
  ['gsub', ['abc', 'b', 'a%%b'], ['aa%bc', 1]],
  ['gsub', ['abc', 'b', '%x'], ['axc', 1]],
  ['gsub', ['abc', 'b', '%'], ['a\x00c', 1]],
  ['gsub', ['abc', 'b', 'x%\x00y'], ['ax\x00yc', 1]],
  ['gsub', ['abc', '', '-'], ['-a-b-c-', 4]],
  ['gsub', ['abc', 'b*', '-'], ['-a--c-', 4]],
  ['gsub', ['abc', '^', '-'], ['-abc', 1]],
  ['gsub', ['abc', '^a', '-'], ['-bc', 1]],
  ['gsub', ['aaa', '^a', '-'], ['-aa', 1]],
  ['gsub', ['abc', '$', '-'], ['abc-', 1]],
  ['gsub', ['abc', 'b$', '-'], ['abc', 0]],
  ['gsub', ['', '', 'x'], ['x', 1]],
  ['gsub', ['hello world', '%w+', '%0 %0', 1], ['hello hello world', 1]],
  ['gsub', ['hello world', 'o', '0', 0], ['hello world', 0]],
  ['gsub', ['hello world', 'o', '0', -1], ['hello world', 0]],
  ['gsub', ['hello', 'l', 'L', '1'], ['heLlo', 1]],
  ['gsub', ['hello', 'l', 12.5], ['he12.512.5o', 2]],
  ['gsub', ['a1b2', '%d', -3], ['a-3b-3', 2]],
  ['gsub', [12.5, '%.', ','], ['12,5', 1]],
  ['gsub', ['hello', '(l', 'x'], ['hexxo', 2]],
  ['gsub', ['abc', '()b', table], ['a22c', 1]],
  ['gsub', ['abc', '(b)(c)', table], ['abc', 1]],
  ['gsub', ['hello', '%w+', string.get('upper')], ['HELLO', 1]],
  ['gsub', ['abc', '%w', string.get('len')], ['111', 3]],
  ['gsub', ['abc', 'b', string.get('byte')], ['a98c', 1]],
  ['gsub', ['abc', '', string.get('byte')], ['abc', 4]],
  ['byte', ['A'], [65]],
  ['byte', ['abc', 2], [98]],
  ['byte', ['abc', -1], [99]],
  ['byte', ['abc', 1, 3], [97, 98, 99]],
  ['byte', ['abc', -2, -1], [98, 99]],
  ['byte', ['abc', 0], []],
  ['byte', ['abc', 4], []],
  ['byte', ['abc', -9, 2], [97, 98]],
  ['byte', ['abc', 2.9], [98]],
  ['byte', ['abc', '2'], [98]],
  ['byte', ['\xff'], [255]],
  ['byte', [65, 1, -1], [54, 53]],
  ['byte', [''], []],
  ['char', [], ['']],
  ['char', [65], ['A']],
  ['char', [65, 66], ['AB']],
  ['char', [104, 101, 108, 108, 111], ['hello']],
  ['char', [0, 255], ['\x00\xff']],
  ['char', ['65', 66.9], ['AB']],
  ['len', ['abc'], [3]],
  ['len', [''], [0]],
  ['len', ['a\x00b'], [3]],
  ['len', [12.5], [4]],
  ['lower', ['HeLLo \xc0\xde'], ['hello \xc0\xde']],
  ['lower', ['ABC'], ['abc']],
  ['lower', [5], ['5']],
  ['upper', ['hello \xb5\xdf\xe9\xff'], ['HELLO \xb5\xdf\xe9\xff']],
  ['upper', ['abc'], ['ABC']],
  ['rep', ['ab', 3], ['ababab']],
  ['rep', ['ab', 0], ['']],
  ['rep', ['ab', -1], ['']],
  ['rep', ['', 5], ['']],
  ['rep', ['x', 2.9], ['xx']],
  ['rep', ['x', '2'], ['xx']],
  ['rep', [5, 2], ['55']],
  ['reverse', ['abc'], ['cba']],
  ['reverse', [''], ['']],
  ['reverse', ['abcdefghijklmnopqrs\x00\xff'], ['\xff\x00srqponmlkjihgfedcba']],
  ['reverse', [123], ['321']],
  ['sub', ['hello', 2, 4], ['ell']],
  ['sub', ['hello', 2], ['ello']],
  ['sub', ['hello', -3], ['llo']],
  ['sub', ['hello', -3, -2], ['ll']],
  ['sub', ['hello', 0], ['hello']],
  ['sub', ['hello', 10], ['']],
  ['sub', ['hello', -10, 2], ['he']],
  ['sub', ['hello', 3, 2], ['']],
  ['sub', ['hello', 2, 99], ['ello']],
  ['sub', ['hello', 2, -99], ['']],
  ['sub', ['hello', 2.9, 3.9], ['el']],
  ['sub', ['hello', '2', '3'], ['el']],
  ['sub', ['hello', 1e300], ['hello']],
  ['sub', ['hello', -1e300, 2], ['he']],
  ['sub', [12345, 2, 3], ['23']],
];

const errors: readonly (readonly [name: string, args: readonly LuaValue[], message: string])[] = [
  ['gsub', ['a b ab c x', '%w+', table], 'invalid replacement value (a boolean)'],
  ['gsub', ['hello', 'l()', string.get('rep')], "bad argument #2 to '?' (number expected, got no value)"],
  ['gsub', ['abc', 'b', '%2'], 'invalid capture index'],
  ['gsub', ['abc', '(b)', '%2'], 'invalid capture index'],
  ['gsub', ['hello', '(h', '%1'], 'unfinished capture'],
  ['gsub', ['abc', 'b', undefined], "bad argument #3 to '?' (string/function/table expected)"],
  ['gsub', ['abc', 'b'], "bad argument #3 to '?' (string/function/table expected)"],
  ['gsub', ['abc', 'b', true], "bad argument #3 to '?' (string/function/table expected)"],
  ['gsub', ['abc', 'b', 'x', 'y'], "bad argument #4 to '?' (number expected, got string)"],
  ['gsub', ['abc'], "bad argument #2 to '?' (string expected, got no value)"],
  ['gsub', [undefined, 'a', 'b'], "bad argument #1 to '?' (string expected, got nil)"],
  ['gsub', ['abc', '[a', 'x'], "malformed pattern (missing ']')"],
  ['gmatch', ['abc'], "bad argument #2 to '?' (string expected, got no value)"],
  ['gmatch', [undefined, 'a'], "bad argument #1 to '?' (string expected, got nil)"],
  ['byte', [undefined], "bad argument #1 to '?' (string expected, got nil)"],
  ['byte', ['a', 'x'], "bad argument #2 to '?' (number expected, got string)"],
  ['byte', ['a', 1, table], "bad argument #3 to '?' (number expected, got table)"],
  ['char', [256], "bad argument #1 to '?' (invalid value)"],
  ['char', [-1], "bad argument #1 to '?' (invalid value)"],
  ['char', [65, 66, -1], "bad argument #3 to '?' (invalid value)"],
  ['char', ['a'], "bad argument #1 to '?' (number expected, got string)"],
  ['char', [65, undefined], "bad argument #2 to '?' (number expected, got nil)"],
  ['len', [], "bad argument #1 to '?' (string expected, got no value)"],
  ['len', [undefined], "bad argument #1 to '?' (string expected, got nil)"],
  ['len', [true], "bad argument #1 to '?' (string expected, got boolean)"],
  ['upper', [undefined], "bad argument #1 to '?' (string expected, got nil)"],
  ['rep', ['x'], "bad argument #2 to '?' (number expected, got no value)"],
  ['rep', ['x', 'y'], "bad argument #2 to '?' (number expected, got string)"],
  ['sub', ['hello'], "bad argument #2 to '?' (number expected, got no value)"],
  ['sub', ['hello', 'x'], "bad argument #2 to '?' (number expected, got string)"],
  ['sub', [], "bad argument #1 to '?' (string expected, got no value)"],
];

test.each(calls)('%s %j', (name, args, results) => {
  expect(call(name, ...args)).toEqual(results);
  if (name === 'gsub') expect(callSuspendable(name, ...args)).toEqual(results);
});

test.each(errors)('%s %j', (name, args, message) => {
  expect(errorOf(() => call(name, ...args))).toBe(message);
  if (name === 'gsub') expect(errorOf(() => callSuspendable(name, ...args))).toBe(message);
});

test('the fields, in the order of C', () => {
  const names = 'byte char dump find format gfind gmatch gsub len lower match rep reverse sub upper'.split(
    ' ',
  );
  const found: LuaValue[] = [];
  for (let key = string.next(undefined); key !== undefined; key = string.next(key)) found.push(key);
  expect(found.sort()).toEqual(names);
  expect(string.get('gfind')).toBe(string.get('gmatch'));
});

describe('byte and char', () => {
  test('as many results as the stack of a C function has room for', () => {
    const text = 'x'.repeat(8000);
    expect(call('byte', text, 1, 7997)).toHaveLength(7997);
    expect(errorOf(() => call('byte', text, 1, 7998))).toBe('stack overflow (string slice too long)');
  });

  test('all bytes there and back', () => {
    const bytes = Array.from({ length: 256 }, (_, i) => i);
    const [text] = call('char', ...bytes);
    expect(call('byte', text, 1, -1)).toEqual(bytes);
    expect(call('byte', call('reverse', text)[0], 1, -1)).toEqual(bytes.reverse());
  });
});

test('reverse takes long strings by parts', () => {
  const text = Array.from({ length: 30_001 }, (_, i) => String.fromCharCode(i % 256)).join('');
  expect(call('reverse', text)).toEqual([text.split('').reverse().join('')]);
});

test('dump has nothing to dump', () => {
  expect(errorOf(() => call('dump', string.get('len')))).toBe('unable to dump given function');
  expect(errorOf(() => call('dump'))).toBe("bad argument #1 to '?' (function expected, got no value)");
  expect(errorOf(() => call('dump', 1))).toBe("bad argument #1 to '?' (function expected, got number)");
});

test('format is that of format.ts', () => {
  expect(call('format', '%5.1f|%s', 2.25, 'x')).toEqual(['  2.2|x']);
  expect(call('format', 12.5)).toEqual(['12.5']);
  expect(errorOf(() => call('format'))).toBe("bad argument #1 to '?' (string expected, got no value)");
  expect(errorOf(() => call('format', '%d', 'x'))).toBe(
    "bad argument #2 to '?' (number expected, got string)",
  );
});

describe('gmatch', () => {
  function iterate(...args: LuaValue[]): (readonly LuaValue[])[] {
    const next = call('gmatch', ...args)[0] as LuaFunction;
    const found: (readonly LuaValue[])[] = [];
    for (let values = all(next()); values.length > 0; values = all(next())) found.push(values);
    expect(all(next())).toEqual([]);
    return found;
  }

  test.each([
    [
      ['one two  three', '%a+'],
      [['one'], ['two'], ['three']],
    ],
    [
      ['a=1, b=2', '(%w+)=(%w+)'],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      ['abc', '()'],
      [[1], [2], [3], [4]],
    ],
    [
      ['abc', 'b*'],
      [[''], ['b'], [''], ['']],
    ],
    [
      ['^a ^b', '^%a'],
      [['^a'], ['^b']],
    ],
    [['^a ^b', '^^%a'], []],
    [['', ''], [['']]],
    [
      [121, '1()'],
      [[2], [4]],
    ],
  ])('%j', (args, results) => {
    expect(iterate(...args)).toEqual(results);
  });

  test('a long subject, with other searches in between', () => {
    const words = Array.from({ length: 3000 }, (_, i) => `w${i}`);
    const text = words.join(' ');
    const next = call('gmatch', text, '%w+')[0] as LuaFunction;
    for (const word of words) {
      expect(next()).toBe(word);
      expect(call('gsub', `${text}!`, '%w+', 'x', 3)[1]).toBe(3);
    }
    expect(next()).toEqual([]);
  });
});

describe('gsub', () => {
  const both = (...args: LuaValue[]) => {
    const results = call('gsub', ...args);
    expect(callSuspendable('gsub', ...args)).toEqual(results);
    return results;
  };

  test('a function is given the captures, or the whole match', () => {
    const seen: LuaValue[][] = [];
    const collect = native((...args: LuaValue[]) => {
      seen.push(args);
      return undefined;
    });
    expect(both('k=v, x=y', '(%w)=(%w)()', collect)).toEqual(['k=v, x=y', 2]);
    expect(both('ab', '%w', collect)).toEqual(['ab', 2]);
    const once = [
      ['k', 'v', 4],
      ['x', 'y', 9],
    ];
    expect(seen).toEqual([...once, ...once, ['a'], ['b'], ['a'], ['b']]);
  });

  test('of several results the first counts; false, nil and nothing keep the match', () => {
    const results = [['1', '2'], false, undefined, [], 5, ''];
    let at = 0;
    const next = native(() => results[at++ % results.length] as LuaValue);
    expect(both('abcdef', '%w', next)).toEqual(['1bcd5', 6]);
  });

  test('a table with a metatable', () => {
    const proxy = new LuaTable();
    proxy.set('a', 'raw');
    proxy.metatable = new LuaTable();
    proxy.metatable.set(
      '__index',
      native((_table: LuaValue, key: LuaValue) => `<${key}>`),
    );
    expect(both('a b', '%w', proxy)).toEqual(['raw <b>', 2]);
    proxy.metatable.set('__index', table);
    expect(both('a b ab', '%w+', proxy)).toEqual(['raw b xy', 3]);
  });

  test('errors come when the matching arrives at them', () => {
    const seen: LuaValue[] = [];
    const collect = native((match: LuaValue) => {
      seen.push(match);
      return undefined;
    });
    expect(errorOf(() => call('gsub', 'b a', '%w(a?)(', collect))).toBe('unfinished capture');
    expect(errorOf(() => call('gsub', 'b b ab', 'a[', collect))).toBe("malformed pattern (missing ']')");
    expect(errorOf(() => call('gsub', 'b b ab', '[^a', collect))).toBe("malformed pattern (missing ']')");
    expect(seen).toEqual([]);
    const bad = native((match: LuaValue) => (match === 'c' ? new LuaTable() : undefined));
    expect(errorOf(() => both('abc', '%w', bad))).toBe('invalid replacement value (a table)');
  });

  // A subject long enough for bytes (subject.ts), against a plain JavaScript of the same.
  const words = Array.from(
    { length: 4000 },
    (_, i) => ['a', 'key', 'value', 'ab', 'longer_word', `n${i}`][i % 6]!,
  );
  for (const [kind, text] of [
    ['ASCII', words.join(' ')],
    ['bytes', words.join('\xa0')],
    ['much between', words.join(' '.repeat(300))],
  ] as const) {
    const expected = (by: (word: string) => string) => text.replace(/[0-9A-Za-z]+/g, by);
    const count = text.match(/[0-9A-Za-z]+/g)!.length;

    test(`long subject, ${kind}: text and templates`, () => {
      expect(both(text, '%w+', 'x')).toEqual([expected(() => 'x'), count]);
      expect(both(text, '%w+', '')).toEqual([expected(() => ''), count]);
      expect(both(text, '%w+', '\xe9')).toEqual([expected(() => '\xe9'), count]);
      const long = 'long'.repeat(50);
      expect(both(text, '%w+', long)).toEqual([expected(() => long), count]);
      expect(both(text, '%w+', '%0 %0')).toEqual([expected((word) => `${word} ${word}`), count]);
      expect(both(text, '(%w)(%w*)', '<%2%1>')).toEqual([
        expected((word) => `<${word.slice(1)}${word[0]}>`),
        count,
      ]);
    });

    test(`long subject, ${kind}: tables and functions`, () => {
      const replaced = (word: string): string => {
        const value = table.get(word);
        return typeof value === 'string' ? value : word;
      };
      expect(both(text, '%w+', table)).toEqual([expected(replaced), count]);
      const many = new LuaTable();
      for (let i = 0; i < 300; i++) many.set(`n${i}`, i);
      many.set('key', 'k');
      expect(both(text, '%w+', many)).toEqual([expected((word) => `${many.get(word) ?? word}`), count]);
      expect(both(text, '%w+', string.get('upper'))).toEqual([expected((word) => word.toUpperCase()), count]);
      // Replaces in a text of its own meanwhile.
      const nested = native((word: LuaValue) => call('gsub', `${word}${'-'.repeat(1000)}`, '%-', '')[0]);
      expect(both(text, '%w+', nested, 30)).toEqual([text, 30]);
    });
  }

  test('a long run can be ended, between matches and within the result', () => {
    const end = new Error('enough');
    const impatient: LuaHost = {
      ...host,
      tick: () => {
        throw end;
      },
    };
    const state = new LuaState(impatient, new LuaTable());
    const before = enter(state);
    try {
      for (const text of ['ab'.repeat(5000), '\xe9b'.repeat(5000)]) {
        for (const by of ['', 'x', '%0%0', table, string.get('upper')]) {
          state.fuel = 5000;
          expect(() => call('gsub', text, 'b', by)).toThrow(end);
        }
      }
      state.fuel = 1000;
      expect(() => call('rep', 'x', 100_000)).toThrow(end);
    } finally {
      enter(before);
    }
  });
});

describe('room', () => {
  test('a result that V8 cannot have is refused', () => {
    const big = 'x'.repeat(2 ** 20);
    expect(errorOf(() => call('rep', big, 512))).toBe('not enough memory');
    expect(errorOf(() => call('rep', 'ab', 1e9))).toBe('not enough memory');
    expect(call('rep', '', 1e9)).toEqual(['']);
    expect(errorOf(() => call('gsub', 'x'.repeat(1000), 'x', big))).toBe('not enough memory');
    expect(errorOf(() => call('gsub', 'x'.repeat(1000), 'x', `%0${big}`))).toBe('not enough memory');
  });

  test('is charged', () => {
    let charged = 0;
    const counting: LuaHost = {
      ...host,
      charge: (bytes) => {
        charged += bytes;
      },
    };
    const before = enter(new LuaState(counting, new LuaTable()));
    try {
      call('rep', 'ab', 100_000);
      expect(charged).toBe(200_000);
      charged = 0;
      call('gsub', 'x'.repeat(5000), 'x', 'y'.repeat(50));
      expect(charged).toBeGreaterThan(200_000);
      expect(charged).toBeLessThan(300_000);
    } finally {
      enter(before);
    }
  });
});
