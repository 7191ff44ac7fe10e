// A leaderboard: rank by score, and among equal scores by who was there first, or last. For users; the scripts are
// lua/leaderboard_*.lua.
import { defineWorkflow } from './kit/card.ts';
import { type Codec, flag, int, list, nullable, text } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import { leaderboard_read_v1, leaderboard_remove_v1, leaderboard_submit_v1 } from './lua/scripts.ts';

/** One line of a board. The best has rank 1. */
export interface LeaderboardEntry {
  readonly rank: number;
  readonly id: string;
  readonly score: number;
}

const entry: Codec<LeaderboardEntry> = {
  kind: 'entry',
  encode: (_value, where) => bad(where, 'what only replies have'),
  decode(answer, where) {
    const [rank, id, score] = Array.isArray(answer) ? answer : [];
    return {
      rank: int.decode(rank, `${where}.rank`),
      id: text.decode(id, `${where}.id`),
      score: int.decode(score, `${where}.score`),
    };
  },
};

const submit = defineScript({
  name: 'leaderboard_submit',
  version: 1,
  lua: leaderboard_submit_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['board', 'members', 'number', 'request[]'],
  args: { id: text, score: int, mode: text, order: text, down: flag, most: int, requestTtlMs: int },
  reply: {
    ranked: ok({ replayed: flag, score: int, rank: int, previousRank: nullable(int) }),
    kept: ok({ replayed: flag, score: int, rank: int }),
    below: denied({ replayed: flag, score: int, previousRank: nullable(int) }),
    out_of_range: denied({ replayed: flag, score: int, rank: int }),
    request_reused: denied({ replayed: flag }),
  },
});
const remove = defineScript({
  name: 'leaderboard_remove',
  version: 1,
  lua: leaderboard_remove_v1,
  mode: 'write',
  retry: 'same-request-id',
  keys: ['board', 'members', 'request[]'],
  args: { id: text, requestTtlMs: int },
  reply: {
    removed: ok({ replayed: flag }),
    not_ranked: denied({ replayed: flag }),
    request_reused: denied({ replayed: flag }),
  },
});
const read = defineScript({
  name: 'leaderboard_read',
  version: 1,
  lua: leaderboard_read_v1,
  mode: 'read',
  retry: 'always',
  keys: ['board', 'members'],
  args: { id: text, first: int, last: int, order: text },
  reply: {
    page: ok({ total: int, entries: list(entry) }),
    not_ranked: denied(),
  },
});

export interface LeaderboardOptions {
  /** Keys begin with it. Default `board`. */
  readonly prefix?: string;
  /** `best` keeps the better score (the default), `sum` adds, `latest` replaces. */
  readonly mode?: 'best' | 'sum' | 'latest';
  /** Which score is the best. Default `highest`; `lowest` for times and strokes. */
  readonly order?: 'highest' | 'lowest';
  /** Who is ahead at equal scores: who had it `first` (the default) or `last`. */
  readonly ties?: 'first' | 'last';
  /** The board keeps so many and forgets the others; not with `sum`, which would forget what it added. Default all. */
  readonly most?: number;
  /** How long a request id is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

/**
 * `ranked` with the new score, the rank and the one before (null for a newcomer); `kept` where the score did not change,
 * and so neither did the place among equals; `below` where the board is full of better ones; `out_of_range` where a sum
 * would leave 2^53; `request_reused`.
 */
export type SubmitResult = Result<OutcomeOf<typeof submit.spec.reply>>;
export type LeaderboardPage = Result<OutcomeOf<typeof read.spec.reply>>;
export type RemoveResult = Result<OutcomeOf<typeof remove.spec.reply>>;

export interface Leaderboard {
  /** Enters a score: an integer below 2^53 either side of zero. Safe to repeat with a request id, otherwise not. */
  submit(board: string, id: string, score: number, options?: RequestOptions): Promise<SubmitResult>;
  /** The best, or a page further down: `from` is a rank, 1 by default; `count` is 10 by default, 1000 at most. */
  top(
    board: string,
    page?: { from?: number; count?: number },
    options?: CallOptions,
  ): Promise<LeaderboardPage>;
  /** An id with `n` above and below it, 500 at most; `not_ranked` where it is not on the board. */
  around(board: string, id: string, n: number, options?: CallOptions): Promise<LeaderboardPage>;
  /** The line of an id alone; `not_ranked` where it is not on the board. */
  rank(board: string, id: string, options?: CallOptions): Promise<LeaderboardPage>;
  /** Takes an id off the board. */
  remove(board: string, id: string, options?: RequestOptions): Promise<RemoveResult>;
}

/**
 * A leaderboard. Ties are exact: who changed to a score first has the smaller number, not the smaller time.
 *
 * ```ts
 * const scores = leaderboard(driver, { prefix: 'scores', most: 1000 });
 * const entered = await scores.submit('week-7', 'ada', 4200);
 * ```
 */
export function leaderboard(driver: Driver, options: LeaderboardOptions = {}): Leaderboard {
  const { mode, order, down, most, prefix, requestTtlMs } = settingsOf(options);
  const keys = (board: string) => {
    const key = keysOf(prefix, board);
    return { key, board: key(), members: key('members') };
  };
  const requestOf = (key: (part: string) => string, request?: RequestOptions): string[] =>
    request?.requestId === undefined ? [] : [key(`request:${checkRequestId(request.requestId)}`)];
  const page = (board: string, id: string, first: number, last: number, call?: CallOptions) =>
    read.run(driver, { keys: keys(board), args: { id, first, last, order } }, call);

  return {
    async submit(board, id, score, request) {
      const { key, ...places } = keys(board);
      return submit.run(
        driver,
        {
          keys: { ...places, number: key('number'), request: requestOf(key, request) },
          args: { id: checkId(id), score, mode, order, down, most, requestTtlMs },
        },
        request,
      );
    },
    async top(board, { from = 1, count = 10 } = {}, call) {
      checkInt(from, 'from', 1, Number.MAX_SAFE_INTEGER - LARGEST_PAGE);
      checkInt(count, 'count', 1, LARGEST_PAGE);
      return page(board, '', from, from + count - 1, call);
    },
    async around(board, id, n, call) {
      checkInt(n, 'n', 0, LARGEST_PAGE / 2);
      return page(board, checkId(id), n, n, call);
    },
    async rank(board, id, call) {
      return page(board, checkId(id), 0, 0, call);
    },
    async remove(board, id, request) {
      const { key, ...places } = keys(board);
      const input = {
        keys: { ...places, request: requestOf(key, request) },
        args: { id: checkId(id), requestTtlMs },
      };
      return remove.run(driver, input, request);
    },
  };
}

const LARGEST_PAGE = 1000;

function settingsOf(options: LeaderboardOptions) {
  const { mode = 'best', order = 'highest', ties = 'first', most, requestTtlMs = REQUEST_TTL_MS } = options;
  if (!['best', 'sum', 'latest'].includes(mode)) bad('mode', 'best, sum or latest');
  if (!['highest', 'lowest'].includes(order)) bad('order', 'highest or lowest');
  if (!['first', 'last'].includes(ties)) bad('ties', 'first or last');
  if (most !== undefined) {
    checkInt(most, 'most', 1, 100_000_000);
    if (mode === 'sum') bad('most', 'left out with sum: what falls off the board would lose what it had');
  }
  return {
    prefix: checkPrefix(options.prefix ?? 'board'),
    mode,
    order: order === 'highest' ? 'desc' : 'asc',
    // Members of one score are read backwards where the highest score comes first.
    down: (order === 'highest') === (ties === 'first'),
    most: most ?? 0,
    requestTtlMs: checkInt(requestTtlMs, 'requestTtlMs', 1, Number.MAX_SAFE_INTEGER),
  };
}

function checkId(id: string): string {
  return typeof id === 'string' && id !== '' && id.length <= 512 ? id : bad('id', '1 to 512 characters');
}

function checkInt(value: number, name: string, least: number, most: number): number {
  return Number.isSafeInteger(value) && value >= least && value <= most
    ? value
    : bad(name, `an integer from ${least} to ${most}`);
}

function bad(name: string, wanted: string): never {
  throw new AtomicError('BAD_ARGUMENT', `${name} must be ${wanted}`);
}

export const leaderboardCard = defineWorkflow({
  name: 'leaderboard',
  invariant: 'Ranks are ordered by score, and equal scores by who had theirs first (or last).',
  keys: {
    board: { pattern: 'prefix:{board}', holds: 'number and id of each, by score', expires: 'never' },
    members: {
      pattern: 'prefix:{board}:members',
      holds: 'for each id what it is called in the board',
      expires: 'never',
    },
    number: { pattern: 'prefix:{board}:number', holds: 'how many changes there were', expires: 'never' },
    request: {
      pattern: 'prefix:{board}:request:requestId',
      holds: 'what a request was answered',
      expires: 'requestTtlMs after it',
    },
  },
  why: 'ZADD GT keeps the best, but equal scores are then ordered by name; rank, score and trimming are one step here.',
  operations: {
    submit: { does: 'enters a score', script: submit },
    read: { does: 'reads from a rank on, or around an id', script: read },
    remove: { does: 'takes an id off', script: remove },
  },
  bounds: [
    'some 250 bytes for each id; with `most`, so many ids at most',
    'a page has at most 1001 lines; a submit drops at most 100',
    'one record for each request id, for requestTtlMs',
  ],
  tests: ['test/workflows/contracts/leaderboard.ts'],
});
