import { describe, expect, it } from 'vitest';
import { encode, encodeInPieces } from './encode.ts';
import {
  BigNumber,
  Block,
  Double,
  EMPTY,
  InProtocol,
  MapReply,
  NO_REPLY,
  NULL_ARRAY,
  OK,
  Push,
  QUEUED,
  type Reply,
  ReplyError,
  Sequence,
  SetReply,
  Status,
  Verbatim,
} from './reply.ts';

const TABLE: [title: string, reply: Reply, resp2: string, resp3: string][] = [
  ['OK', OK, '+OK\r\n', '+OK\r\n'],
  ['QUEUED', QUEUED, '+QUEUED\r\n', '+QUEUED\r\n'],
  ['status with a line break', new Status('a\r\nb'), '+a  b\r\n', '+a  b\r\n'],
  ['error', new ReplyError('ERR no\nway'), '-ERR no way\r\n', '-ERR no way\r\n'],
  ['integer', -7, ':-7\r\n', ':-7\r\n'],
  ['64-bit integer', 9223372036854775807n, ':9223372036854775807\r\n', ':9223372036854775807\r\n'],
  ['bulk', 'a\r\nb', '$4\r\na\r\nb\r\n', '$4\r\na\r\nb\r\n'],
  ['empty bulk', '', '$0\r\n\r\n', '$0\r\n\r\n'],
  ['null', null, '$-1\r\n', '_\r\n'],
  ['null array', NULL_ARRAY, '*-1\r\n', '_\r\n'],
  ['true', true, ':1\r\n', '#t\r\n'],
  ['false', false, ':0\r\n', '#f\r\n'],
  ['array', [1, 'x', [null]], '*3\r\n:1\r\n$1\r\nx\r\n*1\r\n$-1\r\n', '*3\r\n:1\r\n$1\r\nx\r\n*1\r\n_\r\n'],
  ['empty array', EMPTY, '*0\r\n', '*0\r\n'],
  ['double', new Double(1.5, '1.5'), '$3\r\n1.5\r\n', ',1.5\r\n'],
  ['big number', new BigNumber('12\r\n3'), '$5\r\n12\r\n3\r\n', '(12  3\r\n'],
  ['map', new MapReply(['k', 1]), '*2\r\n$1\r\nk\r\n:1\r\n', '%1\r\n$1\r\nk\r\n:1\r\n'],
  ['set', new SetReply(['m']), '*1\r\n$1\r\nm\r\n', '~1\r\n$1\r\nm\r\n'],
  ['push', new Push(['pong', null]), '*2\r\n$4\r\npong\r\n$-1\r\n', '>2\r\n$4\r\npong\r\n_\r\n'],
  ['verbatim', new Verbatim('text'), '$4\r\ntext\r\n', '=8\r\ntxt:text\r\n'],
  ['sequence', new Sequence([1, 2]), ':1\r\n:2\r\n', ':1\r\n:2\r\n'],
  ['nothing', NO_REPLY, '', ''],
  [
    'in a protocol of its own',
    [new InProtocol(null, 2), new InProtocol(null, 3)],
    '*2\r\n$-1\r\n_\r\n',
    '*2\r\n$-1\r\n_\r\n',
  ],
];

describe('encode', () => {
  it.each(TABLE)('%s', (_title, reply, resp2, resp3) => {
    expect(encode(reply, 2)).toBe(resp2);
    expect(encode(reply, 3)).toBe(resp3);
    expect([...encodeInPieces(reply, 2)].join('')).toBe(resp2);
    expect([...encodeInPieces(reply, 3)].join('')).toBe(resp3);
  });

  it('bulk strings around the prepared heads', () => {
    for (const length of [511, 512, 513, 70_000]) {
      const text = 'x'.repeat(length);
      expect(encode(text, 2)).toBe(`$${length}\r\n${text}\r\n`);
    }
  });

  it('nesting deeper than recursion can go', () => {
    const DEPTH = 20_000;
    let reply: Reply = [];
    let map: Reply = 1;
    for (let i = 1; i < DEPTH; i++) {
      reply = [reply];
      map = new MapReply(['k', map]);
    }
    expect(encode(reply, 2)).toBe(`${'*1\r\n'.repeat(DEPTH - 1)}*0\r\n`);
    expect(encode(map, 3)).toBe(`${'%1\r\n$1\r\nk\r\n'.repeat(DEPTH - 1)}:1\r\n`);
    expect([...encodeInPieces(reply, 3)].length).toBe(DEPTH);
  });

  it('a blocked command has no encoding', () => {
    expect(() => encode(new Block(['k'], 'list', 0, null, null), 2)).toThrow();
  });
});
