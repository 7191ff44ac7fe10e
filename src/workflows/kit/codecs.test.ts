// What values become on the wire, and what is refused on either way.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Codec, decimal, flag, int, int64, isList, json, list, nullable, text } from './codecs.ts';
import type { Answer } from './driver.ts';

/** There and back, as a string that a server keeps. */
function back<T>(codec: Codec<T>, value: T): T {
  return codec.decode(String(codec.encode(value, 'x')), 'x');
}

describe('codecs', () => {
  it('values come back as they went', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (n) => back(int, n) === n));
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => back(int64, n) === n),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => back(decimal, n) === n),
    );
    fc.assert(fc.property(fc.string(), (s) => back(text, s) === s));
    fc.assert(fc.property(fc.boolean(), (b) => back(flag, b) === b));
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (v) => {
        expect(back(json(), v)).toEqual(JSON.parse(JSON.stringify(v)));
      }),
    );
    fc.assert(fc.property(fc.option(fc.maxSafeInteger()), (n) => back(nullable(int), n) === n));
  });

  it('what does not fit never leaves, and the message names the place', () => {
    const bad: [Codec<never>, unknown][] = [
      [int as Codec<never>, 2 ** 53],
      [int as Codec<never>, 1.5],
      [int as Codec<never>, '1'],
      [int64 as Codec<never>, 2n ** 63n],
      [int64 as Codec<never>, 1],
      [decimal as Codec<never>, Number.NaN],
      [decimal as Codec<never>, Number.POSITIVE_INFINITY],
      [text as Codec<never>, 1],
      [flag as Codec<never>, 1],
      [json() as Codec<never>, undefined],
      [list(int) as unknown as Codec<never>, [1]],
    ];
    for (const [codec, value] of bad) {
      expect(() => codec.encode(value as never, 'amount'), codec.kind).toThrow(/^amount must be/);
    }
  });

  it('a reply of another shape is REPLY_SHAPE, never a wrong value', () => {
    const bad: [Codec<unknown>, Answer | undefined][] = [
      [int, '1.5'],
      [int, '9007199254740993'],
      [int, null],
      [int, ''],
      [int64, 'x'],
      [decimal, 'x'],
      [decimal, null],
      [decimal, ''],
      [text, null],
      [text, []],
      [flag, 'yes'],
      [flag, undefined],
      [json(), '{'],
      [list(int), 'x'],
      [list(int), ['x']],
    ];
    for (const [codec, answer] of bad) {
      expect(() => codec.decode(answer, 'left'), `${codec.kind} ${JSON.stringify(answer)}`).toThrow(
        expect.objectContaining({ code: 'REPLY_SHAPE' }),
      );
    }
  });

  it('null travels as nothing, and lists tell themselves', () => {
    expect(nullable(text).encode(null, 'x')).toBe('');
    expect([null, '', undefined].map((each) => nullable(int).decode(each, 'x'))).toEqual([null, null, null]);
    expect(list(int).decode(['1', 2], 'x')).toEqual([1, 2]);
    expect([isList(list(int)), isList(int)]).toEqual([true, false]);
  });
});
