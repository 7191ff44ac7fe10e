// What a connection may do around a command that waits, on the bytes of the wire: later commands of the same
// connection stay behind it, messages come behind its reply, CLIENT REPLY silences it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { Server } from '../../src/server/server.ts';
import { encodeCommand, Wire } from '../support/wire.ts';
import { until } from './support.ts';

describe('waiting: pipelines', () => {
  const engine = new Engine({ seed: 1, config: { 'notify-keyspace-events': 'El' } });
  const server = new Server(engine);
  let open: Wire[] = [];
  let pusher: Wire;

  const connect = async (): Promise<Wire> => {
    const wire = await Wire.open({ port: server.port });
    open.push(wire);
    return wire;
  };
  const blocked = (n: number) => until(() => engine.blockedSessions === n);
  const texts = async (wire: Wire, count: number) =>
    (await wire.replies(count)).map((raw) => raw.toString('latin1'));
  const pipeline = (wire: Wire, ...commands: string[]) =>
    wire.write(Buffer.concat(commands.map((line) => encodeCommand(line.split(' ')))));

  beforeAll(() => server.listen({ port: 0 }));
  beforeEach(async () => {
    for (const db of engine.space.dbs) db.clear();
    pusher = await connect();
  });
  afterEach(async () => {
    for (const wire of open) wire.close();
    open = [];
    await until(() => engine.sessions.size === 0);
  });
  afterAll(async () => {
    await server.close();
    engine.stop();
  });

  it('runs nothing behind a waiting command, then everything in order', async () => {
    const client = await connect();
    pipeline(client, 'SET x before', 'BLPOP k 0', 'SET x after', 'GET x');
    await blocked(1);
    expect(await texts(client, 1)).toEqual(['+OK\r\n']);
    expect((await pusher.call('GET', 'x')).text).toBe('before');
    await pusher.call('RPUSH', 'k', 'a');
    expect(await texts(client, 3)).toEqual(['*2\r\n$1\r\nk\r\n$1\r\na\r\n', '+OK\r\n', '$5\r\nafter\r\n']);
  });

  it('takes what comes in pieces while it waits', async () => {
    const client = await connect();
    pipeline(client, 'BLPOP k 0');
    await blocked(1);
    const later = encodeCommand(['ECHO', 'later']);
    client.write(later.subarray(0, 9));
    await pusher.call('PING');
    client.write(later.subarray(9));
    await pusher.call('RPUSH', 'k', 'a');
    expect(await texts(client, 2)).toEqual(['*2\r\n$1\r\nk\r\n$1\r\na\r\n', '$5\r\nlater\r\n']);
  });

  it('waits again where the next command waits, and goes on after a timeout', async () => {
    const client = await connect();
    pipeline(client, 'BLPOP k 0', 'BLMOVE none d LEFT LEFT 0.02', 'BLPOP k 0', 'PING');
    await blocked(1);
    await pusher.call('RPUSH', 'k', 'a', 'b');
    expect(await texts(client, 4)).toEqual([
      '*2\r\n$1\r\nk\r\n$1\r\na\r\n',
      '*-1\r\n',
      '*2\r\n$1\r\nk\r\n$1\r\nb\r\n',
      '+PONG\r\n',
    ]);
  });

  it('lets waiters of the same push go first, what stands behind a served command later', async () => {
    const first = await connect();
    pipeline(first, 'BLPOP k 0', 'LPOP k');
    await blocked(1);
    const second = await connect();
    pipeline(second, 'BLPOP k 0');
    await blocked(2);
    await pusher.call('RPUSH', 'k', 'a', 'b');
    expect(await texts(second, 1)).toEqual(['*2\r\n$1\r\nk\r\n$1\r\nb\r\n']);
    expect(await texts(first, 2)).toEqual(['*2\r\n$1\r\nk\r\n$1\r\na\r\n', '$-1\r\n']);
  });

  it('runs a MULTI behind a waiting command as one', async () => {
    const client = await connect();
    pipeline(client, 'BLPOP k 0', 'MULTI', 'INCR n', 'INCR n', 'EXEC');
    await blocked(1);
    expect((await pusher.call('GET', 'n')).kind).toBe('nullbulk');
    await pusher.call('RPUSH', 'k', 'a');
    expect((await texts(client, 5)).slice(1)).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      '+QUEUED\r\n',
      '*2\r\n:1\r\n:2\r\n',
    ]);
  });

  it('drops what stands behind a waiting command when the client goes', async () => {
    const client = await connect();
    pipeline(client, 'BLPOP k 0', 'SET x 1');
    await blocked(1);
    client.close();
    await blocked(0);
    await pusher.call('RPUSH', 'k', 'a');
    expect((await pusher.call('EXISTS', 'x')).text).toBe('0');
    expect((await pusher.call('LLEN', 'k')).text).toBe('1');
  });

  it('tells a client of the change it made itself behind its reply (RESP3)', async () => {
    const client = await connect();
    await client.call('HELLO', '3');
    pipeline(client, 'SUBSCRIBE __keyevent@0__:lpop');
    await client.waitPushes(1);
    client.startCapture();
    pipeline(client, 'BLPOP k 0', 'PING');
    await blocked(1);
    await pusher.call('RPUSH', 'k', 'a');
    await until(() => client.captured().includes('PONG'));
    const bytes = client.endCapture().toString('latin1');
    expect(bytes).toBe(
      '*2\r\n$1\r\nk\r\n$1\r\na\r\n' +
        '>3\r\n$7\r\nmessage\r\n$19\r\n__keyevent@0__:lpop\r\n$1\r\nk\r\n' +
        '+PONG\r\n',
    );
  });

  it('sends no reply of a command that waited under CLIENT REPLY SKIP or OFF', async () => {
    const client = await connect();
    pipeline(client, 'CLIENT REPLY SKIP', 'BLPOP k 0', 'ECHO one');
    await blocked(1);
    await pusher.call('RPUSH', 'k', 'a');
    expect(await texts(client, 1)).toEqual(['$3\r\none\r\n']);
    pipeline(client, 'CLIENT REPLY OFF', 'BLPOP k 0', 'BLPOP none 0.01', 'ECHO two', 'CLIENT REPLY ON');
    await blocked(1);
    await pusher.call('RPUSH', 'k', 'a');
    expect(await texts(client, 1)).toEqual(['+OK\r\n']);
    expect((await pusher.call('EXISTS', 'k')).text).toBe('0');
  });

  it('counts a command that waited once', async () => {
    const entry = engine.table.find('blpop');
    const before = entry?.calls ?? 0;
    const client = await connect();
    pipeline(client, 'BLPOP k 0');
    await blocked(1);
    await pusher.call('RPUSH', 'k', 'a');
    await client.replies(1);
    expect(entry?.calls).toBe(before + 1);
  });

  it('counts the errors of commands that waited', async () => {
    const client = await connect();
    const id = (await client.call('CLIENT', 'ID')).text;
    pipeline(client, 'BLMOVE k s LEFT LEFT 0');
    await blocked(1);
    await pusher.call('SET', 's', 'v');
    const before = engine.stats.errors.get('WRONGTYPE') ?? 0;
    await pusher.call('RPUSH', 'k', 'a');
    expect((await texts(client, 1))[0]).toMatch(/^-WRONGTYPE /);
    expect(engine.stats.errors.get('WRONGTYPE')).toBe(before + 1);
    pipeline(client, 'BLPOP none 0');
    await blocked(1);
    await pusher.call('CLIENT', 'UNBLOCK', id, 'ERROR');
    expect(await texts(client, 1)).toEqual(['-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n']);
    expect(engine.stats.errors.get('UNBLOCKED')).toBe(1);
  });

  it('holds a thousand clients and serves them in order', async () => {
    const clients: Wire[] = [];
    for (let i = 0; i < 1000; i++) {
      const client = await connect();
      pipeline(client, 'BLPOP k 0');
      clients.push(client);
      if (i % 50 === 49) await blocked(i + 1);
    }
    // Connections of one batch may arrive in any order, so let each batch be a set.
    await pusher.call('RPUSH', 'k', ...clients.map((_, i) => String(i)));
    const got = await Promise.all(
      clients.map(async (client) => Number((await texts(client, 1))[0].split('\r\n')[4])),
    );
    expect(new Set(got).size).toBe(1000);
    expect(got.map((n) => Math.floor(n / 50))).toEqual(got.map((_, i) => Math.floor(i / 50)));
    expect(engine.space.waited.every((keys) => keys.size === 0)).toBe(true);
  });
});
