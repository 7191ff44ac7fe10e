// The Lua oracle in `npm test`: the fixed corpus, then a few seconds of random programs, each in lua5.1 and in both
// forms of Holdfast's Lua. Long random runs are `npm run oracle -- lua`.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Comparison, type Difference } from './compare.ts';
import { readCorpus } from './corpus.ts';
import { program } from './programs.ts';
import { luaAvailable, Reference } from './reference.ts';
import { Watchdog } from './watchdog.ts';

const SEED = 1;
const RANDOM_MS = 5000;
const available = luaAvailable();

const shown = ({ form, lines, expected, actual }: Difference): string =>
  `  lua5.1    ${lines[0]}\n  ${form.padEnd(9)} ${lines[1]}\n` +
  `  all of lua5.1's output:\n${expected.output}${expected.error}\n  and of ours:\n${actual.output}${actual.error}`;

describe.skipIf(!available)('lua oracle', () => {
  let reference: Reference;
  let comparison: Comparison;
  let watchdog: Watchdog;
  beforeAll(() => {
    reference = new Reference();
    comparison = new Comparison(reference);
    watchdog = new Watchdog(
      60_000,
      'lua oracle: does not end: line {n} of a file of programs, or random program {n}',
    );
  });
  afterAll(async () => {
    reference.stop();
    await watchdog.stop();
  });

  const corpus = readCorpus();
  for (const file of new Set(corpus.map((one) => one.file))) {
    describe(file, () => {
      for (const one of corpus.filter((other) => other.file === file)) {
        it(one.title, async () => {
          watchdog.alive(one.line);
          const verdict = await comparison.judge(one.source);
          if (verdict === 'skipped')
            expect.fail(
              `${file}:${one.line}: not comparable (no end in lua5.1, or not twice the same, or a NaN without sign)`,
            );
          if (verdict !== 'equal') expect.fail(`${file}:${one.line} ${one.title}\n${shown(verdict)}`);
        });
      }
    });
  }

  it('a short random run', async () => {
    const until = Date.now() + RANDOM_MS;
    let equal = 0;
    for (let n = 0; Date.now() < until; n++) {
      const { source } = program(SEED, n);
      watchdog.alive(n);
      const verdict = await comparison.judge(source);
      if (verdict === 'equal') equal++;
      else if (verdict !== 'skipped')
        expect.fail(`${shown(verdict)}\n  replay   npm run oracle -- lua --seed ${SEED} --program ${n}`);
    }
    watchdog.alive(0);
    expect(equal).toBeGreaterThan(20);
  });
});
