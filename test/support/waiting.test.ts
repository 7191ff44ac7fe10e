// Bounded waits: what the error of one that ran out says, since that is all one has of a fixture that hung.
import { describe, expect, it } from 'vitest';
import { oracleAvailable, startRedis } from './redis-server.ts';
import { ask, askAll, until } from './waiting.ts';

describe.skipIf(!oracleAvailable())('waiting for a server', () => {
  it('names the phase, what was missing last, and what the server wrote', async () => {
    const redis = await startRedis();
    try {
      let asked = 0;
      const wait = { phase: 'hoping', servers: () => [redis], timeoutMs: 50 };
      const hoping = until(wait, async () => `still no luck (${asked++ > 0})`);
      await expect(hoping).rejects.toThrow(
        new RegExp(
          `^hoping: not done after 50 ms: still no luck \\(true\\)\n--- redis \\(port ${redis.port}\\)\n`,
        ),
      );
      await expect(hoping).rejects.toThrow('Ready to accept connections');
    } finally {
      await redis.stop();
    }
  });

  it('goes on over errors until nothing is missing, and shows the last one', async () => {
    let asked = 0;
    const wait = { phase: 'trying', servers: () => [], timeoutMs: 2000 };
    await until(wait, async () => {
      if (asked++ < 3) throw new Error('not yet');
      return null;
    });
    expect(asked).toBe(4);
    const failing = until({ ...wait, timeoutMs: 30 }, () => Promise.reject(new Error('never')));
    await expect(failing).rejects.toThrow('trying: not done after 30 ms: never');
  });

  it('rejects with the error reply of the command that had it', async () => {
    const redis = await startRedis();
    try {
      expect(
        (
          await askAll(redis.port, [
            ['SET', 'k', 'v'],
            ['GET', 'k'],
          ])
        ).map((each) => each.text),
      ).toEqual(['OK', 'v']);
      await expect(ask(redis.port, 'INCR', 'k')).rejects.toThrow(
        `port ${redis.port}: INCR k: ERR value is not an integer`,
      );
    } finally {
      await redis.stop();
    }
  });
});
