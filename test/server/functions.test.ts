// A payload of FUNCTION DUMP goes from Holdfast to redis-server and back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHoldfast } from '../support/holdfast-server.ts';
import type { ServerHandle } from '../support/ports.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { Wire } from '../support/wire.ts';

const LIBRARIES = [
  "#!lua name=short\nredis.register_function('short', function() return 'short' end)",
  `#!lua name=long\n-- ${'a comment that compresses well '.repeat(60)}\nredis.register_function('long', function() return 'long' end)`,
  `#!lua name=binary\nlocal s = "${Array.from({ length: 300 }, (_, i) => `\\${(i * i * 31) & 255}`).join('')}"\nredis.register_function('binary', function() return #s end)`,
];
const RESULTS: [name: string, result: string][] = [
  ['short', 'short'],
  ['long', 'long'],
  ['binary', '300'],
];

describe.skipIf(!oracleAvailable())('FUNCTION DUMP', () => {
  let redis: ServerHandle;
  let holdfast: ServerHandle;
  beforeAll(async () => {
    [redis, holdfast] = await Promise.all([startRedis(), startHoldfast()]);
  });
  afterAll(async () => {
    await Promise.all([redis.stop(), holdfast.stop()]);
  });

  for (const direction of ['to redis-server', 'from redis-server']) {
    it(`is understood ${direction}`, async () => {
      const [source, target] = direction.startsWith('to') ? [holdfast, redis] : [redis, holdfast];
      const from = await Wire.open({ port: source.port });
      const to = await Wire.open({ port: target.port });
      for (const wire of [from, to]) await wire.call('FUNCTION', 'FLUSH');
      for (const code of LIBRARIES) expect((await from.call('FUNCTION', 'LOAD', code)).kind).toBe('bulk');
      const dump = await from.call('FUNCTION', 'DUMP');
      expect((await to.call('FUNCTION', 'RESTORE', dump.text)).text).toBe('OK');
      for (const [name, result] of RESULTS) expect((await to.call('FCALL', name, '0')).text).toBe(result);
      for (const code of LIBRARIES) {
        const name = /name=(\w+)/.exec(code)?.[1] as string;
        const found = await to.call('FUNCTION', 'LIST', 'LIBRARYNAME', name, 'WITHCODE');
        expect(found.items[0].items.at(-1)?.text).toBe(code);
      }
      for (const wire of [from, to]) wire.close();
    });
  }
});
