// The port through which persistence touches files, and its errors. Written for src/persistence and whoever opens a
// database; node.ts, memory.ts and faulty.ts are what may stand behind it.

/**
 * A directory. Paths are relative to it, parted by `/`; a folder is such a path, '' the directory itself. Nothing
 * leads outside, and names that begin with `holdfast.lock` are the lock's. Failures are StorageErrors.
 */
export interface Storage {
  /** For messages: the directory. */
  readonly name: string;
  /** Names of the files, sorted; none where the folder is missing. */
  list(folder: string): Promise<string[]>;
  /** Fine if it is there; its parent must be. On disk once the parent is synced. */
  makeFolder(folder: string): Promise<void>;
  /** `append` makes what is missing, `create` empties what is there, `read` changes neither. */
  open(path: string, mode: OpenMode): Promise<StorageFile>;
  /** Within one folder; replaces, at once or not at all. */
  rename(from: string, to: string): Promise<void>;
  /** A file; fine if it is missing. */
  remove(path: string): Promise<void>;
  /** What was made, renamed or removed in the folder before is on disk afterwards. */
  syncFolder(folder: string): Promise<void>;
  /** Throws StorageLocked while another, or this process already, has it. */
  lock(): Promise<DirectoryLock>;
}

export type OpenMode = 'read' | 'append' | 'create';

/**
 * One handle at a time may write a file; others may not see its growth in their size. While an appendDurably is under
 * way the other writing operations (and a second one) fail with EBUSY.
 */
export interface StorageFile {
  /** What an appendDurably writes counts once it has ended; after a failure, what arrived of it. */
  readonly size: number;
  /** How many bytes came: fewer than fit only at the end. Blocks: for the start and for check tools. */
  read(position: number, into: Uint8Array): number;
  /**
   * Into the operating system's cache. How many bytes it took: a full disk takes fewer. Throws, with the reason, if
   * it takes none.
   */
  append(data: Uint8Array): number;
  /**
   * Resolved: this and all that was appended before are on disk. Rejected: anything of it may be, with gaps. The
   * data must stay as it is until then.
   */
  appendDurably(data: readonly Uint8Array[]): Promise<void>;
  /**
   * What was appended or truncated before the call is on disk. After a failure nobody knows what is: what was not
   * synced before may be lost though it can be read and a later sync succeeds. Truncating to the size of the last
   * sync that succeeded brings back firm ground.
   */
  sync(): Promise<void>;
  /** To at most the present size. On disk after the next sync or appendDurably. */
  truncate(size: number): void;
  /** Waits for what is under way; does not sync. */
  close(): Promise<void>;
}

export interface DirectoryLock {
  release(): Promise<void>;
}

/** What strerror says, for Redis' messages. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EBADF: 'Bad file descriptor',
  EBUSY: 'Device or resource busy',
  EDQUOT: 'Disk quota exceeded',
  EEXIST: 'File exists',
  EFBIG: 'File too large',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  EMFILE: 'Too many open files',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
  EXDEV: 'Invalid cross-device link',
};

export class StorageError extends Error {
  override readonly name = 'StorageError';
  /** EIO, ENOSPC…: the operating system's name of it. */
  readonly code: string;
  /** The same in words. */
  readonly reason: string;
  readonly operation: string;
  readonly path: string;

  constructor(code: string, operation: string, path: string, cause?: unknown) {
    const reason = REASONS[code] ?? code;
    super(`${operation} '${path}': ${reason} (${code})`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.reason = reason;
    this.operation = operation;
    this.path = path;
  }
}

export class StorageLocked extends Error {
  override readonly name = 'StorageLocked';
  /** Who has it. */
  readonly pid: number;

  constructor(directory: string, pid: number) {
    super(`${directory} is in use by process ${pid}`);
    this.pid = pid;
  }
}
