import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compress, decompress } from './lzf.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const squeezed = (text: string): string | null => {
  const out = compress(bytes(text), text.length - 4);
  return out === null ? null : Buffer.from(out).toString('latin1');
};

// What redis-server 7.0.15 writes (SET, then DUMP).
const fromRedis: [text: string, expected: string | null][] = [
  ['abcdefghijklmnopqrstuvwxyz', null],
  ['a'.repeat(30), '\x01aa\xe0\x11\x00\x01aa'],
  ['a'.repeat(300), '\x01aa\xe0\xff\x00\xe0\x17\x00\x01aa'],
  ['abc'.repeat(8), '\x03abca\xe0\x0a\x02\x00c'],
  [
    'local a = redis.call("get", KEYS[1]) local b = redis.call("get", KEYS[2])',
    '\x0flocal a = redis. \x0d\x12l("get", KEYS[1]) l`$\x00b\xe0\x11$\x022])',
  ],
];

describe('lzf', () => {
  test('gives back what was compressed, and nothing is longer than it may be', () => {
    const texts = fc.oneof(
      fc.array(fc.constantFrom(97, 98), { maxLength: 700 }),
      fc.array(fc.nat(255), { maxLength: 100 }),
      fc
        .array(fc.constantFrom('redis.call', '(', ')', '\n', 'local ', 'x'), { maxLength: 80 })
        .map((words) => [...bytes(words.join(''))]),
      fc.tuple(fc.nat(255), fc.nat(20_000)).map(([byte, n]) => new Array<number>(n).fill(byte)),
    );
    fc.assert(
      fc.property(texts, fc.nat(50), (numbers, less) => {
        const input = Uint8Array.from(numbers);
        const limit = input.length - less;
        const out = compress(input, limit);
        if (out === null) return;
        expect(out.length).toBeLessThanOrEqual(limit);
        expect(decompress(out, input.length)).toEqual(input);
        expect(decompress(out, input.length + 1)).toBeNull();
        expect(decompress(out, Math.max(0, input.length - 1))).toBeNull();
      }),
    );
  });

  test('leaves nothing behind for the next call', () => {
    const alone = fromRedis.map(([text]) => squeezed(text));
    for (const [first] of fromRedis) {
      expect(fromRedis.map(([text]) => [squeezed(first), squeezed(text)][1])).toEqual(alone);
    }
  });

  test('writes the bytes that Redis writes', () => {
    for (const [text, expected] of fromRedis) expect(squeezed(text)).toBe(expected);
  });

  test('refuses bytes that are no compressed text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(300), (input, length) => {
        const out = decompress(input, length);
        if (out !== null) expect(out.length).toBe(length);
      }),
    );
    expect(decompress(bytes('\x05abc'), 6)).toBeNull();
    expect(decompress(bytes('\x00a\x20\x01'), 4)).toBeNull();
    expect(decompress(bytes('\x00a\xe0'), 4)).toBeNull();
    expect(decompress(bytes('\x00a\x20'), 4)).toBeNull();
    expect(decompress(bytes(''), 0)).toEqual(new Uint8Array(0));
  });
});
