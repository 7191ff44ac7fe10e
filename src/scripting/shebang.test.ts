import { describe, expect, test } from 'vitest';
import { ReplyError } from '../resp/reply.ts';
import { flagNames } from './flags.ts';
import { readShebang } from './shebang.ts';

function errorOf(body: string): string {
  try {
    readShebang(body);
  } catch (error) {
    if (error instanceof ReplyError) return error.text;
    throw error;
  }
  return 'no error';
}

describe('the first line of a script', () => {
  test('without one, the script is what scripts were before there was any', () => {
    expect(readShebang('return 1')).toEqual({ compatible: true, flags: 0, source: 'return 1' });
    expect(readShebang(' #!lua\n').compatible).toBe(true);
  });

  test.each([
    ['#!lua\nreturn 1', []],
    ['#!lua  \t\nreturn 1', []],
    ['#!lua flags=\nreturn 1', []],
    ['#!lua flags=no-writes\nreturn 1', ['no-writes']],
    ['#!lua "flags=no-writes"\nreturn 1', ['no-writes']],
    [
      '#!lua flags=no-cluster,allow-oom flags=allow-stale\nreturn 1',
      ['allow-oom', 'allow-stale', 'no-cluster'],
    ],
    ['#!lua flags=allow-cross-slot-keys\nreturn 1', ['allow-cross-slot-keys']],
  ])('%j', (body, flags) => {
    const { compatible, flags: bits, source } = readShebang(body);
    expect(compatible).toBe(false);
    expect(flagNames(bits)).toEqual(flags);
    expect(source).toBe('\nreturn 1');
  });

  // What redis-server 7.0.15 answers.
  test.each([
    ['#!lua', 'Invalid script shebang'],
    ['#!lua\0\nreturn 1', 'Invalid script shebang'],
    ['#!\n', 'Unexpected engine in script shebang: #!'],
    ['#! lua\n', 'Unexpected engine in script shebang: #!'],
    ['#!LUA\n', 'Unexpected engine in script shebang: #!LUA'],
    ['#!lua "flags=no\n', 'Invalid engine in script shebang'],
    ['#!lua flags=x\n', 'Unexpected flag in script shebang: x'],
    ['#!lua flags=no-writes,\n', 'Unexpected flag in script shebang: '],
    ['#!lua name=x\n', 'Unknown lua shebang option: name=x'],
  ])('%j is refused', (body, text) => {
    expect(errorOf(body)).toBe(`ERR ${text}`);
  });
});
