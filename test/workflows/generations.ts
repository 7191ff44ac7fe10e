// Stress loads of what is used up: seats are sold, limits reached, events seen. Every moment has an id of its own, the
// same in all processes, so that a load goes on being one for as long as chaos wants. Used by contracts/*.ts.
import type { Driver } from '../../src/workflows/index.ts';
import { attempt, count, named, type Stress, type Tally } from './world.ts';

const MOMENT_MS = 400;

/** A load of one id after the other. */
export interface Generation {
  readonly workflow: string;
  /** Makes what an id needs. Every client does it first, and `check` once more: it must be safe to repeat. */
  open(driver: Driver, prefix: string, id: string): Promise<unknown>;
  /** As a client of `Stress`. */
  client(driver: Driver, prefix: string, run: Run): Promise<Tally>;
  /** `tally` is the sum of what the clients of this id counted. */
  check(driver: Driver, prefix: string, id: string, tally: Tally): Promise<void>;
}

export interface Run {
  readonly id: string;
  readonly index: number;
  readonly random: () => number;
}

/** The load over all ids that there were. */
export function inGenerations({ workflow, open, client, check }: Generation): Stress {
  return {
    workflow,
    async setup() {},
    async client(driver, prefix, index, random) {
      const id = `g${Math.floor(Date.now() / MOMENT_MS)}`;
      const tally: Tally = {};
      count(tally, `generation ${id}`);
      // Where this fails, all else is denied, until another client has done it.
      await attempt(tally, async () => void (await open(driver, prefix, id)));
      for (const [name, times] of Object.entries(await client(driver, prefix, { id, index, random }))) {
        const isForAll = name.startsWith('all ') || name.startsWith('error ');
        count(tally, isForAll ? name : `${id}: ${name}`, times);
      }
      return tally;
    },
    async check(driver, prefix, tally) {
      for (const id of named(tally, 'generation ').keys()) {
        await open(driver, prefix, id);
        await check(driver, prefix, id, Object.fromEntries(named(tally, `${id}: `)));
      }
    },
  };
}
