// Directories go from redis-server to Holdfast and back, with logs that each goes on in; and redis-check-aof calls ours
// valid, also after a kill.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Persistence, persist } from '../../src/engine/persistent.ts';
import { open } from '../../src/index.ts';
import { checkAof } from '../../src/persistence/aof/check.ts';
import { nodeStorage } from '../../src/storage/node.ts';
import { eventually, type Running, start } from '../server/support.ts';
import type { ServerHandle } from '../support/ports.ts';
import { findProgram, isThere } from '../support/programs.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { Wire } from '../support/wire.ts';
import { CODE, holdings, population, run } from './support.ts';

const roots: string[] = [];
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

function directory(): string {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-aof-'));
  roots.push(root);
  return root;
}

const MANIFEST = 'appendonlydir/appendonly.aof.manifest';
const checker = findProgram(undefined, ['redis-check-aof']);
const hasChecker = isThere(checker, 'redis-check-aof', 'redis-check-aof');

function redisCheck(dir: string): void {
  if (!hasChecker) return;
  expect(execFileSync(checker!, [join(dir, MANIFEST)], { encoding: 'utf8' })).toContain(
    'All AOF files and manifest are valid',
  );
}

async function openHere(dir: string): Promise<{ running: Running; disk: Persistence; wire: Wire }> {
  const running = await start({ appendonly: 'yes', appendfsync: 'always' });
  const disk = await persist(running.engine, nodeStorage(dir));
  closing.push(async () => {
    await running.stop();
    await disk.close();
  });
  return { running, disk, wire: await running.connect() };
}

async function openThere(dir: string, ...extra: string[]): Promise<{ redis: ServerHandle; wire: Wire }> {
  const args = ['--dir', dir, '--appendonly', 'yes', '--appendfsync', 'always', ...extra];
  const redis = await startRedis(args);
  closing.push(() => redis.stop());
  return { redis, wire: await Wire.open({ port: redis.port }) };
}

/** Changes of all types but streams, whose commands are not here yet, in transactions and scripts too. */
const changes = (by: string): string[][] => [
  ['SELECT', '0'],
  ['APPEND', 'string:0', by],
  ['SET', `plain:${by}`, 'odd \r\n*1\r\n\x00\xff'],
  ['SET', `later:${by}`, 'v', 'PX', '100000000'],
  ['EXPIREAT', 'raw', '4102444800'],
  ['LPUSH', 'list:odd', by],
  ['LTRIM', 'list:long', '10', '-10'],
  ['SADD', 'set:16', by],
  ['SPOP', 'set:long', '5'],
  ['HINCRBYFLOAT', 'hash:1', by, '1.5'],
  ['HDEL', 'hash:long', 'field:1', 'field:2'],
  ['ZINCRBY', 'zset:scores', '0.1', `m${by}`],
  ['ZREMRANGEBYRANK', 'zset:long', '0', '5'],
  ['MULTI'],
  ['INCR', 'counter'],
  ['SELECT', '3'],
  ['SET', `in:${by}`, '#HF1 1 2 3'],
  ['EXEC'],
  ['EVAL', "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('INCR', KEYS[2])", '2', 's', 'n', by],
  ['EVAL', "return redis.call('RPUSH', KEYS[1], redis.call('TIME')[1])", '1', 'times'],
  [
    'FUNCTION',
    'LOAD',
    `#!lua name=of_${by}\nredis.register_function("f_${by}", function() return "${by}" end)`,
  ],
  ['SET', 'short', 'v', 'PX', '1'],
  ['SELECT', '15'],
  ['DEL', 'n:1'],
  ['COPY', 'n:2', 'copied', 'DB', '4'],
  ['SELECT', '0'],
];

async function rewritten(wire: Wire): Promise<void> {
  await run(wire, [['BGREWRITEAOF']]);
  await eventually('it is rewritten', async () => {
    const { text } = await wire.call('INFO', 'persistence');
    return /aof_rewrite_in_progress:0/.test(text) && /aof_rewrite_scheduled:0/.test(text);
  });
  expect((await wire.call('INFO', 'persistence')).text).toContain('aof_last_bgrewrite_status:ok');
}

async function same(wire: Wire, before: string[], ...functions: string[]): Promise<void> {
  expect(await holdings(wire)).toEqual(before);
  for (const name of functions) expect((await wire.call('FCALL', `f_${name}`, '0')).text).toBe(name);
  expect((await wire.call('FCALL', 'price', '0')).text).toBe('12');
}

async function settledHoldings(wire: Wire): Promise<string[]> {
  // What was short has expired by then.
  await eventually('it has expired', async () => (await wire.call('GET', 'short')).kind.startsWith('null'));
  return holdings(wire);
}

describe.skipIf(!oracleAvailable())('a directory of redis-server and Holdfast', () => {
  for (const times of ['no', 'yes']) {
    it(`goes there and back and there again (aof-timestamp-enabled ${times})`, async () => {
      const dir = directory();
      const stamps = ['--aof-timestamp-enabled', times];
      let there = await openThere(dir, ...stamps);
      await run(there.wire, population(true));
      await run(there.wire, [['FUNCTION', 'LOAD', CODE]]);
      await rewritten(there.wire);
      await run(there.wire, changes('redis'));
      let held = await settledHoldings(there.wire);
      await there.redis.stop();
      expect(await checkAof(nodeStorage(dir), '')).toMatchObject({ valid: true });

      const db = await open(dir);
      expect(db.get('later:redis')).toBe('v');
      await db.close();

      let here = await openHere(dir);
      await same(here.wire, held, 'redis');
      await run(here.wire, changes('ours'));
      held = await settledHoldings(here.wire);
      // As a kill leaves it.
      const killed = directory();
      cpSync(dir, killed, { recursive: true });
      redisCheck(killed);
      await here.running.stop();
      await here.disk.close();
      redisCheck(dir);
      const { files } = await checkAof(nodeStorage(dir), '');
      expect(files.at(-1)!.state).toBe('valid');
      expect(files.at(-1)!.batches).toBeGreaterThan(10);

      for (const each of [killed, dir]) {
        there = await openThere(each, ...stamps);
        await same(there.wire, held, 'redis', 'ours');
        if (each === killed) await there.redis.stop();
      }
      // It goes on in our file.
      const last = readdirSync(join(dir, 'appendonlydir')).filter((name) => name.endsWith('incr.aof')).length;
      await run(there.wire, changes('again'));
      held = await settledHoldings(there.wire);
      await there.redis.stop();
      expect(
        readdirSync(join(dir, 'appendonlydir')).filter((name) => name.endsWith('incr.aof')),
      ).toHaveLength(last);
      const mixed = (await checkAof(nodeStorage(dir), '')).files.at(-1)!;
      expect(mixed.state).toBe('valid');
      expect(mixed.checked).toBeLessThan(mixed.good);

      here = await openHere(dir);
      await same(here.wire, held, 'redis', 'ours', 'again');
      await rewritten(here.wire);
      await run(here.wire, [['SET', 'behind the rewrite', 'v']]);
      held = await holdings(here.wire);
      await here.running.stop();
      await here.disk.close();
      redisCheck(dir);
      there = await openThere(dir, ...stamps);
      await same(there.wire, held, 'redis', 'ours', 'again');
      await there.redis.stop();
      // A second process finds the same.
      here = await openHere(dir);
      await same(here.wire, held, 'redis', 'ours', 'again');
    }, 60_000);
  }
});

describe.skipIf(!hasChecker)('redis-check-aof', () => {
  it('finds our cut where we find it', async () => {
    const dir = directory();
    const { running, disk, wire } = await openHere(dir);
    await run(wire, [['SET', 'a', '1'], ['MULTI'], ['SET', 'b', '2'], ['SET', 'c', '3'], ['EXEC']]);
    await running.stop();
    await disk.flushed();
    const name = 'appendonlydir/appendonly.aof.1.incr.aof';
    const { length } = readFileSync(join(dir, name));
    await disk.close();
    const storage = nodeStorage(dir);
    const file = await storage.open(name, 'append');
    // Within EXEC.
    file.truncate(length - 3);
    await file.close();
    const report = await checkAof(storage, '');
    const theirs = spawnSync(checker!, [join(dir, name)], { encoding: 'utf8' });
    expect(theirs.status).toBe(1);
    const found = Number(/ok_up_to=(\d+)/.exec(theirs.stdout)![1]);
    // They count the header of the batch as good, of which nothing follows.
    expect(report.files[1].state).toBe('cut');
    expect(found).toBeGreaterThan(report.files[1].good);
    expect(found - report.files[1].good).toBeLessThan(128);
  });
});
