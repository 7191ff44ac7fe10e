// The proxy against a real server: what ran, what did not, and what the client was told before it was cut off.
import { type AddressInfo, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ServerHandle, sleep } from './ports.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { oracleAvailable, startRedis } from './redis-server.ts';
import { encodeCommand, parseReply, Wire } from './wire.ts';

describe.skipIf(!oracleAvailable())('a proxy with faults', () => {
  let redis: ServerHandle;
  let direct: Wire;
  let proxy: FaultProxy;
  let wire: Wire;
  beforeAll(async () => {
    redis = await startRedis();
    direct = await Wire.open({ port: redis.port });
  });
  afterAll(async () => {
    direct?.close();
    await redis?.stop();
  });
  beforeEach(async () => {
    await direct.call('FLUSHALL');
    proxy = await startProxy(redis.port);
    wire = await Wire.open({ port: proxy.port });
  });
  afterEach(async () => {
    wire.close();
    await proxy.stop();
  });

  const stored = async (key: string): Promise<string> => (await direct.call('GET', key)).text;
  const pipeline = (...commands: string[]): void =>
    wire.write(Buffer.concat(commands.map((each) => encodeCommand(each.split(' ')))));
  const texts = (frames: Buffer[]): string[] => frames.map((frame) => parseReply(frame).text);

  it('passes everything on when nothing is asked of it, large values and many requests too', async () => {
    const large = 'x'.repeat(3_000_000);
    expect((await wire.call('SET', 'large', large)).text).toBe('OK');
    expect((await wire.call('GET', 'large')).text).toBe(large);
    for (let i = 0; i < 5000; i++) wire.send('INCR', 'n');
    const replies = await wire.replies(5000);
    expect(texts(replies)).toEqual(Array.from({ length: 5000 }, (_, i) => String(i + 1)));
    wire.write('PING\r\n');
    expect((await wire.reply()).text).toBe('PONG');
    expect([proxy.connections, proxy.requests, proxy.cuts]).toEqual([1, 5003, 0]);
  });

  it('cuts before the reply: the command ran, its client does not know', async () => {
    proxy.cutBeforeReply({ match: /^INCR N$/ });
    expect((await wire.call('INCR', 'other')).text).toBe('1');
    await expect(wire.call('INCR', 'n')).rejects.toThrow('connection closed');
    expect(await stored('n')).toBe('1');
    expect([proxy.connections, proxy.cuts, proxy.requests]).toEqual([0, 1, 2]);
    wire = await Wire.open({ port: proxy.port });
    expect((await wire.call('INCR', 'n')).text).toBe('2');
  });

  it('cuts before the request: the command did not run', async () => {
    proxy.cutBeforeRequest({ match: /^INCR/, times: 2 });
    for (let i = 0; i < 2; i++) {
      await expect(wire.call('INCR', 'n')).rejects.toThrow('connection closed');
      wire = await Wire.open({ port: proxy.port });
    }
    expect(await stored('n')).toBe('');
    expect((await wire.call('INCR', 'n')).text).toBe('1');
    expect(proxy.cuts).toBe(2);
  });

  it('forwards earlier replies of a pipeline before either cut, and no later request', async () => {
    proxy.cutBeforeReply({ match: /^INCR B$/ });
    pipeline('INCR a', 'INCR a', 'INCR b', 'INCR c');
    expect(await wire.waitClosed(2000)).toBe(true);
    expect(texts(wire.inbox)).toEqual(['1', '2']);
    expect([await stored('a'), await stored('b'), await stored('c')]).toEqual(['2', '1', '']);

    wire = await Wire.open({ port: proxy.port });
    proxy.cutBeforeRequest({ match: /^INCR B$/ });
    pipeline('INCR a', 'INCR a', 'INCR b', 'INCR c');
    expect(await wire.waitClosed(2000)).toBe(true);
    expect(texts(wire.inbox)).toEqual(['3', '4']);
    expect([await stored('a'), await stored('b'), await stored('c')]).toEqual(['4', '1', '']);
  });

  it('cuts inside of a transaction where it is told to', async () => {
    proxy.cutBeforeReply({ match: /^EXEC$/ });
    pipeline('MULTI', 'INCR a', 'INCR b', 'EXEC');
    expect(await wire.waitClosed(2000)).toBe(true);
    expect(texts(wire.inbox)).toEqual(['OK', 'QUEUED', 'QUEUED']);
    expect(await stored('b')).toBe('1');
  });

  it('does not take messages for replies, in RESP2 and RESP3', async () => {
    for (const protocol of [2, 3]) {
      await wire.call('HELLO', protocol);
      wire.send('SUBSCRIBE', 'a', 'b');
      expect(await wire.waitPushes(2)).toBe(true);
      await direct.call('PUBLISH', 'a', '1');
      expect(await wire.waitPushes(3)).toBe(true);
      proxy.cutBeforeReply({ match: /^PING X$/ });
      wire.send('PING', 'x');
      expect(await wire.waitClosed(2000)).toBe(true);
      expect(wire.pushes).toHaveLength(3);
      expect(wire.inbox).toHaveLength(0);
      wire = await Wire.open({ port: proxy.port });
    }
    proxy.cutBeforeReply({ match: /^UNSUBSCRIBE$/ });
    pipeline('SUBSCRIBE a b', 'UNSUBSCRIBE a', 'UNSUBSCRIBE');
    expect(await wire.waitClosed(2000)).toBe(true);
    expect(wire.pushes).toHaveLength(3);
    expect(proxy.cuts).toBe(3);
  });

  it('forwards messages that come between a request and its reply, confirmations of many channels too', async () => {
    await wire.call('HELLO', 3);
    pipeline('SUBSCRIBE a b', 'SUBSCRIBE c');
    expect(await wire.waitPushes(3)).toBe(true);
    proxy.cutBeforeReply({ match: /^BLPOP/ });
    wire.send('BLPOP', 'list', 0);
    await sleep(20);
    await direct.call('PUBLISH', 'c', '1');
    expect(await wire.waitPushes(4)).toBe(true);
    await direct.call('RPUSH', 'list', 'x');
    expect(await wire.waitClosed(2000)).toBe(true);
    expect([wire.inbox.length, wire.pushes.length, proxy.cuts]).toEqual([0, 4, 1]);
    expect((await direct.call('EXISTS', 'list')).text).toBe('0');

    wire = await Wire.open({ port: proxy.port });
    proxy.cutBeforeReply({ match: /^SUBSCRIBE C$/ });
    pipeline('SUBSCRIBE a b', 'SUBSCRIBE c');
    expect(await wire.waitClosed(2000)).toBe(true);
    expect(wire.pushes).toHaveLength(2);
  });

  it('keeps invalidations of RESP3 apart from replies', async () => {
    await wire.call('HELLO', 3);
    await wire.call('CLIENT', 'TRACKING', 'ON');
    await wire.call('GET', 'k');
    await direct.call('SET', 'k', '1');
    expect(await wire.waitPushes(1)).toBe(true);
    proxy.cutBeforeReply({ match: /^SET MARK/ });
    await expect(wire.call('SET', 'mark', '1')).rejects.toThrow('connection closed');
    expect(await stored('mark')).toBe('1');
  });

  it('delays matching replies and what is behind them, without changing the order', async () => {
    proxy.delayReplies(150, { match: /^INCR/ });
    expect((await wire.call('PING')).text).toBe('PONG');
    const start = performance.now();
    pipeline('INCR n', 'GET n', 'INCR n');
    await sleep(60);
    expect(await stored('n')).toBe('2');
    expect(wire.inbox).toHaveLength(0);
    expect(texts(await wire.replies(3))).toEqual(['1', '1', '2']);
    expect(performance.now() - start).toBeGreaterThan(140);
    proxy.delayReplies(60_000);
    wire.send('PING');
    await sleep(30);
    proxy.reset();
    expect((await wire.reply()).text).toBe('PONG');
    expect(proxy.requests).toBe(0);
  });

  it('stalls both directions and new connections until it is resumed', async () => {
    proxy.stall();
    wire.send('INCR', 'n');
    const second = await Wire.open({ port: proxy.port });
    second.send('INCR', 'n');
    await sleep(80);
    expect(await stored('n')).toBe('');
    proxy.resume();
    expect([(await wire.reply()).text, (await second.reply()).text].sort()).toEqual(['1', '2']);
    second.close();
  });

  it('cuts all connections, and tells a client when the server goes', async () => {
    const second = await Wire.open({ port: proxy.port });
    await second.call('PING');
    await wire.call('PING');
    expect(proxy.connections).toBe(2);
    proxy.cutAll();
    expect(await wire.waitClosed(1000)).toBe(true);
    expect(await second.waitClosed(1000)).toBe(true);
    expect([proxy.connections, proxy.cuts]).toEqual([0, 2]);
    wire = await Wire.open({ port: proxy.port });
    await wire.call('CLIENT', 'SETNAME', 'victim');
    wire.send('PING');
    await wire.replies(1);
    await direct.call('CLIENT', 'KILL', 'SKIPME', 'yes');
    expect(await wire.waitClosed(1000)).toBe(true);
    expect([proxy.connections, proxy.cuts]).toEqual([0, 2]);
  });

  it('stops at once, even while it stalls', async () => {
    proxy.stall();
    wire.send('PING');
    await sleep(10);
    await proxy.stop();
    expect(await wire.waitClosed(1000)).toBe(true);
    await expect(Wire.open({ port: proxy.port })).rejects.toThrow('ECONNREFUSED');
  });

  it('makes client libraries retry what ran already, or fail, as they are set', async () => {
    const io = new Redis(proxy.port, { retryStrategy: () => 10 });
    const node = createClient({ socket: { port: proxy.port, host: '127.0.0.1' }, RESP: 3 });
    io.on('error', () => {});
    node.on('error', () => {});
    await node.connect();
    try {
      proxy.cutBeforeReply({ match: /^INCR IO/ });
      expect(await io.incr('io')).toBe(2);
      proxy.cutBeforeReply({ match: /^INCR NODE/ });
      await expect(node.incr('node')).rejects.toThrow();
      expect(await stored('node')).toBe('1');
      expect(await node.incr('node')).toBe(2);
      expect(proxy.cuts).toBe(2);
    } finally {
      io.disconnect();
      node.destroy();
    }
  });
});

describe('a proxy before a server that says what it is told', () => {
  const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

  it('tells a message of RESP2 from the reply that is to be swallowed, wherever the bytes are cut', async () => {
    const message = `*3\r\n${bulk('message')}${bulk('a')}${bulk('1')}`;
    const pong = `*2\r\n${bulk('pong')}${bulk('x')}`;
    const confirmation = `*3\r\n${bulk('subscribe')}${bulk('a')}:1\r\n`;
    let speak: (text: string) => void = () => {};
    const server = createServer((socket) => {
      speak = (text) => socket.write(text);
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = await startProxy((server.address() as AddressInfo).port);
    const wire = await Wire.open({ port: proxy.port });
    try {
      proxy.cutBeforeReply({ match: /^PING/ });
      wire.send('SUBSCRIBE', 'a');
      wire.send('PING', 'x');
      await expect.poll(() => proxy.requests).toBe(2);
      for (const byte of confirmation + message + message) {
        speak(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await wire.waitPushes(3)).toBe(true);
      expect(wire.closed).toBe(false);
      speak(pong);
      expect(await wire.waitClosed(2000)).toBe(true);
      expect([wire.pushes.length, wire.inbox.length, proxy.cuts]).toEqual([3, 0, 1]);
    } finally {
      wire.close();
      await proxy.stop();
      server.close();
    }
  });

  it('leaves what is no RESP to the server', async () => {
    const server = createServer((socket) => socket.on('data', (chunk) => socket.end(`not RESP: ${chunk}`)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = await startProxy((server.address() as AddressInfo).port);
    const wire = await Wire.open({ port: proxy.port });
    try {
      wire.startCapture();
      wire.write('*1\r\n?what\r\n');
      expect(await wire.waitClosed(2000)).toBe(true);
      expect(String(wire.captured())).toBe('not RESP: *1\r\n?what\r\n');
    } finally {
      await proxy.stop();
      server.close();
    }
  });
});
