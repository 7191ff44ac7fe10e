// Moving on a game map: players walk about a small grid, one player a cell. Who stands where is kept twice, by
// cell and by player, and a move writes three keys. The two indexes always agree and nobody shares a cell.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { createClient, WatchError } from 'redis';
// In a project of your own: from 'holdfast'.
import { open } from '../src/index.ts';
import { dice, type Example, type Outcome, sum, think } from './support.ts';

const SIZE = 5;
const MOVES = 25;
const PLAYERS = Array.from({ length: 12 }, (_, i) => `player ${i + 1}`);
const STEPS = [
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
] as const;
const CELLS = Array.from({ length: SIZE * SIZE }, (_, i) => `cell:${i % SIZE},${Math.floor(i / SIZE)}`);

/** `cell:x,y` → the player in it; absent when free. `at:player` → that cell. */
const at = (player: string): string => `at:${player}`;

interface Try {
  readonly moved: boolean;
  readonly attempts: number;
}

export const game: Example = {
  name: 'game map',
  invariant: 'one player a cell, both indexes agree',

  async nodeRedis(port) {
    const clients = await Promise.all(
      PLAYERS.map(() => createClient({ socket: { host: '127.0.0.1', port } }).connect()),
    );
    async function move(number: number, from: string, to: string): Promise<Try> {
      const client = clients[number];
      for (let attempts = 1; ; attempts++) {
        await client.watch(to);
        if ((await client.exists(to)) === 1) {
          await client.unwatch();
          return { moved: false, attempts };
        }
        const player = PLAYERS[number];
        try {
          await client.multi().set(to, player).del(from).set(at(player), to).exec();
          return { moved: true, attempts };
        } catch (error) {
          if (!(error instanceof WatchError)) throw error;
        }
      }
    }
    await clients[0].mSet(startingPlaces());
    const tries = await play(move);
    const outcome = check(tries, await clients[0].mGet(CELLS), await clients[0].mGet(PLAYERS.map(at)));
    await Promise.all(clients.map((client) => client.close()));
    return outcome;
  },

  async ioredis(port) {
    const clients = PLAYERS.map(() => new Redis(port, '127.0.0.1'));
    async function move(number: number, from: string, to: string): Promise<Try> {
      const client = clients[number];
      for (let attempts = 1; ; attempts++) {
        await client.watch(to);
        if ((await client.exists(to)) === 1) {
          await client.unwatch();
          return { moved: false, attempts };
        }
        const player = PLAYERS[number];
        const replies = await client.multi().set(to, player).del(from).set(at(player), to).exec();
        if (replies !== null) return { moved: true, attempts };
      }
    }
    await clients[0].mset(startingPlaces());
    const tries = await play(move);
    const outcome = check(tries, await clients[0].mget(CELLS), await clients[0].mget(PLAYERS.map(at)));
    await Promise.all(clients.map((client) => client.quit()));
    return outcome;
  },

  async inProcess() {
    const db = await open();
    const sessions = PLAYERS.map(() => db.session());
    async function move(number: number, from: string, to: string): Promise<Try> {
      const session = sessions[number];
      for (let attempts = 1; ; attempts++) {
        session.watch(to);
        if (session.exists(to) === 1) {
          session.unwatch();
          return { moved: false, attempts };
        }
        await think();
        const player = PLAYERS[number];
        session.multi();
        session.set(to, player);
        session.del(from);
        session.set(at(player), to);
        if (session.exec() !== null) return { moved: true, attempts };
      }
    }
    for (const [key, value] of Object.entries(startingPlaces())) db.set(key, value);
    const tries = await play(move);
    const read = (keys: readonly string[]): (string | null)[] => keys.map((key) => db.get(key));
    const outcome = check(tries, read(CELLS), read(PLAYERS.map(at)));
    db.close();
    return outcome;
  },
};

/** Every player in a cell of their own, in both indexes. */
function startingPlaces(): Record<string, string> {
  const places = PLAYERS.flatMap((player, i) => [
    [CELLS[i], player],
    [at(player), CELLS[i]],
  ]);
  return Object.fromEntries(places);
}

/** Lets all players walk at once, each in random directions. */
async function play(move: (number: number, from: string, to: string) => Promise<Try>): Promise<Try[]> {
  const walks = PLAYERS.map(async (_, number) => {
    const tries: Try[] = [];
    let here = CELLS[number];
    for (let i = 0; i < MOVES; i++) {
      const there = neighbour(here);
      const result = await move(number, here, there);
      if (result.moved) here = there;
      tries.push(result);
    }
    return tries;
  });
  return (await Promise.all(walks)).flat();
}

/** A cell beside this one; the map has no edge. */
function neighbour(cell: string): string {
  const [x, y] = cell.slice('cell:'.length).split(',').map(Number);
  const [right, down] = STEPS[dice(STEPS.length)];
  return `cell:${(x + right + SIZE) % SIZE},${(y + down + SIZE) % SIZE}`;
}

function check(tries: readonly Try[], byCell: (string | null)[], byPlayer: (string | null)[]): Outcome {
  PLAYERS.forEach((player, i) => {
    const cell = byPlayer[i] as string;
    assert.equal(byCell[CELLS.indexOf(cell)], player, `${cell} knows that ${player} is there`);
  });
  assert.equal(new Set(byPlayer).size, PLAYERS.length, 'nobody shares a cell');
  assert.equal(byCell.filter((player) => player !== null).length, PLAYERS.length, 'nobody is in two cells');
  const moved = tries.filter((each) => each.moved).length;
  return {
    story: `${moved} moves made, ${tries.length - moved} into an occupied cell`,
    attempts: sum(tries.map((each) => each.attempts)),
  };
}
