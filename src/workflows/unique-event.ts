// Events that arrive more than once: is this the first? For users; the scripts are lua/unique_event*.lua.

import { defineWorkflow } from './kit/card.ts';
import { checkInt, checkMs, checkText } from './kit/check.ts';
import { flag, int, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { checkPrefix, keysOf, tagOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { newRequestId } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { unique_event_capped_v1, unique_event_forget_v1, unique_event_v1 } from './lua/scripts.ts';

const reply = {
  first: ok({ replayed: flag, serverTimeMs: int, token: text, forgotten: int }),
  duplicate: denied({ replayed: flag, serverTimeMs: int, firstSeenMs: int }),
};

const sparse = defineScript({
  name: 'unique_event',
  version: 1,
  lua: unique_event_v1,
  mode: 'write',
  retry: 'always',
  keys: ['event'],
  args: { token: text, windowMs: int },
  reply,
});

const capped = defineScript({
  name: 'unique_event_capped',
  version: 1,
  lua: unique_event_capped_v1,
  mode: 'write',
  retry: 'always',
  keys: ['events', 'tokens'],
  args: { eventId: text, token: text, windowMs: int, maxEvents: int },
  reply,
});

const forget = defineScript({
  name: 'unique_event_forget',
  version: 1,
  lua: unique_event_forget_v1,
  mode: 'write',
  retry: 'always',
  keys: ['places[]'],
  args: { eventId: text, token: text },
  reply: { forgotten: ok({ replayed: flag }), not_first: denied({ replayed: flag }) },
});

export interface UniqueEventOptions {
  /** Keys begin with it. Default `event`. */
  readonly prefix?: string;
  /** How long an event is remembered after its first sight, in milliseconds. */
  readonly windowMs: number;
  /**
   * Remember at most so many events of a stream, 1 to 1000000; the oldest are forgotten first, and the result says so.
   * A stream is one slot then. Default: no such bound, a key for each event.
   */
  readonly maxEvents?: number;
}

export interface SeenOptions extends CallOptions {
  /** Token of this call, 1 to 200 characters. Default a random one. Repeat an unknown call with the same. */
  readonly token?: string;
}

/**
 * `first` with the token, and how many events were `forgotten` before their window was over, to make room: more than 0
 * says that `maxEvents` is too small. `duplicate` with the server's time of the first sight, in Unix milliseconds.
 */
export type UniqueEventSeen = Result<OutcomeOf<typeof reply>>;
/** `forgotten`: the next one is first again. `not_first`: another call saw it first. */
export type UniqueEventForgotten = Result<OutcomeOf<typeof forget.spec.reply>>;

export interface UniqueEvent {
  /** Remembers the event and says whether it is the first. Safe to repeat: a call knows its own token. */
  seen(stream: string, eventId: string, options?: SeenOptions): Promise<UniqueEventSeen>;
  /** Takes it back, where dealing with the first one failed. `token` is that of its `first`. Safe to repeat. */
  forget(
    stream: string,
    eventId: string,
    token: string,
    options?: CallOptions,
  ): Promise<UniqueEventForgotten>;
}

/**
 * An event id is seen once per window.
 *
 * ```ts
 * const events = uniqueEvent(driver, { windowMs: 86_400_000 });
 * if ((await events.seen('payments', event.id)).status === 'first') await handle(event);
 * ```
 */
export function uniqueEvent(driver: Driver, options: UniqueEventOptions): UniqueEvent {
  const prefix = checkPrefix(options.prefix ?? 'event');
  const windowMs = checkMs('windowMs', options.windowMs);
  const { maxEvents } = options;
  if (maxEvents !== undefined) checkInt('maxEvents', maxEvents, 1, 1_000_000);
  const ofStream = (stream: string): { events: string; tokens: string } => {
    const key = keysOf(prefix, stream);
    return { events: key('events'), tokens: key('tokens') };
  };
  // Of no stream's slot: without a bound, nothing needs a stream's events together.
  const ofEvent = (stream: string, eventId: string): string =>
    keysOf(`${prefix}:${tagOf(stream)}`, eventId)();

  return {
    async seen(stream, eventId, { token = newRequestId(), ...call } = {}) {
      checkText('eventId', eventId, 512);
      checkText('token', token, 200);
      const options = { ...call, requestId: token };
      if (maxEvents === undefined) {
        const keys = { event: ofEvent(stream, eventId) };
        return sparse.run(driver, { keys, args: { token, windowMs } }, options);
      }
      const args = { eventId, token, windowMs, maxEvents };
      return capped.run(driver, { keys: ofStream(stream), args }, options);
    },

    async forget(stream, eventId, token, call) {
      const args = { eventId: checkText('eventId', eventId, 512), token: checkText('token', token, 200) };
      const { events, tokens } = ofStream(stream);
      const places = maxEvents === undefined ? [ofEvent(stream, eventId)] : [events, tokens];
      return forget.run(driver, { keys: { places }, args }, call);
    },
  };
}

export const uniqueEventCard = defineWorkflow({
  name: 'uniqueEvent',
  invariant:
    'Within its window an event id is first once, unless the bound on events has forgotten it, which is said.',
  keys: {
    event: {
      pattern: 'prefix:stream:{eventId}',
      layout: 'without maxEvents',
      holds: 'time and token of the first sight (without maxEvents)',
      expires: 'windowMs after it',
    },
    events: {
      pattern: 'prefix:{stream}:events',
      holds: 'events by the time of their first sight (with maxEvents)',
      expires: 'windowMs after the newest',
    },
    tokens: {
      pattern: 'prefix:{stream}:tokens',
      holds: 'the tokens of the first calls (with maxEvents)',
      expires: 'windowMs after the newest',
    },
  },
  why: "SET NX PX GET would do, but it has no time of the first sight by the server's clock, and no bound for a stream.",
  operations: {
    seen: { does: 'remembers an event, a key for each', script: sparse },
    seenCapped: { does: 'remembers an event among at most maxEvents', script: capped },
    forget: { does: 'takes a first sight back', script: forget },
  },
  bounds: [
    'without maxEvents: a key of some 60 bytes for each event of a window',
    'with maxEvents: so many members in a sorted set and a hash; at most 100 are removed in one call',
  ],
  tests: ['test/workflows/contracts/unique-event.ts', 'test/workflows/clock-leases.test.ts'],
});
