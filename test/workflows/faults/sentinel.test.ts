// The toolkit while Sentinels change the primary, with every client that knows them at once under load.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transaction } from '../../../src/workflows/index.ts';
import { oracleAvailable } from '../../support/redis-server.ts';
import { type SentinelSetup, startSentinel } from '../../support/sentinel.ts';
import { type Connected, connect } from '../targets.ts';
import { freshPrefix, raw } from '../world.ts';
import { Load, underLoad } from './load.ts';
import { CERTAIN } from './support.ts';

describe.skipIf(!oracleAvailable())('behind Sentinels', () => {
  let setup: SentinelSetup;
  const clients: Connected[] = [];
  beforeAll(async () => {
    setup = await startSentinel();
    const running = { ports: setup.sentinels, group: setup.name, stop: async () => {} };
    for (const client of CERTAIN) clients.push(await connect(client, 'redis-sentinel', running));
  }, 60_000);
  afterAll(async () => {
    for (const each of clients) await each.close();
    await setup?.stop();
  });

  const begin = () => clients.map(({ driver }, i) => new Load(driver, `l${i}`, freshPrefix()));

  it('a failover under load: all clients find the new primary by themselves, and nothing is there twice', async () => {
    const loads = begin();
    await underLoad(loads, () => setup.failover());
    // Until the old primary is told, it confirms what the new one never hears of: that is Sentinel's contract.
    for (const load of loads) {
      await load.expectNoneTwice();
      expect([load.driver.facts.client, load.remembered.unknown]).toEqual([load.driver.facts.client, 0]);
    }
  });

  it('transactions find the new primary as well', async () => {
    // Until then there are two that accept writes.
    await setup.settle();
    for (const { driver } of clients) {
      const key = freshPrefix();
      const result = await transaction(driver, { watch: [key] }, async (tx) => {
        const value = Number(await tx.read.get(key));
        return tx.commit((queue) => queue.set(key, value + 1));
      });
      expect(result).toMatchObject({ status: 'committed' });
      expect(await raw(driver, 'GET', key)).toBe('1');
    }
  });

  it('a primary killed under load: all clients go on with the next one within their deadline', async () => {
    const loads = begin();
    await underLoad(loads, () => setup.killPrimary());
    for (const load of loads) await load.expectNoneTwice();
  }, 45_000);
});
