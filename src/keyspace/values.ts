// What a key can hold, and the contract of collections. Strings are plain JavaScript byte strings (or numbers
// after INCR) so that a small key costs no object; everything else extends Collection. Families of commands
// define their collections beside this file (hash-value.ts, ...); Db stores them.
import { isInt64String } from '../data/numbers.ts';
import { bytesToString, writeString } from '../resp/bytes.ts';
import { ReplyError } from '../resp/reply.ts';

/** Names that TYPE answers. */
export type TypeName = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream';

export const WRONGTYPE = new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value');

/** Directives that decide when a small collection changes its encoding (values as in CONFIG GET). */
export interface EncodingLimits {
  hashMaxListpackEntries: number;
  hashMaxListpackValue: number;
  setMaxIntsetEntries: number;
  setMaxListpackEntries: number;
  setMaxListpackValue: number;
  zsetMaxListpackEntries: number;
  zsetMaxListpackValue: number;
  listMaxListpackSize: number;
}

/** Redis 7.2's defaults. */
export const DEFAULT_LIMITS: EncodingLimits = {
  hashMaxListpackEntries: 512,
  hashMaxListpackValue: 64,
  setMaxIntsetEntries: 512,
  setMaxListpackEntries: 128,
  setMaxListpackValue: 64,
  zsetMaxListpackEntries: 128,
  zsetMaxListpackValue: 64,
  listMaxListpackSize: -2,
};

/**
 * A mutable value. `generation` says who may change it in place: only a keyspace whose generation it carries.
 * Db.edit clones it first otherwise (snapshots, forks and undo journals keep the old one).
 */
export abstract class Collection {
  generation = 0;
  abstract readonly type: TypeName;
  /** Number of elements; a collection of size 0 does not exist as a key. */
  abstract get size(): number;
  /** What OBJECT ENCODING answers. */
  abstract encoding(): string;
  /** A copy that can be changed without changing this one. */
  abstract clone(): Collection;
}

/**
 * A string changed in place: APPEND, SETRANGE, SETBIT and BITFIELD write into spare room instead of copying
 * the whole value each time. OBJECT ENCODING says `raw`, as Redis does for these.
 */
export class RawString extends Collection {
  readonly type = 'string';
  bytes: Uint8Array;
  length: number;
  /** Not yet changed in place and short: OBJECT ENCODING says `embstr` (INCRBYFLOAT leaves such digits). */
  embedded = false;
  private text: string | null = null;

  constructor(text: string, room = text.length) {
    super();
    this.bytes = new Uint8Array(Math.max(room, text.length));
    this.length = text.length;
    writeString(this.bytes, text, 0);
  }

  get size(): number {
    return 1;
  }

  encoding(): string {
    return this.embedded ? 'embstr' : 'raw';
  }

  /** Makes room for `length` bytes and returns the bytes to write into; new bytes are zero. */
  grow(length: number): Uint8Array {
    if (length > this.bytes.length) {
      const more = new Uint8Array(Math.min(Math.max(length, this.bytes.length * 2), length + 1024 * 1024));
      more.set(this.bytes.subarray(0, this.length));
      this.bytes = more;
    }
    if (length > this.length) this.length = length;
    this.embedded = false;
    this.text = null;
    return this.bytes;
  }

  write(text: string, at: number): void {
    writeString(this.grow(Math.max(this.length, at + text.length)), text, at);
  }

  override toString(): string {
    this.text ??= bytesToString(this.bytes, 0, this.length);
    return this.text;
  }

  clone(): RawString {
    const copy = new RawString('', this.length);
    copy.bytes.set(this.bytes.subarray(0, this.length));
    copy.length = this.length;
    copy.embedded = this.embedded;
    return copy;
  }
}

/** number: an integer that INCR and friends left; string: any other small or large string. */
export type StringValue = string | number | RawString;
export type Value = StringValue | Collection;

/** TYPE of a value. */
export function typeOf(value: Value): TypeName {
  return typeof value === 'object' ? value.type : 'string';
}

/** The bytes of a string value, or WRONGTYPE thrown. */
export function stringOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (value instanceof RawString) return value.toString();
  throw WRONGTYPE;
}

/** What OBJECT ENCODING answers. SET stores digits as a string; as Redis, they count as `int`. */
export function encodingName(value: Value): string {
  if (typeof value === 'number') return 'int';
  if (typeof value !== 'string') return value.encoding();
  if (value.length <= 20 && isInt64String(value)) return 'int';
  return value.length <= 44 ? 'embstr' : 'raw';
}
