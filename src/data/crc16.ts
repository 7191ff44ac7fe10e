// CRC-16 in the variant of XMODEM, by which a Redis cluster spreads its keys, and the rule that takes a key's hash
// tag. Here because both belong to a key, whatever server holds it. Called by the toolkit's keys and drivers.

/** How many hash slots a Redis cluster has. */
export const SLOTS = 16_384;
const POLYNOMIAL = 0x1021;

const TABLE = new Uint16Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  TABLE[byte] = crc;
}

/** The checksum of a byte string (one character per byte). */
export function crc16(bytes: string): number {
  let crc = 0;
  for (let i = 0; i < bytes.length; i++) {
    crc = ((crc << 8) & 0xffff) ^ TABLE[((crc >>> 8) ^ bytes.charCodeAt(i)) & 255];
  }
  return crc;
}

/**
 * The slot of a key, a byte string. Of a key with a `{` and a later `}` only what lies between the first two
 * counts, unless that is nothing: so keys can be made to share a slot.
 */
export function hashSlot(key: string): number {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) & (SLOTS - 1);
}
