// The oracle must be able to fail: damaged replies, lost messages, a changed dataset and a dead server have to
// be reported, and every rule of normalise.ts has to refuse what it is not for. Redis against itself agrees.

import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerHandle } from '../support/ports.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { encodeCommand, frameEnd, isPush, parseReply, Wire } from '../support/wire.ts';
import { parseCases } from './cases.ts';
import { Match } from './execute.ts';
import { CONNECTIONS, generateRound, pickFamilies } from './generate.ts';
import { judge, orderMessages, reprocessed, type Verdict } from './normalise.ts';
import { shrink } from './shrink.ts';
import { command, type Step, showStep, splitArgs } from './steps.ts';

const available = oracleAvailable();
const options = { connections: CONNECTIONS, dialect: false, replyTimeoutMs: 1500, swapWakes: false };

/** A server in between that may change what the server behind it answers. */
class Meddler {
  port = 0;
  change: (bytes: Buffer) => Buffer = (bytes) => bytes;
  private server: Server;
  constructor(port: number) {
    this.server = createServer((client) => {
      const upstream = connect({ port, host: '127.0.0.1' });
      client.setNoDelay(true);
      upstream.setNoDelay(true);
      client.on('data', (bytes) => upstream.write(bytes));
      upstream.on('data', (bytes) => client.write(this.change(bytes)));
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('close', () => other.destroy());
        one.on('error', () => other.destroy());
      }
    });
  }
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as { port: number }).port;
  }
  close(): void {
    this.server.close();
  }
}

describe.skipIf(!available)('the oracle itself', () => {
  let left: ServerHandle;
  let right: ServerHandle;
  let meddler: Meddler;
  let match: Match;

  beforeAll(async () => {
    left = await startRedis();
    right = await startRedis();
    meddler = new Meddler(right.port);
    await meddler.listen();
    match = new Match(left, { ...right, port: meddler.port }, options);
    await match.open();
  });
  afterAll(async () => {
    match.close();
    meddler.close();
    await Promise.all([left.stop(), right.stop()]);
  });

  async function run(steps: Step[]) {
    await match.reset();
    const found = await match.run(steps);
    meddler.change = (bytes) => bytes;
    return found;
  }
  const replace =
    (from: string, to: string) =>
    (bytes: Buffer): Buffer =>
      Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');

  it('finds no difference between two redis servers', async () => {
    for (let round = 0; round < 6; round++) {
      const { steps } = generateRound(7, round, pickFamilies(null), 800);
      expect(await run(steps)).toBeNull();
    }
  });

  it('notices one changed byte in a reply', async () => {
    meddler.change = replace('$5\r\nhello', '$5\r\nhellp');
    const found = await run([command(0, 'SET', 'k', 'hello'), command(0, 'PING'), command(0, 'GET', 'k')]);
    expect(found).toMatchObject({ step: 2, args: ['GET', 'k'] });
    expect(found!.left).toBe('$5\\r\\nhello\\r\\n');
    expect(found!.right).toBe('$5\\r\\nhellp\\r\\n');
  });

  it('notices another type of reply', async () => {
    meddler.change = replace(':17\r\n', '$2\r\n17\r\n');
    expect(await run([command(0, 'INCRBY', 'k', '17')])).toMatchObject({ step: 0 });
  });

  it('notices a changed reply inside EXEC and names the command', async () => {
    meddler.change = replace(':17\r\n', ':18\r\n');
    const found = await run([
      command(1, 'MULTI'),
      command(1, 'SET', 'k', '16'),
      command(1, 'INCR', 'k'),
      command(1, 'EXEC'),
    ]);
    expect(found).toMatchObject({ step: 3, args: ['INCR', 'k'] });
  });

  it('notices a missing reply, and a reply too many', async () => {
    meddler.change = replace('+PONG\r\n', '');
    expect((await run([command(0, 'PING')]))?.why).toContain('no reply');
    meddler.change = replace('+PONG\r\n', '+PONG\r\n+PONG\r\n');
    expect(await run([command(0, 'PING'), command(1, 'PING'), command(0, 'ECHO', 'x')])).not.toBeNull();
  });

  it('notices a lost and a changed message', async () => {
    const steps = [
      command(4, 'SUBSCRIBE', 'ch'),
      command(0, 'PUBLISH', 'ch', 'tidings'),
      command(4, 'PING', 'now'),
    ];
    meddler.change = replace('*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$7\r\ntidings\r\n', '');
    expect(await run(steps)).toMatchObject({ step: 2, why: 'message', right: '(no message)' });
    meddler.change = replace('tidings', 'tydings');
    expect(await run(steps)).toMatchObject({ step: 2, why: 'message' });
    expect(await run(steps)).toBeNull();
  });

  it('notices a dataset that changed behind its back', async () => {
    const meddle = await Wire.open({ port: right.port });
    const before = [command(0, 'HSET', 'h', 'f', 'v'), command(0, 'SADD', 's', '1')];
    for (const [write, what] of [
      [['HSET', 'h', 'f', 'w'], 'value'],
      [['SET', 'extra', '1'], 'keys'],
      [['SADD', 's', 'x'], 'ENCODING intset vs hashtable'],
      [['EXPIRE', 'h', '100'], 'PTTL'],
    ] as const) {
      await match.reset();
      expect(await match.run([...before, { kind: 'walk' }])).toBeNull();
      await meddle.call(...write);
      const found = await match.run([{ kind: 'walk' }]);
      expect(found?.why).toBe(`dataset: ${what}`);
    }
    meddle.close();
  });

  it('notices who is blocked, and who is woken with what', async () => {
    const waiting = [command(1, 'BLPOP', 'q', '0'), command(0, 'RPUSH', 'q', 'item')];
    expect(await run(waiting)).toBeNull();
    meddler.change = replace('$4\r\nitem', '$4\r\nitom');
    expect((await run(waiting))?.args).toEqual(['BLPOP', 'q', '0']);
    const meddle = await Wire.open({ port: right.port });
    await match.reset();
    await meddle.call('RPUSH', 'q', 'early');
    expect((await match.run(waiting))?.why).toContain('blocking');
    meddle.close();
  });

  it('notices a popped member that was not in the set', async () => {
    const steps = [command(0, 'SADD', 's', 'a1', 'a2'), command(0, 'SPOP', 's')];
    meddler.change = (bytes) =>
      Buffer.from(bytes.toString('latin1').replace(/\$2\r\na[12]\r\n/, '$2\r\nzz\r\n'), 'latin1');
    expect((await run(steps))?.why).toContain('popped');
    expect(await run(steps)).toBeNull();
  });

  it('notices an order that is not free', async () => {
    await match.reset();
    const meddle = await Wire.open({ port: right.port });
    expect(await match.run([command(0, 'HSET', 'h', 'a', '1', 'b', '2')])).toBeNull();
    await meddle.call('HDEL', 'h', 'a');
    await meddle.call('HSET', 'h', 'a', '1');
    expect((await match.run([command(0, 'HGETALL', 'h')]))?.why).toContain('order of listpack');
    meddle.close();
  });

  it('shrinks to the steps that matter', async () => {
    const noise = generateRound(3, 0, pickFamilies(['hashes']), 60).steps;
    const steps = noise.filter((step) => step.kind !== 'walk');
    const all = [...steps, command(0, 'SET', 'needle', 'hay'), ...steps, command(0, 'GET', 'needle')];
    meddler.change = replace('$3\r\nhay\r\n', '$3\r\nhat\r\n');
    await match.reset();
    const found = await match.run(all);
    expect(found).not.toBeNull();
    const small = await shrink(match, all, found!, 10_000);
    meddler.change = (bytes) => bytes;
    expect(small?.steps.map(showStep)).toEqual(['>0 SET needle hay', '>0 GET needle']);
  });
});

describe('rules', () => {
  const said = (args: string, left: string, right: string, dialect = true, nested = false): Verdict =>
    judge(args.split(' '), Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1'), { dialect, nested });
  const list = (...items: string[]): string =>
    `*${items.length}\r\n${items.map((x) => `$${x.length}\r\n${x}\r\n`).join('')}`;
  const bulk = (x: string): string => `$${x.length}\r\n${x}\r\n`;

  it.each([
    // [what, command, left, right, agrees]
    ['equal bytes', 'GET k', bulk('a'), bulk('a'), true],
    ['another value', 'GET k', bulk('a'), bulk('b'), false],
    ['another kind of null', 'GET k', '$-1\r\n', '*-1\r\n', false],
    ['order of a set operation', 'SUNION a b', list('a', 'b'), list('b', 'a'), true],
    ['another member', 'SUNION a b', list('a', 'b'), list('b', 'c'), false],
    ['a doubled member', 'SUNION a b', list('a', 'b'), list('b', 'b'), false],
    ['order of a list', 'LRANGE l 0 -1', list('a', 'b'), list('b', 'a'), false],
    ['order of KEYS', 'KEYS *', list('a', 'b'), list('b', 'a'), true],
    ['TTL near', 'TTL k', ':100\r\n', ':99\r\n', true],
    ['TTL far', 'TTL k', ':100\r\n', ':98\r\n', false],
    ['TTL against none', 'TTL k', ':1\r\n', ':-1\r\n', false],
    ['PTTL far', 'PTTL k', ':100000\r\n', ':90000\r\n', false],
    ['TIME', 'TIME', list('1700000000', '1'), list('1700000000', '2'), true],
    ['TIME far', 'TIME', list('1700000000', '1'), list('1800000000', '2'), false],
    ['number of random members', 'SRANDMEMBER s 2', list('a', 'b'), list('a'), false],
    ['random members twice', 'SRANDMEMBER s 2', list('a', 'b'), list('c', 'c'), false],
    ['double, shorter', 'ZSCORE z a', bulk('0.10000000000000001'), bulk('0.1'), true],
    ['double, integer in full', 'ZSCORE z a', bulk('1e+17'), bulk('100000000000000000'), true],
    [
      'double, as 7.2 lays it out',
      'ZSCORE z a',
      bulk('46296.292499999996'),
      bulk('4.6296292499999996e+4'),
      true,
    ],
    ['double, small', 'ZSCORE z a', bulk('1.0000000000000001e-05'), bulk('0.00001'), true],
    ['double, small, wrong layout', 'ZSCORE z a', bulk('1.0000000000000001e-05'), bulk('1e-5'), false],
    ['double, integer not in full', 'ZSCORE z a', bulk('100000000000000000'), bulk('1e+17'), false],
    ['double, another', 'ZSCORE z a', bulk('0.10000000000000001'), bulk('0.2'), false],
    ['double, more digits', 'ZSCORE z a', bulk('0.1'), bulk('0.10000000000000001'), false],
    ['double elsewhere', 'GET k', bulk('0.10000000000000001'), bulk('0.1'), false],
    ['negative zero', 'ZSCORE z a', bulk('-0'), bulk('0'), false],
    ['set encoding', 'OBJECT ENCODING s', bulk('hashtable'), bulk('listpack'), true],
    ['set encoding back', 'OBJECT ENCODING s', bulk('listpack'), bulk('hashtable'), false],
    ['encoding', 'OBJECT ENCODING s', bulk('embstr'), bulk('raw'), false],
    ['news of 7.2', 'CLIENT SETINFO a b', "-ERR unknown subcommand 'SETINFO'.\r\n", '+OK\r\n', true],
    ['no news', 'CLIENT SETNAME a', "-ERR unknown subcommand 'SETNAME'.\r\n", '+OK\r\n', false],
    ['timeout text', 'BLPOP k inf', '-ERR timeout is negative\r\n', '-ERR timeout is out of range\r\n', true],
    [
      'timeout text elsewhere',
      'GET k',
      '-ERR timeout is negative\r\n',
      '-ERR timeout is out of range\r\n',
      false,
    ],
  ])('%s', (_what, args, left, right, agrees) => {
    const verdict = said(args, left, right);
    expect(verdict.ok === true || verdict.ok === 'check').toBe(agrees);
  });

  it('applies no dialect rule when the oracle meets itself', () => {
    expect(said('ZSCORE z a', bulk('0.10000000000000001'), bulk('0.1'), false).ok).toBe(false);
    expect(said('OBJECT ENCODING s', bulk('hashtable'), bulk('listpack'), false).ok).toBe(false);
  });

  it('asks before it accepts another order of one key, or another random member', () => {
    expect(said('SMEMBERS s', list('a', 'b'), list('b', 'a'))).toMatchObject({ ok: 'check' });
    expect(said('SRANDMEMBER s', bulk('a'), bulk('b'))).toMatchObject({ ok: 'check' });
    expect(said('SPOP s', bulk('a'), bulk('b'))).toMatchObject({ ok: 'check' });
    expect(said('SPOP s', bulk('a'), bulk('b'), true, true)).toMatchObject({ ok: false });
  });

  it('takes libraries and their functions in any order, and nothing else', () => {
    const library = (name: string, ...members: string[]): string =>
      `*4\r\n${bulk('library_name')}${bulk(name)}${bulk('functions')}${list(...members)}`;
    const listed = (...libraries: string[]): string => `*${libraries.length}\r\n${libraries.join('')}`;
    const agrees = (left: string, right: string): boolean => said('FUNCTION LIST', left, right).ok === true;
    const both = listed(library('a', 'f', 'g'), library('b', 'h'));
    expect(agrees(both, listed(library('b', 'h'), library('a', 'g', 'f')))).toBe(true);
    expect(agrees(both, listed(library('b', 'g'), library('a', 'h', 'f')))).toBe(false);
    expect(agrees(both, listed(library('a', 'h'), library('b', 'f', 'g')))).toBe(false);
    const dump = (...parts: string[]): string => bulk(`${parts.join('')}\n\x00checksum`);
    const dumped = (left: string, right: string): boolean => said('FUNCTION DUMP', left, right).ok === true;
    expect(dumped(dump('\xf5one', '\xf5two'), dump('\xf5two', '\xf5one'))).toBe(true);
    expect(dumped(dump('\xf5one', '\xf5two'), dump('\xf5two', '\xf5eno'))).toBe(false);
    expect(dumped(dump('\xf5one', '\xf5two'), dump('\xf5one', '\xf5one'))).toBe(false);
    expect(dumped(dump('\xf5one'), bulk('\xf5one\x0b\x00checksum'))).toBe(false);
  });

  it('lets hash order choose which taken name is told', () => {
    const taken = (what: string, name: string): string => `-ERR ${what} ${name} already exists\r\n`;
    expect(said('FUNCTION LOAD x', taken('Function', 'f'), taken('Function', 'g')).ok).toBe(true);
    expect(said('FUNCTION LOAD x', taken('Function', 'f'), taken('Library', 'f')).ok).toBe(false);
    expect(said('FUNCTION LOAD x', taken('Function', 'f'), bulk('f')).ok).toBe(false);
  });

  it('knows when a woken command was run again', () => {
    const reply = (text: string) => parseReply(Buffer.from(text, 'latin1'));
    const args = ['BLPOP', 'a', 'b', '0'];
    const first = reply(list('a', '1'));
    const second = reply(list('b', '1'));
    const wrongType = reply('-WRONGTYPE Operation\r\n');
    expect(reprocessed(args, second, first, [])).toBe(true);
    expect(reprocessed(args, first, second, [])).toBe(false);
    expect(reprocessed(args, second, second, [])).toBe(false);
    expect(reprocessed(args, second, wrongType, ['a'])).toBe(true);
    expect(reprocessed(args, second, wrongType, [])).toBe(false);
  });

  it('sorts only what one publication sends to several patterns', () => {
    const p = (pattern: string, text: string) =>
      parseReply(Buffer.from(list('pmessage', pattern, 'ch', text), 'latin1'));
    const a1 = p('a', '1');
    const b1 = p('b', '1');
    const a2 = p('a', '2');
    expect(orderMessages([b1, a1, a2])).toEqual(orderMessages([a1, b1, a2]));
    expect(orderMessages([a1, a2])).not.toEqual(orderMessages([a2, a1]));
  });
});

describe('wire', () => {
  const every = (text: string): void => {
    const bytes = Buffer.from(text, 'latin1');
    for (let cut = 0; cut < bytes.length; cut++) expect(frameEnd(bytes.subarray(0, cut), 0)).toBe(-1);
    expect(frameEnd(bytes, 0)).toBe(bytes.length);
  };
  it('frames every kind of reply at every split', () => {
    every('+OK\r\n');
    every('$5\r\na\r\nb\r\r\n');
    every('*3\r\n:1\r\n$-1\r\n*2\r\n*0\r\n*-1\r\n');
    every('%2\r\n+a\r\n,1.5\r\n+b\r\n#t\r\n');
    every('~1\r\n=7\r\ntxt:abc\r\n');
    every('>2\r\n+message\r\n_\r\n');
  });
  it('cuts messages out of the reply they interrupt', () => {
    const text = '*2\r\n+PONG\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n:1\r\n';
    const nested: [number, number][] = [];
    expect(frameEnd(Buffer.from(text), 0, nested)).toBe(text.length);
    expect(nested).toHaveLength(1);
    expect(text.slice(...nested[0]!)).toContain('message');
  });
  it('tells messages from replies', () => {
    expect(isPush(Buffer.from('*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n'))).toBe(true);
    expect(isPush(Buffer.from('*3\r\n$7\r\nmassage\r\n$1\r\nc\r\n$1\r\nx\r\n'))).toBe(false);
    expect(isPush(Buffer.from('>1\r\n+x\r\n'))).toBe(true);
  });
  it('refuses what is not a reply', () => {
    expect(() => frameEnd(Buffer.from('hello\r\n'), 0)).toThrow();
    expect(() => parseReply(Buffer.from('+OK\r\n+OK\r\n'))).toThrow();
  });
  it('encodes bytes as they are', () => {
    expect(encodeCommand(['SET', '\xff\x00', Buffer.from([255])]).toString('latin1')).toBe(
      '*3\r\n$3\r\nSET\r\n$2\r\n\xff\x00\r\n$1\r\n\xff\r\n',
    );
  });
});

describe('scripts', () => {
  it('reads what it prints', () => {
    const steps: Step[] = [
      command(2, 'SET', 'a b', '\x00"\\\r\n\xff', ''),
      { kind: 'cmd', conn: 1, args: ['GET', 'k'], silent: true },
      { kind: 'sleep', ms: 4 },
      { kind: 'walk' },
      { kind: 'closed', conn: 3 },
      { kind: 'raw', conn: 0, bytes: '*1\r\n' },
    ];
    const [one] = parseCases('x', `== t\n${steps.map(showStep).join('\n')}`);
    expect(one!.steps).toEqual(steps);
  });
  it('refuses unbalanced quotes', () => {
    expect(() => splitArgs('GET "a')).toThrow('unbalanced');
    expect(() => splitArgs('GET "a"b')).toThrow('unbalanced');
  });
  it('makes the same round from the same seed', () => {
    const families = pickFamilies(null);
    expect(generateRound(5, 3, families, 500)).toEqual(generateRound(5, 3, families, 500));
    expect(generateRound(5, 3, families, 500)).not.toEqual(generateRound(6, 3, families, 500));
  });
});
