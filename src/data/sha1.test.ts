import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sha1Hex } from './sha1.ts';

const reference = (text: string): string => createHash('sha1').update(text, 'latin1').digest('hex');

describe('sha1Hex', () => {
  test('known digests', () => {
    expect(sha1Hex('')).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709');
    expect(sha1Hex('return 1')).toBe('e0e1f9fabfc9d4800c877a703b823ac0578ff8db');
  });

  test('every length around the blocks, with all bytes', () => {
    let text = '';
    for (let length = 0; length < 300; length++) {
      expect(sha1Hex(text), `length ${length}`).toBe(reference(text));
      text += String.fromCharCode((length * 89 + 200) & 255);
    }
  });

  test('a long text', () => {
    const text = 'local x = redis.call("GET", KEYS[1])\n'.repeat(30_000);
    expect(sha1Hex(text)).toBe(reference(text));
  });
});
