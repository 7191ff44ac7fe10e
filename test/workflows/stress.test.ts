// Every workflow's stress load with a hundred clients: in three processes with three client libraries on one
// redis-server, and on the embedded engine. Without faults: these are in ../chaos.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../chaos/children.ts';
import { addUp, type Counts, noCounts, runClients } from '../chaos/clients.ts';
import { oracleAvailable } from '../support/redis-server.ts';
import type { ClientName } from './columns.ts';
import { STRESS } from './contracts/index.ts';
import { type Connected, connect, type Running, startEngine } from './targets.ts';
import { freshPrefix, type Stress } from './world.ts';

const HERE: readonly ClientName[] = ['ioredis', 'node-redis', 'iovalkey'];
const THERE: readonly ClientName[] = ['ioredis', 'node-redis'];
const CLIENTS_HERE = 20;
const CLIENTS_THERE = 40;
const ALL = CLIENTS_HERE + THERE.length * CLIENTS_THERE;

/** The load, and how the clients fared: they did something, all of them ended, and the invariant holds. */
async function judge(stress: Stress, { driver }: Connected, prefix: string, all: readonly Counts[]) {
  const sum = noCounts();
  for (const { tally, thrown } of all) {
    addUp(sum.tally, tally);
    sum.thrown.push(...thrown);
  }
  expect(sum.thrown).toEqual([]);
  expect(sum.tally['all ok']).toBeGreaterThan(ALL);
  await stress.check(driver, prefix, sum.tally);
}

describe.skipIf(!oracleAvailable())('a hundred clients in three processes', () => {
  let running: Running;
  const connected: Connected[] = [];
  const children: Child[] = [];

  beforeAll(async () => {
    running = await startEngine('redis-server');
    for (const client of HERE) connected.push(await connect(client, 'redis-server', running));
    for (const _ of THERE) children.push(new Child(['--import', 'tsx']));
  });
  afterAll(async () => {
    for (const child of children) child.kill();
    for (const each of connected) await each.close();
    await running?.stop();
  });

  it.each(STRESS)('$workflow', async (stress) => {
    const prefix = freshPrefix();
    await stress.setup(connected[0].driver, prefix);
    const { ports } = running;
    const load = { workflow: stress.workflow, prefix, seed: 1, runs: 1 };
    const begun = children.map((child, n) =>
      child.begin({
        ...{ ...load, client: THERE[n], engine: 'redis-server', ports, clients: CLIENTS_THERE },
        first: (n + 1) * 1_000_000,
      }),
    );
    await Promise.all(begun);
    for (const child of children) child.go();
    const drivers = connected.map(({ driver }) => driver);
    const here = runClients(drivers, { ...load, stress, first: 0, clients: CLIENTS_HERE }, () => false);
    await judge(stress, connected[0], prefix, await Promise.all([here, ...children.map((c) => c.result())]));
  });
});

describe('a hundred clients of the embedded engine', () => {
  let connected: Connected;
  beforeAll(async () => {
    connected = await connect('embedded', 'embedded', { ports: [], stop: async () => {} });
  });
  afterAll(() => connected.close());

  it.each(STRESS)('$workflow', async (stress) => {
    const prefix = freshPrefix();
    const { driver } = connected;
    await stress.setup(driver, prefix);
    const load = { stress, prefix, seed: 1, first: 0, clients: ALL, runs: 1 };
    const counts = await runClients([driver], load, () => false);
    // In one process no reply is lost: the check is an equality.
    expect(counts.tally['all unknown']).toBeUndefined();
    await judge(stress, connected, prefix, [counts]);
  });
});
