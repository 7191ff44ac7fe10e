// Values of an RDB file or payload, in every form that Redis 2.6 to 7.2 has written them in. reader.ts and payload.ts
// call it.
import { Dict } from '../../data/dict.ts';
import { parseDouble } from '../../data/numbers.ts';
import { HashValue } from '../../keyspace/hash-value.ts';
import { ListValue } from '../../keyspace/list-value.ts';
import { SetValue } from '../../keyspace/set-value.ts';
import type { EncodingLimits, Value } from '../../keyspace/values.ts';
import { ZsetValue } from '../../keyspace/zset-value.ts';
import { RdbError, Type } from './format.ts';
import type { RdbInput } from './input.ts';
import { readIntset } from './intset.ts';
import { readListpack } from './listpack.ts';
import { readStream } from './stream.ts';
import { readZiplist, readZipmap } from './ziplist.ts';

/** Containers of a quicklist's node. */
const PLAIN = 1;
const PACKED = 2;

/**
 * Reads the value behind its type byte. Null is an empty collection, which no key holds: Redis leaves it out of what it
 * loads.
 * @throws RdbError where anything about it is wrong
 */
export function decodeValue(input: RdbInput, type: number, limits: EncodingLimits): Value | null {
  const value = decode(input, type, limits);
  const isEmpty = typeof value === 'object' && value.size === 0 && value.type !== 'stream';
  return isEmpty ? null : value;
}

function decode(input: RdbInput, type: number, limits: EncodingLimits): Value {
  switch (type) {
    case Type.string:
      return input.string();
    case Type.list:
      return plainList(input, limits);
    case Type.listZiplist:
      return ListValue.ofNodes([readZiplist(input.blob())], limits.listMaxListpackSize);
    case Type.listQuicklist:
      return ListValue.ofNodes(nodes(input, false), limits.listMaxListpackSize);
    case Type.listQuicklist2:
      return ListValue.ofNodes(nodes(input, true), limits.listMaxListpackSize);
    case Type.set:
      return plainSet(input, limits);
    case Type.setIntset:
      return filledSet(new SetValue(), readIntset(input.blob()), limits);
    case Type.setListpack:
      return filledSet(SetValue.listpack(), readListpack(input.blob()), limits);
    case Type.zsetText:
    case Type.zset:
      return plainZset(input, type, limits);
    case Type.zsetZiplist:
      return packedZset(readZiplist(input.blob()), limits);
    case Type.zsetListpack:
      return packedZset(readListpack(input.blob()), limits);
    case Type.hash:
      return plainHash(input, limits);
    case Type.hashZipmap:
      return packedHash(readZipmap(input.blob()), limits);
    case Type.hashZiplist:
      return packedHash(readZiplist(input.blob()), limits);
    case Type.hashListpack:
      return packedHash(readListpack(input.blob()), limits);
    case Type.stream:
      return readStream(input, 1);
    case Type.stream2:
      return readStream(input, 2);
    case Type.stream3:
      return readStream(input, 3);
    case Type.module:
    case Type.module2:
      throw new RdbError('the value of a module, of which there are none');
    default:
      throw new RdbError(`unknown type ${type}`);
  }
}

// Counts are never trusted with room: what they promise must come.
function plainList(input: RdbInput, limits: EncodingLimits): ListValue {
  const elements: string[] = [];
  for (let left = input.length(); left > 0; left--) elements.push(input.string());
  const list = new ListValue();
  list.push(elements, 0, false, limits.listMaxListpackSize);
  return list;
}

function* nodes(input: RdbInput, contained: boolean): Generator<string[]> {
  for (let left = input.length(); left > 0; left--) {
    const container = contained ? input.length() : PACKED;
    if (container === PLAIN) {
      yield [input.string()];
    } else if (container === PACKED) {
      const entries = contained ? readListpack(input.blob()) : readZiplist(input.blob());
      if (entries.length > 0) yield entries;
    } else {
      throw new RdbError('unknown container of a list');
    }
  }
}

function plainSet(input: RdbInput, limits: EncodingLimits): SetValue {
  const set = new SetValue();
  const count = input.length();
  for (let i = 0; i < count; i++) {
    const member = input.string();
    if (i === 0) set.expect(member, count, limits);
    if (!set.add(member, limits)) throw twice('member of a set');
  }
  set.trim();
  return set;
}

function filledSet(set: SetValue, members: readonly string[], limits: EncodingLimits): SetValue {
  for (const member of members) if (!set.add(member, limits)) throw twice('member of a set');
  set.trim();
  return set;
}

function plainHash(input: RdbInput, limits: EncodingLimits): HashValue {
  const hash = new HashValue();
  const count = input.length();
  hash.expect(count, limits);
  for (let left = count; left > 0; left--) {
    const field = input.string();
    if (!hash.set(field, input.string(), limits)) throw twice('field of a hash');
  }
  hash.trim();
  return hash;
}

function packedHash(entries: readonly string[], limits: EncodingLimits): HashValue {
  if (entries.length % 2 !== 0) throw new RdbError('a field of a hash without a value');
  const hash = new HashValue();
  hash.expect(entries.length / 2, limits);
  for (let i = 0; i < entries.length; i += 2) {
    if (!hash.set(entries[i], entries[i + 1], limits)) throw twice('field of a hash');
  }
  hash.trim();
  return hash;
}

function plainZset(input: RdbInput, type: number, limits: EncodingLimits): ZsetValue {
  const members: string[] = [];
  const scores: number[] = [];
  for (let left = input.length(); left > 0; left--) {
    members.push(input.string());
    scores.push(type === Type.zset ? input.double() : textScore(input));
  }
  return zset(members, scores, limits);
}

function packedZset(entries: readonly string[], limits: EncodingLimits): ZsetValue {
  if (entries.length % 2 !== 0) throw new RdbError('a member of a sorted set without a score');
  const members: string[] = [];
  const scores: number[] = [];
  for (let i = 0; i < entries.length; i += 2) {
    members.push(entries[i]);
    scores.push(score(entries[i + 1]));
  }
  return zset(members, scores, limits);
}

// Before Redis 4 scores were texts behind their length, of which the last three stand for what has no digits.
function textScore(input: RdbInput): number {
  const length = input.byte();
  if (length === 253) return Number.NaN;
  if (length === 254) return Number.POSITIVE_INFINITY;
  if (length === 255) return Number.NEGATIVE_INFINITY;
  return score(input.text(length));
}

function score(text: string): number {
  const value = parseDouble(text);
  if (value === null) throw new RdbError('a score that is no number');
  return value;
}

function zset(members: string[], scores: number[], limits: EncodingLimits): ZsetValue {
  const seen = new Dict<undefined>();
  for (let i = 0; i < members.length; i++) {
    if (Number.isNaN(scores[i])) throw new RdbError('a score that is no number');
    if (!seen.set(members[i], undefined)) throw twice('member of a sorted set');
  }
  // Redis writes large ones from the highest to the lowest.
  const last = members.length - 1;
  if (last > 0 && before(members, scores, last, 0)) {
    members.reverse();
    scores.reverse();
  }
  if (isSorted(members, scores)) return ZsetValue.fromSorted(members, scores, limits);
  const order = members.map((_, i) => i).sort((a, b) => (before(members, scores, a, b) ? -1 : 1));
  return ZsetValue.fromSorted(
    order.map((i) => members[i]),
    order.map((i) => scores[i]),
    limits,
  );
}

function before(members: readonly string[], scores: readonly number[], a: number, b: number): boolean {
  return scores[a] < scores[b] || (scores[a] === scores[b] && members[a] < members[b]);
}

function isSorted(members: readonly string[], scores: readonly number[]): boolean {
  for (let i = 1; i < members.length; i++) if (!before(members, scores, i - 1, i)) return false;
  return true;
}

function twice(what: string): RdbError {
  return new RdbError(`a ${what} is there twice`);
}
