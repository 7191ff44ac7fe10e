import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  damaged,
  listpack,
  SAMPLES,
  shown,
  str,
  ziplist,
} from '../../../test/support/rdb-samples.ts';
import { DEFAULT_LIMITS, encodingName, type Value } from '../../keyspace/values.ts';
import { decodeValue } from './decode.ts';
import { RdbError, Type } from './format.ts';
import { RdbInput, sourceOf } from './input.ts';

const decode = (type: number, body: string): Value | null =>
  decodeValue(new RdbInput(sourceOf(bytesOf(body))), type, DEFAULT_LIMITS);

const errorOf = (type: number, body: string): string => {
  try {
    shown(decode(type, body));
    return 'no error';
  } catch (error) {
    if (error instanceof RdbError) return error.what;
    throw error;
  }
};

describe('values', () => {
  for (const sample of SAMPLES) {
    it(`${sample.name} is read`, () => {
      const value = decode(sample.type, sample.body);
      expect(shown(value)).toEqual(sample.holds);
      if (sample.encoding !== undefined) expect(encodingName(value as Value)).toBe(sample.encoding);
    });
  }

  it('limits of other servers do not bind ours', () => {
    const tight = {
      ...DEFAULT_LIMITS,
      hashMaxListpackEntries: 1,
      setMaxListpackEntries: 1,
      setMaxIntsetEntries: 1,
    };
    const encoding = (type: number, body: string): string =>
      encodingName(decodeValue(new RdbInput(sourceOf(bytesOf(body))), type, tight) as Value);
    expect(encoding(Type.hashListpack, str(listpack('\x01', '\x02', '\x03', '\x04')))).toBe('hashtable');
    expect(encoding(Type.setListpack, str(listpack('\x01', '\x02')))).toBe('hashtable');
    expect(encoding(Type.setIntset, str('\x02\0\0\0\x02\0\0\0\x01\0\x02\0'))).toBe('hashtable');
  });

  it('an empty collection is no value', () => {
    for (const type of [Type.list, Type.set, Type.zset, Type.zsetText, Type.hash, Type.listQuicklist2]) {
      expect(decode(type, '\0')).toBeNull();
    }
    for (const type of [Type.hashListpack, Type.zsetListpack, Type.setListpack]) {
      expect(decode(type, str(listpack()))).toBeNull();
    }
    expect(decode(Type.hashZiplist, str(ziplist()))).toBeNull();
    expect(decode(Type.hashZipmap, str('\0\xff'))).toBeNull();
    expect(decode(Type.setIntset, str('\x02\0\0\0\0\0\0\0'))).toBeNull();
    // A stream may be empty.
    expect(shown(decode(Type.stream2, '\0'.repeat(10)))).toMatchObject({ length: 0, nodes: [], groups: [] });
  });

  it('what is wrong is told', () => {
    const cases: [type: number, body: string, what: string][] = [
      [Type.string, '\x05abc', 'ends too early'],
      [Type.string, '\x80\x1f\0\0\0', 'ends too early'],
      [Type.string, '\x80\x7f\xff\xff\xff', 'a string of 2147483647 bytes is too long'],
      [Type.string, '\x81\xff\xff\xff\xff\xff\xff\xff\xff', 'length out of range'],
      [Type.string, '\x82\0\0\0\0', 'not a length'],
      [Type.string, '\xc4\0', 'unknown string encoding'],
      [Type.string, '\xc3\x05\x7f\xffabcde', 'wrong length of a compressed string'],
      [Type.string, '\xc3\x05\x10abcde', 'a compressed string is broken'],
      [Type.list, '\x80\xff\xff\xff\xff\x01a', 'ends too early'],
      [Type.set, '\x02\x01a\x01a', 'a member of a set is there twice'],
      [Type.set, '\x02\xc0\x05\xc0\x05', 'a member of a set is there twice'],
      [Type.setListpack, str(listpack('\x05', '\x81a', '\x05')), 'a member of a set is there twice'],
      [Type.setIntset, str('\x02\0\0\0\x02\0\0\0\x05\0\x05\0'), 'intset: not in order'],
      [Type.setIntset, str('\x03\0\0\0\x01\0\0\0abc'), 'intset: unknown width'],
      [Type.setIntset, str('\x02\0\0\0\x03\0\0\0\x05\0\x06\0'), 'intset: wrong number of bytes'],
      [Type.hash, '\x02\x01f\x01v\x01f\x01w', 'a field of a hash is there twice'],
      [Type.hashListpack, str(listpack('\x01', '\x02', '\x03')), 'a field of a hash without a value'],
      [Type.hashListpack, str(listpack('\x01', '\x02', '\x01', '\x02')), 'a field of a hash is there twice'],
      [Type.zset, `\x01\x01a${'\0'.repeat(6)}\xf8\x7f`, 'a score that is no number'],
      [Type.zsetText, '\x01\x01a\xfd', 'a score that is no number'],
      [Type.zsetText, '\x01\x01a\x01x', 'a score that is no number'],
      [Type.zsetListpack, str(listpack('\x81a', '\x81b')), 'a score that is no number'],
      [
        Type.zsetListpack,
        str(listpack('\x81a', '\x01', '\x81a', '\x02')),
        'a member of a sorted set is there twice',
      ],
      [Type.zsetListpack, str(listpack('\x81a')), 'a member of a sorted set without a score'],
      [Type.listQuicklist2, '\x01\x03\x01a', 'unknown container of a list'],
      [Type.hashListpack, str('\x07\0\0\0\0\0'), 'listpack: too short'],
      [Type.hashListpack, str(`${listpack('\x01', '\x02')}\xff`), 'listpack: wrong number of bytes'],
      [Type.hashListpack, str('\x0b\0\0\0\x03\0\x01\x01\x02\x01\xff'), 'listpack: wrong number of entries'],
      [
        Type.hashListpack,
        str('\x0b\0\0\0\x02\0\x01\x02\x02\x01\xff'),
        'listpack: wrong length behind an entry',
      ],
      [Type.hashListpack, str(listpack('\xf5', '\x01')), 'listpack: unknown encoding'],
      [Type.hashListpack, str(listpack('\x01', '\x90a')), 'listpack: an entry reaches beyond the end'],
      [Type.hashZiplist, str(ziplist('\xff', '\x01a')), 'ziplist: unknown encoding'],
      [Type.hashZiplist, str(ziplist('\x01a', '\x02a')), 'ziplist: an entry reaches beyond the end'],
      [Type.hashZipmap, str('\x01\x01f\xff'), 'zipmap: a field without a value'],
      [Type.hashZipmap, str('\x02\x01f\x01\0v\xff'), 'zipmap: wrong number of entries'],
      [Type.module, '', 'the value of a module, of which there are none'],
      [Type.module2, '', 'the value of a module, of which there are none'],
      [8, '', 'unknown type 8'],
      [22, '', 'unknown type 22'],
    ];
    for (const [type, body, what] of cases)
      expect([type, body, errorOf(type, body)]).toEqual([type, body, what]);
  });

  it('a stream keeps what it promises', () => {
    const { body } = SAMPLES.find(({ type }) => type === Type.stream2)!;
    const change = (from: string, to: string): string => {
      expect(body).toContain(from);
      return errorOf(Type.stream2, body.replace(from, to));
    };
    expect(change('\x02G\xd0', '\x03G\xd0')).toBe('stream: wrong number of entries');
    expect(change('\x81f\x02\0\x01', '\x81f\x02\x01\x01')).toBe('stream: an entry is broken');
    expect(change('\x81v\x02\x04\x01', '\x81v\x02\x05\x01')).toBe('stream: an entry is broken');
    expect(change('\x01\x04anna', '\0\x04anna')).toBe('stream: a pending entry without a consumer');
    expect(body.endsWith('\x01')).toBe(true);
    expect(errorOf(Type.stream2, `${body.slice(0, -1)}\x02`)).toBe(
      'stream: a consumer has what is not pending',
    );
  });

  it('a changed byte or a cut gives a value or an error, never anything else', () => {
    let errors = 0;
    for (const { type, body } of SAMPLES) {
      for (const text of damaged(body)) {
        if (errorOf(type, text) !== 'no error') errors++;
      }
    }
    expect(errors).toBeGreaterThan(5000);
  });

  it('bodies under another type give a value or an error', () => {
    for (const { body } of SAMPLES) for (let type = 0; type < 25; type++) errorOf(type, body);
  });
});
