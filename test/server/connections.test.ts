// The life of connections: order behind a command that waits, ends of every kind, unix sockets, CLIENT.
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { Server } from '../../src/server/server.ts';
import { sleep } from '../support/ports.ts';
import { Wire } from '../support/wire.ts';
import { converse, eventually, fields, type Running, start } from './support.ts';

let running: Running;
beforeAll(async () => {
  running = await start();
});
afterAll(() => running.stop());
beforeEach(async () => {
  for (const db of running.engine.space.dbs) db.clear();
  await eventually('earlier clients are gone', () => running.engine.sessions.size === 0);
});

describe('a pipeline', () => {
  it('behind a command that waits keeps its order', async () => {
    const wire = await running.connect();
    const other = await running.connect();
    for (const command of [
      ['SET', 'k', '1'],
      ['BLPOP', 'l', '0'],
      ['INCR', 'k'],
      ['BLPOP', 'l', '0'],
      ['GET', 'k'],
    ]) {
      wire.send(...command);
    }
    await wire.replies(1);
    await eventually('it waits', async () =>
      (await other.call('INFO', 'clients')).text.includes('blocked_clients:1'),
    );
    expect((await other.call('GET', 'k')).text).toBe('1');
    await other.call('RPUSH', 'l', 'a', 'b');
    const rest = (await wire.replies(4)).map(String);
    expect(rest).toEqual([
      '*2\r\n$1\r\nl\r\n$1\r\na\r\n',
      ':2\r\n',
      '*2\r\n$1\r\nl\r\n$1\r\nb\r\n',
      '$1\r\n2\r\n',
    ]);
    wire.close();
    other.close();
  });

  it('of megabytes behind a command that waits is held back, then answered', async () => {
    const wire = await running.connect();
    const other = await running.connect();
    wire.send('BLPOP', 'l', '0');
    const count = 3000;
    for (let i = 0; i < count; i++) wire.send('ECHO', String(i).padStart(1000, '.'));
    await eventually('input piles up', () =>
      [...running.engine.sessions.values()].some((session) => session.info.queryBuffer() > 1024 * 1024),
    );
    const held = [...running.engine.sessions.values()].map((session) => session.info.queryBuffer());
    expect(Math.max(...held)).toBeLessThan(2 * 1024 * 1024);
    await other.call('RPUSH', 'l', 'a');
    const replies = await wire.replies(count + 1, 20_000);
    expect(replies[0].toString()).toBe('*2\r\n$1\r\nl\r\n$1\r\na\r\n');
    expect(replies[count].toString()).toMatch(/\.2999\r\n$/);
    wire.close();
    other.close();
  });

  it('of many thousand commands is answered in full', async () => {
    const wire = await running.connect();
    const count = 20_000;
    let text = '';
    for (let i = 0; i < count; i++) text += `*2\r\n$4\r\nECHO\r\n$${String(i).length}\r\n${i}\r\n`;
    wire.write(text);
    const replies = await wire.replies(count, 20_000);
    expect(replies.at(-1)?.toString()).toBe('$5\r\n19999\r\n');
    expect(replies[12_345].toString()).toBe('$5\r\n12345\r\n');
    wire.close();
  });
});

describe('the end of a connection', () => {
  it('of a client that has said all still brings its replies', async () => {
    expect(await converse(running.port, 'SET k v\r\nGET k\r\n')).toBe('+OK\r\n$1\r\nv\r\n');
  });

  it('right behind a read that fills the buffer loses no reply', async () => {
    const stream = `${'PING\r\n'.repeat(10_922)}\r\n\r\n`;
    expect(stream.length).toBe(65_536);
    for (let i = 0; i < 10; i++) {
      expect((await converse(running.port, stream)).length).toBe(10_922 * 7);
    }
  });

  it('in the middle of a request leaves nothing', async () => {
    expect(await converse(running.port, '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\nabc')).toBe('');
    await eventually('the session is gone', () => running.engine.sessions.size === 0);
    expect(running.engine.space.dbs[0].size).toBe(0);
  });

  it('by reset in the middle of a bulk, of a transaction and of a wait is survived', async () => {
    for (const text of [
      '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc',
      'WATCH w\r\nMULTI\r\nSET k v\r\n',
      'BLPOP l 0\r\n',
      'SUBSCRIBE news\r\n',
    ]) {
      const socket = net.connect({ port: running.port, host: '127.0.0.1' });
      socket.on('error', () => {});
      socket.write(text);
      await eventually('it is connected', () => running.engine.sessions.size === 1);
      await sleep(20);
      socket.resetAndDestroy();
      await eventually(
        `the session of ${JSON.stringify(text)} is gone`,
        () => running.engine.sessions.size === 0,
      );
    }
    const wire = await running.connect();
    expect((await wire.call('RPUSH', 'l', 'a')).text).toBe('1');
    // Nobody took the element: the one that waited was gone.
    expect((await wire.call('LLEN', 'l')).text).toBe('1');
    expect((await wire.call('PUBLISH', 'news', 'x')).text).toBe('0');
    expect((await wire.call('EXISTS', 'k')).text).toBe('0');
    wire.close();
  });

  it('by QUIT comes behind the replies, and nothing after it runs', async () => {
    expect(await converse(running.port, 'SET k 1\r\nQUIT\r\nSET k 2\r\n')).toBe('+OK\r\n+OK\r\n');
    expect(await converse(running.port, 'MULTI\r\nSET k 3\r\nQUIT\r\nEXEC\r\n')).toBe(
      '+OK\r\n+QUEUED\r\n+OK\r\n',
    );
    expect(await converse(running.port, 'GET k\r\n')).toBe('$1\r\n1\r\n');
  });

  it('RESET brings back a new connection', async () => {
    const wire = await running.connect();
    await wire.call('HELLO', '3', 'SETNAME', 'me');
    await wire.call('SELECT', '2');
    wire.send('SUBSCRIBE', 'news');
    await wire.waitPushes(1);
    await wire.call('MULTI');
    expect((await wire.call('RESET')).text).toBe('RESET');
    const info = fields((await wire.call('CLIENT', 'INFO')).text);
    expect(info).toMatchObject({ name: '', db: '0', sub: '0', multi: '-1', resp: '2' });
    expect((await wire.call('GET', 'nosuch')).kind).toBe('nullbulk');
    wire.close();
  });
});

describe('CLIENT', () => {
  it('LIST and INFO tell of each connection', async () => {
    const a = await running.connect();
    const b = await running.connect();
    await a.call('CLIENT', 'SETNAME', 'alice');
    await a.call('CLIENT', 'SETINFO', 'LIB-NAME', 'lib');
    await a.call('SELECT', '3');
    await a.call('MULTI');
    await a.call('SET', 'key', 'value');
    b.send('SUBSCRIBE', 'c1', 'c2');
    await b.waitPushes(2);
    const control = await running.connect();
    const list = (await control.call('CLIENT', 'LIST')).text.trimEnd().split('\n').map(fields);
    expect(list).toHaveLength(3);
    const [first, second, third] = list;
    expect(Object.keys(first)).toEqual(
      'id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver'.split(
        ' ',
      ),
    );
    expect(first).toMatchObject({
      name: 'alice',
      flags: 'x',
      db: '3',
      multi: '1',
      cmd: 'set',
      user: 'default',
    });
    expect(first).toMatchObject({ 'lib-name': 'lib', laddr: `127.0.0.1:${running.port}`, resp: '2' });
    expect(Number(first['multi-mem'])).toBeGreaterThan(0);
    expect(second).toMatchObject({ flags: 'P', sub: '2', cmd: 'subscribe' });
    expect(third).toMatchObject({ flags: 'N', cmd: 'client|list' });
    expect(Number(third.fd)).toBeGreaterThan(2);
    expect(Number(first.id)).toBeLessThan(Number(second.id));
    expect((await control.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).text).toContain(`id=${second.id} `);
    expect(
      (await control.call('CLIENT', 'LIST', 'ID', first.id, third.id)).text.trimEnd().split('\n'),
    ).toHaveLength(2);
    for (const wire of [a, b, control]) wire.close();
  });

  it('KILL closes others, and oneself behind the reply', async () => {
    const a = await running.connect();
    const b = await running.connect();
    const control = await running.connect();
    const id = (await a.call('CLIENT', 'ID')).text;
    const address = fields((await b.call('CLIENT', 'INFO')).text).addr;
    b.send('BLPOP', 'l', '0');
    expect((await control.call('CLIENT', 'KILL', 'ID', id)).text).toBe('1');
    expect(await a.waitClosed(2000)).toBe(true);
    expect((await control.call('CLIENT', 'KILL', address)).text).toBe('OK');
    expect(await b.waitClosed(2000)).toBe(true);
    expect((await control.call('CLIENT', 'KILL', address)).text).toBe('ERR No such client');
    expect((await control.call('CLIENT', 'KILL', 'TYPE', 'normal')).text).toBe('0');
    await control.call('RPUSH', 'l', 'x');
    expect((await control.call('LLEN', 'l')).text).toBe('1');
    control.send('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no');
    control.send('SET', 'k', 'never');
    expect(String((await control.replies(1))[0])).toBe(':1\r\n');
    expect(await control.waitClosed(2000)).toBe(true);
    expect(running.engine.space.dbs[0].size).toBe(1);
  });

  it.each([
    ['CLIENT REPLY OFF\r\nPING\r\nSET k v\r\nCLIENT REPLY ON\r\nPING\r\n', '+OK\r\n+PONG\r\n'],
    ['CLIENT REPLY SKIP\r\nPING\r\nPING x\r\n', '$1\r\nx\r\n'],
    ['CLIENT REPLY OFF\r\nCLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n', '+OK\r\n+PONG\r\n'],
    ['CLIENT REPLY OFF\r\nRESET\r\nPING\r\n', '+RESET\r\n+PONG\r\n'],
    ['CLIENT REPLY OFF\r\n*1\r\n$x\r\n', ''],
    ['CLIENT REPLY maybe\r\n', '-ERR syntax error\r\n'],
  ])('%j', async (stream, answer) => {
    expect(await converse(running.port, stream)).toBe(answer);
  });
});

describe('a unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-unix-'));
  const path = join(folder, 's');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('serves, has the permissions asked for, and goes with the server', async () => {
    const server = new Server(new Engine({ config: { 'enable-debug-command': 'local' } }));
    await server.listen({ unixSocket: path, unixSocketPermissions: 0o700 });
    expect(statSync(path).mode & 0o777).toBe(0o700);
    const wire = await Wire.open({ path });
    expect((await wire.call('PING')).text).toBe('PONG');
    expect(fields((await wire.call('CLIENT', 'INFO')).text)).toMatchObject({ addr: `${path}:0`, flags: 'U' });
    expect((await wire.call('DEBUG', 'SLEEP', '0')).text).toBe('OK');
    await server.close();
    expect(await wire.waitClosed(1000)).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  it('takes the place of what a dead server left, never of a live one', async () => {
    const first = new Server(new Engine());
    await first.listen({ unixSocket: path });
    const second = new Server(new Engine());
    await expect(second.listen({ unixSocket: path })).rejects.toThrow('EADDRINUSE');
    const wire = await Wire.open({ path });
    expect((await wire.call('PING')).text).toBe('PONG');
    wire.close();
    await first.close();

    writeFileSync(path, 'a file of somebody');
    await expect(second.listen({ unixSocket: path })).rejects.toThrow('EADDRINUSE');
    expect(existsSync(path)).toBe(true);
  });
});

describe('listening', () => {
  it('on several addresses, of which some may be missing', async () => {
    const server = new Server(new Engine());
    await server.listen({ port: 0, bind: ['127.0.0.1', '127.0.0.2', '-2001:db8::1'] });
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const wire = await Wire.open({ port: server.port, host });
      expect((await wire.call('PING')).text).toBe('PONG');
      wire.close();
    }
    await server.close();
    await expect(new Server(new Engine()).listen({ port: 0, bind: ['2001:db8::1'] })).rejects.toThrow(
      'EADDRNOTAVAIL',
    );
  });

  it('ends with every reply out', async () => {
    const own = await start();
    const wire = await own.connect();
    await wire.call('SET', 'big', 'x'.repeat(300_000));
    wire.send('GET', 'big');
    await eventually('the reply is written', () => own.engine.stats.netOutput > 300_000);
    await own.server.close();
    expect((await wire.replies(1))[0].length).toBeGreaterThan(300_000);
    expect(await wire.waitClosed(1000)).toBe(true);
    await own.stop();
  });
});
