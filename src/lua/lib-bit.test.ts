// What the functions of bit do; expectations are those of redis-server 7.0.15.
import { expect, test } from 'vitest';
import { openBit } from './lib-bit.ts';
import { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { LuaError, type LuaFunction, type LuaResult, type LuaValue } from './value.ts';

const library = openBit(new LuaState({ clock: () => 0, tick: () => 1e6, charge: () => {} }, new LuaTable()));

function call(name: string, ...args: LuaValue[]): LuaResult {
  try {
    return (library.get(name) as LuaFunction)(...args);
  } catch (error) {
    if (error instanceof LuaError) return `error: ${error.value}`;
    throw error;
  }
}

test.each([
  [0xffffffff, -1],
  [2 ** 31, -(2 ** 31)],
  [2 ** 51, 0],
  [2 ** 53 + 2, 1],
  [2 ** 60 + 2 ** 20, 4096],
  [-(2 ** 52) - 1, -4],
  [0.5, 0],
  [1.5, 2],
  [2.5, 2],
  [-0.5, 0],
  [-1.5, -2],
  [Number.POSITIVE_INFINITY, 0],
  [Number.NaN, 0],
  [1e300, -2013235812],
  ['0x10', 16],
  [' 12 ', 12],
])('tobit(%s) is %s', (x, expected) => {
  expect(call('tobit', x)).toBe(expected);
});

test('operations', () => {
  expect(call('bnot', 0)).toBe(-1);
  expect(call('bor', 1, 2, 4, 8)).toBe(15);
  expect(call('band', 7, '3')).toBe(3);
  expect(call('bxor', 0xffff, 0xff)).toBe(65280);
  expect(call('lshift', 1, 33)).toBe(2);
  expect(call('rshift', -1, 4)).toBe(268435455);
  expect(call('rshift', -1, 0)).toBe(-1);
  expect(call('arshift', -256, 4)).toBe(-16);
  expect(call('rol', 0x12345678, 0)).toBe(305419896);
  expect(call('ror', 0x12345678, 12)).toBe(1736516421);
  expect(call('rol', 0x12345678, -4)).toBe(-2128394905);
  expect(call('bswap', 0x12345678)).toBe(2018915346);
});

test('tohex', () => {
  expect(call('tohex', -1)).toBe('ffffffff');
  expect(call('tohex', 255, 4)).toBe('00ff');
  expect(call('tohex', 255, 0)).toBe('');
  expect(call('tohex', 255, 100)).toBe('000000ff');
  expect(call('tohex', 0xabcdef, -3)).toBe('DEF');
  expect(call('tohex', 255, 2.5)).toBe('ff');
  expect(call('tohex', 255, 2 ** 31)).toBe('000000FF');
});

test('wrong arguments: the first is looked at first, then the last', () => {
  const wrong = (index: number, got: string) =>
    `error: bad argument #${index} to '?' (number expected, got ${got})`;
  expect(call('tobit')).toBe(wrong(1, 'no value'));
  expect(call('tobit', undefined)).toBe(wrong(1, 'nil'));
  expect(call('band', 1, new LuaTable(), 'x')).toBe(wrong(3, 'string'));
  expect(call('band', new LuaTable(), new LuaTable())).toBe(wrong(1, 'table'));
  expect(call('lshift', 1)).toBe(wrong(2, 'no value'));
  expect(call('tohex', 1, undefined)).toBe(wrong(2, 'nil'));
});

test('pairs goes through the functions as in C', () => {
  const names: LuaValue[] = [];
  for (let key = library.next(undefined); key !== undefined; key = library.next(key)) names.push(key);
  expect(names.join(' ')).toBe('band rshift bor bnot bswap bxor tobit ror lshift tohex rol arshift');
});
