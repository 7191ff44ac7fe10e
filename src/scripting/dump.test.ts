import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Crc64 } from '../data/crc64.ts';
import { dumpLibraries } from '../persistence/rdb/payload.ts';
import { ReplyError } from '../resp/reply.ts';
import { dumpedLibraries } from './dump.ts';

const read = (payload: string): string[] | string => {
  const found: string[] = [];
  try {
    for (const code of dumpedLibraries(payload)) found.push(code);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    return found.length === 0 ? error.text : `${found.length} read, then ${error.text}`;
  }
  return found;
};

/** A payload with a right checksum around any body. */
function sealed(body: string, version = 10): string {
  const bytes = Buffer.alloc(body.length + 10);
  bytes.write(body, 'latin1');
  bytes.writeUInt16LE(version, body.length);
  new Crc64().add(bytes, 0, body.length + 2).write(bytes, body.length + 2);
  return bytes.toString('latin1');
}

const CODE = '#!lua name=a\nredis.register_function(12,function() end)';

describe('the payload of FUNCTION DUMP', () => {
  test('is what Redis writes', () => {
    // redis-server 7.0.15, with this one library and with none.
    expect(dumpLibraries([CODE])).toBe(`\xf57${CODE}\n\x00\xe8~\x03\xa7\x06_\x90G`);
    expect(dumpLibraries([])).toBe('\n\x00]\x9b\\@\x0f\x7f\xa2\xda');
    const long = `#!lua name=big\nlocal x="${'abc'.repeat(100)}"\nredis.register_function("big",function() return #x end)`;
    expect(dumpLibraries([long]).slice(0, -8)).toBe(
      '\xf5\xc3@WA}\x1a#!lua name=big\nlocal x="abc\xe0\xff\x02\xe1\x18\x07\x1a"\nredis.register_function("!S\x01",\xe0\x00\x0e\x0f) return #x end)\n\x00',
    );
  });

  test('is read back', () => {
    const code = fc.oneof(
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)) }),
      fc.nat(300).map((n) => 'redis.call("get", KEYS[1])\n'.repeat(n)),
      fc.constant('x'.repeat(63)),
      fc
        .nat(70_000)
        .map((n) => Array.from({ length: n }, (_, i) => String.fromCharCode((i * i) & 255)).join('')),
    );
    fc.assert(
      fc.property(fc.array(code, { maxLength: 5 }), (codes) => {
        expect(read(dumpLibraries(codes))).toEqual(codes);
      }),
      { numRuns: 60 },
    );
  });

  test('is taken up to the version of Redis 7.2', () => {
    const body = `\xf5\x03abc`;
    for (const version of [0, 9, 10, 11]) expect(read(sealed(body, version))).toEqual(['abc']);
    for (const version of [12, 80, 0xffff]) {
      expect(read(sealed(body, version))).toBe('ERR DUMP payload version or checksum are wrong');
    }
  });

  test('is refused where a byte of it changed or is missing', () => {
    const payload = dumpLibraries([CODE]);
    for (let i = 0; i < payload.length; i++) {
      const flipped = String.fromCharCode(payload.charCodeAt(i) ^ (1 << (i % 8)));
      const wrong = payload.slice(0, i) + flipped + payload.slice(i + 1);
      expect(read(wrong)).toBe('ERR DUMP payload version or checksum are wrong');
      expect(read(payload.slice(0, i))).toBe('ERR DUMP payload version or checksum are wrong');
    }
  });

  test('may hold strings in all forms of an RDB file', () => {
    expect(read(sealed('\xf5\xc0\xfb'))).toEqual(['-5']);
    expect(read(sealed('\xf5\xc1\x05\x80'))).toEqual(['-32763']);
    expect(read(sealed('\xf5\xc2\xff\xff\xff\x7f'))).toEqual(['2147483647']);
    expect(read(sealed('\xf5\x80\x00\x00\x00\x02ab'))).toEqual(['ab']);
    expect(read(sealed('\xf5\x81\x00\x00\x00\x00\x00\x00\x00\x02ab'))).toEqual(['ab']);
    expect(read(sealed('\xf5\xc3\x09\x1e\x01aa\xe0\x11\x00\x01aa'))).toEqual(['a'.repeat(30)]);
  });

  test('with a right checksum and something wrong inside says what', () => {
    const broken = 'ERR Failed loading library payload';
    const cases: [body: string, answer: string][] = [
      ['\xf5\x20abc', broken],
      ['\xf5\x80\xff\xff\xff\xffabc', broken],
      ['\xf5\x81\xff\xff\xff\xff\xff\xff\xff\xffabc', broken],
      ['\xf5\x82\x00\x00\x00\x00', broken],
      ['\xf5\xc4\x05\x00\x00', broken],
      ['\xf5\xc3\x05\x10abcde', broken],
      ['\xf5\xc3\x05\x80\x7f\xff\xff\xffabcde', broken],
      ['\x01abc', 'ERR given type is not a function'],
      ['\xf6abc', 'ERR Pre-GA function format not supported'],
      ['\xf5\x03abc\x00', '1 read, then ERR given type is not a function'],
      ['\xf5\x03abc\xf5', `1 read, then ${broken}`],
    ];
    for (const [body, answer] of cases) expect([body, read(sealed(body))]).toEqual([body, answer]);
  });

  test('never breaks the reader, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        read(sealed(`\xf5${Buffer.from(noise).toString('latin1')}`));
      }),
    );
  });
});
