// A server whose disk takes its time: who has to wait for it under `appendfsync always`, and who has not; what clients
// see when it fails. The storage is real but for its syncs, which the test lets go one by one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { type Persistence, persist } from '../../src/engine/persistent.ts';
import { Server } from '../../src/server/server.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { type Storage, StorageError, type StorageFile } from '../../src/storage/port.ts';
import { deaf } from '../support/deaf.ts';
import { Wire } from '../support/wire.ts';

/** Syncs of the log end when the test says so. */
class Disk {
  held: { resolve(): void; reject(error: Error): void }[] = [];
  slow = false;
  full = false;
  readonly storage: Storage;

  constructor() {
    const inner = memoryStorage();
    this.storage = {
      ...inner,
      name: inner.name,
      list: (folder) => inner.list(folder),
      makeFolder: (folder) => inner.makeFolder(folder),
      rename: (from, to) => inner.rename(from, to),
      remove: (path) => inner.remove(path),
      syncFolder: (folder) => inner.syncFolder(folder),
      lock: () => inner.lock(),
      open: async (path, mode) => this.wrap(path, await inner.open(path, mode)),
    };
  }

  private wrap(path: string, file: StorageFile): StorageFile {
    const disk = this;
    return {
      get size() {
        return file.size;
      },
      read: (position, into) => file.read(position, into),
      append(data) {
        if (disk.full) throw new StorageError('ENOSPC', 'append', path);
        return file.append(data);
      },
      appendDurably: (data) => file.appendDurably(data),
      async sync() {
        if (disk.slow) await new Promise<void>((resolve, reject) => disk.held.push({ resolve, reject }));
        await file.sync();
      },
      truncate: (size) => file.truncate(size),
      close: () => file.close(),
    };
  }

  async sync(): Promise<{ resolve(): void; reject(error: Error): void }> {
    for (let i = 0; i < 500 && this.held.length === 0; i++) await turn();
    const next = this.held.shift();
    if (next === undefined) throw new Error('nothing was synced');
    return next;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

/** Whether a reply comes while the disk stands still. */
async function comes(reply: Promise<{ text: string }>): Promise<string | null> {
  return Promise.race([
    reply.then(({ text }) => text),
    new Promise<null>((resolve) => setTimeout(() => resolve(null), 60)),
  ]);
}

let disk: Disk;
let engine: Engine;
let persistence: Persistence;
let server: Server;
const wires: Wire[] = [];

async function start(policy: string): Promise<void> {
  disk = new Disk();
  engine = new Engine({ config: { appendonly: 'yes', appendfsync: policy } });
  persistence = await persist(engine, disk.storage);
  server = new Server(engine);
  await server.listen({ port: 0 });
}

async function client(): Promise<Wire> {
  const wire = await Wire.open({ port: server.port });
  wires.push(wire);
  return wire;
}

afterEach(async () => {
  disk.slow = false;
  for (const { resolve } of disk.held.splice(0)) resolve();
  for (const wire of wires.splice(0)) wire.close();
  await server.close();
  await persistence.close().catch(() => {});
});

describe('appendfsync always', () => {
  beforeEach(() => start('always'));

  it('a writer waits until its change is on disk, a reader of other keys does not', async () => {
    const [writer, reader] = [await client(), await client()];
    await writer.call('SET', 'other', '1');
    disk.slow = true;
    const reply = writer.call('SET', 'k', 'v');
    const sync = await disk.sync();
    expect(await comes(reply)).toBeNull();
    expect((await reader.call('GET', 'other')).text).toBe('1');
    sync.resolve();
    expect((await reply).text).toBe('OK');
  });

  it.each([
    ['GET', 'k'],
    ['EXISTS', 'k'],
    ['DBSIZE'],
    ['KEYS', '*'],
    ['EVAL', "return redis.call('GET', 'k')", '0'],
    ['TTL', 'k'],
  ])('%s, which sees the change, waits as well', async (...command) => {
    const [writer, reader] = [await client(), await client()];
    disk.slow = true;
    const written = writer.call('SET', 'k', 'v');
    const sync = await disk.sync();
    const read = reader.call(...command);
    expect(await comes(read)).toBeNull();
    sync.resolve();
    await Promise.all([written, read]);
  });

  it('so does who sees that a key is gone, or that all are', async () => {
    const [writer, reader] = [await client(), await client()];
    await writer.call('MSET', 'a', '1', 'b', '2');
    disk.slow = true;
    const deleted = writer.call('DEL', 'a');
    let sync = await disk.sync();
    const first = reader.call('GET', 'a');
    expect(await comes(first)).toBeNull();
    sync.resolve();
    await Promise.all([deleted, first]);
    const flushed = writer.call('FLUSHALL');
    sync = await disk.sync();
    const second = reader.call('GET', 'b');
    expect(await comes(second)).toBeNull();
    sync.resolve();
    await Promise.all([flushed, second]);
  });

  it('so does who sees what was done in process, or by a script that ran for long', async () => {
    const reader = await client();
    const inside = engine.connect(deaf);
    disk.slow = true;
    engine.execute(inside, ['SET', 'k', 'v']);
    const first = reader.call('GET', 'k');
    expect(await comes(first)).toBeNull();
    (await disk.sync()).resolve();
    expect((await first).text).toBe('v');
    const writer = await client();
    const long = "redis.call('SET', 'k', 'w') for i = 1, 4000000 do local x = i % 7 end";
    const written = writer.call('EVAL', long, '0');
    const sync = await disk.sync();
    const second = reader.call('GET', 'k');
    expect(await comes(second)).toBeNull();
    sync.resolve();
    expect((await second).text).toBe('w');
    await written;
  });

  it('what comes while a sync is under way shares the next one', async () => {
    const [a, b, c] = [await client(), await client(), await client()];
    disk.slow = true;
    const first = a.call('INCR', 'a');
    const sync = await disk.sync();
    const others = [b.call('INCR', 'b'), c.call('INCR', 'c')];
    await turn();
    sync.resolve();
    await first;
    (await disk.sync()).resolve();
    expect((await Promise.all(others)).map(({ text }) => text)).toEqual(['1', '1']);
    expect(disk.held).toEqual([]);
  });

  it('replies of a pipeline stay in order, and those before the write need not wait', async () => {
    const wire = await client();
    disk.slow = true;
    wire.send('PING');
    wire.send('SET', 'k', 'v');
    wire.send('PING');
    expect((await wire.reply()).text).toBe('PONG');
    const set = wire.reply();
    const sync = await disk.sync();
    expect(await comes(set)).toBeNull();
    sync.resolve();
    expect((await set).text).toBe('OK');
    expect((await wire.reply()).text).toBe('PONG');
  });

  it('a waiter that another wakes is told once the element is safe', async () => {
    const [waiter, pusher] = [await client(), await client()];
    const popped = waiter.call('BLPOP', 'q', '0');
    await turn();
    disk.slow = true;
    const pushed = pusher.call('RPUSH', 'q', 'x');
    const sync = await disk.sync();
    expect(await comes(popped)).toBeNull();
    sync.resolve();
    await Promise.resolve();
    for (let i = 0; i < 20 && disk.held.length === 0; i++) await turn();
    for (const { resolve } of disk.held.splice(0)) resolve();
    expect((await popped).items.map(({ text }) => text)).toEqual(['q', 'x']);
    await pushed;
  });

  it('a client that says QUIT behind a write gets both replies', async () => {
    const wire = await client();
    disk.slow = true;
    wire.send('SET', 'k', 'v');
    wire.send('QUIT');
    (await disk.sync()).resolve();
    expect((await wire.reply()).text).toBe('OK');
    expect((await wire.reply()).text).toBe('OK');
  });

  it('after a sync that failed nobody is acknowledged, writes are refused, and a rewrite mends it', async () => {
    const [writer, other] = [await client(), await client()];
    await writer.call('SET', 'safe', '1');
    disk.slow = true;
    const lost = writer.call('SET', 'k', 'v');
    (await disk.sync()).reject(new StorageError('EIO', 'sync', 'the log'));
    disk.slow = false;
    await expect(lost).rejects.toThrow();
    expect((await other.call('SET', 'x', '1')).text).toBe(
      'MISCONF Errors writing to the AOF file: Input/output error',
    );
    expect((await other.call('EVAL', "return redis.call('SET', 'x', '1')", '0')).text).toMatch(/^MISCONF/);
    expect((await other.call('PING')).text).toMatch(/^MISCONF/);
    expect((await other.call('GET', 'safe')).text).toBe('1');
    expect((await other.call('BGREWRITEAOF')).kind).toBe('status');
    for (let i = 0; i < 200 && engine.writeRefusal !== null; i++) await turn();
    expect((await other.call('SET', 'x', '1')).text).toBe('OK');
    expect((await other.call('GET', 'k')).text).toBe('v');
  });

  it('a full disk refuses writes until there is room', async () => {
    const [writer, other] = [await client(), await client()];
    disk.full = true;
    await expect(writer.call('SET', 'k', 'v')).rejects.toThrow();
    expect((await other.call('SET', 'x', '1')).text).toMatch(/^MISCONF .* No space left on device$/);
    disk.full = false;
    for (let i = 0; i < 500 && engine.writeRefusal !== null; i++) await turn();
    expect((await other.call('SET', 'x', '1')).text).toBe('OK');
  });
});

describe('appendfsync everysec', () => {
  beforeEach(() => start('everysec'));

  it('nobody waits for the disk', async () => {
    const wire = await client();
    disk.slow = true;
    expect((await wire.call('SET', 'k', 'v')).text).toBe('OK');
    expect((await wire.call('GET', 'k')).text).toBe('v');
  });

  it('INFO tells how it stands, and writes are refused while they cannot be kept', async () => {
    const wire = await client();
    await wire.call('SET', 'k', 'v');
    expect((await wire.call('INFO', 'persistence')).text).toContain('aof_last_write_status:ok');
    disk.full = true;
    await wire.call('SET', 'k', 'w');
    expect((await wire.call('SET', 'k', 'x')).text).toMatch(/^MISCONF/);
    disk.full = false;
    for (let i = 0; i < 500 && engine.writeRefusal !== null; i++) await turn();
    expect((await wire.call('GET', 'k')).text).toBe('w');
    expect((await wire.call('SET', 'k', 'y')).text).toBe('OK');
  });
});
