// CRC-64 with the polynomial of Jones, as Redis puts it behind DUMP payloads and RDB files. A state is two halves of 32
// bits; eight tables take in eight bytes at a time. Used by persistence/rdb.

/** The polynomial 0xad93d23594c935a9 with its bits in reverse: the register shifts to the right. */
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;

// Entry 256 * t + b: what the byte b does to the register when t more bytes follow it.
const LOW = new Int32Array(8 * 256);
const HIGH = new Int32Array(8 * 256);

for (let byte = 0; byte < 256; byte++) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd !== 0) {
      low ^= POLYNOMIAL_LOW;
      high ^= POLYNOMIAL_HIGH;
    }
  }
  LOW[byte] = low;
  HIGH[byte] = high;
}
for (let i = 256; i < 8 * 256; i++) {
  const low = LOW[i - 256];
  const high = HIGH[i - 256];
  LOW[i] = LOW[low & 255] ^ ((low >>> 8) | (high << 24));
  HIGH[i] = HIGH[low & 255] ^ (high >>> 8);
}

/** A running checksum. */
export class Crc64 {
  private low = 0;
  private high = 0;

  /** Takes in `bytes[start..end)`. */
  add(bytes: Uint8Array, start = 0, end = bytes.length): this {
    let { low, high } = this;
    let i = start;
    for (; i + 8 <= end; i += 8) {
      const a = low ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
      const b = high ^ (bytes[i + 4] | (bytes[i + 5] << 8) | (bytes[i + 6] << 16) | (bytes[i + 7] << 24));
      const at0 = 1792 + (a & 255);
      const at1 = 1536 + ((a >>> 8) & 255);
      const at2 = 1280 + ((a >>> 16) & 255);
      const at3 = 1024 + (a >>> 24);
      const at4 = 768 + (b & 255);
      const at5 = 512 + ((b >>> 8) & 255);
      const at6 = 256 + ((b >>> 16) & 255);
      const at7 = b >>> 24;
      low = LOW[at0] ^ LOW[at1] ^ LOW[at2] ^ LOW[at3] ^ LOW[at4] ^ LOW[at5] ^ LOW[at6] ^ LOW[at7];
      high = HIGH[at0] ^ HIGH[at1] ^ HIGH[at2] ^ HIGH[at3] ^ HIGH[at4] ^ HIGH[at5] ^ HIGH[at6] ^ HIGH[at7];
    }
    for (; i < end; i++) {
      const at = (low ^ bytes[i]) & 255;
      low = LOW[at] ^ ((low >>> 8) | (high << 24));
      high = HIGH[at] ^ (high >>> 8);
    }
    this.low = low;
    this.high = high;
    return this;
  }

  /** The checksum as 16 digits, the highest first. */
  hex(): string {
    const digits = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');
    return digits(this.high) + digits(this.low);
  }

  /** Writes the eight bytes of the checksum, the lowest first. */
  write(bytes: Uint8Array, at: number): void {
    for (let i = 0; i < 4; i++) {
      bytes[at + i] = this.low >>> (8 * i);
      bytes[at + 4 + i] = this.high >>> (8 * i);
    }
  }

  /** Are these the eight bytes that {@link write} would write? */
  matches(bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < 4; i++) {
      if (bytes[at + i] !== ((this.low >>> (8 * i)) & 255)) return false;
      if (bytes[at + 4 + i] !== ((this.high >>> (8 * i)) & 255)) return false;
    }
    return true;
  }
}
