// A bounded memory of what was made of a text: compiled patterns, parsed formats. The most recently used half
// survives when it is full.

export class TextCache<V> {
  private readonly half: number;
  private young = new Map<string, V>();
  private old = new Map<string, V>();

  /** @param size the most that are kept */
  constructor(size: number) {
    this.half = size >>> 1;
  }

  get(text: string): V | undefined {
    const value = this.young.get(text);
    if (value !== undefined) return value;
    const before = this.old.get(text);
    if (before !== undefined) this.set(text, before);
    return before;
  }

  set(text: string, value: V): void {
    if (this.young.size >= this.half) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(text, value);
  }
}
