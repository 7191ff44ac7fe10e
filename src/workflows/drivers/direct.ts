// The driver of one server, or of the primary that a Sentinel names: one connection for everything and a pool of leased
// ones. Connections that end are opened anew by the next command. Made by ioredis.ts and node-redis.ts.
import {
  type Answer,
  type Driver,
  type Facts,
  type Lease,
  type NodeAnswer,
  type Request,
  ServerError,
  Unsent,
  type Word,
} from '../kit/driver.ts';
import { LeasePool } from './pool.ts';
import {
  allFail,
  type Fate,
  inTime,
  inTimeUnsent,
  isReadOnly,
  OPEN_MS,
  type Open,
  opened,
  type Session,
} from './session.ts';

/** An open connection and how many wait for answers on it. */
interface Held {
  readonly session: Session;
  waiting: number;
  /** Nobody else gets it; it closes when nobody waits any more. */
  retired: boolean;
}

/** A connection that may have to be opened first, and again later. */
export class Reopening {
  private readonly open: Open;
  private held: Held | null = null;
  private opening: Promise<Held> | null = null;
  private closed = false;

  constructor(open: Open) {
    this.open = open;
  }

  send(words: readonly Word[], timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
    const found = this.get();
    if (!(found instanceof Promise)) return this.wait(found, found.session.send(words), timeoutMs, signal);
    return this.whenOpen(found, timeoutMs, signal, (held, left) =>
      this.wait(held, held.session.send(words), left, signal),
    );
  }

  /** Never rejects. */
  async pipeline(
    commands: readonly (readonly Word[])[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<readonly Fate[]> {
    try {
      const found = this.get();
      const go = (held: Held, left: number): Promise<readonly Fate[]> =>
        this.wait(held, held.session.pipeline(commands), left, signal);
      if (!(found instanceof Promise)) return await go(found, timeoutMs);
      return await this.whenOpen(found, timeoutMs, signal, go);
    } catch (error) {
      return allFail(commands.length, error as Unsent);
    }
  }

  close(): void {
    this.closed = true;
    this.held?.session.close();
    this.held = null;
  }

  private get(): Held | Promise<Held> {
    if (this.held?.session.alive) return this.held;
    if (this.closed) return Promise.reject(new Unsent('the driver is closed'));
    this.opening ??= this.reopen().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async reopen(): Promise<Held> {
    // A server that takes connections but says nothing must not hold up everybody for ever.
    const session = await opened(this.open, OPEN_MS);
    if (this.closed) {
      session.close();
      throw new Unsent('the driver is closed');
    }
    this.held = { session, waiting: 0, retired: false };
    return this.held;
  }

  /** What connecting takes is not granted a second time for the reply. */
  private async whenOpen<T>(
    opening: Promise<Held>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    go: (held: Held, leftMs: number) => Promise<T>,
  ): Promise<T> {
    const until = performance.now() + timeoutMs;
    const held = await inTimeUnsent(opening, timeoutMs, signal);
    return go(held, Math.max(1, until - performance.now()));
  }

  private wait<T extends Answer | readonly Fate[]>(
    held: Held,
    work: Promise<T>,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<T> {
    held.waiting++;
    return inTime(
      work,
      timeoutMs,
      signal,
      // What did not answer in time would let others wait in vain: they get a new connection.
      () => this.retire(held),
      (value, error) => {
        held.waiting--;
        // A primary that became a replica: the next command finds the new one.
        if (error !== null ? isReadOnly([error]) : Array.isArray(value) && isReadOnly(value))
          this.retire(held);
        else if (held.retired && held.waiting === 0) held.session.close();
      },
    );
  }

  /** Others may still be answered on it, so it is not closed under them. */
  private retire(held: Held): void {
    held.retired = true;
    if (this.held === held) this.held = null;
    if (held.waiting === 0) held.session.close();
  }
}

export class DirectDriver implements Driver {
  readonly facts: Facts;
  private readonly main: Reopening;
  private readonly leases: LeasePool;
  private readonly address: () => string;

  constructor(facts: Facts, open: Open, address: () => string) {
    this.facts = facts;
    this.main = new Reopening(open);
    this.leases = new LeasePool(open);
    this.address = address;
  }

  send({ words, timeoutMs, signal }: Request): Promise<Answer> {
    return this.main.send(words, timeoutMs, signal);
  }

  pipeline(requests: readonly Request[]): Promise<readonly Fate[]> {
    return this.main.pipeline(
      requests.map(({ words }) => words),
      requests[0]?.timeoutMs ?? 0,
      requests[0]?.signal,
    );
  }

  lease(_key: string, timeoutMs: number): Promise<Lease> {
    return this.leases.lease(timeoutMs);
  }

  async everyPrimary(words: readonly Word[], timeoutMs: number): Promise<readonly NodeAnswer[]> {
    const [answer] = await this.main.pipeline([words], timeoutMs);
    if (answer instanceof Error && !(answer instanceof ServerError)) throw answer;
    return [{ node: this.address(), answer: answer as Answer }];
  }

  async close(): Promise<void> {
    this.main.close();
    this.leases.close();
  }
}
