// An ordered set of (score, member) pairs with ranks: the order half of a Redis sorted set. Redis uses a skip list; here
// it is a table of small sorted blocks, for V8 moves a hundred array slots faster than it follows ten pointers, and an
// entry costs two array slots and no object. Used by the sorted-set type of the keyspace, beside its member → score map.

/** Most entries in a block: an insertion moves half of one at most. */
const CAP = 128;

/** Two neighbouring blocks are joined when together they fill no more than this, so that joining and splitting never alternate. */
const JOIN = CAP / 2;

/** Entries per block when built in bulk: three quarters, so that the next insertions do not split every block. */
const BULK = (CAP / 4) * 3;

/** Parallel arrays, sorted. Only the index whose `owner` number this is may write to it; another one copies it. */
class Block {
  scores: number[];
  members: string[];
  owner: number;

  constructor(scores: number[], members: string[], owner: number) {
    this.scores = scores;
    this.members = members;
    this.owner = owner;
  }
}

/** The last owner number given out. */
let lastOwner = 0;

/**
 * Pairs of a score (infinities included, never NaN) and a byte string, ordered by score and then by memcmp of the member.
 * -0 equals 0 in order and keeps its sign when read. The index does not know whether a member is present under another
 * score: its user keeps a map for that, and deletes the old pair before inserting the new one.
 *
 * Everything is O(log n) but for two passes over the block table (some 10,000 numbers for a million entries): when a
 * block is split or dropped, and at the first question about ranks after that. Callbacks must not change the index.
 */
export class OrderedIndex {
  // No block in the table is empty. lows[k] and firsts[k] repeat the first score and member of blocks[k]: a search reads
  // two arrays instead of following three pointers a step.
  private blocks: Block[] = [];
  private lows: number[] = [];
  private firsts: string[] = [];
  private count = 0;
  // A Fenwick tree of block sizes, from which ranks come: sums[i] holds the entries of the blocks (i - lowbit(i), i] when
  // blocks are counted from 1. Null when blocks have come or gone since it was built; a run of insertions never builds it.
  private sums: Int32Array | null = null;
  // After clone() both indexes take a new number, and so own none of the blocks they hold in common.
  private owner = ++lastOwner;

  /** An index of members and their scores, given in order and without repetition. The arrays are copied. */
  static fromSorted(members: readonly string[], scores: readonly number[]): OrderedIndex {
    const index = new OrderedIndex();
    for (let i = 0; i < members.length; i += BULK) {
      index.blocks.push(new Block(scores.slice(i, i + BULK), members.slice(i, i + BULK), index.owner));
      index.lows.push(scores[i]!);
      index.firsts.push(members[i]!);
    }
    index.count = members.length;
    return index;
  }

  /** Number of entries. */
  get size(): number {
    return this.count;
  }

  /** Adds a pair, which must not be present. */
  insert(score: number, member: string): void {
    this.count++;
    if (this.count === 1) {
      this.blocks = [new Block([score], [member], this.owner)];
      this.lows = [score];
      this.firsts = [member];
      this.sums = null;
      return;
    }
    let k = this.blockFor(score, member);
    let block = this.own(k);
    let at = lowerBound(block, score, member);
    if (block.members.length === CAP) {
      // Scores that only grow (timestamps) always land at the very end: there, full blocks are left full.
      const appends = at === CAP && k === this.blocks.length - 1;
      const cut = appends ? CAP : CAP / 2;
      const upper = new Block(block.scores.splice(cut), block.members.splice(cut), this.owner);
      this.blocks.splice(k + 1, 0, upper);
      this.lows.splice(k + 1, 0, appends ? score : upper.scores[0]!);
      this.firsts.splice(k + 1, 0, appends ? member : upper.members[0]!);
      this.sums = null;
      if (at > cut || appends) {
        at -= cut;
        block = upper;
        k++;
      }
    }
    const { scores, members } = block;
    // By hand: for so few elements a loop beats two calls of splice, which also allocate.
    scores.push(score);
    members.push(member);
    for (let i = members.length - 1; i > at; i--) {
      scores[i] = scores[i - 1]!;
      members[i] = members[i - 1]!;
    }
    scores[at] = score;
    members[at] = member;
    if (at === 0) this.setLow(k, score, member);
    if (this.sums !== null) this.adjust(k, 1);
  }

  /** Removes a pair. Returns whether it was there. */
  delete(score: number, member: string): boolean {
    if (this.count === 0) return false;
    const k = this.blockFor(score, member);
    const at = lowerBound(this.blocks[k]!, score, member);
    if (!holds(this.blocks[k]!, at, score, member)) return false;
    const { scores, members } = this.own(k);
    const last = members.length - 1;
    for (let i = at; i < last; i++) {
      scores[i] = scores[i + 1]!;
      members[i] = members[i + 1]!;
    }
    scores.pop();
    members.pop();
    this.count--;
    if (this.sums !== null) this.adjust(k, -1);
    if (last <= JOIN) this.tidy(k, k + 1);
    else if (at === 0) this.setLow(k, scores[0]!, members[0]!);
    return true;
  }

  /** Number of entries before this pair, or -1 when it is absent. */
  rankOf(score: number, member: string): number {
    if (this.count === 0) return -1;
    const k = this.blockFor(score, member);
    const block = this.blocks[k]!;
    const at = lowerBound(block, score, member);
    return holds(block, at, score, member) ? this.before(k) + at : -1;
  }

  /** The entry with `rank` entries before it; the rank must be in [0, size). */
  at(rank: number): { score: number; member: string } {
    const k = this.blockAt(rank);
    const block = this.blocks[k]!;
    const i = rank - this.before(k);
    return { score: block.scores[i]!, member: block.members[i]! };
  }

  /** The score at a rank in [0, size). */
  scoreAt(rank: number): number {
    const k = this.blockAt(rank);
    return this.blocks[k]!.scores[rank - this.before(k)]!;
  }

  /** The member at a rank in [0, size). */
  memberAt(rank: number): string {
    const k = this.blockAt(rank);
    return this.blocks[k]!.members[rank - this.before(k)]!;
  }

  /** Number of entries with a score less than `score`; with `exclusive`, less than or equal to it. */
  rankOfScore(score: number, exclusive: boolean): number {
    // The last block whose first entry counts is the one where counting stops.
    let low = -1;
    let high = this.lows.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      const first = this.lows[mid]!;
      if (first < score || (exclusive && first === score)) low = mid;
      else high = mid - 1;
    }
    if (low === -1) return 0;
    const { scores } = this.blocks[low]!;
    let a = 0;
    let b = scores.length;
    while (a < b) {
      const mid = (a + b) >> 1;
      const here = scores[mid]!;
      if (here < score || (exclusive && here === score)) a = mid + 1;
      else b = mid;
    }
    return this.before(low) + a;
  }

  /**
   * Number of entries with a member less than `member`; with `exclusive`, less than or equal to it. Means something only
   * when all scores are equal, as ZRANGEBYLEX asks.
   */
  rankOfLex(member: string, exclusive: boolean): number {
    let low = -1;
    let high = this.firsts.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      const first = this.firsts[mid]!;
      if (first < member || (exclusive && first === member)) low = mid;
      else high = mid - 1;
    }
    if (low === -1) return 0;
    const { members } = this.blocks[low]!;
    let a = 0;
    let b = members.length;
    while (a < b) {
      const mid = (a + b) >> 1;
      const here = members[mid]!;
      if (here < member || (exclusive && here === member)) a = mid + 1;
      else b = mid;
    }
    return this.before(low) + a;
  }

  /**
   * Calls `fn` with up to `count` entries, from the entry at `startRank` on: towards higher ranks, or lower ones when
   * `reverse` (`startRank` counts from the lowest entry in either case). Stops early when `fn` returns true. A start
   * outside [0, size) visits nothing.
   */
  forEach(
    startRank: number,
    count: number,
    reverse: boolean,
    fn: (member: string, score: number) => unknown,
  ): void {
    if (startRank < 0 || startRank >= this.count || count <= 0) return;
    const step = reverse ? -1 : 1;
    let k = this.blockAt(startRank);
    let i = startRank - this.before(k);
    for (let left = count; ; ) {
      const { scores, members } = this.blocks[k]!;
      for (; i >= 0 && i < members.length; i += step) {
        if (left-- <= 0 || fn(members[i]!, scores[i]!) === true) return;
      }
      k += step;
      if (k < 0 || k === this.blocks.length) return;
      i = reverse ? this.blocks[k]!.members.length - 1 : 0;
    }
  }

  /**
   * Removes up to `count` entries, from the one at `startRank` upwards, and calls `onRemoved` with each in order (the
   * callback sees the index half changed, and must leave it alone). Returns how many were removed.
   */
  removeRange(startRank: number, count: number, onRemoved?: (member: string, score: number) => void): number {
    if (startRank < 0 || startRank >= this.count || count <= 0) return 0;
    const total = Math.min(count, this.count - startRank);
    const from = this.blockAt(startRank);
    let k = from;
    let i = startRank - this.before(k);
    for (let left = total; left > 0; k++) {
      const block = this.own(k);
      const taken = Math.min(left, block.members.length - i);
      const scores = block.scores.splice(i, taken);
      const members = block.members.splice(i, taken);
      if (onRemoved !== undefined) for (let j = 0; j < taken; j++) onRemoved(members[j]!, scores[j]!);
      if (this.sums !== null) this.adjust(k, -taken);
      left -= taken;
      i = 0;
    }
    this.count -= total;
    this.tidy(from, k);
    return total;
  }

  /** An index with the same entries. The blocks are shared until one of the two writes to them. */
  clone(): OrderedIndex {
    const copy = new OrderedIndex();
    copy.blocks = this.blocks.slice();
    copy.lows = this.lows.slice();
    copy.firsts = this.firsts.slice();
    copy.count = this.count;
    this.owner = ++lastOwner;
    return copy;
  }

  /** The block where this pair is or would be put: the last one whose first entry is not after it. Needs an entry. */
  private blockFor(score: number, member: string): number {
    const { lows, firsts } = this;
    let low = 0;
    let high = lows.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      const first = lows[mid]!;
      if (first < score || (first === score && firsts[mid]! <= member)) low = mid;
      else high = mid - 1;
    }
    return low;
  }

  private setLow(k: number, score: number, member: string): void {
    this.lows[k] = score;
    this.firsts[k] = member;
  }

  /** The block at `k`, made private to this index. Every write goes through here. */
  private own(k: number): Block {
    const block = this.blocks[k]!;
    if (block.owner === this.owner) return block;
    return (this.blocks[k] = new Block(block.scores.slice(), block.members.slice(), this.owner));
  }

  /** The block that holds a rank. */
  private blockAt(rank: number): number {
    if (!(rank >= 0 && rank < this.count)) {
      throw new RangeError(`rank ${rank} is outside an index of ${this.count}`);
    }
    // Both ends are answered without sums: taking the least or the greatest entry must not rebuild them.
    const last = this.blocks.length - 1;
    if (rank < this.blocks[0]!.members.length) return 0;
    if (rank >= this.count - this.blocks[last]!.members.length) return last;
    const sums = this.sums ?? this.buildSums();
    // Descend the implicit tree: take a subtree whole while its entries all come before the rank.
    let k = 0;
    let left = rank;
    for (let bit = 1 << (31 - Math.clz32(sums.length - 1)); bit > 0; bit >>= 1) {
      const next = k + bit;
      if (next < sums.length && sums[next]! <= left) {
        k = next;
        left -= sums[next]!;
      }
    }
    return k;
  }

  /** Number of entries in the blocks before `k`. */
  private before(k: number): number {
    if (k === 0) return 0;
    if (k === this.blocks.length - 1) return this.count - this.blocks[k]!.members.length;
    const sums = this.sums ?? this.buildSums();
    let total = 0;
    for (let i = k; i > 0; i &= i - 1) total += sums[i]!;
    return total;
  }

  private adjust(k: number, delta: number): void {
    const sums = this.sums!;
    for (let i = k + 1; i < sums.length; i += i & -i) sums[i]! += delta;
  }

  private buildSums(): Int32Array {
    const sums = new Int32Array(this.blocks.length + 1);
    for (let i = 1; i < sums.length; i++) {
      sums[i]! += this.blocks[i - 1]!.members.length;
      const parent = i + (i & -i);
      if (parent < sums.length) sums[parent]! += sums[i]!;
    }
    this.sums = sums;
    return sums;
  }

  /** Restores order after blocks `from` (inclusive) to `to` (exclusive) have lost entries: empty ones go, small ones join. */
  private tidy(from: number, to: number): void {
    const { blocks } = this;
    const kept: Block[] = [];
    // One block further on either side, for a block that has become small may join an untouched neighbour.
    const begin = Math.max(from - 1, 0);
    const end = Math.min(to + 1, blocks.length);
    for (let k = begin; k < end; k++) {
      const block = blocks[k]!;
      if (block.members.length === 0) continue;
      const last = kept[kept.length - 1];
      if (last !== undefined && last.members.length + block.members.length <= JOIN) {
        kept[kept.length - 1] = new Block(
          last.scores.concat(block.scores),
          last.members.concat(block.members),
          this.owner,
        );
      } else {
        kept.push(block);
      }
    }
    for (let j = 0; j < kept.length; j++) {
      blocks[begin + j] = kept[j]!;
      this.setLow(begin + j, kept[j]!.scores[0]!, kept[j]!.members[0]!);
    }
    const gone = end - begin - kept.length;
    if (gone > 0) {
      blocks.splice(begin + kept.length, gone);
      this.lows.splice(begin + kept.length, gone);
      this.firsts.splice(begin + kept.length, gone);
      this.sums = null;
    }
  }
}

/** First place in `block` whose entry is not before the pair. */
function lowerBound(block: Block, score: number, member: string): number {
  const { scores, members } = block;
  let low = 0;
  let high = members.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    const here = scores[mid]!;
    if (here < score || (here === score && members[mid]! < member)) low = mid + 1;
    else high = mid;
  }
  return low;
}

function holds(block: Block, at: number, score: number, member: string): boolean {
  return at < block.members.length && block.scores[at] === score && block.members[at] === member;
}
