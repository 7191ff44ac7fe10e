// The form of the append-only file: commands as Redis writes them, in batches of whole units. Before each batch stands an
// annotation, a line beginning with # that Redis skips: it says how long the batch is and what it sums up to, so that
// a torn or changed byte never passes as data. batch.ts writes them, reader.ts reads them.
//
//   #HF1 <sequence> <bytes> <synced> <unix seconds> <sum of the batch before> <sum>
//
// Sequences begin with 1 in each file. `synced` is the last batch that was known to be on disk when this one was
// written: damage up to there is no interrupted write. The sum is a CRC-64 of the line up to it and the bytes behind.

export const MAGIC = '#HF1 ';
/** What a batch without one before it names as its sum. */
export const NO_SUM = '0000000000000000';
/** No header is longer. */
export const LONGEST_HEADER = 128;

export interface BatchHeader {
  readonly sequence: number;
  /** Bytes behind the header. */
  readonly length: number;
  readonly synced: number;
  /** Unix seconds. */
  readonly time: number;
  readonly previous: string;
  readonly sum: string;
  /** Bytes of the line that are in the sum. */
  readonly summed: number;
}

const HEADER = /^#HF1 ([1-9]\d*) (0|[1-9]\d*) (0|[1-9]\d*) (0|[1-9]\d*) ([0-9a-f]{16}) ([0-9a-f]{16})$/;

/** Reads a header's line (without its end); null where it is none. */
export function parseHeader(line: string): BatchHeader | null {
  const parts = HEADER.exec(line);
  if (parts === null) return null;
  const [sequence, length, synced, time] = parts.slice(1, 5).map(Number);
  if (![sequence, length, synced, time].every(Number.isSafeInteger)) return null;
  return {
    sequence,
    length,
    synced,
    time,
    previous: parts[5],
    sum: parts[6],
    summed: line.length - NO_SUM.length,
  };
}

/** An annotation that may have been a header before something changed a byte of its beginning. */
export function resemblesHeader(line: string): boolean {
  let same = 0;
  for (let i = 0; i < MAGIC.length; i++) if (line[i] === MAGIC[i]) same++;
  return same >= MAGIC.length - 1;
}
