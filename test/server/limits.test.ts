// What a server allows its clients: how many, from where, how long idle, how much unread and unsent.
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { sleep } from '../support/ports.ts';
import { Wire } from '../support/wire.ts';
import { eventually, fields, type Running, start, untilClosed } from './support.ts';

let running: Running;
const begin = async (...args: Parameters<typeof start>): Promise<Running> => {
  running = await start(...args);
  return running;
};
afterEach(() => running.stop());

const MB = 1024 * 1024;

describe('who may come in', () => {
  it('maxclients turns more away', async () => {
    const { port, connect, engine } = await begin({ maxclients: '2' });
    const first = await connect();
    await first.call('PING');
    const second = await connect();
    await second.call('PING');
    expect(await untilClosed(port, '')).toBe('-ERR max number of clients reached\r\n');
    expect(engine.stats.rejectedConnections).toBe(1);
    second.close();
    await eventually('the place is free', () => engine.sessions.size === 1);
    const third = await connect();
    expect((await third.call('PING')).text).toBe('PONG');
    await first.call('CONFIG', 'SET', 'maxclients', '1');
    expect(await untilClosed(port, '')).toBe('-ERR max number of clients reached\r\n');
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((each) => each !== undefined && each.family === 'IPv4' && !each.internal)?.address;

  it.skipIf(outside === undefined)(
    'protected mode serves only this machine until there is a password',
    async () => {
      const { port, connect } = await begin({}, { bind: ['0.0.0.0'] });
      const near = await connect();
      expect((await near.call('PING')).text).toBe('PONG');
      const host = outside as string;
      const far = await Wire.open({ port, host });
      const [denied] = await far.replies(1);
      expect(denied.toString()).toMatch(/^-DENIED Holdfast is running in protected mode/);
      expect(await far.waitClosed(2000)).toBe(true);

      await near.call('CONFIG', 'SET', 'protected-mode', 'no');
      const open = await Wire.open({ port, host });
      expect((await open.call('PING')).text).toBe('PONG');
      open.close();
      await near.call('CONFIG', 'SET', 'protected-mode', 'yes', 'requirepass', 'secret');
      const known = await Wire.open({ port, host });
      expect((await known.call('AUTH', 'secret')).text).toBe('OK');
      known.close();
    },
  );
});

it('timeout closes who is idle, but not who waits or listens', async () => {
  const { connect } = await begin({ timeout: '1' });
  const idle = await connect();
  const waiting = await connect();
  const listening = await connect();
  const busy = await connect();
  await idle.call('PING');
  waiting.send('BLPOP', 'nothing', '0');
  await listening.call('PING');
  listening.send('SUBSCRIBE', 'news');
  await listening.waitPushes(1);
  const until = Date.now() + 5000;
  while (!idle.closed && Date.now() < until) {
    await busy.call('PING');
    await sleep(100);
  }
  expect(idle.closed).toBe(true);
  expect([waiting.closed, listening.closed, busy.closed]).toEqual([false, false, false]);
});

describe('input', () => {
  it('of one request ends at client-query-buffer-limit, without a word', async () => {
    const { connect, engine } = await begin({ 'client-query-buffer-limit': '1mb' });
    const other = await connect();
    const wire = await connect();
    wire.write(`*2\r\n$4\r\nECHO\r\n$${3 * MB}\r\n`);
    wire.write('x'.repeat(2 * MB));
    expect(await wire.waitClosed(5000)).toBe(true);
    expect(wire.bytesIn).toBe(0);
    await eventually('the session is gone', () => engine.sessions.size === 1);
    expect((await other.call('PING')).text).toBe('PONG');
  });

  it('counts what MULTI has queued', async () => {
    const { connect, engine } = await begin({ 'client-query-buffer-limit': '1mb' });
    const wire = await connect();
    const value = 'x'.repeat(100_000);
    // Outside of MULTI much more may pass.
    for (let i = 0; i < 20; i++) wire.send('SET', 'k', value);
    await wire.replies(20);
    wire.send('MULTI');
    for (let i = 0; i < 20; i++) wire.send('SET', 'queued', value);
    expect(await wire.waitClosed(5000)).toBe(true);
    expect(engine.space.dbs[0].size).toBe(1);
  });
});

describe('output', () => {
  // Does not read, and says how much the server holds for it.
  async function deaf(): Promise<{ wire: Wire; held: () => number; address: string }> {
    const wire = await running.connect();
    const address = fields((await wire.call('CLIENT', 'INFO')).text).addr;
    const session = [...running.engine.sessions.values()].find((each) => each.info.address === address);
    return { wire, address, held: () => session?.info.outputBuffer() ?? -1 };
  }
  const pause = (wire: Wire): void => {
    (wire as unknown as { socket: { pause(): void } }).socket.pause();
  };

  it('of a subscriber that does not read ends at the hard limit', async () => {
    const { connect, engine } = await begin({ 'client-output-buffer-limit': 'pubsub 8mb 0 0' });
    const { wire } = await deaf();
    wire.send('SUBSCRIBE', 'news');
    await wire.waitPushes(1);
    pause(wire);
    const publisher = await connect();
    const message = 'x'.repeat(MB);
    let receivers = 1;
    let sent = 0;
    for (; sent < 100 && receivers > 0; sent++) {
      receivers = Number((await publisher.call('PUBLISH', 'news', message)).text);
    }
    // The kernel's buffers take some before ours fills.
    expect(sent).toBeGreaterThanOrEqual(8);
    expect(sent).toBeLessThan(40);
    expect(engine.sessions.size).toBe(1);
  });

  it('of a subscriber ends when it stays above the soft limit, without another message', async () => {
    const { connect, engine } = await begin({ 'client-output-buffer-limit': 'pubsub 0 1mb 1' });
    const { wire, held } = await deaf();
    wire.send('SUBSCRIBE', 'news');
    await wire.waitPushes(1);
    pause(wire);
    const publisher = await connect();
    while (held() < 2 * MB) await publisher.call('PUBLISH', 'news', 'x'.repeat(MB));
    expect(engine.sessions.size).toBe(2);
    await eventually('the subscriber is closed', () => engine.sessions.size === 1);
  });

  it('limits can be changed for who is connected', async () => {
    const { connect, engine } = await begin();
    const { wire, held } = await deaf();
    const control = await connect();
    await control.call('SET', 'big', 'x'.repeat(MB));
    pause(wire);
    for (let i = 0; i < 20; i++) wire.send('GET', 'big');
    await eventually('output piles up', () => held() > MB);
    await control.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 100kb 0 0');
    await eventually('the reader is closed', () => engine.sessions.size === 1);
  });

  it('of a client that reads nothing stops its input, and neither memory nor others suffer', async () => {
    const { connect } = await begin();
    const control = await connect();
    await control.call('SET', 'big', 'x'.repeat(MB));
    const { wire, held } = await deaf();
    pause(wire);
    const asked = 200;
    for (let i = 0; i < asked; i++) wire.send('GET', 'big');
    let most = 0;
    for (let i = 0; i < 50; i++) {
      const before = performance.now();
      expect((await control.call('PING')).text).toBe('PONG');
      expect(performance.now() - before).toBeLessThan(1000);
      most = Math.max(most, held());
      await sleep(5);
    }
    expect(most).toBeGreaterThan(MB / 2);
    expect(most).toBeLessThan(4 * MB);
    // Once it reads, everything comes, in order.
    (wire as unknown as { socket: { resume(): void } }).socket.resume();
    const replies = await wire.replies(asked, 20_000);
    expect(replies.every((reply) => reply.length === MB + 12)).toBe(true);
  });

  it('resumes its input each time it has read', async () => {
    const { connect } = await begin();
    const control = await connect();
    const size = 16 * 1024;
    await control.call('SET', 'v', 'x'.repeat(size));
    const { wire, held } = await deaf();
    pause(wire);
    // More requests than one read takes.
    const asked = 8000;
    for (let i = 0; i < asked; i++) wire.send('GET', 'v');
    await eventually('output piles up', () => held() > MB / 2);
    await sleep(100);
    expect(held()).toBeLessThan(4 * MB);
    (wire as unknown as { socket: { resume(): void } }).socket.resume();
    const replies = await wire.replies(asked, 30_000);
    expect(replies.every((reply) => reply.length === size + 10)).toBe(true);
  });
});
