// Values by hand, in every encoding of the RDB format, and what they hold. The tests beside src/persistence/rdb read,
// change and cut them, and the oracle restores them.
import { HashValue } from '../../src/keyspace/hash-value.ts';
import { ListValue } from '../../src/keyspace/list-value.ts';
import { SetValue } from '../../src/keyspace/set-value.ts';
import { StreamValue } from '../../src/keyspace/stream-value.ts';
import type { Value } from '../../src/keyspace/values.ts';
import { ZsetValue } from '../../src/keyspace/zset-value.ts';
import { Type } from '../../src/persistence/rdb/format.ts';

export interface Sample {
  readonly name: string;
  readonly type: number;
  readonly body: string;
  readonly holds: unknown;
  readonly encoding?: string;
}

/** Bytes of a byte string. */
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A string behind its length. */
export function str(text: string): string {
  if (text.length < 64) return String.fromCharCode(text.length) + text;
  return String.fromCharCode(0x40 | (text.length >> 8), text.length & 255) + text;
}

const u16 = (n: number): string => String.fromCharCode(n & 255, n >> 8);
const u32 = (n: number): string => u16(n & 0xffff) + u16(n >>> 16);

/** A listpack around entries of fewer than 128 bytes each. */
export function listpack(...entries: string[]): string {
  const body = entries.map((entry) => entry + String.fromCharCode(entry.length)).join('');
  return `${u32(body.length + 7)}${u16(entries.length)}${body}\xff`;
}

/** A ziplist around entries. */
export function ziplist(...entries: string[]): string {
  let body = '';
  let previous = 0;
  let tail = 10;
  for (const entry of entries) {
    tail = 10 + body.length;
    const before = previous < 254 ? String.fromCharCode(previous) : `\xfe${u32(previous)}`;
    body += before + entry;
    previous = before.length + entry.length;
  }
  return `${u32(body.length + 11)}${u32(tail)}${u16(entries.length)}${body}\xff`;
}

/** What a value holds, as plain data. */
export function shown(value: Value | null): unknown {
  if (value === null) return null;
  if (value instanceof ListValue) return value.slice(0, value.size);
  if (value instanceof SetValue) return value.members();
  if (value instanceof HashValue) {
    return Object.fromEntries(
      Array.from({ length: value.size }, (_, i) => [value.fieldAt(i), value.valueAt(i)]),
    );
  }
  if (value instanceof ZsetValue) {
    const found: [string, number][] = [];
    value.forEach(0, value.size, false, (member, score) => found.push([member, score]));
    return found;
  }
  if (value instanceof StreamValue) {
    const { nodes, ...rest } = value.contents;
    return {
      ...rest,
      nodes: nodes.map(({ base, entries }) => [base, Buffer.from(entries).toString('latin1')]),
    };
  }
  return String(value);
}

const long = 'l'.repeat(300);
const id = (ms: number, sequence: number): string =>
  `\0\0\0\0${String.fromCharCode(0, 0, ms >> 8, ms & 255)}\0\0\0\0\0\0\0${String.fromCharCode(sequence)}`;

// redis-server 7.0.15: XADD 1000-0, 1000-1, 2000-0, XDEL of the first, a group whose consumer has taken one.
const entries = listpack(
  ...['\x02', '\x01', '\x01', '\x81f', '\0'],
  ...['\x03', '\0', '\0', '\x81v', '\x04'],
  ...['\0', '\0', '\x01', '\x02', '\x81f', '\x81w', '\x81g', '\x81x', '\x08'],
  ...['\x02', '\xc3\xe8', '\0', '\x03', '\x04'],
);
const nodes = `\x01\x10${id(1000, 0)}${str(entries)}\x02G\xd0\0`;
const time = '\x8c\x0d[\xff\xa1\x01\0\0';
const pending = `\x01${id(1000, 1)}${time}\x01`;
const owned = `\x01${id(1000, 1)}`;
const streamHolds = (form: 1 | 2 | 3): unknown => ({
  nodes: [[id(1000, 0), entries]],
  length: 2,
  lastId: id(2000, 0),
  firstId: id(1000, 1),
  maxDeletedId: form === 1 ? id(0, 0) : id(1000, 0),
  added: form === 1 ? 2n : 3n,
  groups: [
    {
      name: 'grp',
      lastId: id(1000, 1),
      entriesRead: form === 1 ? 1n : 2n,
      pending: [{ id: id(1000, 1), deliveredAt: 1795285519756n, deliveries: 1n }],
      consumers: [
        {
          name: 'anna',
          seenAt: 1795285519756n,
          activeAt: form === 3 ? -1n : 1795285519756n,
          pending: [id(1000, 1)],
        },
      ],
    },
  ],
});

const text = (name: string, body: string, holds: string): Sample => ({
  name,
  type: Type.string,
  body,
  holds,
});

export const SAMPLES: readonly Sample[] = [
  text('string', '\x03abc', 'abc'),
  text('empty string', '\0', ''),
  text('string of 14 bits', `\x41\x2c${long}`, long),
  text('string of 32 bits', `\x80\0\0\x01\x2c${long}`, long),
  text('string of 64 bits', `\x81\0\0\0\0\0\0\x01\x2c${long}`, long),
  text('integer of 8 bits', '\xc0\xfb', '-5'),
  text('integer of 16 bits', '\xc1\x05\x80', '-32763'),
  text('integer of 32 bits', '\xc2\0\0\0\x80', '-2147483648'),
  text('compressed string', '\xc3\x09\x1e\x01aa\xe0\x11\0\x01aa', 'a'.repeat(30)),
  {
    name: 'linked list',
    type: Type.list,
    body: '\x02\x01a\xc0\x05',
    holds: ['a', '5'],
    encoding: 'listpack',
  },
  {
    name: 'list as ziplist',
    type: Type.listZiplist,
    body: str(
      ziplist(
        ...[
          '\x01a',
          `\x41\x2c${long}`,
          `\x80\0\0\x01\x2c${long}`,
          '\xf1',
          '\xfd',
          '\xfe\xff',
          '\xc0\x01\x80',
        ],
        ...['\xf0\xff\xff\x7f', '\xd0\0\0\0\x80', '\xe0\xff\xff\xff\xff\xff\xff\xff\x7f', '\0'],
      ),
    ),
    holds: ['a', long, long, '0', '12', '-1', '-32767', '8388607', '-2147483648', '9223372036854775807', ''],
  },
  {
    name: 'quicklist of ziplists',
    type: Type.listQuicklist,
    body: `\x02${str(ziplist('\x01a', '\x01b'))}${str(ziplist('\xf4'))}`,
    holds: ['a', 'b', '3'],
    encoding: 'quicklist',
  },
  {
    name: 'quicklist of listpacks and plain nodes',
    type: Type.listQuicklist2,
    body: `\x03\x02${str(listpack('\x81a', '\x05'))}\x01\x05plain\x02${str(listpack('\x80'))}`,
    holds: ['a', '5', 'plain', ''],
    encoding: 'quicklist',
  },
  {
    name: 'quicklist of one listpack',
    type: Type.listQuicklist2,
    body: `\x01\x02${str(
      listpack(
        ...['\x7f', '\xc0\x80', '\xdf\xff', '\xd0\0', '\xf1\x01\x80', '\xf2\xff\xff\x7f', '\xf2\0\0\x80'],
        ...[
          '\xf3\0\0\0\x80',
          '\xf4\xff\xff\xff\xff\xff\xff\xff\x7f',
          `\xe0\x46${'x'.repeat(70)}`,
          '\xf0\x02\0\0\0yz',
        ],
      ),
    )}`,
    holds: [
      ...['127', '128', '-1', '-4096', '-32767', '8388607', '-8388608', '-2147483648', '9223372036854775807'],
      ...['x'.repeat(70), 'yz'],
    ],
    encoding: 'listpack',
  },
  { name: 'set', type: Type.set, body: '\x02\x01b\x01a', holds: ['b', 'a'], encoding: 'listpack' },
  {
    name: 'set of integers',
    type: Type.set,
    body: '\x02\xc0\x07\xc0\x05',
    holds: ['5', '7'],
    encoding: 'intset',
  },
  {
    name: 'intset of 16 bits',
    type: Type.setIntset,
    body: str(`\x02\0\0\0\x02\0\0\0\xfb\xff\x05\0`),
    holds: ['-5', '5'],
    encoding: 'intset',
  },
  {
    name: 'intset of 32 bits',
    type: Type.setIntset,
    body: str(`\x04\0\0\0\x01\0\0\0\0\0\x01\0`),
    holds: ['65536'],
  },
  {
    name: 'intset of 64 bits',
    type: Type.setIntset,
    body: str('\x08\0\0\0\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f'),
    holds: ['9223372036854775807'],
  },
  {
    name: 'set as listpack',
    type: Type.setListpack,
    body: str(listpack('\x81b', '\x05')),
    holds: ['b', '5'],
    encoding: 'listpack',
  },
  {
    name: 'sorted set with scores as text',
    type: Type.zsetText,
    body: '\x04\x01a\x031.5\x01b\xfe\x01c\xff\x01d\x02-2',
    holds: [
      ['c', Number.NEGATIVE_INFINITY],
      ['d', -2],
      ['a', 1.5],
      ['b', Number.POSITIVE_INFINITY],
    ],
    encoding: 'listpack',
  },
  {
    name: 'sorted set',
    type: Type.zset,
    body: '\x02\x01b\0\0\0\0\0\0\xf8\x3f\x01a\0\0\0\0\0\0\xf0\x3f',
    holds: [
      ['a', 1],
      ['b', 1.5],
    ],
  },
  {
    name: 'sorted set as ziplist',
    type: Type.zsetZiplist,
    body: str(ziplist('\x01a', '\xf2', '\x01b', '\x031.5')),
    holds: [
      ['a', 1],
      ['b', 1.5],
    ],
  },
  {
    name: 'sorted set as listpack',
    type: Type.zsetListpack,
    body: str(listpack('\x81a', '\x01', '\x81b', '\x83inf')),
    holds: [
      ['a', 1],
      ['b', Number.POSITIVE_INFINITY],
    ],
  },
  {
    name: 'hash',
    type: Type.hash,
    body: '\x02\x01f\x01v\x01g\xc0\x05',
    holds: { f: 'v', g: '5' },
    encoding: 'listpack',
  },
  {
    name: 'hash as zipmap',
    type: Type.hashZipmap,
    body: str(`\x03\x01f\x01\0v\x01g\x02\x03wx???\x01h\xfe\x2c\x01\0\0\0${long}\xff`),
    holds: { f: 'v', g: 'wx', h: long },
  },
  {
    name: 'hash as ziplist',
    type: Type.hashZiplist,
    body: str(ziplist('\x01f', '\x01v', '\x01g', '\xf6')),
    holds: { f: 'v', g: '5' },
  },
  {
    name: 'hash as listpack',
    type: Type.hashListpack,
    body: str(listpack('\x81f', '\x81v', '\x81g', '\x05')),
    holds: { f: 'v', g: '5' },
    encoding: 'listpack',
  },
  {
    name: 'stream before Redis 7.0',
    type: Type.stream,
    body: `${nodes}\x01\x03grpC\xe8\x01${pending}\x01\x04anna${time}${owned}`,
    holds: streamHolds(1),
    encoding: 'stream',
  },
  {
    name: 'stream of Redis 7.0',
    type: Type.stream2,
    body: `${nodes}C\xe8\x01C\xe8\0\x03\x01\x03grpC\xe8\x01\x02${pending}\x01\x04anna${time}${owned}`,
    holds: streamHolds(2),
  },
  {
    name: 'stream of Redis 7.2',
    type: Type.stream3,
    body: `${nodes}C\xe8\x01C\xe8\0\x03\x01\x03grpC\xe8\x01\x02${pending}\x01\x04anna${time}${'\xff'.repeat(8)}${owned}`,
    holds: streamHolds(3),
  },
];

/** Every text that one changed byte or a cut makes of a text. */
export function* damaged(text: string): Generator<string> {
  for (let at = 0; at < text.length; at++) {
    yield text.slice(0, at);
    const byte = text.charCodeAt(at);
    const others = new Set([0, 1, 0x7f, 0x80, 0x81, 0xc3, 0xfe, 0xff, byte + 1, byte - 1]);
    for (let bit = 0; bit < 8; bit++) others.add(byte ^ (1 << bit));
    for (const other of others) {
      if ((other & 255) !== byte)
        yield text.slice(0, at) + String.fromCharCode(other & 255) + text.slice(at + 1);
    }
  }
}
