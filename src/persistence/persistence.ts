// A database's life on disk: locks the directory, brings back what is there, keeps the log, rewrites it, saves RDB files.
// The engine knows it as PersistencePort; server/embedded.ts and the program open it.
import type { PersistencePort } from '../commands/ports.ts';
import type { FrozenSpace } from '../keyspace/space.ts';
import { Unsettled } from '../keyspace/unsettled.ts';
import { type DirectoryLock, type Storage, StorageError } from '../storage/port.ts';
import { AppendLog, beginFile, type FsyncPolicy, type LogPosition } from './aof/log.ts';
import { Manifest, type ManifestFile, writeManifest } from './aof/manifest.ts';
import { type LoadTarget, type Recovery, recover } from './recovery.ts';
import { type Contents, save } from './snapshot.ts';

/** What persistence needs of the engine. */
export interface PersistenceHost {
  /** Value of a directive. */
  setting(name: string): string;
  /** What is read goes there. */
  readonly target: LoadTarget;
  /** The present contents; only while no unit is open. */
  freeze(): FrozenSpace;
  libraries(): readonly string[];
  readonly inUnit: boolean;
  /** Changes counted since the start. */
  readonly dirty: number;
  setUnsettled(unsettled: Unsettled | null): void;
  readonly unsettled: Unsettled | null;
  readonly databases: number;
  attach(log: AppendLog): void;
  /** Why writes are refused from now on, null: they are not. */
  refuseWrites(reason: string | null): void;
  now(): number;
  elapsed(): number;
  soon(action: () => void): void;
  /** Lets others work for about a millisecond. */
  breathe(): Promise<void>;
  /** Calls `action` again and again; what it answers stops that. */
  every(milliseconds: number, action: () => void): () => void;
  /** Tells the operator. */
  say(message: string): void;
  readonly version: string;
}

export interface PersistenceOptions {
  /** Called while much is loaded: bytes read, bytes in all. */
  readonly progress?: (read: number, total: number) => void;
}

const TICK = 100;

type Job = 'rewrite' | 'save';

export class Persistence implements PersistencePort {
  /** What was found when it was opened. */
  readonly recovery: Recovery;
  private readonly storage: Storage;
  private readonly host: PersistenceHost;
  private readonly lock: DirectoryLock;
  private log: AppendLog | null = null;
  private manifest: Manifest | null;
  private stopTicking: () => void = () => {};
  private job: { readonly kind: Job; readonly done: Promise<boolean>; readonly startedAt: number } | null =
    null;
  private jobKeys = 0;
  private jobBytes = 0;
  private closing = false;
  private rewriteOk = true;
  private rewriteSeconds = -1;
  private saveOk = true;
  private saveSeconds = -1;
  private rewriteWanted = false;
  private savedAt: number;
  private dirtyAtSave = 0;
  private saveTriedAt = 0;
  /** Bytes of base and log after the last rewrite: what growth is measured against. */
  private baseSize = 0;
  private rewrites = 0;
  private nextTryAt = 0;
  /** The highest numbers that were ever begun, also in vain: a manifest whose replacement failed may be there after all. */
  private lastBase: number;
  private lastIncrement: number;

  private constructor(storage: Storage, host: PersistenceHost, lock: DirectoryLock, recovery: Recovery) {
    this.storage = storage;
    this.host = host;
    this.lock = lock;
    this.recovery = recovery;
    this.manifest = recovery.manifest;
    this.lastBase = this.manifest?.last('b') ?? 0;
    this.lastIncrement = this.manifest?.last('i') ?? 0;
    this.savedAt = host.now();
    this.baseSize = recovery.bytes;
  }

  /**
   * Locks the directory and brings its contents back; from then on what is done is kept.
   * @throws StorageLocked where another process has the directory; RecoveryError where its contents cannot be had
   */
  static async open(
    storage: Storage,
    host: PersistenceHost,
    { progress = () => {} }: PersistenceOptions = {},
  ): Promise<Persistence> {
    await storage.makeFolder('');
    const lock = await storage.lock();
    let end: Recovery['end'] = null;
    try {
      const folder = host.setting('appenddirname');
      const recovery = await recover(storage, host.target, {
        folder,
        manifestName: `${host.setting('appendfilename')}.manifest`,
        useLog: host.setting('appendonly') === 'yes',
        rdbName: host.setting('dbfilename'),
        truncate: host.setting('aof-load-truncated') === 'yes',
        progress,
        now: () => host.now(),
      });
      ({ end } = recovery);
      const opened = new Persistence(storage, host, lock, recovery);
      if (host.setting('appendonly') === 'yes') await opened.beginLog();
      opened.dirtyAtSave = host.dirty;
      opened.stopTicking = host.every(TICK, () => opened.tick());
      return opened;
    } catch (error) {
      await end?.file.close().catch(() => {});
      await lock.release();
      throw error;
    }
  }

  /** Resolves once all that was done before is on disk. @throws StorageError */
  async flushed(): Promise<void> {
    await this.log?.flushed();
  }

  /**
   * Writes what is left, and gives the directory free.
   * @param saves whether to write an RDB file, too; null: where there is no log, but save points
   */
  async close(saves: boolean | null = null): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    this.stopTicking();
    await this.job?.done;
    try {
      const usual = this.log === null && this.host.setting('save') !== '';
      if (saves ?? usual) await this.doSave();
      // What a failed sync has left in doubt goes to files of its own, if the disk takes it.
      if (this.log?.poisoned) await this.rewrite();
      await this.log?.close();
    } finally {
      await this.lock.release();
    }
  }

  // ---- the log

  private get folder(): string {
    return this.host.setting('appenddirname');
  }

  private get prefix(): string {
    return this.host.setting('appendfilename');
  }

  private async beginLog(): Promise<void> {
    const { storage, host, folder, recovery } = this;
    await storage.makeFolder(folder);
    await storage.syncFolder('');
    // What a process that was killed has done to the names is seen, but perhaps not on disk: files are removed below.
    await storage.syncFolder(folder);
    const { end } = recovery;
    if (end !== null && this.manifest !== null) {
      this.attach(new AppendLog(this.logHost(), end.file, end));
      await this.removeStrays();
      return;
    }
    const known = this.manifest?.files ?? [];
    const files: ManifestFile[] = [...known];
    if (known.length === 0) files.push(await this.writeBase(this.contents()));
    const increment = this.nextIncrement();
    const { file, position } = await beginFile(storage, `${folder}/${increment.name}`, host.now());
    await storage.syncFolder(folder);
    await this.setManifest(new Manifest([...files, increment]));
    this.attach(new AppendLog(this.logHost(), file, position));
  }

  private attach(log: AppendLog): void {
    this.log = log;
    this.host.attach(log);
    this.followPolicy();
  }

  private followPolicy(): void {
    const { host, log } = this;
    const needed = log !== null && host.setting('appendfsync') === 'always';
    if (needed !== (host.unsettled !== null))
      host.setUnsettled(needed && log !== null ? new Unsettled(host.databases, log) : null);
  }

  private logHost(): ConstructorParameters<typeof AppendLog>[0] {
    const { host } = this;
    return {
      policy: () => host.setting('appendfsync') as FsyncPolicy,
      now: () => host.now(),
      elapsed: () => host.elapsed(),
      soon: (action) => host.soon(action),
      settled: (batch) => host.unsettled?.settle(batch),
      report: (problem) => {
        host.refuseWrites(problem === null ? null : problem.reason);
        host.say(
          problem === null
            ? 'the log can be written again'
            : `the log cannot be written: ${problem.message}; writes are refused`,
        );
      },
    };
  }

  // A name that no file has had, nor one of an attempt that failed.
  private nextIncrement(): ManifestFile {
    const sequence = ++this.lastIncrement;
    return { name: `${this.prefix}.${sequence}.incr.aof`, sequence, kind: 'i' };
  }

  private async setManifest(manifest: Manifest): Promise<void> {
    await writeManifest(this.storage, this.folder, `${this.prefix}.manifest`, manifest);
    this.manifest = manifest;
  }

  // Files that a rewrite left behind when the process died; the manifest is what counts.
  private async removeStrays(): Promise<void> {
    const { storage, folder, prefix, manifest } = this;
    const named = new Set(manifest?.files.map(({ name }) => name));
    for (const name of await storage.list(folder)) {
      const isOurs = name.startsWith('temp-') || /\.\d+\.(base\.(rdb|aof)|incr\.aof)$/.test(name);
      if (named.has(name) || name === `${prefix}.manifest` || !isOurs) continue;
      if (!name.startsWith('temp-') && !name.startsWith(`${prefix}.`)) continue;
      await storage.remove(`${folder}/${name}`);
    }
    const history = manifest?.history ?? [];
    if (manifest === null || history.length === 0) return;
    for (const { name } of history) await storage.remove(`${folder}/${name}`);
    await this.setManifest(new Manifest(manifest.files.filter(({ kind }) => kind !== 'h')));
  }

  // ---- base files and dump.rdb

  private contents(): Contents {
    return { space: this.host.freeze(), libraries: this.host.libraries() };
  }

  private async writeBase(contents: Contents): Promise<ManifestFile> {
    const sequence = ++this.lastBase;
    const name = `${this.prefix}.${sequence}.base.rdb`;
    await this.writeRdb(this.folder, name, contents, true);
    return { name, sequence, kind: 'b' };
  }

  private async writeRdb(folder: string, name: string, contents: Contents, isBase: boolean): Promise<void> {
    const { storage, host } = this;
    const path = (file: string): string => (folder === '' ? file : `${folder}/${file}`);
    const temporary = path(`temp-${name}`);
    const file = await storage.open(temporary, 'create');
    let done = false;
    try {
      await save(file, contents, {
        compressed: host.setting('rdbcompression') === 'yes',
        aux: [
          ['redis-ver', host.version],
          ['redis-bits', '64'],
          ['ctime', String(Math.floor(host.now() / 1000))],
          ['used-mem', '0'],
          ['aof-base', isBase ? '1' : '0'],
        ],
        elapsed: () => host.elapsed(),
        breathe: () => host.breathe(),
        progress: (bytes, keys) => {
          this.jobBytes = bytes;
          this.jobKeys = keys;
        },
      });
      done = true;
    } finally {
      await file.close();
      if (!done) await storage.remove(temporary).catch(() => {});
    }
    await storage.rename(temporary, path(name));
    await storage.syncFolder(folder);
  }

  // ---- jobs

  private async start(kind: Job, work: () => Promise<void>): Promise<boolean> {
    const startedAt = this.host.now();
    this.jobBytes = 0;
    this.jobKeys = 0;
    const done = work().then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof StorageError)) throw error;
        this.host.say(`${kind === 'rewrite' ? 'the rewrite of the log' : 'saving'} failed: ${error.message}`);
        return false;
      },
    );
    this.job = { kind, done, startedAt };
    try {
      return await done;
    } finally {
      this.job = null;
      if (this.rewriteWanted && !this.closing) {
        this.rewriteWanted = false;
        void this.rewrite();
      }
    }
  }

  /** Resolves to whether it worked. */
  private async rewrite(): Promise<boolean> {
    const start = this.host.now();
    const ok = await this.start('rewrite', () => this.doRewrite());
    this.rewriteOk = ok;
    this.rewriteSeconds = Math.floor((this.host.now() - start) / 1000);
    if (ok) this.rewrites++;
    else this.nextTryAt = this.host.now() + 60_000;
    return ok;
  }

  // Without a log: a base is written, and takes the place of the files of a log that there was.
  private async doRewriteUnlogged(): Promise<void> {
    const { storage, folder } = this;
    await storage.makeFolder(folder);
    await storage.syncFolder('');
    while (this.host.inUnit) await new Promise<void>((resolve) => this.host.soon(resolve));
    const base = await this.writeBase(this.contents());
    if (this.manifest === null) return;
    const old = this.manifest.files.map((entry): ManifestFile => ({ ...entry, kind: 'h' }));
    await this.setManifest(new Manifest([base, ...old]));
    this.baseSize = this.jobBytes;
    await this.replace(old, [base]);
  }

  private async replace(old: readonly ManifestFile[], files: readonly ManifestFile[]): Promise<void> {
    const { storage, folder } = this;
    for (const { name } of old) await storage.remove(`${folder}/${name}`);
    await this.setManifest(new Manifest(files));
  }

  // Every step leaves a directory that holds everything: first the log turns to a new file, which the manifest names
  // before anything is in it; then the base is written of what there was at that moment; then one manifest replaces
  // the other, and what is not needed any more goes.
  private async doRewrite(): Promise<void> {
    const { storage, host, folder, log } = this;
    if (log === null || this.manifest === null) return this.doRewriteUnlogged();
    const increment = this.nextIncrement();
    const { file, position } = await beginFile(storage, `${folder}/${increment.name}`, host.now());
    let contents: Contents;
    try {
      await storage.syncFolder(folder);
      await this.setManifest(new Manifest([...this.manifest.files, increment]));
      contents = await this.turn(log, file, position);
    } catch (error) {
      // It stays, empty: the manifest may name it.
      await file.close().catch(() => {});
      throw error;
    }
    const base = await this.writeBase(contents);
    const old = this.manifest.files
      .filter(({ name }) => name !== increment.name)
      .map((entry): ManifestFile => ({ ...entry, kind: 'h' }));
    await this.setManifest(new Manifest([base, ...old, increment]));
    log.mended();
    this.baseSize = this.jobBytes + log.size;
    await this.replace(old, [base, increment]);
  }

  // Between two units: the contents are those of this moment, and the log goes on in the new file behind it.
  private async turn(
    log: AppendLog,
    file: Parameters<AppendLog['turnTo']>[0],
    position: LogPosition,
  ): Promise<Contents> {
    while (this.host.inUnit) await new Promise<void>((resolve) => this.host.soon(resolve));
    let contents: Contents | null = null;
    await log.turnTo(file, position, () => {
      contents = this.contents();
    });
    return contents as unknown as Contents;
  }

  private async doSave(): Promise<void> {
    while (this.host.inUnit) await new Promise<void>((resolve) => this.host.soon(resolve));
    const { dirty } = this.host;
    await this.writeRdb('', this.host.setting('dbfilename'), this.contents(), false);
    this.dirtyAtSave = dirty;
    this.savedAt = this.host.now();
  }

  private async saveNow(): Promise<boolean> {
    const start = this.host.now();
    const ok = await this.start('save', () => this.doSave());
    this.saveOk = ok;
    this.saveSeconds = Math.floor((this.host.now() - start) / 1000);
    return ok;
  }

  // ---- PersistencePort

  get lastSave(): number {
    return Math.floor(this.savedAt / 1000);
  }

  beginRewrite(): string | null {
    if (this.job?.kind === 'rewrite') return 'Background append only file rewriting already in progress';
    if (this.job !== null) {
      this.rewriteWanted = true;
      return null;
    }
    void this.rewrite();
    return null;
  }

  get isScheduled(): boolean {
    return this.rewriteWanted;
  }

  beginSave(schedule: boolean): string | null {
    if (this.job?.kind === 'save') return 'Background save already in progress';
    if (this.job !== null && !schedule) {
      return "Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.";
    }
    void this.afterJob().then(() => this.saveNow());
    return null;
  }

  async saveAndWait(): Promise<boolean> {
    await this.afterJob();
    return this.saveNow();
  }

  private async afterJob(): Promise<void> {
    while (this.job !== null) await this.job.done;
  }

  get isSaving(): boolean {
    return this.job?.kind === 'save';
  }

  info(): [string, string | number][] {
    const { log, job, host } = this;
    const seconds = job === null ? -1 : Math.floor((host.now() - job.startedAt) / 1000);
    const fields: [string, string | number][] = [
      ['loading', 0],
      ['rdb_changes_since_last_save', host.dirty - this.dirtyAtSave],
      ['rdb_bgsave_in_progress', job?.kind === 'save' ? 1 : 0],
      ['rdb_last_save_time', this.lastSave],
      ['rdb_last_bgsave_status', this.saveOk ? 'ok' : 'err'],
      ['rdb_last_bgsave_time_sec', this.saveSeconds],
      ['rdb_current_bgsave_time_sec', job?.kind === 'save' ? seconds : -1],
      ['aof_enabled', log === null ? 0 : 1],
      ['aof_rewrite_in_progress', job?.kind === 'rewrite' ? 1 : 0],
      ['aof_rewrite_scheduled', this.rewriteWanted ? 1 : 0],
      ['aof_last_rewrite_time_sec', this.rewriteSeconds],
      ['aof_current_rewrite_time_sec', job?.kind === 'rewrite' ? seconds : -1],
      ['aof_last_bgrewrite_status', this.rewriteOk ? 'ok' : 'err'],
      ['aof_rewrites', this.rewrites],
      ['aof_last_write_status', log === null || log.problem === null ? 'ok' : 'err'],
    ];
    if (job !== null) {
      fields.push(['current_save_keys_processed', this.jobKeys], ['current_save_bytes', this.jobBytes]);
    }
    if (log !== null) {
      fields.push(
        ['aof_current_size', this.currentSize],
        ['aof_base_size', this.baseSize],
        ['aof_buffer_length', log.pending],
        ['aof_delayed_fsync', log.delayedSyncs],
      );
    }
    return fields;
  }

  private get currentSize(): number {
    return this.baseSize + (this.log?.size ?? 0);
  }

  // ---- now and then

  private tick(): void {
    const { log, host } = this;
    if (log !== null) {
      this.followPolicy();
      log.tick();
    }
    if (this.job !== null || this.closing) return;
    const now = host.now();
    if (log !== null && now >= this.nextTryAt && this.hasGrown()) {
      void this.rewrite();
      return;
    }
    if (this.saveDue(now)) {
      this.saveTriedAt = now;
      void this.saveNow();
    }
  }

  // auto-aof-rewrite-percentage and -min-size.
  private hasGrown(): boolean {
    const percentage = Number(this.host.setting('auto-aof-rewrite-percentage'));
    const size = this.currentSize;
    if (percentage === 0 || size < Number(this.host.setting('auto-aof-rewrite-min-size'))) return false;
    return ((size - this.baseSize) * 100) / Math.max(1, this.baseSize) >= percentage;
  }

  // `save 3600 1 300 100`: after so many seconds, if at least so many changes were made.
  private saveDue(now: number): boolean {
    const changes = this.host.dirty - this.dirtyAtSave;
    if (changes === 0 || (!this.saveOk && now - this.saveTriedAt < 5000)) return false;
    const words = this.host.setting('save').split(' ').map(Number);
    for (let i = 0; i + 1 < words.length; i += 2) {
      if (changes >= words[i + 1] && now - this.savedAt > words[i] * 1000) return true;
    }
    return false;
  }
}
