// What the functions of cmsgpack do; expectations are those of redis-server 7.0.15.
import { describe, expect, test } from 'vitest';
import { openCmsgpack } from './lib-cmsgpack.ts';
import { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { all, LuaError, type LuaFunction, type LuaValue, NULL_POINTER } from './value.ts';

const library = openCmsgpack(
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

const bytes = (hex: string) => hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
const pack = (...args: LuaValue[]) =>
  Array.from(String(call('pack', ...args)[0]), (char) =>
    char.charCodeAt(0).toString(16).padStart(2, '0'),
  ).join('');
const unpack = (hex: string) => call('unpack', bytes(hex));

function tableOf(entries: [LuaValue, LuaValue][]): LuaTable {
  const table = new LuaTable();
  for (const [key, value] of entries) table.set(key, value);
  return table;
}

function entriesOf(table: LuaValue): [LuaValue, LuaValue][] {
  const found: [LuaValue, LuaValue][] = [];
  if (!(table instanceof LuaTable)) throw new Error('no table');
  for (let key = table.next(undefined); key !== undefined; key = table.next(key))
    found.push([key, table.get(key)]);
  return found;
}

describe('pack', () => {
  test.each<[LuaValue, string]>([
    [undefined, 'c0'],
    [NULL_POINTER, 'c0'],
    [-0, '00'],
    [Number.NaN, 'cbfff8000000000000'],
    [Number.POSITIVE_INFINITY, 'ca7f800000'],
    [2 ** 63, 'ca5f000000'],
    [-(2 ** 63), 'd38000000000000000'],
    [2 ** 62, 'cf4000000000000000'],
    [1e300, 'cb7e37e43c8800759c'],
    [0.5, 'ca3f000000'],
    [0.1, 'cb3fb999999999999a'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-129, 'd1ff7f'],
    [-32769, 'd2ffff7fff'],
    [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
    [128, 'cc80'],
    [65535, 'cdffff'],
    [65536, 'ce00010000'],
    [2 ** 32, 'cf0000000100000000'],
    ['a'.repeat(31), `bf${'61'.repeat(31)}`],
    ['a'.repeat(32), `d920${'61'.repeat(32)}`],
    ['a'.repeat(256), `da0100${'61'.repeat(256)}`],
    ['a'.repeat(65536), `db00010000${'61'.repeat(65536)}`],
  ])('%s', (value, expected) => {
    expect(pack(value)).toBe(expected);
  });

  test('several values, and none', () => {
    expect(pack(1, 2, 'a', undefined, true, false)).toBe('0102a161c0c3c2');
    expect(call('pack')).toBe("error: bad argument #0 to '?' (MessagePack pack needs input.)");
  });

  test('tables: arrays are those with elements 1 to n and nothing else', () => {
    expect(pack(new LuaTable())).toBe('90');
    expect(pack(LuaTable.of([undefined, 1, 2, 3]))).toBe('93010203');
    expect(
      pack(
        tableOf([
          [3, 3],
          [2, 2],
          [1, 1],
        ]),
      ),
    ).toBe('93010203');
    expect(
      pack(
        tableOf([
          [1, 1],
          [3, 3],
        ]),
      ),
    ).toBe('8201010303');
    expect(pack(tableOf([[0, 1]]))).toBe('810001');
    expect(pack(tableOf([[1.5, 1]]))).toBe('81ca3fc0000001');
    expect(pack(tableOf([[2 ** 40, 1]]))).toBe('81cf000001000000000001');
    expect(pack(LuaTable.of([undefined, 1, 2, undefined, 4]))).toBe('83010102020404');
  });

  test('what is nested deeper than 16 tables becomes nil', () => {
    const ring = new LuaTable();
    ring.set(1, ring);
    expect(pack(ring)).toBe(`${'91'.repeat(16)}c0`);
  });
});

describe('unpack', () => {
  test.each<[string, LuaValue[]]>([
    ['', []],
    ['010203', [1, 2, 3]],
    ['c0c0', [undefined, undefined]],
    ['cfffffffffffffffff', [-1]],
    ['cf0020000000000001', [9007199254740992]],
    ['d3fffffffffffffffe', [-2]],
    ['d2fffffffe', [-2]],
    ['d1fffe', [-2]],
    ['d0fe', [-2]],
    ['ceffffffff', [4294967295]],
    ['e0ff', [-32, -1]],
    ['ca3f800000cbbff0000000000000', [1, -1]],
    ['db00000003616263', ['abc']],
  ])('%s', (hex, expected) => {
    expect(unpack(hex)).toEqual(expected);
  });

  test('tables', () => {
    expect(entriesOf(unpack('930102a161')[0])).toEqual([
      [1, 1],
      [2, 2],
      [3, 'a'],
    ]);
    expect(entriesOf(unpack('9301c003')[0])).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect((unpack('9301c003')[0] as LuaTable).length()).toBe(1);
    expect(entriesOf(unpack('82a16101a162c0')[0])).toEqual([['a', 1]]);
    expect(entriesOf(unpack('82a16101a16102')[0])).toEqual([['a', 2]]);
    expect(entriesOf(unpack('8201a161a16202')[0])).toEqual([
      [1, 'a'],
      ['b', 2],
    ]);
  });

  test('errors', () => {
    for (const hex of ['91', '0191', 'd9', 'd905616263', 'da00', 'db00000005616263', '81a161']) {
      expect(unpack(hex)).toBe('error: Missing bytes in input.');
    }
    for (const hex of ['c1', 'c40161', 'd40101'])
      expect(unpack(hex)).toBe('error: Bad data format in input.');
    expect(unpack('81c001')).toBe('error: table index is nil');
    expect(unpack('81ca7fc0000001')).toBe('error: table index is NaN');
  });

  test('nesting and results are bounded by the stack of Lua', () => {
    const many = 'too many return values at once; use unpack_one or unpack_limit instead.';
    expect(call('unpack', '\x01'.repeat(7999))).toHaveLength(7999);
    expect(call('unpack', '\x01'.repeat(8000))).toBe(`error: stack overflow (${many})`);
    expect(call('unpack', `${'\x91'.repeat(3999)}\x01`)).toHaveLength(1);
    const array = 'error: stack overflow (in function mp_decode_to_lua_array)';
    expect(call('unpack', `${'\x91'.repeat(100_000)}\x01`)).toBe(array);
    expect(call('unpack', `${'\x81\x01'.repeat(4000)}\x01`)).toBe(`error: stack overflow (${many})`);
  });
});

test('unpack_one and unpack_limit answer where to go on', () => {
  const text = '\x01\x02\x03';
  expect(call('unpack_one', text)).toEqual([1, 1]);
  expect(call('unpack_one', text, 2)).toEqual([-1, 3]);
  expect(call('unpack_one', '')).toEqual([-1]);
  expect(call('unpack_limit', text, 2)).toEqual([2, 1, 2]);
  expect(call('unpack_limit', text, 2, 1)).toEqual([-1, 2, 3]);
  expect(call('unpack_limit', text, 0)).toEqual([1, 2, 3]);
  expect(call('unpack_limit', text, 0, 1)).toEqual([1]);
  expect(call('unpack_one', text, 4)).toBe('error: Start offset 4 greater than input length 3.');
  const invalid = 'error: Invalid request to unpack with offset of -1 and limit of 3.';
  expect(call('unpack_limit', text, 1, -1)).toBe(invalid);
  expect(call('unpack_limit', text, 1, 2 ** 40)).toBe('error: Start offset 0 greater than input length 3.');
});
