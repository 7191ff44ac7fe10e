// The append-only log: takes the effects of each unit, gathers those of a turn of the event loop into a batch, and
// writes it before anybody is told of them. Under `appendfsync always` a batch is acknowledged once it is on disk, by
// one asynchronous sync for all that gathered meanwhile; otherwise once the operating system has it. The engine
// feeds it, connections ask it when their replies may go; persistence.ts turns it to a new file.
import type { UnitLog } from '../../commands/ports.ts';
import { type Storage, StorageError, type StorageFile } from '../../storage/port.ts';
import { Batch, encodeBatch } from './batch.ts';
import { NO_SUM } from './format.ts';

export type FsyncPolicy = 'always' | 'everysec' | 'no';

export interface LogHost {
  policy(): FsyncPolicy;
  /** Unix milliseconds. */
  now(): number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed(): number;
  /** Calls `action` in the next turn of the event loop. */
  soon(action: () => void): void;
  /** Batches up to this one are on disk. */
  settled(batch: number): void;
  /** A write or sync failed, or works again (null). */
  report(problem: StorageError | null): void;
}

/** Where the log goes on in a file. */
export interface LogPosition {
  readonly path: string;
  readonly sequence: number;
  readonly sum: string;
}

export interface LogOp {
  readonly db: number;
  readonly args: readonly string[];
}

/** What gathers is written at once beyond this many bytes. */
const BATCH_SIZE = 1024 * 1024;
/** `everysec`: milliseconds between two syncs, and after which one that is late counts. */
const SYNC_EVERY = 1000;
const SYNC_LATE = 2000;

/** `always`: turns of the event loop without anything new after which a batch does not wait for more. */
const QUIET_TURNS = 2;
/** Part of what a sync takes that a batch may wait for others to join it. */
const PATIENCE = 0.3;

interface Waiter {
  readonly batch: number;
  readonly action: (accepted: boolean) => void;
}

export class AppendLog implements UnitLog {
  /** Batches up to this one may be acknowledged. */
  accepted = 0;
  /** Batches up to this one are on disk. */
  durable = 0;
  /** `aof_delayed_fsync`. */
  delayedSyncs = 0;
  /** Why nothing is accepted at present. */
  problem: StorageError | null = null;
  /** A sync failed: what is on disk is unknown until a rewrite begins a new base. */
  poisoned = false;
  /** It was when the rewrite under way began, which therefore holds what is missing. */
  private left = false;
  private readonly host: LogHost;
  private file: StorageFile;
  private path: string;
  private sequence: number;
  private sum: string;
  /** Number, counted over all files, of the batch that gathers. */
  private batch = 1;
  /** The last batch of the present file that is known to be on disk. */
  private synced = 0;
  /** What has gathered. */
  private gathered = new Batch();
  /** A batch that is not in use. */
  private spare: Batch | null = null;
  private db = -1;
  private scheduled = false;
  /** Units that have gathered, and how many were in the last batch that was synced. */
  private units = 0;
  private lastUnits = 0;
  /** What the last sync took, in milliseconds. */
  private lastSync = 0;
  /** A write or sync is under way, which the next has to wait for. */
  private busy: Promise<void> | null = null;
  /** A sync beside the appends. There is never another: one that succeeds would hide that the other failed. */
  private syncing: Promise<void> | null = null;
  private syncedAt = 0;
  private waiters: Waiter[] = [];
  private turning: Turn | null = null;
  private closed = false;

  constructor(host: LogHost, file: StorageFile, position: LogPosition) {
    this.host = host;
    this.file = file;
    this.path = position.path;
    this.sequence = position.sequence;
    this.sum = position.sum;
    this.synced = position.sequence;
    this.syncedAt = host.now();
  }

  /** Bytes of the present file. */
  get size(): number {
    return this.file.size;
  }

  get pending(): number {
    return this.gathered.length;
  }

  get gathering(): number {
    return this.batch;
  }

  get unaccepted(): number {
    const last = this.gathered.length === 0 ? this.batch - 1 : this.batch;
    return last > this.accepted ? last : 0;
  }

  // ---- UnitLog

  /** Takes the effects of a unit that has ended. */
  add(ops: readonly LogOp[]): void {
    const { gathered } = this;
    const isUnit = ops.length > 1;
    if (isUnit) gathered.add(MULTI);
    for (const { db, args } of ops) {
      if (db !== this.db) {
        // In lower case: redis-server, should it go on in this file, begins with another spelling.
        gathered.add(['select', String(db)]);
        this.db = db;
      }
      gathered.add(args);
    }
    if (isUnit) gathered.add(EXEC);
    this.units++;
    if (gathered.length > BATCH_SIZE) this.flush();
    if (this.scheduled) return;
    this.scheduled = true;
    this.host.soon(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Writes what has gathered, if nothing is under way that it must wait for. */
  flush(): void {
    if (this.gathered.length === 0 || this.busy !== null || this.closed) return;
    if (this.poisoned) return;
    if (this.host.policy() === 'always' || this.turning !== null) {
      this.busy = this.writeDurably();
      return;
    }
    if (!this.append()) return;
    this.accept(this.batch - 1);
    this.maybeSync();
  }

  /** Calls back when the batch may be acknowledged, or with false once it is clear that it cannot be. */
  whenAccepted(batch: number, action: (accepted: boolean) => void): void {
    if (batch <= this.accepted) action(true);
    else if (this.problem !== null) action(false);
    else this.waiters.push({ batch, action });
  }

  // ---- durability

  /** Resolves once all that was added before is on disk. @throws StorageError where it cannot be */
  async flushed(): Promise<void> {
    const wanted = this.gathered.length === 0 ? this.batch - 1 : this.batch;
    while (this.durable < wanted) {
      if (this.problem !== null) throw this.problem;
      if (this.busy !== null) await this.busy;
      else if (this.gathered.length > 0) {
        this.busy = this.writeDurably();
        await this.busy;
      } else await this.sync();
    }
  }

  /** Now and then: syncs what `everysec` owes, and tries again what could not be written. */
  tick(): void {
    if (this.closed) return;
    if (this.problem === null) this.maybeSync();
    else if (!this.poisoned && this.busy === null && this.syncing === null) void this.retry();
  }

  /**
   * Turns to another file: what was added before goes to the present one and is synced, what comes after to `next`.
   * `boundary` is called in between, when no unit is open. Resolves when the present file is complete and closed.
   */
  turnTo(next: StorageFile, position: LogPosition, boundary: () => void): Promise<void> {
    if (this.turning !== null) throw new Error('the log turns to another file already');
    if (this.poisoned) return this.leave(next, position, boundary);
    return new Promise((resolve, reject) => {
      boundary();
      // What is added from now on must not get into the batch that still goes to the present file.
      const text = this.take();
      if (text.length > 0) this.batch++;
      this.units = 0;
      this.db = -1;
      this.turning = { next, position, text, last: this.batch - 1, resolve, reject };
      if (this.busy === null) this.busy = this.writeDurably();
    });
  }

  // The present file is past saving: a new base will hold what it should have held.
  private async leave(next: StorageFile, position: LogPosition, boundary: () => void): Promise<void> {
    boundary();
    const { file } = this;
    this.gathered.clear();
    this.units = 0;
    this.db = -1;
    this.batch++;
    this.begin(next, position);
    this.left = true;
    if (this.host.policy() !== 'always') this.accept(this.batch);
    await closeQuietly(file);
  }

  private begin(file: StorageFile, position: LogPosition): void {
    this.file = file;
    this.path = position.path;
    this.sequence = position.sequence;
    this.sum = position.sum;
    this.synced = position.sequence;
  }

  /** A rewrite is complete: whatever was wrong when it began, all is on disk now. */
  mended(): void {
    if (!this.left) return;
    this.left = false;
    this.poisoned = false;
    this.problem = null;
    // What comes now is acknowledged by a batch of its own.
    if (this.gathered.length === 0) this.batch++;
    this.setDurable(this.batch - 1);
    this.accept(this.batch - 1);
    this.host.report(null);
    this.flush();
  }

  /**
   * Writes and syncs what is left, says in the file that this is its end, and closes it.
   * @throws StorageError where something that was accepted may not be on disk
   */
  async close(): Promise<void> {
    if (this.closed) return;
    try {
      while (this.busy !== null) await this.busy;
      // There may be room on the disk by now.
      if (this.problem !== null && !this.poisoned) await this.retry();
      await this.flushed();
      while (this.busy !== null) await this.busy;
      if (this.problem !== null) throw this.problem;
      const { bytes } = encodeBatch(this.sequence + 1, this.sequence + 1, this.seconds(), this.sum);
      await this.file.appendDurably([bytes]);
    } finally {
      this.closed = true;
      await this.file.close();
    }
  }

  // ---- writing

  private seconds(): number {
    return Math.floor(this.host.now() / 1000);
  }

  // What has gathered; another batch takes what comes.
  private take(): Batch {
    const { gathered } = this;
    this.gathered = this.spare ?? new Batch();
    this.spare = null;
    return gathered;
  }

  private wrote(sum: string): void {
    this.sequence++;
    this.sum = sum;
  }

  // Into the operating system's cache; false where that failed, and then the file is as it was.
  private put(batch: Batch): boolean {
    const { bytes, sum } = batch.seal(this.sequence + 1, this.synced, this.seconds(), this.sum);
    const before = this.file.size;
    try {
      let at = 0;
      while (at < bytes.length) at += this.file.append(at === 0 ? bytes : bytes.subarray(at));
    } catch (error) {
      this.fail(error, () => this.file.truncate(before));
      return false;
    }
    this.wrote(sum);
    return true;
  }

  // What has gathered; where that fails it stays as it was.
  private append(): boolean {
    if (!this.put(this.gathered)) return false;
    this.gathered.clear();
    this.units = 0;
    this.batch++;
    return true;
  }

  // Whoever calls it has something to write or to turn to, and the log is not poisoned. It begins by waiting, so that
  // `busy` is set before it is cleared.
  private async writeDurably(): Promise<void> {
    try {
      await this.syncing?.catch(() => {});
      while (!this.poisoned) {
        const { turning } = this;
        if (turning !== null && turning.text.length === 0) {
          await this.turn(turning);
          continue;
        }
        if (turning === null) {
          if (this.gathered.length === 0) break;
          await this.company();
          if (this.turning !== null) continue;
        }
        const { units } = this;
        const last = turning?.last ?? this.batch;
        const started = this.host.elapsed();
        if (turning === null ? !this.append() : !this.put(turning.text)) {
          if (turning !== null) this.stay(turning);
          break;
        }
        if (turning !== null) {
          turning.text.clear();
          this.spare = turning.text;
        }
        try {
          await this.file.sync();
        } catch (error) {
          // What of it arrived is unknown, and another sync would not tell: a new base will hold it.
          this.poisoned = true;
          this.fail(error, () => {});
          break;
        }
        this.lastUnits = units;
        this.lastSync = this.host.elapsed() - started;
        this.synced = this.sequence;
        this.setDurable(last);
        this.syncedAt = this.host.now();
        this.accept(last);
        if (this.host.policy() !== 'always' && this.turning === null) break;
      }
    } finally {
      this.busy = null;
      const { turning } = this;
      if (this.poisoned && turning !== null) {
        this.turning = null;
        turning.reject(this.problem);
      }
    }
    if (this.gathered.length > 0 && this.problem === null) this.flush();
  }

  // The present file has no room: what was to be its end gathers again, and the rewrite fails.
  private stay(turning: Turn): void {
    this.turning = null;
    turning.text.join(this.gathered);
    this.gathered = turning.text;
    turning.reject(this.problem);
  }

  // Those who got their replies with the last batch are about to send more: all in one sync serve twice as many as half of
  // them in each of two. One client alone waits for nobody.
  private async company(): Promise<void> {
    if (this.lastUnits <= 1 || this.units >= this.lastUnits) return;
    const end = this.host.elapsed() + this.lastSync * PATIENCE;
    for (let quiet = 0; quiet < QUIET_TURNS && this.units < this.lastUnits && this.host.elapsed() < end; ) {
      const { units } = this;
      await new Promise<void>((resolve) => this.host.soon(resolve));
      quiet = this.units === units ? quiet + 1 : 0;
    }
  }

  private async turn(turning: Turn): Promise<void> {
    const { file } = this;
    try {
      await file.sync();
    } catch (error) {
      this.poisoned = true;
      this.fail(error, () => {});
      return;
    }
    this.turning = null;
    this.setDurable(turning.last);
    this.begin(turning.next, turning.position);
    await closeQuietly(file);
    turning.resolve();
  }

  private maybeSync(): void {
    if (this.host.policy() !== 'everysec' || this.problem !== null) return;
    const late = this.host.now() - this.syncedAt;
    if (this.syncing !== null) {
      if (late > SYNC_LATE) {
        this.delayedSyncs++;
        this.syncedAt = this.host.now();
      }
      return;
    }
    if (late < SYNC_EVERY || this.synced === this.sequence || this.busy !== null) return;
    this.sync().catch(() => {});
  }

  private sync(): Promise<void> {
    this.syncing ??= this.syncOnce().finally(() => {
      this.syncing = null;
    });
    return this.syncing;
  }

  private async syncOnce(): Promise<void> {
    const { file, sequence } = this;
    const last = this.batch - 1;
    this.syncedAt = this.host.now();
    try {
      await file.sync();
    } catch (error) {
      this.poisoned = true;
      this.fail(error, () => {});
      throw error;
    }
    // A write that failed meanwhile may have taken with it what this sync was for.
    if (this.poisoned) throw this.problem;
    if (file === this.file) this.synced = Math.max(this.synced, sequence);
    this.setDurable(last);
  }

  private setDurable(batch: number): void {
    if (batch <= this.durable) return;
    this.durable = batch;
    this.host.settled(batch);
  }

  private accept(batch: number): void {
    if (batch > this.accepted) this.accepted = batch;
    if (this.waiters.length === 0) return;
    const ready = this.waiters.filter((waiter) => waiter.batch <= batch);
    this.waiters = this.waiters.filter((waiter) => waiter.batch > batch);
    for (const { action } of ready) action(true);
  }

  private fail(error: unknown, mend: () => void): void {
    const problem =
      error instanceof StorageError ? error : new StorageError('EIO', 'write', this.path, error);
    try {
      mend();
    } catch {
      this.poisoned = true;
    }
    this.problem = problem;
    this.host.report(problem);
    if (this.host.policy() === 'always') this.abandon();
    else this.accept(this.batch);
  }

  // Nobody is told that his change is kept.
  private abandon(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const { action } of waiters) action(false);
  }

  // A full disk may have room again.
  private async retry(): Promise<void> {
    if (this.gathered.length > 0 && !this.append()) return;
    if (this.host.policy() === 'always') {
      try {
        await this.sync();
      } catch {
        return;
      }
    }
    this.problem = null;
    this.host.report(null);
    this.accept(this.batch - 1);
    this.flush();
  }
}

interface Turn {
  readonly next: StorageFile;
  readonly position: LogPosition;
  /** What had gathered and still goes to the present file, and the batch it is. */
  readonly text: Batch;
  readonly last: number;
  resolve(): void;
  reject(error: unknown): void;
}

// All of it is on disk, or given up: that it cannot be closed changes nothing.
async function closeQuietly(file: StorageFile): Promise<void> {
  await file.close().catch(() => {});
}

const MULTI = ['MULTI'];
const EXEC = ['EXEC'];

/** A new file of the log: it begins with an annotation that is on disk before anybody names the file. */
export async function beginFile(
  storage: Storage,
  path: string,
  now: number,
): Promise<{ file: StorageFile; position: LogPosition }> {
  const file = await storage.open(path, 'create');
  const { bytes, sum } = encodeBatch(1, 0, Math.floor(now / 1000), NO_SUM);
  try {
    await file.appendDurably([bytes]);
  } catch (error) {
    await closeQuietly(file);
    await storage.remove(path).catch(() => {});
    throw error;
  }
  return { file, position: { path, sequence: 1, sum } };
}
