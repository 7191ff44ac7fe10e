// The frame scanner against the framing of the test client, whatever the frames and however they are cut.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameScanner, headOf } from './frames.ts';
import { encodeCommand, frameEnd } from './wire.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

const scalar = fc.oneof(
  fc.constantFrom(
    '+OK\r\n',
    '-ERR no\r\n',
    ':42\r\n',
    ',1.5\r\n',
    '#t\r\n',
    '_\r\n',
    '(123\r\n',
    '$-1\r\n',
    '*-1\r\n',
  ),
  fc.string({ maxLength: 30 }).map((text) => bulk(bytes(text).toString('latin1'))),
  fc.constant('=6\r\ntxt:ab\r\n'),
);
const { reply } = fc.letrec<{ reply: string }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalar,
    fc.array(tie('reply'), { maxLength: 4 }).map((items) => `*${items.length}\r\n${items.join('')}`),
    fc.array(tie('reply'), { maxLength: 4 }).map((items) => `~${items.length}\r\n${items.join('')}`),
    fc
      .array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 2 })
      .map((items) => `%${items.length}\r\n${items.flat().join('')}`),
    tie('reply').map((value) => `|1\r\n+key\r\n+value\r\n${value}`),
  ),
}));

/** All frames of the stream, fed in pieces of these sizes in turns. */
function scan(stream: Buffer, sizes: readonly number[], inline = false): Buffer[] {
  const scanner = new FrameScanner(inline);
  const frames: Buffer[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = sizes[i % sizes.length]!;
    scanner.add(stream.subarray(at, at + size));
    at += size;
    for (let frame = scanner.next(); frame !== null; frame = scanner.next()) frames.push(frame);
  }
  expect(scanner.rest()).toHaveLength(0);
  return frames;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe('FrameScanner', () => {
  it('finds the replies that the test client finds, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 6 }), sizes, (replies, cuts) => {
        const stream = bytes(replies.join(''));
        const expected: Buffer[] = [];
        for (let at = 0; at < stream.length; at += expected.at(-1)!.length) {
          expected.push(stream.subarray(at, frameEnd(stream, at)));
        }
        expect(scan(stream, cuts)).toEqual(expected);
        expect(expected.map(String)).toEqual(replies.map((each) => String(bytes(each))));
      }),
    );
  });

  it('finds requests, those in lines too', () => {
    const requests = [
      encodeCommand(['SET', 'k', 'a\r\nb']),
      bytes('PING\r\n'),
      encodeCommand(['GET', 'k']),
      bytes('\r\n'),
    ];
    fc.assert(
      fc.property(sizes, (cuts) => {
        expect(scan(Buffer.concat(requests), cuts, true)).toEqual(requests);
      }),
    );
    expect(requests.map((each) => headOf(each, 2))).toEqual([['SET', 'k'], ['PING'], ['GET', 'k'], ['']]);
  });

  it('does not count a message inside of a reply as an element, but a confirmation', () => {
    const message = `>3\r\n${bulk('message')}${bulk('c')}${bulk('x')}`;
    const confirmation = `>3\r\n${bulk('subscribe')}${bulk('c')}:1\r\n`;
    const withMessage = `*2\r\n+OK\r\n${message}:1\r\n`;
    const withConfirmation = `*2\r\n+OK\r\n${confirmation}`;
    for (const cut of [1, 7, 1000]) {
      const frames = scan(bytes(withMessage + withConfirmation + message), [cut]);
      expect(frames.map(String)).toEqual([withMessage, withConfirmation, message]);
    }
  });

  it('refuses what is no RESP', () => {
    const scanner = new FrameScanner(false);
    scanner.add(bytes('HTTP/1.1 200 OK\r\n'));
    expect(() => scanner.next()).toThrow('neither a request nor a reply');
    expect(String(scanner.rest())).toBe('HTTP/1.1 200 OK\r\n');
  });
});
