// The border of the in-process API: JavaScript values to arguments, replies to JavaScript values. Strings are
// UTF-8 at the border; bytes pass as they are.
import type { Arg } from '../commands/spec.ts';
import { bytesToString, utf8Decode, utf8Encode, writeString } from '../resp/bytes.ts';
import { Kind, type Reply, type TaggedReply } from '../resp/reply.ts';
import { HoldfastError } from './errors.ts';

/** The argument's bytes. Numbers are printed as Redis reads them. */
export function toByteString(arg: Arg): string {
  switch (typeof arg) {
    case 'string':
      return utf8Encode(arg);
    case 'number':
      if (arg === Number.POSITIVE_INFINITY) return 'inf';
      if (arg === Number.NEGATIVE_INFINITY) return '-inf';
      return String(arg);
    case 'bigint':
      return String(arg);
  }
  if (arg instanceof Uint8Array) return bytesToString(arg);
  throw new HoldfastError(
    'HF_ARGUMENT',
    `an argument must be a string, number, bigint or bytes, not ${describe(arg)}`,
  );
}

function describe(arg: unknown): string {
  return arg === null ? 'null' : Array.isArray(arg) ? 'an array (spread it)' : typeof arg;
}

/** How bulk strings leave: decoded as UTF-8, or as bytes. */
export type Texts = (bytes: string) => unknown;

export const asText: Texts = utf8Decode;

export function asBytes(text: string): Uint8Array {
  const native = (globalThis as unknown as { Buffer?: { from(s: string, encoding: 'latin1'): Uint8Array } })
    .Buffer;
  if (native !== undefined) return native.from(text, 'latin1');
  const bytes = new Uint8Array(text.length);
  writeString(bytes, text, 0);
  return bytes;
}

/** Beyond this nesting, conversion goes on without recursion: the reply of a script may be 8,000 arrays deep. */
const DEEP = 200;

/**
 * A reply as a JavaScript value: integers are numbers (bigint beyond 2^53), status and bulk strings are
 * strings, maps are objects without a prototype, sets are arrays, null and the null array are null. An error
 * inside an array is a HoldfastError element; an error that is the whole reply is thrown by the caller.
 */
export function fromReply(reply: Reply, texts: Texts, depth = 0): unknown {
  if (typeof reply === 'string') return texts(reply);
  if (typeof reply !== 'object' || reply === null) return reply;
  if (depth > DEEP) return fromDeep(reply, texts);
  if (Array.isArray(reply)) return reply.map((item) => fromReply(item, texts, depth + 1));
  return fromTagged(reply as TaggedReply, texts, depth);
}

function fromTagged(reply: TaggedReply, texts: Texts, depth: number): unknown {
  switch (reply.kind) {
    case Kind.Status:
      return reply.text;
    case Kind.Error:
      return HoldfastError.fromReply(reply);
    case Kind.NullArray:
      return null;
    case Kind.Double:
      return reply.value;
    case Kind.BigNumber:
      return /^-?\d+$/.test(reply.text) ? BigInt(reply.text) : reply.text;
    case Kind.Map: {
      const object = Object.create(null) as Record<string, unknown>;
      for (let i = 0; i < reply.items.length; i += 2) {
        object[propertyName(reply.items[i])] = fromReply(reply.items[i + 1], texts, depth + 1);
      }
      return object;
    }
    case Kind.Set:
    case Kind.Push:
    case Kind.Sequence:
      return reply.items.map((item) => fromReply(item, texts, depth + 1));
    case Kind.Verbatim:
      return texts(reply.text);
    case Kind.InProtocol:
      return fromReply(reply.reply, texts, depth);
    case Kind.None:
    case Kind.Block:
    case Kind.Later:
      return undefined;
  }
}

/**
 * A reply in the shapes of RESP2, as a client over a connection gets it: maps and sets are flat arrays, decimals are
 * strings, true and false are 1 and 0. Otherwise as fromReply.
 */
export function inResp2(reply: Reply, texts: Texts, depth = 0): unknown {
  if (typeof reply === 'string') return texts(reply);
  if (typeof reply === 'boolean') return reply ? 1 : 0;
  if (typeof reply !== 'object' || reply === null) return reply;
  if (depth > DEEP) return fromDeep(reply, texts);
  if (Array.isArray(reply)) return reply.map((item) => inResp2(item, texts, depth + 1));
  const tagged = reply as TaggedReply;
  switch (tagged.kind) {
    case Kind.Double:
    case Kind.BigNumber:
      return tagged.text;
    case Kind.Map:
    case Kind.Set:
    case Kind.Push:
    case Kind.Sequence:
      return tagged.items.map((item) => inResp2(item, texts, depth + 1));
    case Kind.InProtocol:
      return inResp2(tagged.reply, texts, depth);
    default:
      return fromTagged(tagged, texts, depth);
  }
}

function propertyName(key: Reply): string {
  return typeof key === 'string' ? utf8Decode(key) : String(fromReply(key, asText));
}

/** An array or object whose elements are being converted. */
interface Open {
  readonly from: readonly Reply[];
  readonly array: unknown[] | null;
  readonly object: Record<string, unknown> | null;
  next: number;
}

function opened(reply: Reply): Open | null {
  if (Array.isArray(reply)) return { from: reply, array: [], object: null, next: 0 };
  if (typeof reply !== 'object' || reply === null) return null;
  const { kind, items } = reply as { kind: number; items: readonly Reply[] };
  if (kind === Kind.Map) return { from: items, array: null, object: Object.create(null), next: 0 };
  const isList = kind === Kind.Set || kind === Kind.Push || kind === Kind.Sequence;
  return isList ? { from: items, array: [], object: null, next: 0 } : null;
}

function fromDeep(reply: Reply, texts: Texts): unknown {
  const root: Open = { from: [reply], array: [], object: null, next: 0 };
  const open = [root];
  while (open.length > 0) {
    const top = open[open.length - 1];
    const { from, array, object } = top;
    if (top.next === from.length) {
      open.pop();
      continue;
    }
    const name = object === null ? '' : propertyName(from[top.next++]);
    const item = from[top.next++];
    const inner = opened(item);
    const value = inner === null ? fromReply(item, texts) : (inner.array ?? inner.object);
    if (object !== null) object[name] = value;
    else array?.push(value);
    if (inner !== null) open.push(inner);
  }
  return root.array?.[0];
}
