// Cuts a stream of bytes into whole RESP frames as they arrive, requests or replies, without looking at a byte
// twice, however large a frame is. Called by proxy.ts.

import { WireError } from './wire.ts';

const EMPTY = Buffer.alloc(0);
const CR = 13;
const LF = 10;
const DOLLAR = 0x24;
const STAR = 0x2a;
const PUSH = 0x3e;
const ATTRIBUTE = 0x7c;
const SIMPLE = new Set([...'+-:,#(_'].map((type) => type.charCodeAt(0)));
const STRINGS = new Set([...'$=!'].map((type) => type.charCodeAt(0)));
/** How many elements stand behind each count. */
const AGGREGATES = new Map([...'*~>%|'].map((type) => [type.charCodeAt(0), '%|'.includes(type) ? 2 : 1]));
const MESSAGES = new Set(['message', 'pmessage', 'smessage']);

/** Hands out frames one by one. */
export class FrameScanner {
  private readonly inline: boolean;
  private bytes: Buffer = EMPTY;
  /** How far into the present frame we are, and how many elements it still lacks. */
  private at = 0;
  private need = 1;

  /** @param inline whether a line that is no array is a frame: so it is in requests */
  constructor(inline: boolean) {
    this.inline = inline;
  }

  add(chunk: Buffer): void {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
  }

  /** The next whole frame, or null while bytes are missing. */
  next(): Buffer | null {
    if (this.inline && this.bytes.length > 0 && this.bytes[0] !== STAR)
      return this.take(this.bytes.indexOf(LF) + 1);
    while (this.need > 0) if (!this.element()) return null;
    return this.take(this.at);
  }

  /** What has not been handed out. */
  rest(): Buffer {
    return this.take(this.bytes.length) ?? EMPTY;
  }

  private take(length: number): Buffer | null {
    if (length === 0) return null;
    const frame = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    this.at = 0;
    this.need = 1;
    return frame;
  }

  /** Passes over one element, or over the head of one that has elements; false, and nothing done, while bytes lack. */
  private element(): boolean {
    const head = this.line(this.at);
    if (head === null) return false;
    const type = this.bytes[this.at]!;
    const count = Number(head.text);
    if (STRINGS.has(type)) {
      const end = count < 0 ? head.end : head.end + count + 2;
      return end <= this.bytes.length && this.advance(end, -1);
    }
    if (SIMPLE.has(type)) return this.advance(head.end, -1);
    const factor = AGGREGATES.get(type);
    if (factor === undefined || !Number.isInteger(count))
      throw new WireError('neither a request nor a reply');
    const elements = Math.max(0, count) * factor;
    // Before 7.2 a server writes a message for the executing client into its own reply: it is nobody's element.
    let own = type === ATTRIBUTE ? 0 : 1;
    if (type === PUSH && this.at > 0) {
      const word = this.stringAt(head.end);
      if (word === null) return false;
      if (MESSAGES.has(word)) own = 0;
    }
    return this.advance(head.end, elements - own);
  }

  private advance(to: number, needed: number): true {
    this.at = to;
    this.need += needed;
    return true;
  }

  private line(from: number): { text: string; end: number } | null {
    const end = this.bytes.indexOf(CR, from);
    if (end === -1 || end + 1 >= this.bytes.length) return null;
    return { text: this.bytes.toString('latin1', from + 1, end), end: end + 2 };
  }

  private stringAt(from: number): string | null {
    const head = this.line(from);
    if (head === null || head.end + Number(head.text) > this.bytes.length) return null;
    return this.bytes.toString('latin1', head.end, head.end + Number(head.text));
  }
}

/** The strings at the head of a frame: the words of a request, or the first elements of a push. */
export function headOf(frame: Buffer, limit: number): string[] {
  const first = AGGREGATES.has(frame[0]!) ? frame.indexOf(LF) + 1 : 0;
  if (first === 0) return frame.toString('latin1').trim().split(/\s+/).slice(0, limit);
  const words: string[] = [];
  for (let at = first; words.length < limit && frame[at] === DOLLAR; ) {
    const start = frame.indexOf(LF, at) + 1;
    const length = Number(frame.toString('latin1', at + 1, start - 2));
    words.push(frame.toString('latin1', start, start + length));
    at = start + length + 2;
  }
  return words;
}
