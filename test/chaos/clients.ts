// The clients of a round in one process: each runs a workflow's stress client again and again until it is told to stop.
// Called by round.ts and stress.test.ts, and by child.ts in processes of their own.
import { type Driver, setTelemetry } from '../../src/workflows/index.ts';
import { Random } from '../oracle/random.ts';
import { count, type Stress, sleep, type Tally } from '../workflows/world.ts';

export interface Load {
  readonly stress: Stress;
  readonly prefix: string;
  readonly seed: number;
  /** Indices of clients go up from here. */
  readonly first: number;
  readonly clients: number;
  /** How often each runs at most. */
  readonly runs?: number;
}

/** What clients met with. Travels from child processes, so it is plain data. */
export interface Counts {
  readonly tally: Tally;
  /** Sends that had to be repeated, by reason. */
  readonly retries: Tally;
  operations: number;
  /** Errors that no client may have. */
  readonly thrown: string[];
}

export function noCounts(): Counts {
  return { tally: {}, retries: {}, operations: 0, thrown: [] };
}

export function addUp(sum: Tally, more: Readonly<Tally>): void {
  for (const [name, by] of Object.entries(more)) count(sum, name, by);
}

/** Most pause between two runs of a client, in milliseconds: a round is to last as long as its faults. */
const PAUSE_MS = 25;

/** Runs clients until `isOver`. Never rejects. */
export async function runClients(
  drivers: readonly Driver[],
  load: Load,
  isOver: () => boolean,
): Promise<Counts> {
  const counts = noCounts();
  let next = load.first;
  setTelemetry((event) => {
    if (event.event !== 'redis.atomic.operation') return;
    counts.operations++;
    addUp(counts.retries, event.retries);
  });
  const one = async (driver: Driver): Promise<void> => {
    const { runs = Number.POSITIVE_INFINITY } = load;
    for (let run = 0; run < runs && !isOver() && counts.thrown.length === 0; run++) {
      const index = next++;
      const random = new Random(load.seed, index);
      try {
        addUp(
          counts.tally,
          await load.stress.client(driver, load.prefix, index, () => random.next() / 2 ** 32),
        );
      } catch (error) {
        counts.thrown.push(`client ${index} threw ${error}`);
      }
      await sleep(random.int(0, PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: load.clients }, (_, i) => one(drivers[i % drivers.length]!)));
  setTelemetry(null);
  return counts;
}
