// Keys whose last change is not on disk yet, while the log promises that whoever was told of a change will find it again
// (appendfsync always). Who reads such a key has to wait as its writer does; nobody else. The write door fills it, look-ups
// ask it, the engine says when a batch of the log is on disk.

/** The log, as far as it matters here. */
export interface Gathering {
  /** The batch that the effects of a unit which ends now will be in. */
  readonly gathering: number;
}

export class Unsettled {
  /** The last batch whose effects the running unit has seen; 0: none that is not on disk. */
  seen = 0;
  /** By database: keys, and the batch of their last change. */
  private readonly keys: Map<string, number>[];
  /** The last batch that changed a whole database. */
  private everything = 0;
  private settled = 0;
  /** The last batch that a key is noted with. */
  private newest = 0;
  private readonly log: Gathering;

  constructor(databases: number, log: Gathering) {
    this.log = log;
    this.keys = Array.from({ length: databases }, () => new Map());
  }

  changed(db: number, key: string): void {
    const { gathering } = this.log;
    this.keys[db].set(key, gathering);
    this.newest = gathering;
  }

  /** A database was emptied or changed its contents for another's, or nobody knows what was changed. */
  changedAll(): void {
    this.everything = this.log.gathering;
  }

  looked(db: number, key: string): void {
    const batch = this.keys[db].get(key) ?? 0;
    if (batch > this.seen) this.seen = batch;
    if (this.everything > this.seen) this.seen = this.everything;
  }

  /** Something that depends on all keys was read. */
  lookedAtAll(): void {
    for (const keys of this.keys) for (const batch of keys.values()) if (batch > this.seen) this.seen = batch;
    if (this.everything > this.seen) this.seen = this.everything;
  }

  /** Batches up to this one are on disk. */
  settle(batch: number): void {
    if (batch <= this.settled) return;
    this.settled = batch;
    if (this.everything <= batch) this.everything = 0;
    for (const keys of this.keys) {
      if (batch >= this.newest) keys.clear();
      else for (const [key, last] of keys) if (last <= batch) keys.delete(key);
    }
  }
}
