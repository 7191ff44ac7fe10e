// What the steps of `holdfast bench strategies` come to: from which conflict rate a script is faster than WATCH, and one
// sentence of advice. strategies.ts calls it.
import type { Step } from './measure.ts';

/** Where the script overtakes WATCH and stays ahead. */
export type Crossover =
  | { readonly kind: 'always' | 'never' }
  /** At this conflict rate of WATCH, met with so many clients; both between two steps. */
  | { readonly kind: 'from'; readonly conflictRate: number; readonly clients: number };

/** Finds it; between the last step that WATCH won and the next one it is taken to go straight. */
export function crossoverOf(steps: readonly Step[]): Crossover {
  const pairs = pairsOf(steps);
  const lastWon = pairs.findLastIndex(({ lead }) => lead < 0);
  if (lastWon < 0) return { kind: 'always' };
  if (lastWon === pairs.length - 1) return { kind: 'never' };
  const [before, after] = [pairs[lastWon], pairs[lastWon + 1]];
  const part = -before.lead / (after.lead - before.lead);
  const between = (from: number, to: number): number => from + (to - from) * part;
  return {
    kind: 'from',
    conflictRate: between(before.watch.conflictRate, after.watch.conflictRate),
    clients: between(before.watch.clients, after.watch.clients),
  };
}

interface Pair {
  readonly watch: Step;
  readonly script: Step;
  /** By how much the script is ahead, as a share of WATCH. */
  readonly lead: number;
}

function pairsOf(steps: readonly Step[]): Pair[] {
  const scripts = new Map(
    steps.flatMap((step) => (step.strategy === 'script' ? [[step.clients, step]] : [])),
  );
  return steps
    .filter(({ strategy }) => strategy === 'WATCH')
    .flatMap((watch) => {
      const script = scripts.get(watch.clients);
      // No success at all in the time given is as good as very few.
      const lead = script === undefined ? 0 : script.throughput / Math.max(watch.throughput, 1e-9) - 1;
      return script === undefined ? [] : [{ watch, script, lead }];
    })
    .sort((a, b) => a.watch.clients - b.watch.clients);
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** The crossover in words. */
export function crossoverText(crossover: Crossover): string {
  switch (crossover.kind) {
    case 'always':
      return 'A script was faster than WATCH at every step, also without conflicts: one round trip instead of two.';
    case 'never':
      return 'WATCH was faster than a script at the last step still: there were too few conflicts here.';
    case 'from':
      return `A script wins here from a conflict rate of ${percent(crossover.conflictRate)}, met at some ${Math.round(crossover.clients)} clients.`;
  }
}

/** One sentence. */
export function adviceOf(steps: readonly Step[], crossover: Crossover): string {
  const last = pairsOf(steps).at(-1);
  if (last === undefined) return '';
  const { watch, script } = last;
  if (crossover.kind === 'never') {
    return `Stay with WATCH while its conflict rate is about ${percent(watch.conflictRate)}, and measure again with more clients.`;
  }
  const times =
    watch.throughput === 0 ? '' : `, ${(script.throughput / watch.throughput).toFixed(1)} times WATCH`;
  const until =
    crossover.kind === 'from'
      ? ` above ${percent(crossover.conflictRate)} of conflicts`
      : ' for a key like this';
  return `Use a script or function${until}${times} at ${watch.clients} clients; WATCH where your program must decide and conflicts are rare, a lock only for work outside Redis.`;
}
