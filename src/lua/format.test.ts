// string.format: results and error texts are those of the program lua5.1 on x86-64 Linux.
import { describe, expect, test } from 'vitest';
import { format } from './format.ts';
import { enter, LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import type { LuaError, LuaValue } from './value.ts';

function formatted(args: readonly LuaValue[]): LuaValue {
  return format(args[0] as string, args.slice(1));
}

const results: readonly (readonly [args: readonly LuaValue[], results: readonly LuaValue[]])[] = [
  [['%-+ #0d', 5], ['+5']],
  [['%-----d|', 5], ['5|']],
  [['100%%'], ['100%']],
  [['a\x00b%d', 1], ['a\x00b1']],
  [['%d', 3.99], ['3']],
  [['%d', -3.99], ['-3']],
  [['%d', -0], ['0']],
  [['%5d|%-5d|%05d', 42, 42, 42], ['   42|42   |00042']],
  [['%+d % d', 3, 3], ['+3  3']],
  [['%.3d|%5.3d|%05.1d', 7, 7, 3], ['007|  007|    3']],
  [['%.0d|%+.0d|%5.0d|', 0, 0, 0], ['|+|     |']],
  [['%d', 9007199254740992], ['9007199254740992']],
  [['%d', 123456789012345680], ['123456789012345680']],
  [['%d', 9223372036854776000], ['-9223372036854775808']],
  [['%d', -9223372036854776000], ['-9223372036854775808']],
  [['%d', 1e300], ['-9223372036854775808']],
  [['%d', Number.NaN], ['-9223372036854775808']],
  [['%i', '0x10'], ['16']],
  [['%d', ' 12 '], ['12']],
  [['%u', -1], ['18446744073709551615']],
  [['%u', 9223372036854776000], ['9223372036854775808']],
  [['%u', 18446744073709552000], ['0']],
  [['%u', 10000000000000000], ['10000000000000000']],
  [['%x', 255], ['ff']],
  [['%X', 255], ['FF']],
  [['%#x %#X %#o', 255, 255, 8], ['0xff 0XFF 010']],
  [['%#x %#o %#.0x|%#.0o', 0, 0, 0, 0], ['0 0 |0']],
  [['%x', -1], ['ffffffffffffffff']],
  [['%x', 18446744073709550000], ['fffffffffffff800']],
  [['%x', Number.NaN], ['8000000000000000']],
  [['%08.3x|%#08x|%-8x|', 255, 255, 255], ['     0ff|0x0000ff|ff      |']],
  [['%o', -8], ['1777777777777777777770']],
  [['%+u % x', 3, 3], ['3 3']],
  [['%c%c%c', 76, 117, 97], ['Lua']],
  [['%c|', 0], ['|']],
  [['%5c|%-5c|%05c|', 65, 65, 65], ['    A|A    |    A|']],
  [['%5c|', 0], ['    |']],
  [['%c', 321], ['A']],
  [['%c', -1], ['\xff']],
  [['%c', 10000000000], ['']],
  [['%s', 'abc'], ['abc']],
  [['%5s|%-5s|%05s|', 'abc', 'abc', 'abc'], ['  abc|abc  |  abc|']],
  [['%.2s|%5.1s|%.s|', 'abc', 'abc', 'abc'], ['ab|    a||']],
  [['%s', 'a\x00b'], ['a']],
  [['%s', 12.5], ['12.5']],
  [['%s', 0.1], ['0.1']],
  [
    [
      '%5s|',
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    ],
    ['xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|'],
  ],
  [
    [
      '%.5s|',
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    ],
    ['xxxxx|'],
  ],
  [
    [
      '%s|',
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x00y',
    ],
    [
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x00y|',
    ],
  ],
  [
    [
      '%s|',
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x00y',
    ],
    [
      'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x00y|',
    ],
  ],
  [['%q', 'a"b\\c\nd\re\x00f\x7f\xc8'], ['"a\\"b\\\\c\\\nd\\re\\000f\x7f\xc8"']],
  [['%5.1q', 'abc'], ['"abc"']],
  [['%q', 12], ['"12"']],
  [['%f', 0.3333333333333333], ['0.333333']],
  [['%.0f %.0f %.0f %#.0f', 0.5, 1.5, 2.5, 2.5], ['0 2 2 2.']],
  [['%.1f %.2f %5.1f|', 0.25, 2.675, -0.05], ['0.2 2.67  -0.1|']],
  [['%5.2f|%-8.3f|%08.2f|', 3.1875, 2.5, -1.005], [' 3.19|2.500   |-0001.00|']],
  [['%+f % f', 1, 1], ['+1.000000  1.000000']],
  [['%f', 1000000000000000], ['1000000000000000.000000']],
  [['%f', 1e22], ['10000000000000000000000.000000']],
  [['%.3f', 1e-320], ['0.000']],
  [['%.20f', 0.1], ['0.10000000000000000555']],
  [
    ['%.99f', 0.3333333333333333],
    ['0.333333333333333314829616256247390992939472198486328125000000000000000000000000000000000000000000000'],
  ],
  [['%.10f', 1.1805916207174113e21], ['1180591620717411303424.0000000000']],
  [
    ['%99.99f', -1e308],
    [
      '-100000000000000001097906362944045541740492309677311846336810682903157585404911491537163328978494688899061249669721172515611590283743140088328307009198146046031271664502933027185697489699588559043338384466165001178426897626212945177628091195786707458122783970171784415105291802893207873272974885715430223118336.000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
    ],
  ],
  [['%f %f', Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], ['inf -inf']],
  [
    ['%010f|%-10f|%+f', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['       inf|inf       |+inf'],
  ],
  [['%f', -0], ['-0.000000']],
  [['%.2f', 10000000000], ['10000000000.00']],
  [['%.6f', 1048575.9999995], ['1048575.999999']],
  [['%.3f', 1099511627775.9995], ['1099511627776.000']],
  [['%e %E', 0, 12345.678], ['0.000000e+00 1.234568E+04']],
  [['%.0e %#.0e', 15, 25], ['2e+01 2.e+01']],
  [['%10.2e|%-12.2e|%012.2e|', 12345.678, 12345.678, -12345.678], ['  1.23e+04|1.23e+04    |-0001.23e+04|']],
  [['%e', 1e100], ['1.000000e+100']],
  [['%e', 5e-324], ['4.940656e-324']],
  [['%.20e', 0.1], ['1.00000000000000005551e-01']],
  [
    ['%.99e', 5e-324],
    [
      '4.940656458412465441765687928682213723650598026143247644255856825006755072702087518652998363616359924e-324',
    ],
  ],
  [['%.2e', 1.125], ['1.12e+00']],
  [['%E', Number.POSITIVE_INFINITY], ['INF']],
  [['%g %g %g %g', 100000, 1000000, 0.0001, 0.00001], ['100000 1e+06 0.0001 1e-05']],
  [['%g %g', 0.1, 123456789], ['0.1 1.23457e+08']],
  [['%#g %#.3g', 1, 10], ['1.00000 10.0']],
  [['%.0g %.1g %.3g', 123, 0.05, 1234.5], ['1e+02 0.05 1.23e+03']],
  [['%.3g %.3g %g', 9.9995, 99999, 9.999995], ['10 1e+05 10']],
  [['%10g|%-10g|%010g|%+g', 1.5, 1.5, -1.5, 1.5], ['       1.5|1.5       |-0000001.5|+1.5']],
  [['%.20g', 0.1], ['0.10000000000000000555']],
  [['%.99g', 0.1], ['0.1000000000000000055511151231257827021181583404541015625']],
  [['%.14g', 9007199254740992], ['9.007199254741e+15']],
  [['%G %G', 1e-10, Number.POSITIVE_INFINITY], ['1E-10 INF']],
  [['%g %g', -0, 0], ['-0 0']],
  [['%.17g', 0.1], ['0.10000000000000001']],
  [['%.10g', 2.5e-7], ['2.5e-07']],
  [['%g', 5e-324], ['4.94066e-324']],
  [['%.15g', 1e22], ['1e+22']],
  [['%.2g %.2g %.2g', 2.5, 25, 250], ['2.5 25 2.5e+02']],
  [['%.1g %.1g %.1g', 2.5, 3.5, 25], ['2 4 2e+01']],
];

const errors: readonly (readonly [args: readonly LuaValue[], message: string])[] = [
  [['%y', 1], "invalid option '%y' to 'format'"],
  [['%', 1], "invalid option '%' to 'format'"],
  [['%5', 1], "invalid option '%' to 'format'"],
  [['%-+ #00d', 5], 'invalid format (repeated flags)'],
  [['%123d', 1], 'invalid format (width or precision too long)'],
  [['%1.123d', 1], 'invalid format (width or precision too long)'],
  [['%ld', 1], "invalid option '%l' to 'format'"],
  [['%F', 1], "invalid option '%F' to 'format'"],
  [['%a', 1], "invalid option '%a' to 'format'"],
  [['%\x00', 1], "invalid option '%' to 'format'"],
  [['%5%', 1], "invalid option '%%' to 'format'"],
  [['100%', 1], "invalid option '%' to 'format'"],
  [['%d'], "bad argument #2 to '?' (no value)"],
  [['%d', 'x'], "bad argument #2 to '?' (number expected, got string)"],
  [['%d', undefined], "bad argument #2 to '?' (number expected, got nil)"],
  [['%s', undefined], "bad argument #2 to '?' (string expected, got nil)"],
  [['%s', true], "bad argument #2 to '?' (string expected, got boolean)"],
  [['%s %s', 'a'], "bad argument #3 to '?' (no value)"],
  [['%c', 'x'], "bad argument #2 to '?' (number expected, got string)"],
  [['%5.5y', 1], "invalid option '%y' to 'format'"],
];

test.each(results)('%j', (args, [result]) => {
  expect(formatted(args)).toBe(result);
  // From memory, now.
  expect(formatted(args)).toBe(result);
});

test.each(errors)('%j', (args, message) => {
  let value: LuaValue;
  try {
    formatted(args);
  } catch (error) {
    value = (error as LuaError).value;
  }
  expect(value).toBe(message);
});

describe('NaN', () => {
  test('prints as arithmetic makes it on x86-64', () => {
    expect(formatted(['%f %g %E %+g|%010f|', Number.NaN, 0 / 0, Number.NaN, Number.NaN, Number.NaN])).toBe(
      '-nan -nan -NAN -nan|      -nan|',
    );
  });
});

describe('room', () => {
  test('long results are charged before they are made', () => {
    const charged: number[] = [];
    const host = { clock: () => 0, tick: () => 1e9, charge: (bytes: number) => void charged.push(bytes) };
    const before = enter(new LuaState(host, new LuaTable()));
    try {
      const long = 'x'.repeat(100_000);
      expect(format('%s-%s', [long, long])).toBe(`${long}-${long}`);
      expect(charged).toEqual([100_000, 100_000]);
      const huge = 'x'.repeat(2 ** 28);
      expect(() => format('%s%s', [huge, huge])).toThrow(
        expect.objectContaining({ value: 'not enough memory' }),
      );
      expect(() => format('%q', [huge])).toThrow(expect.objectContaining({ value: 'not enough memory' }));
    } finally {
      enter(before);
    }
  });
});
