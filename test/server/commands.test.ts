// Every command of a real server is either here or in the table of what is not.
import { describe, expect, it } from 'vitest';
import { unsupportedCommand } from '../../src/commands/unsupported.ts';
import { commandTable } from '../../src/engine/engine.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { Wire } from '../support/wire.ts';

describe.skipIf(!oracleAvailable())('COMMAND LIST of redis-server', () => {
  it('has nothing that Holdfast does not know', async () => {
    const redis = await startRedis();
    try {
      const wire = await Wire.open({ port: redis.port });
      const names = (await wire.call('COMMAND', 'LIST')).items.map((item) => item.text);
      wire.close();
      expect(names.length).toBeGreaterThan(300);
      const missing = names.filter((name) => {
        const [container, sub] = name.split('|');
        if (commandTable.findFull(name) !== undefined) return false;
        return unsupportedCommand(container) === null && unsupportedCommand(container, sub) === null;
      });
      expect(missing).toEqual([]);
    } finally {
      await redis.stop();
    }
  });
});
