// Makes a program that shows a difference smaller: drops lines, blocks and tokens as long as a difference of the
// same kind remains, within a time limit. Called by run.ts.
import { isBlank, tokens } from './tokens.ts';

/** @param shows whether a program still shows the difference */
export async function shrink(
  source: string,
  shows: (source: string) => Promise<boolean>,
  budgetMs: number,
): Promise<string> {
  const until = Date.now() + budgetMs;
  let best = source;
  for (;;) {
    const before = best;
    best = await dropRuns(best.split('\n'), '\n', shows, until);
    best = await dropBlocks(best, shows, until);
    if (best === before) break;
  }
  best = await dropRuns(tokens(best), '', shows, until);
  return (await dropRuns(best.split('\n'), '\n', shows, until)).replace(/^\n+/, '');
}

/** Drops runs of parts, long ones first. */
async function dropRuns(
  parts: readonly string[],
  separator: string,
  shows: (source: string) => Promise<boolean>,
  until: number,
): Promise<string> {
  let left = [...parts];
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let i = 0; i < left.length && Date.now() < until; ) {
      const run = left.slice(i, i + size);
      const rest = [...left.slice(0, i), ...left.slice(i + size)];
      const worth = !run.every(isBlank) || size > 1;
      if (worth && (await shows(rest.join(separator)))) left = rest;
      else i += size;
    }
  }
  return left.join(separator);
}

const depthOf = (line: string): number => (line.trim() === '' ? -1 : line.search(/\S/));

/** Drops what a line and its closing line enclose, or only these two. */
async function dropBlocks(
  source: string,
  shows: (source: string) => Promise<boolean>,
  until: number,
): Promise<string> {
  let lines = source.split('\n');
  for (let i = 0; i < lines.length && Date.now() < until; i++) {
    const depth = depthOf(lines[i]!);
    const close = lines.findIndex((line, at) => at > i && depthOf(line) === depth);
    if (depth < 0 || close < 0) continue;
    const without = [...lines.slice(0, i), ...lines.slice(close + 1)];
    const unwrapped = [...lines.slice(0, i), ...lines.slice(i + 1, close), ...lines.slice(close + 1)];
    for (const some of [without, unwrapped]) {
      if (await shows(some.join('\n'))) {
        lines = some;
        i--;
        break;
      }
    }
  }
  return lines.join('\n');
}
