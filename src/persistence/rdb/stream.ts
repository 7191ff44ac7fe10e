// Streams of an RDB file or payload, read with all that they promise checked, and written. decode.ts and encode.ts call
// it.
import { Dict } from '../../data/dict.ts';
import {
  type StreamConsumer,
  type StreamContents,
  type StreamGroup,
  type StreamId,
  type StreamNode,
  StreamValue,
} from '../../keyspace/stream-value.ts';
import { RdbError } from './format.ts';
import type { RdbInput } from './input.ts';
import { readListpack } from './listpack.ts';
import type { RdbOutput } from './output.ts';

/** Flags of an entry: it was deleted; it has the fields of the node's first. */
const DELETED = 1;
const SAME_FIELDS = 2;

const ID_BYTES = 16;
const NO_ID: StreamId = '\0'.repeat(ID_BYTES);
/** For the entries a group has read, where nobody knows. */
const UNKNOWN = 2n ** 64n - 1n;

/**
 * Reads a stream.
 * @param form 1 before Redis 7.0; 2 with the ids and counts of 7.0; 3 with the active time of consumers of 7.2
 */
export function readStream(input: RdbInput, form: 1 | 2 | 3): StreamValue {
  const nodes: StreamNode[] = [];
  let entries = 0;
  let first = NO_ID;
  for (let left = input.length(); left > 0; left--) {
    const base = input.string();
    if (base.length !== ID_BYTES) throw new RdbError('stream: wrong id of a node');
    if (nodes.length > 0 && base <= nodes[nodes.length - 1].base)
      throw new RdbError('stream: nodes out of order');
    const node = { base, entries: input.blob().slice() };
    const found = checkEntries(node);
    entries += found.count;
    if (first === NO_ID) first = found.first;
    nodes.push(node);
  }
  const length = input.length();
  if (length !== entries) throw new RdbError('stream: wrong number of entries');
  const lastId = readId(input);
  const firstId = form >= 2 ? readId(input) : first;
  const maxDeletedId = form >= 2 ? readId(input) : NO_ID;
  const added = form >= 2 ? input.uint64() : BigInt(length);
  const known = { nodes, length, lastId, firstId, maxDeletedId, added };
  const groups: StreamGroup[] = [];
  const names = new Dict<undefined>();
  for (let left = input.length(); left > 0; left--) {
    const group = readGroup(input, form, known);
    if (!names.set(group.name, undefined)) throw new RdbError('stream: a group is there twice');
    groups.push(group);
  }
  return new StreamValue({ ...known, groups });
}

function readGroup(
  input: RdbInput,
  form: 1 | 2 | 3,
  stream: Omit<StreamContents, 'nodes' | 'groups'>,
): StreamGroup {
  const name = input.string();
  const lastId = readId(input);
  const entriesRead = form >= 2 ? input.uint64() : entriesUpTo(lastId, stream);
  // What nobody owns yet.
  const unowned = new Dict<undefined>();
  const pending: { id: StreamId; deliveredAt: bigint; deliveries: bigint }[] = [];
  for (let left = input.length(); left > 0; left--) {
    const id = input.text(ID_BYTES);
    if (!unowned.set(id, undefined)) throw new RdbError('stream: an entry is pending twice');
    pending.push({ id, deliveredAt: input.int64(), deliveries: input.uint64() });
  }
  const consumers: StreamConsumer[] = [];
  const names = new Dict<undefined>();
  for (let left = input.length(); left > 0; left--) {
    const consumer = readConsumer(input, form, unowned);
    if (!names.set(consumer.name, undefined)) throw new RdbError('stream: a consumer is there twice');
    consumers.push(consumer);
  }
  if (unowned.size > 0) throw new RdbError('stream: a pending entry without a consumer');
  return { name, lastId, entriesRead, pending, consumers };
}

function readConsumer(input: RdbInput, form: 1 | 2 | 3, unowned: Dict<undefined>): StreamConsumer {
  const name = input.string();
  const seenAt = input.int64();
  const activeAt = form === 3 ? input.int64() : seenAt;
  const pending: StreamId[] = [];
  for (let left = input.length(); left > 0; left--) {
    const id = input.text(ID_BYTES);
    if (!unowned.delete(id)) throw new RdbError('stream: a consumer has what is not pending');
    pending.push(id);
  }
  return { name, seenAt, activeAt, pending };
}

function readId(input: RdbInput): StreamId {
  const ms = input.uint64();
  return idOf(ms, input.uint64());
}

const scratch = new DataView(new ArrayBuffer(ID_BYTES));

function idOf(ms: bigint, sequence: bigint): StreamId {
  scratch.setBigUint64(0, ms);
  scratch.setBigUint64(8, sequence);
  let id = '';
  for (let i = 0; i < ID_BYTES; i++) id += String.fromCharCode(scratch.getUint8(i));
  return id;
}

function idParts(id: StreamId): [ms: bigint, sequence: bigint] {
  for (let i = 0; i < ID_BYTES; i++) scratch.setUint8(i, id.charCodeAt(i));
  return [scratch.getBigUint64(0), scratch.getBigUint64(8)];
}

// As Redis does it for a stream that was written before groups counted.
function entriesUpTo(id: StreamId, stream: Omit<StreamContents, 'nodes' | 'groups'>): bigint {
  if (stream.added === 0n) return 0n;
  if (stream.length === 0 && id <= stream.lastId) return stream.added;
  if (id === stream.lastId) return stream.added;
  if (id > stream.lastId) return UNKNOWN;
  if (stream.maxDeletedId !== NO_ID && stream.maxDeletedId >= stream.firstId) return UNKNOWN;
  const before = stream.added - BigInt(stream.length);
  if (id < stream.firstId) return before;
  return id === stream.firstId ? before + 1n : UNKNOWN;
}

// Counts the entries of a node that are not deleted, and finds the first of them. The node begins with two counts and
// the fields that most entries have; each entry ends with the number of its parts.
function checkEntries({ base, entries }: StreamNode): { count: number; first: StreamId } {
  const parts = readListpack(entries);
  let at = 0;
  const number = (): number => {
    const text = parts[at++];
    const n = text === undefined || text === '' ? Number.NaN : Number(text);
    if (!Number.isSafeInteger(n) || n < 0) throw new RdbError('stream: an entry is broken');
    return n;
  };
  const skip = (count: number): void => {
    at += count;
    if (at > parts.length) throw new RdbError('stream: an entry is broken');
  };
  const promised = number();
  const promisedDeleted = number();
  const fields = number();
  skip(fields);
  if (number() !== 0) throw new RdbError('stream: an entry is broken');
  let count = 0;
  let deleted = 0;
  let first = NO_ID;
  while (at < parts.length) {
    const start = at;
    const flags = number();
    skip(2);
    skip((flags & SAME_FIELDS) !== 0 ? fields : 2 * number());
    const size = at - start;
    if (number() !== size) throw new RdbError('stream: an entry is broken');
    if ((flags & DELETED) !== 0) {
      deleted++;
      continue;
    }
    count++;
    if (first === NO_ID) first = moved(base, parts[start + 1], parts[start + 2]);
  }
  if (count !== promised || deleted !== promisedDeleted)
    throw new RdbError('stream: wrong number of entries');
  return { count, first };
}

function moved(base: StreamId, ms: string, sequence: string): StreamId {
  if (!/^-?\d{1,20}$/.test(ms) || !/^-?\d{1,20}$/.test(sequence))
    throw new RdbError('stream: an entry is broken');
  const [baseMs, baseSequence] = idParts(base);
  return idOf(BigInt.asUintN(64, baseMs + BigInt(ms)), BigInt.asUintN(64, baseSequence + BigInt(sequence)));
}

/** Writes a stream as {@link readStream} reads it. */
export function writeStream(out: RdbOutput, { contents }: StreamValue, form: 2 | 3): void {
  out.length(contents.nodes.length);
  for (const { base, entries } of contents.nodes) {
    out.string(base);
    out.blob(entries);
  }
  out.length(contents.length);
  writeId(out, contents.lastId);
  writeId(out, contents.firstId);
  writeId(out, contents.maxDeletedId);
  out.uint64(contents.added);
  out.length(contents.groups.length);
  for (const group of contents.groups) {
    out.string(group.name);
    writeId(out, group.lastId);
    out.uint64(group.entriesRead);
    out.length(group.pending.length);
    for (const { id, deliveredAt, deliveries } of group.pending) {
      out.text(id);
      out.int64(deliveredAt);
      out.uint64(deliveries);
    }
    out.length(group.consumers.length);
    for (const consumer of group.consumers) {
      out.string(consumer.name);
      out.int64(consumer.seenAt);
      if (form === 3) out.int64(consumer.activeAt);
      out.length(consumer.pending.length);
      for (const id of consumer.pending) out.text(id);
    }
  }
}

function writeId(out: RdbOutput, id: StreamId): void {
  const [ms, sequence] = idParts(id);
  out.uint64(ms);
  out.uint64(sequence);
}
