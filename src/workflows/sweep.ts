// Members that are due at some time, worked off in bounded steps: expired holds, reminders, retries. Claimed with a lease
// and settled afterwards, so that a crash between loses none. For users; the scripts are lua/sweep_*.lua.
import { defineWorkflow } from './kit/card.ts';
import { type Codec, int, list, nullable, text } from './kit/codecs.ts';
import type { Answer, Driver } from './kit/driver.ts';
import { AtomicError } from './kit/errors.ts';
import { checkPrefix, keysOf } from './kit/keys.ts';
import type { CallOptions } from './kit/perform.ts';
import type { Result } from './kit/result.ts';
import { defineScript, denied, type OutcomeOf, ok } from './kit/script.ts';
import {
  sweep_cancel_v1,
  sweep_list_v1,
  sweep_run_v1,
  sweep_schedule_v1,
  sweep_settle_v1,
} from './lua/scripts.ts';

/** A member that a run has claimed. */
export interface Claim {
  readonly member: string;
  /** When it was due, or when the lease ended that ran out on it, in Unix milliseconds. */
  readonly dueMs: number;
  /** Proves the claim when it is settled. */
  readonly token: number;
  /** How often it has been claimed, 1 for the first time. */
  readonly attempt: number;
}

/** A member of the plan. While it is claimed, `dueMs` is the end of the lease. */
export interface Planned {
  readonly member: string;
  readonly dueMs: number;
  readonly claimed: boolean;
  readonly attempt: number;
}

const neverSent = (_value: unknown, where: string): never => bad(`${where} only comes in replies`);

const claim: Codec<Claim> = {
  kind: 'claim',
  encode: neverSent,
  decode(answer, where) {
    const [member, due, token, attempt] = Array.isArray(answer) ? (answer as readonly Answer[]) : [];
    return {
      member: text.decode(member, `${where}.member`),
      dueMs: int.decode(due, `${where}.dueMs`),
      token: int.decode(token, `${where}.token`),
      attempt: int.decode(attempt, `${where}.attempt`),
    };
  },
};

const planned: Codec<Planned> = {
  kind: 'planned',
  encode: neverSent,
  decode(answer, where) {
    const { token, ...rest } = claim.decode(answer, where);
    return { ...rest, claimed: token > 0 };
  },
};

const keys = ['due', 'claims'] as const;
const schedule = defineScript({
  name: 'sweep_schedule',
  version: 1,
  lua: sweep_schedule_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { member: text, how: text, ms: int },
  reply: { scheduled: ok({ serverTimeMs: int, dueMs: int }), moved: ok({ serverTimeMs: int, dueMs: int }) },
});
const run = defineScript({
  name: 'sweep_run',
  version: 1,
  lua: sweep_run_v1,
  mode: 'write',
  retry: 'always',
  keys: ['due', 'claims', 'token'],
  args: { limit: int, leaseMs: int },
  reply: {
    partial: ok({ serverTimeMs: int, members: list(claim), nextInMs: int }),
    done: ok({ serverTimeMs: int, members: list(claim), nextInMs: nullable(int) }),
  },
});
const settle = defineScript({
  name: 'sweep_settle',
  version: 1,
  lua: sweep_settle_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { op: text, ms: int, members: list(text), tokens: list(int) },
  reply: { settled: ok({ serverTimeMs: int, settled: int, stale: list(text) }) },
});
const cancel = defineScript({
  name: 'sweep_cancel',
  version: 1,
  lua: sweep_cancel_v1,
  mode: 'write',
  retry: 'always',
  keys,
  args: { member: text },
  reply: { cancelled: ok(), not_scheduled: denied() },
});
const read = defineScript({
  name: 'sweep_list',
  version: 1,
  lua: sweep_list_v1,
  mode: 'read',
  retry: 'always',
  keys,
  args: { limit: int, member: text, dueMs: int },
  reply: {
    partial: ok({ total: int, members: list(planned) }),
    done: ok({ total: int, members: list(planned) }),
  },
});

export interface SweepOptions {
  /** Keys begin with it. Default `sweep`. */
  readonly prefix?: string;
  /** How long a claim holds, in milliseconds. Default 30 seconds. */
  readonly leaseMs?: number;
}

export type ScheduleResult = Result<OutcomeOf<typeof schedule.spec.reply>>;
/** `partial` where more is due than the limit; else `done`, with the time until the next is due, null where none is. */
export type SweepResult = Result<OutcomeOf<typeof run.spec.reply>>;
/** How many were settled, and which were not this caller's any more. */
export type SettleResult = Result<OutcomeOf<typeof settle.spec.reply>>;
export type CancelResult = Result<OutcomeOf<typeof cancel.spec.reply>>;
/** `partial` where there is more behind this page. */
export type PlanResult = Result<OutcomeOf<typeof read.spec.reply>>;

/** What settling needs of a claim. */
export type Held = Pick<Claim, 'member' | 'token'>;

export interface Sweep {
  /** Makes a member due at a moment, in Unix milliseconds. Planned again, it is due at the new moment alone. */
  schedule(group: string, member: string, dueMs: number, options?: CallOptions): Promise<ScheduleResult>;
  /** Makes a member due after a delay, by the server's clock. */
  scheduleIn(group: string, member: string, delayMs: number, options?: CallOptions): Promise<ScheduleResult>;
  /** Claims what is due, earliest first, at most `limit` (default 100, at most 1000). */
  run(group: string, options?: CallOptions & { readonly limit?: number }): Promise<SweepResult>;
  /** The work on these is done: they go. */
  ack(group: string, claims: readonly Held[], options?: CallOptions): Promise<SettleResult>;
  /** The work on these failed: they are due again after a delay, 0 for at once. Their attempts still count. */
  release(
    group: string,
    claims: readonly Held[],
    delayMs: number,
    options?: CallOptions,
  ): Promise<SettleResult>;
  /** Holds these for `leaseMs` from now. */
  extend(group: string, claims: readonly Held[], options?: CallOptions): Promise<SettleResult>;
  /** Takes a member off the plan, also while somebody holds it. */
  cancel(group: string, member: string, options?: CallOptions): Promise<CancelResult>;
  /** A page of the plan, earliest first. `after` is the last entry of the page before. Changes nothing. */
  list(
    group: string,
    page?: { readonly limit?: number; readonly after?: Pick<Planned, 'member' | 'dueMs'> },
    options?: CallOptions,
  ): Promise<PlanResult>;
}

/**
 * A plan of what is due when. Each call does a bounded amount of work.
 *
 * ```ts
 * const holds = sweep(driver, { prefix: 'holds' });
 * await holds.scheduleIn('shop-1', 'order-17', 900_000);
 * const { members } = (await holds.run('shop-1', { limit: 50 })).orThrow();
 * await holds.ack('shop-1', members);
 * ```
 */
export function sweep(driver: Driver, options: SweepOptions = {}): Sweep {
  const prefix = checkPrefix(options.prefix ?? 'sweep');
  const leaseMs = checkInt(options.leaseMs ?? 30_000, 'leaseMs', 1, LONGEST_MS);
  const keysFor = (group: string) => {
    const key = keysOf(prefix, group);
    return { due: key(), claims: key('claims'), token: key('token') };
  };
  const plan = async (group: string, member: string, how: string, ms: number, call?: CallOptions) =>
    schedule.run(driver, { keys: keysFor(group), args: { member: checkMember(member), how, ms } }, call);
  const settled = async (
    op: string,
    group: string,
    held: readonly Held[],
    ms: number,
    call?: CallOptions,
  ): Promise<SettleResult> => {
    if (!Array.isArray(held) || held.length > MOST) bad(`at most ${MOST} claims at a time`);
    const members = held.map(({ member }) => checkMember(member));
    const tokens = held.map(({ token }) => checkInt(token, 'token', 1, Number.MAX_SAFE_INTEGER));
    return settle.run(driver, { keys: keysFor(group), args: { op, ms, members, tokens } }, call);
  };
  return {
    schedule: async (group, member, dueMs, call) =>
      plan(group, member, 'at', checkInt(dueMs, 'dueMs', 0, LATEST_MS), call),
    scheduleIn: async (group, member, delayMs, call) =>
      plan(group, member, 'in', checkInt(delayMs, 'delayMs', 0, LONGEST_MS), call),
    async run(group, call) {
      const limit = checkInt(call?.limit ?? 100, 'limit', 1, MOST);
      return run.run(driver, { keys: keysFor(group), args: { limit, leaseMs } }, call);
    },
    ack: (group, claims, call) => settled('ack', group, claims, 0, call),
    release: async (group, claims, delayMs, call) =>
      settled('release', group, claims, checkInt(delayMs, 'delayMs', 0, LONGEST_MS), call),
    extend: (group, claims, call) => settled('extend', group, claims, leaseMs, call),
    async cancel(group, member, call) {
      return cancel.run(driver, { keys: keysFor(group), args: { member: checkMember(member) } }, call);
    },
    async list(group, { limit = 100, after } = {}, call) {
      checkInt(limit, 'limit', 1, MOST);
      const dueMs = after === undefined ? 0 : checkInt(after.dueMs, 'after.dueMs', 0, LATEST_MS);
      const member = after === undefined ? '' : checkMember(after.member);
      return read.run(driver, { keys: keysFor(group), args: { limit, member, dueMs } }, call);
    },
  };
}

/** Members of one call. */
const MOST = 1000;
const LONGEST_MS = 3660 * 86_400_000;
const LATEST_MS = 2 ** 52;

function checkMember(member: string): string {
  if (typeof member === 'string' && member !== '' && member.length <= 1024) return member;
  return bad('a member has 1 to 1024 characters');
}

function checkInt(value: number, name: string, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  return bad(`${name} must be an integer from ${least} to ${most}`);
}

function bad(message: string): never {
  throw new AtomicError('BAD_ARGUMENT', message);
}

export const sweepCard = defineWorkflow({
  name: 'sweep',
  invariant:
    'No call does more work than its limit, and no planned member is lost before it is acknowledged.',
  keys: {
    due: {
      pattern: 'prefix:{group}',
      holds: 'the members by when they are due, or when their lease ends',
      expires: 'never',
    },
    claims: { pattern: 'prefix:{group}:claims', holds: 'token and attempts of each claim', expires: 'never' },
    token: { pattern: 'prefix:{group}:token', holds: 'the last token', expires: 'never' },
  },
  why: 'Claiming reads what is due and moves it on in one step: two workers would claim the same otherwise.',
  operations: {
    schedule: { does: 'makes a member due', script: schedule },
    run: { does: 'claims what is due, up to a limit', script: run },
    settle: { does: 'acknowledges, gives back or holds on to claims', script: settle },
    cancel: { does: 'takes a member off the plan', script: cancel },
    list: { does: 'reads a page of the plan', script: read },
  },
  bounds: [
    'at most 1000 members in each call',
    'no KEYS and no SCAN',
    'some 200 bytes for each planned member',
  ],
  tests: ['test/workflows/contracts/sweep.ts', 'test/workflows/clock-sweep.test.ts'],
});
