// What Redis kept small values in before the listpack: ziplists (2.6 to 6.2) and zipmaps (hashes before 2.6). Both are
// only read. decode.ts calls it.
import { bytesToString } from '../../resp/bytes.ts';
import { RdbError } from './format.ts';

const HEADER = 10;
const END = 0xff;
/** From here on a length takes four bytes more. */
const LONG = 254;
/** The number of entries, where it is not counted. */
const UNCOUNTED = 65535;

/**
 * The entries of a ziplist, integers as their digits.
 * @throws RdbError where anything about it is wrong
 */
export function readZiplist(bytes: Uint8Array): string[] {
  const broken = (what: string): RdbError => new RdbError(`ziplist: ${what}`);
  const last = bytes.length - 1;
  if (last < HEADER) throw broken('too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== bytes.length) throw broken('wrong number of bytes');
  if (bytes[last] !== END) throw broken('no end mark');
  const entries: string[] = [];
  let previous = 0;
  let start = HEADER;
  let tail = HEADER;
  const within = (at: number): void => {
    if (at > last) throw broken('an entry reaches beyond the end');
  };
  for (let at = start; at < last; start = at) {
    tail = at;
    if (bytes[at] === LONG) within(at + 5);
    const before = bytes[at] === LONG ? view.getUint32(at + 1, true) : bytes[at];
    if (before !== previous) throw broken('wrong length before an entry');
    at += bytes[at] === LONG ? 5 : 1;
    within(at + 1);
    const first = bytes[at];
    if (first < 0xc0) {
      const size = first < 0x40 ? 1 : first < 0x80 ? 2 : 5;
      within(at + size);
      const length =
        size === 1
          ? first
          : size === 2
            ? ((first & 0x3f) << 8) | bytes[at + 1]
            : view.getUint32(at + 1, false);
      at += size;
      within(at + length);
      entries.push(bytesToString(bytes, at, at + length));
      at += length;
    } else {
      const size = integerSize(first);
      if (size < 0) throw broken('unknown encoding');
      within(at + 1 + size);
      entries.push(String(integerAt(view, at + 1, first, size)));
      at += 1 + size;
    }
    previous = at - start;
  }
  if (view.getUint32(4, true) !== tail) throw broken('wrong place of the last entry');
  const count = view.getUint16(8, true);
  if (count !== UNCOUNTED && count !== entries.length) throw broken('wrong number of entries');
  return entries;
}

function integerSize(first: number): number {
  switch (first) {
    case 0xc0:
      return 2;
    case 0xd0:
      return 4;
    case 0xe0:
      return 8;
    case 0xf0:
      return 3;
    case 0xfe:
      return 1;
    default:
      return first > 0xf0 && first < 0xfe ? 0 : -1;
  }
}

function integerAt(view: DataView, at: number, first: number, size: number): number | bigint {
  switch (size) {
    case 0:
      return (first & 0x0f) - 1;
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getInt16(at, true);
    case 3:
      return (view.getInt8(at + 2) << 16) | view.getUint16(at, true);
    case 4:
      return view.getInt32(at, true);
    default:
      return view.getBigInt64(at, true);
  }
}

/**
 * Fields and values of a zipmap, in turn.
 * @throws RdbError where anything about it is wrong
 */
export function readZipmap(bytes: Uint8Array): string[] {
  const broken = (what: string): RdbError => new RdbError(`zipmap: ${what}`);
  const last = bytes.length - 1;
  if (last < 1) throw broken('too short');
  if (bytes[last] !== END) throw broken('no end mark');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: string[] = [];
  for (let at = 1; at < last; ) {
    const isValue = entries.length % 2 === 1;
    if (bytes[at] === END) throw broken('ends too early');
    if (bytes[at] === LONG && at + 5 > last) throw broken('an entry reaches beyond the end');
    const length = bytes[at] === LONG ? view.getUint32(at + 1, true) : bytes[at];
    at += bytes[at] === LONG ? 5 : 1;
    // A value has a byte that tells how much room lies unused behind it.
    const unused = isValue ? bytes[at++] : 0;
    if (at + length + unused > last) throw broken('an entry reaches beyond the end');
    entries.push(bytesToString(bytes, at, at + length));
    at += length + unused;
  }
  if (entries.length % 2 === 1) throw broken('a field without a value');
  if (bytes[0] < LONG && bytes[0] !== entries.length / 2) throw broken('wrong number of entries');
  return entries;
}
