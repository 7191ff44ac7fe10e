// What was found in a directory, in words for the operator. Used by the program and by `open(directory)`.
import type { Recovery } from './recovery.ts';

/** A sentence or two; '' where the directory was empty. */
export function recovered({ from, units, bytes, milliseconds, cut }: Recovery): string {
  if (from === 'nothing') return '';
  const size = bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const what = from === 'rdb' ? `an RDB file of ${size}` : `a log of ${size}, ${units} units behind its base`;
  const told = `recovered from ${what} in ${(milliseconds / 1000).toFixed(2)} s`;
  if (cut === null) return told;
  return `${told}; cut ${cut.bytes} bytes of an interrupted write off ${cut.file} at byte ${cut.at} (${cut.why})`;
}
