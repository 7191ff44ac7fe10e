// What the tests of files and payloads share: data of every type and encoding, what a server holds as text, and files in
// and out of an engine. Called by the tests beside it.
import type { Engine } from '../../src/engine/engine.ts';
import { loadInto } from '../../src/persistence/rdb/load.ts';
import { RdbReader } from '../../src/persistence/rdb/reader.ts';
import { RdbWriter } from '../../src/persistence/rdb/writer.ts';
import type { Value, Wire } from '../support/wire.ts';

export const CODE = '#!lua name=shop\nredis.register_function("price", function() return 12 end)';

const ODD = [
  '',
  '0',
  '-1',
  '127',
  '128',
  '-4096',
  '4095',
  '32767',
  '-32768',
  '8388607',
  '2147483647',
  '-2147483649',
];
const ODDER = [
  '9223372036854775807',
  '-9223372036854775808',
  '01',
  'é',
  '\xff\x00\r\n',
  'x'.repeat(63),
  'y'.repeat(64),
];
const LONG = ['abc'.repeat(50), 'z'.repeat(5000), noise(300), noise(20_000)];
const ELEMENTS = [...ODD, ...ODDER, ...LONG];

/** Bytes that LZF finds nothing in. */
function noise(length: number): string {
  let state = length;
  let text = '';
  while (text.length < length) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    text += String.fromCharCode(state >>> 24);
  }
  return text;
}

const many = <T>(count: number, each: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => each(i));

/** Commands that make keys of all types in small and large encodings, in several databases. */
export function* population(streams: boolean): Generator<string[]> {
  yield ['SELECT', '0'];
  for (const [i, text] of ELEMENTS.entries()) yield ['SET', `string:${i}`, text];
  yield ['SET', 'key with \x00 and \xff', 'v'];
  yield ['SET', '12345', 'a key of digits'];
  yield ['SET', 'k'.repeat(300), 'a long key'];
  yield ['SET', 'later', 'v', 'PXAT', '4102444800123'];
  yield ['SET', 'much later', 'v', 'EXAT', '9999999999'];
  yield ['APPEND', 'raw', 'abc'];
  yield ['SETBIT', 'bits', '1000', '1'];
  yield ['RPUSH', 'list:1', 'one'];
  yield ['RPUSH', 'list:odd', ...ELEMENTS];
  yield ['RPUSH', 'list:long', ...many(3000, (i) => (i % 7 === 0 ? 'e'.repeat(i % 200) : String(i - 1000)))];
  yield ['RPUSH', 'list:huge elements', noise(9000), 'small', noise(70_000)];
  yield ['PEXPIREAT', 'list:1', '4102444800000'];
  yield ['SADD', 'set:16', '1', '-5', '300'];
  yield ['SADD', 'set:32', '1', '-5', '70000'];
  yield ['SADD', 'set:64', '1', '-5', '9223372036854775807', '-9223372036854775808'];
  yield ['SADD', 'set:words', ...ODD, 'a', 'b'];
  yield ['SADD', 'set:odd', ...ELEMENTS];
  yield ['SADD', 'set:ints', ...many(2000, (i) => String(i * 3))];
  yield ['SADD', 'set:long', ...many(3000, (i) => `member:${i}`)];
  yield ['HSET', 'hash:1', 'f', 'v'];
  yield ['HSET', 'hash:words', ...ODD.flatMap((e) => [e, `${e}!`])];
  yield ['HSET', 'hash:odd', ...ELEMENTS.flatMap((e, i) => [e, ELEMENTS[ELEMENTS.length - 1 - i]!])];
  yield ['HSET', 'hash:long', ...many(3000, (i) => [`field:${i}`, String(i)]).flat()];
  const scores = [
    '0',
    '1',
    '-1',
    '1.5',
    '-2.25',
    'inf',
    '-inf',
    '1e300',
    '3.141592653589793',
    '123456789012',
    '0.1',
  ];
  yield ['ZADD', 'zset:scores', ...scores.flatMap((s) => [s, `m${s}`])];
  yield ['ZADD', 'zset:odd', ...ELEMENTS.flatMap((e, i) => [String(i / 3), e])];
  yield ['ZADD', 'zset:long', ...many(3000, (i) => [String((i * 7919) % 1000), `m:${i}`]).flat()];
  yield ['ZADD', 'zset:equal', ...['b', 'a', 'c', ''].flatMap((m) => ['1', m])];
  if (streams) yield* streamPopulation();
  yield ['SELECT', '3'];
  yield ['SET', 'string:0', 'of another database'];
  yield ['HSET', 'hash:1', 'other', 'value'];
  yield ['SELECT', '15'];
  yield* many(100, (i) => ['SET', `n:${i}`, String(i * i), 'PXAT', String(4102444800000 + i)]);
  yield ['SELECT', '0'];
}

function* streamPopulation(): Generator<string[]> {
  yield ['XADD', 'stream:1', '5-3', 'f', 'v'];
  for (let i = 1; i <= 250; i++) {
    const other = i % 10 === 0 ? ['other', noise(i)] : [];
    yield [
      'XADD',
      'stream:long',
      `${i * 1000}-${i % 3}`,
      'field',
      String(i),
      'text',
      'abc'.repeat(i % 9),
      ...other,
    ];
  }
  yield ['XDEL', 'stream:long', '3000-0', '4000-1', '250000-1'];
  yield ['XGROUP', 'CREATE', 'stream:long', 'workers', '0'];
  yield ['XGROUP', 'CREATE', 'stream:long', 'readers', '$'];
  yield ['XGROUP', 'CREATECONSUMER', 'stream:long', 'workers', 'idle'];
  yield ['XREADGROUP', 'GROUP', 'workers', 'anna', 'COUNT', '7', 'STREAMS', 'stream:long', '>'];
  yield ['XREADGROUP', 'GROUP', 'workers', 'ben', 'COUNT', '3', 'STREAMS', 'stream:long', '>'];
  yield ['XACK', 'stream:long', 'workers', '1000-1'];
  yield ['XGROUP', 'CREATE', 'stream:empty', 'g', '0', 'MKSTREAM'];
  yield ['XADD', 'stream:emptied', '18446744073709551615-5', 'f', 'v'];
  yield ['XDEL', 'stream:emptied', '18446744073709551615-5'];
  yield ['XADD', 'stream:emptied', '18446744073709551615-6', 'f', 'v'];
  yield ['PEXPIREAT', 'stream:1', '4102444800000'];
}

/** Sends commands and makes sure that each is answered without an error. */
export async function run(wire: Wire, commands: Iterable<readonly string[]>): Promise<void> {
  for (const command of commands) {
    const reply = await wire.call(...command);
    if (reply.kind === 'error') throw new Error(`${command.slice(0, 3).join(' ')}: ${reply.text}`);
  }
}

const READ: Readonly<Record<string, (key: string) => string[]>> = {
  string: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  hash: (key) => ['HGETALL', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
};

/** All that a server holds but for what is in its streams, a line for each key. */
export async function holdings(wire: Wire): Promise<string[]> {
  const lines: string[] = [];
  for (let db = 0; db < 16; db++) {
    await wire.call('SELECT', String(db));
    const keys = (await wire.call('KEYS', '*')).items.map((item) => item.text).sort();
    for (const key of keys) {
      const { text: type } = await wire.call('TYPE', key);
      const { text: deadline } = await wire.call('PEXPIRETIME', key);
      const read = READ[type];
      const content = read === undefined ? '' : contentText(type, await wire.call(...read(key)));
      lines.push(`${db} ${type} ${JSON.stringify(key)} ${deadline} ${content}`);
    }
  }
  await wire.call('SELECT', '0');
  return lines;
}

function contentText(type: string, { text, items }: Value): string {
  if (type === 'string') return JSON.stringify(text);
  const texts = items.map((item) => JSON.stringify(item.text));
  if (type === 'zset')
    return texts
      .map((each, i) => (i % 2 === 0 ? each : `${Number(JSON.parse(each).replace('inf', 'Infinity'))}`))
      .join(' ');
  if (type === 'set') return texts.sort().join(' ');
  if (type !== 'hash') return texts.join(' ');
  return many(texts.length / 2, (i) => `${texts[2 * i]}=${texts[2 * i + 1]}`)
    .sort()
    .join(' ');
}

/** Loads a file into an engine, in pieces of some size. */
export function load(engine: Engine, file: Uint8Array, pieceSize = 1000): RdbReader {
  const reader = new RdbReader(
    pieces(file, pieceSize),
    engine.space.limits,
    loadInto(engine.space, (code) => engine.functions.load(code, false)),
  );
  while (reader.step());
  return reader;
}

function pieces(bytes: Uint8Array, size: number): { next(): Uint8Array | null } {
  let at = 0;
  return {
    next: () => {
      if (at >= bytes.length) return null;
      at += size;
      return bytes.subarray(at - size, at);
    },
  };
}

/** The file that holds what an engine holds. */
export function save(engine: Engine, version: 10 | 11, compressed = true): Buffer {
  const writer = new RdbWriter(version, compressed);
  const chunks: Uint8Array[] = [];
  writer.begin([
    ['redis-ver', '7.2.4'],
    ['ctime', '1795284000'],
  ]);
  for (const { code } of engine.functions.list()) writer.library(code);
  for (const db of engine.space.dbs) {
    if (db.size === 0) continue;
    writer.selectDb(db.index, db.size, db.expires);
    db.forEach((key, value, deadline) => {
      const rest = writer.entry(key, value, deadline === 0 ? null : deadline);
      while (rest !== null && rest.next().done !== true) chunks.push(...writer.take());
      chunks.push(...writer.take());
    });
  }
  writer.end();
  chunks.push(...writer.take());
  return Buffer.concat(chunks);
}
