// What the functions of cjson do; expectations are those of redis-server 7.0.15.
import { describe, expect, test } from 'vitest';
import { openCjson } from './lib-cjson.ts';
import { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { all, LuaError, type LuaFunction, type LuaValue, NULL_POINTER, native } from './value.ts';

const state = new LuaState({ clock: () => 0, tick: () => 1e6, charge: () => {} }, new LuaTable());

function world() {
  const library = openCjson(state);
  const call = (name: string, ...args: LuaValue[]): readonly LuaValue[] | string => {
    try {
      return all((library.get(name) as LuaFunction)(...args));
    } catch (error) {
      if (error instanceof LuaError) return `error: ${error.value}`;
      throw error;
    }
  };
  const one = (name: string) => (value: LuaValue) => {
    const results = call(name, value);
    return typeof results === 'string' ? results : results[0];
  };
  return { library, call, encode: one('encode'), decode: one('decode') };
}
const { library, call, encode, decode } = world();

const list = (...items: LuaValue[]) => LuaTable.of([undefined, ...items]);

function fieldsOf(...entries: [LuaValue, LuaValue][]): LuaTable {
  const table = new LuaTable();
  for (const [key, value] of entries) table.set(key, value);
  return table;
}

function keysOf(table: LuaTable): LuaValue[] {
  const keys: LuaValue[] = [];
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) keys.push(key);
  return keys;
}

describe('encode', () => {
  test('scalars', () => {
    expect(encode(undefined)).toBe('null');
    expect(encode(NULL_POINTER)).toBe('null');
    expect(encode(true)).toBe('true');
    expect(encode(-0)).toBe('-0');
    expect(encode(list(1, 1.5, 1e14, 1e15, 123456789012345, 1e-5, 1e100))).toBe(
      '[1,1.5,1e+14,1e+15,1.2345678901234e+14,1e-05,1e+100]',
    );
    expect(encode(list(-(2 ** 31), 2 ** 31, 2 ** 53, 0.1, 1 / 3, 99999999999999.5, 1e14 - 1))).toBe(
      '[-2147483648,2147483648,9.007199254741e+15,0.1,0.33333333333333,1e+14,99999999999999]',
    );
    expect(encode(list(10, 99, 100, 1e9, 0.01, 827.57, 0.5, 12.3, -12.25, 1e12, 1700000000123))).toBe(
      '[10,99,100,1000000000,0.01,827.57,0.5,12.3,-12.25,1000000000000,1700000000123]',
    );
  });

  test('strings', () => {
    expect(encode('\0\x01\b\t\n\x0b\f\r\x0e\x1f "\\/\x7f\x80\xff')).toBe(
      '"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u000e\\u001f \\"\\\\\\/\\u007f\x80\xff"',
    );
  });

  test('an escape anywhere in a string of any length', () => {
    for (const length of [1, 63, 64, 65, 200, 3000]) {
      const plain = 'x\xe9~}'.repeat(length).slice(0, length);
      expect(encode(plain)).toBe(`"${plain}"`);
      for (let at = 0; at < length; at += 1 + (length >> 5)) {
        const text = `${plain.slice(0, at)}"${plain.slice(at + 1)}`;
        expect(encode(text)).toBe(`"${plain.slice(0, at)}\\"${plain.slice(at + 1)}"`);
      }
    }
  });

  test('arrays and objects', () => {
    expect(encode(new LuaTable())).toBe('{}');
    expect(encode(list(1, 2, 3, undefined, 5))).toBe('[1,2,3,null,5]');
    expect(encode(fieldsOf(['a', 1], [1, 2]))).toBe('{"1":2,"a":1}');
    expect(encode(fieldsOf([10, 1]))).toBe(`[${'null,'.repeat(9)}1]`);
    expect(encode(fieldsOf([1.5, 1], [-3, 2], [0, 3]))).toBe('{"0":3,"-3":2,"1.5":1}');
    expect(encode(fieldsOf([2 ** 31, 1]))).toBe('{"2147483648":1}');
    expect(encode(fieldsOf(['', 1]))).toBe('{"":1}');
    expect(encode(fieldsOf(['a"/b', 1]))).toBe('{"a\\"\\/b":1}');
  });

  test('in the order of Lua, as often as one likes', () => {
    const names = ['id', 'name', 'price', 'active', 'tags', 'note', 'owner', 'created'];
    const expected = '{"created":8,"note":6,"name":2,"active":4,"price":3,"owner":7,"tags":5,"id":1}';
    for (let i = 0; i < 3; i++) {
      expect(encode(fieldsOf(...names.map((name, at): [string, number] => [name, at + 1])))).toBe(expected);
    }
  });

  test('errors', () => {
    const refused = (what: string) => `error: Cannot serialise ${what}`;
    expect(encode(native(() => undefined))).toBe(refused('function: type not supported'));
    expect(encode(fieldsOf([true, 1]))).toBe(refused('boolean: table key must be a number or string'));
    expect(encode(Number.NaN)).toBe(refused('number: must not be NaN or Inf'));
    expect(encode(fieldsOf([Number.POSITIVE_INFINITY, 1]))).toBe(refused('number: must not be NaN or Inf'));
    expect(encode(fieldsOf([11, 1]))).toBe(refused('table: excessively sparse array'));
    expect(encode(fieldsOf([2 ** 31 - 1, 1]))).toBe(refused('table: excessively sparse array'));
    expect(call('encode')).toBe("error: bad argument #1 to '?' (expected 1 argument)");
    const ring = new LuaTable();
    ring.set('a', ring);
    expect(encode(ring)).toBe('error: Cannot serialise, excessive nesting (1001)');
  });

  test('after an error all is as before', () => {
    expect(
      encode(
        list(
          'abc',
          native(() => undefined),
        ),
      ),
    ).toMatch(/^error/);
    expect(encode(list('abc', fieldsOf(['a', 1])))).toBe('["abc",{"a":1}]');
  });
});

describe('decode', () => {
  test.each<[string, LuaValue]>([
    ['12\0x', 12],
    ['0x1F', 31],
    ['-0x1p4', -16],
    ['0x.8', 0.5],
    ['0xfffffffffffffffff', 2.9514790517935283e20],
    ['007', 7],
    ['-007.50', -7.5],
    ['1.', 1],
    ['-.5', -0.5],
    ['1.e3', 1000],
    ['1E+5', 100000],
    ['1e999', Number.POSITIVE_INFINITY],
    ['+1', 1],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['nan(12)', Number.NaN],
    ['-0', -0],
    ['123456789012345678901234567890', 1.2345678901234568e29],
    ['0.1234567890123456789', 0.12345678901234568],
    ['827.57', 827.57],
    ['4.9e-324', 5e-324],
    ['null', NULL_POINTER],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\u0000x"', 'A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0x'],
    ['"\x01\x1f\x7f\xff"', '\x01\x1f\x7f\xff'],
  ])('%j', (text, expected) => {
    expect(decode(text)).toBe(expected);
  });

  test.each([
    ['', 'Expected value but found T_END at character 1'],
    ['1\0', 'JSON parser does not support UTF-16 or UTF-32'],
    ['"a\0b"', 'Expected value but found unexpected end of string at character 3'],
    ['[1,2', 'Expected comma or array end but found T_END at character 5'],
    ['[1 2]', 'Expected comma or array end but found T_NUMBER at character 4'],
    ['[1,]', 'Expected value but found T_ARR_END at character 4'],
    ['{"a":1', 'Expected comma or object end but found T_END at character 7'],
    ['{"a" 1}', 'Expected colon but found T_NUMBER at character 6'],
    ['{"a":1,}', 'Expected object key string but found T_OBJ_END at character 8'],
    ['{a:1}', 'Expected object key string but found invalid token at character 2'],
    ['{"a":1 "b":2}', 'Expected comma or object end but found T_STRING at character 8'],
    ['[1] 2', 'Expected the end but found T_NUMBER at character 5'],
    ['truex', 'Expected the end but found invalid token at character 5'],
    ['"abc', 'Expected value but found unexpected end of string at character 5'],
    ['"ab\\x"', 'Expected value but found invalid escape code at character 4'],
    ['"ab\\u12g4"', 'Expected value but found invalid unicode escape code at character 4'],
    ['"\\ud83d\\u0041"', 'Expected value but found invalid unicode escape code at character 2'],
    ['{"a\\q":1}', 'Expected object key string but found invalid escape code at character 4'],
    ['0x', 'Expected the end but found invalid token at character 2'],
    ['1e', 'Expected the end but found invalid token at character 2'],
    ['.5', 'Expected value but found invalid token at character 1'],
    ['-a', 'Expected value but found invalid number at character 1'],
    ['+', 'Expected value but found invalid number at character 1'],
    ['nan(1-z)', 'Expected the end but found invalid token at character 4'],
    ['[1,tru]', 'Expected value but found invalid token at character 4'],
  ])('%j: error', (text, expected) => {
    expect(decode(text)).toBe(`error: ${expected}`);
  });

  test('tables', () => {
    const table = decode(' \t\r\n{ "a" : [ 1 , null , {} ] , "b" : { } , "a" : [7,8,9] }\n ') as LuaTable;
    expect(keysOf(table).sort()).toEqual(['a', 'b']);
    expect((table.get('a') as LuaTable).length()).toBe(3);
    expect((table.get('a') as LuaTable).get(3)).toBe(9);
    expect(encode(decode('[]'))).toBe('{}');
    expect(encode(decode('{"a":{"b":[]},"c":{}}'))).toBe('{"a":{"b":{}},"c":{}}');
  });

  test('records like those before, and unlike them', () => {
    const records = [
      '{"id":1,"name":"a"}',
      '{"id":2,"name":"b","x":1}',
      '{"name":"c","id":3}',
      '{"idx":4}',
      '{"i":5}',
    ];
    const table = decode(`[${records.join(', ')},{"id" : 6,"name":{"id":7}},{"id":8,"id":9}]`) as LuaTable;
    const fields = (at: number, ...names: string[]) =>
      names.map((name) => (table.get(at) as LuaTable).get(name));
    expect(fields(1, 'id', 'name', 'x')).toEqual([1, 'a', undefined]);
    expect(fields(2, 'id', 'name', 'x')).toEqual([2, 'b', 1]);
    expect(fields(3, 'id', 'name')).toEqual([3, 'c']);
    expect(fields(4, 'id', 'idx')).toEqual([undefined, 4]);
    expect(fields(5, 'id', 'i')).toEqual([undefined, 5]);
    expect(((table.get(6) as LuaTable).get('name') as LuaTable).get('id')).toBe(7);
    expect(fields(7, 'id')).toEqual([9]);
  });

  test('strings of any length, with an escape anywhere', () => {
    for (const length of [1, 63, 64, 65, 66, 500]) {
      const plain = 'abc\xe9'.repeat(length).slice(0, length);
      expect(decode(`["${plain}","x"]`)).toBeInstanceOf(LuaTable);
      for (let at = 0; at < length; at += 1 + (length >> 4)) {
        const text = `${plain.slice(0, at)}\\n${plain.slice(at)}`;
        expect((decode(`["${plain}","${text}"]`) as LuaTable).get(2)).toBe(text.replace('\\n', '\n'));
      }
    }
  });

  test('nesting', () => {
    expect(decode('['.repeat(1000) + ']'.repeat(1000))).toBeInstanceOf(LuaTable);
    const arrays = 'error: Found too many nested data structures (1001) at character 1001';
    expect(decode('['.repeat(1001) + ']'.repeat(1001))).toBe(arrays);
    const objects = 'error: Found too many nested data structures (1001) at character 5001';
    expect(decode(`${'{"a":'.repeat(1001)}1${'}'.repeat(1001)}`)).toBe(objects);
  });
});

describe('settings', () => {
  test('numbers', () => {
    const { call, encode, decode } = world();
    expect(call('encode_number_precision', 3)).toEqual([3]);
    expect(encode(list(1, 123, 1234, 12345, 1.235, 2.5e-5, 99950, 9.995, -1 / 3, 0.00012345))).toBe(
      '[1,123,1.23e+03,1.23e+04,1.24,2.5e-05,1e+05,9.99,-0.333,0.000123]',
    );
    call('encode_number_precision', 1);
    expect(encode(list(12, 0.5, 1.5, 2.5, 9.5, 8.5, 0.25, 25, 35, 95))).toBe(
      '[1e+01,0.5,2,2,1e+01,8,0.2,2e+01,4e+01,1e+02]',
    );
    expect(call('encode_number_precision', 15)).toBe(
      "error: bad argument #1 to '?' (expected integer between 1 and 14)",
    );
    expect(call('encode_invalid_numbers', 'null')).toEqual(['null']);
    expect(encode(list(Number.POSITIVE_INFINITY, Number.NaN))).toBe('[null,null]');
    expect(call('encode_invalid_numbers', true)).toEqual([true]);
    expect(encode(list(Number.NEGATIVE_INFINITY, Number.NaN))).toBe('[-inf,nan]');
    expect(call('decode_invalid_numbers', false)).toEqual([false]);
    for (const text of ['0x1F', '007', '-01', '-inf']) {
      expect(decode(text)).toBe('error: Expected value but found invalid number at character 1');
    }
    for (const text of ['+1', 'inf', 'nan']) {
      expect(decode(text)).toBe('error: Expected value but found invalid token at character 1');
    }
    expect(decode('0.5')).toBe(0.5);
  });

  test('sparse arrays', () => {
    const { call, encode } = world();
    expect(call('encode_sparse_array')).toEqual([false, 2, 10]);
    expect(call('encode_sparse_array', true, 3, 5)).toEqual([true, 3, 5]);
    expect(encode(fieldsOf([1, 1], [6, 1]))).toBe('[1,null,null,null,null,1]');
    expect(encode(fieldsOf([1, 1], [7, 1]))).toBe('{"1":1,"7":1}');
    call('encode_sparse_array', undefined, 0);
    expect(encode(fieldsOf([1, 1], [7, 1]))).toBe('[1,null,null,null,null,null,1]');
    expect(call('encode_sparse_array', 'x')).toBe("error: bad argument #1 to '?' (invalid option 'x')");
    expect(call('encode_sparse_array', 'on', -1)).toBe(
      "error: bad argument #1 to '?' (expected integer between 0 and 2147483647)",
    );
    expect(call('encode_sparse_array', true, 1, 2, 3)).toBe(
      "error: bad argument #4 to '?' (found too many arguments)",
    );
  });

  test('depths', () => {
    const { call, encode, decode } = world();
    expect(call('encode_max_depth', '3')).toEqual([3]);
    expect(encode(list(list(list(1))))).toBe('[[[1]]]');
    expect(encode(list(list(list(list(1)))))).toBe('error: Cannot serialise, excessive nesting (4)');
    expect(call('encode_max_depth', 2 ** 32 + 5)).toEqual([5]);
    call('decode_max_depth', 2);
    expect(decode('[[],{"a":{}}]')).toBe('error: Found too many nested data structures (3) at character 10');
  });

  test('every library made by new has its own', () => {
    const { call, encode } = world();
    const other = (call('new') as LuaValue[])[0] as LuaTable;
    (other.get('encode_max_depth') as LuaFunction)(1);
    expect(() => (other.get('encode') as LuaFunction)(list(list(1)))).toThrow();
    expect(encode(list(list(1)))).toBe('[[1]]');
    expect(call('encode_keep_buffer', 'off')).toEqual([false]);
  });
});

test('pairs goes through the fields as in C', () => {
  expect(keysOf(library).join(' ')).toBe(
    '_NAME encode decode_max_depth _VERSION decode_invalid_numbers encode_keep_buffer null ' +
      'encode_number_precision new encode_max_depth encode_invalid_numbers decode encode_sparse_array',
  );
  expect([library.get('_NAME'), library.get('_VERSION'), library.get('null')]).toEqual([
    'cjson',
    '2.1.0',
    NULL_POINTER,
  ]);
});
