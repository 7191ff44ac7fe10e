// A stream as an RDB file holds it. There are no commands for streams yet: one that was loaded is kept whole, so that
// nothing is lost when it is written again. persistence/rdb makes and reads it; Db stores it.
import { Collection } from './values.ts';

/** An entry's id: milliseconds and sequence, eight bytes each, the highest first, so that text order is their order. */
export type StreamId = string;

/** Entries that lie together. */
export interface StreamNode {
  /** What the ids in the entries count from. */
  readonly base: StreamId;
  /** Redis' listpack of them. */
  readonly entries: Uint8Array;
}

export interface StreamConsumer {
  readonly name: string;
  /** Unix ms of its last try, and of the last that brought it entries; -1 for never. */
  readonly seenAt: bigint;
  readonly activeAt: bigint;
  readonly pending: readonly StreamId[];
}

export interface StreamGroup {
  readonly name: string;
  readonly lastId: StreamId;
  /** How many entries of the stream's whole life it has read; 2^64 - 1 where nobody knows. */
  readonly entriesRead: bigint;
  readonly pending: readonly {
    readonly id: StreamId;
    readonly deliveredAt: bigint;
    readonly deliveries: bigint;
  }[];
  readonly consumers: readonly StreamConsumer[];
}

export interface StreamContents {
  readonly nodes: readonly StreamNode[];
  readonly length: number;
  readonly lastId: StreamId;
  readonly firstId: StreamId;
  readonly maxDeletedId: StreamId;
  /** How many entries were ever added. */
  readonly added: bigint;
  readonly groups: readonly StreamGroup[];
}

export class StreamValue extends Collection {
  readonly contents: StreamContents;

  constructor(contents: StreamContents) {
    super();
    this.contents = contents;
  }

  get type(): 'stream' {
    return 'stream';
  }

  get size(): number {
    return this.contents.length;
  }

  encoding(): string {
    return 'stream';
  }

  /** Nothing changes it, so both share the contents. */
  clone(): StreamValue {
    return new StreamValue(this.contents);
  }
}
