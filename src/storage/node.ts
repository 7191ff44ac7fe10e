// Storage in a real directory. Called by whoever opens a database with persistence, and by the check tools.
import fs from 'node:fs';
import { join } from 'node:path';
import { Guard } from './guard.ts';
import { lockDirectory } from './lock.ts';
import { checkPath, checkRename, LOCK_FILE } from './paths.ts';
import { type DirectoryLock, type OpenMode, type Storage, StorageError, type StorageFile } from './port.ts';

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_TRUNC } = fs.constants;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  append: O_RDWR | O_APPEND | O_CREAT,
  create: O_RDWR | O_APPEND | O_CREAT | O_TRUNC,
};

/** How often an interrupted call is made again. */
const ATTEMPTS = 100;

/** The directory must be there, or be made by `makeFolder('')`. */
export function nodeStorage(directory: string): Storage {
  return new NodeStorage(directory);
}

class NodeStorage implements Storage {
  readonly name: string;

  constructor(directory: string) {
    this.name = directory;
  }

  async list(folder: string): Promise<string[]> {
    checkPath('list', folder, true);
    try {
      const entries = await fs.promises.readdir(join(this.name, folder), { withFileTypes: true });
      const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
      return names.filter((name) => folder !== '' || !name.startsWith(LOCK_FILE)).sort();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw storageError(error, 'list', folder);
    }
  }

  async makeFolder(folder: string): Promise<void> {
    checkPath('makeFolder', folder, true);
    const path = join(this.name, folder);
    try {
      await fs.promises.mkdir(path, { mode: 0o755 });
    } catch (error) {
      const isThere =
        codeOf(error) === 'EEXIST' && fs.statSync(path, { throwIfNoEntry: false })?.isDirectory();
      if (isThere !== true) throw storageError(error, 'makeFolder', folder);
    }
  }

  async open(path: string, mode: OpenMode): Promise<StorageFile> {
    checkPath('open', path);
    const full = join(this.name, path);
    const fd = await promised<number>('open', path, (done) => fs.open(full, FLAGS[mode], 0o644, done));
    try {
      const stats = fs.fstatSync(fd);
      // Reading a folder only fails later.
      if (stats.isDirectory()) throw new StorageError('EISDIR', 'open', path);
      return new NodeFile(new Guard(path, mode), fd, stats.size);
    } catch (error) {
      fs.closeSync(fd);
      throw error instanceof StorageError ? error : storageError(error, 'open', path);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    checkRename(from, to);
    const paths = [join(this.name, from), join(this.name, to)] as const;
    await promised<void>('rename', `${from} → ${to}`, (done) => fs.rename(...paths, done));
  }

  async remove(path: string): Promise<void> {
    checkPath('remove', path);
    try {
      await fs.promises.unlink(join(this.name, path));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw storageError(error, 'remove', path);
    }
  }

  async syncFolder(folder: string): Promise<void> {
    checkPath('syncFolder', folder, true);
    // Windows opens no folders; its file systems keep names in a journal of their own.
    if (process.platform === 'win32') return;
    const full = join(this.name, folder);
    const fd = await promised<number>('syncFolder', folder, (done) => fs.open(full, O_RDONLY, done));
    try {
      await again('syncFolder', folder, (done) => fs.fsync(fd, done));
    } finally {
      fs.closeSync(fd);
    }
  }

  async lock(): Promise<DirectoryLock> {
    try {
      return lockDirectory(this.name);
    } catch (error) {
      throw codeOf(error) === undefined ? error : storageError(error, 'lock', this.name);
    }
  }
}

class NodeFile implements StorageFile {
  readonly #guard: Guard;
  readonly #fd: number;
  #size: number;

  constructor(guard: Guard, fd: number, size: number) {
    this.#guard = guard;
    this.#fd = fd;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  read(position: number, into: Uint8Array): number {
    this.#guard.check('read', false);
    let done = 0;
    for (let attempts = 0; done < into.length; ) {
      try {
        const count = fs.readSync(this.#fd, into, done, into.length - done, position + done);
        if (count === 0) break;
        done += count;
      } catch (error) {
        if (!isPassing(error) || ++attempts === ATTEMPTS) throw storageError(error, 'read', this.#guard.path);
      }
    }
    return done;
  }

  append(data: Uint8Array): number {
    this.#guard.check('append', true);
    let done = 0;
    for (let attempts = 0; done < data.length; ) {
      try {
        const count = fs.writeSync(this.#fd, data, done, data.length - done, null);
        done += count;
        this.#size += count;
        attempts = count === 0 ? attempts + 1 : 0;
        if (attempts === ATTEMPTS) throw new StorageError('EIO', 'append', this.#guard.path);
      } catch (error) {
        if (isPassing(error) && ++attempts < ATTEMPTS) continue;
        if (done > 0) return done;
        throw error instanceof StorageError ? error : storageError(error, 'append', this.#guard.path);
      }
    }
    return done;
  }

  appendDurably(data: readonly Uint8Array[]): Promise<void> {
    return this.#guard.runAppend(async () => {
      try {
        await this.#writeAll(data);
        // O_DSYNC instead was no quicker, and puts on disk only what it writes itself.
        await again('appendDurably', this.#guard.path, (done) => fs.fdatasync(this.#fd, done));
        for (const each of data) this.#size += each.length;
      } catch (error) {
        this.#measure();
        throw error;
      }
    });
  }

  async #writeAll(data: readonly Uint8Array[]): Promise<void> {
    let rest = data.filter((each) => each.length > 0);
    for (let attempts = 0; rest.length > 0; ) {
      try {
        const parts = rest;
        const count = await promised<number>('appendDurably', this.#guard.path, (done) =>
          fs.writev(this.#fd, parts, (error, written) => done(error, written)),
        );
        rest = without(rest, count);
        attempts = count === 0 ? attempts + 1 : 0;
        if (attempts === ATTEMPTS) throw new StorageError('EIO', 'appendDurably', this.#guard.path);
      } catch (error) {
        if (!isPassing(error) || ++attempts === ATTEMPTS) throw error;
      }
    }
  }

  /** A failed write may have left some of it, so the size is the system's word. */
  #measure(): void {
    try {
      this.#size = fs.fstatSync(this.#fd).size;
    } catch {
      // The write's own error tells more.
    }
  }

  async sync(): Promise<void> {
    this.#guard.check('sync', false);
    await this.#guard.run(() => again('sync', this.#guard.path, (done) => fs.fdatasync(this.#fd, done)));
  }

  truncate(size: number): void {
    this.#guard.checkTruncate(size, this.#size);
    try {
      fs.ftruncateSync(this.#fd, size);
      this.#size = size;
    } catch (error) {
      throw storageError(error, 'truncate', this.#guard.path);
    }
  }

  async close(): Promise<void> {
    if (!(await this.#guard.close())) return;
    await promised<void>('close', this.#guard.path, (done) => fs.close(this.#fd, done));
  }
}

/** These buffers without their first `count` bytes. */
function without(data: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let left = count;
  for (const each of data) {
    if (left < each.length) rest.push(each.subarray(left));
    left = Math.max(0, left - each.length);
  }
  return rest;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** A signal came in between; nothing was done and nothing is wrong. */
function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EINTR' || code === 'EAGAIN';
}

function storageError(error: unknown, operation: string, path: string): StorageError {
  return new StorageError(codeOf(error) ?? 'EIO', operation, path, error);
}

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

function promised<T>(operation: string, path: string, call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null) resolve(value as T);
      else reject(storageError(error, operation, path));
    });
  });
}

/** The same for calls that are made again when a signal interrupts them. */
async function again(operation: string, path: string, call: (done: Done<void>) => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await promised(operation, path, call);
    } catch (error) {
      if (!isPassing(error) || attempt === ATTEMPTS) throw error;
    }
  }
}
