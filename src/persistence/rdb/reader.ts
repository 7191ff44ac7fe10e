// Reads an RDB file, record by record, from a source that may be larger than memory, and tells a visitor what it meets.
// load.ts and check.ts give it visitors; whoever loads calls `step` until it answers false.
import type { EncodingLimits, Value } from '../../keyspace/values.ts';
import { decodeValue } from './decode.ts';
import { ModuleOpcode, Opcode, RdbError, READ_VERSION } from './format.ts';
import { type ByteSource, RdbInput } from './input.ts';

/** Is told what a file holds, in its order. */
export interface RdbVisitor {
  /** A key. `expireAt` is Unix ms, null for never. What it throws ends the reading. */
  entry(db: number, key: string, value: Value, expireAt: number | null): void;
  /** The code of a function library. */
  library(code: string): void;
  /** A fact about the file, such as which program wrote it. */
  aux(name: string, value: string): void;
}

/** From this version on a checksum stands at the end. */
const CHECKED_FROM = 5;

export class RdbReader {
  /** Version of the format; 0 before the first step. */
  version = 0;
  /** Keys that were left out because they held an empty collection, which old versions of Redis could write. */
  skipped = 0;
  private readonly input: RdbInput;
  private readonly limits: EncodingLimits;
  private readonly visitor: RdbVisitor;
  private db = 0;
  private expireAt: number | null = null;
  private key: string | null = null;

  constructor(source: ByteSource, limits: EncodingLimits, visitor: RdbVisitor) {
    this.input = new RdbInput(source);
    this.limits = limits;
    this.visitor = visitor;
  }

  /** How many bytes have been read. Once `step` has answered false, how many the file takes. */
  get offset(): number {
    return this.input.offset;
  }

  /** Once `step` has answered false: what has been pulled from the source and lies behind the file. */
  rest(): Uint8Array {
    return this.input.rest();
  }

  /**
   * Reads up to and with the next key or library; false at the end.
   * @throws RdbError with the place, where the file is broken or cannot be read
   */
  step(): boolean {
    this.key = null;
    try {
      if (this.version === 0) this.header();
      for (;;) {
        const type = this.input.byte();
        if (type < Opcode.slotInfo) {
          this.entry(type);
          return true;
        }
        if (type === Opcode.end) {
          this.end();
          return false;
        }
        if (this.opcode(type)) return true;
      }
    } catch (error) {
      if (!(error instanceof RdbError) || error.offset >= 0) throw error;
      throw new RdbError(error.what, this.input.offset, this.key);
    }
  }

  private header(): void {
    const magic = this.input.text(9);
    if (magic.startsWith('VALKEY')) {
      throw new RdbError(`version ${Number(magic.slice(6))} of Valkey's own format, which cannot be read`);
    }
    if (!/^REDIS\d{4}$/.test(magic)) throw new RdbError('not an RDB file');
    const version = Number(magic.slice(5));
    if (version < 1 || version > READ_VERSION) {
      throw new RdbError(`version ${version} of the format; 1 to ${READ_VERSION} can be read`);
    }
    this.version = version;
  }

  private entry(type: number): void {
    const { expireAt, input } = this;
    this.expireAt = null;
    const key = input.string();
    this.key = key;
    const value = decodeValue(input, type, this.limits);
    if (value === null) this.skipped++;
    else this.visitor.entry(this.db, key, value, expireAt);
  }

  // True for a library.
  private opcode(code: number): boolean {
    const { input } = this;
    switch (code) {
      case Opcode.selectDb:
        this.db = input.length();
        return false;
      case Opcode.expireSeconds:
        this.expireAt = input.int32() * 1000;
        return false;
      case Opcode.expireMs: {
        const when = input.int64();
        this.expireAt = when === -1n ? null : Number(when);
        return false;
      }
      case Opcode.freq:
        input.byte();
        return false;
      case Opcode.idle:
        input.length();
        return false;
      case Opcode.resizeDb:
        input.length();
        input.length();
        return false;
      case Opcode.slotInfo:
        for (let i = 0; i < 3; i++) input.length();
        return false;
      case Opcode.aux: {
        const name = input.string();
        this.visitor.aux(name, input.string());
        return false;
      }
      case Opcode.function:
        this.visitor.library(input.string());
        return true;
      case Opcode.functionPreview:
        throw new RdbError('a function library as previews of Redis 7.0 wrote them');
      default:
        this.moduleAux();
        return false;
    }
  }

  // What a module keeps beside the keys. Nobody here can use it, and Redis too goes over what its modules do not know.
  private moduleAux(): void {
    const { input } = this;
    input.uint64();
    input.length();
    input.length();
    for (;;) {
      switch (input.length()) {
        case ModuleOpcode.end:
          return;
        case ModuleOpcode.signed:
        case ModuleOpcode.unsigned:
          input.uint64();
          break;
        case ModuleOpcode.float:
          input.take(4);
          break;
        case ModuleOpcode.double:
          input.take(8);
          break;
        case ModuleOpcode.string:
          input.blob();
          break;
        default:
          throw new RdbError('the data of a module is broken');
      }
    }
  }

  private end(): void {
    if (this.version < CHECKED_FROM) return;
    const sum = new Uint8Array(8);
    this.input.checksum().write(sum, 0);
    const found = this.input.take(8);
    // Eight zeros stand for `rdbchecksum no`.
    if (found.every((byte) => byte === 0)) return;
    if (!found.every((byte, i) => byte === sum[i])) throw new RdbError('wrong checksum');
  }
}
