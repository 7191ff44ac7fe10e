import { expect, it } from 'vitest';
import { LONGEST_SPELLED, spell } from './spell.ts';

it('makes the string of every length it knows, at any place', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (let length = 0; length <= LONGEST_SPELLED; length++) {
    for (const at of [0, 7, 256 - length]) {
      const expected = Buffer.from(bytes.subarray(at, at + length)).toString('latin1');
      expect(spell(bytes, at, length)).toBe(expected);
    }
  }
  expect(() => spell(bytes, 0, LONGEST_SPELLED + 1)).toThrow(RangeError);
});
