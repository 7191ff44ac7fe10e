// CRC16 (XMODEM) and the hash slot of a key in Redis Cluster. Of byte strings. Called by the toolkit's keys and drivers.

const TABLE = new Uint16Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  TABLE[i] = crc;
}

/** Number of slots of a Cluster. */
export const SLOTS = 16384;

/** @param bytes a byte string */
export function crc16(bytes: string): number {
  let crc = 0;
  for (let i = 0; i < bytes.length; i++) {
    crc = ((crc << 8) & 0xffff) ^ TABLE[((crc >> 8) ^ bytes.charCodeAt(i)) & 0xff];
  }
  return crc;
}

/** The slot of a key: of what stands in its first non-empty braces, or else of all of it. */
export function hashSlot(key: string): number {
  const open = key.indexOf('{');
  if (open >= 0) {
    const close = key.indexOf('}', open + 1);
    if (close > open + 1) return crc16(key.slice(open + 1, close)) & (SLOTS - 1);
  }
  return crc16(key) & (SLOTS - 1);
}
