// Players on the cells of a map: never two on one. For users; as a transaction in objects (kit/steps.ts) with WATCH and
// as a script (lua/placement_*_v1.lua), which answer the same.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkName } from './kit/check.ts';
import { type Codec, flag, text } from './kit/codecs.ts';
import type { ContentionTracker } from './kit/contention.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { type Told, toldBy, withoutAsking } from './kit/forms.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { makeResult, type Outcome, type Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { type ObjectTransaction, rejection, runTransaction } from './kit/steps.ts';
import type { Committed, Rejected, TransactionOptions } from './kit/transaction.ts';
import {
  placement_enter_v1,
  placement_leave_v1,
  placement_look_v1,
  placement_move_v1,
} from './lua/scripts.ts';

/** A cell of a map: column and row, from 0. */
export interface Cell {
  readonly x: number;
  readonly y: number;
}

/** A cell as it is written: `3,7`. */
const cell: Codec<Cell> = {
  kind: 'cell',
  encode: ({ x, y }) => `${x},${y}`,
  decode(answer, where) {
    const parts = /^(-?\d+),(-?\d+)$/.exec(String(answer));
    if (parts === null) throw new AtomicError('REPLY_SHAPE', `${where} is not a cell`);
    return { x: Number(parts[1]), y: Number(parts[2]) };
  },
};

const enter = defineScript({
  name: 'placement_enter',
  version: 1,
  lua: placement_enter_v1,
  mode: 'write',
  retry: 'always',
  keys: ['player', 'cell'],
  args: { player: text, at: cell },
  reply: {
    entered: ok({ replayed: flag, position: cell }),
    already_inside: denied({ replayed: flag, position: cell }),
    blocked: denied({ replayed: flag, by: text }),
    off_map: denied(),
  },
});

const move = defineScript({
  name: 'placement_move',
  version: 1,
  lua: placement_move_v1,
  mode: 'write',
  retry: 'always',
  keys: ['player', 'old', 'new'],
  args: { player: text, from: cell, to: cell },
  reply: {
    moved: ok({ replayed: flag, position: cell }),
    moved_meanwhile: denied({ replayed: flag, position: cell }),
    blocked: denied({ replayed: flag, by: text }),
    not_inside: denied({ replayed: flag }),
    off_map: denied(),
  },
});

const leave = defineScript({
  name: 'placement_leave',
  version: 1,
  lua: placement_leave_v1,
  mode: 'write',
  retry: 'always',
  keys: ['player', 'cell'],
  args: { at: cell },
  reply: {
    left: ok({ replayed: flag, position: cell }),
    not_inside: ok({ replayed: flag }),
    moved_meanwhile: denied({ replayed: flag, position: cell }),
  },
});

const look = defineScript({
  name: 'placement_look',
  version: 1,
  lua: placement_look_v1,
  mode: 'read',
  retry: 'always',
  keys: ['key'],
  args: {},
  reply: { found: ok({ found: text }), nothing: denied() },
});

type Entered = OutcomeOf<typeof enter.spec.reply>;
type Moved = OutcomeOf<typeof move.spec.reply>;
type Left = Exclude<OutcomeOf<typeof leave.spec.reply>, { status: 'moved_meanwhile' }>;

export interface PlacementOptions {
  /** Keys begin with it. Default `map`. */
  readonly prefix?: string;
  /** Columns, 1 to 1,000,000. */
  readonly width: number;
  /** Rows, 1 to 1,000,000. */
  readonly height: number;
  /** How it is done. Both answer the same; the script does it in one round trip. Default `script`. */
  readonly mechanism?: 'script' | 'watch';
  /** How often to begin again after a conflict. Default 50. */
  readonly attempts?: number;
  /** For `watch`: counts conflicts, and says when the script would be better. */
  readonly contention?: ContentionTracker;
}

/** `entered`; `already_inside` with where he stands; `blocked` with who stands there; `off_map`. */
export type PlacementEnterResult = Result<Entered>;
/**
 * `moved` (`meta.replayed` where he stood there already); `moved_meanwhile` with where he stands instead of `from`;
 * `blocked` with who stands there; `not_inside`; `off_map`.
 */
export type PlacementMoveResult = Result<Moved>;
/** `left` with where he stood, or `not_inside`, which is as good. */
export type PlacementLeaveResult = Result<Left>;
/** `inside` with where he stands, or `not_inside`. */
export type PlacementWhereResult = Result<
  | { readonly ok: true; readonly status: 'inside'; readonly position: Cell }
  | { readonly ok: false; readonly status: 'not_inside' }
>;
/** `taken` with who stands there, or `free`. */
export type PlacementWhoResult = Result<
  | { readonly ok: true; readonly status: 'taken'; readonly by: string }
  | { readonly ok: true; readonly status: 'free' }
>;

export interface Placement {
  /** Puts a player who is not on the map on a free cell. Safe to repeat. */
  enter(map: string, player: string, at: Cell, options?: CallOptions): Promise<PlacementEnterResult>;
  /**
   * Moves a player from where the caller saw him to a free cell. Which steps are allowed is up to the game. Safe to
   * repeat: who stands on `to` already has `moved`.
   */
  move(
    map: string,
    player: string,
    step: { readonly from: Cell; readonly to: Cell },
    options?: CallOptions,
  ): Promise<PlacementMoveResult>;
  /** Takes a player off the map, wherever he stands. Safe to repeat. */
  leave(map: string, player: string, options?: CallOptions): Promise<PlacementLeaveResult>;
  where(map: string, player: string, options?: CallOptions): Promise<PlacementWhereResult>;
  who(map: string, at: Cell, options?: CallOptions): Promise<PlacementWhoResult>;
}

/** Most columns and rows. */
const LARGEST = 1_000_000;

interface MapKeys {
  player(name: string): string;
  cell(at: Cell): string;
}

function mapKeys(prefix: string, map: string): MapKeys {
  const key = keysOf(prefix, map);
  return {
    player: (name) => key(`player:${checkName('a player', name)}`),
    cell: (at) => key(`cell:${checkCell(at)}`),
  };
}

function checkCell({ x, y }: Cell): string {
  checkInt('x', x, -LARGEST, LARGEST);
  checkInt('y', y, -LARGEST, LARGEST);
  return `${x},${y}`;
}

/**
 * A map on which two players never stand on one cell. A cell and a player are keys of their own, so that players who do
 * not meet do not disturb each other; all of a map share a slot.
 *
 * ```ts
 * const island = placement(driver, { width: 64, height: 64 });
 * await island.enter('island', 'ada', { x: 0, y: 0 });
 * await island.move('island', 'ada', { from: { x: 0, y: 0 }, to: { x: 1, y: 0 } });
 * ```
 * @throws AtomicError BAD_ARGUMENT, from here and from every method, before anything is sent; CONFLICT_EXHAUSTED, where
 *   the cells or the player changed in every attempt and nothing was written
 */
export function placement(driver: Driver, options: PlacementOptions): Placement {
  const { width, height, mechanism = 'script', attempts = 50, contention } = options;
  const prefix = checkPrefix(options.prefix ?? 'map');
  checkInt('width', width, 1, LARGEST);
  checkInt('height', height, 1, LARGEST);
  checkInt('attempts', attempts, 1, 10_000);
  const settings = { attempts, retry: 'always' as const, ...(contention && { contention }) };
  const isOff = ({ x, y }: Cell): boolean => x < 0 || y < 0 || x >= width || y >= height;
  const whereIs = async (map: string, player: string, call?: CallOptions): Promise<PlacementWhereResult> => {
    const key = mapKeys(prefix, map).player(player);
    const seen = await look.run(driver, { keys: { key }, args: {} }, call);
    if (seen.status === 'unknown') return seen as never;
    if (!seen.ok) return makeResult({ ok: false, status: 'not_inside' }, seen.meta);
    const position = cell.decode(seen.found, 'position');
    return makeResult({ ok: true, status: 'inside', position }, seen.meta);
  };
  return {
    async enter(map, player, at, call) {
      const all = mapKeys(prefix, map);
      const keys = { player: all.player(player), cell: all.cell(at) };
      if (isOff(at)) return withoutAsking<Entered>({ ok: false, status: 'off_map' }, 'always');
      if (mechanism === 'script') return enter.run(driver, { keys, args: { player, at } }, call);
      return watched(driver, entering(keys, player, at), { ...settings, ...call });
    },
    async move(map, player, { from, to }, call) {
      const all = mapKeys(prefix, map);
      const keys = { player: all.player(player), old: all.cell(from), new: all.cell(to) };
      if (isOff(to)) return withoutAsking<Moved>({ ok: false, status: 'off_map' }, 'always');
      if (mechanism === 'script') return move.run(driver, { keys, args: { player, from, to } }, call);
      return watched(driver, moving(keys, player, { from, to }), { ...settings, ...call });
    },
    async leave(map, player, call) {
      const all = mapKeys(prefix, map);
      const find = () => whereIs(map, player, call);
      if (mechanism === 'watch') {
        return watched(driver, leaving(all, player, find), { ...settings, ...call });
      }
      return leaveByScript(driver, { all, player, find, attempts }, call);
    },
    where: whereIs,
    async who(map, at, call) {
      const key = mapKeys(prefix, map).cell(at);
      const seen = await look.run(driver, { keys: { key }, args: {} }, call);
      if (seen.status === 'unknown') return seen as never;
      if (!seen.ok) return makeResult({ ok: true, status: 'free' }, seen.meta);
      return makeResult({ ok: true, status: 'taken', by: seen.found }, seen.meta);
    },
  };
}

interface Leaving {
  readonly all: MapKeys;
  readonly player: string;
  readonly attempts: number;
  find(): Promise<PlacementWhereResult>;
}

// A script must be told its keys, so the cell is looked up before; where the player has moved on, again.
async function leaveByScript(
  driver: Driver,
  { all, player, find, attempts }: Leaving,
  call: CallOptions | undefined,
): Promise<PlacementLeaveResult> {
  for (let i = 0; i < attempts; i++) {
    const seen = await find();
    if (seen.status !== 'inside') return notInside(seen);
    const at = seen.position;
    const keys = { player: all.player(player), cell: all.cell(at) };
    const result = await leave.run(driver, { keys, args: { at } }, call);
    if (result.status !== 'moved_meanwhile') return result as PlacementLeaveResult;
  }
  throw new AtomicError('CONFLICT_EXHAUSTED', `the player moved in ${attempts} attempts to take him off`);
}

function notInside(seen: Exclude<PlacementWhereResult, { status: 'inside' }>): PlacementLeaveResult {
  if (seen.status === 'unknown') return seen as never;
  return makeResult<Left>({ ok: true, status: 'not_inside' }, seen.meta);
}

type Prepared<T extends Outcome> = Told<T>;

async function watched<I, T extends Outcome>(
  driver: Driver,
  root: ObjectTransaction<I, Prepared<T>>,
  options: Omit<TransactionOptions, 'watch'>,
): Promise<Result<T>> {
  const result = await runTransaction(driver, root, options);
  return toldBy(result as Result<Committed<Told<T>> | Rejected<Told<T>>>);
}

// Nothing is to be written, which need not be a denial.
function settled<T extends Outcome>(outcome: T, replayed = false) {
  return rejection(outcome.status, { outcome, replayed } satisfies Told<T>);
}

function entering(
  keys: { readonly player: string; readonly cell: string },
  player: string,
  at: Cell,
): ObjectTransaction<undefined, Prepared<Entered>> {
  return {
    name: 'placement_enter_watch',
    keys: () => [keys.player, keys.cell],
    async prepare(read) {
      const [now, by] = await Promise.all([read.get(keys.player), read.get(keys.cell)]);
      const entered: Entered = { ok: true, status: 'entered', position: at };
      if (now === checkCell(at)) return settled(entered, true);
      if (now !== null) {
        const position = cell.decode(now, 'position');
        return settled<Entered>({ ok: false, status: 'already_inside', position });
      }
      if (by !== null) return settled<Entered>({ ok: false, status: 'blocked', by });
      return { outcome: entered };
    },
    execute(queue) {
      queue.set(keys.player, checkCell(at));
      queue.set(keys.cell, player);
    },
  };
}

function moving(
  keys: { readonly player: string; readonly old: string; readonly new: string },
  player: string,
  { from, to }: { readonly from: Cell; readonly to: Cell },
): ObjectTransaction<undefined, Prepared<Moved>> {
  return {
    name: 'placement_move_watch',
    keys: () => [...new Set([keys.player, keys.old, keys.new])],
    async prepare(read) {
      const [now, by] = await Promise.all([read.get(keys.player), read.get(keys.new)]);
      if (now === null) return settled<Moved>({ ok: false, status: 'not_inside' });
      const moved: Moved = { ok: true, status: 'moved', position: to };
      if (now === checkCell(to)) return settled(moved, true);
      if (now !== checkCell(from)) {
        const position = cell.decode(now, 'position');
        return settled<Moved>({ ok: false, status: 'moved_meanwhile', position });
      }
      if (by !== null) return settled<Moved>({ ok: false, status: 'blocked', by });
      return { outcome: moved };
    },
    execute(queue) {
      queue.del(keys.old);
      queue.set(keys.new, player);
      queue.set(keys.player, checkCell(to));
    },
  };
}

// The cell is found before WATCH and looked at again under it. Who moved in between leaves the cell where he stands now:
// that is his as long as his own key, which is watched, does not change.
function leaving(
  all: MapKeys,
  player: string,
  find: () => Promise<PlacementWhereResult>,
): ObjectTransaction<string | null, Prepared<Left>> {
  const key = all.player(player);
  return {
    name: 'placement_leave_watch',
    async init() {
      const seen = await find();
      // Only a look was lost: nothing has happened.
      if (seen.status === 'unknown') throw new AtomicError('DISCONNECTED', 'nobody answered', seen);
      return seen.status === 'inside' ? checkCell(seen.position) : null;
    },
    keys: (found) => (found === null ? [key] : [key, all.cell(cell.decode(found, 'position'))]),
    async prepare(read) {
      const now = await read.get(key);
      if (now === null) return settled<Left>({ ok: true, status: 'not_inside' });
      return { outcome: { ok: true, status: 'left', position: cell.decode(now, 'position') } };
    },
    execute(queue, prepared) {
      const { outcome } = prepared;
      if (outcome.status === 'left') queue.del(key, all.cell(outcome.position));
    },
  };
}

export const placementCard = defineWorkflow({
  name: 'placement',
  invariant: 'A cell has at most one player and a player at most one cell, and both keys say the same.',
  keys: {
    player: {
      pattern: 'prefix:{map}:player:name',
      holds: 'the cell of a player',
      expires: 'never; goes when he leaves',
    },
    cell: {
      pattern: 'prefix:{map}:cell:x,y',
      holds: 'the player on a cell',
      expires: 'never; goes when he leaves',
    },
  },
  why: 'Player and cells change together after both were looked at. WATCH on three keys does it: few players want one cell.',
  operations: {
    enter: { does: 'puts a player on a free cell, as a script', script: enter },
    move: { does: 'moves a player, as a script', script: move },
    leave: { does: 'takes a player off, as a script', script: leave },
    enterWatched: {
      does: 'puts a player on a free cell, as a transaction',
      mechanism: 'watch',
      retry: 'always',
      outcomes: ['entered', 'already_inside', 'blocked', 'off_map'],
    },
    moveWatched: {
      does: 'moves a player, as a transaction',
      mechanism: 'watch',
      retry: 'always',
      outcomes: ['moved', 'moved_meanwhile', 'blocked', 'not_inside', 'off_map'],
    },
    leaveWatched: {
      does: 'takes a player off, as a transaction',
      mechanism: 'watch',
      retry: 'always',
      outcomes: ['left', 'not_inside'],
    },
    look: { does: 'reads a player or a cell', script: look },
  },
  bounds: ['two keys for each player on a map', 'at most `attempts` attempts, within the deadline'],
  tests: ['test/workflows/contracts/placement.ts'],
});
