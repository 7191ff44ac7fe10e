// Which program a seed and a number stand for: a random one, one with other line breaks, or one with mistakes.
// Called by run.ts and lua.test.ts.
import { Random } from '../random.ts';
import { type CorpusProgram, readCorpus } from './corpus.ts';
import { generateProgram } from './generate.ts';
import { mutate, reflow } from './mutate.ts';

export type Mode = 'random' | 'reflowed' | 'mutated';

export interface Program {
  readonly mode: Mode;
  readonly source: string;
}

let corpus: CorpusProgram[] | null = null;

export function program(seed: number, index: number): Program {
  const random = new Random(seed, index, 0x6d6f6465);
  const mode = random.weighted<readonly [Mode, number]>(
    [
      ['random', 70],
      ['reflowed', 12],
      ['mutated', 18],
    ],
    ([, weight]) => weight,
  )[0];
  if (mode === 'random') return { mode, source: generateProgram(seed, index) };
  corpus ??= readCorpus();
  const fixed = random.chance(0.5) && corpus.length > 0;
  const source = fixed ? random.pick(corpus).source : generateProgram(seed, index);
  return { mode, source: mode === 'reflowed' ? reflow(random, source) : mutate(random, source) };
}
