import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplyError } from '../resp/reply.ts';
import { flagBit, flagNames, ScriptFlag } from './flags.ts';
import { Libraries, type Library, libraryName } from './library.ts';

const errorOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof ReplyError) return error.text;
    throw error;
  }
  return 'no error';
};

const library = (name: string, ...functions: string[]): Library => ({
  name,
  code: `#!lua name=${name}\n`,
  functions: functions.map((f) => ({ name: f, description: null, flags: 0 })),
});

describe('the first line of a library', () => {
  test('names it', () => {
    const lines: [line: string, name: string][] = [
      ['#!lua name=mylib', 'mylib'],
      ['#!LUA\tNAME=Lib_1 \r', 'Lib_1'],
      ['#!"lua" "name=\\x61b"', 'ab'],
      ["#!lua 'name=x'", 'x'],
    ];
    for (const [line, name] of lines) expect(libraryName(`${line}\nreturn 1`)).toBe(name);
  });

  test('that is wrong says so as Redis does', () => {
    const charset =
      'ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long';
    const wrong: [code: string, error: string][] = [
      ['', 'ERR Missing library metadata'],
      ['return 1', 'ERR Missing library metadata'],
      [' #!lua name=a\n', 'ERR Missing library metadata'],
      ['#!lua name=a', 'ERR Invalid library metadata'],
      ['#!lua name=a\0\n', 'ERR Invalid library metadata'],
      ['#!lua "name=a\n', 'ERR Invalid library metadata'],
      ['#!lua\n', 'ERR Library name was not given'],
      ['#!\n', 'ERR Library name was not given'],
      ['#!lua name=a name=a\n', 'ERR Invalid metadata value, name argument was given multiple times'],
      ['#!lua name=a x=1\n', 'ERR Invalid metadata value given: x=1'],
      ['#!lua "x\\x00y" name=a\n', 'ERR Invalid metadata value given: x'],
      ['#!lua name=\n', charset],
      ['#!lua name=a-b\n', charset],
      ['#!lua "name=a\\x00"\n', charset],
      ['#!js name=a\n', "ERR Engine 'js' not found"],
      ['#! name=a\n', "ERR Engine '' not found"],
      // The name is looked at before the engine.
      ['#!js name=é\n', charset],
    ];
    for (const [code, error] of wrong)
      expect([code, errorOf(() => libraryName(code))]).toEqual([code, error]);
  });
});

describe('the set of libraries', () => {
  test('finds functions in any case and libraries in theirs', () => {
    const all = Libraries.NONE.with(library('a', 'Get'), library('A', 'set'));
    expect([all.size, all.functionCount]).toEqual([2, 2]);
    expect(all.find('get')?.entry.name).toBe('Get');
    expect(all.find('GET')?.library.name).toBe('a');
    expect(all.find('SET')?.library.name).toBe('A');
    expect(all.find('del')).toBeUndefined();
    expect(all.get('a')?.functions).toHaveLength(1);
    expect(all.get('AA')).toBeUndefined();
  });

  test('has one function of a name', () => {
    const all = Libraries.NONE.with(library('a', 'f', 'g'), library('b', 'h'));
    expect(errorOf(() => all.with(library('c', 'x', 'F')))).toBe('ERR Function F already exists');
    expect(errorOf(() => all.with(library('b', 'g')))).toBe('ERR Function g already exists');
    // Redis takes this one, and dies when the library goes.
    expect(errorOf(() => all.with(library('c', 'x', 'X')))).toBe('ERR Function X already exists');
    // Two libraries may exchange names.
    const exchanged = all.with(library('a', 'h'), library('b', 'f'));
    expect([exchanged.find('h')?.library.name, exchanged.find('f')?.library.name]).toEqual(['a', 'b']);
    expect(exchanged.find('g')).toBeUndefined();
  });

  test('never changes: another is made', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({
        name: names,
        functions: fc.uniqueArray(fc.constantFrom<string>('f', 'g', 'h'), { maxLength: 2 }),
      }),
      fc.record({ name: names, functions: fc.constant(null) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let all = Libraries.NONE;
        const model = new Map<string, string[]>();
        for (const { name, functions } of steps) {
          const before = all;
          const shown = [...before.all()].map((one) => one.name);
          const old = before.get(name);
          if (functions === null) {
            if (old !== undefined) all = before.without(old);
            model.delete(name);
          } else {
            const taken = [...model].some(
              ([other, list]) => other !== name && list.some((f) => functions.includes(f)),
            );
            const error = errorOf(() => {
              all = before.with(library(name, ...functions));
            });
            expect(error.startsWith('ERR Function ')).toBe(taken);
            if (!taken) {
              model.delete(name);
              model.set(name, functions);
            }
          }
          expect([...before.all()].map((one) => one.name)).toEqual(shown);
          expect([...all.all()].map((one) => one.name)).toEqual([...model.keys()]);
          expect(all.functionCount).toBe([...model.values()].flat().length);
          for (const [owner, list] of model)
            for (const f of list) expect(all.find(f)?.library.name).toBe(owner);
        }
      }),
    );
  });
});

test('flags are told by their names', () => {
  expect(flagBit('no-writes')).toBe(ScriptFlag.noWrites);
  expect(flagBit('NO-WRITES')).toBe(0);
  expect(flagNames(31)).toEqual([
    'no-writes',
    'allow-oom',
    'allow-stale',
    'no-cluster',
    'allow-cross-slot-keys',
  ]);
  expect(flagNames(0)).toEqual([]);
});
