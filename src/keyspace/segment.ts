// One segment of a database: a dense table with a column of deadlines (only where some key has one) and a
// column of access times. Db splits a segment that is full, so growth costs a bounded step. Db alone calls it.
import { Table } from '../data/table.ts';
import type { Value } from './values.ts';

/** A segment splits beyond this many entries: ~0.2 ms of work, never more. */
export const SEGMENT_LIMIT = 2048;

export class Segment extends Table<Value> {
  /** How many leading bits of the hash all its keys share. */
  readonly depth: number;
  /** Keyspace generation that may change it in place (see Space.freeze). */
  readonly generation: number;
  /** Unix ms, 0 for none; null while no key of the segment has a deadline. */
  deadlines: Float64Array | null = null;
  /** No deadline of the segment is earlier: lets the active cycle skip it. */
  soonest = Number.POSITIVE_INFINITY;
  /** Access clock (see Space.accessClock) or LFU counter of each entry. */
  access: Uint32Array = new Uint32Array(8);

  constructor(depth: number, generation: number) {
    super();
    this.depth = depth;
    this.generation = generation;
  }

  override append(key: string, value: Value, hash?: number): number {
    const at = super.append(key, value, hash);
    if (at >= this.access.length) this.widen();
    else if (this.deadlines !== null) this.deadlines[at] = 0;
    return at;
  }

  override removeAt(at: number): void {
    const last = this.size - 1;
    this.access[at] = this.access[last];
    if (this.deadlines !== null) {
      this.deadlines[at] = this.deadlines[last];
      this.deadlines[last] = 0;
    }
    super.removeAt(at);
  }

  override swap(a: number, b: number): void {
    const { access, deadlines } = this;
    [access[a], access[b]] = [access[b], access[a]];
    if (deadlines !== null) [deadlines[a], deadlines[b]] = [deadlines[b], deadlines[a]];
    super.swap(a, b);
  }

  deadline(at: number): number {
    return this.deadlines === null ? 0 : this.deadlines[at];
  }

  setDeadline(at: number, when: number): void {
    if (this.deadlines === null) {
      if (when === 0) return;
      this.deadlines = new Float64Array(this.access.length);
    }
    this.deadlines[at] = when;
    if (when !== 0 && when < this.soonest) this.soonest = when;
  }

  /** A copy that belongs to `generation`, optionally at another depth and with only the entries of `keep`. */
  copy(depth: number, generation: number, keep?: (hash: number) => boolean): Segment {
    const to = new Segment(depth, generation);
    if (keep === undefined) {
      this.copyInto(to);
      to.access = this.access.slice();
      to.deadlines = this.deadlines === null ? null : this.deadlines.slice();
      to.soonest = this.soonest;
      return to;
    }
    for (let i = 0; i < this.size; i++) {
      const hash = this.hashAt(i);
      if (!keep(hash)) continue;
      const at = to.append(this.keys[i], this.values[i], hash);
      to.access[at] = this.access[i];
      if (this.deadlines !== null && this.deadlines[i] !== 0) to.setDeadline(at, this.deadlines[i]);
    }
    return to;
  }

  private widen(): void {
    const room = Math.max(this.capacity, this.size);
    const access = new Uint32Array(room);
    access.set(this.access);
    this.access = access;
    if (this.deadlines !== null) {
      const deadlines = new Float64Array(room);
      deadlines.set(this.deadlines);
      this.deadlines = deadlines;
    }
  }
}
