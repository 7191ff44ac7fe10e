// Brings the contents of a directory back: the base and what was done since, unit by unit, or an RDB file where there is
// no log. Cuts off what an interrupted write left behind, refuses what is damaged, and tells what it found. Called by
// persistence.ts when a database is opened.
import { type Storage, StorageError, type StorageFile } from '../storage/port.ts';
import { sourceBehind, sourceOfFile } from './aof/files.ts';
import { type Manifest, type ManifestFile, readManifest } from './aof/manifest.ts';
import { AofReader } from './aof/reader.ts';
import { RdbError } from './rdb/format.ts';
import { RdbReader, type RdbVisitor } from './rdb/reader.ts';

/** What a directory's contents go to. */
export interface LoadTarget {
  readonly visitor: RdbVisitor;
  readonly limits: ConstructorParameters<typeof RdbReader>[1];
  /** Runs a command of a log, in the database that SELECT chose last. @throws Error where there is no such command */
  replay(args: readonly string[]): void;
  /** Before a file: SELECT 0. */
  begin(): void;
}

export interface Recovery {
  /** What was read: nothing, an RDB file, or a log. */
  readonly from: 'nothing' | 'rdb' | 'aof';
  readonly manifest: Manifest | null;
  readonly units: number;
  readonly commands: number;
  /** Bytes read. */
  readonly bytes: number;
  readonly milliseconds: number;
  /** The interrupted write that was cut off; null where there was none. */
  readonly cut: {
    readonly file: string;
    readonly at: number;
    readonly bytes: number;
    readonly why: string;
  } | null;
  /** Where the last file can be gone on with; null where a new one must be begun. */
  readonly end: {
    readonly path: string;
    readonly file: StorageFile;
    readonly sequence: number;
    readonly sum: string;
  } | null;
}

export interface RecoveryOptions {
  readonly folder: string;
  readonly manifestName: string;
  /** Whether to look for a log at all; as in Redis, without `appendonly` there is only the RDB file. */
  readonly useLog: boolean;
  /** The RDB file that is read where there is neither a manifest nor a log of one file. */
  readonly rdbName: string;
  readonly truncate: boolean;
  readonly progress: (read: number, total: number) => void;
  readonly now: () => number;
}

/** The contents cannot be had: the message says which file, where, why, and what can be done. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError';
}

/** Milliseconds of work between two breaths of the event loop. */
const SLICE = 50;

class Loader {
  units = 0;
  commands = 0;
  bytes = 0;
  total = 0;
  private readonly storage: Storage;
  private readonly target: LoadTarget;
  private readonly options: RecoveryOptions;
  private sliceEnd = 0;

  constructor(storage: Storage, target: LoadTarget, options: RecoveryOptions) {
    this.storage = storage;
    this.target = target;
    this.options = options;
    this.sliceEnd = options.now() + SLICE;
  }

  // As it can be given to the check programs.
  private fullPath(path: string): string {
    return `${this.storage.name}/${path}`;
  }

  async breathe(read: number): Promise<void> {
    const { options } = this;
    if (options.now() < this.sliceEnd) return;
    options.progress(this.bytes + read, this.total);
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.sliceEnd = options.now() + SLICE;
  }

  /** Reads an RDB file; answers a reader of the commands behind it, null where there are none. */
  async rdb(path: string, file: StorageFile): Promise<AofReader | null> {
    const source = sourceOfFile(file);
    const reader = new RdbReader(source, this.target.limits, this.target.visitor);
    try {
      for (let i = 1; reader.step(); i++) if (i % 256 === 0) await this.breathe(reader.offset);
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      throw new RecoveryError(
        `${path} is damaged at byte ${error.offset}: ${error.what}. Look at it with 'holdfast check-rdb ${this.fullPath(path)}'; take a copy from a backup.`,
      );
    }
    const rest = reader.rest();
    if (rest.length === 0 && reader.offset >= file.size) return null;
    return new AofReader(sourceBehind(rest, source), reader.offset);
  }

  async apply(reader: AofReader, path: string): Promise<void> {
    const { target } = this;
    for (let unit = reader.next(); unit !== null; unit = reader.next()) {
      for (const args of unit.commands) {
        try {
          target.replay(args);
        } catch (error) {
          throw new RecoveryError(
            `${path}: a command before byte ${unit.end} cannot be run: ${(error as Error).message}`,
          );
        }
      }
      this.units++;
      this.commands += unit.commands.length;
      if (this.units % 256 === 0) await this.breathe(unit.end);
    }
  }

  /** @param following the files behind it: where they hold nothing, this one may have been cut as the last */
  async file(path: string, following: readonly ManifestFile[]): Promise<Partial<Recovery>> {
    const isLast = following.length === 0;
    const { storage, target, options } = this;
    const file = await storage.open(path, 'append');
    let keep = false;
    try {
      target.begin();
      const magic = new Uint8Array(5);
      const isRdb = file.read(0, magic) === 5 && String.fromCharCode(...magic) === 'REDIS';
      const reader = isRdb ? await this.rdb(path, file) : new AofReader(sourceOfFile(file));
      if (reader === null) {
        this.bytes += file.size;
        return {};
      }
      await this.apply(reader, path);
      const end = reader.end();
      let cut: Recovery['cut'] = null;
      if (end.state !== 'whole') {
        const bytes = file.size - end.good;
        const where = `${path}: ${end.why} at byte ${end.offset}`;
        if (end.state === 'damaged') {
          throw new RecoveryError(
            `${where}. This is no interrupted write: what was on disk has changed, or was changed. Nothing was loaded or altered. 'holdfast check-aof ${this.fullPath(path)}' shows what is good; its --fix cuts the rest off.`,
          );
        }
        if (!isLast && !(await this.holdNothing(following))) {
          throw new RecoveryError(
            `${where}, and it is not the last file, so what follows cannot be applied. Nothing was loaded or altered: take the directory from a backup. 'holdfast check-aof ${this.fullPath(options.folder)}' shows what is good.`,
          );
        }
        if (!options.truncate) {
          throw new RecoveryError(
            `${where}: an interrupted write of ${bytes} bytes. aof-load-truncated is no: cut it off with 'holdfast check-aof --fix ${this.fullPath(path)}'.`,
          );
        }
        file.truncate(end.good);
        cut = { file: path, at: end.good, bytes, why: end.why };
      }
      this.bytes += file.size;
      // What is written next says that all before it is on disk, but a process that was killed may not have synced it.
      await file.sync();
      if (!isLast || end.chain === null) return { cut };
      keep = true;
      return { cut, end: { path, file, ...end.chain } };
    } finally {
      if (!keep) await file.close();
    }
  }

  // The log turns to a new file that the manifest names already, and only then syncs the old one: without power in
  // between, the old one's last write is interrupted and the new one holds nothing yet.
  private async holdNothing(files: readonly ManifestFile[]): Promise<boolean> {
    for (const { name } of files) {
      if (!(await holdsNothing(this.storage, `${this.options.folder}/${name}`))) return false;
    }
    return true;
  }
}

/** Whether a file of the log has no units; its last write may have been interrupted. */
async function holdsNothing(storage: Storage, path: string): Promise<boolean> {
  const file = await storage.open(path, 'read');
  try {
    const reader = new AofReader(sourceOfFile(file));
    return reader.next() === null && reader.end().state !== 'damaged';
  } finally {
    await file.close();
  }
}

/**
 * @throws RecoveryError where the contents cannot be had as they were
 * @throws StorageError
 */
export async function recover(
  storage: Storage,
  target: LoadTarget,
  options: RecoveryOptions,
): Promise<Recovery> {
  const start = options.now();
  const loader = new Loader(storage, target, options);
  const done = (rest: Pick<Recovery, 'from' | 'manifest'> & Partial<Recovery>): Recovery => ({
    units: loader.units,
    commands: loader.commands,
    bytes: loader.bytes,
    milliseconds: options.now() - start,
    cut: null,
    end: null,
    ...rest,
  });
  const manifest = options.useLog ? await manifestOf(storage, options) : null;
  if (manifest === null) {
    const names = await storage.list('');
    const single = options.manifestName.replace(/\.manifest$/, '');
    if (options.useLog && names.includes(single)) {
      // What Redis 6 and older write. A new base is made of it, and it stays as it is.
      loader.total = await sizeOf(storage, [single]);
      const { end, cut } = await loader.file(single, []);
      await end?.file.close();
      return done({ from: 'aof', manifest: null, cut });
    }
    if (!names.includes(options.rdbName)) return done({ from: 'nothing', manifest: null });
    const file = await storage.open(options.rdbName, 'read');
    try {
      loader.total = file.size;
      const behind = await loader.rdb(options.rdbName, file);
      if (behind !== null) throw new RecoveryError(`${options.rdbName} goes on behind its end`);
      loader.bytes = file.size;
    } finally {
      await file.close();
    }
    return done({ from: 'rdb', manifest: null });
  }
  const files = [...(manifest.base === null ? [] : [manifest.base]), ...manifest.increments];
  const there = new Set(await storage.list(options.folder));
  for (const { name } of files) {
    if (there.has(name)) continue;
    throw new RecoveryError(
      `${options.folder}/${name} is missing, though the manifest names it: take the directory from a backup`,
    );
  }
  loader.total = await sizeOf(
    storage,
    files.map(({ name }) => `${options.folder}/${name}`),
  );
  let last: Partial<Recovery> = {};
  for (const [i, file] of files.entries()) {
    const { cut } = last;
    last = await loader.file(`${options.folder}/${file.name}`, files.slice(i + 1));
    if (cut) last = { ...last, cut };
  }
  return done({ from: 'aof', manifest, ...last });
}

async function manifestOf(storage: Storage, options: RecoveryOptions): Promise<Manifest | null> {
  const path = `${options.folder}/${options.manifestName}`;
  try {
    return await readManifest(storage, path);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new RecoveryError(`${path}: ${(error as Error).message}`);
  }
}

async function sizeOf(storage: Storage, paths: readonly string[]): Promise<number> {
  let total = 0;
  for (const path of paths) {
    const file = await storage.open(path, 'read');
    total += file.size;
    await file.close();
  }
  return total;
}
