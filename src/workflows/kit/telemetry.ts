// What the toolkit tells of itself: one sink, and a channel of diagnostics_channel in Node. Keys and values never reach
// it; a key's hash tag does as eight digits of its digest. Called by perform, script and transaction.
import { sha1Hex } from '../../data/sha1.ts';
import { utf8Encode } from '../../resp/bytes.ts';
import { hashTag } from './keys.ts';

/** An operation has ended. */
export interface OperationEvent {
  readonly event: 'redis.atomic.operation';
  /** Name of the script, function or transaction. */
  readonly operation: string;
  readonly version: number;
  /** Digest of the hash tag; '' where there is no key. */
  readonly keyTag: string;
  /** Status of the result, or the code of the error. */
  readonly result: string;
  readonly latencyMs: number;
  /** How often it was sent. */
  readonly attempt: number;
  /** How often it had to be sent again, by reason: `lost`, `unsent`, `conflict`, or a code of the server. */
  readonly retries: Readonly<Record<string, number>>;
  readonly client: string;
}

/** A script was not on the server and has been sent whole. */
export interface NoScriptEvent {
  readonly event: 'redis.atomic.script.noscript';
  readonly script: string;
}

/** A script failed with an error of the server. */
export interface ScriptErrorEvent {
  readonly event: 'redis.atomic.script.error';
  readonly script: string;
  readonly code: string;
}

/** Something that somebody should look at. */
export interface AdviceEvent {
  readonly event: 'redis.atomic.advice';
  readonly advice: 'contention' | 'hot-hash-tag' | 'lost-watch';
  readonly operation: string;
  readonly message: string;
}

export type TelemetryEvent = OperationEvent | NoScriptEvent | ScriptErrorEvent | AdviceEvent;
export type Sink = (event: TelemetryEvent) => void;

/** Name of the channel of node:diagnostics_channel that has every event. */
export const CHANNEL = 'holdfast:atomic';

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

let sink: Sink | null = null;
const channel = openChannel();

// The room imports no Node module, but where there is one its channel is used.
function openChannel(): Channel | null {
  const host = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process;
  const found = host?.getBuiltinModule?.('node:diagnostics_channel') as
    | { channel(name: string): Channel }
    | undefined;
  return found?.channel(CHANNEL) ?? null;
}

/**
 * Where events go from now on; null for nowhere. One for the process. What it throws is swallowed: telemetry must not
 * change what an operation answers.
 * @returns the one before
 */
export function setTelemetry(next: Sink | null): Sink | null {
  const before = sink;
  sink = next;
  return before;
}

/** Whether anybody listens: callers make no event otherwise. */
export function isWatched(): boolean {
  return sink !== null || channel?.hasSubscribers === true;
}

export function tell(event: TelemetryEvent): void {
  try {
    sink?.(event);
  } catch {
    // The sink's own fault.
  }
  if (channel?.hasSubscribers) channel.publish(event);
}

/** How a key shows in events: digits of its hash tag's digest, the same for all keys of one thing. */
export function keyTag(key: string): string {
  return key === '' ? '' : sha1Hex(utf8Encode(hashTag(key))).slice(0, 8);
}
