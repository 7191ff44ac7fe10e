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
import { allFail, type Fate, inTime, type Open, type Session } from './session.ts';

/** A connection that may have to be opened first, and again later. */
export class Reopening {
  private readonly open: Open;
  private session: Session | null = null;
  private opening: Promise<Session> | null = null;
  private closed = false;

  constructor(open: Open) {
    this.open = open;
  }

  /** The open session, or a promise of one. */
  get(): Session | Promise<Session> {
    if (this.session?.alive) return this.session;
    if (this.closed) return Promise.reject(new Unsent('the driver is closed'));
    this.opening ??= this.open().then(
      (session) => {
        this.opening = null;
        if (this.closed) {
          session.close();
          throw new Unsent('the driver is closed');
        }
        this.session = session;
        return session;
      },
      (error) => {
        this.opening = null;
        throw error instanceof Unsent
          ? error
          : new Unsent(`no connection: ${messageOf(error)}`, { cause: error });
      },
    );
    return this.opening;
  }

  async send(words: readonly Word[], timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
    const found = this.get();
    const session = found instanceof Promise ? await inTimeUnsent(found, timeoutMs) : found;
    try {
      return await inTime(session.send(words), timeoutMs, signal, () => this.leave(session));
    } catch (error) {
      // A primary that became a replica: the next command finds the new one.
      if (error instanceof ServerError && error.code === 'READONLY') this.drop(session);
      throw error;
    }
  }

  async pipeline(
    commands: readonly (readonly Word[])[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<readonly Fate[]> {
    try {
      const found = this.get();
      const session = found instanceof Promise ? await inTimeUnsent(found, timeoutMs) : found;
      return await inTime(session.pipeline(commands), timeoutMs, signal, () => this.leave(session));
    } catch (error) {
      return allFail(commands.length, error as Unsent);
    }
  }

  close(): void {
    this.closed = true;
    this.session?.close();
    this.session = null;
  }

  /** It did not answer in time, so others would wait on it in vain: they get a new one. It may still answer. */
  private leave(session: Session): void {
    if (this.session !== session) return;
    this.session = null;
    setTimeout(() => session.close(), 1000).unref?.();
  }

  private drop(session: Session): void {
    if (this.session === session) this.session = null;
    // What others have sent on it is answered first.
    setTimeout(() => session.close(), 100).unref?.();
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

/** Waits for a connection; late means nothing was sent. */
export async function inTimeUnsent<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Unsent(`no connection within ${Math.round(timeoutMs)} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
