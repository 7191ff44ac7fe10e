// A machine whose disk a seed decides about: processes on it that can be killed or lose power, each an engine with its
// log, and what their clients were promised. power.ts drives it, and src/persistence/persistence.test.ts.
import { Engine } from '../../src/engine/engine.ts';
import { type Persistence, persist } from '../../src/engine/persistent.ts';
import { VirtualClock } from '../../src/engine/ports.ts';
import { NOBODY, type Session } from '../../src/engine/session.ts';
import type { AppendLog } from '../../src/persistence/aof/log.ts';
import { Crashed, type FaultyStorage } from '../../src/storage/faulty.ts';
import { type OpenMode, type Storage, StorageError, type StorageFile } from '../../src/storage/port.ts';
import type { Chance } from '../../src/storage/random.ts';

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a process sees of its storage: once it is dead it hears of nothing any more, and nothing of it goes on. */
export class Process implements Storage {
  readonly name = '(process)';
  readonly death: Promise<void>;
  dead = false;
  /** Operations that the system still has to end. */
  pending = 0;
  /** What must never be: a file that goes on after a sync of it failed. */
  violation: string | null = null;
  /** A sync failed: what the system shows of the file and what the disk has of it may differ. */
  syncFailed = false;
  private readonly broken = new Set<string>();
  private readonly storage: Storage;
  private readonly ownsLock: boolean;
  private die: () => void = () => {};

  /** @param ownsLock false where a process that was killed has left its lock in the storage */
  constructor(storage: Storage, ownsLock: boolean) {
    this.storage = storage;
    this.ownsLock = ownsLock;
    this.death = new Promise((resolve) => {
      this.die = resolve;
    });
  }

  kill(): void {
    this.dead = true;
    this.die();
  }

  later<T>(work: () => Promise<T>): Promise<T> {
    if (this.dead) return new Promise(() => {});
    this.pending++;
    return new Promise((resolve, reject) => {
      work().then(
        (value) => {
          this.pending--;
          if (!this.dead) resolve(value);
        },
        (error: unknown) => {
          this.pending--;
          if (error instanceof Crashed) this.kill();
          if (!this.dead) reject(error);
        },
      );
    });
  }

  now<T>(work: () => T): T {
    if (this.dead) throw new Crashed();
    try {
      return work();
    } catch (error) {
      if (error instanceof Crashed) this.kill();
      throw error;
    }
  }

  list = (folder: string): Promise<string[]> => this.later(() => this.storage.list(folder));
  makeFolder = (folder: string): Promise<void> => this.later(() => this.storage.makeFolder(folder));
  rename = (from: string, to: string): Promise<void> => this.later(() => this.storage.rename(from, to));
  remove = (path: string): Promise<void> => this.later(() => this.storage.remove(path));
  syncFolder = (folder: string): Promise<void> => this.later(() => this.storage.syncFolder(folder));

  async lock(): Promise<{ release(): Promise<void> }> {
    if (!this.ownsLock) return { release: async () => {} };
    const lock = await this.later(() => this.storage.lock());
    return { release: () => this.later(() => lock.release()) };
  }

  async open(path: string, mode: OpenMode): Promise<StorageFile> {
    const file = await this.later(() => this.storage.open(path, mode));
    if (mode === 'create') this.broken.delete(path);
    const watched = <T>(operation: string, work: () => Promise<T>): Promise<T> => {
      this.look(operation, path);
      return this.later(work).catch((error: unknown) => {
        if (error instanceof StorageError) {
          this.broken.add(path);
          this.syncFailed = true;
        }
        throw error;
      });
    };
    return {
      get size() {
        return file.size;
      },
      read: (position, into) => this.now(() => file.read(position, into)),
      append: (data) => {
        this.look('append', path);
        return this.now(() => file.append(data));
      },
      appendDurably: (data) => watched('appendDurably', () => file.appendDurably(data)),
      sync: () => watched('sync', () => file.sync()),
      truncate: (size) => this.now(() => file.truncate(size)),
      close: () => this.later(() => file.close()),
    };
  }

  private look(operation: string, path: string): void {
    if (this.broken.has(path)) this.violation ??= `${operation} of ${path} after a sync of it had failed`;
  }
}

export const ACCOUNTS = 4;
export const START = 100;
const TWO_KEYS =
  "redis.call('SET', KEYS[1], ARGV[1]) redis.call('SET', KEYS[2], ARGV[1]) return redis.call('INCR', KEYS[3])";

/** What clients were promised, over all processes of a machine: contents after each unit since the last recovery. */
export class Promises {
  /** Contents after each unit, as text; the first are those that were recovered. */
  states: string[] = [''];
  /** Up to this unit all is on disk; and: survives the end of a process. */
  onDisk = 0;
  inSystem = 0;
  acknowledged = 0;

  get last(): number {
    return this.states.length - 1;
  }

  /** After recovery; says what is wrong. */
  recovered(contents: string, isKill: boolean): string | null {
    const least = isKill ? this.inSystem : this.onDisk;
    let found = -1;
    for (let k = this.last; k >= least && found < 0; k--) if (this.states[k] === contents) found = k;
    const before = found < 0 ? this.states.lastIndexOf(contents) : 0;
    const { last } = this;
    const wanted = this.states[least];
    this.states = [contents];
    this.onDisk = 0;
    this.inSystem = 0;
    if (found >= 0) return null;
    if (before >= 0) return `lost: ${least} of ${last} units were promised, ${before} are there`;
    return `partial: what is there is not the contents after any unit\n  is     ${contents}\n  wanted ${wanted}, or of a later unit`;
  }
}

/** An engine that lives in a process of a machine. */
export class Life {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  readonly process: Process;
  readonly promises: Promises;
  readonly policy: 'always' | 'everysec';
  persistence: Persistence | null = null;
  units = 0;
  rewrites = 0;
  refused = 0;
  private readonly session: Session;
  private readonly other: Session;
  private counterAt = 0;

  constructor(
    process: Process,
    promises: Promises,
    policy: 'always' | 'everysec',
    time: number,
    config: Readonly<Record<string, string>> = {},
  ) {
    this.process = process;
    this.promises = promises;
    this.policy = policy;
    this.clock = new VirtualClock(time);
    this.engine = new Engine({
      clock: this.clock,
      seed: 1,
      databases: 2,
      config: { appendonly: 'yes', appendfsync: policy, save: '', ...config },
    });
    // Slices of work by a clock that stands still: the same operations in each run.
    this.engine.elapsed = () => this.clock.now();
    this.session = this.engine.connect(NOBODY);
    this.other = this.engine.connect(NOBODY);
    this.engine.execute(this.other, ['SELECT', '1']);
  }

  get log(): AppendLog {
    return this.engine.effects.log as AppendLog;
  }

  /** False where the process died of it. @throws RecoveryError, StorageError */
  async open(): Promise<boolean> {
    const opening = persist(this.engine, this.process).then((persistence) => {
      this.persistence = persistence;
    });
    opening.catch(() => {});
    await Promise.race([opening, this.process.death]);
    return !this.process.dead;
  }

  contents(): string {
    const { engine } = this;
    const lines: string[] = [];
    for (const session of [this.session, this.other]) {
      const keys = [...(engine.execute(session, ['KEYS', '*']) as string[])].sort();
      for (const key of keys) {
        const read = key === 'list' ? ['LRANGE', key, '0', '-1'] : ['GET', key];
        lines.push(`${session.db.index} ${key} ${JSON.stringify(engine.execute(session, read))}`);
      }
    }
    return lines.join('; ');
  }

  /** What cannot be wrong whatever was lost. */
  partial(): string | null {
    const get = (key: string): string | null =>
      this.engine.execute(this.session, ['GET', key]) as string | null;
    const balances = Array.from({ length: ACCOUNTS }, (_, i) => Number(get(`account:${i}`) ?? 0));
    const sum = balances.reduce((a, b) => a + b, 0);
    if (sum !== 0 && sum !== ACCOUNTS * START) return `partial: the accounts hold ${sum}`;
    if (get('left') !== get('right')) return `partial: left ${get('left')}, right ${get('right')}`;
    return null;
  }

  /** Runs a unit; says what is wrong. */
  unit(chance: Chance): string | null {
    const { engine, session, promises } = this;
    const refusal = engine.writeRefusal;
    if (this.log.problem !== null && refusal === null) return 'the log is broken, but writes are not refused';
    const tag = `${promises.last}:${'x'.repeat(chance(4) === 0 ? chance(3000) : chance(20))}`;
    const run = (...args: string[]): unknown => engine.execute(session, args);
    const from = chance(ACCOUNTS);
    const to = (from + 1 + chance(ACCOUNTS - 1)) % ACCOUNTS;
    const amount = String(1 + chance(50));
    let wroteCounter = true;
    let reply: unknown;
    const kind = promises.states[promises.last].includes('account:0') ? chance(7) : 7;
    switch (kind) {
      case 0:
        reply = run('INCR', 'counter');
        break;
      case 1:
        run('MULTI');
        run('DECRBY', `account:${from}`, amount);
        run('INCRBY', `account:${to}`, amount);
        run('INCR', 'counter');
        reply = run('EXEC');
        break;
      case 2:
        reply = run('EVAL', TWO_KEYS, '3', 'left', 'right', 'counter', tag);
        break;
      case 3:
        wroteCounter = false;
        reply = run('SET', `text:${chance(3)}`, tag);
        break;
      case 4:
        wroteCounter = false;
        reply = engine.execute(this.other, ['SET', 'elsewhere', tag]);
        break;
      case 5:
        wroteCounter = false;
        reply = run('RPUSH', 'list', tag.slice(0, 10));
        break;
      case 6:
        reply = this.atomic(from, to, amount);
        break;
      default: {
        const accounts = Array.from({ length: ACCOUNTS }, (_, i) => [`account:${i}`, String(START)]);
        reply = run('MSET', ...accounts.flat(), 'left', tag, 'right', tag, 'counter', '0');
      }
    }
    if (refusal !== null) {
      this.refused++;
      const text = String((reply as { text?: string } | null)?.text ?? reply);
      return /MISCONF|EXECABORT/.test(text)
        ? null
        : `a write was not refused while the log is broken: ${text}`;
    }
    const { replyAfter } = engine;
    promises.states.push(this.contents());
    const number = promises.last;
    this.units++;
    if (wroteCounter) this.counterAt = number;
    if (replyAfter === 0) return `unit ${number} may be acknowledged without the log`;
    this.log.whenAccepted(replyAfter, (accepted) => this.accepted(number, accepted));
    return null;
  }

  private atomic(from: number, to: number, amount: string): unknown {
    const { engine, session } = this;
    const run = (...args: string[]): void => {
      const reply = engine.execute(session, args);
      if (reply instanceof Error || (reply as { text?: string } | null)?.text !== undefined) throw reply;
    };
    try {
      return engine.atomic(() => {
        run('DECRBY', `account:${from}`, amount);
        run('INCRBY', `account:${to}`, amount);
        run('INCR', 'counter');
        return 'done';
      });
    } catch (error) {
      return error;
    }
  }

  private accepted(number: number, accepted: boolean): void {
    const { promises } = this;
    if (!accepted || this.process.dead) return;
    promises.acknowledged++;
    // Beside `always` a log that cannot be written lets replies go: what it is for then is the refusal of the next.
    if (this.policy === 'always') promises.onDisk = Math.max(promises.onDisk, number);
    if (this.log.problem === null) promises.inSystem = Math.max(promises.inSystem, number);
  }

  /** Reads what may not be on disk yet: who has seen it was promised it. */
  read(): void {
    this.engine.execute(this.session, ['GET', 'counter']);
    const { counterAt, promises } = this;
    this.log.whenAccepted(this.engine.replyAfter, (accepted) => {
      if (!accepted || this.process.dead) return;
      if (this.policy === 'always') promises.onDisk = Math.max(promises.onDisk, counterAt);
      if (this.log.problem === null) promises.inSystem = Math.max(promises.inSystem, counterAt);
    });
  }

  /** Asks for all so far to be on disk; resolves to whether it is, also when the process dies. */
  async flushed(): Promise<boolean> {
    const { promises } = this;
    const { last } = promises;
    const flushing = (this.persistence as Persistence).flushed().then(
      () => {
        if (this.process.dead) return false;
        promises.onDisk = Math.max(promises.onDisk, last);
        return true;
      },
      (error: unknown) => {
        if (error instanceof StorageError || error instanceof Crashed) return false;
        throw error;
      },
    );
    return Promise.race([flushing, this.process.death.then(() => false)]);
  }

  get isRewriting(): boolean {
    const fields = new Map((this.persistence as Persistence).info());
    return fields.get('aof_rewrite_in_progress') === 1;
  }

  rewrite(): void {
    if (this.isRewriting) return;
    this.rewrites++;
    this.persistence?.beginRewrite();
  }

  /** Says what is wrong. */
  async rewriteDone(): Promise<string | null> {
    for (let turns = 0; turns < 3000; turns++) {
      if (this.process.dead || !this.isRewriting) return null;
      await turn();
    }
    return 'a rewrite does not end';
  }

  /** The cause of the trouble is gone: a rewrite has to make all well. Says what is wrong. */
  async heal(): Promise<string | null> {
    const before = await this.rewriteDone();
    if (before !== null) return before;
    this.rewrite();
    const wrong = await this.rewriteDone();
    if (wrong !== null || this.process.dead) return wrong;
    this.clock.advance(200);
    for (let turns = 0; turns < 20; turns++) await turn();
    if (this.process.dead) return null;
    if (this.log.problem !== null) return `BGREWRITEAOF did not mend the log: ${this.log.problem.message}`;
    if (this.engine.writeRefusal !== null) return 'the log is well, but writes are refused';
    if (!(await this.flushed()) && !this.process.dead) return 'flushed() fails though the log is well';
    return null;
  }

  /** Ends it as kill -9 does: the system still does what it was asked to. */
  async kill(): Promise<void> {
    this.process.kill();
    while (this.process.pending > 0) await turn();
  }

  /** Ends it as SIGTERM does; resolves to whether all of it is on disk. */
  async close(): Promise<boolean> {
    const { last } = this.promises;
    const closing = (this.persistence as Persistence).close().then(
      () => {
        if (this.process.dead) return false;
        this.promises.onDisk = Math.max(this.promises.onDisk, last);
        this.promises.inSystem = this.promises.onDisk;
        return true;
      },
      (error: unknown) => {
        if (error instanceof StorageError || error instanceof Crashed) return false;
        throw error;
      },
    );
    return Promise.race([closing, this.process.death.then(() => false)]);
  }
}

/** The last operations of a storage, for a failure's report. */
export function lastOperations(storage: FaultyStorage): string {
  return storage
    .log()
    .slice(-25)
    .map((line) => `\n    ${line}`)
    .join('');
}
