// Declares every contract for one client library, on each of its engines. Called by the test file of each client. What
// needs redis-server is left out, loudly, where there is none.
import { afterAll, beforeAll, describe } from 'vitest';
import { oracleAvailable } from '../support/redis-server.ts';
import { type ClientName, enginesOf } from './columns.ts';
import { CONTRACTS } from './contracts/index.ts';
import { type Connected, connect, type Running, startEngine } from './targets.ts';
import type { World } from './world.ts';

/** HOLDFAST_ENGINES narrows it down to some engines, by name, with commas. */
const wanted = process.env.HOLDFAST_ENGINES?.split(',');

export function runContracts(client: ClientName): void {
  for (const engine of enginesOf(client)) {
    if (wanted !== undefined && !wanted.includes(engine)) continue;
    const needsRedis = engine.startsWith('redis');
    describe.skipIf(needsRedis && !oracleAvailable())(`${client} on ${engine}`, () => {
      let running: Running;
      let first: Connected;
      let second: Connected;
      let world: World;
      beforeAll(async () => {
        running = await startEngine(engine);
        first = await connect(client, engine, running);
        second = client === 'embedded' ? first : await connect(client, engine, running);
        world = { driver: first.driver, other: second.driver };
      }, 60_000);
      afterAll(async () => {
        await first?.close();
        if (second !== first) await second?.close();
        await running?.stop();
      });
      for (const { workflow, suite } of CONTRACTS) describe(workflow, () => suite(() => world));
    });
  }
}
