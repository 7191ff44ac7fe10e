// The WATCH form of quota: the same answers as lua/quota_v1.lua, computed here under an optimistic transaction. For
// servers that permit no scripts. Called by quota.ts.
import type { ContentionTracker } from './kit/contention.ts';
import type { Driver } from './kit/driver.ts';
import { keysOf } from './kit/keys.ts';
import { checkRequestId, type RequestOptions } from './kit/request.ts';
import { makeResult, type Outcome, type Result } from './kit/result.ts';
import { transaction } from './kit/transaction.ts';

/** What a quota allows, as the script takes it. */
export interface Rules {
  readonly limit: number;
  readonly kind: 'month' | 'even';
  /** Length of a slot, for the even ones. */
  readonly lengthMs: number;
  /** How many slots before the present one count. */
  readonly slots: number;
  readonly aheadMs: number;
}

export interface Demand {
  readonly op: 'consume' | 'refund' | 'read';
  readonly amount: number;
  readonly periodMs: number;
}

interface Settings {
  readonly prefix: string;
  readonly rules: Rules;
  readonly requestTtlMs: number;
  readonly contention?: ContentionTracker;
}

interface Slot {
  readonly start: number;
  used: number;
}

/** What a demand comes to. */
interface Verdict {
  readonly outcome: Outcome & Readonly<Record<string, unknown>>;
  /** The book as it must be kept; null where it stays as it is. */
  readonly keep: readonly Slot[] | null;
  /** Whether a request id answers the same again. */
  readonly remember: boolean;
}

type Answered = { readonly outcome: Verdict['outcome']; readonly now: number; readonly replayed: boolean };

/** Carries demands out. */
export function watched(driver: Driver, { prefix, rules, requestTtlMs, contention }: Settings) {
  return async (id: string, demand: Demand, options?: RequestOptions): Promise<Result<Outcome>> => {
    const key = keysOf(prefix, id);
    const requestId = options?.requestId;
    const book = key();
    const record = requestId === undefined ? null : key(`answer:${checkRequestId(requestId)}`);
    const asked = JSON.stringify([rules, demand]);
    const repeatable = record !== null || demand.op === 'read';
    const result = await transaction<Answered, Answered>(
      driver,
      {
        ...options,
        name: `quota_${demand.op}_watch`,
        watch: record === null ? [book] : [book, record],
        retry: repeatable ? 'always' : 'never',
        contention,
      },
      async (tx) => {
        const [state, answered, time] = await Promise.all([
          tx.read.get(book),
          record === null ? null : tx.read.get(record),
          tx.call('TIME'),
        ]);
        const now = nowOf(time as readonly string[]);
        if (answered !== null) return tx.reject('answered', replay(answered, asked, now));
        const period = new Period(rules, now, state ?? '');
        const { outcome, keep, remember } = period.decide(demand);
        const answer: Answered = { outcome, now, replayed: false };
        if (keep === null) return tx.reject('denied', answer);
        return tx.commit((queue) => {
          const words = period.textOf(keep);
          if (words === '') queue.del(book);
          else queue.set(book, words, 'PX', period.lastsMs(keep));
          if (record !== null && remember) {
            queue.set(record, JSON.stringify({ asked, outcome, now }), 'PX', requestTtlMs);
          }
        }, answer);
      },
    );
    const retry = demand.op === 'read' ? 'always' : record === null ? 'never' : 'same-request-id';
    const meta = { ...result.meta, retry, requestId: requestId ?? null } as const;
    if (result.status === 'unknown') {
      return makeResult<Outcome>({ ok: false, status: 'unknown', cause: result.cause }, meta);
    }
    const { outcome, now, replayed } = result.status === 'committed' ? result.value : result.data;
    return makeResult(outcome, { ...meta, serverTimeMs: now, replayed });
  };
}

function replay(record: string, asked: string, now: number): Answered {
  const before = JSON.parse(record) as { asked: string; outcome: Verdict['outcome']; now: number };
  if (before.asked === asked) return { outcome: before.outcome, now: before.now, replayed: true };
  return { outcome: { ok: false, status: 'request_reused' }, now, replayed: false };
}

function nowOf([seconds, micros]: readonly string[]): number {
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

/** The present period, and what was used in it. */
class Period {
  private readonly rules: Rules;
  private readonly now: number;
  private readonly start: number;
  private readonly ends: number;
  private readonly oldest: number;
  private readonly book: readonly Slot[];
  private readonly current: Slot;
  private used = 0;
  /** The clock was set back: slots begin later than now. What they counted counts in the present one. */
  private back = false;

  constructor(rules: Rules, now: number, state: string) {
    this.rules = rules;
    this.now = now;
    [this.start, this.ends] = boundsOf(rules, now);
    this.oldest = this.start - rules.slots * rules.lengthMs;
    this.current = { start: this.start, used: 0 };
    const past: Slot[] = [];
    for (const word of state === '' ? [] : state.split(' ')) {
      const [start, used] = word.split(':').map(Number);
      if (start < this.oldest) continue;
      this.used += used;
      if (start > this.start) this.back = true;
      if (start >= this.start) this.current.used += used;
      else past.push({ start, used });
    }
    this.book = [...past, this.current];
  }

  decide({ op, amount, periodMs }: Demand): Verdict {
    if (op === 'consume') return this.consume(amount);
    if (op === 'refund') return this.refund(amount, periodMs);
    const { start: began } = this;
    const resetMs = this.leaves(began) - this.now;
    return denial({ ok: true, status: 'current', ...this.left(), periodMs: began, resetMs });
  }

  private consume(amount: number): Verdict {
    const { limit } = this.rules;
    if (amount > limit) return denial({ ok: false, status: 'too_large', limit });
    if (this.used + amount > limit) {
      const retryAfterMs = this.waitFor(amount);
      const outcome = { ok: false, status: 'exceeded', ...this.left(), retryAfterMs };
      return { outcome, keep: this.back ? this.book : null, remember: false };
    }
    this.current.used += amount;
    this.used += amount;
    const resetMs = this.leaves(this.start) - this.now;
    const outcome = { ok: true, status: 'consumed', ...this.left(), periodMs: this.start, resetMs };
    return { outcome, keep: this.book, remember: true };
  }

  private refund(amount: number, periodMs: number): Verdict {
    const start = Math.min(periodMs, this.start);
    if (start < this.oldest) return denial({ ok: false, status: 'period_over', ...this.left() });
    const slot = this.book.find((each) => each.start === start);
    const refunded = Math.min(amount, slot?.used ?? 0);
    if (slot !== undefined) slot.used -= refunded;
    this.used -= refunded;
    return {
      outcome: { ok: true, status: 'refunded', refunded, ...this.left() },
      keep: this.book,
      remember: true,
    };
  }

  private left() {
    return { used: this.used, remaining: Math.max(this.rules.limit - this.used, 0) };
  }

  /** When a slot does not count any more. */
  private leaves(start: number): number {
    const { slots, lengthMs } = this.rules;
    return slots === 0 ? this.ends : start + (slots + 1) * lengthMs;
  }

  private waitFor(amount: number): number {
    let left = this.used;
    for (const { start, used } of this.book) {
      left -= used;
      if (left + amount <= this.rules.limit) return this.leaves(start) - this.now;
    }
    return this.leaves(this.start) - this.now;
  }

  textOf(book: readonly Slot[]): string {
    return book
      .filter(({ used }) => used > 0)
      .map(({ start, used }) => `${start}:${used}`)
      .join(' ');
  }

  lastsMs(book: readonly Slot[]): number {
    const last = book.findLast(({ used }) => used > 0);
    return this.leaves(last?.start ?? this.start) - this.now;
  }
}

function denial(outcome: Verdict['outcome']): Verdict {
  return { outcome, keep: null, remember: false };
}

/** Start and end of the slot that this moment lies in. */
function boundsOf({ kind, lengthMs, aheadMs }: Rules, now: number): [number, number] {
  if (kind === 'even') {
    const start = now - ((((now + aheadMs) % lengthMs) + lengthMs) % lengthMs);
    return [start, start + lengthMs];
  }
  const local = new Date(now + aheadMs);
  const [year, month] = [local.getUTCFullYear(), local.getUTCMonth()];
  return [Date.UTC(year, month) - aheadMs, Date.UTC(year, month + 1) - aheadMs];
}
