// Leased connections to one place: how many there may be, who waits, which are kept. Used by direct.ts, cluster.ts and
// glide.ts.
import { type Lease, Unsent } from '../kit/driver.ts';
import { type GiveBack, type Open, opened, type Session, SessionLease } from './session.ts';

/** Connections of one place in use at once; the next one waits. */
export const MOST_LEASES = 32;
/** Idle connections that are kept. */
const KEPT = 8;
/** More than this many waiting are turned away at once. */
const MOST_WAITING = 10_000;
const CLOSED = 'the driver is closed';

/** Thrown where no lease is free in time: kit/transaction.ts makes LEASE_EXHAUSTED of it. */
export class NoLease extends Unsent {}

/** Makes a lease of a session. */
export type MakeLease = (session: Session, giveBack: GiveBack) => Lease;

const plainly: MakeLease = (session, giveBack) => new SessionLease(session, giveBack);

interface Waiting {
  serve(): void;
}

export class LeasePool {
  private readonly open: Open;
  private readonly make: MakeLease;
  private readonly idle: Session[] = [];
  private readonly waiting: Waiting[] = [];
  private inUse = 0;
  private closed = false;

  constructor(open: Open, make = plainly) {
    this.open = open;
    this.make = make;
  }

  /** @throws Unsent where none can be had in time, NoLease where all are in use */
  async lease(timeoutMs: number): Promise<Lease> {
    const until = performance.now() + timeoutMs;
    this.checkOpen();
    if (this.inUse >= MOST_LEASES) await this.turn(timeoutMs);
    else this.inUse++;
    try {
      const session = this.takeIdle() ?? (await this.another(until));
      return this.make(session, (each, usable) => this.takeBack(each, usable));
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

  private async another(until: number): Promise<Session> {
    this.checkOpen();
    const left = Math.max(1, until - performance.now());
    // What comes too late for this one serves the next.
    const session = await opened(this.open, left, (late) => this.keep(late));
    if (!this.closed) return session;
    session.close();
    throw new Unsent(CLOSED);
  }

  private checkOpen(): void {
    if (this.closed) throw new Unsent(CLOSED);
  }

  private takeBack(session: Session, usable: boolean): void {
    if (usable) this.keep(session);
    else session.close();
    this.free();
  }

  private keep(session: Session): void {
    if (!this.closed && session.alive && this.idle.length < KEPT) this.idle.push(session);
    else session.close();
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
      const timer = setTimeout(
        () => {
          this.waiting.splice(this.waiting.indexOf(waiting), 1);
          reject(
            new NoLease(`all ${MOST_LEASES} leased connections were in use for ${Math.round(timeoutMs)} ms`),
          );
        },
        Math.min(timeoutMs, 2 ** 31 - 1),
      );
      this.waiting.push(waiting);
    });
  }
}
