import { describe, expect, test } from 'vitest';
import { LuaTable } from '../lua/table.ts';
import { type LuaValue, NULL_POINTER } from '../lua/value.ts';
import { encode } from '../resp/encode.ts';
import {
  BigNumber,
  Double,
  MapReply,
  NULL_ARRAY,
  OK,
  type Reply,
  ReplyError,
  SetReply,
  Verbatim,
} from '../resp/reply.ts';
import { errorTable, listTable, toArgument, toLua, toReply } from './convert.ts';

const nothing = (): void => {};

/** A table as `{1, 2, key = value}` makes it. */
function table(list: LuaValue[], fields: Record<string, LuaValue> = {}): LuaTable {
  const made = LuaTable.of([undefined, ...list]);
  for (const [key, value] of Object.entries(fields)) made.set(key, value);
  return made;
}

/** What pairs sees. */
function entries(value: LuaValue): unknown[] {
  if (!(value instanceof LuaTable)) throw new Error('no table');
  const found: unknown[] = [];
  for (let key = value.next(undefined); key !== undefined; key = value.next(key)) {
    const item = value.get(key);
    found.push([key, item instanceof LuaTable ? entries(item) : item]);
  }
  return found;
}

describe('arguments', () => {
  test.each<[LuaValue, string | null]>([
    ['a\0b', 'a\0b'],
    [1, '1'],
    [-0, '0'],
    [1e15, '1000000000000000'],
    [2 ** 53, '9007199254740992'],
    [2 ** 62, '4611686018427387904'],
    [2 ** 63, '9223372036854776000'],
    [1e20, '1e+20'],
    [0.1 + 0.2, '0.30000000000000004'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [undefined, null],
    [true, null],
    [new LuaTable(), null],
  ])('%s is %s', (value, expected) => {
    expect(toArgument(value)).toBe(expected);
  });

  test('KEYS and ARGV', () => {
    expect(entries(listTable(['eval', 'k1', 'k2', 'a'], 1, 3))).toEqual([
      [1, 'k1'],
      [2, 'k2'],
    ]);
    const empty = listTable(['x'], 1, 1);
    expect(empty.length()).toBe(0);
    empty.set(1, 'later');
    expect(empty.length()).toBe(1);
  });
});

describe('replies as Lua values', () => {
  const both: [Reply, LuaValue, LuaValue][] = [
    [1, 1, 1],
    ['text', 'text', 'text'],
    [9007199254740993n, 9007199254740992, 9007199254740992],
    [null, false, undefined],
    [NULL_ARRAY, false, undefined],
    [true, 1, true],
    [false, 0, false],
  ];
  test.each(both)('%s', (reply, two, three) => {
    expect(toLua(reply, 2)).toBe(two);
    expect(toLua(reply, 3)).toBe(three);
  });

  test.each<[string, Reply, unknown, unknown]>([
    ['status', OK, [['ok', 'OK']], [['ok', 'OK']]],
    [
      'array with nulls',
      ['a', null, 'c'],
      [
        [1, 'a'],
        [2, false],
        [3, 'c'],
      ],
      [
        [1, 'a'],
        [3, 'c'],
      ],
    ],
    [
      'map',
      new MapReply(['k', 'v']),
      [
        [1, 'k'],
        [2, 'v'],
      ],
      [['map', [['k', 'v']]]],
    ],
    ['set', new SetReply(['m']), [[1, 'm']], [['set', [['m', true]]]]],
  ])('%s', (_title, reply, two, three) => {
    expect(entries(toLua(reply, 2))).toEqual(two);
    expect(entries(toLua(reply, 3))).toEqual(three);
  });

  test('doubles, big numbers and verbatim texts are bulk strings in RESP2', () => {
    for (const reply of [new Double(0.5, '0.5'), new BigNumber('0.5'), new Verbatim('0.5')]) {
      expect(toLua(reply, 2)).toBe('0.5');
    }
    expect(entries(toLua(new Double(0.5, '0.5'), 3))).toEqual([['double', 0.5]]);
    expect(entries(toLua(new BigNumber('12'), 3))).toEqual([['big_number', '12']]);
    expect((toLua(new Verbatim('t'), 3) as LuaTable).field('verbatim_string')).toBeInstanceOf(LuaTable);
  });

  test('errors carry their mark, in the order that Lua walks them', () => {
    expect(entries(toLua(new ReplyError('WRONGTYPE no\r\nway'), 2))).toEqual([
      ['ignore_error_stats_update', true],
      ['err', 'WRONGTYPE no  way'],
    ]);
  });

  test('what is appended to a list behind its end counts as in Lua', () => {
    const list = toLua(['a', 'b', 'c'], 2) as LuaTable;
    list.set(5, 'e');
    expect(list.length()).toBe(3);
  });
});

describe('errors made in Lua', () => {
  test.each([
    ['My Err', 'My Err'],
    ['single', 'ERR single'],
    ['', 'ERR '],
    ['A\0B C', 'ERR A'],
    ['A \r\nx\r\n', 'A x'],
    ['A\r\n x', 'A\r\n x'],
  ])('%j', (text, err) => {
    expect(entries(errorTable(text, false))).toEqual([['err', err]]);
  });
});

describe('Lua values as replies', () => {
  /** Every shape with what redis-server 7.0.15 sends for it in RESP2 and RESP3. */
  test.each<[string, LuaValue, string, string?]>([
    ['3.99', 3.99, ':3\r\n'],
    ['-3.99', -3.99, ':-3\r\n'],
    ['-0.5', -0.5, ':0\r\n'],
    ['1e300', 1e300, ':-9223372036854775808\r\n'],
    ['NaN', Number.NaN, ':-9223372036854775808\r\n'],
    ['2^53', 2 ** 53, ':9007199254740992\r\n'],
    ['-2^63', -(2 ** 63), ':-9223372036854775808\r\n'],
    ['true', true, ':1\r\n'],
    ['false', false, '$-1\r\n', '_\r\n'],
    ['nil', undefined, '$-1\r\n', '_\r\n'],
    ['userdata', NULL_POINTER, '$-1\r\n', '_\r\n'],
    ['string', 'a\0b', '$3\r\na\0b\r\n'],
    ['up to the first nil', table([1, 2, undefined, 4]), '*2\r\n:1\r\n:2\r\n'],
    ['fields only', table([], { a: 1 }), '*0\r\n'],
    ['ok', table([], { ok: 'fine\r\nx\0y' }), '+fine  x\r\n'],
    ['err without code', table([], { err: 'My\r\n' }), '-My\r\n'],
    ['err with line breaks', table([], { err: '\r\nA\r\nB x\r\n' }), '-  A  B x\r\n'],
    ['err with a dash', table([], { err: '-X y' }), '--X y\r\n'],
    ['err with a NUL', table([], { err: 'A\0B' }), '-A\r\n'],
    ['err before ok', table([], { ok: 'a', err: 'x' }), '-x\r\n'],
    [
      'wrong types fall through',
      table([7], { err: 5, ok: true, double: '1', big_number: 12 }),
      '*1\r\n:7\r\n',
    ],
    ['double', table([], { double: 3.5 }), '$3\r\n3.5\r\n', ',3.5\r\n'],
    ['infinity', table([], { double: 1 / 0 }), '$3\r\ninf\r\n', ',inf\r\n'],
    ['big number', table([], { big_number: '1\r\n\0x' }), '$5\r\n1  \0x\r\n', '(1  \0x\r\n'],
    [
      'verbatim',
      table([], { verbatim_string: table([], { string: 'abc', format: 't' }) }),
      '$3\r\nabc\r\n',
      '=7\r\nt  :abc\r\n',
    ],
    ['half a verbatim', table([], { verbatim_string: table([], { string: 'abc' }) }), '*0\r\n'],
    ['map', table([], { map: table([2]) }), '*2\r\n:1\r\n:2\r\n', '%1\r\n:1\r\n:2\r\n'],
    ['set', table([], { set: table([], { m: false }) }), '*1\r\n$1\r\nm\r\n', '~1\r\n$1\r\nm\r\n'],
    [
      'nested',
      table(['a', table([table([1])]), table([], { map: table([], { k: table(['v']) }) })]),
      '*3\r\n$1\r\na\r\n*1\r\n*1\r\n:1\r\n*2\r\n$1\r\nk\r\n*1\r\n$1\r\nv\r\n',
      '*3\r\n$1\r\na\r\n*1\r\n*1\r\n:1\r\n%1\r\n$1\r\nk\r\n*1\r\n$1\r\nv\r\n',
    ],
  ])('%s', (_title, value, two, three = two) => {
    const reply = toReply(value, 2, nothing);
    expect(encode(reply, 2)).toBe(two);
    expect(encode(reply, 3)).toBe(three);
  });

  test('booleans of a script in RESP3', () => {
    const reply = toReply(table([true, false]), 3, nothing);
    expect(encode(reply, 3)).toBe('*2\r\n#t\r\n#f\r\n');
    expect(encode(reply, 2)).toBe('*2\r\n:1\r\n:0\r\n');
  });

  function nested(depth: number, wrap: (inner: LuaValue) => LuaTable, inside: LuaValue): LuaValue {
    let value = inside;
    for (let i = 0; i < depth; i++) value = wrap(value);
    return value;
  }

  test('arrays nest 7995 deep', () => {
    const fits = toReply(
      nested(7995, (inner) => table([inner]), undefined),
      2,
      nothing,
    );
    expect(encode(fits, 2)).toBe(`${'*1\r\n'.repeat(7994)}*0\r\n`);
    const deeper = toReply(
      nested(7996, (inner) => table([inner]), undefined),
      2,
      nothing,
    );
    expect(encode(deeper, 2)).toBe(`${'*1\r\n'.repeat(7995)}-ERR reached lua stack limit\r\n`);
    const scalar = toReply(
      nested(7995, (inner) => table([inner]), 1),
      2,
      nothing,
    );
    expect(encode(scalar, 2)).toBe(`${'*1\r\n'.repeat(7995)}-ERR reached lua stack limit\r\n`);
  });

  test('inner errors are told, with whether statistics know them', () => {
    const told: [string, boolean][] = [];
    const tell = (error: ReplyError): void => {
      told.push([error.text, error.counted]);
    };
    const passedOn = toLua(new ReplyError('ERR counted before'), 2);
    toReply(table([table([], { err: 'ERR a' }), passedOn, table([table([], { err: 'ERR b' })])]), 2, tell);
    const expected = [
      ['ERR a', false],
      ['ERR counted before', true],
      ['ERR b', false],
    ];
    expect(told).toEqual(expected);
    const outer = toReply(table([], { err: 'ERR c' }), 2, tell);
    expect(told).toEqual(expected);
    expect(outer).toMatchObject({ text: 'ERR c', counted: false });
    expect(toReply(passedOn, 2, tell)).toMatchObject({ counted: true });
  });
});
