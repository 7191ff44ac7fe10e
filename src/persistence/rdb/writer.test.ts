import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, SAMPLES, shown } from '../../../test/support/rdb-samples.ts';
import { HashValue } from '../../keyspace/hash-value.ts';
import { ListValue } from '../../keyspace/list-value.ts';
import { SetValue } from '../../keyspace/set-value.ts';
import { Space } from '../../keyspace/space.ts';
import {
  DEFAULT_LIMITS,
  type EncodingLimits,
  encodingName,
  RawString,
  type Value,
} from '../../keyspace/values.ts';
import { ZsetValue } from '../../keyspace/zset-value.ts';
import { decodeValue } from './decode.ts';
import { encodeValue, typeByte } from './encode.ts';
import { RdbError, Type, type WrittenVersion } from './format.ts';
import { RdbInput, sourceOf } from './input.ts';
import { ListpackBuilder, readListpack } from './listpack.ts';
import { loadInto } from './load.ts';
import { RdbOutput, textOf } from './output.ts';
import { RdbReader } from './reader.ts';
import { RdbWriter } from './writer.ts';

function encode(value: Value, version: WrittenVersion, compressed = true): string {
  const out = new RdbOutput(compressed);
  const rest = encodeValue(out, value, version);
  while (rest !== null && rest.next().done !== true);
  out.flush();
  return textOf(out.take());
}

const decode = (type: number, body: string, limits = DEFAULT_LIMITS): Value =>
  decodeValue(new RdbInput(sourceOf(bytesOf(body))), type, limits) as Value;

const hash = (count: number, limits = DEFAULT_LIMITS): HashValue => {
  const value = new HashValue();
  for (let i = 0; i < count; i++) value.set(`f${i}`, `v${i}`.repeat(1 + (i % 9)), limits);
  return value;
};

const set = (members: readonly string[]): SetValue => {
  const value = new SetValue();
  for (const member of members) value.add(member, DEFAULT_LIMITS);
  return value;
};

const zset = (count: number): ZsetValue => {
  const value = new ZsetValue();
  for (let i = 0; i < count; i++) value.insert(`m${i}`, ((i * 31) % 17) / 3, DEFAULT_LIMITS);
  return value;
};

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i * 3 - 50));

const anyByte = fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c));
const anyText = fc.oneof(
  fc.string({ unit: anyByte, maxLength: 30 }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc
    .constantFrom(-4097, -4096, -1, 0, 127, 128, 4095, 4096, 32767, 32768, 8388607, 8388608, 2147483648)
    .map(String),
  fc.nat(20_000).map((n) => 'ab'.repeat(n)),
  fc.constantFrom(63, 64, 4095, 4096, 16383, 16384).map((n) => 'x'.repeat(n)),
);

describe('values', () => {
  const VALUES: [name: string, value: Value][] = [
    ['string', 'abc'],
    ['number', 12],
    ['raw string', new RawString('raw', 100)],
    ['long string', 'long '.repeat(50_000)],
    ['listpack', ListValue.of(['a', '1', ''], -2)],
    ['quicklist', ListValue.of(numbers(20_000), -2)],
    ['intset', set(numbers(300))],
    ['set as listpack', set(['a', 'b', '3'])],
    ['set as hashtable', set(Array.from({ length: 5000 }, (_, i) => `m${i}`))],
    ['hash as listpack', hash(20)],
    ['hash as hashtable', hash(5000)],
    ['sorted set as listpack', zset(20)],
    ['sorted set as skiplist', zset(5000)],
    ...SAMPLES.filter(({ type }) => type === Type.stream3).map((s): [string, Value] => [
      s.name,
      decode(s.type, s.body),
    ]),
  ];
  for (const [name, value] of VALUES) {
    it(`${name} is read back, in the same encoding`, () => {
      for (const compressed of [true, false]) {
        const again = decode(typeByte(value, 11), encode(value, 11, compressed));
        expect(shown(again)).toEqual(shown(value));
        if (!(value instanceof RawString)) expect(encodingName(again)).toBe(encodingName(value));
        const older = shown(decode(typeByte(value, 10), encode(value, 10, compressed)));
        if (!name.startsWith('stream')) expect(older).toEqual(shown(value));
      }
    });
  }

  it('version 10 uses nothing that Redis 7.0 does not know', () => {
    expect(VALUES.map(([, value]) => typeByte(value, 10)).every((type) => type <= Type.stream2)).toBe(true);
    expect(typeByte(set(['a']), 11)).toBe(Type.setListpack);
    expect(typeByte(set(['a']), 10)).toBe(Type.set);
  });

  it('a list keeps its nodes, but for overlong ones', () => {
    const limit = 3;
    const list = new ListValue();
    for (const n of numbers(20)) list.push([n], 0, false, limit);
    list.insert(5, 'x', true);
    const again = decode(Type.listQuicklist2, encode(list, 10), {
      ...DEFAULT_LIMITS,
      listMaxListpackSize: limit,
    });
    expect((again as ListValue).nodeCounts()).toEqual(list.nodeCounts());
    const one = ListValue.of(numbers(100_000), -2);
    expect(one.nodeCounts()).toHaveLength(1);
    const cut = decode(Type.listQuicklist2, encode(one, 10)) as ListValue;
    expect(cut.nodeCounts()!.length).toBeGreaterThan(5);
    expect(shown(cut)).toEqual(shown(one));
  });

  it('any texts come back', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 30 }), fc.boolean(), (texts, compressed) => {
        const out = new RdbOutput(compressed);
        for (const text of texts) out.string(text);
        out.flush();
        const chunks = out.take();
        let at = 0;
        const input = new RdbInput({ next: () => chunks[at++] ?? null });
        for (const text of texts) expect(input.string()).toBe(text);
        expect(input.offset).toBe(out.size);
        const builder = new ListpackBuilder();
        for (const text of texts) builder.add(text);
        expect(readListpack(builder.build())).toEqual(texts);
      }),
      { numRuns: 100 },
    );
  });

  it('any 64 bits come back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.double(), (n, d) => {
        const out = new RdbOutput(false);
        out.uint64(n);
        out.int64(BigInt.asIntN(64, n));
        out.double(d);
        if (n <= Number.MAX_SAFE_INTEGER) out.length(Number(n));
        out.flush();
        const input = new RdbInput(sourceOf(bytesOf(textOf(out.take()))));
        expect(input.uint64()).toBe(n);
        expect(input.int64()).toBe(BigInt.asIntN(64, n));
        expect(input.double()).toBe(d);
        if (n <= Number.MAX_SAFE_INTEGER) expect(input.length()).toBe(Number(n));
      }),
    );
  });
});

describe('a file', () => {
  const space = (): Space =>
    new Space({ now: () => 1_700_000_000_000, micros: () => 0, random: () => 0.5 }, 4);

  it('is written in chunks, a big value in steps', () => {
    const writer = new RdbWriter(11, false);
    writer.begin([['redis-ver', '7.2.4']]);
    writer.library('code');
    writer.selectDb(2, 2, 1);
    const chunks = writer.take();
    let steps = 0;
    for (const [key, value, expireAt] of [
      ['small', 'v', 5],
      ['big', hash(100_000), null],
    ] as const) {
      const rest = writer.entry(key, value, expireAt);
      expect(rest === null).toBe(key === 'small');
      while (rest !== null && rest.next().done !== true) {
        steps++;
        const taken = writer.take();
        expect(taken.reduce((sum, chunk) => sum + chunk.length, 0)).toBeLessThan(400_000);
        chunks.push(...taken);
      }
    }
    writer.end();
    chunks.push(...writer.take());
    expect(steps).toBeGreaterThan(5);
    expect(writer.size).toBe(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    const target = space();
    const libraries: string[] = [];
    let at = 0;
    const source = { next: () => chunks[at++] ?? null };
    const reader = new RdbReader(
      source,
      DEFAULT_LIMITS,
      loadInto(target, (code) => libraries.push(code)),
    );
    while (reader.step());
    expect(libraries).toEqual(['code']);
    expect(target.dbs[2].size).toBe(2);
    expect(target.dbs[2].expires).toBe(1);
    target.mayExpire = false;
    expect(target.dbs[2].deadline('small')).toBe(5);
    expect(shown(target.dbs[2].peek('big') as Value)).toEqual(shown(hash(100_000)));
  });

  it('keeps deadlines, the latest of all included', () => {
    const writer = new RdbWriter(10, true);
    writer.begin([]);
    const times = [1, 1_700_000_000_000, Number.MAX_SAFE_INTEGER, 2 ** 63];
    for (const time of times) writer.entry(String(time), 'v', time);
    writer.end();
    const found: (number | null)[] = [];
    const visitor = {
      entry: (_db: number, _key: string, _value: Value, at: number | null) => found.push(at),
    };
    const source = sourceOf(bytesOf(textOf(writer.take())));
    const reader = new RdbReader(source, DEFAULT_LIMITS, { ...visitor, library: () => {}, aux: () => {} });
    while (reader.step());
    expect(found).toEqual(times);
  });

  it('is loaded in silence: no event, no effect, nothing expires', () => {
    const target = space();
    target.eventFlags = 0xffffff;
    target.onEvent = (db, event, key) => expect.fail(`${db} ${event} ${key}`);
    target.sink = target.onEvent;
    target.onExpire = (db, key) => expect.fail(`${db} ${key} expired`);
    const { dirty } = target;
    const load = loadInto(target, () => {});
    load.entry(0, 'k', 'v', 1);
    load.entry(0, 'l', 'v', 0);
    load.entry(0, 'm', 'v', -5);
    expect(target.dbs[0].size).toBe(3);
    expect(target.dbs[0].expires).toBe(3);
    expect(target.dirty).toBe(dirty);
    expect(() => load.entry(0, 'k', 'w', null)).toThrow(new RdbError('a key is there twice'));
    expect(() => load.entry(4, 'k', 'w', null)).toThrow(new RdbError('database 4, but there are only 4'));
  });

  it('of a snapshot is as it was then', () => {
    const source = space();
    const limits: EncodingLimits = source.limits;
    const value = hash(10, limits);
    loadInto(source, () => {}).entry(0, 'h', value, null);
    source.freeze();
    source.dbs[0].edit('h', HashValue)?.set('later', 'x', limits);
    expect(value.has('later')).toBe(false);
    expect(source.dbs[0].read('h', HashValue)?.has('later')).toBe(true);
  });
});
