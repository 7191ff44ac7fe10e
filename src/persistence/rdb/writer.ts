// Writes an RDB file piece by piece: whoever saves says what comes and takes the finished chunks in between, so that
// neither time nor memory depends on how large the file is.
import type { Value } from '../../keyspace/values.ts';
import { encodeValue, typeByte } from './encode.ts';
import { Opcode, type WrittenVersion } from './format.ts';
import { RdbOutput } from './output.ts';

const LATEST = 2n ** 63n - 1n;

export class RdbWriter {
  private readonly out: RdbOutput;
  private readonly version: WrittenVersion;

  /**
   * @param version 10 can be read by Redis 7.0 and later, 11 by 7.2 and later
   * @param compressed directive rdbcompression
   */
  constructor(version: WrittenVersion, compressed: boolean) {
    this.version = version;
    this.out = new RdbOutput(compressed);
  }

  /** How many bytes have been written, taken or not. */
  get size(): number {
    return this.out.size;
  }

  /** The first call: the header, and facts such as `redis-ver` and `ctime`. */
  begin(aux: Iterable<readonly [name: string, value: string]>): void {
    this.out.text(`REDIS${String(this.version).padStart(4, '0')}`);
    for (const [name, value] of aux) {
      this.out.byte(Opcode.aux);
      this.out.string(name);
      this.out.string(value);
    }
  }

  /** A function library; all stand before the first database. */
  library(code: string): void {
    this.out.byte(Opcode.function);
    this.out.string(code);
  }

  /** The entries that follow are of this database, which has so many keys, and so many of them with a deadline. */
  selectDb(index: number, keys: number, expires: number): void {
    this.out.byte(Opcode.selectDb);
    this.out.length(index);
    this.out.byte(Opcode.resizeDb);
    this.out.length(keys);
    this.out.length(expires);
  }

  /**
   * A key. Of a big value only the beginning is written: where an iterator is answered it must be run to its end before
   * the next call, and the value may not change until then.
   */
  entry(key: string, value: Value, expireAt: number | null): Iterator<void, void> | null {
    const { out, version } = this;
    if (expireAt !== null) {
      out.byte(Opcode.expireMs);
      // The latest of all are kept rounded, and would not fit.
      const when = BigInt(expireAt);
      out.int64(when > LATEST ? LATEST : when);
    }
    out.byte(typeByte(value, version));
    out.string(key);
    return encodeValue(out, value, version);
  }

  /** The last call; then `take` answers the rest of the file. */
  end(): void {
    this.out.byte(Opcode.end);
    this.out.checksum();
  }

  /** The chunks that are full, in order; each is answered once. */
  take(): Uint8Array[] {
    return this.out.take();
  }
}
