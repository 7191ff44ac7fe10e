// Byte strings and arrays of bytes, there and back. `Buffer` does it natively where it exists (Node); the
// portable branch keeps the engine free of Node modules.

interface NativeBuffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
}
// The methods work on any Uint8Array; a Buffer over the same memory would cost more than they do.
const native = (globalThis as unknown as { Buffer?: { prototype: NativeBuffer } }).Buffer?.prototype;

/** Byte string of `bytes[start..end)`. */
export function bytesToString(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (native !== undefined) {
    return native.latin1Slice.call(bytes, start, end);
  }
  let out = '';
  for (let i = start; i < end; i += 8192) {
    out += String.fromCharCode(...bytes.subarray(i, Math.min(end, i + 8192)));
  }
  return out;
}

/** Writes a byte string into `bytes` at `at`; the caller has made room. */
export function writeString(bytes: Uint8Array, text: string, at: number): void {
  if (native !== undefined && text.length > 24) {
    native.latin1Write.call(bytes, text, at);
    return;
  }
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/** UTF-8 bytes of an ordinary string, as a byte string. Identity for ASCII. */
export function utf8Encode(text: string): string {
  if (isAscii(text)) return text;
  return bytesToString(new TextEncoder().encode(text));
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Ordinary string of UTF-8 bytes; invalid sequences become U+FFFD. Identity for ASCII. */
export function utf8Decode(text: string): string {
  if (isAscii(text)) return text;
  const bytes = new Uint8Array(text.length);
  writeString(bytes, text, 0);
  return decoder.decode(bytes);
}

function isAscii(text: string): boolean {
  if (text.length > 48) {
    return !/[^\x00-\x7f]/.test(text);
  }
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
