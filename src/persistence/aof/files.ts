// Reading of whole files through the storage port, in pieces. Used by the manifest, recovery and the check tools.
import type { Storage, StorageFile } from '../../storage/port.ts';
import type { ByteSource } from '../rdb/input.ts';

const PIECE = 1024 * 1024;

/** The bytes of an open file from `from` on, in pieces of a megabyte. */
export function sourceOfFile(file: StorageFile, from = 0): ByteSource {
  let at = from;
  return {
    next() {
      const piece = new Uint8Array(Math.min(PIECE, Math.max(0, file.size - at)));
      const count = piece.length === 0 ? 0 : file.read(at, piece);
      if (count === 0) return null;
      at += count;
      return count === piece.length ? piece : piece.subarray(0, count);
    },
  };
}

/** A file's bytes, null where it is missing. @throws Error where it is longer than `most` */
export async function readAll(storage: Storage, path: string, most: number): Promise<Uint8Array | null> {
  const slash = path.lastIndexOf('/');
  const names = await storage.list(slash < 0 ? '' : path.slice(0, slash));
  if (!names.includes(path.slice(slash + 1))) return null;
  const file = await storage.open(path, 'read');
  try {
    if (file.size > most) throw new Error(`${path} has ${file.size} bytes, which is too much`);
    const bytes = new Uint8Array(file.size);
    return bytes.subarray(0, file.read(0, bytes));
  } finally {
    await file.close();
  }
}

/** A source of what another had given already and of what it gives next: the commands behind an RDB preamble. */
export function sourceBehind(given: Uint8Array, source: ByteSource): ByteSource {
  let first = given.length > 0 ? given : null;
  return {
    next() {
      const piece = first ?? source.next();
      first = null;
      return piece;
    },
  };
}
