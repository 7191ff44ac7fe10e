// The move of one slot from a primary to another, as redis-cli does it, but in steps that a test can stop between.
// Called by redis-cluster.ts, which says between whom and waits for the outcome.

import { ask } from './waiting.ts';

const KEYS_PER_STEP = 100;
const MIGRATE_MS = 5000;

interface Peer {
  readonly port: number;
  readonly id: string;
}

export interface Move {
  readonly slot: number;
  readonly from: Peer;
  readonly to: Peer;
  /** The other primaries, which are told the new owner. */
  readonly others: readonly Peer[];
  readonly keysPerStep?: number;
}

/** Where a migration stands: `opened` before any key has moved, `moved` after a batch, `emptied` with no key left. */
export interface MigrationStep {
  readonly phase: 'opened' | 'moved' | 'emptied';
  /** Keys that the new owner has got so far. */
  readonly moved: number;
  /** Keys that the old owner still has. */
  readonly left: number;
}

export interface MigrateOptions {
  keysPerStep?: number;
  /** Called between the phases; the migration waits for it. */
  steps?: (step: MigrationStep) => void | Promise<void>;
}

/** A slot half-way between two primaries. */
export interface SlotMigration {
  /** How many keys the old owner still has. */
  left(): Promise<number>;
  /** Moves the next batch of keys. */
  step(): Promise<MigrationStep>;
  /** Moves what is left and makes the new owner known; resolves once all nodes agree. */
  finish(): Promise<void>;
}

/** Opens the slot at both ends: from now on the old owner answers ASK for keys it lacks. */
export async function openMigration(move: Move, settled: () => Promise<void>): Promise<SlotMigration> {
  const { slot, from, to, others, keysPerStep = KEYS_PER_STEP } = move;
  await ask(to.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  await ask(from.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
  let moved = 0;
  async function left(): Promise<number> {
    return Number((await ask(from.port, 'CLUSTER', 'COUNTKEYSINSLOT', slot)).text);
  }
  async function step(): Promise<MigrationStep> {
    const { items } = await ask(from.port, 'CLUSTER', 'GETKEYSINSLOT', slot, keysPerStep);
    const keys = items.map((item) => item.text);
    if (keys.length > 0) {
      await ask(from.port, 'MIGRATE', '127.0.0.1', to.port, '', 0, MIGRATE_MS, 'KEYS', ...keys);
    }
    moved += keys.length;
    const rest = await left();
    return { phase: rest === 0 ? 'emptied' : 'moved', moved, left: rest };
  }
  async function finish(): Promise<void> {
    while ((await step()).left > 0);
    // The new owner first: were the old one first and the new one died, nobody would own the slot.
    for (const peer of [to, from, ...others]) {
      await ask(peer.port, 'CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    }
    await settled();
  }
  return { left, step, finish };
}

/** A whole migration: `steps` hears of every phase. */
export async function runMigration(
  migration: SlotMigration,
  steps: MigrateOptions['steps'] = () => {},
): Promise<void> {
  let now: MigrationStep = { phase: 'opened', moved: 0, left: await migration.left() };
  await steps(now);
  while (now.phase !== 'emptied') {
    now = await migration.step();
    await steps(now);
  }
  await migration.finish();
}
