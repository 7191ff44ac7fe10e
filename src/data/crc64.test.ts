import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Crc64 } from './crc64.ts';

const hex = (crc: Crc64): string => {
  const bytes = new Uint8Array(8);
  crc.write(bytes, 0);
  return Buffer.from(bytes).reverse().toString('hex');
};

/** Bit by bit, as the polynomial is defined. */
function slow(bytes: Uint8Array): string {
  let crc = 0n;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const odd = (crc & 1n) ^ BigInt((byte >> bit) & 1);
      crc >>= 1n;
      if (odd !== 0n) crc ^= 0x95ac9329ac4bc9b5n;
    }
  }
  return crc.toString(16).padStart(16, '0');
}

describe('crc64', () => {
  test('answers the checks that Redis publishes', () => {
    expect(hex(new Crc64().add(Buffer.from('123456789')))).toBe('e9c6d914c4b8d9ca');
    const text =
      'This is a test of the emergency broadcast system.' +
      'Lorem ipsum dolor sit amet, consectetur adipiscing elit.';
    expect(hex(new Crc64().add(Buffer.from(text)))).toBe(slow(Buffer.from(text)));
    expect(hex(new Crc64())).toBe('0000000000000000');
  });

  test('agrees with the definition, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (bytes, cut) => {
        const at = Math.min(cut, bytes.length);
        const crc = new Crc64().add(bytes, 0, at).add(bytes, at);
        expect(hex(crc)).toBe(slow(bytes));
        const stored = new Uint8Array(10);
        crc.write(stored, 1);
        expect(crc.matches(stored, 1)).toBe(true);
        stored[1 + (cut % 8)] ^= 1 << (cut % 8);
        expect(crc.matches(stored, 1)).toBe(false);
      }),
    );
  });
});
