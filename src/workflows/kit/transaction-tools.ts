// The `tx` of one attempt of a transaction: reads under WATCH, which goes out with the first of them, and the writes that
// are queued for EXEC. Made by kit/transaction.ts; kit/steps.ts names its types.
import { type Answer, type Lease, Lost, ServerError, Unsent, type Word } from './driver.ts';
import { AtomicError } from './errors.ts';
import { slotOf } from './keys.ts';

/** What the function decides. Made by `tx.commit` and `tx.reject`. */
export type Decision<V, D> = CommitDecision<V> | RejectDecision<D>;
interface CommitDecision<V> {
  readonly kind: 'commit';
  readonly queued: readonly (readonly Word[])[];
  readonly value: V;
}
interface RejectDecision<D> {
  readonly kind: 'reject';
  readonly reason: string;
  readonly data: D;
}

/** Any command as a method: `queue.hset('k', 'f', 1)`; `call` for names that are no identifiers. */
export type Queue = { readonly [command: string]: (...words: Word[]) => void } & {
  /** Queues a command by its words, without a look at its keys. */
  call(...words: Word[]): void;
};

/** Any reading command as a method, `tx.hget('k', 'f')`: all reads of one turn go in one round trip. */
export type Reads = {
  get(key: string): Promise<string | null>;
  mget(...keys: string[]): Promise<readonly (string | null)[]>;
  hget(key: string, field: Word): Promise<string | null>;
  hmget(key: string, ...fields: Word[]): Promise<readonly (string | null)[]>;
  /** Field and value alternating. */
  hgetall(key: string): Promise<readonly string[]>;
  exists(...keys: string[]): Promise<number>;
  sismember(key: string, member: Word): Promise<number>;
  zscore(key: string, member: Word): Promise<string | null>;
  zrange(key: string, from: Word, to: Word, ...options: Word[]): Promise<readonly string[]>;
  lrange(key: string, from: Word, to: Word): Promise<readonly string[]>;
  llen(key: string): Promise<number>;
  pttl(key: string): Promise<number>;
} & { readonly [command: string]: (key: string, ...words: Word[]) => Promise<Answer> };

/** Only what is read through these is protected: WATCH goes out with the first read. */
export interface TransactionTools {
  /**
   * Reads under WATCH. The first word must be one of the watched keys.
   * @throws AtomicError UNDECLARED_KEY
   */
  readonly read: Reads;
  /** Reads by its words, without a look at its keys: for what the decision does not depend on. */
  call(...words: Word[]): Promise<Answer>;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Queues writes; they run all together, or not at all where a watched key has changed. */
  commit(queue: (queue: Queue) => void): Decision<undefined, never>;
  commit<V>(queue: (queue: Queue) => void, value: V): Decision<V, never>;
  /** Decides against it. */
  reject(reason: string): Decision<never, undefined>;
  reject<D>(reason: string, data: D): Decision<never, D>;
}

/** A WATCH or a read went without a reply: the attempt is over, and wrote nothing. */
export class LostRead extends Error {}

/** The `tx` of one attempt. WATCH goes out with the first reads, in one write. */
export class Tools implements TransactionTools {
  readonly attempt: number;
  readonly read: Reads;
  /** WATCH has gone out and nothing has ended it. */
  watching = false;
  /** What the connection is in is not certain. */
  broken = false;
  /** Why this attempt cannot commit any more: WATCH or a read with it failed on the way. */
  failure: Error | null = null;
  private readonly lease: Lease;
  private readonly watch: readonly string[];
  private readonly left: () => number;
  private pending: { words: readonly Word[]; resolve(answer: Answer): void; reject(error: unknown): void }[] =
    [];
  private flushing: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(lease: Lease, watch: readonly string[], attempt: number, left: () => number) {
    this.lease = lease;
    this.watch = watch;
    this.attempt = attempt;
    this.left = left;
    this.read = reader((words) => {
      this.checkKey(words);
      return this.call(...words);
    });
  }

  call(...words: Word[]): Promise<Answer> {
    if (this.ended)
      return Promise.reject(new AtomicError('BAD_ARGUMENT', 'this attempt of the transaction is over'));
    return new Promise((resolve, reject) => {
      this.pending.push({ words, resolve, reject });
      // All reads of one turn go together.
      if (this.pending.length > 1) return;
      queueMicrotask(() => {
        this.flushing = this.flush();
      });
    });
  }

  /** Resolves once all that was sent has been answered, or has failed. */
  settled(): Promise<void> {
    return this.flushing;
  }

  commit<V>(queue: (queue: Queue) => void, value?: V): Decision<V, never> {
    const queued: (readonly Word[])[] = [];
    const slot = slotOf(this.watch[0]);
    queue(
      queueOf((words, checked) => {
        if (checked && words.length > 1 && slotOf(String(words[1])) !== slot) {
          throw new AtomicError(
            'CROSS_SLOT',
            `${words[0]} writes to slot ${slotOf(String(words[1]))}, the watched keys lie in ${slot}: give them one hash tag`,
          );
        }
        queued.push(words);
      }),
    );
    if (queued.length === 0) throw new AtomicError('BAD_ARGUMENT', 'nothing was queued: reject() instead');
    return { kind: 'commit', queued, value: value as V };
  }

  reject<D>(reason: string, data?: D): Decision<never, D> {
    return { kind: 'reject', reason, data: data as D };
  }

  end(): void {
    this.ended = true;
  }

  private checkKey(words: readonly Word[]): void {
    const keys = words[0] === 'MGET' || words[0] === 'EXISTS' ? words.slice(1) : words.slice(1, 2);
    const at = keys.findIndex((key) => !this.watch.includes(String(key)));
    if (at >= 0) {
      throw new AtomicError(
        'UNDECLARED_KEY',
        `${words[0]} reads a key of slot ${slotOf(String(keys[at]))} that is not watched: add it to watch, or use call()`,
      );
    }
  }

  private async flush(): Promise<void> {
    const reads = this.pending;
    this.pending = [];
    const commands = reads.map(({ words }) => words);
    const first = !this.watching;
    if (first) commands.unshift(['WATCH', ...this.watch]);
    this.watching = true;
    const fates = await this.lease.pipeline(commands, this.left());
    const failed = fates.find((fate) => fate instanceof Lost || fate instanceof Unsent);
    if (failed !== undefined) {
      this.broken = true;
      this.failure = new LostRead((failed as Error).message, { cause: failed });
      for (const { reject } of reads) reject(this.failure);
      return;
    }
    const refusal = first && fates[0] instanceof ServerError ? fates[0] : null;
    if (refusal !== null) this.failure = refusal;
    reads.forEach(({ resolve, reject }, i) => {
      const fate = refusal ?? (fates[first ? i + 1 : i] as Answer);
      if (fate instanceof ServerError) reject(fate);
      else resolve(fate);
    });
  }
}

/** An object whose every method is a command. */
function commands<T>(run: (words: Word[]) => T, own: Readonly<Record<string, unknown>>): object {
  return new Proxy(own, {
    get(target, name) {
      if (typeof name !== 'string' || name === 'then') return undefined;
      if (Object.hasOwn(target, name)) return target[name];
      return (...words: Word[]) => run([name.toUpperCase(), ...words]);
    },
  });
}

function reader(run: (words: Word[]) => Promise<Answer>): Reads {
  return commands(async (words) => run(words), {}) as Reads;
}

function queueOf(add: (words: Word[], checked: boolean) => void): Queue {
  return commands((words) => add(words, true), { call: (...words: Word[]) => add(words, false) }) as Queue;
}
