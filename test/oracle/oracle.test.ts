// The oracle in `npm test`: the directed cases of cases/*.txt under both protocols, then a short random run with
// a fixed seed, each against redis-server and Holdfast. Long random runs are `npm run oracle`.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHoldfast } from '../support/holdfast-server.ts';
import type { ServerHandle } from '../support/ports.ts';
import { oracleAvailable, startRedis } from '../support/redis-server.ts';
import { CASE_CONNECTIONS, caseSteps, readCases } from './cases.ts';
import { type Difference, Match } from './execute.ts';
import { CONNECTIONS, generateRound, pickFamilies } from './generate.ts';
import { quoteArg, showStep } from './steps.ts';

const cases = readCases(join(dirname(fileURLToPath(import.meta.url)), 'cases'));
const available = oracleAvailable();
/** HOLDFAST_ORACLE_SELF=1 compares the oracle with itself: a check of the cases, not of Holdfast. */
const self = process.env.HOLDFAST_ORACLE_SELF === '1';

let left: ServerHandle;
let right: ServerHandle;
const matches: Match[] = [];

async function open(connections: number, directed: boolean): Promise<Match> {
  const match = new Match(left, right, {
    connections,
    dialect: !self,
    replyTimeoutMs: 4000,
    swapWakes: directed,
    keepGoing: directed,
  });
  await match.open();
  matches.push(match);
  return match;
}

const shown = (found: Difference): string =>
  `${found.why}\n  command  ${found.args.map(quoteArg).join(' ')}\n  redis    ${found.left}\n  holdfast ${found.right}`;

describe.skipIf(!available)('oracle', () => {
  beforeAll(async () => {
    left = await startRedis();
    right = self ? await startRedis() : await startHoldfast(['--enable-debug-command', 'yes']);
  }, 30_000);
  afterAll(async () => {
    for (const match of matches) match.close();
    await Promise.all([left?.stop(), right?.stop()]);
  });

  describe('directed', () => {
    let match: Match;
    beforeAll(async () => {
      match = await open(CASE_CONNECTIONS, true);
    });
    afterAll(() => match.close());
    for (const one of cases) {
      for (const protocol of one.protocols) {
        it(`${one.file}: ${one.title} (RESP${protocol})`, async () => {
          const steps = caseSteps(one, protocol);
          await match.reset();
          await match.run(steps);
          const offset = protocol === 3 ? CASE_CONNECTIONS : 0;
          const all = match.found.map(
            (f) => `${one.file}:${one.lines[f.step - offset] ?? 'end'} ${shown(f)}`,
          );
          if (all.length > 0) expect.fail(all.join('\n'));
        });
      }
    }
  });

  it('a short random run', async () => {
    const match = await open(CONNECTIONS, false);
    const families = pickFamilies(null);
    const until = Date.now() + 5000;
    for (let round = 0; Date.now() < until; round++) {
      const { steps } = generateRound(1, round, families, 1500);
      await match.reset();
      const found = await match.run(steps);
      if (found === null) continue;
      const near = steps.slice(Math.max(0, found.step - 5), found.step + 1).map(showStep);
      expect.fail(
        `${shown(found)}\n  after\n    ${near.join('\n    ')}\n` +
          `  replay   npm run oracle -- --seed 1 --round ${round} --round-length 1500 --steps ${found.step + 1}`,
      );
    }
    expect(match.steps).toBeGreaterThan(1000);
    match.close();
  });
});
