// Makes a failing list of steps smaller: drops groups of steps (ddmin) as long as a difference of the same key
// remains, within a time limit. Called by run.ts.

import type { Difference, Match } from './execute.ts';
import type { Step } from './steps.ts';

export interface Shrunk {
  steps: Step[];
  difference: Difference;
}

/** Steps that only make sense together. */
function groups(steps: readonly Step[]): Step[][] {
  const out: Step[][] = [];
  for (const step of steps) {
    if (step.glue && out.length > 0) out[out.length - 1]!.push(step);
    else out.push([step]);
  }
  return out;
}

export async function shrink(
  match: Match,
  steps: readonly Step[],
  difference: Difference,
  budgetMs: number,
): Promise<Shrunk | null> {
  const until = Date.now() + budgetMs;
  async function fails(list: readonly Step[]): Promise<Difference | null> {
    await match.reset();
    const found = await match.run(list);
    return found !== null && found.key === difference.key ? found : null;
  }
  const walkAtEnd = steps.slice(0, difference.step + 1);
  const first = await fails(walkAtEnd);
  if (first === null) return null;
  let best: Shrunk = { steps: walkAtEnd, difference: first };
  let pieces = groups(walkAtEnd.slice(0, -1).map((step) => (step.kind === 'walk' ? { ...step } : step)));
  const last = walkAtEnd[walkAtEnd.length - 1]!;
  let size = Math.ceil(pieces.length / 2);
  while (size >= 1 && Date.now() < until) {
    let removed = false;
    for (let i = 0; i < pieces.length && Date.now() < until; ) {
      const rest = [...pieces.slice(0, i), ...pieces.slice(i + size)];
      const list = [...rest.flat(), last];
      const found = await fails(list);
      if (found === null) i += size;
      else {
        pieces = rest;
        best = { steps: list.slice(0, found.step + 1), difference: found };
        removed = true;
      }
    }
    if (size === 1 && !removed) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  // Inside the groups that are left, single steps.
  for (let i = best.steps.length - 2; i >= 0 && Date.now() < until; i--) {
    if (i >= best.steps.length - 1) continue;
    const list = best.steps.filter((_, at) => at !== i);
    const found = await fails(list);
    if (found !== null) best = { steps: list.slice(0, found.step + 1), difference: found };
  }
  return best;
}
