// What an open file of any storage allows at the moment, and what it has under way. The three storages call it.
import { type OpenMode, StorageError } from './port.ts';

export class Guard {
  readonly path: string;
  readonly #mode: OpenMode;
  readonly #underWay = new Set<Promise<unknown>>();
  #appending = false;
  #closed = false;

  constructor(path: string, mode: OpenMode) {
    this.path = path;
    this.#mode = mode;
  }

  check(operation: string, writes: boolean): void {
    if (this.#closed || (writes && this.#mode === 'read')) {
      throw new StorageError('EBADF', operation, this.path);
    }
    if (writes && this.#appending) throw new StorageError('EBUSY', operation, this.path);
  }

  checkTruncate(size: number, present: number): void {
    this.check('truncate', true);
    if (!Number.isInteger(size) || size < 0 || size > present) {
      throw new StorageError('EINVAL', 'truncate', this.path);
    }
  }

  /** Something in the background; close() waits for it. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const promise = work();
    this.#underWay.add(promise);
    try {
      return await promise;
    } finally {
      this.#underWay.delete(promise);
    }
  }

  /** The same, and nobody else writes meanwhile. */
  async runAppend(work: () => Promise<void>): Promise<void> {
    this.check('appendDurably', true);
    this.#appending = true;
    await this.run(async () => {
      try {
        await work();
      } finally {
        this.#appending = false;
      }
    });
  }

  /** False if it was closed before. */
  async close(): Promise<boolean> {
    if (this.#closed) return false;
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    return true;
  }
}
