// The keyspace: all databases, the time of the running unit, and the hooks that the write door calls (events,
// waiters, journal, sink). The engine owns one and sets the hooks; Db is the only writer.
import { Db, type FrozenDb } from './db.ts';
import { Journal } from './journal.ts';
import type { Segment } from './segment.ts';
import type { Unsettled } from './unsettled.ts';
import { DEFAULT_LIMITS, type EncodingLimits, type TypeName } from './values.ts';

/** What the keyspace needs from outside: time and chance are ports, so that a run can be repeated. */
export interface SpacePorts {
  /** Unix milliseconds. */
  now(): number;
  /** Unix microseconds. */
  micros(): number;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Counters that INFO shows. */
export interface SpaceStats {
  hits: number;
  misses: number;
  expired: number;
}

/** All databases at one moment, shared with the live keyspace until either changes. */
export interface FrozenSpace {
  readonly dbs: readonly FrozenDb[];
}

// Unique over all keyspaces of the process: forks share segments, and each must see that they are not its own.
let lastGeneration = 0;

export class Space {
  readonly dbs: readonly Db[];
  readonly limits: EncodingLimits = { ...DEFAULT_LIMITS };
  readonly stats: SpaceStats = { hits: 0, misses: 0, expired: 0 };
  /** Counts changes; a unit that leaves it as it was wrote nothing. */
  dirty = 0;
  /** notify-keyspace-events, parsed; 0 is off. */
  eventFlags = 0;
  /** Called for each keyspace event that the flags ask for. */
  onEvent: (db: number, event: string, key: string) => void = () => {};
  /** Called when a key is deleted because its time is over (the log writes a DEL). */
  onExpire: (db: number, key: string) => void = () => {};
  /** Called for each change while somebody listens to all of them; event '' where Redis announces none. */
  sink: ((db: number, key: string, event: string) => void) | null = null;
  /** Keys whose change is not on disk, while somebody has promised to wait for that; see unsettled.ts. */
  unsettled: Unsettled | null = null;
  /** Open while the running unit may be rolled back. */
  journal: Journal | null = null;
  /**
   * Values of this generation or a later one may be changed in place, others are cloned first: a snapshot or the
   * open journal holds them. Outside of a journal it is `frozenAt`.
   */
  generation = 0;
  /** Segments of this generation likewise. */
  frozenAt = 0;
  /** Does a lookup mark the access? Off for clients with NO-TOUCH. */
  touching = true;
  /** Is maxmemory-policy one of the LFU policies? Access words then hold a counter. */
  lfu = false;
  /** False while a log is loaded: nothing expires then. */
  mayExpire = true;
  /** Keys somebody waits for, per database; the blocking module keeps it. */
  readonly waited: Map<string, unknown>[] = [];
  /** How many waiters also want to know when a key goes or changes its type (XREADGROUP). */
  goneWaiters = 0;
  /** Waited keys that got a value since the last time waiters were served, in order. */
  readyKeys: { db: Db; key: string }[] = [];
  /** How many sessions wait for each type of value; the blocking module keeps it. */
  readonly waitedTypes = new Map<string, number>();
  // The queues (values of `waited`) of readyKeys, so that none is listed twice.
  private readonly readyQueues = new Set<unknown>();

  /** What others may learn only once a unit that may be rolled back has committed. */
  private deferred: (() => void)[] = [];
  private readonly ports: SpacePorts;
  private unitNow = 0;
  private unitMicros = 0;
  private accessClock = 0;

  constructor(ports: SpacePorts, databases: number) {
    this.ports = ports;
    this.generation = this.frozenAt = ++lastGeneration;
    const dbs: Db[] = [];
    for (let i = 0; i < databases; i++) {
      this.waited.push(new Map());
      dbs.push(new Db(this, i));
    }
    this.dbs = dbs;
    this.now();
    this.endUnit();
  }

  /** Unix ms of the running unit: read once, constant until {@link endUnit}. */
  now(): number {
    if (this.unitNow === 0) {
      this.unitNow = this.ports.now();
      this.accessClock = Math.floor(this.unitNow / 1000) >>> 0;
    }
    return this.unitNow;
  }

  /** Unix microseconds of the running unit, in the same millisecond as {@link now}. */
  micros(): number {
    if (this.unitMicros === 0) this.unitMicros = this.now() * 1000 + (this.ports.micros() % 1000);
    return this.unitMicros;
  }

  /** Ends the unit's clock snapshot. */
  endUnit(): void {
    this.unitNow = 0;
    this.unitMicros = 0;
  }

  /** Moves the clock of accesses on. Called ten times a second: a hit alone need not ask for the time. */
  tick(): void {
    this.accessClock = Math.floor(this.ports.now() / 1000) >>> 0;
  }

  random(): number {
    return this.ports.random();
  }

  /** Random integer in 0..n-1. */
  randomInt(n: number): number {
    return Math.floor(this.ports.random() * n);
  }

  /** Marks an access: seconds for LRU; last-decrement minutes << 8 | counter for LFU. */
  access(seg: Segment, at: number): void {
    seg.access[at] = this.lfu ? this.lfuTouched(seg.access[at]) : this.accessClock;
  }

  /** Access word of a new key. */
  stampNew(seg: Segment, at: number): void {
    seg.access[at] = this.lfu ? this.frequencyWord(LFU_INIT) : this.accessClock;
  }

  /** Seconds since the access that an LRU word tells. */
  idleSeconds(word: number): number {
    this.now();
    return (this.accessClock - word) >>> 0;
  }

  /** The LRU word of an access so many seconds ago. */
  idleWord(seconds: number): number {
    this.now();
    return Math.max(0, this.accessClock - seconds);
  }

  /** The LFU word of a counter that was touched just now. */
  frequencyWord(counter: number): number {
    return (this.minutes() << 8) | counter;
  }

  /** Frequency counter of an LFU word, decayed to now. */
  frequency(word: number): number {
    const elapsed = (this.minutes() - (word >>> 8)) & 0xffff;
    return Math.max(0, (word & 255) - elapsed);
  }

  /** Says that a waited key may have got an element (or has gone); the engine serves the waiters after the unit. */
  ready(db: Db, key: string, type?: TypeName): void {
    const queue = this.waited[db.index].get(key);
    if (queue === undefined || this.readyQueues.has(queue)) return;
    // As Redis: a new list is no news while nobody, anywhere, waits for a list.
    if (type !== undefined && !this.waitedTypes.has(type)) return;
    this.readyQueues.add(queue);
    this.readyKeys.push({ db, key });
  }

  /** Takes the ready keys to serve their waiters. */
  takeReady(): { db: Db; key: string }[] {
    const ready = this.readyKeys;
    this.readyKeys = [];
    this.readyQueues.clear();
    return ready;
  }

  /** Keys of a database that somebody waits for. */
  waitedKeys(db: Db): Iterable<string> {
    return [...this.waited[db.index].keys()];
  }

  /** Opens a journal; collections touched from here on are cloned before they change. */
  openJournal(): Journal {
    this.generation = ++lastGeneration;
    this.journal = new Journal();
    return this.journal;
  }

  /** Runs what others see of a change: now, or at the commit while a journal is open. */
  later(action: () => void): void {
    if (this.journal === null) action();
    else this.deferred.push(action);
  }

  /** Closes the journal and tells the others what happened. */
  commit(): void {
    const { deferred } = this;
    this.journal = null;
    this.generation = this.frozenAt;
    this.deferred = [];
    for (const action of deferred) action();
  }

  /** A point within an open journal that {@link rollbackTo} returns to. */
  mark(): { readonly records: number; readonly deferred: number } {
    this.generation = ++lastGeneration;
    return { records: this.journal?.length ?? 0, deferred: this.deferred.length };
  }

  /** Undoes what was done since the mark. */
  rollbackTo(mark: { readonly records: number; readonly deferred: number }): void {
    this.journal?.rollback(mark.records);
    this.deferred.length = mark.deferred;
  }

  /** Undoes everything since {@link openJournal}; nobody learns of it. */
  rollback(): void {
    const { journal } = this;
    this.journal = null;
    this.deferred = [];
    this.takeReady();
    this.generation = this.frozenAt;
    journal?.rollback();
  }

  /** The present contents of all databases. Costs a few words per 2,000 keys; later writes copy what they touch. */
  freeze(): FrozenSpace {
    this.generation = this.frozenAt = ++lastGeneration;
    return {
      dbs: this.dbs.map((db) => ({ ...db.freezeInPlace(), directory: db.freezeInPlace().directory.slice() })),
    };
  }

  /** Takes frozen contents; whoever else holds them is not affected by later writes. */
  thaw(from: FrozenSpace): void {
    this.generation = this.frozenAt = ++lastGeneration;
    this.dbs.forEach((db, i) => {
      const frozen = from.dbs[i];
      if (frozen === undefined) db.clear();
      else db.adopt(frozen);
    });
  }

  private minutes(): number {
    return Math.floor(this.now() / 60000) & 0xffff;
  }

  // Redis' logarithmic counter with lfu-log-factor 10 and lfu-decay-time 1.
  private lfuTouched(word: number): number {
    let counter = this.frequency(word);
    if (counter < 255 && this.random() < 1 / (Math.max(0, counter - LFU_INIT) * 10 + 1)) counter++;
    return (this.minutes() << 8) | counter;
  }
}

const LFU_INIT = 5;
