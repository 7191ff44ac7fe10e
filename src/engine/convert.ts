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

/**
 * A reply as a JavaScript value: integers are numbers (bigint beyond 2^53), status and bulk strings are
 * strings, maps are objects without a prototype, sets are arrays, null and the null array are null. An error
 * inside an array is a HoldfastError element; an error that is the whole reply is thrown by the caller.
 */
export function fromReply(reply: Reply, texts: Texts): unknown {
  if (typeof reply === 'string') return texts(reply);
  if (typeof reply !== 'object' || reply === null) return reply;
  if (Array.isArray(reply)) return reply.map((item) => fromReply(item, texts));
  return fromTagged(reply as TaggedReply, texts);
}

function fromTagged(reply: TaggedReply, texts: Texts): unknown {
  switch (reply.kind) {
    case Kind.Status:
      return reply.text;
    case Kind.Error:
      return HoldfastError.fromReply(reply);
    case Kind.NullArray:
      return null;
    case Kind.Double:
      return reply.value;
    case Kind.Map: {
      const object = Object.create(null) as Record<string, unknown>;
      for (let i = 0; i < reply.items.length; i += 2) {
        const key = reply.items[i];
        object[typeof key === 'string' ? utf8Decode(key) : String(fromReply(key, asText))] = fromReply(
          reply.items[i + 1],
          texts,
        );
      }
      return object;
    }
    case Kind.Set:
    case Kind.Push:
    case Kind.Sequence:
      return reply.items.map((item) => fromReply(item, texts));
    case Kind.Verbatim:
      return texts(reply.text);
    case Kind.InProtocol:
      return fromReply(reply.reply, texts);
    case Kind.None:
    case Kind.Block:
      return undefined;
  }
}
