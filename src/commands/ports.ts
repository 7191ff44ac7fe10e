// What handlers may see of the world. Data handlers get an Env; control handlers get their session and the
// engine through these ports, which the rooms above implement (engine/session.ts, engine/engine.ts,
// propagation/pubsub.ts, engine/config.ts).
import type { Db, Watcher } from '../keyspace/db.ts';
import type { Space } from '../keyspace/space.ts';
import type { Protocol } from '../resp/encode.ts';
import type { Push, Reply, ReplyError } from '../resp/reply.ts';
import type { CommandTable, TableEntry } from './table.ts';

/** Surroundings of a data handler; one object per engine, set before each call. */
export interface Env {
  /** Protocol of the caller, where a reply differs in more than its encoding. */
  readonly protocol: Protocol;
  /** proto-max-bulk-len: longest string a command may build. */
  readonly maxBulk: number;
  /** Unix time in microseconds, constant within the unit. */
  micros(): number;
  /**
   * Says what the log records in place of the command as sent: the effect, with absolute times and without
   * chance. Several commands are allowed; none means that nothing is recorded. Costs nothing when no log runs.
   */
  propagate(...commands: (readonly string[])[]): void;
}

/** A command waiting for EXEC. */
export interface QueuedCommand {
  readonly entry: TableEntry;
  readonly args: readonly string[];
}

export type SubscriptionKind = 'channel' | 'pattern' | 'shard';

/** One client: a connection or an in-process session. */
export interface SessionPort {
  readonly id: number;
  name: string;
  libName: string;
  libVersion: string;
  user: string;
  authenticated: boolean;
  protocol: Protocol;
  db: Db;
  /** Queue of an open MULTI, null outside. */
  multi: QueuedCommand[] | null;
  /** Length of the queue that EXEC runs right now, 0 outside: CLIENT INFO shows it. */
  running: number;
  /** A command was refused while queueing: EXEC will abort. */
  dirtyExec: boolean;
  /** A watched key changed: EXEC will answer null. */
  dirtyCas: boolean;
  watches: Watcher[];
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  readonly shardChannels: Set<string>;
  /** CLIENT REPLY; 'skip' suppresses the reply to the next command, 'skipping' to the running one. */
  replies: 'on' | 'off' | 'skip' | 'skipping';
  noEvict: boolean;
  noTouch: boolean;
  readonly createdAt: number;
  readonly info: ConnectionInfo;
  /** When the last command came, Unix ms. */
  lastActive: number;
  /** Full name of the last command (`client|list`), for CLIENT LIST. */
  lastCommand: string;
  /** Set while a blocking command waits. */
  readonly isBlocked: boolean;
  /** Close once the current reply is out. */
  closing: boolean;
  /** Sends an out-of-band message; while the session runs a command it goes out behind the reply. */
  push(message: Push): void;
  /** Recomputes what dispatch has to look at after a change of the fields above. */
  refresh(): void;
}

/** What a transport knows of its client. */
export interface ConnectionInfo {
  readonly address: string;
  readonly localAddress: string;
  readonly fd: number;
  /** Unix socket or in process. */
  readonly local: boolean;
  /** In process: needs no password. */
  readonly trusted: boolean;
  /** Bytes of input not yet parsed, and of output not yet taken by the peer. */
  queryBuffer(): number;
  outputBuffer(): number;
}

export interface PubSubPort {
  subscribe(session: SessionPort, kind: SubscriptionKind, name: string): void;
  unsubscribe(session: SessionPort, kind: SubscriptionKind, name: string): void;
  /** Delivers to channel and pattern subscribers; answers how many received it. */
  publish(channel: string, message: string): number;
  publishShard(channel: string, message: string): number;
  /** Active channels that match a glob (all by default). */
  channels(kind: 'channel' | 'shard', pattern?: string): string[];
  subscribers(kind: 'channel' | 'shard', name: string): number;
  /** Number of distinct patterns. */
  patternCount(): number;
}

/** Directives and their values. */
export interface ConfigPort {
  /** Name and value of the directives that match any of the globs. */
  get(globs: readonly string[]): [name: string, value: string][];
  /** Sets all or none; an error is what CONFIG SET answers. */
  set(pairs: readonly (readonly [name: string, value: string])[]): ReplyError | null;
  value(name: string): string;
}

/** Counters per command and of the whole server, for INFO and CONFIG RESETSTAT. */
export interface StatsPort {
  connections: number;
  rejectedConnections: number;
  commands: number;
  netInput: number;
  netOutput: number;
  readonly startedAt: number;
  /** By error code: how often it was answered. */
  readonly errors: Map<string, number>;
  reset(): void;
}

export interface EnginePort {
  readonly space: Space;
  readonly table: CommandTable;
  readonly pubsub: PubSubPort;
  readonly config: ConfigPort;
  readonly stats: StatsPort;
  readonly sessions: ReadonlyMap<number, SessionPort>;
  /** Hex digits that name this run of the engine. */
  readonly runId: string;
  /** Runs one command of EXEC's queue within the open unit. */
  callQueued(session: SessionPort, queued: QueuedCommand): Reply;
  watch(session: SessionPort, key: string): void;
  unwatch(session: SessionPort): void;
  /** Has a watched key of the session expired by now? */
  watchedExpired(session: SessionPort): boolean;
  /** Ends a MULTI: drops the queue, the flags and the watches. */
  endTransaction(session: SessionPort): void;
  /** Ends the wait of a blocked session; false where it was not blocked. */
  unblock(session: SessionPort, reply: 'timeout' | 'error'): boolean;
  /** Closes a session's connection (CLIENT KILL). */
  kill(session: SessionPort): void;
  /** Puts a session back as a new connection is (RESET). */
  reset(session: SessionPort): void;
  /** Ends the server; answers an error where it cannot. Embedded engines refuse. */
  shutdown(save: boolean): ReplyError | null;
  /** DEBUG SLEEP: nothing runs for this long. */
  sleep(milliseconds: number): void;
  setActiveExpire(on: boolean): void;
  /** INFO fields that only the surroundings know (process, memory, port), by section. */
  surroundings(section: string): readonly [field: string, value: string | number][];
}
