// One database: lookup with lazy expiry, and the write door through which every change of a key goes. The
// door feeds WATCH, keyspace events, waiters, the undo journal and the log, so that no handler does. Handlers
// of commands call it; Space owns it.
import { keyHash } from '../data/table.ts';
import { Event } from './events.ts';
import type { KeyRecord } from './journal.ts';
import { SEGMENT_LIMIT, Segment } from './segment.ts';
import type { Space } from './space.ts';
import { Collection, RawString, type StringValue, type Value, WRONGTYPE } from './values.ts';

/** A session's interest in one key. Db calls `dirty` once the key changed; see {@link Db.watch}. */
export interface Watcher {
  readonly db: Db;
  readonly key: string;
  /** The key was logically expired when WATCH was called: its physical deletion is no change. */
  expired: boolean;
  dirty(): void;
}

/** What a directory looked like; see {@link Db.freeze}. */
export interface FrozenDb {
  readonly directory: readonly Segment[];
  readonly depth: number;
  readonly size: number;
  readonly expires: number;
}

const MAX_DEPTH = 20;

export class Db {
  /** Number that SELECT takes; SWAPDB exchanges contents, not numbers. */
  readonly index: number;
  readonly space: Space;
  /** How many keys there are, expired ones that were not yet purged included (as DBSIZE counts). */
  size = 0;
  /** How many of them have a deadline. */
  expires = 0;
  /** WATCH's index from key to watchers; empty in the normal case, which is one comparison per write. */
  private readonly watchers = new Map<string, Watcher[]>();

  // Extendible hashing: the leading `depth` bits of a key's hash choose the segment. A segment of local depth
  // d stands in 2^(depth-d) places.
  private directory: Segment[];
  private depth = 0;

  // Where the last lookup ended: `key` lies at `seg`/`at`, or is missing (`at` -1). A handler's lookup and the
  // write that follows it then hash the key once (INCR: 30 % less time). Whatever moves entries without a
  // lookup calls `forget`.
  private key: string | null = null;
  private seg: Segment;
  private at = -1;
  private hash = 0;

  constructor(space: Space, index: number) {
    this.space = space;
    this.index = index;
    this.seg = new Segment(0, space.frozenAt);
    this.directory = [this.seg];
  }

  // ---- reading

  /** Value of a key for a read command: counts hit or miss, marks the access. */
  lookup(key: string): Value | undefined {
    const { space } = this;
    if (this.locate(key)) {
      space.stats.hits++;
      if (space.touching) space.access(this.seg, this.at);
      return this.seg.values[this.at];
    }
    space.stats.misses++;
    if (space.eventFlags & Event.keymiss) this.notify(Event.keymiss, 'keymiss', key);
    return undefined;
  }

  /** Value of a key for a write command: no hit, no miss, no `keymiss`. */
  lookupWrite(key: string): Value | undefined {
    if (!this.locate(key)) return undefined;
    if (this.space.touching) this.space.access(this.seg, this.at);
    return this.seg.values[this.at];
  }

  /** Value of a key without any side effect but lazy expiry (EXISTS-like probes, OBJECT). */
  peek(key: string): Value | undefined {
    return this.locate(key) ? this.seg.values[this.at] : undefined;
  }

  /** Is the key there (and not expired)? No side effect but lazy expiry. */
  exists(key: string): boolean {
    return this.locate(key);
  }

  /** As {@link lookup}, of one kind of collection; another kind throws WRONGTYPE. */
  read<T extends Collection>(key: string, kind: new () => T): T | undefined {
    const value = this.lookup(key);
    if (value === undefined) return undefined;
    if (value instanceof kind) return value;
    throw WRONGTYPE;
  }

  /** As {@link lookup}, of a string; another type throws WRONGTYPE. */
  readString(key: string): StringValue | undefined {
    return asString(this.lookup(key));
  }

  /** As {@link lookupWrite}, of a string; another type throws WRONGTYPE. */
  readStringForWrite(key: string): StringValue | undefined {
    return asString(this.lookupWrite(key));
  }

  /**
   * As {@link lookup}, but the access leaves no mark (TTL, EXISTS, TYPE); without `announce` no `keymiss` event
   * either (OBJECT).
   */
  probe(key: string, announce = true): Value | undefined {
    const { space } = this;
    if (this.locate(key)) {
      space.stats.hits++;
      return this.seg.values[this.at];
    }
    space.stats.misses++;
    if (announce && space.eventFlags & Event.keymiss) this.notify(Event.keymiss, 'keymiss', key);
    return undefined;
  }

  /** Deadline in Unix ms, 0 for none, -1 where the key is missing. */
  deadline(key: string): number {
    return this.locate(key) ? this.seg.deadline(this.at) : -1;
  }

  /** Raw access word of a key (see {@link Space.access}), or undefined. */
  accessWord(key: string): number | undefined {
    return this.locate(key) ? this.seg.access[this.at] : undefined;
  }

  // ---- the write door

  /**
   * A collection that may be changed in place, or undefined where the key is missing; another type throws
   * WRONGTYPE. After the change call {@link changed}. A snapshot or journal that holds the old value keeps it:
   * the collection is cloned first.
   */
  edit<T extends Collection>(key: string, kind: new () => T): T | undefined {
    const value = this.lookupWrite(key);
    if (value === undefined) return undefined;
    if (!(value instanceof kind)) throw WRONGTYPE;
    return this.own(key, value);
  }

  /** As {@link edit}; a missing key is created empty. The caller adds an element and calls {@link changed}. */
  editOrCreate<T extends Collection>(key: string, kind: new () => T): T {
    const value = this.edit(key, kind);
    if (value !== undefined) return value;
    const fresh = new kind();
    this.put(key, fresh);
    return fresh;
  }

  /** A string that may be changed in place (APPEND, SETBIT…): converts it to RawString; undefined if missing. */
  editRaw(key: string, room = 0): RawString | undefined {
    const value = this.readStringForWrite(key);
    if (value === undefined) return undefined;
    if (value instanceof RawString) return this.own(key, value);
    const raw = new RawString(String(value), room);
    this.put(key, raw);
    return raw;
  }

  /** Says that a collection got by {@link edit} was changed: records the effect, and removes it when empty. */
  changed(key: string, value: Collection, cls: number, event: string): void {
    this.signal(key, cls, event);
    if (value.size === 0) {
      this.remove(key);
      this.signal(key, Event.generic, 'del');
    }
  }

  /** Sets a key's value, keeping the deadline of an existing key. The caller then calls {@link signal}. */
  put(key: string, value: Value): void {
    this.store(key, value, true);
  }

  /** Sets a key's value and clears its deadline, as SET does. The caller then calls {@link signal}. */
  set(key: string, value: Value): void {
    this.store(key, value, false);
  }

  /** Removes a key; false where there was none. The caller then calls {@link signal} with its event. */
  remove(key: string): boolean {
    if (!this.relocate(key)) return false;
    this.drop(key);
    return true;
  }

  /**
   * Puts a key of a file there, with its deadline (0 for none): nobody learns of it and nothing undoes it. False where
   * the key is there already.
   */
  load(key: string, value: Value, deadline: number): boolean {
    if (this.find(key) >= 0) return false;
    if (value instanceof Collection) value.generation = this.space.generation;
    this.at = this.insert(key, value);
    this.space.stampNew(this.seg, this.at);
    if (deadline !== 0) {
      this.seg.setDeadline(this.at, deadline);
      this.expires++;
    }
    return true;
  }

  /** Sets (Unix ms) or clears (0) the deadline of an existing key. The caller then calls {@link signal}. */
  setDeadline(key: string, when: number): void {
    if (!this.relocate(key)) return;
    this.space.journal?.record(this, key, this.seg, this.at);
    this.makeOwn();
    const had = this.seg.deadline(this.at) !== 0;
    this.seg.setDeadline(this.at, when);
    if (had !== (when !== 0)) this.expires += had ? -1 : 1;
  }

  /** Sets the raw access word of an existing key, where it goes over with the value (RENAME, MOVE, RESTORE). */
  setAccessWord(key: string, word: number): void {
    if (!this.locate(key)) return;
    this.makeOwn();
    this.seg.access[this.at] = word;
  }

  /**
   * Records the effect of a change: WATCH, keyspace events and sinks learn of it here. Each changed key is
   * signalled once per event, after the change.
   */
  signal(key: string, cls: number, event: string): void {
    const { space } = this;
    space.dirty++;
    if (space.unsettled !== null) space.unsettled.changed(this.index, key);
    if (this.watchers.size !== 0) this.touchWatchers(key);
    if (space.sink !== null) space.sink(this.index, key, event);
    if (space.eventFlags !== 0) this.notify(cls, event, key);
  }

  /** A change that Redis tells nobody of, neither WATCH nor subscribers: only the log and `live` listeners learn. */
  touch(key: string): void {
    const { space } = this;
    space.dirty++;
    if (space.unsettled !== null) space.unsettled.changed(this.index, key);
    if (space.sink !== null) space.sink(this.index, key, '');
  }

  /** A keyspace event alone, without a change. */
  notify(cls: number, event: string, key: string): void {
    if (this.space.eventFlags & cls) this.space.onEvent(this.index, event, key);
  }

  // ---- whole database

  /** Removes every key. No events (Redis sends none); watched keys that existed become dirty. */
  clear(): void {
    const { space } = this;
    if (space.journal !== null) {
      const before = this.freezeInPlace();
      space.journal.push(() => this.adopt(before));
    }
    for (const [key, list] of [...this.watchers]) {
      if (!this.rawExists(key)) continue;
      for (const watcher of [...list]) {
        if (watcher.expired) this.setExpired(watcher, false);
        else space.later(() => watcher.dirty());
      }
    }
    space.dirty++;
    space.unsettled?.changedAll();
    if (space.goneWaiters > 0) this.wakeAll();
    this.reset();
  }

  /** Exchanges the contents of two databases (SWAPDB) with WATCH's rules for it. */
  exchange(other: Db): void {
    this.space.journal?.push(() => this.swapContents(other));
    this.space.dirty++;
    this.space.unsettled?.changedAll();
    const before = [this.watchedStates(), other.watchedStates()];
    this.swapContents(other);
    this.compareWatched(before[0]);
    other.compareWatched(before[1]);
    this.wakeAll();
    other.wakeAll();
  }

  /** Every key that is not expired, in no particular order. The callback must not write. */
  forEach(visit: (key: string, value: Value, deadline: number) => void): void {
    const now = this.space.now();
    for (const seg of this.segments()) {
      for (let i = 0; i < seg.size; i++) {
        const when = seg.deadline(i);
        if (when !== 0 && now > when) continue;
        visit(seg.keys[i], seg.values[i], when);
      }
    }
  }

  /** All keys, expired ones included and purged on the way, so that KEYS, SCAN and RANDOMKEY see the truth. */
  purgeExpired(limit = Number.POSITIVE_INFINITY): number {
    let purged = 0;
    const now = this.space.now();
    if (this.expires === 0) return 0;
    for (const seg of [...this.segments()]) {
      if (seg.deadlines === null || seg.soonest >= now) continue;
      for (const key of expiredKeys(seg, now)) {
        this.locate(key);
        if (++purged >= limit) return purged;
      }
    }
    return purged;
  }

  /**
   * Visits at least `count` keys from `cursor` on (0 starts) and answers the next cursor, 0 when done. A key
   * that is there from the first call to the last is visited at least once, whatever else changes. Keys that
   * are over but still lie there are visited too: SCAN looks up those that it wants. The callback must not write.
   */
  scan(cursor: number, count: number, visit: (key: string) => void): number {
    // A cursor is (prefix, depth, position): the segments are walked in order of the hash prefix, each from
    // its end to its start. Where the segment at the prefix has been split since, its parts are walked anew.
    let position = cursor % 4096;
    const depth = Math.floor(cursor / 4096) % 32;
    let prefix = Math.floor(cursor / 131072);
    if (prefix >= 1 << MAX_DEPTH) return 0;
    let next = 0;
    for (let left = count, first = true; ; first = false) {
      const seg = this.directory[prefix >>> (MAX_DEPTH - this.depth)];
      if (!first || seg.depth !== depth) position = 0;
      // A position of 0 starts a segment; an empty one has nothing to visit.
      const rest = seg.size === 0 ? 0 : scanSegment(seg, position, left, visit);
      left -= (position === 0 ? seg.size : position) - rest;
      if (rest > 0) {
        next = (prefix * 32 + seg.depth) * 4096 + rest;
        break;
      }
      const start = prefix - (prefix % (1 << (MAX_DEPTH - seg.depth)));
      prefix = start + (1 << (MAX_DEPTH - seg.depth));
      if (prefix >= 1 << MAX_DEPTH) break;
      if (left <= 0) {
        const following = this.directory[prefix >>> (MAX_DEPTH - this.depth)];
        next = (prefix * 32 + following.depth) * 4096;
        break;
      }
    }
    return next;
  }

  /** A random key, or undefined when there is none (left). Expired keys met on the way are purged. */
  randomKey(): string | undefined {
    for (let tries = 0; this.size > 0; tries++) {
      const { space, directory } = this;
      let place = space.randomInt(directory.length);
      while (directory[place].size === 0) place = place + 1 < directory.length ? place + 1 : 0;
      const seg = directory[place];
      const key = seg.keys[space.randomInt(seg.size)];
      if (tries > 100) this.purgeExpired();
      if (this.locate(key)) return key;
    }
    return undefined;
  }

  /**
   * Purges keys whose time is over: looks at `budget` segments from `from` (where the last call stopped) on, and
   * takes up no other once it has purged `most` keys. Answers how many it purged.
   */
  expireCycle(
    from: number,
    budget: number,
    most = Number.POSITIVE_INFINITY,
  ): { next: number; purged: number } {
    const now = this.space.now();
    let purged = 0;
    let at = from >= this.directory.length ? 0 : from;
    for (let work = Math.min(budget, this.directory.length); work > 0 && purged < most; work--) {
      const seg = this.directory[at];
      if (seg.deadlines !== null && seg.soonest < now) {
        for (const key of expiredKeys(seg, now)) {
          this.locate(key);
          purged++;
        }
      }
      at = at + 1 >= this.directory.length ? 0 : at + 1;
    }
    return { next: at, purged };
  }

  /** Earliest deadline of any key, or Infinity: a lower bound that may be too early, never too late. */
  soonestDeadline(): number {
    let soonest = Number.POSITIVE_INFINITY;
    if (this.expires > 0) for (const seg of this.segments()) soonest = Math.min(soonest, seg.soonest);
    return soonest;
  }

  // ---- WATCH

  /** Is a watched key logically expired by now? */
  isExpired(key: string): boolean {
    const at = this.find(key);
    const when = at < 0 ? 0 : this.seg.deadline(at);
    return when !== 0 && this.space.now() > when;
  }

  watch(watcher: Watcher): void {
    const list = this.watchers.get(watcher.key);
    if (list === undefined) this.watchers.set(watcher.key, [watcher]);
    else list.push(watcher);
  }

  unwatch(watcher: Watcher): void {
    const list = this.watchers.get(watcher.key);
    if (list === undefined) return;
    const at = list.indexOf(watcher);
    if (at >= 0) list.splice(at, 1);
    if (list.length === 0) this.watchers.delete(watcher.key);
  }

  // ---- snapshots and undo (Space and Journal call these)

  /** The present contents, shared: writes after {@link Space.freeze} copy what they touch. */
  freezeInPlace(): FrozenDb {
    return { directory: this.directory, depth: this.depth, size: this.size, expires: this.expires };
  }

  /** Takes the contents of a frozen database. */
  adopt(from: FrozenDb): void {
    this.directory = from.directory.slice();
    this.depth = from.depth;
    this.size = from.size;
    this.expires = from.expires;
    this.seg = this.directory[0];
    this.forget();
  }

  /** Puts a key back as a journal remembers it. */
  undo({ key, value, deadline, access, at: place }: KeyRecord): void {
    const at = this.find(key);
    if (value === undefined) {
      if (at >= 0) this.discard();
      return;
    }
    if (at < 0) {
      this.at = this.insert(key, value);
      // Exactly where it was, or a SCAN that runs meanwhile would miss what now lies where it has been already.
      if (place < this.at) {
        this.seg.swap(place, this.at);
        this.at = place;
      }
    } else {
      this.makeOwn();
      this.seg.values[this.at] = value;
    }
    const had = this.seg.deadline(this.at) !== 0;
    this.seg.setDeadline(this.at, deadline);
    if (had !== (deadline !== 0)) this.expires += had ? -1 : 1;
    this.seg.access[this.at] = access;
  }

  // ---- inside

  private find(key: string): number {
    const hash = keyHash(key);
    this.hash = hash;
    this.key = key;
    this.seg = this.directory[(hash >>> 1) >>> (31 - this.depth)];
    this.at = this.seg.findHashed(key, hash);
    return this.at;
  }

  // As locate, for the write that follows a lookup of the same key.
  private relocate(key: string): boolean {
    if (this.key !== key || this.seg.deadlines !== null) return this.locate(key);
    return this.at >= 0;
  }

  private forget(): void {
    this.key = null;
    this.at = -1;
  }

  // Points seg/at at a live key; an expired one is deleted on the way (lazy expiry).
  private locate(key: string): boolean {
    const { unsettled } = this.space;
    if (unsettled !== null) unsettled.looked(this.index, key);
    const at = this.find(key);
    if (at < 0) return false;
    if (this.seg.deadlines !== null) {
      const when = this.seg.deadlines[at];
      if (when !== 0 && this.space.mayExpire && this.space.now() > when) {
        this.expire(key);
        return false;
      }
    }
    return true;
  }

  private expire(key: string): void {
    const { space } = this;
    this.drop(key);
    space.stats.expired++;
    space.onExpire(this.index, key);
    this.signal(key, Event.expired, 'expired');
    this.at = -1;
  }

  private drop(key: string): void {
    if (this.space.goneWaiters > 0) this.space.ready(this, key);
    this.space.journal?.record(this, key, this.seg, this.at);
    this.discard();
  }

  private discard(): void {
    this.makeOwn();
    if (this.seg.deadline(this.at) !== 0) this.expires--;
    this.seg.removeAt(this.at);
    this.size--;
    this.at = -1;
  }

  private store(key: string, value: Value, keepDeadline: boolean): void {
    const { space } = this;
    if (value instanceof Collection) {
      // One that comes from another key (RENAME, MOVE) may be shared with a snapshot: it stays as old as it is.
      if (value.generation === 0) value.generation = space.generation;
    }
    if (this.relocate(key)) {
      // As in Redis, a new key wakes its waiters; one whose value is replaced wakes those only that fear for theirs.
      if (space.goneWaiters > 0) space.ready(this, key);
      space.journal?.record(this, key, this.seg, this.at);
      this.makeOwn();
      this.seg.values[this.at] = value;
      if (!keepDeadline) {
        // Overwriting is an access; whoever puts has looked the key up before.
        if (space.touching) space.access(this.seg, this.at);
        if (this.seg.deadline(this.at) !== 0) {
          this.seg.setDeadline(this.at, 0);
          this.expires--;
        }
      }
      return;
    }
    space.journal?.recordMissing(this, key);
    this.at = this.insert(key, value);
    space.stampNew(this.seg, this.at);
    if (value instanceof Collection) space.ready(this, key, value.type);
    if (space.eventFlags & Event.new) this.notify(Event.new, 'new', key);
  }

  // `find` has just set seg and hash, and found nothing.
  private insert(key: string, value: Value): number {
    this.makeOwn();
    while (this.seg.size >= SEGMENT_LIMIT && this.seg.depth < MAX_DEPTH) {
      this.split(this.seg);
      this.seg = this.directory[(this.hash >>> 1) >>> (31 - this.depth)];
    }
    this.size++;
    return this.seg.append(key, value, this.hash);
  }

  // The segment may be shared with a snapshot or a fork: copy it before the first change.
  private makeOwn(): void {
    const { seg } = this;
    if (seg.generation === this.space.frozenAt) return;
    const copy = seg.copy(seg.depth, this.space.frozenAt);
    const first = this.firstPlace(seg);
    for (let i = 1 << (this.depth - seg.depth); i > 0; ) this.directory[first + --i] = copy;
    this.seg = copy;
  }

  // First of the directory places of the segment that the last `find` ended in.
  private firstPlace(seg: Segment): number {
    const place = (this.hash >>> 1) >>> (31 - this.depth);
    return place - (place % (1 << (this.depth - seg.depth)));
  }

  private split(seg: Segment): void {
    if (seg.depth === this.depth) {
      const twice: Segment[] = [];
      for (const s of this.directory) twice.push(s, s);
      this.directory = twice;
      this.depth++;
    }
    const bit = 31 - seg.depth;
    const parts = [
      seg.copy(seg.depth + 1, this.space.frozenAt, (hash) => ((hash >>> bit) & 1) === 0),
      seg.copy(seg.depth + 1, this.space.frozenAt, (hash) => ((hash >>> bit) & 1) === 1),
    ];
    const shift = this.depth - seg.depth - 1;
    const first = this.firstPlace(seg);
    for (let i = 0; i < 1 << (shift + 1); i++) this.directory[first + i] = parts[i >>> shift];
  }

  private swapContents(other: Db): void {
    const mine = this.freezeInPlace();
    this.adopt(other.freezeInPlace());
    other.adopt(mine);
  }

  private reset(): void {
    this.seg = new Segment(0, this.space.frozenAt);
    this.directory = [this.seg];
    this.depth = 0;
    this.size = 0;
    this.expires = 0;
    this.forget();
  }

  private own<T extends Collection>(key: string, value: T): T {
    const { space } = this;
    if (value.generation >= space.generation) return value;
    space.journal?.record(this, key, this.seg, this.at);
    const copy = value.clone() as T;
    copy.generation = space.generation;
    this.makeOwn();
    this.seg.values[this.at] = copy;
    return copy;
  }

  private *segments(): Generator<Segment> {
    let last: Segment | undefined;
    for (const seg of this.directory) {
      if (seg !== last) yield seg;
      last = seg;
    }
  }

  private rawExists(key: string): boolean {
    return this.find(key) >= 0;
  }

  private touchWatchers(key: string): void {
    const list = this.watchers.get(key);
    if (list === undefined) return;
    for (const watcher of [...list]) {
      if (watcher.expired && !this.rawExists(key)) this.setExpired(watcher, false);
      else this.space.later(() => watcher.dirty());
    }
  }

  private setExpired(watcher: Watcher, expired: boolean): void {
    const before = watcher.expired;
    watcher.expired = expired;
    this.space.journal?.push(() => {
      watcher.expired = before;
    });
  }

  // What SWAPDB has to compare, per watched key: missing, there, or there but expired.
  private watchedStates(): Map<string, boolean> {
    const states = new Map<string, boolean>();
    for (const key of this.watchers.keys()) states.set(key, this.rawExists(key));
    return states;
  }

  private compareWatched(before: Map<string, boolean>): void {
    for (const [key, had] of before) {
      const has = this.rawExists(key);
      if (!had && !has) continue;
      const expired = has && this.isExpired(key);
      for (const watcher of [...(this.watchers.get(key) ?? [])]) {
        if (expired && (!had || watcher.expired)) this.setExpired(watcher, true);
        else if (watcher.expired && !has) this.setExpired(watcher, false);
        else this.space.later(() => watcher.dirty());
      }
    }
  }

  private wakeAll(): void {
    for (const key of this.space.waitedKeys(this)) {
      if (this.space.goneWaiters > 0 || this.rawExists(key)) this.space.ready(this, key);
    }
  }
}

function asString(value: Value | undefined): StringValue | undefined {
  if (value instanceof Collection && !(value instanceof RawString)) throw WRONGTYPE;
  return value as StringValue | undefined;
}

function expiredKeys(seg: Segment, now: number): string[] {
  const dead: string[] = [];
  const deadlines = seg.deadlines as Float64Array;
  let soonest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < seg.size; i++) {
    const when = deadlines[i];
    if (when === 0) continue;
    if (now > when) dead.push(seg.keys[i]);
    else if (when < soonest) soonest = when;
  }
  seg.soonest = dead.length > 0 ? Math.min(soonest, seg.soonest) : soonest;
  return dead;
}

function scanSegment(seg: Segment, position: number, count: number, visit: (key: string) => void): number {
  let i = position === 0 || position > seg.size ? seg.size : position;
  for (let left = count; i > 0 && left > 0; left--) visit(seg.keys[--i]);
  return i;
}
