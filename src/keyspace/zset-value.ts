// A sorted set. A small one (Redis' listpack) is just a sorted pair of arrays; a big one (skiplist) is an ordered
// index beside a dict from member to score. The sorted-set and geo commands, SORT and persistence use it.
import { Dict } from '../data/dict.ts';
import { OrderedIndex } from '../data/ordered.ts';
import { Collection, type EncodingLimits } from './values.ts';

/** Up to this many entries arrays are kept exactly as long as they are; V8 would give them room for 17. */
const EXACT = 12;

/** Scores between two bounds, each inclusive or not. */
export interface ScoreRange {
  readonly min: number;
  readonly minExclusive: boolean;
  readonly max: number;
  readonly maxExclusive: boolean;
}

/** Members between two bounds, each inclusive or not; null is without bound. `empty` where no member can fit. */
export interface LexRange {
  readonly min: string | null;
  readonly minExclusive: boolean;
  readonly max: string | null;
  readonly maxExclusive: boolean;
  readonly empty: boolean;
}

/** Ranks from `start` to before `end`. */
export interface Ranks {
  readonly start: number;
  readonly end: number;
}

const NONE: Ranks = { start: 0, end: 0 };
const EMPTY_DICT = new Dict<number>();

export class ZsetValue extends Collection {
  // Small form: sorted by score, then by bytes of the member. Empty once `order` is there.
  private members: string[] = [];
  private scores: number[] = [];
  // Big form; never goes back to the small one, as in Redis.
  private order: OrderedIndex | null = null;
  private dict: Dict<number> = EMPTY_DICT;

  /** A set of members in order with their scores, in the form that the limits ask for. The arrays are given away. */
  static fromSorted(members: string[], scores: number[], limits: EncodingLimits): ZsetValue {
    const value = new ZsetValue();
    value.members = members;
    value.scores = scores;
    if (members.length > limits.zsetMaxListpackEntries || anyLonger(members, limits.zsetMaxListpackValue)) {
      value.grow();
    } else {
      for (let i = 0; i < scores.length; i++) scores[i] = unsignedZero(scores[i]);
    }
    return value;
  }

  get type(): 'zset' {
    return 'zset';
  }

  get size(): number {
    return this.order === null ? this.members.length : this.order.size;
  }

  encoding(): 'listpack' | 'skiplist' {
    return this.order === null ? 'listpack' : 'skiplist';
  }

  clone(): ZsetValue {
    const copy = new ZsetValue();
    copy.members = this.members.slice();
    copy.scores = this.scores.slice();
    if (this.order !== null) {
      copy.order = this.order.clone();
      copy.dict = this.dict.clone();
    }
    return copy;
  }

  // ---- by member

  /** Place of a member, or -1. Places are not ranks, and stay valid only until the next change. */
  find(member: string): number {
    if (this.order !== null) return this.dict.find(member);
    const { members } = this;
    for (let i = 0; i < members.length; i++) if (members[i] === member) return i;
    return -1;
  }

  /** Member at a place in 0..size-1, for draws by chance. */
  memberAt(place: number): string {
    return this.order === null ? this.members[place] : this.dict.keyAt(place);
  }

  /** Score at a place. */
  scoreAt(place: number): number {
    return this.order === null ? this.scores[place] : this.dict.valueAt(place);
  }

  /** Score of a member, or undefined. */
  get(member: string): number | undefined {
    if (this.order !== null) return this.dict.get(member);
    const place = this.find(member);
    return place < 0 ? undefined : this.scores[place];
  }

  /** Rank of the member at a place, counted from the lowest. */
  rankAt(place: number): number {
    if (this.order === null) return place;
    return this.order.rankOf(this.dict.valueAt(place), this.dict.keyAt(place));
  }

  /** Adds a member that is known to be absent. */
  insert(member: string, score: number, limits: EncodingLimits): void {
    if (this.order === null) {
      if (
        this.members.length < limits.zsetMaxListpackEntries &&
        member.length <= limits.zsetMaxListpackValue
      ) {
        this.insertSmall(member, unsignedZero(score));
        return;
      }
      this.grow();
    }
    (this.order as OrderedIndex).insert(score, member);
    this.dict.append(member, score);
  }

  /** Changes the score at a place. */
  update(place: number, score: number): void {
    if (this.order !== null) {
      const member = this.dict.keyAt(place);
      this.order.delete(this.dict.valueAt(place), member);
      this.order.insert(score, member);
      this.dict.setValueAt(place, score);
      return;
    }
    const member = this.members[place];
    const { members, scores } = this;
    const fresh = unsignedZero(score);
    // Slides the entry to where it belongs.
    let at = place;
    for (; at > 0 && isAfter(scores[at - 1], members[at - 1], fresh, member); at--) {
      scores[at] = scores[at - 1];
      members[at] = members[at - 1];
    }
    for (; at < members.length - 1 && !isAfter(scores[at + 1], members[at + 1], fresh, member); at++) {
      scores[at] = scores[at + 1];
      members[at] = members[at + 1];
    }
    scores[at] = fresh;
    members[at] = member;
  }

  /** Removes the member at a place. */
  removeAt(place: number): void {
    if (this.order === null) {
      this.members.splice(place, 1);
      this.scores.splice(place, 1);
      return;
    }
    this.order.delete(this.dict.valueAt(place), this.dict.keyAt(place));
    this.dict.removeAt(place);
  }

  // ---- by rank

  /** Visits up to `count` entries from a rank on, upwards or (`reverse`) downwards. Nothing may change meanwhile. */
  forEach(
    start: number,
    count: number,
    reverse: boolean,
    visit: (member: string, score: number) => void,
  ): void {
    if (this.order !== null) {
      this.order.forEach(start, count, reverse, visit);
      return;
    }
    const step = reverse ? -1 : 1;
    for (let i = start, left = count; left > 0 && i >= 0 && i < this.members.length; i += step, left--) {
      visit(this.members[i], this.scores[i]);
    }
  }

  /** Removes `count` entries from a rank on. */
  removeRanks(start: number, count: number): void {
    if (this.order === null) {
      this.members.splice(start, count);
      this.scores.splice(start, count);
      return;
    }
    const { dict } = this;
    this.order.removeRange(start, count, (member) => {
      dict.delete(member);
    });
  }

  /** Ranks of the entries with these scores. */
  ranksByScore(range: ScoreRange): Ranks {
    const { min, max, minExclusive, maxExclusive } = range;
    if (min > max || (min === max && (minExclusive || maxExclusive))) return NONE;
    const start = this.countBelow(min, minExclusive);
    return { start, end: Math.max(start, this.countBelow(max, !maxExclusive)) };
  }

  /**
   * Ranks of the entries with these members, without the first `skip` of them (the last, when read in reverse). It means
   * something only where all scores are equal. Where they are not, a small set answers what Redis finds by walking its
   * listpack, which looks for the far end only behind what it skips.
   */
  ranksByLex(range: LexRange, reverse = false, skip = 0): Ranks {
    if (range.empty) return NONE;
    if (this.order === null) return reverse ? this.walkLexDown(range, skip) : this.walkLexUp(range, skip);
    const { order } = this;
    const { min, max } = range;
    const start = min === null ? 0 : order.rankOfLex(min, range.minExclusive);
    const end = max === null ? order.size : order.rankOfLex(max, !range.maxExclusive);
    if (start + skip >= end) return NONE;
    return reverse ? { start, end: end - skip } : { start: start + skip, end };
  }

  // ---- the rest

  /** Visits entries for ZSCAN and answers the next cursor; a small set is visited whole. */
  scan(cursor: number, count: number, visit: (member: string, score: number) => void): number {
    if (this.order !== null) return this.dict.scan(cursor, count, visit);
    this.forEach(0, this.size, false, visit);
    return 0;
  }

  /** Takes the big form, whatever the size: ZADD does it ahead for many members. */
  grow(): void {
    if (this.order !== null) return;
    const { members, scores } = this;
    this.order = OrderedIndex.fromSorted(members, scores);
    this.dict = new Dict<number>();
    for (let i = 0; i < members.length; i++) this.dict.append(members[i], scores[i]);
    this.members = [];
    this.scores = [];
  }

  private insertSmall(member: string, score: number): void {
    let low = 0;
    let high = this.members.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (isAfter(this.scores[mid], this.members[mid], score, member)) high = mid;
      else low = mid + 1;
    }
    if (this.members.length < EXACT) {
      this.members = this.members.concat(member);
      this.scores = this.scores.concat(score);
    } else {
      this.members.push(member);
      this.scores.push(score);
    }
    const { members, scores } = this;
    for (let i = members.length - 1; i > low; i--) {
      members[i] = members[i - 1];
      scores[i] = scores[i - 1];
    }
    members[low] = member;
    scores[low] = score;
  }

  // How many entries have a lower score; with `orEqual`, a lower or the same.
  private countBelow(score: number, orEqual: boolean): number {
    if (this.order !== null) return this.order.rankOfScore(score, orEqual);
    const { scores } = this;
    let low = 0;
    let high = scores.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (scores[mid] < score || (orEqual && scores[mid] === score)) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  private walkLexUp(range: LexRange, skip: number): Ranks {
    const { members } = this;
    const n = members.length;
    let start = this.outsideLex(range) ? n : 0;
    while (start < n && !isAtLeast(members[start], range)) start++;
    if (start === n || !isAtMost(members[start], range)) return NONE;
    start = Math.min(n, start + skip);
    let end = start;
    while (end < n && isAtMost(members[end], range)) end++;
    return { start, end };
  }

  private walkLexDown(range: LexRange, skip: number): Ranks {
    const { members } = this;
    let end = this.outsideLex(range) ? 0 : members.length;
    while (end > 0 && !isAtMost(members[end - 1], range)) end--;
    if (end === 0 || !isAtLeast(members[end - 1], range)) return NONE;
    end = Math.max(0, end - skip);
    let start = end;
    while (start > 0 && isAtLeast(members[start - 1], range)) start--;
    return { start, end };
  }

  private outsideLex(range: LexRange): boolean {
    const { members } = this;
    return !isAtLeast(members[members.length - 1], range) || !isAtMost(members[0], range);
  }
}

function isAfter(score: number, member: string, otherScore: number, other: string): boolean {
  return score > otherScore || (score === otherScore && member > other);
}

/** A score as a listpack holds it: whole ones are integers there, which know no -0. */
export function unsignedZero(score: number): number {
  return score + 0;
}

function isAtLeast(member: string, { min, minExclusive }: LexRange): boolean {
  return min === null || (minExclusive ? member > min : member >= min);
}

function isAtMost(member: string, { max, maxExclusive }: LexRange): boolean {
  return max === null || (maxExclusive ? member < max : member <= max);
}

function anyLonger(members: readonly string[], limit: number): boolean {
  for (const member of members) if (member.length > limit) return true;
  return false;
}
