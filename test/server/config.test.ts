// CONFIG SET and GET of every directive that both servers have, with good and bad values: the real server's bytes
// are the expectation.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DIRECTIVE_NAMES } from '../../src/engine/directives.ts';
import { UNSUPPORTED_NAMES } from '../../src/engine/unsupported-directives.ts';
import type { ServerHandle } from '../support/ports.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { parseReply, Wire } from '../support/wire.ts';
import { type Running, start } from './support.ts';

/** Set at the start here, changeable there (appendonly); newer than the real server; or ours alone. */
const OTHERWISE = [
  'script-kill-rollback',
  'appendonly',
  // Its default: there the working directory.
  'dir',
  'bind',
  'port',
  'set-max-listpack-entries',
  'set-max-listpack-value',
];
const VALUES = [
  ...['', 'abc', '-1', '0', '1', '5', '07', '+3', ' 5', '5 ', '501', '-5', '0777', '1000000000000'],
  ...[
    '1k',
    '1KB',
    '2Gb',
    '5mb',
    '5b',
    '9223372036854775807',
    '9223372036854775808',
    '99999999999999999999gb',
  ],
  ...['4294967296', '2147483647', '2147483648', '-2147483648', '-2147483649'],
  ...['yes', 'NO', 'allkeys-LRU', 'KEA', 'Kx', 'Kgn', 'g$lshzxetdKE', 'q'],
  ...[
    'normal 1mb 2kb 3',
    'normal 1mb 2kb 3 pubsub 0 0 0',
    'replica 9 9 9',
    'SLAVE 1 1 1',
    'master 1 1 1',
    'foo 1 2 3',
  ],
  ...['normal 1 2', 'normal 1 x 3', 'normal 1 2 -3', 'normal  1 2 3', 'pubsub 10mb 5mb 1 pubsub 32mb 8mb 60'],
];

describe.skipIf(!oracleAvailable())('CONFIG as redis-server has it', () => {
  let redis: ServerHandle;
  let running: Running;
  let wires: Wire[];
  beforeAll(async () => {
    redis = await startRedis(['--hz', '10']);
    running = await start({ 'enable-debug-command': 'yes' });
    wires = await Promise.all([redis.port, running.port].map((port) => Wire.open({ port })));
  });
  afterAll(async () => {
    for (const wire of wires) wire.close();
    await running.stop();
    await redis.stop();
  });

  async function same(...args: string[]): Promise<void> {
    const [expected, got] = await Promise.all(
      wires.map(async (wire) => {
        wire.send(...args);
        return String((await wire.replies(1))[0]);
      }),
    );
    expect(got, JSON.stringify(args)).toBe(expected);
  }

  // A real output limit would close these very connections.
  const keepsConnections = (name: string, value: string): boolean =>
    name !== 'client-output-buffer-limit' || !/^normal +1 2 3/.test(value);
  // The real server looks whether the system allows so many.
  const isPossible = (name: string, value: string): boolean =>
    name !== 'maxclients' || !/^\d{7,}$/.test(value);

  it.each(DIRECTIVE_NAMES.filter((name) => !OTHERWISE.includes(name)))('%s', async (name) => {
    for (const value of VALUES) {
      if (!isPossible(name, value) || !keepsConnections(name, value)) continue;
      await same('CONFIG', 'SET', name, value);
      await same('CONFIG', 'GET', name);
    }
    if (name === 'requirepass') await same('CONFIG', 'SET', name, '');
    if (name === 'timeout') await same('CONFIG', 'SET', name, '0');
  });

  it('several at once, and other spellings', async () => {
    await same('CONFIG', 'SET', 'timeout', '50', 'nosuch', '1');
    await same('CONFIG', 'SET', 'timeout', 'abc', 'nosuch', '1');
    await same('CONFIG', 'SET', 'databases', '5', 'nosuch', '1');
    await same('CONFIG', 'SET', 'timeout', '50', 'hz', 'x');
    await same('CONFIG', 'SET', 'timeout', '50', 'TIMEOUT', '60');
    await same('CONFIG', 'SET', 'hash-max-ziplist-value', '5', 'hash-max-listpack-value', '6');
    await same('CONFIG', 'SET', 'Timeout', 'x');
    await same('CONFIG', 'SET', 'timeout');
    await same('CONFIG', 'SET', 'timeout', '1', 'hz');
    await same('CONFIG', 'GET');
    await same('CONFIG', 'GET', 'TIMEOUT');
    await same('CONFIG', 'GET', 'time?ut', 'timeout');
    await same('CONFIG', 'GET', 'timeou[t]', 'timeout');
    await same('CONFIG', 'GET', 'nosuch');
    await same('CONFIG', 'NOSUCH');
    await same('CONFIG', 'RESETSTAT');
    await same('CONFIG', 'RESETSTAT', 'x');
  });

  it('every directive of the real server is known', async () => {
    wires[0].send('CONFIG', 'GET', '*');
    const { items } = parseReply((await wires[0].replies(1))[0]);
    const names = items.filter((_, i) => i % 2 === 0).map((item) => item.text);
    const known = new Set([...DIRECTIVE_NAMES, ...UNSUPPORTED_NAMES]);
    expect(names.length).toBeGreaterThan(150);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });
});
