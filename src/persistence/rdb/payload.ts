// The payload of DUMP and RESTORE, and of FUNCTION DUMP and RESTORE: what a file would hold, then the version of the
// format and a checksum. commands/dump.ts and scripting/functions.ts call it.
import { Crc64 } from '../../data/crc64.ts';
import type { EncodingLimits, Value } from '../../keyspace/values.ts';
import { writeString } from '../../resp/bytes.ts';
import { decodeValue } from './decode.ts';
import { encodeValue, typeByte } from './encode.ts';
import { Opcode, RdbError, READ_VERSION, type WrittenVersion } from './format.ts';
import { RdbInput, sourceOf } from './input.ts';
import { RdbOutput, textOf } from './output.ts';

/** Version and checksum. */
const FOOTER = 10;

/** That of Redis 7.0: it takes our payloads as well as 7.2 and later do. */
const WRITTEN: WrittenVersion = 10;

/** The payload of a value. */
export function dumpValue(value: Value): string {
  const out = new RdbOutput(true);
  out.byte(typeByte(value, WRITTEN));
  const rest = encodeValue(out, value, WRITTEN);
  while (rest !== null && rest.next().done !== true);
  return finished(out);
}

/** The payload of function libraries, of which these are the codes. */
export function dumpLibraries(codes: Iterable<string>): string {
  const out = new RdbOutput(true);
  for (const code of codes) {
    out.byte(Opcode.function);
    out.string(code);
  }
  return finished(out);
}

function finished(out: RdbOutput): string {
  out.byte(WRITTEN & 255);
  out.byte(WRITTEN >> 8);
  out.checksum();
  return textOf(out.take());
}

/** A payload whose version and checksum are right. */
export interface OpenPayload {
  /** All of it: as in Redis, nobody notices where a value takes bytes of the footer. */
  readonly input: RdbInput;
  /** Where the footer begins. */
  readonly end: number;
}

/** Null where version or checksum are wrong. */
export function openPayload(payload: string): OpenPayload | null {
  if (payload.length < FOOTER) return null;
  const bytes = new Uint8Array(payload.length);
  writeString(bytes, payload, 0);
  const end = bytes.length - FOOTER;
  if ((bytes[end] | (bytes[end + 1] << 8)) > READ_VERSION) return null;
  if (!new Crc64().add(bytes, 0, end + 2).matches(bytes, end + 2)) return null;
  return { input: new RdbInput(sourceOf(bytes)), end };
}

/**
 * The value in a payload; what stands behind it is not looked at, as in Redis.
 * @throws RdbError where there is none
 */
export function payloadValue({ input }: OpenPayload, limits: EncodingLimits): Value {
  const value = decodeValue(input, input.byte(), limits);
  if (value === null) throw new RdbError('an empty collection');
  return value;
}
