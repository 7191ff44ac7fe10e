// Storage in memory: for tests and for databases that shall not outlive their process. What it took counts as on disk.
import { Bytes } from './bytes.ts';
import { Guard } from './guard.ts';
import {
  type DirectoryLock,
  type OpenMode,
  type Storage,
  StorageError,
  type StorageFile,
  StorageLocked,
} from './port.ts';
import { type Contents, harvest, plant, type Tree } from './tree.ts';

export interface MemoryStorage extends Storage {
  /** A copy of all it holds. */
  contents(): Contents;
  /** Another storage that holds the same, unlocked. */
  copy(): MemoryStorage;
}

/** Holds a copy of these contents at first. */
export function memoryStorage(contents: Contents = { folders: [], files: new Map() }): MemoryStorage {
  return new Memory(contents);
}

class Memory implements MemoryStorage {
  readonly name = '(memory)';
  readonly #tree: Tree<Bytes>;
  #lock: object | null = null;

  constructor(contents: Contents) {
    this.#tree = plant(contents, (content) => new Bytes(content));
  }

  async list(folder: string): Promise<string[]> {
    return this.#tree.list(folder);
  }

  async makeFolder(folder: string): Promise<void> {
    this.#tree.makeFolder(folder);
  }

  async open(path: string, mode: OpenMode): Promise<StorageFile> {
    let bytes = this.#tree.find('open', path);
    if (bytes === undefined) {
      if (mode === 'read') throw new StorageError('ENOENT', 'open', path);
      bytes = new Bytes();
      this.#tree.files.set(path, bytes);
    }
    if (mode === 'create') bytes.resize(0);
    return new MemoryFile(path, mode, bytes);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#tree.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    this.#tree.remove(path);
  }

  async syncFolder(folder: string): Promise<void> {
    this.#tree.checkFolder('syncFolder', folder);
  }

  async lock(): Promise<DirectoryLock> {
    if (this.#lock !== null) throw new StorageLocked(this.name, process.pid);
    const mine = {};
    this.#lock = mine;
    return {
      release: async () => {
        if (this.#lock === mine) this.#lock = null;
      },
    };
  }

  contents(): Contents {
    return harvest(this.#tree, (bytes) => bytes.copy());
  }

  copy(): MemoryStorage {
    return new Memory(this.contents());
  }
}

class MemoryFile implements StorageFile {
  readonly #guard: Guard;
  readonly #bytes: Bytes;

  constructor(path: string, mode: OpenMode, bytes: Bytes) {
    this.#guard = new Guard(path, mode);
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(position: number, into: Uint8Array): number {
    this.#guard.check('read', false);
    return this.#bytes.read(position, into);
  }

  append(data: Uint8Array): number {
    this.#guard.check('append', true);
    this.#bytes.write(this.#bytes.length, data);
    return data.length;
  }

  appendDurably(data: readonly Uint8Array[]): Promise<void> {
    return this.#guard.runAppend(async () => {
      await null;
      for (const each of data) this.#bytes.write(this.#bytes.length, each);
    });
  }

  async sync(): Promise<void> {
    this.#guard.check('sync', false);
  }

  truncate(size: number): void {
    this.#guard.checkTruncate(size, this.#bytes.length);
    this.#bytes.resize(size);
  }

  async close(): Promise<void> {
    await this.#guard.close();
  }
}
