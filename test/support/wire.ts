// A small, independent RESP2/RESP3 client for tests. It shares no code with src/resp on purpose: a mistake
// in the engine's codec must not be repeated here. Replies are framed as raw bytes (what the oracle compares)
// and parsed into tagged values only when somebody asks. Called by test/oracle and the wire-level tests.

import { connect, type Socket } from 'node:net';

export type Kind =
  | 'status'
  | 'error'
  | 'int'
  | 'bulk'
  | 'nullbulk'
  | 'nullarray'
  | 'array'
  | 'map'
  | 'set'
  | 'double'
  | 'bool'
  | 'bignum'
  | 'verbatim'
  | 'push'
  | 'null'
  | 'attribute';

/** One reply. `text` holds scalars as latin1 byte strings; `items` the elements (maps are flattened). */
export interface Value {
  kind: Kind;
  text: string;
  items: Value[];
}

export type Arg = string | Buffer | number;

export class WireError extends Error {}
export class WireTimeout extends WireError {}
export class WireClosed extends WireError {}

const CR = 13;
const NONE: Value[] = [];
const PUSH_WORDS = new Set([
  'message',
  'pmessage',
  'smessage',
  'subscribe',
  'unsubscribe',
  'psubscribe',
  'punsubscribe',
  'ssubscribe',
  'sunsubscribe',
]);
const MESSAGE_WORDS = new Set(['message', 'pmessage', 'smessage']);

/** The request as the bytes of a RESP array of bulk strings (strings are latin1 byte strings). */
export function encodeCommand(args: readonly Arg[]): Buffer {
  let text = `*${args.length}\r\n`;
  for (const arg of args) {
    const s = typeof arg === 'string' ? arg : typeof arg === 'number' ? String(arg) : arg.toString('latin1');
    text += `$${s.length}\r\n${s}\r\n`;
  }
  return Buffer.from(text, 'latin1');
}

function lineEnd(buf: Buffer, from: number): number {
  const cr = buf.indexOf(CR, from);
  return cr === -1 || cr + 1 >= buf.length ? -1 : cr;
}

function firstBulk(buf: Buffer, at: number): string | null {
  if (buf[at] !== 0x24) return '';
  const cr = lineEnd(buf, at);
  if (cr === -1) return null;
  const n = Number(buf.toString('latin1', at + 1, cr));
  if (!(n >= 0)) return '';
  return cr + 2 + n > buf.length ? null : buf.toString('latin1', cr + 2, cr + 2 + n);
}

/**
 * Where the reply that begins at `start` ends, or -1 while bytes are missing. Redis before 7.2 writes a
 * pub/sub message for the executing client into the middle of that client's own reply: such a nested message
 * is an element of nobody. It is passed over, and its place is added to `nested`.
 */
export function frameEnd(buf: Buffer, start: number, nested: [number, number][] = []): number {
  let pos = start;
  let need = 1;
  while (need > 0) {
    const cr = lineEnd(buf, pos);
    if (cr === -1) return -1;
    const type = buf[pos];
    need--;
    switch (type) {
      case 0x2b: // +
      case 0x2d: // -
      case 0x3a: // :
      case 0x2c: // ,
      case 0x23: // #
      case 0x28: // (
      case 0x5f: // _
        pos = cr + 2;
        break;
      case 0x24: // $
      case 0x3d: // =
      case 0x21: {
        const n = Number(buf.toString('latin1', pos + 1, cr));
        if (!Number.isInteger(n)) throw new WireError(`bad length at ${escapeBytes(buf.subarray(pos, cr))}`);
        pos = n < 0 ? cr + 2 : cr + 2 + n + 2;
        if (pos > buf.length) return -1;
        break;
      }
      case 0x2a: // *
      case 0x7e: // ~
      case 0x25: // %
      case 0x7c: // |
      case 0x3e: {
        const n = Number(buf.toString('latin1', pos + 1, cr));
        if (!Number.isInteger(n)) throw new WireError(`bad count at ${escapeBytes(buf.subarray(pos, cr))}`);
        if (type === 0x3e && pos !== start) {
          const word = firstBulk(buf, cr + 2);
          if (word === null) return -1;
          if (MESSAGE_WORDS.has(word)) {
            const end = frameEnd(buf, pos);
            if (end === -1) return -1;
            nested.push([pos, end]);
            pos = end;
            need++;
            break;
          }
        }
        pos = cr + 2;
        if (n > 0) need += type === 0x25 || type === 0x7c ? 2 * n : n;
        if (type === 0x7c) need++;
        break;
      }
      default:
        throw new WireError(`not a reply: ${escapeBytes(buf.subarray(pos, Math.min(pos + 60, buf.length)))}`);
    }
  }
  return pos;
}

/** Is this top-level frame an out-of-band message (RESP3 push, or its RESP2 array form)? */
export function isPush(raw: Buffer): boolean {
  if (raw[0] === 0x3e) return true;
  if (raw[0] !== 0x2a || raw[2] !== CR || (raw[1] !== 0x33 && raw[1] !== 0x34)) return false;
  const word = firstBulk(raw, 4);
  return word !== null && PUSH_WORDS.has(word);
}

const SCALARS: Record<string, Kind> = {
  '+': 'status',
  '-': 'error',
  ':': 'int',
  ',': 'double',
  '#': 'bool',
  '(': 'bignum',
  _: 'null',
  $: 'bulk',
  '=': 'verbatim',
  '!': 'error',
};
const AGGREGATES: Record<string, Kind> = {
  '*': 'array',
  '~': 'set',
  '%': 'map',
  '>': 'push',
  '|': 'attribute',
};

/** Parses one framed reply. */
export function parseReply(raw: Buffer): Value {
  let pos = 0;
  function one(): Value {
    const cr = lineEnd(raw, pos);
    if (cr === -1) throw new WireError('truncated reply');
    const type = String.fromCharCode(raw[pos]!);
    const head = raw.toString('latin1', pos + 1, cr);
    pos = cr + 2;
    if (type === '$' || type === '=' || type === '!') {
      const n = Number(head);
      if (n < 0) return { kind: 'nullbulk', text: '', items: NONE };
      const text = raw.toString('latin1', pos, pos + n);
      pos += n + 2;
      return { kind: SCALARS[type]!, text, items: NONE };
    }
    const scalar = SCALARS[type];
    if (scalar !== undefined) return { kind: scalar, text: head, items: NONE };
    const kind = AGGREGATES[type];
    if (kind === undefined) throw new WireError(`unknown reply type ${JSON.stringify(type)}`);
    const count = Number(head) * (type === '%' || type === '|' ? 2 : 1);
    if (count < 0) return { kind: 'nullarray', text: '', items: NONE };
    const items: Value[] = [];
    while (items.length < count) items.push(one());
    return { kind, text: '', items };
  }
  const value = one();
  if (pos !== raw.length) throw new WireError('bytes after the reply');
  return value;
}

/** The frame from `start` to `end` with the nested messages cut out. */
function without(buf: Buffer, start: number, end: number, nested: readonly [number, number][]): Buffer {
  const parts: Buffer[] = [];
  let at = start;
  for (const [from, to] of nested) {
    parts.push(buf.subarray(at, from));
    at = to;
  }
  return Buffer.concat([...parts, buf.subarray(at, end)]);
}

/** Bytes as one printable line. */
export function escapeBytes(bytes: Buffer | string, limit = 600): string {
  const s = typeof bytes === 'string' ? bytes : bytes.toString('latin1');
  let out = '';
  for (let i = 0; i < s.length && out.length < limit; i++) {
    const c = s.charCodeAt(i);
    if (c === 13) out += '\\r';
    else if (c === 10) out += '\\n';
    else if (c === 92) out += '\\\\';
    else if (c === 34) out += '\\"';
    else if (c < 32 || c > 126) out += `\\x${c.toString(16).padStart(2, '0')}`;
    else out += s[i];
  }
  return out.length >= limit ? `${out}… (${s.length} bytes)` : out;
}

interface Waiter {
  count: number;
  resolve(frames: Buffer[]): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout | null;
}

export interface WireOptions {
  port?: number;
  host?: string;
  path?: string;
  timeoutMs?: number;
}

/** One connection. Frames that are messages go to `pushes`; everything else answers `replies(n)` in order. */
export class Wire {
  readonly pushes: Buffer[] = [];
  readonly inbox: Buffer[] = [];
  closed = false;
  error: Error | null = null;
  bytesIn = 0;
  private socket: Socket;
  private rest: Buffer | null = null;
  private waiter: Waiter | null = null;
  private closeWaiters: (() => void)[] = [];
  private pushWaiters: (() => void)[] = [];
  private readonly timeoutMs: number;
  private unframed: Buffer[] | null = null;

  private constructor(socket: Socket, timeoutMs: number) {
    this.socket = socket;
    this.timeoutMs = timeoutMs;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => {
      this.error ??= error;
    });
    socket.on('close', () => this.onClose());
  }

  static open(options: WireOptions): Promise<Wire> {
    const timeoutMs = options.timeoutMs ?? 5000;
    return new Promise((resolve, reject) => {
      const socket =
        options.path === undefined
          ? connect({ port: options.port ?? 6379, host: options.host ?? '127.0.0.1' })
          : connect({ path: options.path });
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new WireTimeout('connect timed out'));
      }, timeoutMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new Wire(socket, timeoutMs));
      });
    });
  }

  /** Writes bytes as they are. */
  write(bytes: Buffer | string): void {
    if (!this.closed) this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends one command without waiting. */
  send(...args: Arg[]): void {
    this.write(encodeCommand(args));
  }

  /** The next `count` raw replies (pushes are kept apart). */
  replies(count: number, timeoutMs = this.timeoutMs): Promise<Buffer[]> {
    if (this.waiter !== null) throw new WireError('somebody already waits on this connection');
    if (this.inbox.length >= count) return Promise.resolve(this.inbox.splice(0, count));
    if (this.closed) return Promise.reject(this.error ?? new WireClosed('connection closed'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiter = null;
        reject(new WireTimeout(`${this.inbox.length} of ${count} replies after ${timeoutMs} ms`));
      }, timeoutMs);
      this.waiter = { count, resolve, reject, timer };
    });
  }

  /** Sends one command and parses its reply. */
  async call(...args: Arg[]): Promise<Value> {
    this.send(...args);
    return this.reply();
  }

  /** The next reply, parsed. */
  async reply(timeoutMs = this.timeoutMs): Promise<Value> {
    const [raw] = await this.replies(1, timeoutMs);
    return parseReply(raw!);
  }

  /** Resolves true once the server has closed the connection, false after `timeoutMs`. */
  waitClosed(timeoutMs: number): Promise<boolean> {
    if (this.closed) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(this.closed), timeoutMs);
      this.closeWaiters.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** Resolves true once at least `count` pushes have arrived since the connection opened or was drained. */
  async waitPushes(count: number, timeoutMs = this.timeoutMs): Promise<boolean> {
    const until = Date.now() + timeoutMs;
    while (this.pushes.length < count && !this.closed && Date.now() < until) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, until - Date.now());
        this.pushWaiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.pushes.length >= count;
  }

  /** From now on bytes are only collected, not framed: for tests of broken requests. */
  startCapture(): void {
    this.unframed = [];
  }

  /** Everything received since startCapture. */
  captured(): Buffer {
    return Buffer.concat(this.unframed ?? []);
  }

  /** The same, and back to framing replies. */
  endCapture(): Buffer {
    const bytes = this.captured();
    this.unframed = null;
    return bytes;
  }

  close(): void {
    this.socket.destroy();
    this.onClose();
  }

  private receive(chunk: Buffer): void {
    this.bytesIn += chunk.length;
    if (this.unframed !== null) {
      this.unframed.push(chunk);
      return;
    }
    const buf = this.rest === null ? chunk : Buffer.concat([this.rest, chunk]);
    let pos = 0;
    let pushed = false;
    try {
      while (pos < buf.length) {
        const nested: [number, number][] = [];
        const end = frameEnd(buf, pos, nested);
        if (end === -1) break;
        const raw = nested.length === 0 ? buf.subarray(pos, end) : without(buf, pos, end, nested);
        for (const [from, to] of nested) this.pushes.push(buf.subarray(from, to));
        if (nested.length > 0) pushed = true;
        if (isPush(raw)) {
          this.pushes.push(raw);
          pushed = true;
        } else this.inbox.push(raw);
        pos = end;
      }
    } catch (error) {
      this.error = error as Error;
      this.close();
      return;
    }
    this.rest = pos === buf.length ? null : pos === 0 ? buf : buf.subarray(pos);
    this.settle();
    if (pushed) for (const wake of this.pushWaiters.splice(0)) wake();
  }

  private settle(): void {
    const waiter = this.waiter;
    if (waiter === null || this.inbox.length < waiter.count) return;
    this.waiter = null;
    if (waiter.timer !== null) clearTimeout(waiter.timer);
    waiter.resolve(this.inbox.splice(0, waiter.count));
  }

  private onClose(): void {
    if (this.closed) return;
    this.closed = true;
    const waiter = this.waiter;
    this.waiter = null;
    if (waiter !== null) {
      if (waiter.timer !== null) clearTimeout(waiter.timer);
      waiter.reject(this.error ?? new WireClosed('connection closed'));
    }
    for (const wake of this.closeWaiters.splice(0)) wake();
    for (const wake of this.pushWaiters.splice(0)) wake();
  }
}
