// Numbers of the RDB format: type bytes of values, opcodes between them, versions; and the error that says what is wrong
// with a file or payload. Everything in this folder uses them.

/** What stands in front of a value. */
export const Type = {
  string: 0,
  list: 1,
  set: 2,
  /** Scores as text. */
  zsetText: 3,
  hash: 4,
  zset: 5,
  module: 6,
  module2: 7,
  hashZipmap: 9,
  listZiplist: 10,
  setIntset: 11,
  zsetZiplist: 12,
  hashZiplist: 13,
  listQuicklist: 14,
  stream: 15,
  hashListpack: 16,
  zsetListpack: 17,
  listQuicklist2: 18,
  stream2: 19,
  setListpack: 20,
  stream3: 21,
} as const;

/** What stands in front of everything else in a file. */
export const Opcode = {
  /** Size of a cluster slot; written by Valkey 8, of no use here. */
  slotInfo: 244,
  function: 245,
  /** What libraries looked like before Redis 7.0 was released. */
  functionPreview: 246,
  moduleAux: 247,
  idle: 248,
  freq: 249,
  aux: 250,
  resizeDb: 251,
  expireMs: 252,
  expireSeconds: 253,
  selectDb: 254,
  end: 255,
} as const;

/** What stands in front of each part of a module's data. */
export const ModuleOpcode = { end: 0, signed: 1, unsigned: 2, float: 3, double: 4, string: 5 } as const;

/**
 * Versions that can be written. 10 is that of Redis 7.0, which refuses 11, that of Redis 7.2 and Valkey 8. They differ in
 * small sets and in streams.
 */
export type WrittenVersion = 10 | 11;

/** Latest version that can be read. */
export const READ_VERSION = 11;

/** V8 makes no longer string. Redis' own limit, 512 MB, is 24 bytes more. */
export const LONGEST_STRING = 2 ** 29 - 24;

/** Shorter strings are never compressed. */
export const SHORTEST_COMPRESSED = 21;

/** What is wrong with a file or a payload, and at which byte. */
export class RdbError extends Error {
  override readonly name = 'RdbError';
  /** What is wrong, without the place. */
  readonly what: string;
  /** Where reading ended; -1 until the reader that knows puts it in. */
  readonly offset: number;
  /** The key whose value was being read. */
  readonly key: string | null;

  constructor(what: string, offset = -1, key: string | null = null) {
    super(`RDB: ${what}${offset < 0 ? '' : ` (at byte ${offset})`}`);
    this.what = what;
    this.offset = offset;
    this.key = key;
  }
}
