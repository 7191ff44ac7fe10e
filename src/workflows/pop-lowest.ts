// Pops the lowest element of a sorted set exactly once: a priority queue in its simplest form. Three mechanisms, which
// differ in what a lost reply costs. For users; the script is lua/pop_lowest_v1.lua.
import { defineWorkflow } from './kit/card.ts';
import { type Codec, decimal, flag, int, text } from './kit/codecs.ts';
import type { ContentionTracker } from './kit/contention.ts';
import type { Answer, Driver, Word } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import { type CallOptions, type Decoded, perform } from './kit/perform.ts';
import { checkRequestId, newRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import { makeResult, type Outcome, type Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { transaction } from './kit/transaction.ts';
import { pop_lowest_v1 } from './lua/scripts.ts';

/** A score, infinite ones as well: somebody else may have put them there. */
const score: Codec<number> = {
  kind: 'score',
  encode: decimal.encode,
  decode: (answer, where) =>
    answer === 'inf' || answer === '-inf'
      ? Number(answer.replace('inf', 'Infinity'))
      : decimal.decode(answer, where),
};

const pop = defineScript({
  name: 'pop_lowest',
  version: 1,
  lua: pop_lowest_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['set', 'request'],
  args: { requestTtlMs: int },
  reply: {
    popped: ok({ replayed: flag, member: text, score }),
    empty: denied({ replayed: flag }),
    request_reused: denied({ replayed: flag }),
  },
});

export interface PopLowestOptions {
  /** Keys begin with it. Default `lowest`. */
  readonly prefix?: string;
  /**
   * `script`, the default, remembers what a request popped, so that a lost reply loses nothing. `command` is ZPOPMIN, the
   * weakest that pops once; `watch` reads and removes under WATCH. With those two a lost reply may lose an element.
   */
  readonly mechanism?: 'watch' | 'command' | 'script';
  /** How long `script` remembers a request, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
  /** Counts the conflicts of the `watch` form. */
  readonly contention?: ContentionTracker;
}

/** `popped` with the element and its score; `empty`; `request_reused`. */
export type PopResult = Result<OutcomeOf<typeof pop.spec.reply>>;
type PopOutcome = OutcomeOf<typeof pop.spec.reply>;

/** `added`, or `moved` where the member was there already. */
export type AddResult = Result<{ readonly ok: true; readonly status: 'added' | 'moved' }>;

export interface PopLowest {
  /** Adds an element, or gives it another score. A blind repetition may bring back what was popped meanwhile. */
  add(set: string, member: string, score: number, options?: CallOptions): Promise<AddResult>;
  /**
   * Pops the element with the lowest score; of equal ones the first by its bytes. With `script` it is always safe to
   * repeat: without a request id one is made, and the toolkit repeats by itself. A request id is refused by the others.
   */
  pop(set: string, options?: RequestOptions): Promise<PopResult>;
}

/**
 * Pops the lowest element once.
 *
 * ```ts
 * const jobs = popLowest(driver, { prefix: 'jobs' });
 * await jobs.add('mail', 'welcome-17', 1);
 * const job = await jobs.pop('mail');
 * ```
 */
export function popLowest(driver: Driver, options: PopLowestOptions = {}): PopLowest {
  const { mechanism = 'script', requestTtlMs = REQUEST_TTL_MS, contention } = options;
  const prefix = checkPrefix(options.prefix ?? 'lowest');
  if (!['watch', 'command', 'script'].includes(mechanism)) bad('mechanism must be watch, command or script');
  if (!Number.isSafeInteger(requestTtlMs) || requestTtlMs < 1) bad('requestTtlMs must be an integer above 0');
  return {
    async add(set, member, score, call) {
      if (typeof member !== 'string' || member === '') bad('a member has at least one character');
      if (!Number.isFinite(score)) bad('a score must be a finite number');
      const words = ['ZADD', keysOf(prefix, set)(), score, member];
      return command(driver, 'pop_lowest_add', words, call, (answer) => ({
        ok: true as const,
        status: answer === 1 ? ('added' as const) : ('moved' as const),
      }));
    },
    async pop(set, request) {
      const key = keysOf(prefix, set);
      if (mechanism === 'script') {
        const requestId = request?.requestId ?? newRequestId();
        const keys = { set: key(), request: key(`request:${checkRequestId(requestId)}`) };
        return pop.run(driver, { keys, args: { requestTtlMs } }, { ...request, requestId });
      }
      if (request?.requestId !== undefined) bad('only the script remembers requests: leave requestId out');
      if (mechanism === 'watch') return popWatched(driver, key(), request, contention);
      return command(driver, 'pop_lowest_command', ['ZPOPMIN', key()], request, outcomeOf);
    },
  };
}

/** A pair of member and score, or nothing. */
function outcomeOf(answer: Answer): PopOutcome {
  const [member, number] = Array.isArray(answer) ? (answer as readonly Answer[]) : [];
  if (member === undefined) return { ok: false, status: 'empty' };
  return {
    ok: true,
    status: 'popped',
    member: text.decode(member, 'member'),
    score: score.decode(number, 'score'),
  };
}

/** One command as an operation that is never sent twice. */
function command<T extends Outcome>(
  driver: Driver,
  name: string,
  words: readonly Word[],
  options: CallOptions | undefined,
  read: (answer: Answer) => T,
): Promise<Result<T>> {
  const key = String(words[1]);
  return perform<T>(
    driver,
    {
      name,
      version: 1,
      retry: 'never',
      requestId: null,
      key,
      send: (timeoutMs, signal) => driver.send({ words, key, timeoutMs, signal }),
      decode: (answer): Decoded<T> => ({ outcome: read(answer), serverTimeMs: null, replayed: false }),
    },
    options,
  );
}

async function popWatched(
  driver: Driver,
  key: string,
  options: CallOptions | undefined,
  contention: ContentionTracker | undefined,
): Promise<PopResult> {
  const settings = { ...options, name: 'pop_lowest_watch', watch: [key], contention };
  const result = await transaction<PopOutcome, undefined>(driver, settings, async (tx) => {
    const lowest = outcomeOf(await tx.read.zrange(key, 0, 0, 'WITHSCORES'));
    if (lowest.status !== 'popped') return tx.reject('empty');
    return tx.commit((queue) => queue.zrem(key, lowest.member), lowest);
  });
  if (result.status === 'unknown') {
    return makeResult<PopOutcome>({ ok: false, status: 'unknown', cause: result.cause }, result.meta);
  }
  const outcome = result.status === 'committed' ? result.value : ({ ok: false, status: 'empty' } as const);
  return makeResult<PopOutcome>(outcome, result.meta);
}

function bad(message: string): never {
  throw new AtomicError('BAD_ARGUMENT', message);
}

export const popLowestCard = defineWorkflow({
  name: 'popLowest',
  invariant: 'The lowest element is popped once.',
  keys: {
    set: { pattern: 'prefix:{set}', holds: 'the elements by score', expires: 'never' },
    request: {
      pattern: 'prefix:{set}:request:requestId',
      holds: 'which element the request popped (script)',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'ZPOPMIN alone pops once, and is the weakest that does; the script remembers, so that a lost reply loses nothing.',
  operations: {
    add: {
      does: 'adds an element or moves it',
      mechanism: 'command',
      retry: 'never',
      outcomes: ['added', 'moved'],
    },
    pop: { does: 'pops and remembers for the request', script: pop },
    popCommand: {
      does: 'pops by ZPOPMIN',
      mechanism: 'command',
      retry: 'never',
      outcomes: ['popped', 'empty'],
    },
    popWatch: { does: 'pops under WATCH', mechanism: 'watch', retry: 'never', outcomes: ['popped', 'empty'] },
  },
  metrics: ['redis.atomic.operation.* of pop_lowest_add and pop_lowest_command'],
  bounds: ['with script one record of some 150 bytes for each pop, for requestTtlMs'],
  tests: ['test/workflows/contracts/pop-lowest.ts', 'test/workflows/pop-lowest.test.ts'],
});
