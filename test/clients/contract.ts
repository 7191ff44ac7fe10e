// One contract that every client library must find kept: what its own methods do against Holdfast. A library is a
// Driver of a few lines (ioredis.test.ts, node-redis.test.ts); what differs between libraries is only there.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, open } from '../../src/index.ts';
import { listen, type Server } from '../../src/server/index.ts';

export type Word = string | number | Buffer;

/** Where the server of a test is. */
export interface Place {
  readonly port: number;
  readonly unixSocket: string;
  readonly db: Database;
}

/** One connection of a library, by the library's own methods. */
export interface Driver {
  /** Once the library calls itself ready. */
  ready(): Promise<void>;
  set(key: string | Buffer, value: string | Buffer): Promise<unknown>;
  get(key: string): Promise<string | null>;
  getBytes(key: string): Promise<Buffer | null>;
  hgetall(key: string): Promise<Record<string, string>>;
  /** Any command; error replies reject. */
  call(...words: string[]): Promise<unknown>;
  /** All at once; an error is an element. */
  pipeline(commands: string[][]): Promise<unknown[]>;
  watch(key: string): Promise<unknown>;
  /** MULTI, the commands, EXEC; null when a watched key changed. Rejects when EXEC refuses. */
  transaction(commands: string[][]): Promise<unknown[] | null>;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  psubscribe(pattern: string, listener: (message: string, channel: string) => void): Promise<void>;
  unsubscribe(): Promise<void>;
  /** Key and value, null after the timeout. */
  blpop(key: string, seconds: number): Promise<[string, string] | null>;
  scan(match: string, count: number): Promise<string[]>;
  hscan(key: string): Promise<Record<string, string>>;
  zscan(key: string): Promise<[member: string, score: number][]>;
  info(): Promise<string>;
  /** The `name` of every connection. */
  clientNames(): Promise<string[]>;
  /** Is it the library's class for an error that the server answered? */
  isReplyError(error: unknown): boolean;
  /** Resolves when it is ready again after its connection was lost. */
  again(): Promise<void>;
  quit(): Promise<unknown>;
  disconnect(): void;
}

export interface Library {
  readonly title: string;
  /** Its stream is in memory: no server has to be restarted for it. */
  readonly inMemory?: boolean;
  open(place: Place): Driver;
}

export function contract({ title, inMemory = false, open: openDriver }: Library): void {
  describe(title, () => {
    let place: Place;
    let server: Server;
    let folder: string;
    let drivers: Driver[] = [];
    let client: Driver;

    async function connect(): Promise<Driver> {
      const driver = openDriver(place);
      drivers.push(driver);
      await driver.ready();
      return driver;
    }

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'holdfast-clients-'));
      const unixSocket = join(folder, 'socket');
      const db = await open({ seed: 1 });
      server = await listen(db, { port: 0, unixSocket });
      place = { port: server.port, unixSocket, db };
    });
    beforeEach(async () => {
      place.db.flushall();
      client = await connect();
    });
    afterEach(() => {
      for (const driver of drivers) driver.disconnect();
      drivers = [];
    });
    afterAll(async () => {
      await server.close();
      place.db.close();
      rmSync(folder, { recursive: true });
    });

    it('connects, is ready, sets and gets', async () => {
      await client.set('naïve', 'été €');
      expect(await client.get('naïve')).toBe('été €');
      expect(place.db.get('naïve')).toBe('été €');
      expect(await client.get('missing')).toBeNull();
      expect(await client.call('INCRBY', 'n', '5')).toBe(5);
    });

    it('carries every byte in keys and values', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      await client.set(bytes, 'by bytes');
      expect(place.db.get(bytes)).toBe('by bytes');
      await client.set('bytes', bytes);
      expect(await client.getBytes('bytes')).toEqual(bytes);
      expect(await client.getBytes('missing')).toBeNull();
    });

    it('gives hashes as objects', async () => {
      place.db.hset('h', 'a', 1, 'b', 'two');
      expect({ ...(await client.hgetall('h')) }).toEqual({ a: '1', b: 'two' });
    });

    it('runs a pipeline of 10,000 commands', async () => {
      const commands = Array.from({ length: 10_000 }, (_, i) =>
        i === 5000 ? ['LPUSH', 'n', 'x'] : ['INCR', 'n'],
      );
      const replies = await client.pipeline(commands);
      expect(replies).toHaveLength(10_000);
      expect(String(replies[5000])).toContain('WRONGTYPE');
      expect(replies[4999]).toBe(5000);
      expect(replies[9999]).toBe(9999);
    });

    it('commits a transaction', async () => {
      const commands = [
        ['SET', 'a', '1'],
        ['INCR', 'a'],
        ['RPUSH', 'list', 'x', 'y'],
        ['LRANGE', 'list', '0', '-1'],
      ];
      expect(await client.transaction(commands)).toEqual(['OK', 2, 2, ['x', 'y']]);
    });

    it('is told of a conflict with a watched key', async () => {
      await client.set('stock', '1');
      await client.watch('stock');
      place.db.decr('stock');
      expect(await client.transaction([['SET', 'order', 'mine']])).toBeNull();
      expect(place.db.exists('order')).toBe(0);
      // The watch is used up.
      expect(await client.transaction([['SET', 'order', 'mine']])).toEqual(['OK']);
    });

    it('is told of EXECABORT and of errors inside EXEC', async () => {
      const refused = client.transaction([
        ['SET', 'a', '1'],
        ['NOSUCH', 'x'],
      ]);
      const error = await refused.then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(client.isReplyError(error)).toBe(true);
      expect(place.db.exists('a')).toBe(0);
      // The connection is in order and outside of any transaction.
      expect(await client.call('SET', 'a', 'text')).toBe('OK');
    });

    it('gets messages of channels and patterns', async () => {
      const subscriber = await connect();
      const seen: string[] = [];
      await subscriber.subscribe('news', (message) => seen.push(`news: ${message}`));
      await subscriber.psubscribe('n*', (message, channel) => seen.push(`n* of ${channel}: ${message}`));
      expect(await client.call('PUBLISH', 'news', 'hello')).toBe(2);
      expect(await client.call('PUBLISH', 'nothing', 'é')).toBe(1);
      await until(() => seen.length >= 3);
      expect(seen.sort()).toEqual(['n* of news: hello', 'n* of nothing: é', 'news: hello']);
      await subscriber.unsubscribe();
      expect(await client.call('PUBLISH', 'news', 'nobody')).toBe(0);
    });

    it('gets keyspace events', async () => {
      await client.call('CONFIG', 'SET', 'notify-keyspace-events', 'KEA');
      const subscriber = await connect();
      const seen: string[] = [];
      await subscriber.psubscribe('__key*__:*', (message, channel) => seen.push(`${channel} ${message}`));
      await client.set('k', 'v');
      await client.call('DEL', 'k');
      await until(() => seen.length >= 4);
      await client.call('CONFIG', 'SET', 'notify-keyspace-events', '');
      expect(seen).toEqual([
        '__keyspace@0__:k set',
        '__keyevent@0__:set k',
        '__keyspace@0__:k del',
        '__keyevent@0__:del k',
      ]);
    });

    it('waits in a blocking pop until it is served, or its time is over', async () => {
      expect(await client.blpop('jobs', 0.05)).toBeNull();
      const waiting = client.blpop('jobs', 10);
      const other = await connect();
      await other.call('RPUSH', 'jobs', 'first', 'second');
      expect(await waiting).toEqual(['jobs', 'first']);
      expect(await client.blpop('jobs', 1)).toEqual(['jobs', 'second']);
    });

    it('iterates over keys, hashes and sorted sets', async () => {
      const names = Array.from({ length: 1000 }, (_, i) => `user:${i}`);
      for (const name of names) {
        place.db.set(name, 1);
        place.db.hset('h', name, 'v');
        place.db.zadd('z', names.indexOf(name) + 0.5, name);
      }
      place.db.set('other', 1);
      const found = await client.scan('user:*', 100);
      expect([...new Set(found)].sort()).toEqual([...names].sort());
      expect(Object.keys(await client.hscan('h')).sort()).toEqual([...names].sort());
      const scores = new Map(await client.zscan('z'));
      expect(scores.size).toBe(1000);
      expect(scores.get('user:7')).toBe(7.5);
    });

    it('carries values of 5 MB', async () => {
      const big = Buffer.alloc(5 * 1024 * 1024, 'holdfast ');
      await client.set('big', big);
      const back = await client.getBytes('big');
      expect(back?.equals(big)).toBe(true);
      expect(await client.call('STRLEN', 'big')).toBe(big.length);
    });

    it("throws the library's error for an error reply", async () => {
      await client.set('text', 'abc');
      const error = await client.call('INCR', 'text').then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(client.isReplyError(error)).toBe(true);
      expect((error as Error).message).toBe('ERR value is not an integer or out of range');
    });

    it('reads INFO and CLIENT LIST', async () => {
      const info = await client.info();
      expect(info).toMatch(/^# Server\r\nredis_version:7\.2\.4\r\n/);
      expect(info).toMatch(/\r\nloading:0\r\n/);
      await client.call('CLIENT', 'SETNAME', 'reader');
      expect(await client.clientNames()).toContain('reader');
    });

    it('comes back after its connection was closed', async () => {
      const id = String(await client.call('CLIENT', 'ID'));
      const back = client.again();
      expect(place.db.clientKill('ID', id)).toBe(1);
      await back;
      expect(await client.call('CLIENT', 'ID')).not.toBe(Number(id));
    });

    it.skipIf(inMemory)('comes back after the server was restarted on the same port', async () => {
      await client.set('kept', 'by the database');
      const back = client.again();
      await server.close();
      server = await listen(place.db, { port: place.port, unixSocket: place.unixSocket });
      await back;
      expect(await client.get('kept')).toBe('by the database');
    });

    it('quits, and the session is gone', async () => {
      const id = String(await client.call('CLIENT', 'ID'));
      const observer = await connect();
      await client.set('last', 'word');
      await client.quit();
      await untilAsync(async () => (await observer.call('CLIENT', 'LIST', 'ID', id)) === '');
      expect(place.db.get('last')).toBe('word');
    });

    it('disconnects, and its wait is over', async () => {
      const id = String(await client.call('CLIENT', 'ID'));
      const waiting = client.blpop('jobs', 0).catch(() => 'gone');
      await untilAsync(async () => /flags=b/.test(place.db.clientList('ID', id)));
      client.disconnect();
      expect(await waiting).toBe('gone');
      await untilAsync(async () => place.db.clientList('ID', id) === '');
      expect(place.db.rpush('jobs', 'stays')).toBe(1);
      expect(place.db.llen('jobs')).toBe(1);
    });
  });
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Waits until it holds; a test's own limit ends it. */
export async function untilAsync(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(5);
}

const until = (holds: () => boolean): Promise<void> => untilAsync(async () => holds());
