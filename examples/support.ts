// What the examples share: the shape of an example and its outcome, and time to think.

/** What an example found after it has asserted its invariant. */
export interface Outcome {
  /** Who won, in one line. */
  readonly story: string;
  /** Transactions tried by all clients together; those that EXEC refused were tried again. */
  readonly attempts: number;
}

/** One workflow, written for several clients. */
export interface Example {
  readonly name: string;
  /** What must hold, however the clients interleave. */
  readonly invariant: string;
  readonly nodeRedis: (port: number) => Promise<Outcome>;
  readonly ioredis: (port: number) => Promise<Outcome>;
  readonly inProcess: () => Promise<Outcome>;
}

/**
 * A moment between reading and writing. In process nothing else runs between two calls unless you await, so the
 * examples do: it is where another client comes in between.
 */
export function think(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
}

/** 0 to n - 1. */
export function dice(n: number): number {
  return Math.floor(Math.random() * n);
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Lines of cells, the first of which are headings. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    );
  }
}
