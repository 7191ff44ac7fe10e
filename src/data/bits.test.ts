import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineBits, countBits, findBit, invertBits, readBits, writeBits } from './bits.ts';

/** Bytes as a string of 0 and 1: the model that everything here is compared with. */
function bitsOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
}

// Bytes at every alignment, and with long rows of zeros or ones, on which the words are skipped.
const runs = fc
  .array(fc.tuple(fc.constantFrom(0, 255, 0, 255, 1, 128, 254, 90), fc.constantFrom(1, 2, 3, 5, 17, 40)), {
    maxLength: 6,
  })
  .map((parts) => parts.flatMap(([byte, count]) => new Array<number>(count).fill(byte)));
const bytesAnywhere = fc.tuple(runs, fc.integer({ min: 0, max: 3 })).map(([values, shift]) => {
  const room = new Uint8Array(values.length + shift + 5).fill(0x55);
  room.set(values, shift);
  return room.subarray(shift, shift + values.length);
});

describe('bits of byte arrays', () => {
  it('counts like a count by hand', () => {
    fc.assert(
      fc.property(bytesAnywhere, fc.nat(200), fc.nat(200), (bytes, a, b) => {
        const start = Math.min(a, b, bytes.length);
        const end = Math.min(Math.max(a, b), bytes.length);
        const ones = bitsOf(bytes.subarray(start, end)).replaceAll('0', '').length;
        expect(countBits(bytes, start, end)).toBe(ones);
      }),
    );
  });

  it('finds like a search by hand', () => {
    fc.assert(
      fc.property(bytesAnywhere, fc.nat(1700), fc.nat(1700), fc.constantFrom(0, 1), (bytes, a, b, bit) => {
        const all = bitsOf(bytes);
        const start = Math.min(a, b, all.length);
        const end = Math.min(Math.max(a, b), all.length);
        const at = all.slice(start, end).indexOf(String(bit));
        expect(findBit(bytes, bit as 0 | 1, start, end)).toBe(at < 0 ? -1 : at + start);
      }),
      { numRuns: 500 },
    );
  });

  it('combines like bytes by hand', () => {
    const byHand = {
      AND: (a: number, b: number) => a & b,
      OR: (a: number, b: number) => a | b,
      XOR: (a: number, b: number) => a ^ b,
    };
    const operation = fc.constantFrom('AND', 'OR', 'XOR');
    fc.assert(
      fc.property(operation, bytesAnywhere, bytesAnywhere, (name, one, two) => {
        const [short, long] = one.length < two.length ? [one, two] : [two, one];
        const out = long.slice();
        combineBits(name as 'AND', out, short);
        const wanted = Array.from(long, (byte, i) => byHand[name as 'AND'](byte, short[i] ?? 0));
        expect([...out]).toEqual(wanted);
        invertBits(out);
        expect([...out]).toEqual(wanted.map((byte) => 255 - byte));
      }),
    );
  });

  it('reads back what it wrote, at every width and offset, and touches no other bit', () => {
    const field = fc.record({
      offset: fc.nat(70),
      width: fc.integer({ min: 1, max: 64 }),
      value: fc.bigInt(0n, 2n ** 64n - 1n),
      signed: fc.boolean(),
    });
    fc.assert(
      fc.property(field, fc.uint8Array({ minLength: 17, maxLength: 17 }), (f, bytes) => {
        const exact = f.signed ? BigInt.asIntN(f.width, f.value) : BigInt.asUintN(f.width, f.value);
        const value = Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
        const before = bitsOf(bytes);
        writeBits(bytes, f.offset, f.width, value);
        const pattern = BigInt.asUintN(f.width, f.value).toString(2).padStart(f.width, '0');
        const after = before.slice(0, f.offset) + pattern + before.slice(f.offset + f.width);
        expect(bitsOf(bytes)).toBe(after);
        expect(readBits(bytes, f.offset, f.width, f.signed)).toBe(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads zeros behind the end', () => {
    expect(readBits(Uint8Array.of(0xff), 4, 8, false)).toBe(0xf0);
    expect(readBits(Uint8Array.of(0xff), 4, 64, true)).toBe(-(2n ** 60n));
    expect(readBits(new Uint8Array(0), 1000, 63, false)).toBe(0);
  });
});
