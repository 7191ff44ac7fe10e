// Files and payloads that go from redis-server to Holdfast and back hold the same afterwards, whatever the type, the
// encoding and the directives that decide it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRdb } from '../../src/persistence/rdb/check.ts';
import { sourceOf } from '../../src/persistence/rdb/input.ts';
import { type Running, start } from '../server/support.ts';
import type { ServerHandle } from '../support/ports.ts';
import { findProgram } from '../support/programs.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { Wire } from '../support/wire.ts';
import { CODE, holdings, load, population, run, save } from './support.ts';

const flags = (directives: Readonly<Record<string, string>>): string[] =>
  Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value]);

/** Directives for both sides, and those that only redis-server knows. */
const VARIANTS: readonly { name: string; both: Record<string, string>; redis: Record<string, string> }[] = [
  { name: 'by default', both: {}, redis: {} },
  {
    name: 'with large encodings',
    both: {
      'hash-max-listpack-entries': '1',
      'zset-max-listpack-entries': '1',
      'set-max-intset-entries': '2',
      'list-max-listpack-size': '3',
    },
    redis: { 'stream-node-max-entries': '10', rdbcompression: 'no', rdbchecksum: 'no' },
  },
  {
    name: 'with small encodings',
    both: {
      'hash-max-listpack-entries': '10000',
      'hash-max-listpack-value': '100000',
      'zset-max-listpack-entries': '10000',
      'zset-max-listpack-value': '100000',
      'set-max-intset-entries': '10000',
      'list-max-listpack-size': '-5',
    },
    redis: { 'stream-node-max-bytes': '0', 'stream-node-max-entries': '0' },
  },
];

const temporary: string[] = [];
function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-rdb-'));
  temporary.push(dir);
  return dir;
}

async function streamsOf(wire: Wire): Promise<string[]> {
  const lines: string[] = [];
  for (const name of ['stream:1', 'stream:long', 'stream:empty', 'stream:emptied']) {
    lines.push(`${name} ${JSON.stringify(await wire.call('XINFO', 'STREAM', name, 'FULL', 'COUNT', '0'))}`);
  }
  return lines;
}

describe.skipIf(!oracleAvailable())('between redis-server and Holdfast', () => {
  for (const variant of VARIANTS) {
    describe(variant.name, () => {
      let dir: string;
      let redis: ServerHandle;
      let from: Wire;
      let ours: Running;
      let to: Wire;
      let before: string[];
      let streams: string[];
      let digest: string;
      const closing: (() => unknown)[] = [];

      const startedRedis = async (extra: string[]): Promise<[ServerHandle, Wire]> => {
        const handle = await startRedis([...flags(variant.both), ...flags(variant.redis), ...extra]);
        closing.push(() => handle.stop());
        const wire = await Wire.open({ port: handle.port });
        closing.push(() => wire.close());
        return [handle, wire];
      };

      beforeAll(async () => {
        dir = directory();
        [redis, from] = await startedRedis(['--dir', dir]);
        await run(from, population(true));
        await run(from, [['FUNCTION', 'LOAD', CODE], ['SAVE']]);
        before = await holdings(from);
        streams = await streamsOf(from);
        digest = (await from.call('DEBUG', 'DIGEST')).text;
        ours = await start(variant.both);
        closing.push(() => ours.stop());
        to = await ours.connect();
      }, 30_000);
      afterAll(async () => {
        for (const close of closing.reverse()) await close();
        for (const each of temporary.splice(0)) rmSync(each, { recursive: true, force: true });
        expect(redis).toBeDefined();
      });

      it('a file of redis-server is loaded', async () => {
        const file = readFileSync(join(dir, 'dump.rdb'));
        const report = checkRdb(sourceOf(file));
        expect(report.error).toBeUndefined();
        expect(report).toMatchObject({ ok: true, version: 10, functions: 1, bytes: file.length });
        expect(report.databases.reduce((sum, { keys }) => sum + keys, 0)).toBe(before.length);
        load(ours.engine, file);
        expect(await holdings(to)).toEqual(before);
        expect((await to.call('FCALL', 'price', '0')).text).toBe('12');
      });

      for (const compressed of [true, false]) {
        it(`our file is loaded by redis-server, ${compressed ? '' : 'not '}compressed`, async () => {
          const target = directory();
          const file = save(ours.engine, 10, compressed);
          writeFileSync(join(target, 'dump.rdb'), file);
          const check = findProgram(undefined, ['redis-check-rdb']);
          if (check !== null) {
            const said = execFileSync(check, [join(target, 'dump.rdb')], { encoding: 'utf8' });
            expect(said).toContain('RDB looks OK');
          }
          const [, wire] = await startedRedis(['--dir', target]);
          expect((await wire.call('DEBUG', 'DIGEST')).text).toBe(digest);
          expect(await holdings(wire)).toEqual(before);
          expect(await streamsOf(wire)).toEqual(streams);
          expect((await wire.call('FCALL', 'price', '0')).text).toBe('12');
        });
      }

      for (const version of [10, 11] as const) {
        it(`our file of version ${version} is loaded here, also cut into single bytes`, async () => {
          const file = save(ours.engine, version);
          for (const size of [1, 100_000]) {
            const again = await start(variant.both);
            try {
              expect(load(again.engine, file, size).offset).toBe(file.length);
              expect(await holdings(await again.connect())).toEqual(before);
              expect(save(again.engine, version).length).toBe(file.length);
            } finally {
              await again.stop();
            }
          }
        });
      }

      it('payloads go there and back', async () => {
        const here = await start(variant.both);
        closing.push(() => here.stop());
        const middle = await here.connect();
        const [, back] = await startedRedis([]);
        for (let db = 0; db < 16; db++) {
          for (const wire of [from, middle, back]) await wire.call('SELECT', String(db));
          for (const { text: key } of (await from.call('KEYS', '*')).items) {
            const deadline = Math.max(0, Number((await from.call('PEXPIRETIME', key)).text));
            const { text: theirs } = await from.call('DUMP', key);
            expect((await middle.call('RESTORE', key, deadline, theirs, 'ABSTTL')).text).toBe('OK');
            const { text: own } = await middle.call('DUMP', key);
            expect((await middle.call('RESTORE', key, deadline, own, 'ABSTTL', 'REPLACE')).text).toBe('OK');
            expect((await back.call('RESTORE', key, deadline, own, 'ABSTTL')).text).toBe('OK');
          }
        }
        expect(await holdings(middle)).toEqual(before);
        expect(await holdings(back)).toEqual(before);
        for (const wire of [from, back]) await wire.call('SELECT', '0');
        expect(await streamsOf(back)).toEqual(streams);
        expect((await back.call('DEBUG', 'DIGEST')).text).toBe(digest);
      });
    });
  }
});
