// Payloads of RESTORE and FUNCTION RESTORE, sealed by a checksum of our own, and what a payload of DUMP holds. The
// families make them, normalise.ts compares them.

import { SetValue } from '../../src/keyspace/set-value.ts';
import { DEFAULT_LIMITS } from '../../src/keyspace/values.ts';
import { decodeValue } from '../../src/persistence/rdb/decode.ts';
import { RdbInput, sourceOf } from '../../src/persistence/rdb/input.ts';
import { shown } from '../support/rdb-samples.ts';

const FOOTER = 10;

function checksum(body: Buffer): bigint {
  let crc = 0n;
  for (const byte of body) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 0n ? crc >> 1n : (crc >> 1n) ^ 0x95ac9329ac4bc9b5n;
  }
  return crc;
}

/** A body with its version and a right checksum. */
export function sealed(body: string, version: number): string {
  const bytes = Buffer.alloc(body.length + 2);
  bytes.write(body, 'latin1');
  bytes.writeUInt16LE(version, body.length);
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64LE(checksum(bytes));
  return Buffer.concat([bytes, sum]).toString('latin1');
}

/** What a payload of DUMP holds, as a text that does not depend on how; null where it is none. */
export function dumped(payload: string): string | null {
  const body = payload.slice(0, -FOOTER);
  const version = payload.charCodeAt(body.length);
  if (payload.length < FOOTER || sealed(body, version) !== payload) return null;
  const input = new RdbInput(sourceOf(Buffer.from(body, 'latin1')));
  const value = decodeValue(input, input.byte(), DEFAULT_LIMITS);
  if (value === null || input.offset !== body.length) return null;
  let holds = shown(value);
  if (value instanceof SetValue) holds = value.members().sort();
  else if (typeof holds === 'object' && !Array.isArray(holds)) holds = Object.entries(holds as object).sort();
  const type = typeof value === 'object' ? value.type : 'string';
  return JSON.stringify([type, holds], (_, each) => (typeof each === 'bigint' ? String(each) : each));
}
