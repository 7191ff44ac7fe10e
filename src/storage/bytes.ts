// A file's content in memory: bytes that grow at the end. memory.ts and disk.ts keep their files in it.

export class Bytes {
  #buffer: Uint8Array;
  #length: number;

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#buffer = content.slice();
    this.#length = content.length;
  }

  get length(): number {
    return this.#length;
  }

  read(position: number, into: Uint8Array): number {
    const part = this.#buffer
      .subarray(Math.min(position, this.#length), this.#length)
      .subarray(0, into.length);
    into.set(part);
    return part.length;
  }

  /** Behind the end too: zeroes fill the gap. */
  write(position: number, data: Uint8Array): void {
    this.resize(Math.max(this.#length, position + data.length));
    this.#buffer.set(data, position);
  }

  resize(length: number): void {
    if (length > this.#buffer.length) {
      const bigger = new Uint8Array(Math.max(length, 2 * this.#buffer.length, 64));
      bigger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = bigger;
    } else if (length < this.#length) {
      this.#buffer.fill(0, length, this.#length);
    }
    this.#length = length;
  }

  copy(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }
}
