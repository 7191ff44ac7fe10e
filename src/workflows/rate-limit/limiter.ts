// What the four forms of rateLimit share: their answers, their operations and the checks of arguments. Each form beside
// this file brings a script of its own.
import { checkInt } from '../kit/check.ts';
import { flag, int, text } from '../kit/codecs.ts';
import type { Driver } from '../kit/driver.ts';
import { keysOf } from '../kit/keys.ts';
import type { CallOptions } from '../kit/perform.ts';
import { checkRequestId, REQUEST_TTL_MS, type RequestOptions } from '../kit/request.ts';
import type { Result } from '../kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from '../kit/script.ts';
import { rate_limit_reset_v1 } from '../lua/scripts.ts';

/** What take and peek answer. Durations are in milliseconds. */
export const TAKE_REPLY = {
  allowed: ok({ replayed: flag, remaining: int, resetMs: int }),
  denied: denied({ replayed: flag, remaining: int, retryAfterMs: int }),
  too_large: denied({ replayed: flag, limit: int }),
  blocked: denied({ replayed: flag, retryAfterMs: int }),
  request_reused: denied({ replayed: flag }),
};
const ADJUST_REPLY = {
  adjusted: ok({ replayed: flag, remaining: int, resetMs: int }),
  request_reused: denied({ replayed: flag }),
};
const DONE_REPLY = { done: ok({ replayed: flag }) };
const RESET_REPLY = { done: ok({ existed: flag }) };

/**
 * `allowed` with what remains and when nothing will be left of what was taken; `denied` with the wait after which the
 * same request fits, if nobody else comes; `too_large` where it never fits; `blocked` until the block ends;
 * `request_reused` where the request id was used with other arguments.
 */
export type TakeResult = Result<OutcomeOf<typeof TAKE_REPLY>>;
export type AdjustResult = Result<OutcomeOf<typeof ADJUST_REPLY>>;
export type BlockResult = Result<OutcomeOf<typeof DONE_REPLY>>;
export type ResetResult = Result<OutcomeOf<typeof RESET_REPLY>>;

export interface TakeOptions extends RequestOptions {
  /** How much it takes, an integer of 1 or more. Default 1. */
  readonly cost?: number;
}

export interface PeekOptions extends CallOptions {
  /** What is asked about. Default 1. */
  readonly cost?: number;
}

/** A limiter of any form. An id is whoever is limited: a user, an address, a route of a user. */
export interface RateLimiter {
  /**
   * Takes, where the limit allows it. A denial takes nothing. Safe to repeat with a request id: what was allowed once
   * is free the second time. Otherwise `never`.
   */
  take(id: string, options?: TakeOptions): Promise<TakeResult>;
  /** What take would answer, with what remains now. Takes nothing. */
  peek(id: string, options?: PeekOptions): Promise<TakeResult>;
  /** Takes so many points off what remains, at most all of it. For a failed login, a bad request. */
  penalty(id: string, points: number, options?: RequestOptions): Promise<AdjustResult>;
  /** Gives so many points back, at most what was taken. For a request that turned out cheap. */
  reward(id: string, points: number, options?: RequestOptions): Promise<AdjustResult>;
  /** Denies everything for so long, whatever remains; 0 ends a block. A second block replaces the first. */
  block(id: string, ms: number, options?: CallOptions): Promise<BlockResult>;
  /** Forgets the id, its block as well. */
  reset(id: string, options?: CallOptions): Promise<ResetResult>;
}

/** What all forms take. */
export interface LimiterOptions {
  /**
   * Keys begin with it. Two limiters with different limits need different ones. Default `rate-window`, `rate-log`,
   * `rate-counter` or `rate-bucket`, by the form.
   */
  readonly prefix?: string;
  /** How long a request id is remembered, in milliseconds. Default ten minutes. */
  readonly requestTtlMs?: number;
}

/** What the operations of a form are made of. */
export interface Form {
  readonly prefix: string;
  /** Names of the keys behind `prefix:{id}`, in the order of the script; undefined for the one without a name. */
  readonly parts: readonly (string | undefined)[];
  readonly limit: number;
  /** Length of the window in ms, or what else the form measures time with. */
  readonly unit: number;
  readonly requestTtlMs: number;
}

/** The operations of one script, as four declarations: they answer differently, and differ in what a repetition does. */
export function limiterScripts(name: string, lua: string) {
  const shared = {
    version: 1,
    lua,
    keys: ['state[]'],
    args: { op: text, limit: int, unit: int, amount: int, requestTtlMs: int },
  } as const;
  return {
    take: defineScript({
      ...shared,
      name: `${name}_take`,
      mode: 'write',
      retry: 'same-request-id',
      reply: TAKE_REPLY,
    }),
    peek: defineScript({
      ...shared,
      name: `${name}_peek`,
      mode: 'read',
      retry: 'always',
      reply: TAKE_REPLY,
    }),
    adjust: defineScript({
      ...shared,
      name: `${name}_adjust`,
      mode: 'write',
      retry: 'same-request-id',
      reply: ADJUST_REPLY,
    }),
    block: defineScript({
      ...shared,
      name: `${name}_block`,
      mode: 'write',
      retry: 'always',
      reply: DONE_REPLY,
    }),
  };
}

export const reset = defineScript({
  name: 'rate_limit_reset',
  version: 1,
  lua: rate_limit_reset_v1,
  mode: 'write',
  retry: 'always',
  keys: ['state[]'],
  args: {},
  reply: RESET_REPLY,
});

type Scripts = ReturnType<typeof limiterScripts>;

/** A limiter of this form. */
export function makeLimiter(driver: Driver, scripts: Scripts, form: Form): RateLimiter {
  return {
    async take(id, options) {
      const args = argsOf(form, 'take', checkCost(options?.cost ?? 1));
      return scripts.take.run(driver, { keys: keysFor(form, id, options), args }, options);
    },
    ...makeControls(driver, scripts, form),
  };
}

/** All of a limiter but take. */
export function makeControls(
  driver: Driver,
  scripts: Omit<Scripts, 'take'>,
  form: Form,
): Omit<RateLimiter, 'take'> {
  const adjust = async (op: string, id: string, points: number, options?: RequestOptions) => {
    const args = argsOf(form, op, checkCost(points, 'points'));
    return scripts.adjust.run(driver, { keys: keysFor(form, id, options), args }, options);
  };
  return {
    async peek(id, options) {
      const args = argsOf(form, 'peek', checkCost(options?.cost ?? 1));
      return scripts.peek.run(driver, { keys: keysFor(form, id), args }, options);
    },
    penalty: (id, points, options) => adjust('penalty', id, points, options),
    reward: (id, points, options) => adjust('reward', id, points, options),
    async block(id, ms, options) {
      const args = argsOf(form, 'block', checkInt('ms', ms, 0, LONGEST_MS));
      return scripts.block.run(driver, { keys: keysFor(form, id), args }, options);
    },
    async reset(id, options) {
      return reset.run(driver, { keys: keysFor(form, id), args: {} }, options);
    },
  };
}

function keysFor(form: Form, id: string, request?: RequestOptions): { state: string[] } {
  const key = keysOf(form.prefix, id);
  const state = form.parts.map((part) => key(part));
  if (request?.requestId !== undefined) state.push(key(`request:${checkRequestId(request.requestId)}`));
  return { state };
}

function argsOf({ limit, unit, requestTtlMs }: Form, op: string, amount: number) {
  return { op, limit, unit, amount, requestTtlMs };
}

/** Longest window and longest block, 366 days. */
export const LONGEST_MS = 366 * 86_400_000;
/** The largest limit, so that products with durations stay exact. */
export const MOST = 1_000_000_000;

/** @throws AtomicError BAD_ARGUMENT */
export function checkCost(cost: number, name = 'cost'): number {
  return checkInt(name, cost, 1, MOST);
}

export function requestTtlOf(options: LimiterOptions): number {
  return checkInt('requestTtlMs', options.requestTtlMs ?? REQUEST_TTL_MS, 1, LONGEST_MS);
}
