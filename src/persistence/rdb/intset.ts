// The intset: integers of one width, ascending. decode.ts and encode.ts call it.
import { RdbError } from './format.ts';

const HEADER = 8;

/**
 * The integers of an intset as their digits, ascending.
 * @throws RdbError where anything about it is wrong
 */
export function readIntset(bytes: Uint8Array): string[] {
  if (bytes.length < HEADER) throw new RdbError('intset: too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const width = view.getUint32(0, true);
  const count = view.getUint32(4, true);
  if (width !== 2 && width !== 4 && width !== 8) throw new RdbError('intset: unknown width');
  if (bytes.length !== HEADER + width * count) throw new RdbError('intset: wrong number of bytes');
  const members: string[] = [];
  let last: number | bigint = 0;
  for (let at = HEADER; at < bytes.length; at += width) {
    const n: number | bigint =
      width === 2
        ? view.getInt16(at, true)
        : width === 4
          ? view.getInt32(at, true)
          : view.getBigInt64(at, true);
    if (at > HEADER && n <= last) throw new RdbError('intset: not in order');
    members.push(String(n));
    last = n;
  }
  return members;
}

/** The intset of these digits, which stand in order. */
export function buildIntset(members: readonly string[]): Uint8Array {
  const ends = [BigInt(members[0]), BigInt(members[members.length - 1])];
  const fits = (bits: number): boolean => ends.every((n) => BigInt.asIntN(bits, n) === n);
  const width = fits(16) ? 2 : fits(32) ? 4 : 8;
  const bytes = new Uint8Array(HEADER + width * members.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width, true);
  view.setUint32(4, members.length, true);
  for (let i = 0, at = HEADER; i < members.length; i++, at += width) {
    if (width === 2) view.setInt16(at, Number(members[i]), true);
    else if (width === 4) view.setInt32(at, Number(members[i]), true);
    else view.setBigInt64(at, BigInt(members[i]), true);
  }
  return bytes;
}
