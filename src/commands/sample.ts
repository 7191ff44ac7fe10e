// Choosing random positions of a collection, for SRANDMEMBER, SPOP, HRANDFIELD and ZRANDMEMBER.
import type { Space } from '../keyspace/space.ts';
import { ReplyError } from '../resp/reply.ts';
import { int64 } from './args.ts';
import { OUT_OF_RANGE } from './errors.ts';

const COUNT_RANGE = new ReplyError(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
);

/** Most elements with repetition that one command gives. Redis has no limit here: it runs until its memory is gone. */
const MAX_REPEATED = 2 ** 24;

/** The count argument of the commands above: negative means with repetition. */
export function randomCount(arg: string): number {
  const count = int64(arg);
  if (count === -9223372036854775808n) throw COUNT_RANGE;
  return Number(count);
}

/**
 * Positions that a count asks for, of a collection of `size` elements: all of them or `count` different ones, ascending;
 * or `-count` of any. An ascending choice shows a listpack's elements in their order, as Redis does.
 */
export function samplePositions(space: Space, size: number, count: number): number[] {
  if (count < 0) return repeatedPositions(space, size, -count);
  if (count === 1) return [space.randomInt(size)];
  return distinctPositions(space, size, Math.min(count, size));
}

/** `count` different positions below `size`, ascending. */
export function distinctPositions(space: Space, size: number, count: number): number[] {
  if (count * 3 <= size) return sparsePositions(space, size, count);
  const chosen: number[] = [];
  for (let at = 0; chosen.length < count; at++) {
    // Each of the rest is as likely as the others; certain once all of the rest are needed.
    if (space.randomInt(size - at) < count - chosen.length) chosen.push(at);
  }
  return chosen;
}

// Floyd's algorithm: as many steps as positions, whatever the source of chance gives.
function sparsePositions(space: Space, size: number, count: number): number[] {
  const chosen = new Set<number>();
  for (let top = size - count; top < size; top++) {
    const at = space.randomInt(top + 1);
    chosen.add(chosen.has(at) ? top : at);
  }
  return [...chosen].sort((a, b) => a - b);
}

function repeatedPositions(space: Space, size: number, count: number): number[] {
  if (count > MAX_REPEATED) throw OUT_OF_RANGE;
  const chosen: number[] = [];
  for (let i = 0; i < count; i++) chosen.push(space.randomInt(size));
  return chosen;
}
