// What handlers may see of the world. Data handlers get an Env; control handlers get their session and the
// engine through these ports, which the rooms above implement (engine/session.ts, engine/engine.ts,
// propagation/pubsub.ts, engine/config.ts).
import type { Db, Watcher } from '../keyspace/db.ts';
import type { Space } from '../keyspace/space.ts';
import type { Protocol } from '../resp/encode.ts';
import type { Later, Push, Reply, ReplyError } from '../resp/reply.ts';
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
  /** Can its reply come later, when a script takes long? In-process callers cannot wait. */
  readonly canWait: boolean;
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
  /** EVAL's scripts that made room for others. */
  evictedScripts: number;
  readonly startedAt: number;
  /** By error code: how often it was answered. */
  readonly errors: Map<string, number>;
  reset(): void;
}

/** What a script's redis.call and redis.log do outside of Lua. */
export interface ScriptCallPort {
  /** Runs a command of a script within the open unit, as `session`; with `logged` false the log does not get it. */
  callFromScript(session: SessionPort, entry: TableEntry, args: readonly string[], logged: boolean): Reply;
  /** Counts an error in INFO errorstats; with an entry, as its rejection. */
  countError(error: ReplyError, rejected?: TableEntry): void;
  /** Counts a command as failed in INFO commandstats, although its reply as a whole is no error. */
  countFailure(command: readonly string[]): void;
  /** redis.log, at a level from 0 (debug) to 3 (warning). */
  log(level: number, message: string): void;
  /** From here on the open unit's changes can be undone, and nobody outside learns of them. */
  openUndo(): UndoPoint;
  /** The database on disk; null in memory. */
  readonly persistence: PersistencePort | null;
  /** Why commands that write are refused at present: the log cannot be written. */
  readonly writeRefusal: ReplyError | null;
  /** How many changes the open unit's undoing would take back. */
  readonly undoLength: number;
  /** Undoes everything since; the point can be used again. */
  undo(point: UndoPoint): void;
  /** What was done stays, and others learn of it. */
  closeUndo(point: UndoPoint): void;
  /** Goes on with a script in slices while its unit stays open. */
  runLong(work: LongWork): Later;
  /** The script that does, and for how many milliseconds by now. */
  readonly longWork: LongWork | null;
  readonly longDuration: number;
  /** Milliseconds of a clock that only goes forward. */
  elapsed(): number;
}

/** Where the effects of units go, so that they outlive the process (persistence/aof/log.ts). */
export interface UnitLog {
  /** Number of the batch that the next unit belongs to. */
  readonly gathering: number;
  /** Batches up to this one may be acknowledged. */
  readonly accepted: number;
  /** The last batch with something in it that may not be acknowledged yet; 0: none. */
  readonly unaccepted: number;
  /** Takes the effects of a unit that has ended. */
  add(ops: readonly { readonly db: number; readonly args: readonly string[] }[]): void;
  /** Writes what has gathered; called before replies go out. */
  flush(): void;
  /** Calls back when the batch may be acknowledged, or with false once it is clear that it cannot be. */
  whenAccepted(batch: number, action: (accepted: boolean) => void): void;
}

/** The database on disk (persistence/persistence.ts), as SAVE and its kin see it. */
export interface PersistencePort {
  /** Unix seconds of the last RDB file. */
  readonly lastSave: number;
  readonly isSaving: boolean;
  /** A rewrite waits for something else to end. */
  readonly isScheduled: boolean;
  /** Begins to rewrite the log, or will; answers why not. */
  beginRewrite(): string | null;
  /** Begins to save an RDB file; answers why not. */
  beginSave(schedule: boolean): string | null;
  /** Saves one; resolves to whether that worked. */
  saveAndWait(): Promise<boolean>;
  /** Fields of INFO. */
  info(): [string, string | number][];
}

/** A script that has run for long and goes on in slices (engine/long-run.ts; scripting/runner.ts makes it). */
export interface LongWork {
  /** Digest or name of the function. */
  readonly name: string;
  readonly kind: 'script' | 'function';
  /** The command that started it. */
  readonly command: readonly string[];
  /** Milliseconds that it had run before. */
  readonly spent: number;
  /** Runs a slice; answers the reply at the end, undefined before. */
  step(): Reply | undefined;
  /** Ends it as soon as it can be; false where it has written and may not be undone. */
  kill(): boolean;
}

/** What the engine remembers to undo a part of the open unit. */
export interface UndoPoint {
  readonly own: boolean;
}

/** EVAL and its kin, and the scripts that they have left (scripting/scripts.ts). */
export interface ScriptsPort {
  /**
   * Runs a script with all arguments of its command, of which those from the fourth on begin with so many keys.
   * @param known the script is given by its digest, not by its text
   */
  evaluate(
    session: SessionPort,
    args: readonly string[],
    keys: number,
    known: boolean,
    readOnly: boolean,
  ): Reply;
  /**
   * Keeps a script until {@link flush}; answers its digest.
   * @throws ReplyError where it is no Lua
   */
  load(body: string): string;
  /** Text of a script by its digest, null where there is none. */
  show(digest: string): string | null;
  flush(): void;
  /** Ends the script that runs. */
  kill(): Reply;
  readonly count: number;
  /** Bytes of the scripts and their digests. */
  readonly memory: number;
}

/** A function library that is loaded. */
export interface LibraryInfo {
  readonly name: string;
  readonly code: string;
  readonly functions: readonly {
    readonly name: string;
    readonly description: string | null;
    /** Names of its flags. */
    readonly flags: readonly string[];
  }[];
}

/** How FUNCTION RESTORE treats the libraries that are there: drops them, refuses their names, or replaces them. */
export type RestorePolicy = 'flush' | 'append' | 'replace';

/** Function libraries (scripting/functions.ts). What a command answers as an error is thrown. */
export interface FunctionsPort {
  /** Loads a library; answers its name. */
  load(code: string, replace: boolean): string;
  /** False where there is none of the name. */
  delete(name: string): boolean;
  flush(): void;
  list(): LibraryInfo[];
  dump(): string;
  restore(payload: string, policy: RestorePolicy): void;
  /** How many libraries and functions there are. */
  readonly counts: { readonly libraries: number; readonly functions: number };
  /** Ends the function that runs. */
  kill(): Reply;
  /** FCALL and FCALL_RO, with all their arguments. */
  call(session: SessionPort, args: readonly string[], readOnly: boolean): Reply;
}

/** The memory that the process has. */
export interface HeapPort {
  /** Bytes in use, rubbish included, and how many there may be. */
  used(): number;
  readonly limit: number;
  /** Throws the rubbish away, which takes time. */
  collect(): void;
}

export interface EnginePort extends ScriptCallPort {
  /** Null where nobody knows. */
  readonly heap: HeapPort | null;
  readonly space: Space;
  readonly scripts: ScriptsPort;
  readonly functions: FunctionsPort;
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
  shutdown(save: boolean | null): ReplyError | null;
  /** DEBUG SLEEP: nothing runs for this long. */
  sleep(milliseconds: number): void;
  /** A control handler changed what outlives the server (function libraries): the log gets the command as sent. */
  changed(session: SessionPort, args: readonly string[]): void;
  setActiveExpire(on: boolean): void;
  /** INFO fields that only the surroundings know (process, memory, port), by section. */
  surroundings(section: string): readonly [field: string, value: string | number][];
}
