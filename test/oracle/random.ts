// A small seeded generator of random numbers (splitmix32 seeding an sfc32). Called by generate.ts and shrink.ts;
// equal seeds give equal rounds on every machine.

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d = 1;

  constructor(...seeds: number[]) {
    let h = 0x9e3779b9;
    for (const seed of seeds) h = mix(h ^ (seed >>> 0)) ^ mix(Math.floor(seed / 2 ** 32) >>> 0);
    this.a = mix(h + 1);
    this.b = mix(h + 2);
    this.c = mix(h + 3);
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 0 <= x < 2^32 */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** min <= x <= max */
  int(min: number, max: number): number {
    return min + Math.floor((this.next() / 2 ** 32) * (max - min + 1));
  }

  chance(p: number): boolean {
    return this.next() / 2 ** 32 < p;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }

  /** A random order of the list's elements. */
  shuffle<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }

  weighted<T>(list: readonly T[], weight: (x: T) => number): T {
    let total = 0;
    for (const x of list) total += weight(x);
    let at = (this.next() / 2 ** 32) * total;
    for (const x of list) {
      at -= weight(x);
      if (at < 0) return x;
    }
    return list[list.length - 1]!;
  }
}

function mix(x: number): number {
  let z = (x + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
