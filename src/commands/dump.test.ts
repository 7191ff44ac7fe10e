import { expect, it } from 'vitest';
import { bytesOf, SAMPLES } from '../../test/support/rdb-samples.ts';
import { onEveryTarget, type Target } from '../../test/support/targets.ts';
import { Crc64 } from '../data/crc64.ts';
import { Database } from '../engine/database.ts';
import { VirtualClock } from '../engine/ports.ts';
import { Type } from '../persistence/rdb/format.ts';

const clock = new VirtualClock();

/** SET k v, then DUMP, on redis-server 7.0.15. */
const OF_V = '\0\x01v\x0a\0\x91\x08\xce\xb2\x198\x8a\xce';
const WRONG_FOOTER = 'ERR DUMP payload version or checksum are wrong';
const BAD_FORMAT = 'ERR Bad data format';

/** A payload with a right checksum around any body. */
function sealed(body: string, version = 10): string {
  const bytes = Buffer.concat([bytesOf(body), Buffer.alloc(10)]);
  bytes.writeUInt16LE(version, body.length);
  new Crc64().add(bytes, 0, body.length + 2).write(bytes, body.length + 2);
  return bytes.toString('latin1');
}

const STREAM = SAMPLES.find(({ type }) => type === Type.stream2)!;

/** Events of the changes that `work` makes. */
async function eventsOf(t: Target, work: () => Promise<unknown>): Promise<string[]> {
  const events: string[] = [];
  const stop = t.engine.effects.onChanges((changes) => {
    for (const { event, key } of changes) events.push(`${event} ${key}`);
  });
  await work();
  stop();
  return events;
}

/** What the log gets of `work`. */
async function logOf(t: Target, work: () => Promise<unknown>): Promise<string[][]> {
  const log: string[][] = [];
  t.engine.effects.onUnit = (ops) => log.push(...ops.map(({ args }) => [...args]));
  await work();
  t.engine.effects.onUnit = null;
  return log;
}

onEveryTarget(
  'dump',
  (t) => {
    it('DUMP answers what Redis answers, and null for a key that is not there', async () => {
      await t.call('SET', 'k', 'v');
      expect(await t.call('DUMP', 'k')).toBe(OF_V);
      expect(await t.call('DUMP', 'missing')).toBeNull();
    });

    it('RESTORE makes the key that DUMP was given', async () => {
      const keys: [make: string[], read: string[]][] = [
        [
          ['SET', 'k', '\xff\0long'.repeat(20)],
          ['GET', 'k'],
        ],
        [
          ['RPUSH', 'k', 'a', '1', ''],
          ['LRANGE', 'k', '0', '-1'],
        ],
        [
          ['SADD', 'k', '1', '3', '2'],
          ['SMEMBERS', 'k'],
        ],
        [
          ['SADD', 'k', 'b', 'a'],
          ['SMEMBERS', 'k'],
        ],
        [
          ['HSET', 'k', 'f', 'v', 'g', '1'],
          ['HGETALL', 'k'],
        ],
        [
          ['ZADD', 'k', '1.5', 'a', '-inf', 'b'],
          ['ZRANGE', 'k', '0', '-1', 'WITHSCORES'],
        ],
      ];
      for (const [make, read] of keys) {
        await t.call('DEL', 'k');
        await t.call(...make);
        const before = await t.call(...read);
        const payload = (await t.call('DUMP', 'k')) as string;
        await t.call('DEL', 'k');
        expect(await t.call('RESTORE', 'k', '0', payload)).toBe('OK');
        expect(await t.call(...read)).toEqual(before);
        expect(await t.call('PTTL', 'k')).toBe(-1);
      }
    });

    it('RESTORE takes a lifetime or, with ABSTTL, a time', async () => {
      await t.call('RESTORE', 'k', '5000', OF_V);
      expect(await t.call('PTTL', 'k')).toBe(5000);
      await t.call('RESTORE', 'j', clock.now() + 700, OF_V, 'absttl');
      expect(await t.call('PTTL', 'j')).toBe(700);
      expect(await t.call('RESTORE', 'over', clock.now(), OF_V, 'ABSTTL')).toBe('OK');
      expect(await t.call('RESTORE', 'over', '1', OF_V, 'ABSTTL', 'REPLACE')).toBe('OK');
      // As in C, what does not fit 64 bits is over.
      expect(await t.call('RESTORE', 'over', '9223372036854775807', OF_V)).toBe('OK');
      expect(await t.call('EXISTS', 'over')).toBe(0);
    });

    it('RESTORE replaces only when it is told to', async () => {
      await t.call('RPUSH', 'k', 'a');
      await t.call('EXPIRE', 'k', '100');
      expect(await t.fails('RESTORE', 'k', '-1', 'x')).toBe('BUSYKEY Target key name already exists.');
      expect(await eventsOf(t, () => t.call('RESTORE', 'k', '0', OF_V, 'REPLACE'))).toEqual(['restore k']);
      expect(await t.call('GET', 'k')).toBe('v');
      expect(await t.call('TTL', 'k')).toBe(-1);
      const over = () => t.call('RESTORE', 'k', '1', OF_V, 'REPLACE', 'ABSTTL');
      expect(await eventsOf(t, over)).toEqual(['del k']);
      expect(await eventsOf(t, over)).toEqual([]);
      await t.call('SET', 'k', 'v');
      expect(await t.fails('RESTORE', 'k', '0', 'x', 'REPLACE')).toBe(WRONG_FOOTER);
      expect(await t.call('GET', 'k')).toBe('v');
    });

    it('RESTORE sets the idle time', async () => {
      await t.call('RESTORE', 'k', '0', OF_V, 'IDLETIME', '100');
      expect(await t.call('OBJECT', 'IDLETIME', 'k')).toBe(100);
      await t.call('RESTORE', 'k', '0', OF_V, 'FREQ', '7', 'REPLACE');
      expect(await t.call('OBJECT', 'IDLETIME', 'k')).toBe(0);
    });

    it('RESTORE FREQ sets the counter of the LFU policies', async () => {
      await t.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
      try {
        await t.call('RESTORE', 'k', '0', OF_V, 'FREQ', '7');
        expect(await t.call('OBJECT', 'FREQ', 'k')).toBe(7);
      } finally {
        await t.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      }
    });

    it('RESTORE refuses what is wrong, in the order of Redis', async () => {
      const fails = (...args: string[]) => t.fails('RESTORE', 'new', ...args);
      expect(await t.fails('RESTORE', 'new', '0')).toBe(
        "ERR wrong number of arguments for 'restore' command",
      );
      expect(await fails('x', 'x', 'bogus')).toBe('ERR syntax error');
      expect(await fails('0', OF_V, 'IDLETIME')).toBe('ERR syntax error');
      expect(await fails('0', OF_V, 'IDLETIME', '1', 'FREQ', '1')).toBe('ERR syntax error');
      expect(await fails('0', OF_V, 'IDLETIME', 'x')).toBe('ERR value is not an integer or out of range');
      expect(await fails('0', OF_V, 'IDLETIME', '-1')).toBe('ERR Invalid IDLETIME value, must be >= 0');
      expect(await fails('0', OF_V, 'FREQ', '256')).toBe('ERR Invalid FREQ value, must be >= 0 and <= 255');
      expect(await fails('0', OF_V, 'FREQ', '-1')).toBe('ERR Invalid FREQ value, must be >= 0 and <= 255');
      expect(await fails('1.5', 'x')).toBe('ERR value is not an integer or out of range');
      expect(await fails('-1', 'x')).toBe('ERR Invalid TTL value, must be >= 0');
      expect(await fails('0', '')).toBe(WRONG_FOOTER);
      expect(await fails('0', `${OF_V.slice(0, -1)}\0`)).toBe(WRONG_FOOTER);
      expect(await fails('0', sealed('\0\x01v', 12))).toBe(WRONG_FOOTER);
      expect(await fails('0', sealed('\x0f'))).toBe(BAD_FORMAT);
      expect(await fails('0', sealed('\0\x0cv'))).toBe(BAD_FORMAT);
      expect(await fails('0', sealed('\x02\0'))).toBe(BAD_FORMAT);
      expect(await fails('0', sealed('\x07\0'))).toBe(BAD_FORMAT);
      expect(await fails('0', sealed('\xf5\x04code'))).toBe(BAD_FORMAT);
      expect(await t.call('EXISTS', 'new')).toBe(0);
      // What stands behind the value is not looked at.
      expect(await t.call('RESTORE', 'new', '0', sealed('\0\x01vmore', 11))).toBe('OK');
    });

    it('the log gets a time in place of a lifetime', async () => {
      const when = String(clock.now() + 1000);
      expect(await logOf(t, () => t.call('restore', 'k', '1000', OF_V, 'idletime', '5'))).toEqual([
        ['restore', 'k', when, OF_V, 'idletime', '5', 'ABSTTL'],
      ]);
      expect(await logOf(t, () => t.call('RESTORE', 'k', '0', OF_V, 'replace'))).toEqual([
        ['RESTORE', 'k', '0', OF_V, 'replace'],
      ]);
      expect(await logOf(t, () => t.call('RESTORE', 'k', when, OF_V, 'ABSTTL', 'REPLACE'))).toEqual([
        ['RESTORE', 'k', when, OF_V, 'ABSTTL', 'REPLACE'],
      ]);
      expect(await logOf(t, () => t.call('RESTORE', 'k', '1', OF_V, 'ABSTTL', 'REPLACE'))).toEqual([
        ['DEL', 'k'],
      ]);
      expect(await logOf(t, () => t.call('RESTORE', 'k', '1', OF_V, 'ABSTTL'))).toEqual([]);
    });

    it('while a log is loaded a time that is over is set as any other', async () => {
      t.engine.space.mayExpire = false;
      try {
        await t.call('RESTORE', 'k', '1', OF_V, 'ABSTTL');
        expect(await t.call('GET', 'k')).toBe('v');
      } finally {
        t.engine.space.mayExpire = true;
      }
      expect(await t.call('GET', 'k')).toBeNull();
    });

    it('a restored list serves who waits for it', async () => {
      const list = sealed('\x12\x01\x01\x01a');
      if (t.name === 'in-process') return;
      const other = await t.connect();
      const waiting = other.call('BLPOP', 'k', '5');
      while (t.engine.space.waited[0].size === 0) await t.call('PING');
      await t.call('RESTORE', 'k', '0', list);
      expect(await waiting).toEqual(['k', 'a']);
    });

    it('a stream is kept whole, although there are no commands for it', async () => {
      const payload = sealed(`\x13${STREAM.body}`);
      await t.call('RESTORE', 's', '0', payload);
      expect(await t.call('TYPE', 's')).toBe('stream');
      expect(await t.call('OBJECT', 'ENCODING', 's')).toBe('stream');
      expect(await t.call('SCAN', '0', 'TYPE', 'stream')).toEqual(['0', ['s']]);
      await t.call('EXPIRE', 's', '100');
      await t.call('COPY', 's', 'c');
      await t.call('RENAME', 's', 'r');
      await t.call('MOVE', 'c', '1');
      expect(await t.call('DUMP', 'r')).toBe(payload);
      expect(await t.call('TTL', 'r')).toBe(100);
      for (const command of ['GET', 'LLEN', 'SCARD', 'HLEN', 'ZCARD', 'INCR', 'LPOP']) {
        expect(await t.fails(command, 'r')).toMatch(/^WRONGTYPE /);
      }
      expect(await t.call('SORT', 'missing')).toEqual([]);
      expect(await t.fails('SORT', 'r')).toMatch(/^WRONGTYPE /);
      expect(await t.call('DEL', 'r')).toBe(1);
    });
  },
  { clock },
);

it('in process payloads are bytes', () => {
  const db = new Database();
  db.set('k', 'v');
  const payload = db.dump('k');
  expect(db.buffers.dump('k')).toEqual(payload);
  expect(db.dump('missing')).toBeNull();
  expect(Buffer.from(payload!).toString('latin1')).toBe(OF_V);
  db.restore('copy', 1000, payload!);
  expect(db.get('copy')).toBe('v');
  db.close();
});
