import { describe, expect, it } from 'vitest';
import { bytesOf, damaged, SAMPLES, shown, str } from '../../../test/support/rdb-samples.ts';
import { Crc64 } from '../../data/crc64.ts';
import { DEFAULT_LIMITS, typeOf } from '../../keyspace/values.ts';
import { checkRdb } from './check.ts';
import { RdbError } from './format.ts';
import { type ByteSource, sourceOf } from './input.ts';
import { RdbReader } from './reader.ts';

/** A file with its end and a right checksum. */
function file(body: string, version = '0011'): string {
  const text = `REDIS${version}${body}\xff`;
  const sum = new Uint8Array(8);
  new Crc64().add(bytesOf(text)).write(sum, 0);
  return text + Buffer.from(sum).toString('latin1');
}

/** The pieces of a text, and how many of them were taken. */
function cut(text: string, size: number): ByteSource & { taken: number } {
  const source = {
    taken: 0,
    next: () => {
      const at = size * source.taken;
      if (at >= text.length) return null;
      source.taken++;
      return bytesOf(text.slice(at, at + size));
    },
  };
  return source;
}

interface Told {
  readonly events: unknown[];
  readonly reader: RdbReader;
}

function read(source: ByteSource): Told {
  const events: unknown[] = [];
  const reader = new RdbReader(source, DEFAULT_LIMITS, {
    entry: (db, key, value, expireAt) => events.push([db, key, shown(value), expireAt]),
    library: (code) => events.push(['library', code]),
    aux: (name, value) => events.push(['aux', name, value]),
  });
  while (reader.step());
  return { events, reader };
}

function errorOf(text: string): RdbError | null {
  try {
    read(sourceOf(bytesOf(text)));
    return null;
  } catch (error) {
    if (error instanceof RdbError) return error;
    throw error;
  }
}

const MODULE_AUX =
  '\xf7\x81abcdefgh\x02\x01\x02\x05\x03\x04\0\0\0\x04\0\0\0\0\0\0\0\0\x05\x03abc\x01\x81\0\0\0\0\0\0\0\x01\0';

const BODY = [
  '\xfa\x09redis-ver\x057.2.4\xfa\x0aredis-bits\xc0\x40',
  MODULE_AUX,
  '\xf5\x04code',
  '\xfe\0\xfb\x02\x01',
  '\0\x01a\x01b',
  '\xfc\x01\0\0\0\x01\0\0\0\xf9\x05\0\x02ms\xc0\x07',
  '\xfd\x10\0\0\0\xf8\x42\0\0\x01s\x01v',
  '\xfc\xff\xff\xff\xff\xff\xff\xff\xff\0\x05never\x01v',
  '\xf4\x01\x02\x03',
  '\xfe\x41\0\x0b\x01i',
  str('\x02\0\0\0\x01\0\0\0\x05\0'),
  '\x04\x05empty\0',
].join('');

const TOLD = [
  ['aux', 'redis-ver', '7.2.4'],
  ['aux', 'redis-bits', '64'],
  ['library', 'code'],
  [0, 'a', 'b', null],
  [0, 'ms', '7', 2 ** 32 + 1],
  [0, 's', 'v', 16_000],
  [0, 'never', 'v', null],
  [256, 'i', ['5'], null],
];

describe('a file', () => {
  it('is told record by record, whatever pieces it comes in', () => {
    const text = file(BODY);
    for (let size = 1; size <= text.length; size++) {
      const { events, reader } = read(cut(text, size));
      expect(events).toEqual(TOLD);
      expect(reader.offset).toBe(text.length);
      expect(reader.skipped).toBe(1);
      expect(reader.version).toBe(11);
    }
  });

  it('tells where it ends, and what lies behind', () => {
    const text = file(BODY);
    for (let size = 1; size <= text.length + 20; size += 7) {
      const source = cut(`${text}*1\r\n$4\r\nPING\r\n`, size);
      const { reader } = read(source);
      expect(reader.offset).toBe(text.length);
      let behind = Buffer.from(reader.rest()).toString('latin1');
      for (let piece = source.next(); piece !== null; piece = source.next()) {
        behind += Buffer.from(piece).toString('latin1');
      }
      expect(behind).toBe('*1\r\n$4\r\nPING\r\n');
    }
  });

  it('is not pulled ahead of what is read', () => {
    const text = file(BODY.repeat(3));
    const source = cut(text, 10);
    const reader = new RdbReader(source, DEFAULT_LIMITS, {
      entry: () => {},
      library: () => {},
      aux: () => {},
    });
    while (reader.step()) expect(source.taken).toBeLessThanOrEqual(Math.ceil(reader.offset / 10));
  });

  it('may be of any version from 1 to 11', () => {
    expect(read(sourceOf(bytesOf('REDIS0001\xfe\0\0\x01a\x01b\xff'))).events).toEqual([[0, 'a', 'b', null]]);
    expect(read(sourceOf(bytesOf('REDIS0004\xff'))).reader.offset).toBe(10);
    for (const version of ['0005', '0006', '0009', '0010', '0011']) {
      expect(read(sourceOf(bytesOf(file('\0\x01a\x01b', version)))).events).toEqual([[0, 'a', 'b', null]]);
    }
    const refused = '1 to 11 can be read';
    expect(errorOf(file('', '0012'))?.what).toBe(`version 12 of the format; ${refused}`);
    expect(errorOf(file('', '0000'))?.what).toBe(`version 0 of the format; ${refused}`);
    expect(errorOf('VALKEY080\xff')?.what).toBe("version 80 of Valkey's own format, which cannot be read");
    expect(errorOf('REDIS00x1\xff')?.what).toBe('not an RDB file');
    expect(errorOf('*1\r\n$4\r\nPING\r\n')?.what).toBe('not an RDB file');
    expect(errorOf('')).toMatchObject({ what: 'ends too early', offset: 0, key: null });
  });

  it('has a right checksum or none', () => {
    const text = file('\0\x01a\x01b');
    expect(errorOf(`${text.slice(0, -8)}${'\0'.repeat(8)}`)).toBeNull();
    expect(errorOf(text.replace('\x01b', '\x01c'))?.what).toBe('wrong checksum');
    expect(errorOf(text.slice(0, -1))?.what).toBe('ends too early');
  });

  it('with a fault tells where, and in which key', () => {
    expect(errorOf('REDIS0011\xfe\0\x04\x04hash\x02\x01f\x01v\x01f\x01w')).toMatchObject({
      what: 'a field of a hash is there twice',
      offset: 26,
      key: 'hash',
      message: 'RDB: a field of a hash is there twice (at byte 26)',
    });
    expect(errorOf('REDIS0011\xf6\x04code')?.what).toBe(
      'a function library as previews of Redis 7.0 wrote them',
    );
    expect(errorOf('REDIS0011\x17\x01k')?.what).toBe('unknown type 23');
    expect(errorOf('REDIS0011\x07\x01k')?.what).toBe('the value of a module, of which there are none');
    expect(errorOf(`REDIS0011${MODULE_AUX.slice(0, -1)}\x06`)?.what).toBe('the data of a module is broken');
  });

  it('that is damaged gives an error or what it says, never anything else', () => {
    // Without a checksum, so that the damage is met where it is.
    const whole = `REDIS0011${BODY}${SAMPLES.map(({ type, body }, i) => `${String.fromCharCode(type)}${str(`k${i}`)}${body}`).join('')}\xff${'\0'.repeat(8)}`;
    expect(errorOf(whole)).toBeNull();
    const short = `REDIS0011${BODY}\xff${'\0'.repeat(8)}`;
    let errors = 0;
    for (const text of damaged(short)) {
      const error = errorOf(text);
      if (error === null) continue;
      errors++;
      expect(error.offset).toBeGreaterThanOrEqual(0);
      expect(error.offset).toBeLessThanOrEqual(text.length);
    }
    expect(errors).toBeGreaterThan(500);
    for (let at = 0; at < whole.length; at++) expect(errorOf(whole.slice(0, at))?.what).toBeDefined();
  });
});

describe('checkRdb', () => {
  it('tells what a file holds', () => {
    const text = file(BODY);
    expect(checkRdb(cut(text, 9))).toEqual({
      ok: true,
      version: 11,
      databases: [
        { db: 0, keys: 4, expires: 2, types: { string: 4 } },
        { db: 256, keys: 1, expires: 0, types: { set: 1 } },
      ],
      aux: [
        ['redis-ver', '7.2.4'],
        ['redis-bits', '64'],
      ],
      functions: 1,
      bytes: text.length,
    });
    const types = SAMPLES.map(({ type, body }, i) => `${String.fromCharCode(type)}${str(`k${i}`)}${body}`);
    const report = checkRdb(sourceOf(bytesOf(file(types.join('')))));
    expect(report).toMatchObject({ ok: true, databases: [{ db: 0, keys: SAMPLES.length }] });
    expect(Object.keys(report.databases[0].types).sort()).toEqual([
      'hash',
      'list',
      'set',
      'stream',
      'string',
      'zset',
    ]);
    expect(typeOf('x')).toBe('string');
  });

  it('tells what is wrong, and what was read before', () => {
    const text = file(BODY);
    const report = checkRdb(sourceOf(bytesOf(text.slice(0, text.indexOf('never') + 5))));
    expect(report).toMatchObject({
      ok: false,
      version: 11,
      databases: [{ db: 0, keys: 3, expires: 2, types: { string: 3 } }],
      error: { what: 'ends too early', key: 'never', offset: text.indexOf('never') + 5 },
    });
    expect(checkRdb(sourceOf(bytesOf('nothing of the kind')))).toMatchObject({
      ok: false,
      version: 0,
      databases: [],
      error: { what: 'not an RDB file' },
    });
  });
});
