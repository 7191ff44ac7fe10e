// Counts how often watched keys changed under a transaction, key by key, and says when a script would be better. Keys
// are kept as digests. Fed by kit/transaction.ts; read by users and by `fallback`.

import { sha1Hex } from '../../data/sha1.ts';
import { utf8Encode } from '../../resp/bytes.ts';
import { keyTag, tell } from './telemetry.ts';

/** Share of attempts above which WATCH costs more than it is worth. */
export const TOO_MANY = 0.25;
/** Share below which it is fine. */
export const FINE = 0.1;
/** Fewer attempts than this say nothing about a rate. */
const ENOUGH = 20;
/** Attempts after which old ones count half: what was hot yesterday is not hot for ever. */
const HALVE_AT = 2000;

/** What is known of one key. */
export interface KeyContention {
  /** Digest of the key, never the key. */
  readonly key: string;
  readonly attempts: number;
  readonly conflicts: number;
  /** Most attempts that one transaction needed. */
  readonly mostAttempts: number;
  /** Conflicts by attempt, 0 to 1. */
  readonly rate: number;
}

/** What one transaction has come to. */
export interface Spent {
  readonly attempts: number;
  readonly conflicts: number;
  /** Its function decided against it. */
  readonly rejected?: boolean;
  /** Time between attempts, in milliseconds. */
  readonly backoffMs?: number;
}

export interface ContentionReport {
  readonly transactions: number;
  /** Transactions whose function decided against it: no conflict, and nothing to do about. */
  readonly rejects: number;
  /** Time that all spent waiting between attempts, in milliseconds. */
  readonly backoffMs: number;
  readonly attempts: number;
  readonly conflicts: number;
  readonly rate: number;
  /** Most conflicts first. */
  readonly hottest: readonly KeyContention[];
  /** What to do about it; '' for nothing. */
  readonly advice: string;
}

interface Counts {
  attempts: number;
  conflicts: number;
  mostAttempts: number;
  advised: boolean;
}

export class ContentionTracker {
  private readonly keys = new Map<string, Counts>();
  private readonly most: number;
  private transactions = 0;
  private rejects = 0;
  private backoffMs = 0;
  private readonly all: Counts = { attempts: 0, conflicts: 0, mostAttempts: 0, advised: false };

  /** @param most so many keys are kept; beyond, the ones used longest ago are forgotten */
  constructor(most = 1000) {
    this.most = Math.max(1, most);
  }

  /** One transaction over these keys has ended. */
  record(operation: string, keys: readonly string[], spent: Spent): void {
    const { attempts, conflicts } = spent;
    this.transactions++;
    if (spent.rejected) this.rejects++;
    this.backoffMs += spent.backoffMs ?? 0;
    add(this.all, attempts, conflicts);
    for (const key of keys) {
      const name = digest(key);
      const counts = this.keys.get(name) ?? { attempts: 0, conflicts: 0, mostAttempts: 0, advised: false };
      this.keys.delete(name);
      this.keys.set(name, counts);
      add(counts, attempts, conflicts);
      if (!counts.advised && isHot(counts)) {
        counts.advised = true;
        const message = `${Math.round(rateOf(counts) * 100)} % of the attempts on ${keyTag(key)} met a conflict: ${REMEDY}`;
        tell({ event: 'redis.atomic.advice', advice: 'contention', operation, message });
      }
    }
    if (this.keys.size > this.most) {
      for (const name of this.keys.keys()) {
        if (this.keys.size <= this.most) break;
        this.keys.delete(name);
      }
    }
  }

  /** Whether one of these keys has conflicts in more than a quarter of enough attempts. */
  isHot(keys: readonly string[]): boolean {
    return keys.some((key) => {
      const counts = this.keys.get(digest(key));
      return counts !== undefined && isHot(counts);
    });
  }

  /** @param top how many keys at most */
  report(top = 10): ContentionReport {
    const hottest = [...this.keys]
      .map(([key, counts]) => ({ key, ...publicly(counts) }))
      .filter(({ conflicts }) => conflicts > 0)
      .sort((a, b) => b.conflicts - a.conflicts)
      .slice(0, top);
    const { attempts, conflicts, rate } = publicly(this.all);
    const { transactions, rejects, backoffMs } = this;
    const advice = adviceFor(this.all);
    return { transactions, rejects, backoffMs, attempts, conflicts, rate, hottest, advice };
  }
}

const REMEDY = 'a script does it in one round trip, without conflicts';

function adviceFor(counts: Counts): string {
  if (counts.attempts < ENOUGH) return '';
  const rate = rateOf(counts);
  const share = `${(rate * 100).toFixed(0)} % of the attempts met a conflict`;
  if (rate > TOO_MANY) return `${share}: use a script, ${REMEDY}; or name one as fallback`;
  return rate < FINE ? '' : `${share}: WATCH still works, but watch fewer keys or think of a script`;
}

function add(counts: Counts, attempts: number, conflicts: number): void {
  if (counts.attempts >= HALVE_AT) {
    counts.attempts /= 2;
    counts.conflicts /= 2;
  }
  counts.attempts += attempts;
  counts.conflicts += conflicts;
  counts.mostAttempts = Math.max(counts.mostAttempts, attempts);
}

function isHot(counts: Counts): boolean {
  return counts.attempts >= ENOUGH && rateOf(counts) > TOO_MANY;
}

function rateOf({ attempts, conflicts }: Counts): number {
  return attempts === 0 ? 0 : conflicts / attempts;
}

function publicly(counts: Counts): Omit<KeyContention, 'key'> {
  return {
    attempts: Math.round(counts.attempts),
    conflicts: Math.round(counts.conflicts),
    mostAttempts: counts.mostAttempts,
    rate: rateOf(counts),
  };
}

function digest(key: string): string {
  return sha1Hex(utf8Encode(key)).slice(0, 12);
}
