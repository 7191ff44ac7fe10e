// Hotel booking: ten guests want the one free room. Each looks whether it is free and, if so, books it. Without
// protection two could look at the same moment and both book. WATCH closes that gap: EXEC does nothing at all
// when the room changed since we looked, and the guest looks again.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { createClient, WatchError } from 'redis';
// In a project of your own: from 'holdfast'.
import { open } from '../src/index.ts';
import { type Example, type Outcome, sum, think } from './support.ts';

const ROOM = 'room:101';
const BOOKINGS = 'bookings';
const GUESTS = ['Ada', 'Bo', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus', 'Hana', 'Ivo', 'June'];

interface Try {
  readonly guest: string;
  readonly booked: boolean;
  readonly attempts: number;
}

export const hotel: Example = {
  name: 'hotel booking',
  invariant: 'one room, one guest',

  async nodeRedis(port) {
    // WATCH belongs to a connection: every guest has one.
    const clients = await Promise.all(
      GUESTS.map(() => createClient({ socket: { host: '127.0.0.1', port } }).connect()),
    );
    async function book(client: (typeof clients)[number], guest: string): Promise<Try> {
      for (let attempts = 1; ; attempts++) {
        await client.watch(ROOM);
        if ((await client.get(ROOM)) !== null) {
          await client.unwatch();
          return { guest, booked: false, attempts };
        }
        await think();
        try {
          await client.multi().set(ROOM, guest).incr(BOOKINGS).exec();
          return { guest, booked: true, attempts };
        } catch (error) {
          // Someone was faster: look again.
          if (!(error instanceof WatchError)) throw error;
        }
      }
    }
    const tries = await Promise.all(GUESTS.map((guest, i) => book(clients[i], guest)));
    const outcome = check(tries, await clients[0].get(ROOM), await clients[0].get(BOOKINGS));
    await Promise.all(clients.map((client) => client.close()));
    return outcome;
  },

  async ioredis(port) {
    const clients = GUESTS.map(() => new Redis(port, '127.0.0.1'));
    async function book(client: Redis, guest: string): Promise<Try> {
      for (let attempts = 1; ; attempts++) {
        await client.watch(ROOM);
        if ((await client.get(ROOM)) !== null) {
          await client.unwatch();
          return { guest, booked: false, attempts };
        }
        await think();
        const replies = await client.multi().set(ROOM, guest).incr(BOOKINGS).exec();
        // null: someone was faster, look again.
        if (replies !== null) return { guest, booked: true, attempts };
      }
    }
    const tries = await Promise.all(GUESTS.map((guest, i) => book(clients[i], guest)));
    const outcome = check(tries, await clients[0].get(ROOM), await clients[0].get(BOOKINGS));
    await Promise.all(clients.map((client) => client.quit()));
    return outcome;
  },

  async inProcess() {
    const db = await open();
    async function book(guest: string): Promise<Try> {
      // A session has a WATCH and a MULTI of its own, like a connection.
      const session = db.session();
      for (let attempts = 1; ; attempts++) {
        session.watch(ROOM);
        if (session.get(ROOM) !== null) {
          session.close();
          return { guest, booked: false, attempts };
        }
        await think();
        session.multi();
        session.set(ROOM, guest);
        session.incr(BOOKINGS);
        if (session.exec() !== null) return { guest, booked: true, attempts };
      }
    }
    const tries = await Promise.all(GUESTS.map(book));
    const outcome = check(tries, db.get(ROOM), db.get(BOOKINGS));
    db.close();
    return outcome;
  },
};

function check(tries: readonly Try[], inRoom: string | null, bookings: string | null): Outcome {
  const winners = tries.filter((each) => each.booked).map((each) => each.guest);
  assert.equal(winners.length, 1, 'exactly one guest booked');
  assert.equal(inRoom, winners[0], 'the room is theirs');
  assert.equal(bookings, '1', 'and was booked once');
  return { story: `${winners[0]} got the room`, attempts: sum(tries.map((each) => each.attempts)) };
}
