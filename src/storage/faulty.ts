// Storage that fails and loses power where a test wants it, decided by a seed: what the persistence tests and the
// explorer run on. disk.ts says what is left after a power cut; here is when things happen.
import { Disk, type Inode } from './disk.ts';
import { Guard } from './guard.ts';
import { type MemoryStorage, memoryStorage } from './memory.ts';
import {
  type DirectoryLock,
  type OpenMode,
  type Storage,
  StorageError,
  type StorageFile,
  StorageLocked,
} from './port.ts';
import { type Chance, chance } from './random.ts';

const LOG_LIMIT = 200;

/** What a background operation takes at most, in turns of the event loop. */
const TURNS = 4;

export interface Operation {
  /** A method's name: 'append', 'syncFolder', or 'release' of a lock. */
  readonly operation: string;
  readonly path: string;
  /** The how manieth operation of the storage, from 1. */
  readonly count: number;
}

export interface FailureRule {
  when(operation: Operation): boolean;
  /** ENOSPC and EDQUOT: an append takes a part first. */
  readonly code: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EACCES' | 'EROFS';
}

export interface FaultyOptions {
  readonly seed: number;
  /** What is on disk at first; nothing by default. It stays as it is. */
  readonly base?: MemoryStorage;
  readonly failures?: readonly FailureRule[];
  /** The power goes at the operation of this count: before, in the middle of or after its work. */
  readonly crashAt?: number;
}

export interface FaultyStorage extends Storage {
  /** How many have begun. */
  readonly operations: number;
  /** What it answers takes the rule back. */
  fail(rule: FailureRule): () => void;
  /** The power goes now: every operation under way or to come fails with Crashed. */
  crash(): void;
  /** What the disk shows when the power is back (it goes now if it has not yet); other seeds, other possible disks. */
  afterCrash(seed?: number): MemoryStorage;
  /** What is there if only the process ends here, as with kill -9: the system still writes what it took. */
  afterKill(): MemoryStorage;
  /** The latest operations, for a failing test to print. */
  log(): readonly string[];
}

/** Not a StorageError: nothing is there any more that could handle it. */
export class Crashed extends Error {
  override readonly name = 'Crashed';

  constructor() {
    super('the power is gone');
  }
}

export function faultyStorage(options: FaultyOptions): FaultyStorage {
  return new Faulty(options);
}

interface Work<T> {
  whole(): T;
  /** A part, for a crash in the middle; without it, all or nothing. */
  half?(): void;
  /** A failure that has effects; returns or throws what the caller gets. */
  fail?(error: StorageError): T;
}

/** When and whether work is done. */
class Power {
  readonly chance: Chance;
  operations = 0;
  crashed = false;
  readonly rules: Set<FailureRule>;
  readonly log: string[] = [];
  readonly #crashAt: number | undefined;
  readonly #waiting: { finish(): void; crash(): void }[] = [];

  constructor({ seed, failures = [], crashAt }: FaultyOptions) {
    this.chance = chance(seed);
    this.rules = new Set(failures);
    this.#crashAt = crashAt;
  }

  now<T>(operation: string, path: string, work: Work<T>): T {
    return this.#begin(operation, path, work)();
  }

  /** Done at some time soon, in any order. */
  async later<T>(operation: string, path: string, work: Work<T>): Promise<T> {
    const perform = this.#begin(operation, path, work);
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        finish: () => {
          try {
            resolve(perform());
          } catch (error) {
            reject(error);
          }
        },
        crash: () => {
          this.#half(work);
          reject(new Crashed());
        },
      });
      // As many wakings as there is work, but each does what chance picks.
      const wake = (turns: number): void => {
        if (turns > 0) setImmediate(wake, turns - 1);
        else this.#waiting.splice(this.chance(this.#waiting.length), 1)[0]?.finish();
      };
      const turns = this.chance(TURNS);
      if (turns === 0) queueMicrotask(() => wake(0));
      else wake(turns);
    });
  }

  /** What is to be done for it, unless the power goes here. */
  #begin<T>(operation: string, path: string, work: Work<T>): () => T {
    if (this.crashed) throw new Crashed();
    const count = ++this.operations;
    const rule = [...this.rules].find((each) => each.when({ operation, path, count }));
    const crashes = count === this.#crashAt;
    this.log.push(`${count} ${operation} '${path}'${crashes ? ': crash' : rule ? `: ${rule.code}` : ''}`);
    if (this.log.length > LOG_LIMIT) this.log.shift();
    if (crashes) {
      this.#half(work);
      this.crash();
      throw new Crashed();
    }
    if (rule === undefined) return work.whole;
    const error = new StorageError(rule.code, operation, path);
    return () => {
      if (work.fail !== undefined) return work.fail(error);
      throw error;
    };
  }

  /** Nothing, a part or all of the work. */
  #half(work: Work<unknown>): void {
    const fate = this.chance(3);
    try {
      if (fate === 1) work.half?.();
      else if (fate === 2) work.whole();
    } catch {
      // It would have failed; nobody is left to hear of it.
    }
  }

  crash(): void {
    if (this.crashed) return;
    this.crashed = true;
    for (const each of this.#waiting.splice(0)) each.crash();
  }
}

class Faulty implements FaultyStorage {
  readonly name = '(faulty)';
  readonly #seed: number;
  readonly #power: Power;
  readonly #disk: Disk;
  #lock: object | null = null;

  constructor(options: FaultyOptions) {
    this.#seed = options.seed;
    this.#power = new Power(options);
    this.#disk = new Disk(options.base?.contents() ?? { folders: [], files: new Map() });
  }

  get operations(): number {
    return this.#power.operations;
  }

  list(folder: string): Promise<string[]> {
    return this.#power.later('list', folder, { whole: () => this.#disk.tree.list(folder) });
  }

  makeFolder(folder: string): Promise<void> {
    return this.#power.later('makeFolder', folder, { whole: () => this.#disk.makeFolder(folder) });
  }

  open(path: string, mode: OpenMode): Promise<StorageFile> {
    return this.#power.later<StorageFile>('open', path, {
      whole: () => new FaultyFile(this.#power, path, mode, this.#disk.open(path, mode)),
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#power.later('rename', `${from} → ${to}`, { whole: () => this.#disk.rename(from, to) });
  }

  remove(path: string): Promise<void> {
    return this.#power.later('remove', path, { whole: () => this.#disk.remove(path) });
  }

  syncFolder(folder: string): Promise<void> {
    const last = this.#disk.changes;
    return this.#power.later('syncFolder', folder, {
      whole: () => {
        this.#disk.tree.checkFolder('syncFolder', folder);
        this.#disk.commitFolder(folder, last);
      },
    });
  }

  lock(): Promise<DirectoryLock> {
    const mine = {};
    const release = (): void => {
      if (this.#lock === mine) this.#lock = null;
    };
    return this.#power.later<DirectoryLock>('lock', '', {
      whole: () => {
        if (this.#lock !== null) throw new StorageLocked(this.name, process.pid);
        this.#lock = mine;
        return { release: () => this.#power.later('release', '', { whole: release }) };
      },
    });
  }

  fail(rule: FailureRule): () => void {
    // A copy, so that the same rule given twice is there twice.
    const own: FailureRule = { code: rule.code, when: (operation) => rule.when(operation) };
    this.#power.rules.add(own);
    return () => this.#power.rules.delete(own);
  }

  crash(): void {
    this.#power.crash();
  }

  afterCrash(seed = this.#seed): MemoryStorage {
    this.crash();
    return memoryStorage(this.#disk.afterCut(chance(seed ^ 0x5bd1e995)));
  }

  afterKill(): MemoryStorage {
    return memoryStorage(this.#disk.seen());
  }

  log(): readonly string[] {
    return [...this.#power.log];
  }
}

class FaultyFile implements StorageFile {
  readonly #power: Power;
  readonly #guard: Guard;
  readonly #path: string;
  readonly #inode: Inode;

  constructor(power: Power, path: string, mode: OpenMode, inode: Inode) {
    this.#power = power;
    this.#path = path;
    this.#guard = new Guard(path, mode);
    this.#inode = inode;
  }

  get size(): number {
    return this.#inode.cache.length;
  }

  read(position: number, into: Uint8Array): number {
    this.#guard.check('read', false);
    return this.#power.now('read', this.#path, { whole: () => this.#inode.cache.read(position, into) });
  }

  append(data: Uint8Array): number {
    this.#guard.check('append', true);
    return this.#power.now('append', this.#path, {
      whole: () => {
        this.#inode.append(data);
        return data.length;
      },
      half: () => this.#inode.append(data.subarray(0, this.#power.chance(data.length + 1))),
      fail: (error) => {
        const taken = isFull(error) ? this.#power.chance(data.length) : 0;
        if (taken === 0) throw error;
        this.#inode.append(data.subarray(0, taken));
        return taken;
      },
    });
  }

  appendDurably(data: readonly Uint8Array[]): Promise<void> {
    const inode = this.#inode;
    const length = data.reduce((sum, each) => sum + each.length, 0);
    const write = (limit: number): void => {
      let left = limit;
      for (const each of data) {
        if (left > 0) inode.append(each.subarray(0, left));
        left -= each.length;
      }
    };
    return this.#guard.runAppend(() =>
      this.#power.later('appendDurably', this.#path, {
        whole: () => {
          write(length);
          inode.commit(inode.changes);
        },
        half: () => write(this.#power.chance(length + 1)),
        fail: (error) => {
          write(this.#power.chance(isFull(error) ? Math.max(1, length) : length + 1));
          inode.failCommit(inode.changes, this.#power.chance);
          throw error;
        },
      }),
    );
  }

  async sync(): Promise<void> {
    this.#guard.check('sync', false);
    const last = this.#inode.changes;
    await this.#guard.run(() =>
      this.#power.later('sync', this.#path, {
        whole: () => this.#inode.commit(last),
        fail: (error) => {
          this.#inode.failCommit(last, this.#power.chance);
          throw error;
        },
      }),
    );
  }

  truncate(size: number): void {
    this.#guard.checkTruncate(size, this.#inode.cache.length);
    this.#power.now('truncate', this.#path, { whole: () => this.#inode.truncate(size) });
  }

  async close(): Promise<void> {
    if (await this.#guard.close()) await this.#power.later('close', this.#path, { whole: () => {} });
  }
}

function isFull({ code }: StorageError): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}
