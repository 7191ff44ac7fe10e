// What chaos prints: a line for each round, and at the end a table of workflows. Called by run.ts.
import type { Tally } from '../workflows/world.ts';
import { addUp } from './clients.ts';
import type { Engine } from './engines.ts';
import type { Outcome, Plan } from './round.ts';

/** Names of a tally that begin so, without the beginning, as `name 3, other 1`. */
function some(tally: Readonly<Tally>, beginning = ''): string {
  const found = Object.entries(tally).filter(([name, n]) => name.startsWith(beginning) && n > 0);
  return found.map(([name, n]) => `${name.slice(beginning.length)} ${n}`).join(', ') || '-';
}

function sum(tally: Readonly<Tally>): number {
  return Object.values(tally).reduce((all, n) => all + n, 0);
}

const all = (tally: Readonly<Tally>, name: string): number => tally[`all ${name}`] ?? 0;

/** A round in a line. */
export function lineOf(
  round: number,
  engine: Engine,
  plan: Plan,
  workflow: string,
  outcome: Outcome,
): string {
  const { counts, verdict } = outcome;
  const head = `${round} seed ${plan.seed} ${engine.kind} ${plan.client}${plan.children > 0 ? ` +${plan.children} processes` : ''}`;
  const faults = plan.faults.map(({ name }) => name).join(' ');
  const { tally, retries } = counts;
  const results = ['ok', 'denied', 'unknown', 'replayed'].map((name) => `${name} ${all(tally, name)}`);
  const again = `retried ${sum(retries)} (${some(retries)})`;
  return `${head} ${workflow}: ${faults}: ${results.join(' ')} ${again} errors ${some(tally, 'error ')}: ${verdict}`;
}

interface Row {
  rounds: number;
  operations: number;
  broken: number;
  disturbed: number;
  readonly tally: Tally;
  readonly retries: Tally;
}

/** Sums by workflow. */
export class Table {
  private readonly rows = new Map<string, Row>();

  add(workflow: string, { counts, verdict }: Outcome): void {
    const row = this.row(workflow);
    row.rounds++;
    row.operations += counts.operations;
    if (verdict !== 'held') row.broken++;
    addUp(row.tally, counts.tally);
    addUp(row.retries, counts.retries);
  }

  /** A round that the servers spoilt. */
  disturbed(workflow: string): void {
    this.row(workflow).disturbed++;
  }

  get broken(): number {
    return [...this.rows.values()].reduce((n, row) => n + row.broken, 0);
  }

  toString(): string {
    const head = ['workflow', 'rounds', 'operations', 'ok', 'denied', 'unknown', 'replayed', 'retried'];
    const lines = [[...head, 'errors', 'invariant']];
    for (const [workflow, row] of [...this.rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const results = ['ok', 'denied', 'unknown', 'replayed'].map((name) => String(all(row.tally, name)));
      lines.push([
        ...[workflow, String(row.rounds), String(row.operations), ...results],
        ...[`${sum(row.retries)} (${some(row.retries)})`, some(row.tally, 'error ')],
        (row.broken === 0 ? 'held' : `BROKEN in ${row.broken}`) +
          (row.disturbed > 0 ? `, ${row.disturbed} spoilt` : ''),
      ]);
    }
    const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
    return lines
      .map((line) =>
        line
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }

  private row(workflow: string): Row {
    let row = this.rows.get(workflow);
    if (row === undefined) {
      row = { rounds: 0, operations: 0, broken: 0, disturbed: 0, tally: {}, retries: {} };
      this.rows.set(workflow, row);
    }
    return row;
  }
}
