// What the functions of struct do; expectations are those of redis-server 7.0.15.
import { describe, expect, test } from 'vitest';
import { openStruct } from './lib-struct.ts';
import { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { all, LuaError, type LuaFunction, type LuaValue } from './value.ts';

const library = openStruct(
  new LuaState({ clock: () => 0, tick: () => 1e6, charge: () => {} }, new LuaTable()),
);

function call(name: string, ...args: LuaValue[]): readonly LuaValue[] | string {
  try {
    return all((library.get(name) as LuaFunction)(...args));
  } catch (error) {
    if (error instanceof LuaError) return `error: ${error.value}`;
    throw error;
  }
}

const hex = (text: unknown) =>
  Array.from(String(text), (char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join('');
const pack = (...args: LuaValue[]) => {
  const packed = call('pack', ...args);
  return typeof packed === 'string' ? packed : hex(packed[0]);
};

describe('pack', () => {
  test.each<[LuaValue[], string]>([
    [['>I2', 258], '0102'],
    [['<I2', 258], '0201'],
    [['i0', 5], ''],
    [['i3', -2], 'feffff'],
    [['>i3', -2], 'fffffe'],
    [['i32', -2], `${'fe'}${'ff'.repeat(7)}${'00'.repeat(24)}`],
    [['I9', 2 ** 63], '000000000000008000'],
    [['L', 2 ** 64], '0000000000000000'],
    [['L', 2 ** 64 - 2048], '00f8ffffffffffff'],
    [['l', -(2 ** 64)], '0000000000000080'],
    [['l', Number.NaN], '0000000000000080'],
    [['l', Number.POSITIVE_INFINITY], '0000000000000000'],
    [['T', 1.9], '0100000000000000'],
    [['l', -1.9], 'ffffffffffffffff'],
    [['h', 70000], '7011'],
    [['c2', 'abc'], '6162'],
    [['c0', 'abc'], '616263'],
    [['s', 'a\0c'], '61006300'],
    [['f', 1.1], 'cdcc8c3f'],
    [['>d', 1.1], '3ff199999999999a'],
    [['>f', 1e300], '7f800000'],
    [['f', Number.NaN], '0000c0ff'],
    [['!bi', 1, 2], '0100000002000000'],
    [['!4bl', 1, 2], '010000000200000000000000'],
    [['!bd', 1, 2], '01000000000000000000000000000040'],
    [['xbx', 1], '000100'],
    [['b\0b', 1, 2], '01'],
  ])('%j', (args, expected) => {
    expect(pack(...args)).toBe(expected);
  });

  test('errors', () => {
    expect(pack('i33', 1)).toBe('error: integral size 33 is larger than limit of 32');
    expect(pack('i99999999999', 1)).toBe('error: integral size overflow');
    expect(pack('c2147483648', 'abc')).toBe('error: integral size overflow');
    expect(pack('c5', 'abc')).toBe("error: bad argument #3 to '?' (string too short)");
    expect(pack('!3bl', 1, 2)).toBe('error: alignment 3 is not a power of 2');
    expect(pack('q', 1)).toBe("error: bad argument #1 to '?' (invalid format option 'q')");
    expect(pack('bbb', 1, 2)).toBe("error: bad argument #4 to '?' (number expected, got nil)");
    expect(pack()).toBe("error: bad argument #1 to '?' (string expected, got no value)");
  });
});

describe('unpack', () => {
  const ff = '\xff';
  test.each<[LuaValue[], LuaValue[]]>([
    [
      ['b', ff],
      [-1, 2],
    ],
    [
      ['B', ff],
      [255, 2],
    ],
    [
      ['>I2', '\x01\x02'],
      [258, 3],
    ],
    [
      ['b', 'abc', 2],
      [98, 3],
    ],
    [
      ['b', 'abc', '2'],
      [98, 3],
    ],
    [['', 'abc', -10], [-10]],
    [
      ['>i3', '\xfe\xff\xff'],
      [-65537, 4],
    ],
    [
      ['i9', `\x81${'\0'.repeat(8)}`],
      [-127, 10],
    ],
    [
      ['i12', `\x81${'\0'.repeat(11)}`],
      [129, 13],
    ],
    [
      ['I16', ff.repeat(16)],
      [2 ** 64, 17],
    ],
    [
      ['>I16', '\x01'.repeat(16)],
      [72340172838076672, 17],
    ],
    [
      ['i0', 'abc'],
      [0, 1],
    ],
    [
      ['f', '\0\0\x80\x3f'],
      [1, 5],
    ],
    [
      ['Bc0', '\x02abc'],
      ['ab', 4],
    ],
    [
      ['Bc0c0', '\x011abc'],
      ['a', 4],
    ],
    [
      ['fc0', '\0\0\0\x40abc'],
      ['ab', 7],
    ],
    [
      ['ss', 'abc\0def\0'],
      ['abc', 'def', 9],
    ],
    [
      ['!bi', '\x01\0\0\0\x02\0\0\0'],
      [1, 2, 9],
    ],
  ])('%j', (args, expected) => {
    expect(call('unpack', ...args)).toEqual(expected);
  });

  test('errors', () => {
    const short = "error: bad argument #2 to '?' (data string too short)";
    expect(call('unpack', 'b', '')).toBe(short);
    expect(call('unpack', 'b', 'abc', -1)).toBe(short);
    expect(call('unpack', '>', 'abc', 10)).toBe(short);
    expect(call('unpack', 'Bc0', '\x05abc')).toBe(short);
    expect(call('unpack', 'bc0', '\xffabc')).toBe(short);
    expect(call('unpack', 'b', 'abc', 0)).toBe("error: bad argument #3 to '?' (offset must be 1 or greater)");
    expect(call('unpack', 'c0', 'abc')).toBe("error: format 'c0' needs a previous size");
    expect(call('unpack', 's', 'abc')).toBe('error: unfinished string in data');
  });

  test('the number of results is bounded', () => {
    expect(call('unpack', 'b'.repeat(7997), 'a'.repeat(8000))).toHaveLength(7998);
    const overflow = 'error: stack overflow (too many results)';
    expect(call('unpack', 'b'.repeat(7998), 'a'.repeat(8000))).toBe(overflow);
  });
});

test('size', () => {
  expect(call('size', 'bhilTfd')).toEqual([35]);
  expect(call('size', '!bhilTfd')).toEqual([40]);
  expect(call('size', 'c2147483647c2147483647')).toEqual([4294967294]);
  expect(call('size', 'z')).toEqual([0]);
  expect(call('size', 's')).toBe("error: bad argument #1 to '?' (option 's' has no fixed size)");
  expect(call('size', 'c0')).toBe("error: bad argument #1 to '?' (option 'c0' has no fixed size)");
  expect(call('size', '%')).toBe("error: bad argument #1 to '?' (invalid format option '%')");
});
