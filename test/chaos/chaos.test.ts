// Chaos itself: a load that keeps its promise holds under faults, one that does not is found out, and a seed repeats
// its plan.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oracleAvailable } from '../support/redis-server.ts';
import { type Engine, startEngine } from './engines.ts';
import { LIAR, LOADS } from './kit-loads.ts';
import { lineOf, Table } from './report.ts';
import { type Plan, planOf, runRound } from './round.ts';

describe.skipIf(!oracleAvailable())('chaos', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine('single');
  });
  afterAll(() => engine?.stop());

  const plan: Plan = {
    ...{ seed: 1, client: 'ioredis', drivers: 3, children: 0 },
    faults: ['cut-reply', 'flush', 'cut-reply', 'cut-reply'].map((name) => ({ name, afterMs: 100 })),
  };

  it('a script that must not be repeated is exact under faults, with lost replies as unknown', async () => {
    const load = LOADS.find(({ workflow }) => workflow === 'kit.script')!;
    const outcome = await runRound(engine, load, plan);
    expect(outcome.verdict).toBe('held');
    expect(outcome.counts.tally['all ok']).toBeGreaterThan(100);
    expect(outcome.counts.tally['all unknown']).toBeGreaterThan(0);
    const table = new Table();
    table.add(load.workflow, outcome);
    expect(String(table)).toMatch(/kit\.script +1 +\d+ .* held/);
    expect(lineOf(1, engine, plan, load.workflow, outcome)).toMatch(
      /^1 seed 1 single ioredis kit\.script: cut-reply/,
    );
  });

  it('a load that counts twice when it is repeated is found out', async () => {
    const outcome = await runRound(engine, LIAR, plan);
    expect(outcome.verdict).toMatch(/expected \d+ to be less than or equal to \d+/);
    const table = new Table();
    table.add('liar', outcome);
    expect(table.broken).toBe(1);
  });

  it('a seed says the same again', () => {
    expect(planOf(7, engine)).toEqual(planOf(7, engine));
    expect(planOf(7, engine)).not.toEqual(planOf(8, engine));
  });
});
