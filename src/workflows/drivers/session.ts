// One connection of a client library, as the drivers see it: a single session of the server that never reconnects by
// itself, so what became of each command is certain. Openers stand in ioredis.ts and node-redis.ts; direct.ts, cluster.ts
// and pool.ts use them.
import { type Answer, type Lease, Lost, ServerError, Unsent, type Word } from '../kit/driver.ts';

export type Words = readonly Word[];

/** What became of a command in a pipeline. */
export type Fate = Answer | Unsent | Lost;

/** What a client library must offer for one connection. */
export interface Session {
  /** False once it has closed, for whatever reason. */
  readonly alive: boolean;
  /** Sends one. @throws ServerError | Lost | Unsent */
  send(words: Words): Promise<Answer>;
  /** Sends several in one write. Never rejects. */
  pipeline(commands: readonly Words[]): Promise<readonly Fate[]>;
  close(): void;
}

/** Opens a connection; rejects where that fails or takes too long. */
export type Open = () => Promise<Session>;

/** An attempt to connect is given up after so many milliseconds: the next one may fare better. */
export const OPEN_MS = 3000;
/** Timers wait no longer than this: beyond it they would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Opens one, in time. What opens too late goes to `tooLate`, or is closed.
 * @throws Unsent, whatever the library failed with
 */
export async function opened(
  open: Open,
  timeoutMs: number,
  tooLate: (session: Session) => void = (session) => session.close(),
): Promise<Session> {
  try {
    return await inTimeUnsent(open(), timeoutMs, undefined, tooLate);
  } catch (error) {
    if (error instanceof Unsent) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Unsent(`no connection: ${why}`, { cause: error });
  }
}

/** Waits for a connection, at most so long and no longer than the signal: late means that nothing was sent. */
export function inTimeUnsent<T>(
  work: Promise<T>,
  timeoutMs: number,
  signal?: AbortSignal,
  tooLate?: (value: T) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let over = false;
    const end = (): void => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    const give = (why: string): void => {
      end();
      reject(new Unsent(why));
    };
    const timer = setTimeout(
      () => give(`no connection within ${Math.round(timeoutMs)} ms`),
      Math.min(timeoutMs, LONGEST_MS),
    );
    const stop = (): void => give('the caller stopped before anything was sent');
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    work.then(
      (value) => {
        if (over) return tooLate?.(value);
        end();
        resolve(value);
      },
      (error) => {
        if (over) return;
        end();
        reject(error);
      },
    );
  });
}

/**
 * Waits at most so long, and no longer than the signal. What does not answer in time counts as lost, since it has been
 * sent; the promise goes on and its end is ignored.
 * @param late called when time is over, before anything else
 * @param ended called once, when nobody waits any more, with what came
 */
export function inTime<T>(
  work: Promise<T>,
  timeoutMs: number,
  signal?: AbortSignal,
  late?: () => void,
  ended?: (value: T | undefined, error: unknown) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let isOver = false;
    const over = (value: T | undefined, error: unknown): void => {
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      ended?.(value, error);
    };
    const fail = (error: unknown): void => {
      if (isOver) return;
      over(undefined, error);
      reject(error);
    };
    const timer = setTimeout(
      () => {
        late?.();
        fail(new Lost(`no reply within ${Math.round(timeoutMs)} ms`));
      },
      Math.min(timeoutMs, LONGEST_MS),
    );
    const stop = (): void => fail(new Lost('the caller stopped waiting for the reply'));
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    work.then((value) => {
      if (isOver) return;
      over(value, null);
      resolve(value);
    }, fail);
  });
}

/** A pipeline of which each command fails alike. */
export function allFail(count: number, error: Unsent | Lost): readonly Fate[] {
  return Array.from({ length: count }, () => error);
}

/** Whether one of these says that the primary has become a replica: the connection is of no use any more. */
export function isReadOnly(fates: readonly unknown[]): boolean {
  return fates.some((fate) => fate instanceof ServerError && fate.code === 'READONLY');
}

/** What a pool does with a session that its lease has ended with, and whether it may be used again. */
export type GiveBack = (session: Session, usable: boolean) => void;

/** A lease over a session. */
export class SessionLease implements Lease {
  private readonly session: Session;
  private readonly giveBack: GiveBack;
  private ended = false;
  private stale = false;

  constructor(session: Session, giveBack: GiveBack) {
    this.session = session;
    this.giveBack = giveBack;
  }

  async pipeline(commands: readonly Words[], timeoutMs: number): Promise<readonly Fate[]> {
    if (!this.session.alive) return allFail(commands.length, new Unsent('the leased connection is closed'));
    try {
      const fates = await inTime(this.session.pipeline(commands), timeoutMs);
      this.stale ||= isReadOnly(fates);
      return fates;
    } catch (error) {
      return allFail(commands.length, error as Lost);
    }
  }

  async exec(commands: readonly Words[], timeoutMs: number): Promise<readonly Answer[] | null> {
    const fates = await this.pipeline([['MULTI'], ...commands, ['EXEC']], timeoutMs);
    return execAnswer(fates);
  }

  release(): void {
    this.end(true);
  }

  discard(): void {
    this.end(false);
  }

  private end(usable: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.giveBack(this.session, usable && !this.stale && this.session.alive);
  }
}

/** What MULTI … EXEC came to. @throws ServerError with the first refusal, Unsent, Lost */
export function execAnswer(fates: readonly Fate[]): readonly Answer[] | null {
  const last = fates[fates.length - 1];
  if (last instanceof ServerError) {
    // EXECABORT says only that; what was wrong stands with the command.
    throw fates.find((fate) => fate instanceof ServerError) ?? last;
  }
  if (last instanceof Unsent || last instanceof Lost) {
    // The connection may have closed while the commands were being written: EXEC is last.
    throw last;
  }
  if (last === null || Array.isArray(last)) return last;
  throw new ServerError(`ERR EXEC answered ${typeof last}`);
}

/** A library's answer as ours: errors inside of arrays (EXEC) change their class. */
export function plain(answer: unknown): Answer {
  if (!Array.isArray(answer)) return answer as Answer;
  for (let i = 0; i < answer.length; i++) {
    const item = answer[i];
    if (item instanceof Error) answer[i] = new ServerError(item.message);
    else if (Array.isArray(item)) plain(item);
  }
  return answer as Answer;
}
