// Values into the form in which an RDB file or payload holds them: as Redis 7 writes them, by the encoding that OBJECT
// ENCODING names. writer.ts and payload.ts call it.
import { formatDouble } from '../../data/numbers.ts';
import { HashValue } from '../../keyspace/hash-value.ts';
import { ListValue } from '../../keyspace/list-value.ts';
import { SetValue } from '../../keyspace/set-value.ts';
import { StreamValue } from '../../keyspace/stream-value.ts';
import { RawString, type Value } from '../../keyspace/values.ts';
import { ZsetValue } from '../../keyspace/zset-value.ts';
import { Type, type WrittenVersion } from './format.ts';
import { buildIntset } from './intset.ts';
import { ListpackBuilder } from './listpack.ts';
import type { RdbOutput } from './output.ts';
import { writeStream } from './stream.ts';

/** Container of a quicklist's node that is a listpack. */
const PACKED = 2;
/** A node that takes more than this is written as several: it came from a list that was made in one go. */
const LONGEST_NODE = 64 * 1024;

/** So many elements are written at a time, and between any two yields so many bytes at least. */
const STEP = 256;
const YIELD_BYTES = 256 * 1024;

const builder = new ListpackBuilder();

/** The type byte in front of a value. */
export function typeByte(value: Value, version: WrittenVersion): number {
  if (value instanceof HashValue) return value.encoding() === 'listpack' ? Type.hashListpack : Type.hash;
  if (value instanceof ListValue) return Type.listQuicklist2;
  if (value instanceof ZsetValue) return value.encoding() === 'listpack' ? Type.zsetListpack : Type.zset;
  if (value instanceof StreamValue) return version >= 11 ? Type.stream3 : Type.stream2;
  if (value instanceof SetValue) {
    if (value.encoding() === 'intset') return Type.setIntset;
    return version >= 11 && value.encoding() === 'listpack' ? Type.setListpack : Type.set;
  }
  return Type.string;
}

/**
 * Writes a value, without its type byte. A big one is left unfinished: the rest is written by whoever runs what is
 * answered to its end, a piece for each step. The value may not change meanwhile.
 */
export function encodeValue(
  out: RdbOutput,
  value: Value,
  version: WrittenVersion,
): Iterator<void, void> | null {
  if (value instanceof HashValue && value.encoding() !== 'listpack') {
    return elements(out, value.size, (from, to) => {
      for (let i = from; i < to; i++) {
        out.string(value.fieldAt(i));
        out.string(value.valueAt(i));
      }
    });
  }
  if (value instanceof SetValue && typeByte(value, version) === Type.set) {
    return elements(out, value.size, (from, to) => {
      for (let i = from; i < to; i++) out.string(value.at(i));
    });
  }
  if (value instanceof ZsetValue && value.encoding() !== 'listpack') {
    // From the highest to the lowest: Redis then puts each in front of the others.
    return elements(out, value.size, (from, to) => {
      value.forEach(value.size - 1 - from, to - from, true, (member, score) => {
        out.string(member);
        out.double(score);
      });
    });
  }
  if (value instanceof ListValue) {
    const ends = nodeEnds(value);
    return elements(out, ends.length, (from, to) => {
      for (let i = from; i < to; i++) {
        for (const element of value.slice(i === 0 ? 0 : ends[i - 1], ends[i])) builder.add(element);
        out.length(PACKED);
        out.blob(builder.build());
      }
    });
  }
  encodeSmall(out, value, version);
  return null;
}

// What is small, or cannot be written in pieces.
function encodeSmall(out: RdbOutput, value: Value, version: WrittenVersion): void {
  if (value instanceof HashValue) {
    for (let i = 0; i < value.size; i++) {
      builder.add(value.fieldAt(i));
      builder.add(value.valueAt(i));
    }
    out.blob(builder.build());
  } else if (value instanceof SetValue) {
    if (value.encoding() === 'intset') {
      out.blob(buildIntset(value.members()));
    } else {
      for (const member of value.members()) builder.add(member);
      out.blob(builder.build());
    }
  } else if (value instanceof ZsetValue) {
    value.forEach(0, value.size, false, (member, score) => {
      builder.add(member);
      builder.add(formatDouble(score));
    });
    out.blob(builder.build());
  } else if (value instanceof StreamValue) {
    writeStream(out, value, version >= 11 ? 3 : 2);
  } else if (value instanceof RawString) {
    out.string(value.toString());
  } else {
    out.string(String(value));
  }
}

function elements(
  out: RdbOutput,
  count: number,
  write: (from: number, to: number) => void,
): Iterator<void, void> | null {
  out.length(count);
  if (count <= STEP) {
    write(0, count);
    return null;
  }
  return inSteps(out, count, write);
}

function* inSteps(
  out: RdbOutput,
  count: number,
  write: (from: number, to: number) => void,
): Generator<void, void> {
  let yielded = out.size;
  for (let from = 0; from < count; from += STEP) {
    write(from, Math.min(count, from + STEP));
    if (out.size - yielded < YIELD_BYTES) continue;
    yielded = out.size;
    yield;
  }
}

// Where each node ends: as the list has them, but no longer than LONGEST_NODE.
function nodeEnds(list: ListValue): number[] {
  const ends: number[] = [];
  const counts = list.nodeCounts() ?? [list.size];
  let start = 0;
  for (let node = 0; node < counts.length; node++) {
    const count = counts[node];
    if (list.nodeBytes(node) <= LONGEST_NODE) {
      start += count;
      ends.push(start);
      continue;
    }
    let bytes = 0;
    list.forEachFrom(start, 1, (element, index) => {
      if (index === start + count) return true;
      if (bytes > 0 && bytes + element.length > LONGEST_NODE) {
        ends.push(index);
        bytes = 0;
      }
      bytes += element.length + 2;
      return false;
    });
    start += count;
    ends.push(start);
  }
  return ends;
}
