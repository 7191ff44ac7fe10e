// Runs of one machine through power cuts, kills and failing disks, each decided by a seed: what was promised must be there
// afterwards. Called by run.ts (`npm run crash -- --power`) and src/persistence/persistence.test.ts.
import { RecoveryError } from '../../src/persistence/recovery.ts';
import { type FailureRule, type FaultyStorage, faultyStorage } from '../../src/storage/faulty.ts';
import type { MemoryStorage } from '../../src/storage/memory.ts';
import { StorageError } from '../../src/storage/port.ts';
import { type Chance, chance } from '../../src/storage/random.ts';
import { Life, lastOperations, Process, Promises, turn } from './machine.ts';

export interface Tally {
  acknowledged: number;
  lives: number;
  rewrites: number;
  powerCuts: number;
  kills: number;
  failures: number;
  refused: number;
}

export const tally = (): Tally => ({
  acknowledged: 0,
  lives: 0,
  rewrites: 0,
  powerCuts: 0,
  kills: 0,
  failures: 0,
  refused: 0,
});

const KINDS = [
  'append',
  'appendDurably',
  'sync',
  'syncFolder',
  'rename',
  'open',
  'truncate',
  'remove',
  'list',
  'close',
];
const CODES = ['EIO', 'ENOSPC'] as const;

/** Several lives on one disk; answers what went wrong, null where nothing did. */
export async function powerRun(seed: number, count: Tally): Promise<string | null> {
  const dice = chance(seed);
  const promises = new Promises();
  let disk: MemoryStorage | undefined;
  let storage: FaultyStorage | null = null;
  let isKill = false;
  let time = 1_700_000_000_000;
  const lives = 3 + dice(5);
  for (let number = 0; ; number++) {
    const fresh: boolean = storage === null;
    // The last one only looks at what is there.
    const isLast = fresh && number >= lives;
    storage ??= faultyStorage({
      seed: dice(2 ** 30),
      base: disk,
      crashAt: !isLast && dice(2) === 0 ? 1 + dice(dice(2) === 0 ? 40 : 300) : undefined,
    });
    const process = new Process(storage, fresh);
    const config: Record<string, string> = dice(3) === 0 ? { 'auto-aof-rewrite-min-size': '2kb' } : {};
    const life = new Life(process, promises, dice(2) === 0 ? 'always' : 'everysec', time, config);
    const heal = isLast || dice(5) < 3 ? null : failing(storage, dice, count);
    const where = (what: string): string =>
      `life ${number} (${life.policy}): ${what}${lastOperations(storage as FaultyStorage)}`;
    count.lives++;
    let isOpen = false;
    try {
      isOpen = await life.open();
    } catch (error) {
      if (error instanceof RecoveryError) return where(`recovery refuses: ${error.message}`);
      if (!(error instanceof StorageError)) throw error;
      if (heal === null) return where(`it does not open: ${error.message}`);
    }
    if (isOpen) {
      const wrong = life.partial() ?? promises.recovered(life.contents(), isKill);
      if (wrong !== null) return where(wrong);
      if (isLast) break;
      const trouble = (await work(life, dice)) ?? (heal === null ? null : await mend(life, heal, dice));
      if (trouble !== null) return where(trouble);
    }
    heal?.();
    time = life.clock.now();
    // What follows is seen by the next life.
    const end = dice(3);
    if (isOpen && !process.dead && end === 0) {
      const closed = await life.close();
      if (!closed && !process.dead && life.log.problem === null) return where('it does not close');
    }
    count.acknowledged += promises.acknowledged;
    promises.acknowledged = 0;
    count.rewrites += life.rewrites;
    count.refused += life.refused;
    if (process.violation !== null) return where(process.violation);
    // Nobody has killed it yet: if it is dead, the power is gone.
    const hasPower = !process.dead;
    await life.kill();
    // After a failed sync the system shows what the disk does not have: only the power brings that to light.
    isKill = hasPower && end === 1 && !process.syncFailed && isOpen;
    if (isKill) {
      count.kills++;
      continue;
    }
    count.powerCuts++;
    disk = storage.afterCrash(dice(2 ** 30));
    storage = null;
  }
  return null;
}

/** Has an operation of some kind fail for a while; what it answers ends that. */
function failing(storage: FaultyStorage, dice: Chance, count: Tally): () => void {
  const kind = KINDS[dice(KINDS.length)];
  const from = storage.operations + 1 + dice(dice(2) === 0 ? 40 : 150);
  const to = dice(3) === 0 ? from + 1 + dice(5) : Number.POSITIVE_INFINITY;
  let hit = false;
  return storage.fail({
    code: CODES[dice(CODES.length)],
    when: (operation) => {
      const fails = operation.operation === kind && operation.count >= from && operation.count < to;
      if (fails && !hit) {
        hit = true;
        count.failures++;
      }
      return fails;
    },
  });
}

async function work(life: Life, dice: Chance): Promise<string | null> {
  const steps = dice(80);
  for (let step = 0; step < steps && !life.process.dead; step++) {
    const what = dice(20);
    if (what < 12) {
      for (let units = 1 + dice(4); units > 0; units--) {
        const wrong = life.unit(dice);
        if (wrong !== null) return wrong;
      }
      if (dice(2) === 0) life.read();
    } else if (what === 12) {
      // Beside `everysec` two ticks a second apart bring all to the disk, where it can be written.
      const { last } = life.promises;
      const { log } = life;
      if (log.problem !== null || life.policy !== 'everysec' || dice(2) === 0) life.clock.advance(dice(1500));
      else {
        const batch = log.pending === 0 ? log.gathering - 1 : log.gathering;
        for (let i = 0; i < 3; i++) {
          life.clock.advance(1100);
          for (let turns = 0; turns < 20; turns++) await turn();
        }
        if (life.process.dead) break;
        if (log.problem === null && log.durable < batch)
          return `unit ${last} is not on disk after three seconds`;
      }
    } else if (what === 13) life.rewrite();
    else if (what === 14) await life.flushed();
    else if (what === 15) void life.flushed();
    else for (let turns = dice(8); turns > 0; turns--) await turn();
  }
  return null;
}

async function mend(life: Life, heal: () => void, dice: Chance): Promise<string | null> {
  if (life.process.dead || dice(3) === 0) return null;
  heal();
  const wrong = await life.heal();
  if (wrong !== null || life.process.dead) return wrong;
  return work(life, dice);
}

/** What happens to one operation of {@link rewriteRun}. */
export type Blow =
  | { readonly kind: 'power' }
  | { readonly kind: 'failure'; readonly code: FailureRule['code'] };

/**
 * A fixed run of units with a rewrite among them, to whose operation `at` (counted from the rewrite's begin) something
 * happens; answers what went wrong, or how many operations the rewrite took.
 */
export async function rewriteRun(
  seed: number,
  policy: 'always' | 'everysec',
  at: number,
  blow: Blow,
): Promise<{ readonly wrong: string | null; readonly operations: number }> {
  const dice = chance(seed);
  const promises = new Promises();
  const storage = faultyStorage({ seed });
  const life = new Life(new Process(storage, true), promises, policy, 1_700_000_000_000);
  await life.open();
  for (let i = 0; i < 10; i++) {
    life.unit(dice);
    if (i % 3 === 0) await turn();
  }
  await life.flushed();
  const begin = storage.operations;
  const done = (wrong: string | null, operations = 0) => ({
    wrong:
      wrong === null ? null : `operation ${at} of the rewrite, ${policy}: ${wrong}${lastOperations(storage)}`,
    operations,
  });
  const take = storage.fail({
    code: blow.kind === 'failure' ? blow.code : 'EIO',
    when: ({ count }) => {
      if (count - begin !== at) return false;
      if (blow.kind === 'power') storage.crash();
      return blow.kind === 'failure';
    },
  });
  for (let i = 0; i < 5; i++) life.unit(dice);
  life.rewrite();
  while (life.isRewriting && !life.process.dead) {
    const wrong = life.unit(dice);
    if (wrong !== null) return done(wrong);
    await turn();
    if (storage.operations - begin > 1000) return done('the rewrite does not end');
  }
  const operations = storage.operations - begin;
  if (!life.process.dead && blow.kind === 'failure') {
    take();
    const wrong = (await life.heal()) ?? life.unit(dice);
    if (wrong !== null) return done(wrong);
    await life.flushed();
  }
  if (life.process.violation !== null) return done(life.process.violation);
  await life.kill();
  const again = new Life(
    new Process(faultyStorage({ seed, base: storage.afterCrash() }), true),
    promises,
    policy,
    life.clock.now(),
  );
  try {
    await again.open();
  } catch (error) {
    return done((error as Error).message);
  }
  const wrong = again.partial() ?? promises.recovered(again.contents(), false);
  await again.close();
  return done(wrong, operations);
}
