// Gives any script the memory of request ids: its effect happens once for each, and repetitions get the first answer.
// For users, beside dedup.ts; the frame around the user's text is lua/once_v1.lua.

import { checkMs } from './kit/check.ts';
import { flag, int } from './kit/codecs.ts';
import type { Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { hashTag } from './kit/keys.ts';
import { type CallOptions, DEADLINE_MS } from './kit/perform.ts';
import { checkRequestId, REQUEST_TTL_MS } from './kit/request.ts';
import type { Result } from './kit/result.ts';
import {
  type AnyScript,
  type Codecs,
  defineScript,
  denied,
  type Input,
  type KeyNames,
  type OutcomeOf,
  type ReplySpec,
  type ScriptSpec,
} from './kit/script.ts';
import { once_v1 } from './lua/scripts.ts';

/** As for `defineScript`, with a window. It writes, and is safe to repeat with the same request id, by construction. */
export interface OnceSpec<K extends KeyNames, A extends Codecs, R extends ReplySpec>
  extends Omit<ScriptSpec<K, A, R>, 'mode' | 'retry'> {
  /**
   * How long a request id is remembered, in milliseconds: longer than anybody goes on repeating it, and at least twice
   * the deadline of a call. Default ten minutes.
   */
  readonly windowMs?: number;
}

/** The request id was used with other keys or arguments. */
interface Reused {
  readonly ok: false;
  readonly status: 'request_reused';
}

export interface OnceScript<K extends KeyNames, A extends Codecs, R extends ReplySpec> {
  /** What is sent: for cards, libraries and reviews. */
  readonly script: AnyScript;
  /**
   * Runs the effect, unless this request id has run it: then it answers what the first one answered, with
   * `meta.replayed`. The memory lies beside the first key, in its slot.
   * @throws AtomicError BAD_ARGUMENT where the window is shorter than twice the deadline
   */
  run(
    driver: Driver,
    input: Input<K, A>,
    requestId: string,
    options?: CallOptions,
  ): Promise<Result<OutcomeOf<R> | Reused>>;
}

const RECORD = '#record';
const WINDOW = '#window';

/**
 * Makes a script's effect happen once for each request id. The record is written by the same script, so there is no
 * state "in flight": an effect has happened and is remembered, or neither. What the effect answers is remembered
 * whatever it is, denials too.
 *
 * An effect that fails with an error leaves no record, and what it had written before stays: Redis does not roll back.
 * Check first, write then.
 *
 * ```ts
 * const deposit = onceScript({
 *   name: 'deposit', version: 1, keys: ['account'], args: { cents: int },
 *   lua: "return {'paid', redis.call('INCRBY', KEYS[1], ARGV[1])}",
 *   reply: { paid: ok({ balance: int }) },
 * });
 * await deposit.run(driver, { keys: { account: 'account:{7}' }, args: { cents: 500 } }, requestId);
 * ```
 */
export function onceScript<const K extends KeyNames, A extends Codecs, R extends ReplySpec>(
  spec: OnceSpec<K, A, R>,
): OnceScript<K, A, R> {
  const { windowMs = REQUEST_TTL_MS, ...rest } = spec;
  checkMs('windowMs', windowMs);
  if (spec.keys.length === 0)
    throw new AtomicError('BAD_ARGUMENT', `${spec.name}: an effect has at least one key`);
  const script: AnyScript = defineScript({
    ...rest,
    lua: once_v1.replace('--effect', () => spec.lua),
    mode: 'write',
    retry: 'same-request-id',
    keys: [RECORD, ...spec.keys],
    args: { [WINDOW]: int, ...spec.args },
    reply: remembering(spec.name, spec.reply),
  });
  return {
    script,
    async run(driver, input, requestId, options) {
      checkHorizon(windowMs, options);
      const record = recordOf(
        firstKey(input.keys as Readonly<Record<string, string | readonly string[]>>, spec.keys),
        requestId,
      );
      return script.run(
        driver,
        { keys: { ...input.keys, [RECORD]: record }, args: { ...input.args, [WINDOW]: windowMs } },
        { ...options, requestId },
      ) as Promise<Result<OutcomeOf<R> | Reused>>;
    },
  };
}

/**
 * A memory that ends while the same request may still be under way would let it happen twice.
 * @throws AtomicError BAD_ARGUMENT
 */
export function checkHorizon(windowMs: number, options: CallOptions | undefined): void {
  const horizon = 2 * (options?.deadlineMs ?? DEADLINE_MS);
  if (windowMs >= horizon) return;
  throw new AtomicError(
    'BAD_ARGUMENT',
    `a window of ${windowMs} ms is shorter than twice the deadline (${horizon} ms): a late repetition would count again`,
  );
}

function remembering(name: string, reply: ReplySpec): ReplySpec {
  const branches = Object.entries(reply).map(([status, { ok, fields }]) => {
    if ('replayed' in fields || status === 'request_reused') {
      throw new AtomicError(
        'BAD_ARGUMENT',
        `${name}: 'replayed' and 'request_reused' are added by onceScript`,
      );
    }
    return [status, { ok, fields: { replayed: flag, ...fields } }] as const;
  });
  return { ...Object.fromEntries(branches), request_reused: denied({ replayed: flag }) };
}

function firstKey(keys: Readonly<Record<string, string | readonly string[]>>, names: KeyNames): string {
  const value = keys[names[0].replace(/\[\]$/, '')];
  const first = typeof value === 'string' ? value : value?.[0];
  if (typeof first === 'string' && first !== '') return first;
  throw new AtomicError('BAD_ARGUMENT', `the key '${names[0]}' is missing`);
}

// In the slot of the first key: a key without braces is its own tag.
function recordOf(first: string, requestId: string): string {
  const base = hashTag(first) === first ? `{${first}}` : first;
  return `${base}:request:${checkRequestId(requestId)}`;
}
