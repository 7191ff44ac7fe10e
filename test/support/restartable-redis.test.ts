// The restartable server: what survives a crash, and that it is the same place to a client.
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { oracleAvailable } from './redis-server.ts';
import { startRestartable } from './restartable-redis.ts';
import { ask } from './waiting.ts';

describe.skipIf(!oracleAvailable())('a redis-server that can crash', () => {
  it('comes back on the same port with what it had answered, to a client that just waited', async () => {
    const redis = await startRestartable();
    const client = new Redis(redis.port, redis.host, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => {});
    try {
      for (let i = 0; i < 100; i++) await client.incr('n');
      await expect(redis.start()).rejects.toThrow('has not been killed');
      await redis.kill();
      expect(redis.running).toBe(false);
      await expect(ask(redis.port, 'PING')).rejects.toThrow('ECONNREFUSED');
      const waiting = client.incr('n');
      await redis.start();
      expect(await waiting).toBe(101);
      expect(redis.running).toBe(true);
      expect(redis.tail()).toContain('DB loaded from');
    } finally {
      client.disconnect();
      await redis.stop();
    }
    await expect(ask(redis.port, 'PING')).rejects.toThrow('ECONNREFUSED');
  });

  it('shows why it does not start', async () => {
    await expect(startRestartable(['--no-such-directive', 'yes'])).rejects.toThrow('no-such-directive');
  });
});
