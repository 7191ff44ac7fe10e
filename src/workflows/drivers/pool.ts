// Leased connections to one place: how many there may be, who waits, which are kept. Used by direct.ts, cluster.ts and
// glide.ts.
import { type Lease, Unsent } from '../kit/driver.ts';
import { type Open, type Session, SessionLease } from './session.ts';

/** Connections of one place in use at once; the next one waits. */
export const MOST_LEASES = 32;
/** Idle connections that are kept. */
const KEPT = 8;
/** More than this many waiting are turned away at once. */
const MOST_WAITING = 10_000;

/** Thrown where no lease is free in time: kit/transaction.ts makes LEASE_EXHAUSTED of it. */
export class NoLease extends Unsent {}

interface Waiting {
  serve(): void;
}

export class LeasePool {
  private readonly open: Open;
  private readonly idle: Session[] = [];
  private readonly waiting: Waiting[] = [];
  private inUse = 0;
  private closed = false;

  constructor(open: Open) {
    this.open = open;
  }

  async lease(timeoutMs: number): Promise<Lease> {
    if (this.closed) throw new Unsent('the driver is closed');
    if (this.inUse >= MOST_LEASES) await this.turn(timeoutMs);
    else this.inUse++;
    try {
      const session = this.takeIdle() ?? (await this.open());
      if (this.closed) {
        session.close();
        throw new Unsent('the driver is closed');
      }
      return new SessionLease(session, (each, usable) => this.takeBack(each, usable));
    } catch (error) {
      this.free();
      throw error;
    }
  }

  close(): void {
    this.closed = true;
    for (const session of this.idle.splice(0)) session.close();
    for (const each of this.waiting.splice(0)) each.serve();
  }

  private takeIdle(): Session | undefined {
    for (;;) {
      const session = this.idle.pop();
      if (session === undefined || session.alive) return session;
    }
  }

  private takeBack(session: Session, usable: boolean): void {
    if (usable && !this.closed && this.idle.length < KEPT) this.idle.push(session);
    else session.close();
    this.free();
  }

  /** A place has become free: the longest waiting gets it. */
  private free(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.inUse--;
    else next.serve();
  }

  private turn(timeoutMs: number): Promise<void> {
    if (this.waiting.length >= MOST_WAITING) {
      return Promise.reject(new NoLease(`${MOST_WAITING} others wait for a connection already`));
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        serve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(waiting), 1);
        reject(
          new NoLease(`all ${MOST_LEASES} leased connections were in use for ${Math.round(timeoutMs)} ms`),
        );
      }, timeoutMs);
      this.waiting.push(waiting);
    });
  }
}
