// One measurement of `holdfast bench strategies`: so many clients, so long, one contended key. strategies.ts calls it.
import type { Driver } from '../../workflows/index.ts';
import { type Contender, command, type Keys, type Taken } from './contenders.ts';

/** What so many clients came to with one strategy. */
export interface Step {
  readonly strategy: string;
  readonly clients: number;
  /** Successful operations a second. */
  readonly throughput: number;
  /** Tries beyond the first, by operation. */
  readonly retriesPerOperation: number;
  /** Tries that met somebody else, of all tries: 0 to 1. */
  readonly conflictRate: number;
  /** Operations that succeeded, of all that ended: 0 to 1. */
  readonly successShare: number;
  /** Jain's index over the clients' successes: 1 is even, 1/clients is one of them alone. null without any. */
  readonly fairness: number | null;
  /** What was taken is missing in the stock and counted as sold, exactly. */
  readonly consistent: boolean;
  /** Of successful operations, in milliseconds. null without any. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** More than anybody sells in a minute. */
const INITIAL = 1_000_000_000;

/**
 * Runs one step: a warm-up, then the measurement, each on a fresh stock.
 * @param drivers one for each client
 */
export async function measure(
  contender: Contender,
  drivers: readonly Driver[],
  keys: Keys,
  seconds: number,
): Promise<Step> {
  await run(contender, drivers, keys, Math.min(0.25, seconds / 4));
  return run(contender, drivers, keys, seconds);
}

/** What one client counts. */
interface Tally {
  /** Successes before time was up. */
  inTime: number;
  readonly outcomes: Record<Taken['outcome'], number>;
  tries: number;
  readonly latencies: number[];
}

async function run(
  contender: Contender,
  drivers: readonly Driver[],
  keys: Keys,
  seconds: number,
): Promise<Step> {
  const [first] = drivers;
  await command(first, 'DEL', keys.lock);
  // Whoever breaks this off leaves nothing on the server for long.
  const lifetime = Math.ceil(seconds * 1000) + 60_000;
  await command(first, 'SET', keys.sold, 0, 'PX', lifetime);
  await command(first, 'SET', keys.stock, INITIAL, 'PX', lifetime);
  const until = performance.now() + seconds * 1000;
  const tallies = await Promise.all(drivers.map((driver) => client(contender, driver, keys, until)));
  const left = Number(await command(first, 'GET', keys.stock));
  const sold = Number(await command(first, 'GET', keys.sold));
  return summary(contender.name, tallies, seconds, left, sold);
}

async function client(contender: Contender, driver: Driver, keys: Keys, until: number): Promise<Tally> {
  const tally: Tally = {
    inTime: 0,
    outcomes: { taken: 0, 'gave-up': 0, unknown: 0 },
    tries: 0,
    latencies: [],
  };
  // At least once, however short the time is.
  do {
    const started = performance.now();
    const { outcome, tries } = await contender.take(driver, keys);
    const ended = performance.now();
    tally.outcomes[outcome]++;
    tally.tries += tries;
    if (outcome !== 'taken') continue;
    tally.latencies.push(ended - started);
    if (ended <= until) tally.inTime++;
  } while (performance.now() < until);
  return tally;
}

function summary(
  strategy: string,
  tallies: readonly Tally[],
  seconds: number,
  left: number,
  sold: number,
): Step {
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((all, tally) => all + of(tally), 0);
  const taken = sum(({ outcomes }) => outcomes.taken);
  const unknown = sum(({ outcomes }) => outcomes.unknown);
  const operations = taken + unknown + sum(({ outcomes }) => outcomes['gave-up']);
  const tries = sum((tally) => tally.tries);
  const latencies = tallies.flatMap((tally) => tally.latencies).sort((a, b) => a - b);
  const missing = INITIAL - left;
  return {
    strategy,
    clients: tallies.length,
    throughput: sum(({ inTime }) => inTime) / seconds,
    retriesPerOperation: (tries - operations) / operations,
    conflictRate: (tries - taken - unknown) / tries,
    successShare: taken / operations,
    fairness: jain(tallies.map(({ inTime }) => inTime)),
    // What nobody knows of may have happened or not, but wholly.
    consistent: missing === sold && missing >= taken && missing <= taken + unknown,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  };
}

function jain(shares: readonly number[]): number | null {
  const sum = shares.reduce((all, share) => all + share, 0);
  const squares = shares.reduce((all, share) => all + share * share, 0);
  return squares === 0 ? null : (sum * sum) / (shares.length * squares);
}

/** @param sorted ascending */
function quantile(sorted: readonly number[], share: number): number | null {
  return sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
