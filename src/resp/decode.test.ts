import { describe, expect, it } from 'vitest';
import { Decoder, ProtocolError, QueryBufferOverflow, splitInline } from './decode.ts';

const LIMITS = { maxBulk: 1000, maxBuffer: 100_000 };

interface Outcome {
  commands: string[][];
  error: string | null;
}

/** Feeds the text in pieces of `size` bytes. */
function decode(text: string, size = text.length, authenticated = true): Outcome {
  const decoder = new Decoder(LIMITS);
  decoder.authenticated = authenticated;
  const commands: string[][] = [];
  try {
    for (let at = 0; at < text.length; at += size) {
      const piece = Buffer.from(text.slice(at, at + size), 'latin1');
      decoder.feed(piece, piece.length);
      for (let args = decoder.next(); args !== null; args = decoder.next()) commands.push(args);
      decoder.keep();
      // The source belongs to the caller again: what it holds now must not matter.
      piece.fill(0x2a);
    }
  } catch (error) {
    if (error instanceof QueryBufferOverflow) return { commands, error: 'overflow' };
    if (error instanceof ProtocolError) return { commands, error: error.message };
    throw error;
  }
  return { commands, error: null };
}

const GOOD: [title: string, bytes: string, commands: string[][]][] = [
  ['one command', '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n', [['GET', 'k']]],
  ['a pipeline', '*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n', [['PING'], ['PING']]],
  ['empty and binary arguments', '*2\r\n$0\r\n\r\n$4\r\n\0\xff\r\n\r\n', [['', '\0\xff\r\n']]],
  [
    'lengths of one, two and three digits',
    `*3\r\n$1\r\na\r\n$12\r\n${'b'.repeat(12)}\r\n$130\r\n${'c'.repeat(130)}\r\n`,
    [['a', 'b'.repeat(12), 'c'.repeat(130)]],
  ],
  ['counts of zero and less are skipped', '*0\r\n*-5\r\n*1\r\n$4\r\nPING\r\n', [['PING']]],
  [
    'the two bytes behind a bulk are not looked at',
    '*1\r\n$4\r\nPINGxy*1\r\n$4\r\nPING\r\n',
    [['PING'], ['PING']],
  ],
  [
    'inline, CRLF or LF, empty lines',
    'SET k v\r\n\r\n\nGET k\n',
    [
      ['SET', 'k', 'v'],
      ['GET', 'k'],
    ],
  ],
  ['inline quotes', 'SET "a b" \'c\\\'d\' "\\x41\\n"\r\n', [['SET', 'a b', "c'd", 'A\n']]],
  [
    'names that share their ends',
    '*1\r\n$4\r\nPxxG\r\n*1\r\n$4\r\nPyyG\r\n*1\r\n$4\r\nPxxG\r\n',
    [['PxxG'], ['PyyG'], ['PxxG']],
  ],
];

const BAD: [bytes: string, error: string][] = [
  ['*x\r\n', 'invalid multibulk length'],
  ['*2147483648\r\n', 'invalid multibulk length'],
  ['*01\r\n', 'invalid multibulk length'],
  ['*1\r\n+3\r\n', "expected '$', got '+'"],
  ['*1\r\n$-1\r\n', 'invalid bulk length'],
  ['*1\r\n$01\r\n', 'invalid bulk length'],
  ['*1\r\n$1001\r\n', 'invalid bulk length'],
  ['*1\r\n$abc\r\n', 'invalid bulk length'],
  ['SET "a\r\n', 'unbalanced quotes in request'],
  [`*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
  [`*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
  ['x'.repeat(70_000), 'too big inline request'],
];

describe('decoder', () => {
  it.each(GOOD)('%s, whole and in any split', (_title, bytes, commands) => {
    for (const size of [bytes.length, 1, 2, 3, 5, 7, 16]) {
      expect(decode(bytes, size), `pieces of ${size}`).toEqual({ commands, error: null });
    }
  });

  it.each(BAD)('refuses %j', (bytes, error) => {
    const after = '*1\r\n$4\r\nPING\r\n';
    expect(decode(after + bytes)).toEqual({ commands: [['PING']], error });
    expect(decode(after + bytes, 1000)).toEqual({ commands: [['PING']], error });
  });

  it('holds no more than the buffer limit for one request', () => {
    const piece = `$1000\r\n${'x'.repeat(1000)}\r\n`;
    expect(decode(`*200\r\n${piece.repeat(120)}`, 4096).error).toBe('overflow');
    expect(decode(`*90\r\n${piece.repeat(90)}`, 4096).error).toBeNull();
  });

  it('gives strangers little', () => {
    expect(decode('*11\r\n', 5, false).error).toBe('unauthenticated multibulk length');
    expect(decode('*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n', 3, false).commands).toEqual([['AUTH', 'secret']]);
  });

  it('a long value does not keep the chunk that it came in', () => {
    const decoder = new Decoder(LIMITS);
    const bytes = Buffer.from(`*2\r\n$3\r\nGET\r\n$30\r\n${'k'.repeat(30)}\r\n`, 'latin1');
    decoder.feed(bytes, bytes.length);
    const args = decoder.next() as string[];
    decoder.keep();
    bytes.fill(0);
    expect(args).toEqual(['GET', 'k'.repeat(30)]);
    expect(decoder.pending).toBe(0);
  });
});

describe('splitInline', () => {
  it.each([
    ['a b  c', ['a', 'b', 'c']],
    ['""', ['']],
    ['"a"b', null],
    ["'a", null],
    ['"\\xZZ"', ['xZZ']],
    ['  ', []],
  ])('%j', (line, words) => {
    expect(splitInline(line)).toEqual(words);
  });
});
