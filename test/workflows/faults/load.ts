// A load of counting for the tests of failovers and migrations: what it was told, and whether the server agrees.
// Called by cluster.test.ts and sentinel.test.ts.
import { expect } from 'vitest';
import { AtomicError, boundedCounter, type Driver } from '../../../src/workflows/index.ts';
import { raw } from '../world.ts';
import { counting, eventually } from './support.ts';

const LOOPS = 2;
const DEADLINE_MS = 15_000;

interface Told {
  ok: number;
  unknown: number;
}

/** Clients that count as fast as they are answered. */
export class Load {
  readonly driver: Driver;
  readonly prefix: string;
  /** Of the counter that remembers requests. */
  readonly remembered: Told = { ok: 0, unknown: 0 };
  /** Of the counter whose script must not be repeated. */
  readonly plain: Told = { ok: 0, unknown: 0 };
  readonly errors: string[] = [];
  private readonly work: Promise<unknown>;
  private on = true;

  /** The keys are `prefix:{id}` and `prefix:{id}:plain`. */
  constructor(driver: Driver, prefix: string, id: string) {
    this.driver = driver;
    this.prefix = `${prefix}:{${id}}`;
    const counter = boundedCounter(driver, { prefix, max: 10n ** 15n });
    const options = { deadlineMs: DEADLINE_MS };
    const key = `${this.prefix}:plain`;
    const count = counting('never');
    const loops = Array.from({ length: LOOPS }, (_, loop) =>
      this.loop(this.remembered, (i) => counter.add(id, 1n, { ...options, requestId: `${loop}-${i}` })),
    );
    loops.push(this.loop(this.plain, () => count.run(driver, { keys: { counter: key }, args: {} }, options)));
    this.work = Promise.all(loops);
  }

  /** Waits until so many more have succeeded of each kind. */
  async more(least = 20): Promise<void> {
    const until = [this.remembered.ok + least, this.plain.ok + least];
    await eventually(
      `${this.driver.facts.client} goes on (${this.errors.join(', ')})`,
      () => this.remembered.ok >= until[0] && this.plain.ok >= until[1],
      DEADLINE_MS,
    );
  }

  async stop(): Promise<void> {
    this.on = false;
    await this.work;
  }

  /** What the server has counted: with request ids, and without. */
  async values(): Promise<[number, number]> {
    const [remembered, plain] = [
      await raw(this.driver, 'GET', this.prefix),
      await raw(this.driver, 'GET', `${this.prefix}:plain`),
    ];
    return [Number(remembered), Number(plain)];
  }

  /** Every success is there once, every unknown at most once, and no call failed. */
  async expectExact(): Promise<void> {
    expect(this.errors).toEqual([]);
    const values = await this.values();
    [this.remembered, this.plain].forEach(({ ok, unknown }, i) => {
      expect(values[i]).toBeGreaterThanOrEqual(ok);
      expect(values[i]).toBeLessThanOrEqual(ok + unknown);
    });
  }

  /** The same where the servers may lose what they have confirmed: nothing is there twice, and no call failed. */
  async expectNoneTwice(): Promise<void> {
    expect(this.errors).toEqual([]);
    const values = await this.values();
    [this.remembered, this.plain].forEach(({ ok, unknown }, i) => {
      expect(values[i]).toBeGreaterThan(0);
      expect(values[i]).toBeLessThanOrEqual(ok + unknown);
    });
  }

  private async loop(
    told: Told,
    call: (i: number) => Promise<{ ok: boolean; status: string }>,
  ): Promise<void> {
    for (let i = 0; this.on; i++) {
      try {
        const { ok, status } = await call(i);
        if (ok) told.ok++;
        else if (status === 'unknown') told.unknown++;
        else this.errors.push(status);
      } catch (error) {
        this.errors.push(error instanceof AtomicError ? `${error.code}: ${error.message}` : String(error));
      }
    }
  }
}

/** Runs these loads until `event` is over and all of them have gone on behind it. */
export async function underLoad(loads: readonly Load[], event: () => Promise<unknown>): Promise<void> {
  try {
    await Promise.all(loads.map((load) => load.more()));
    await event();
    await Promise.all(loads.map((load) => load.more()));
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
  }
}
