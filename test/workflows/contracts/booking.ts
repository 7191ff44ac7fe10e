// Contract of booking: one guest per room and night; the script and the transaction answer the same.
import { expect, it } from 'vitest';
import {
  AtomicError,
  type Booking,
  type BookingOptions,
  booking,
  ContentionTracker,
} from '../../../src/workflows/index.ts';
import { inGenerations } from '../generations.ts';
import {
  attempt,
  type Contract,
  count,
  freshPrefix,
  named,
  raw,
  type Stress,
  type Tally,
  unsure,
} from '../world.ts';

/** A day so many days from now. */
function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

const FORMS = ['script', 'watch'] as const;

function stay(from: number, to: number, guest: string) {
  return { from: inDays(from), to: inDays(to), guest };
}

async function guestsOf(rooms: Booking, from: number, to: number): Promise<readonly (string | null)[]> {
  return (await rooms.read('r', stay(from, to, ''))).orThrow().guests;
}

/** What an answer says, without what it took. */
function said(result: Awaited<ReturnType<Booking['book'] | Booking['cancel']>>): unknown {
  const { meta, ...rest } = result;
  return { ...rest, replayed: meta.replayed };
}

export const bookingContract: Contract = {
  workflow: 'booking',
  suite(world) {
    const make = (options: BookingOptions = {}) => {
      const prefix = options.prefix ?? freshPrefix();
      return { prefix, rooms: booking(world().driver, { ...options, prefix }) };
    };

    for (const mechanism of FORMS) {
      it(`${mechanism}: books all nights of a stay or none`, async () => {
        const { rooms } = make({ mechanism });
        const booked = await rooms.book('r', stay(10, 13, 'ada'));
        expect(booked).toMatchObject({ ok: true, status: 'booked', nights: 3, meta: { retry: 'always' } });
        expect(await rooms.book('r', stay(8, 11, 'bo'))).toMatchObject({
          ok: false,
          status: 'taken',
          night: inDays(10),
          by: 'ada',
        });
        // The day of departure is free.
        expect(await rooms.book('r', stay(13, 14, 'bo'))).toMatchObject({ ok: true, nights: 1 });
        expect(await guestsOf(rooms, 8, 15)).toEqual([null, null, 'ada', 'ada', 'ada', 'bo', null]);
        expect(await rooms.book('other', stay(10, 13, 'bo'))).toMatchObject({ ok: true });
      });

      it(`${mechanism}: a repeated booking changes nothing, a longer one adds nights`, async () => {
        const { rooms } = make({ mechanism });
        await rooms.book('r', stay(10, 12, 'ada'));
        const again = await rooms.book('r', stay(10, 12, 'ada'));
        expect(again).toMatchObject({ ok: true, status: 'booked', nights: 0, meta: { replayed: true } });
        expect(await rooms.book('r', stay(10, 15, 'ada'))).toMatchObject({
          status: 'booked',
          nights: 3,
          meta: { replayed: false },
        });
        expect(await guestsOf(rooms, 10, 15)).toEqual(Array(5).fill('ada'));
      });

      it(`${mechanism}: cancelling gives back one's own nights, once`, async () => {
        const { rooms, prefix } = make({ mechanism });
        await rooms.book('r', stay(10, 12, 'ada'));
        await rooms.book('r', stay(12, 13, 'bo'));
        expect(await rooms.cancel('r', stay(9, 14, 'ada'))).toMatchObject({ status: 'cancelled', nights: 2 });
        expect(await rooms.cancel('r', stay(9, 14, 'ada'))).toMatchObject({
          ok: true,
          status: 'cancelled',
          nights: 0,
          meta: { replayed: true },
        });
        expect(await guestsOf(rooms, 10, 13)).toEqual([null, null, 'bo']);
        expect(await raw(world().driver, 'ZCARD', `${prefix}:{r}:nights`)).toBe(1);
      });

      it(`${mechanism}: what is past cannot be booked`, async () => {
        const { rooms } = make({ mechanism, keepPastDays: 2 });
        const late = await rooms.book('r', stay(-10, -8, 'ada'));
        expect(late).toMatchObject({ ok: false, status: 'in_the_past' });
        expect(late.status === 'in_the_past' && late.earliest <= inDays(-2)).toBe(true);
        expect(await rooms.book('r', stay(0, 1, 'ada'))).toMatchObject({ status: 'booked' });
      });

      it(`${mechanism}: of a hundred clients exactly one gets the room`, async () => {
        const prefix = freshPrefix();
        const clients = [world().driver, world().other].map((driver) =>
          booking(driver, { prefix, mechanism }),
        );
        const wishes = Array.from({ length: 100 }, (_, i) =>
          clients[i % 2].book('r', stay(20 + (i % 3), 23, `g${i}`), { deadlineMs: 20_000 }),
        );
        const results = await Promise.all(wishes);
        const winners = results.flatMap((result, i) => (result.ok ? [i] : []));
        expect(winners).toHaveLength(1);
        expect(results.filter(({ status }) => status === 'taken')).toHaveLength(99);
        const guest = `g${winners[0]}`;
        const nights = [20, 21, 22].map((night) => (night < 20 + (winners[0] % 3) ? null : guest));
        expect(await guestsOf(clients[0], 20, 23)).toEqual(nights);
      });
    }

    it('script and transaction answer the same, whatever comes', async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      let state = seed;
      const random = (below: number) => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return (state >>> 8) % below;
      };
      const forms = FORMS.map((mechanism) => make({ mechanism }).rooms);
      for (let i = 0; i < 80; i++) {
        const from = 5 + random(12);
        const wish = stay(from, from + 1 + random(5), `g${random(3)}`);
        const operation = random(3) === 0 ? 'cancel' : 'book';
        const [a, b] = await Promise.all(forms.map((rooms) => rooms[operation]('r', wish)));
        expect(said(a), `seed ${seed}, step ${i}`).toEqual(said(b));
      }
      const [a, b] = await Promise.all(forms.map((rooms) => guestsOf(rooms, 0, 30)));
      expect(a).toEqual(b);
    });

    it('both forms see each other: a booking by script is a conflict under WATCH, never a second guest', async () => {
      const contention = new ContentionTracker();
      const prefix = freshPrefix();
      const [script, watch] = FORMS.map((mechanism) =>
        booking(world().driver, { prefix, mechanism, contention }),
      );
      for (let i = 0; i < 20; i++) {
        const results = await Promise.all([
          watch.book('r', stay(i, i + 1, 'ada')),
          script.book('r', stay(i, i + 1, 'bo')),
        ]);
        expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      }
      expect(contention.report().attempts).toBeGreaterThanOrEqual(20);
    });

    it('sweeps past nights by bounded steps, and books sweep some in passing', async () => {
      const { rooms, prefix } = make({ keepPastDays: 2 });
      const past = Math.floor(Date.now() / 86_400_000) - 100;
      const put = async (nights: number) => {
        for (let i = 0; i < nights; i++) {
          await raw(world().driver, 'HSET', `${prefix}:{r}`, past + i, 'old');
          await raw(world().driver, 'ZADD', `${prefix}:{r}:nights`, past + i, past + i);
        }
      };
      await put(5);
      await rooms.book('r', stay(3, 4, 'ada'));
      expect(await raw(world().driver, 'HLEN', `${prefix}:{r}`)).toBe(1);
      await put(7);
      expect(await rooms.sweep('r', 4)).toMatchObject({ ok: true, status: 'partial', removed: 4 });
      expect(await rooms.sweep('r', 4)).toMatchObject({ ok: true, status: 'done', removed: 3 });
      expect(await guestsOf(rooms, 3, 4)).toEqual(['ada']);
      await put(2);
      await booking(world().driver, { prefix, mechanism: 'watch', keepPastDays: 2 }).book(
        'r',
        stay(4, 5, 'bo'),
      );
      expect(await raw(world().driver, 'ZCARD', `${prefix}:{r}:nights`)).toBe(2);
    });

    it('refuses what is no stay before sending it', async () => {
      const { rooms } = make();
      const bad = [
        stay(3, 3, 'ada'),
        stay(4, 3, 'ada'),
        stay(3, 400, 'ada'),
        stay(3, 4, ''),
        { from: '2099-02-29', to: '2099-03-02', guest: 'ada' },
        { from: '2099-2-1', to: '2099-03-02', guest: 'ada' },
        { from: 'tomorrow', to: '2099-03-02', guest: 'ada' },
      ];
      for (const each of bad) {
        await expect(rooms.book('r', each)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      }
      await expect(rooms.book('', stay(3, 4, 'ada'))).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      expect(() => booking(world().driver, { maxNights: 5000 })).toThrow(AtomicError);
    });
  },
};

const NIGHTS = 100;
const FIRST = 5;

export const bookingStress: Stress = inGenerations({
  workflow: 'booking',
  async open() {},
  async client(driver, prefix, { id, index, random }) {
    const tally: Tally = {};
    // Both forms on the same rooms.
    const rooms = booking(driver, { prefix, mechanism: FORMS[index % 2] });
    for (let i = 0; i < 15; i++) {
      const from = FIRST + Math.floor(random() * NIGHTS);
      const to = Math.min(from + 1 + Math.floor(random() * 4), FIRST + NIGHTS);
      // A guest of its own for each wish: who is in afterwards says who was told so.
      const guest = `${index}-${i}`;
      const nights = to - from;
      const booked = await attempt(tally, () => rooms.book(id, stay(from, to, guest)));
      if (booked === null) continue;
      if (unsure(booked)) count(tally, `unsure ${guest}`, nights);
      if (!booked.ok) continue;
      count(tally, `nights ${guest}`, nights);
      if (random() < 0.3) continue;
      const back = await attempt(tally, () => rooms.cancel(id, stay(from, to, guest)));
      if (back?.ok) count(tally, `nights ${guest}`, -nights);
      if (back !== null && unsure(back)) count(tally, `unsure ${guest}`, nights);
    }
    return tally;
  },
  async check(driver, prefix, id, tally) {
    const held = (await raw(driver, 'HGETALL', `${prefix}:{${id}}`)) as readonly string[];
    expect(await raw(driver, 'ZCARD', `${prefix}:{${id}}:nights`)).toBe(held.length / 2);
    const nights: Tally = {};
    for (let i = 1; i < held.length; i += 2) count(nights, held[i]);
    // Who was told so has all his nights and nobody else has one: had two been given one night, one would lack it.
    const told = named(tally, 'nights ');
    const unknown = named(tally, 'unsure ');
    for (const guest of new Set([...Object.keys(nights), ...told.keys()])) {
      const either = [told.get(guest) ?? 0];
      if (unknown.has(guest)) either.push(0, unknown.get(guest) as number);
      expect(either, `nights of ${guest}`).toContain(nights[guest] ?? 0);
    }
  },
});
