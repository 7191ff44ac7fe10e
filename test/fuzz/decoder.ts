// The decoder under fire: streams of arbitrary bytes and of mutated requests, and what must hold for each of
// them. Called by run.ts (for long) and decoder.test.ts (in short).
import { Random } from '../../src/engine/ports.ts';
import { Decoder, ProtocolError, QueryBufferOverflow } from '../../src/resp/decode.ts';

/** What a stream decodes to: whole requests, and how it stood at the end. */
export interface Outcome {
  readonly commands: readonly (readonly string[])[];
  /** `open`, or why the connection would be closed. */
  readonly end: string;
}

const LIMITS = { maxBulk: 512 * 1024 * 1024, maxBuffer: 1024 * 1024 * 1024 };
/** What a connection may hold beyond twice the bytes that came. */
const SLACK = 256 * 1024;

/**
 * Feeds the stream in pieces that end at `cuts`, through one borrowed buffer that is overwritten after each piece,
 * as the server does.
 * @throws Error when it holds more memory than the bytes that came justify, or anything unexpected happens
 */
export function decode(stream: Buffer, cuts: readonly number[], authenticated = true): Outcome {
  const decoder = new Decoder(LIMITS);
  decoder.authenticated = authenticated;
  const borrowed = Buffer.alloc(stream.length);
  const commands: (readonly string[])[] = [];
  let from = 0;
  for (const to of [...cuts, stream.length]) {
    if (to === from) continue;
    stream.copy(borrowed, 0, from, to);
    decoder.feed(borrowed, to - from);
    try {
      for (let args = decoder.next(); args !== null; args = decoder.next()) {
        if (args.length === 0) throw new Error('an empty request came out');
        commands.push(args);
      }
    } catch (error) {
      if (error instanceof ProtocolError) return { commands, end: error.message };
      if (error instanceof QueryBufferOverflow) return { commands, end: 'overflow' };
      throw error;
    }
    decoder.keep();
    borrowed.fill(0xee);
    from = to;
    mustBeBounded(decoder, to);
  }
  return { commands, end: 'open' };
}

function mustBeBounded(decoder: Decoder, fed: number): void {
  const { held } = decoder as unknown as { held: Uint8Array | null };
  const size = held?.length ?? 0;
  if (decoder.pending > fed) throw new Error(`${decoder.pending} bytes pending of ${fed} that came`);
  if (size > 2 * fed + SLACK) throw new Error(`${size} bytes held of ${fed} that came`);
}

/** Cuts at random places, from none to one at every byte. */
export function randomCuts(random: Random, length: number): number[] {
  const pieces = [1, 2, 3, 10, length][int(random, 5)];
  const cuts = new Set<number>();
  for (let i = 1; i < pieces; i++) cuts.add(int(random, length + 1));
  return [...cuts].toSorted((a, b) => a - b);
}

/** Cut at every byte: the hardest split. */
export const everyByte = (length: number): number[] => Array.from({ length }, (_, i) => i + 1);

/** A stream for this seed. Lines stay below 64 kB: where longer ones fail depends on the reads, in Redis too. */
export function randomStream(seed: number): Buffer {
  const random = new Random(seed);
  const kind = int(random, 4);
  if (kind === 0) return Buffer.from(noise(random, int(random, 400)), 'latin1');
  const requests = Array.from({ length: 1 + int(random, 6) }, () => request(random)).join('');
  if (kind === 1) return Buffer.from(requests, 'latin1');
  let text = requests;
  for (let i = 1 + int(random, 4); i > 0; i--) text = mutate(random, text);
  return Buffer.from(text, 'latin1');
}

/** Requests that both servers answer alike, mostly. */
const COMMANDS: readonly (readonly string[])[] = [
  ['PING'],
  ['PING', 'howdy'],
  ['ECHO', '?'],
  ['SET', 'k', '?'],
  ['GET', 'k'],
  ['APPEND', 'k', '?'],
  ['STRLEN', 'k'],
  ['DEL', 'k'],
  ['EXISTS', 'k', '?'],
  ['MULTI'],
  ['EXEC'],
  ['DISCARD'],
  ['SELECT', '1'],
  ['nonsense', '?', '?'],
  ['get'],
  [''],
];

function request(random: Random): string {
  const args = COMMANDS[int(random, COMMANDS.length)].map((word) =>
    word === '?' ? noise(random, int(random, 30)) : word,
  );
  const style = int(random, 8);
  if (style === 0 && args.every((arg) => /^[!-~]+$/.test(arg) && !/["']/.test(arg))) {
    return `${args.join(' '.repeat(1 + int(random, 2)))}${int(random, 2) === 0 ? '\r\n' : '\n'}`;
  }
  if (style === 1) return `${args.map((arg) => quoted(arg)).join(' ')}\r\n`;
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

function quoted(arg: string): string {
  const escaped = (c: string): string => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return `"${arg.replace(/[^ -~]|["\\]/g, escaped)}"`;
}

const LIKELY = '*$:+-0123456789\r\n\r\n\r\n "\'\\x\0aPINGset\x0b\x80\xff';

function noise(random: Random, length: number): string {
  let out = '';
  for (let i = 0; i < length; i++) {
    out += int(random, 4) === 0 ? String.fromCharCode(int(random, 256)) : LIKELY[int(random, LIKELY.length)];
  }
  return out;
}

function mutate(random: Random, text: string): string {
  const at = int(random, text.length + 1);
  const to = Math.min(text.length, at + 1 + int(random, 6));
  switch (int(random, 6)) {
    case 0:
      return text.slice(0, at) + noise(random, 1) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + noise(random, 1 + int(random, 4)) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(to);
    case 3:
      return text.slice(0, to) + text.slice(at);
    case 4:
      return text.slice(0, at);
    default:
      // A length or a count becomes another one.
      return text.replace(/\d+/g, (digits) => (int(random, 6) === 0 ? odd(random) : digits));
  }
}

const ODD = [
  '0',
  '-1',
  '00',
  '1',
  '2',
  '7',
  '16385',
  '2147483647',
  '2147483648',
  '536870913',
  '9223372036854775807',
];
const odd = (random: Random): string => ODD[int(random, ODD.length)];

export function int(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}

/** Why this seed's stream breaks the decoder; null when all is well. */
export function broken(seed: number): string | null {
  const stream = randomStream(seed);
  const random = new Random(seed ^ 0x5eed);
  const authenticated = int(random, 4) > 0;
  try {
    const whole = decode(stream, [], authenticated);
    for (const cuts of [everyByte(stream.length), randomCuts(random, stream.length)]) {
      const split = decode(stream, cuts, authenticated);
      if (JSON.stringify(split) !== JSON.stringify(whole)) {
        return `cut at ${cuts.slice(0, 20).join(',')}: ${JSON.stringify(split)} instead of ${JSON.stringify(whole)}`;
      }
    }
  } catch (error) {
    return (error as Error).stack ?? String(error);
  }
  return null;
}
