// SHA-1 of byte strings, for the names of scripts and redis.sha1hex. In plain JavaScript, for the engine imports
// no Node module.

const words = new Int32Array(80);
const state = new Int32Array(5);

/** The digest as 40 hexadecimal digits in lower case. */
export function sha1Hex(text: string): string {
  const { length } = text;
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  let at = 0;
  for (; at + 64 <= length; at += 64) {
    for (let w = 0, i = at; w < 16; w++, i += 4) words[w] = wordAt(text, i);
    mix();
  }
  // The rest, a one bit, and in the last eight bytes the length in bits.
  const rest = length - at;
  const whole = rest >> 2;
  words.fill(0, 0, 16);
  for (let w = 0; w < whole; w++) words[w] = wordAt(text, at + w * 4);
  let last = 0x80;
  for (let i = rest & 3; i > 0; i--)
    last |= text.charCodeAt(at + whole * 4 + i - 1) << (8 * ((rest & 3) - i + 1));
  words[whole] = last << (8 * (3 - (rest & 3)));
  if (rest >= 56) {
    mix();
    words.fill(0, 0, 16);
  }
  words[14] = Math.floor(length / 2 ** 29);
  words[15] = length << 3;
  mix();
  let hex = '';
  for (let i = 0; i < 5; i++) hex += (state[i] >>> 0).toString(16).padStart(8, '0');
  return hex;
}

function wordAt(text: string, i: number): number {
  return (
    (text.charCodeAt(i) << 24) |
    (text.charCodeAt(i + 1) << 16) |
    (text.charCodeAt(i + 2) << 8) |
    text.charCodeAt(i + 3)
  );
}

// Mixes the block in `words` into the state.
function mix(): void {
  for (let i = 16; i < 80; i++) {
    const w = words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16];
    words[i] = (w << 1) | (w >>> 31);
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  // Four loops: one with the choice of the function in it takes twice as long.
  for (let i = 0; i < 20; i++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + 0x5a827999 + e + words[i]) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 20; i < 40; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + 0x6ed9eba1 + e + words[i]) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 40; i < 60; i++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) - 0x70e44324 + e + words[i]) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let i = 60; i < 80; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) - 0x359d3e2a + e + words[i]) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}
