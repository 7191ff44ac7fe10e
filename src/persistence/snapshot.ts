// Writes the contents of one moment as an RDB file, piece by piece, while the database goes on: a base of the log, or
// dump.rdb. Called by persistence.ts.
import type { FrozenDb } from '../keyspace/db.ts';
import type { FrozenSpace } from '../keyspace/space.ts';
import type { StorageFile } from '../storage/port.ts';
import { RdbWriter } from './rdb/writer.ts';

/** The contents of one moment. */
export interface Contents {
  readonly space: FrozenSpace;
  /** Code of the function libraries. */
  readonly libraries: readonly string[];
}

/** Redis 7.0 and later can read it. */
const VERSION = 10;
/** Milliseconds of work between two breaths, in which others are served for as long at least. */
const SLICE = 1;
/** Keys, or pieces of a big one, between two looks at the clock. */
const LOOK = 16;
/** Bytes that are written at once, in the background: even a write that is not synced can take long on a busy disk. */
const PORTION = 1024 * 1024;

export interface SaveOptions {
  readonly compressed: boolean;
  readonly aux: Iterable<readonly [name: string, value: string]>;
  /** A clock that only goes forward, in milliseconds. */
  readonly elapsed: () => number;
  /** Lets others work for a moment. */
  readonly breathe: () => Promise<void>;
  /** Called after each slice: bytes written, keys written. @throws to give up */
  readonly progress: (bytes: number, keys: number) => void;
}

/** Writes and syncs a file. @throws StorageError, and what `progress` throws */
export async function save(file: StorageFile, contents: Contents, options: SaveOptions): Promise<void> {
  const writer = new RdbWriter(VERSION, options.compressed);
  let portion: Uint8Array[] = [];
  let size = 0;
  let keys = 0;
  let sliceEnd = options.elapsed() + SLICE;
  const gather = (): void => {
    for (const chunk of writer.take()) {
      portion.push(chunk);
      size += chunk.length;
    }
  };
  const put = async (): Promise<void> => {
    const chunks = portion;
    portion = [];
    size = 0;
    if (chunks.length > 0) await file.appendDurably(chunks);
  };
  const pause = async (): Promise<void> => {
    gather();
    options.progress(writer.size, keys);
    if (size >= PORTION) await put();
    else await options.breathe();
    sliceEnd = options.elapsed() + SLICE;
  };
  writer.begin(options.aux);
  for (const code of contents.libraries) writer.library(code);
  for (const [index, db] of contents.space.dbs.entries()) {
    if (db.size === 0) continue;
    writer.selectDb(index, db.size, db.expires);
    for (const segment of segmentsOf(db)) {
      for (let i = 0; i < segment.size; i++) {
        const deadline = segment.deadline(i);
        const rest = writer.entry(segment.keys[i], segment.values[i], deadline === 0 ? null : deadline);
        keys++;
        if (rest !== null) {
          for (let pieces = 1; !rest.next().done; pieces++) {
            if (pieces % LOOK === 0 && options.elapsed() >= sliceEnd) await pause();
          }
        }
        if ((keys % LOOK === 0 || rest !== null) && options.elapsed() >= sliceEnd) await pause();
      }
    }
  }
  writer.end();
  gather();
  await put();
  // What was written in portions is on disk by now, its size included.
  options.progress(writer.size, keys);
}

// A segment stands in several places of the directory, one behind the other.
function* segmentsOf({ directory }: FrozenDb): Generator<FrozenDb['directory'][number]> {
  for (let i = 0; i < directory.length; i++)
    if (i === 0 || directory[i] !== directory[i - 1]) yield directory[i];
}
