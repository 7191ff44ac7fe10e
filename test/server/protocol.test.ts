// Requests as bytes: inline commands, broken ones with Redis' texts, HTTP. The same streams go to a real server
// where one is installed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerHandle } from '../support/ports.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { converse, type Running, start, untilClosed } from './support.ts';

const error = (text: string): string => `-ERR Protocol error: ${text}\r\n`;

/** Stream and answer; an answer ending in a protocol error is followed by a close. */
const CASES: [stream: string, answer: string][] = [
  ['PING\r\n', '+PONG\r\n'],
  ['PING\n', '+PONG\r\n'],
  ['\r\n\n   \r\nPING\r\n', '+PONG\r\n'],
  ['set k "a b"\r\nGET k\r\n', '+OK\r\n$3\r\na b\r\n'],
  ['ECHO "\\x41\\n\\a\\q"\r\n', '$4\r\nA\n\x07q\r\n'],
  ["ECHO 'a\\'b\\n'\r\n", "$5\r\na'b\\n\r\n"],
  ['ECHO a\x0bb\r\n', '$3\r\na\x0bb\r\n'],
  ['ECHO a"b"\r\n', '$2\r\nab\r\n'],
  ['*1\r\n$4\r\nPING\r\n', '+PONG\r\n'],
  ['*0\r\n*-1\r\nPING\r\n', '+PONG\r\n'],
  ['*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\nPING\r\n', '$2\r\n\r\n\r\n+PONG\r\n'],
  // The two bytes behind a bulk are not looked at.
  ['*1\r\n$4\r\nPINGxxPING\r\n', '+PONG\r\n+PONG\r\n'],
  ['*1\r\n$0\r\n\r\n', "-ERR unknown command '', with args beginning with: \r\n"],
  ['foo a "b c"\r\n', "-ERR unknown command 'foo', with args beginning with: 'a' 'b c' \r\n"],

  ['ECHO "a\r\nPING\r\n', error('unbalanced quotes in request')],
  ['ECHO "a"b\r\n', error('unbalanced quotes in request')],
  ["PING\r\nECHO 'a\r\nPING\r\n", `+PONG\r\n${error('unbalanced quotes in request')}`],
  ['*x\r\n', error('invalid multibulk length')],
  ['*\r\n', error('invalid multibulk length')],
  ['*01\r\n', error('invalid multibulk length')],
  ['*2147483648\r\n', error('invalid multibulk length')],
  ['*1\r\nPING\r\n', error("expected '$', got 'P'")],
  ['*1\r\n\r\n', error("expected '$', got ' '")],
  ['*1\r\n$x\r\n', error('invalid bulk length')],
  ['*1\r\n$-1\r\n', error('invalid bulk length')],
  ['*1\r\n$536870913\r\n', error('invalid bulk length')],
  ['x'.repeat(66_000), error('too big inline request')],
  [`*${'1'.repeat(66_000)}`, error('too big mbulk count string')],
  [`*1\r\n$${'1'.repeat(66_000)}`, error('too big bulk count string')],

  // Somebody's browser was made to speak to us.
  ['POST / HTTP/1.1\r\nHost: a\r\n\r\n', ''],
  ['GET / HTTP/1.1\r\nHost: a\r\nPING\r\n', ''],
  ['*2\r\n$4\r\nPoSt\r\n$1\r\n/\r\n', ''],
];

describe('requests', () => {
  let running: Running;
  let redis: ServerHandle | null = null;
  beforeAll(async () => {
    running = await start();
    if (oracleAvailable()) redis = await startRedis();
  });
  afterAll(async () => {
    await running.stop();
    await redis?.stop();
  });

  it.each(CASES)('%j', async (stream, answer) => {
    expect(await converse(running.port, stream)).toBe(answer);
    if (redis !== null) expect(await converse(redis.port, stream), 'redis-server').toBe(answer);
    if (answer === '' || answer.includes('Protocol error')) {
      expect(await untilClosed(running.port, stream), 'closes by itself').toBe(answer);
    }
  });

  it('may come in any pieces', async () => {
    const stream = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nab\r\nc\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n';
    const answer = '+OK\r\n$5\r\nab\r\nc\r\n+PONG\r\n';
    for (let cut = 1; cut < stream.length; cut += 3) {
      expect(await converse(running.port, stream.slice(0, cut), stream.slice(cut))).toBe(answer);
    }
  });
});

describe('strangers, where a password is set', () => {
  let running: Running;
  beforeAll(async () => {
    running = await start({ requirepass: 'secret' });
  });
  afterAll(() => running.stop());

  const NOAUTH = '-NOAUTH Authentication required.\r\n';
  const bulk = (length: number): string => `*2\r\n$4\r\nECHO\r\n$${length}\r\n${'a'.repeat(length)}\r\n`;
  const many = (count: number): string => `*${count}\r\n${'$1\r\na\r\n'.repeat(count)}`;

  it.each<[string, string]>([
    ['PING\r\n', NOAUTH],
    ['GET\r\n', "-ERR wrong number of arguments for 'get' command\r\n"],
    [
      'MULTI\r\nEXEC\r\n',
      `${NOAUTH}-EXECABORT Transaction discarded because of: NOAUTH Authentication required.\r\n`,
    ],
    ['AUTH wrong\r\nAUTH default wrong\r\nAUTH nobody secret\r\n', WRONGPASS().repeat(3)],
    ['AUTH secret\r\nPING\r\n', '+OK\r\n+PONG\r\n'],
    ['AUTH default secret\r\nPING\r\n', '+OK\r\n+PONG\r\n'],
    ['AUTH a b c\r\n', '-ERR syntax error\r\n'],
    ['RESET\r\nQUIT\r\n', '+RESET\r\n+OK\r\n'],
    ['AUTH secret\r\nRESET\r\nPING\r\n', `+OK\r\n+RESET\r\n${NOAUTH}`],
    [many(11), error('unauthenticated multibulk length')],
    [bulk(16_385), error('unauthenticated bulk length')],
    [bulk(16_384), NOAUTH],
    [`AUTH secret\r\n${bulk(16_385)}`, `+OK\r\n$16385\r\n${'a'.repeat(16_385)}\r\n`],
  ])('%j', async (stream, answer) => {
    expect(await converse(running.port, stream)).toBe(answer);
  });

  it('may say HELLO with a password', async () => {
    expect(await converse(running.port, 'HELLO 3\r\n')).toMatch(
      /^-NOAUTH HELLO must be called with the client already authenticated/,
    );
    expect(await converse(running.port, 'HELLO 3 AUTH default wrong\r\n')).toBe(WRONGPASS());
    expect(
      await converse(running.port, 'HELLO 3 AUTH default secret SETNAME me\r\nCLIENT GETNAME\r\n'),
    ).toMatch(/^%7\r\n\$6\r\nserver\r\n\$5\r\nredis\r\n.*\$2\r\nme\r\n$/s);
  });

  it('need no more password once there is none', async () => {
    const early = await running.connect();
    const control = await running.connect();
    expect((await early.call('PING')).text).toBe('NOAUTH Authentication required.');
    await control.call('AUTH', 'secret');
    await control.call('CONFIG', 'SET', 'requirepass', '');
    expect((await early.call('PING')).text).toBe('PONG');
    await control.call('CONFIG', 'SET', 'requirepass', 'secret');
    expect((await early.call('PING')).text).toBe('NOAUTH Authentication required.');
    expect((await control.call('PING')).text).toBe('PONG');
  });
});

function WRONGPASS(): string {
  return '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
}

describe('HELLO', () => {
  let running: Running;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(() => running.stop());

  it.each([
    ['HELLO 4\r\n', '-NOPROTO unsupported protocol version\r\n'],
    ['HELLO x\r\n', '-ERR Protocol version is not an integer or out of range\r\n'],
    ['HELLO 3 FOO\r\n', "-ERR Syntax error in HELLO option 'FOO'\r\n"],
    ['HELLO 3 AUTH a\r\n', "-ERR Syntax error in HELLO option 'AUTH'\r\n"],
    [
      'HELLO 3 SETNAME "a b"\r\n',
      '-ERR Client names cannot contain spaces, newlines or special characters.\r\n',
    ],
    ['HELLO 3 AUTH nobody x\r\n', '-WRONGPASS invalid username-password pair or user is disabled.\r\n'],
    ['HELLO 3 FOO\r\nGET nosuch\r\n', "-ERR Syntax error in HELLO option 'FOO'\r\n$-1\r\n"],
  ])('%j', async (stream, answer) => {
    expect(await converse(running.port, stream)).toBe(answer);
  });

  it('switches the protocol and back', async () => {
    const answers = await converse(running.port, 'HELLO 3\r\nGET x\r\nHELLO 2\r\nGET x\r\nHELLO\r\n');
    expect(answers).toMatch(
      /^%7\r\n.*proto\r\n:3\r\n.*\r\n_\r\n\*14\r\n.*proto\r\n:2\r\n.*\$-1\r\n\*14\r\n/s,
    );
  });
});
