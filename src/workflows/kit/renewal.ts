// Keeps a lease alive while a function runs, and tells the function by a signal when the lease is lost. Shared by lock,
// semaphore and idempotency.
import { AtomicError } from './errors.ts';

/** What one renewal came to: `unknown` where nobody knows, which is tried again until the lease has run out. */
type Renewed = 'renewed' | 'lost' | 'unknown';

export interface Kept {
  readonly leaseMs: number;
  /** `performance.now()` from before the request that began the lease. */
  readonly sinceMs: number;
  /** Asks for another lease; an error of it counts as unknown. `deadlineMs` is what is left of this one. */
  renew(deadlineMs: number): Promise<Renewed>;
  /** Called once when the lease is lost, after the signal. */
  readonly onLost?: (reason: AtomicError) => void;
  /** The user's own signal: the function's signal follows it. */
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while the lease is renewed every third of it. The signal fires when a renewal is denied, or when the lease
 * has run out by this process's monotonic clock, measured from before the request: so it is early, never late, as long
 * as the event loop is free.
 * @returns its value and whether the lease was held until its end
 */
export async function whileKept<V>(
  kept: Kept,
  work: (signal: AbortSignal) => Promise<V> | V,
): Promise<{ readonly value: V; readonly held: boolean }> {
  const keeper = new Keeper(kept);
  try {
    const value = await work(keeper.signal);
    return { value, held: keeper.isHeld() };
  } finally {
    await keeper.stop();
  }
}

class Keeper {
  readonly signal: AbortSignal;
  private readonly kept: Kept;
  private readonly abort = new AbortController();
  private readonly follow = (): void => this.abort.abort(this.kept.signal?.reason);
  private until: number;
  private lost = false;
  private stopped = false;
  private renewing: Promise<void> | null = null;
  private renewTimer: ReturnType<typeof setTimeout> | undefined;
  private endTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(kept: Kept) {
    this.kept = kept;
    this.signal = this.abort.signal;
    this.until = kept.sinceMs + kept.leaseMs;
    if (kept.signal?.aborted) this.follow();
    kept.signal?.addEventListener('abort', this.follow, { once: true });
    this.watchEnd();
    this.plan(kept.leaseMs / 3);
  }

  /** Also false where the timers have not come to say so yet, behind a busy event loop. */
  isHeld(): boolean {
    if (!this.lost && performance.now() >= this.until) this.lose('its lease ran out without a renewal');
    return !this.lost;
  }

  /** No renewal is on its way any more when this resolves, so that none can arrive behind the release. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.renewTimer);
    clearTimeout(this.endTimer);
    this.kept.signal?.removeEventListener('abort', this.follow);
    await this.renewing;
  }

  private plan(ms: number): void {
    this.renewTimer = setTimeout(() => {
      this.renewing = this.renew().finally(() => {
        this.renewing = null;
      });
    }, ms);
  }

  private watchEnd(): void {
    clearTimeout(this.endTimer);
    this.endTimer = setTimeout(
      () => {
        if (this.isHeld()) this.watchEnd();
      },
      Math.max(1, this.until - performance.now()),
    );
  }

  private async renew(): Promise<void> {
    // Late is lost: what is asked for now might be taken by another already.
    if (!this.isHeld()) return;
    const { leaseMs } = this.kept;
    const asked = performance.now();
    const renewed = await this.kept
      .renew(Math.max(1, Math.floor(this.until - asked)))
      .catch(() => 'unknown' as const);
    if (this.stopped || this.lost) return;
    if (renewed === 'lost') return this.lose('its renewal was denied');
    if (renewed === 'renewed' && this.isHeld()) {
      this.until = asked + leaseMs;
      this.watchEnd();
      return this.plan(leaseMs / 3);
    }
    if (!this.lost) this.plan(leaseMs / 10);
  }

  private lose(why: string): void {
    this.lost = true;
    clearTimeout(this.renewTimer);
    clearTimeout(this.endTimer);
    const reason = new AtomicError('LEASE_LOST', `what was held is lost: ${why}`);
    this.abort.abort(reason);
    if (!this.stopped) this.kept.onLost?.(reason);
  }
}
