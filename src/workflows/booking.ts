// Nights of a room (or showings of a seat): one guest each. For users; as a script (lua/booking_*_v1.lua) and as a
// transaction with WATCH, which answer the same.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkName } from './kit/check.ts';
import { type Codec, flag, int, list, nullable, text } from './kit/codecs.ts';
import type { ContentionTracker } from './kit/contention.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { type Told, toldBy } from './kit/forms.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { type TransactionOptions, type TransactionTools, transaction } from './kit/transaction.ts';
import { booking_book_v1, booking_cancel_v1, booking_read_v1, booking_sweep_v1 } from './lua/scripts.ts';

const DAY_MS = 86_400_000;

/** A day as people write it, `2026-01-31`; on the wire the number of days since 1970. */
const day: Codec<string> = {
  kind: 'day',
  encode(value, where) {
    const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(value) : Number.NaN;
    // Date.parse takes the 31st of some shorter months.
    if (Number.isNaN(ms) || isoOf(ms / DAY_MS) !== value) {
      throw new AtomicError('BAD_ARGUMENT', `${where} must be a day, such as 2026-01-31`);
    }
    return ms / DAY_MS;
  },
  decode: (answer, where) => isoOf(int.decode(answer, where)),
};

function isoOf(days: number): string {
  return new Date(days * DAY_MS).toISOString().slice(0, 10);
}

const KEYS = ['guests', 'nights'] as const;

const book = defineScript({
  name: 'booking_book',
  version: 1,
  lua: booking_book_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { from: day, to: day, guest: text, keepPastDays: int },
  reply: {
    booked: ok({ replayed: flag, nights: int }),
    taken: denied({ replayed: flag, night: day, by: text }),
    in_the_past: denied({ replayed: flag, earliest: day }),
  },
});

const cancel = defineScript({
  name: 'booking_cancel',
  version: 1,
  lua: booking_cancel_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { from: day, to: day, guest: text },
  reply: { cancelled: ok({ replayed: flag, nights: int }) },
});

const read = defineScript({
  name: 'booking_read',
  version: 1,
  lua: booking_read_v1,
  mode: 'read',
  retry: 'always',
  keys: KEYS,
  args: { from: day, to: day },
  reply: { read: ok({ guests: list(nullable(text)) }) },
});

const sweep = defineScript({
  name: 'booking_sweep',
  version: 1,
  lua: booking_sweep_v1,
  mode: 'write',
  retry: 'always',
  keys: KEYS,
  args: { limit: int, keepPastDays: int },
  reply: { done: ok({ removed: int }), partial: ok({ removed: int }) },
});

type Booked = OutcomeOf<typeof book.spec.reply>;
type Cancelled = OutcomeOf<typeof cancel.spec.reply>;

export interface BookingOptions {
  /** Keys begin with it. Default `booking`. */
  readonly prefix?: string;
  /** How `book` and `cancel` are done. They answer the same; the script does it in one round trip. Default `script`. */
  readonly mechanism?: 'script' | 'watch';
  /** Most nights of one booking, at most 1000. Default 366. */
  readonly maxNights?: number;
  /** For how many days past nights are kept, at least 2 (time zones). Default 30. */
  readonly keepPastDays?: number;
  /** For `watch`: how often to begin again after a conflict. Default 100. */
  readonly attempts?: number;
  /** For `watch`: counts conflicts, and says when the script would be better. */
  readonly contention?: ContentionTracker;
}

/** Nights of a guest. */
export interface Stay {
  /** The first night, such as `2026-01-31`. */
  readonly from: string;
  /** The day of departure, whose night is not included. */
  readonly to: string;
  /** Who has them: an id that is unique to the guest or to the booking. */
  readonly guest: string;
}

/**
 * `booked`, with how many nights are new (0 and `meta.replayed` where all were the guest's before); `taken` with the
 * first night that is somebody else's, and whose; `in_the_past` with the earliest night that can be booked.
 */
export type BookingResult = Result<Booked>;
/** `cancelled`, with how many nights were given back: 0 and `meta.replayed` where none was the guest's any more. */
export type BookingCancelResult = Result<Cancelled>;
/** `read`, with the guest or null for each night from `from` on. */
export type BookingReadResult = Result<OutcomeOf<typeof read.spec.reply>>;
/** `done`, or `partial` where more nights are past; with how many were taken out. */
export type BookingSweepResult = Result<OutcomeOf<typeof sweep.spec.reply>>;

export interface Booking {
  /**
   * Makes all nights of the stay the guest's, or none. Nights that are his already count as his, so that it is safe to
   * repeat, and a stay can be prolonged.
   */
  book(room: string, stay: Stay, options?: CallOptions): Promise<BookingResult>;
  /** Gives back those nights of the stay that are the guest's. Safe to repeat. */
  cancel(room: string, stay: Stay, options?: CallOptions): Promise<BookingCancelResult>;
  read(room: string, range: Omit<Stay, 'guest'>, options?: CallOptions): Promise<BookingReadResult>;
  /** Takes out at most `limit` (1 to 1000, default 366) nights that are past, by the server's clock. */
  sweep(room: string, limit?: number, options?: CallOptions): Promise<BookingSweepResult>;
}

interface Settings {
  readonly maxNights: number;
  readonly keepPastDays: number;
  readonly transaction: Omit<TransactionOptions, 'watch'>;
}

/**
 * Bookings by night: one guest per room and night.
 *
 * ```ts
 * const rooms = booking(driver);
 * await rooms.book('room-12', { from: '2026-08-01', to: '2026-08-04', guest: 'ada' });
 * ```
 * @throws AtomicError BAD_ARGUMENT, from here and from every method, before anything is sent; with `watch` also
 *   CONFLICT_EXHAUSTED, where the room changed in every attempt and nothing was written
 */
export function booking(driver: Driver, options: BookingOptions = {}): Booking {
  const { mechanism = 'script', maxNights = 366, keepPastDays = 30, attempts = 100 } = options;
  const prefix = checkPrefix(options.prefix ?? 'booking');
  checkInt('maxNights', maxNights, 1, 1000);
  checkInt('keepPastDays', keepPastDays, 2, 36_500);
  checkInt('attempts', attempts, 1, 10_000);
  const contention = options.contention;
  const settings: Settings = {
    maxNights,
    keepPastDays,
    transaction: { attempts, retry: 'always', ...(contention && { contention }) },
  };
  const keysFor = (room: string) => {
    const key = keysOf(prefix, room);
    return { guests: key(), nights: key('nights') };
  };
  return {
    async book(room, stay, call) {
      const nights = nightsOf(stay, maxNights);
      const { from, to, guest } = stay;
      checkName('a guest', guest);
      const keys = keysFor(room);
      if (mechanism === 'watch') return bookWatched(driver, keys, { nights, guest }, settings, call);
      return book.run(driver, { keys, args: { from, to, guest, keepPastDays } }, call);
    },
    async cancel(room, stay, call) {
      const nights = nightsOf(stay, maxNights);
      const { from, to, guest } = stay;
      checkName('a guest', guest);
      const keys = keysFor(room);
      if (mechanism === 'watch') return cancelWatched(driver, keys, { nights, guest }, settings, call);
      return cancel.run(driver, { keys, args: { from, to, guest } }, call);
    },
    async read(room, { from, to }, call) {
      nightsOf({ from, to }, maxNights);
      return read.run(driver, { keys: keysFor(room), args: { from, to } }, call);
    },
    async sweep(room, limit = 366, call) {
      checkInt('limit', limit, 1, 1000);
      return sweep.run(driver, { keys: keysFor(room), args: { limit, keepPastDays } }, call);
    },
  };
}

/** Numbers of the nights of a range. */
function nightsOf({ from, to }: Omit<Stay, 'guest'>, most: number): number[] {
  const first = Number(day.encode(from, 'from'));
  const length = Number(day.encode(to, 'to')) - first;
  checkInt('the number of nights', length, 1, most);
  return Array.from({ length }, (_, i) => first + i);
}

interface RoomKeys {
  readonly guests: string;
  readonly nights: string;
}

interface Wanted {
  readonly nights: readonly number[];
  readonly guest: string;
}

/** Nights that one booking takes out of the past, in passing. */
const PRUNED = 50;

async function bookWatched(
  driver: Driver,
  keys: RoomKeys,
  { nights, guest }: Wanted,
  settings: Settings,
  call: CallOptions | undefined,
): Promise<BookingResult> {
  const { guests, nights: index } = keys;
  const options = { ...settings.transaction, ...call, name: 'booking_book_watch', watch: [guests, index] };
  const result = await transaction<Told<Booked>, Told<Booked>>(driver, options, async (tx) => {
    const [earliest, now] = await Promise.all([
      earliestNight(tx, settings.keepPastDays),
      tx.read.hmget(guests, ...nights),
    ]);
    if (nights[0] < earliest) {
      return refuse(tx, { ok: false, status: 'in_the_past', earliest: isoOf(earliest) });
    }
    const taken = now.findIndex((by) => by !== null && by !== guest);
    if (taken >= 0) {
      const by = now[taken] as string;
      return refuse(tx, { ok: false, status: 'taken', night: isoOf(nights[taken]), by });
    }
    const free = nights.filter((_, i) => now[i] === null);
    if (free.length === 0) return refuse(tx, { ok: true, status: 'booked', nights: 0 }, true);
    const range = ['-inf', `(${earliest}`, 'LIMIT', 0, PRUNED] as const;
    const past = (await tx.read.zrangebyscore(index, ...range)) as readonly string[];
    const outcome: Booked = { ok: true, status: 'booked', nights: free.length };
    return tx.commit<Told<Booked>>(
      (queue) => {
        queue.hset(guests, ...free.flatMap((night) => [night, guest]));
        queue.zadd(index, ...free.flatMap((night) => [night, night]));
        if (past.length > 0) {
          queue.hdel(guests, ...past);
          queue.zrem(index, ...past);
        }
      },
      { outcome },
    );
  });
  return toldBy(result);
}

async function cancelWatched(
  driver: Driver,
  keys: RoomKeys,
  { nights, guest }: Wanted,
  settings: Settings,
  call: CallOptions | undefined,
): Promise<BookingCancelResult> {
  const { guests, nights: index } = keys;
  const options = { ...settings.transaction, ...call, name: 'booking_cancel_watch', watch: [guests, index] };
  const result = await transaction<Told<Cancelled>, Told<Cancelled>>(driver, options, async (tx) => {
    const now = await tx.read.hmget(guests, ...nights);
    const own = nights.filter((_, i) => now[i] === guest);
    const outcome: Cancelled = { ok: true, status: 'cancelled', nights: own.length };
    if (own.length === 0) return refuse(tx, outcome, true);
    return tx.commit<Told<Cancelled>>(
      (queue) => {
        queue.hdel(guests, ...own);
        queue.zrem(index, ...own);
      },
      { outcome },
    );
  });
  return toldBy(result);
}

// Nothing is to be written, which need not be a denial.
function refuse<T extends Booked | Cancelled>(tx: TransactionTools, outcome: T, replayed = false) {
  return tx.reject<Told<T>>(outcome.status, { outcome, replayed });
}

async function earliestNight(tx: TransactionTools, keepPastDays: number): Promise<number> {
  const [seconds] = (await tx.call('TIME')) as readonly string[];
  return Math.floor((Number(seconds) * 1000) / DAY_MS) - keepPastDays;
}

export const bookingCard = defineWorkflow({
  name: 'booking',
  invariant:
    'A room has at most one guest for each night, and a stay is booked with all its nights or not at all.',
  keys: {
    guests: { pattern: 'prefix:{room}', holds: 'guest by night', expires: 'never; past nights are swept' },
    nights: { pattern: 'prefix:{room}:nights', holds: 'booked nights in order', expires: 'as the guests' },
  },
  why: 'All nights are looked at before one is written. WATCH does it where few want the same room; the script always.',
  operations: {
    book: { does: 'books a stay, as a script', script: book },
    bookWatched: {
      does: 'books a stay, as a transaction',
      mechanism: 'watch',
      retry: 'always',
      outcomes: ['booked', 'taken', 'in_the_past'],
    },
    cancel: { does: 'gives nights back, as a script', script: cancel },
    cancelWatched: {
      does: 'gives nights back, as a transaction',
      mechanism: 'watch',
      retry: 'always',
      outcomes: ['cancelled'],
    },
    read: { does: 'reads who has which night', script: read },
    sweep: { does: 'takes out past nights', script: sweep },
  },
  bounds: [
    'at most maxNights nights in a call',
    'a hash field and a member for each booked night, until keepPastDays after it',
    'book takes out at most 50 past nights in passing, sweep at most 1000',
    'with WATCH: at most `attempts` attempts, within the deadline',
  ],
  tests: ['test/workflows/contracts/booking.ts', 'test/workflows/clock-trade.test.ts'],
});
