// Slots against the definition of the checksum and against a real redis-server in cluster mode.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerHandle, freePort as spare } from '../../test/support/ports.ts';
import { oracleAvailable, startRedis } from '../../test/support/redis-server.ts';
import { parseReply, Wire } from '../../test/support/wire.ts';
import { crc16, hashSlot, SLOTS } from './crc16.ts';

const bytesOf = (array: Uint8Array): string => Buffer.from(array).toString('latin1');

/** Bit by bit, as the polynomial is defined. */
function slow(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text, 'latin1')) {
    for (let bit = 7; bit >= 0; bit--) {
      const odd = (crc >> 15) ^ ((byte >> bit) & 1);
      crc = (crc << 1) & 0xffff;
      if (odd) crc ^= 0x1021;
    }
  }
  return crc;
}

describe('crc16', () => {
  it('answers the check that the cluster specification publishes', () => {
    expect(crc16('123456789')).toBe(0x31c3);
    expect(crc16('')).toBe(0);
  });

  it('agrees with the definition', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(crc16(bytesOf(bytes))).toBe(slow(bytesOf(bytes)));
      }),
    );
  });
});

describe('hashSlot', () => {
  it('takes the first hash tag that is not empty', () => {
    expect(hashSlot('{user1000}.following')).toBe(hashSlot('user1000'));
    expect(hashSlot('foo{{bar}}zap')).toBe(hashSlot('{bar'));
    expect(hashSlot('foo{bar}{zap}')).toBe(hashSlot('bar'));
    expect(hashSlot('foo{}{bar}')).toBe(crc16('foo{}{bar}') % SLOTS);
    expect(hashSlot('}x{y')).toBe(crc16('}x{y') % SLOTS);
  });
});

describe.skipIf(!oracleAvailable())('hashSlot beside CLUSTER KEYSLOT', () => {
  let redis: ServerHandle;
  let wire: Wire;
  beforeAll(async () => {
    // The bus does not have to be port + 10000, which may lie beyond the last port.
    redis = await startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(await spare())]);
    wire = await Wire.open({ port: redis.port });
  });
  afterAll(async () => {
    wire?.close();
    await redis?.stop();
  });

  it('is what redis-server computes, for keys with all sorts of braces', async () => {
    const letters = fc.constantFrom('{', '}', 'a', 'b', '\0', '\xff');
    const keys = fc.sample(fc.array(letters, { maxLength: 9 }), 2000).map((each) => each.join(''));
    for (const key of keys) wire.send('CLUSTER', 'KEYSLOT', key);
    const slots = (await wire.replies(keys.length)).map((raw) => Number(parseReply(raw).text));
    expect(keys.map(hashSlot)).toEqual(slots);
    expect(new Set(slots).size).toBeGreaterThan(300);
  });
});
