// The engine: sessions, the path of a command (refusals in order, then the unit of work), transactions and
// waiting. Transports call connect/execute/disconnect; control handlers see it as EnginePort.

import { Bit } from '../commands/derive.ts';
import { busyError, unknownCommand, unknownSubcommand, wrongArity } from '../commands/errors.ts';
import { families } from '../commands/index.ts';
import type {
  EnginePort,
  HeapPort,
  LongWork,
  PersistencePort,
  QueuedCommand,
  SessionPort,
  UndoPoint,
} from '../commands/ports.ts';
import { CommandTable, type TableEntry } from '../commands/table.ts';
import { isHttp, unsupportedCommand } from '../commands/unsupported.ts';
import { keepStringsFast } from '../data/fast-strings.ts';
import type { Watcher } from '../keyspace/db.ts';
import { type FrozenSpace, Space } from '../keyspace/space.ts';
import { dumpValue } from '../persistence/rdb/payload.ts';
import { PubSub } from '../propagation/pubsub.ts';
import { Block, Later, NO_REPLY, QUEUED, type Reply, ReplyError } from '../resp/reply.ts';
import { Functions } from '../scripting/functions.ts';
import type { Libraries } from '../scripting/library.ts';
import { Runner } from '../scripting/runner.ts';
import { Scripts } from '../scripting/scripts.ts';
import { Blocking, type Waiter } from './blocking.ts';
import { Config } from './config.ts';
import { Effects } from './effects.ts';
import { EngineEnv } from './env.ts';
import { ExpiryCycle } from './expiry-cycle.ts';
import { type Held, LongRuns } from './long-run.ts';
import { type Clock, Random, soon, systemClock } from './ports.ts';
import { needsLog, refusal } from './refusals.ts';
import { Gate, NOBODY, type Outlet, Session } from './session.ts';
import { Stats } from './stats.ts';

export interface EngineOptions {
  readonly clock?: Clock;
  /** Seed of all chance in the engine (SPOP, RANDOMKEY, …); random by default. */
  readonly seed?: number;
  readonly databases?: number;
  /** Directives as in redis.conf. */
  readonly config?: Readonly<Record<string, string>>;
  /** What SHUTDOWN does (null: told neither SAVE nor NOSAVE); without it SHUTDOWN answers an error. */
  readonly onShutdown?: (save: boolean | null) => void;
  /** What scripts log (redis.log), at a level from 0 (debug) to 3 (warning). */
  readonly onLog?: (level: number, message: string) => void;
  /** The memory that scripts must not fill. */
  readonly heap?: HeapPort;
  /** INFO fields of the process and the transport. */
  readonly surroundings?: (section: string) => readonly [string, string | number][];
}

const UNBLOCKED = new ReplyError('UNBLOCKED client unblocked via CLIENT UNBLOCK');

// One table serves all engines of the process: rows are constant, counters are only statistics.
export const commandTable = new CommandTable(families);

export class Engine implements EnginePort {
  readonly space: Space;
  readonly table = commandTable;
  readonly pubsub = new PubSub();
  readonly config: Config;
  readonly stats: Stats;
  readonly sessions = new Map<number, Session>();
  readonly runId: string;
  readonly clock: Clock;
  /** What others learn of units: the log, listeners. */
  readonly effects: Effects;
  /** The database on disk; null in memory. */
  persistence: PersistencePort | null = null;
  /** The last reply may go once this batch of the log is accepted; 0: at once. */
  replyAfter = 0;
  /** Why commands that write are refused. */
  writeRefusal: ReplyError | null = null;
  readonly random: Random;
  /** Runs scripts, which share a session that is no client's. */
  readonly runner: Runner;
  readonly scripts: Scripts;
  readonly functions: Functions;

  private readonly options: EngineOptions;
  private readonly blocking: Blocking;
  private readonly env: EngineEnv;
  /** Set by {@link close}. */
  isClosed = false;
  private nextId = 1;
  private depth = 0;
  /** What the running command changes goes to the log; a script may say no (redis.set_repl). */
  private logging = true;
  private readonly expiry: ExpiryCycle;
  private readonly long: LongRuns;

  constructor(options: EngineOptions = {}) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.random = new Random(options.seed ?? Math.floor(Math.random() * 2 ** 32));
    const { databases: count, config } = options;
    this.config = new Config(count === undefined ? (config ?? {}) : { ...config, databases: String(count) });
    const databases = Number(this.config.value('databases'));
    this.space = new Space(
      { now: () => this.clock.now(), micros: () => this.clock.micros(), random: () => this.random.next() },
      databases,
    );
    this.effects = new Effects(this.space);
    this.config.attach(this);
    this.stats = new Stats(this.clock.now());
    this.runId = Array.from({ length: 40 }, () => Math.floor(this.random.next() * 16).toString(16)).join('');
    this.env = new EngineEnv(this);
    this.runner = new Runner(this, new Session(0, this.space.dbs[0], NOBODY, this.stats.startedAt, true));
    this.scripts = new Scripts(this, this.runner);
    this.functions = new Functions(this, this.runner);
    this.blocking = new Blocking(this.space, this.clock, {
      retry: (waiter) => this.retry(waiter),
      deliver: (session, reply) => this.deliver(session, reply),
    });
    const engine = this;
    this.long = new LongRuns({
      threshold: () => Number(this.config.value('busy-reply-threshold')),
      release: (held) => this.release(held),
      soon,
      elapsed: () => this.elapsed(),
    });
    this.expiry = new ExpiryCycle(this.space, this.clock, {
      hz: () => Number(engine.config.value('hz')),
      get inUnit() {
        return engine.inUnit;
      },
      purged: () => engine.tellPurged(),
    });
    this.space.onEvent = (db, event, key) => this.publishEvent(db, event, key);
  }

  // ---- sessions

  /** @throws Error when the engine is closed. */
  connect(outlet: Outlet): Session {
    if (this.isClosed) throw new Error('the engine is closed');
    keepStringsFast();
    this.stats.connections++;
    const open = outlet.info.trusted || this.config.value('requirepass') === '';
    const session = new Session(this.nextId++, this.space.dbs[0], outlet, this.clock.now(), open);
    this.sessions.set(session.id, session);
    return session;
  }

  /** Ends all sessions, the connections of transports included; no new one can begin. */
  close(): void {
    this.isClosed = true;
    this.stop();
    this.long.stop();
    for (const session of [...this.sessions.values()]) this.kill(session);
  }

  /** The client is gone: nothing queued runs, nothing of it stays. */
  disconnect(session: Session): void {
    if (!this.sessions.delete(session.id)) return;
    this.blocking.forget(session);
    this.endTransaction(session);
    this.pubsub.leave(session);
  }

  reset(session: SessionPort): void {
    const s = session as Session;
    this.endTransaction(s);
    this.pubsub.leave(s);
    s.db = this.space.dbs[0];
    s.name = '';
    s.protocol = 2;
    s.replies = 'on';
    s.noEvict = false;
    s.noTouch = false;
    s.user = 'default';
    s.authenticated = s.info.trusted || this.config.value('requirepass') === '';
    s.refresh();
  }

  kill(session: SessionPort): void {
    const s = session as Session;
    s.closing = true;
    if (s.executing) return;
    this.disconnect(s);
    s.outlet.close();
  }

  // ---- the path of a command

  /**
   * Runs one command of a client as a unit. Answers its reply, NO_REPLY where nothing is to be sent, or a Block
   * when the session now waits: its reply comes later through the outlet.
   * @param known the entry of `args[0]`, where the caller has it.
   */
  execute(session: Session, args: readonly string[], known?: TableEntry): Reply {
    session.executing = true;
    this.replyAfter = 0;
    let reply: Reply;
    try {
      reply = this.dispatch(session, args, known ?? this.table.find(args[0]));
    } finally {
      session.executing = false;
    }
    if (reply instanceof ReplyError) this.countError(reply);
    if ((session.gate & Gate.replies) !== 0) return this.muted(session, reply);
    return reply;
  }

  // Refusals, in Redis' order. Each flags an open MULTI (refuse).
  private dispatch(session: Session, args: readonly string[], found: TableEntry | undefined): Reply {
    let entry = found;
    if (this.long.work !== null && this.depth > 0) {
      const reply = this.duringLongRun(session, args, found);
      if (reply !== null) return reply;
    }
    session.lastCommand = found?.name ?? 'NULL';
    if (entry === undefined) {
      if (!isHttp(args[0]))
        return this.refuse(session, null, unsupportedCommand(args[0]) ?? unknownCommand(args));
      session.closing = true;
      session.outlet.drop?.();
      return NO_REPLY;
    }
    if (entry.subcommands !== null && args.length > 1) {
      const sub = entry.subcommands.get(args[1].toLowerCase());
      session.lastCommand = sub?.name ?? 'NULL';
      if (sub === undefined) {
        const error = unsupportedCommand(entry.name, args[1]) ?? unknownSubcommand(args[1], entry.name);
        return this.refuse(session, entry, error);
      }
      entry = sub;
    }
    const { arity } = entry;
    if (arity > 0 ? args.length !== arity : args.length < -arity) {
      return this.refuse(session, entry, wrongArity(entry.name));
    }
    if (this.writeRefusal !== null && needsLog(entry)) return this.refuse(session, entry, this.writeRefusal);
    if (session.gate !== 0 || (entry.bits & Bit.protected) !== 0) {
      const refused = refusal(this.config, session, entry);
      if (refused !== null) return this.refuse(session, entry, refused);
      if (session.multi !== null && (entry.bits & Bit.immediate) === 0) {
        // What will be aborted anyway need not be kept.
        if (!session.dirtyExec && !session.dirtyCas) session.multi.push({ entry, args });
        return QUEUED;
      }
      this.space.touching = !session.noTouch || entry.row.touches === true;
      const reply = this.unit(session, entry, args);
      this.space.touching = true;
      return reply;
    }
    return this.unit(session, entry, args);
  }

  // A long script's unit is open: others wait, or learn that they would have to wait too long.
  private duringLongRun(
    session: Session,
    args: readonly string[],
    found: TableEntry | undefined,
  ): Reply | null {
    const work = this.long.work as LongWork;
    if (!this.long.isBusy && session.canWait) {
      session.held = true;
      this.long.hold({ session, args, entry: found });
      return new Later();
    }
    let entry = found;
    if (entry?.subcommands && args.length > 1) entry = entry.subcommands.get(args[1].toLowerCase());
    // What does not exist or is written wrongly is told so by dispatch.
    if (entry === undefined) return null;
    const { arity } = entry;
    if (arity > 0 ? args.length !== arity : args.length < -arity) return null;
    if ((entry.bits & Bit.allowBusy) !== 0 && entry.row.allowedBusy?.(args) !== false) return null;
    return this.refuse(session, entry, busyError(work.kind));
  }

  runLong(work: LongWork): Later {
    return this.long.begin(work);
  }

  get heap(): HeapPort | null {
    return this.options.heap ?? null;
  }

  get longWork(): LongWork | null {
    return this.long.work;
  }

  get longDuration(): number {
    return this.long.duration;
  }

  elapsed(): number {
    return performance.now();
  }

  // The long run is over or counts as busy: a command that waited runs as if it came now.
  private release({ session, args, entry }: Held): void {
    session.held = false;
    if (!this.sessions.has(session.id)) return;
    const reply = this.execute(session, args, entry);
    if (reply instanceof Later || reply instanceof Block) return;
    session.outlet.reply(reply);
    for (const push of session.takePushes()) session.outlet.push(push);
    if (session.closing) session.outlet.close();
  }

  // A refused command flags the transaction; a refused EXEC ends it at once.
  private refuse(session: Session, entry: TableEntry | null, error: ReplyError): ReplyError {
    if (entry !== null) entry.rejected++;
    if (entry?.row.aborts) {
      this.endTransaction(session);
      const why = error.text.replace(/^ERR /, '');
      return new ReplyError(`EXECABORT Transaction discarded because of: ${why}`);
    }
    if (session.multi !== null) {
      session.dirtyExec = true;
      session.multi = [];
    }
    return error;
  }

  // The unit of work: one clock, the handler, then what follows from its effects.
  private unit(session: Session, entry: TableEntry, args: readonly string[]): Reply {
    this.stats.commands++;
    if (this.depth > 0) return this.instant(this.call(session, entry, args));
    this.depth = 1;
    this.beginReply();
    let reply: Reply = null;
    try {
      reply = this.call(session, entry, args);
    } finally {
      // The unit of a script that goes on stays open.
      if (!(reply instanceof Later && reply.holdsUnit)) {
        this.depth = 0;
        this.space.endUnit();
      }
    }
    if (reply instanceof Block) this.blocking.park(session, entry, args, reply);
    else if (reply instanceof Later) {
      session.held = true;
      const { holdsUnit } = reply;
      reply.whenDone((last) => {
        if (holdsUnit) this.endLongUnit(session, last);
        else this.endWait(session, last, 0);
      });
      if (!holdsUnit) this.finish();
      return reply;
    }
    this.finish();
    if (this.replyAfter === 0) this.endReply();
    return reply;
  }

  // What the reply tells may not be known to the disk: then it waits until it is.
  private beginReply(): void {
    const { unsettled } = this.space;
    if (unsettled !== null) unsettled.seen = 0;
  }

  private endReply(): void {
    const { unsettled } = this.space;
    if (unsettled !== null) this.replyAfter = unsettled.seen;
    // Which keys the log does not have yet is not known here; that takes microseconds, but for the turn of a rewrite.
    else if (this.effects.log !== null) this.replyAfter = this.effects.log.unaccepted;
  }

  private endLongUnit(session: Session, reply: Reply): void {
    this.depth = 0;
    this.space.endUnit();
    // Its changes were noted with the batches that gathered while it ran; they are in the next one.
    if (this.effects.count > 0) this.space.unsettled?.changedAll();
    this.replyAfter = 0;
    this.finish();
    if (this.replyAfter === 0) this.endReply();
    this.endWait(session, reply, this.replyAfter);
  }

  private endWait(session: Session, reply: Reply, replyAfter: number): void {
    this.replyAfter = replyAfter;
    session.held = false;
    if (this.sessions.has(session.id)) this.deliver(session, reply);
  }

  callQueued(session: SessionPort, queued: QueuedCommand): Reply {
    this.stats.commands++;
    const reply = this.instant(this.call(session, queued.entry, queued.args));
    if (reply instanceof ReplyError) this.countError(reply);
    if (!(reply instanceof Later)) return reply;
    return reply.map((last) => {
      if (last instanceof ReplyError) this.countError(last);
      return last;
    });
  }

  callFromScript(session: SessionPort, entry: TableEntry, args: readonly string[], logged: boolean): Reply {
    this.stats.commands++;
    const reply = this.instant(
      logged ? this.call(session, entry, args) : this.unlogged(session, entry, args),
    );
    if (reply instanceof ReplyError) this.countError(reply);
    return reply;
  }

  private unlogged(session: SessionPort, entry: TableEntry, args: readonly string[]): Reply {
    this.logging = false;
    try {
      return this.call(session, entry, args);
    } finally {
      this.logging = true;
    }
  }

  private call(session: SessionPort, entry: TableEntry, args: readonly string[]): Reply {
    entry.calls++;
    try {
      const { unsettled } = this.space;
      if (unsettled !== null && entry.run !== null && entry.row.keys === undefined) unsettled.lookedAtAll();
      if (entry.run === null) {
        if (entry.control === null) return wrongArity(entry.name);
        const reply = entry.control(session, args, this);
        if (reply instanceof ReplyError) entry.failed++;
        return reply;
      }
      if (this.effects.onUnit === null) {
        this.env.session = session;
        const reply = entry.run(session.db, args, this.env);
        if (reply instanceof ReplyError) entry.failed++;
        return reply;
      }
      return this.callLogged(session, entry.run, args);
    } catch (error) {
      entry.failed++;
      if (error instanceof ReplyError) return error;
      throw error;
    }
  }

  private callLogged(
    session: SessionPort,
    run: NonNullable<TableEntry['run']>,
    args: readonly string[],
  ): Reply {
    const { env, space, effects } = this;
    const before = space.dirty;
    env.session = session;
    env.instead = null;
    const start = effects.count;
    try {
      return run(session.db, args, env);
    } finally {
      // Keys that expired on the way were logged as they went; the command itself follows if it wrote.
      const expired = effects.count - start;
      if (!this.logging) {
        // Only what expired is known to others.
      } else if (env.instead !== null) {
        for (const op of env.instead as readonly string[][]) effects.add(session.db.index, op);
      } else if (space.dirty - before > expired) {
        effects.add(session.db.index, args);
      }
    }
  }

  /** Takes frozen contents; every watched key counts as changed. */
  restore(from: FrozenSpace, libraries: Libraries = this.functions.libraries): void {
    for (const session of this.sessions.values()) if (session.watches.length > 0) session.dirtyCas = true;
    this.space.thaw(from);
    this.functions.adopt(libraries);
    if (this.effects.onUnit !== null) this.logContents();
  }

  // For the log, one unit that empties everything and brings each key back.
  private logContents(): void {
    const { effects, space } = this;
    effects.add(0, ['FLUSHALL']);
    effects.add(0, ['FUNCTION', 'RESTORE', this.functions.dump(), 'FLUSH']);
    for (const db of space.dbs) {
      db.forEach((key, value, deadline) => {
        effects.add(db.index, ['RESTORE', key, String(deadline), dumpValue(value), 'ABSTTL']);
      });
    }
    space.unsettled?.changedAll();
    if (this.depth === 0) this.finish();
  }

  /** A write error of the log, as strerror says it, or that it works again. */
  refuseWrites(reason: string | null): void {
    this.writeRefusal =
      reason === null ? null : new ReplyError(`MISCONF Errors writing to the AOF file: ${reason}`);
  }

  /** A session for {@link replay}. */
  loader(): Session {
    return new Session(0, this.space.dbs[0], NOBODY, this.stats.startedAt, true);
  }

  /** Runs a command of a log that is read: without refusals, and nobody learns of it. */
  replay(session: Session, args: readonly string[]): void {
    const found = this.table.find(args[0]);
    const entry =
      found?.subcommands && args.length > 1 ? found.subcommands.get(args[1].toLowerCase()) : found;
    if (entry === undefined) throw new Error(`unknown command '${args[0].slice(0, 128)}'`);
    const { calls, failed } = entry;
    const reply = this.call(session, entry, args);
    // It is not one of this life's commands.
    entry.calls = calls;
    entry.failed = failed;
    // Others fail as they did when they were written; after this one all that follows would go to the wrong database.
    if (reply instanceof ReplyError && entry.name === 'select')
      throw new Error(`${args.join(' ')}: ${reply.text}`);
  }

  /** Inside MULTI and rollbackable units a blocking command acts as if its time were over. */
  instant(reply: Reply): Reply {
    return reply instanceof Block ? reply.instead : reply;
  }

  // A waiter's second try: a unit of its own, with the keys as they are now.
  private retry(waiter: Waiter): Reply {
    const { session, entry, args } = waiter;
    const { touching } = this.space;
    session.executing = true;
    this.space.touching = !session.noTouch;
    this.depth = 1;
    this.replyAfter = 0;
    this.beginReply();
    try {
      return this.call(session, entry, args);
    } finally {
      // The command was counted when it came.
      entry.calls--;
      this.depth = 0;
      this.space.touching = touching;
      session.executing = false;
      this.space.endUnit();
      if (this.effects.count > 0) this.replyAfter = this.effects.emit();
      else this.endReply();
      if (this.effects.hasChanges) this.effects.tell();
    }
  }

  // The late reply of a command that had to wait, and behind it what was pushed while it ran.
  private deliver(session: Session, reply: Reply): void {
    if (reply instanceof ReplyError) this.countError(reply);
    session.outlet.reply((session.gate & Gate.replies) !== 0 ? this.muted(session, reply) : reply);
    for (const push of session.takePushes()) session.outlet.push(push);
  }

  private muted(session: Session, reply: Reply): Reply {
    // A command that waits is muted once it is done.
    if (reply instanceof Block || reply instanceof Later) return reply;
    if (session.replies === 'skip') {
      session.replies = 'skipping';
      return NO_REPLY;
    }
    if (session.replies === 'skipping') {
      session.replies = 'on';
      session.refresh();
      return NO_REPLY;
    }
    return session.replies === 'off' ? NO_REPLY : reply;
  }

  countFailure(command: readonly string[]): void {
    const entry = this.table.find(command[0]);
    if (entry !== undefined) entry.failed++;
  }

  countError(error: ReplyError, rejected?: TableEntry): void {
    if (rejected !== undefined) rejected.rejected++;
    if (!error.counted) this.stats.countError(error.text);
  }

  // ---- units that may be rolled back

  /**
   * Runs `work` as one unit: everything it does becomes visible to others at once, or not at all when it throws.
   * Inside such a unit it is a savepoint: a throw undoes what `work` did and no more.
   */
  atomic<T>(work: () => T): T {
    if (this.depth > 0) return this.effects.savepoint(work);
    this.depth = 1;
    this.beginReply();
    this.space.openJournal();
    let result: T;
    try {
      result = work();
    } catch (error) {
      this.effects.drop();
      this.space.rollback();
      throw error;
    } finally {
      this.depth = 0;
      this.space.endUnit();
    }
    this.space.commit();
    this.finish();
    return result;
  }

  // ---- undoing a part of a unit (scripting/runner.ts)

  openUndo(): UndoPoint {
    return this.effects.openUndo();
  }

  get undoLength(): number {
    return this.space.journal?.length ?? 0;
  }

  undo(point: UndoPoint): void {
    this.effects.undo(point);
  }

  closeUndo(point: UndoPoint): void {
    this.effects.closeUndo(point);
  }

  // What others learn of a unit that has ended.
  private finish(): void {
    if (this.effects.count > 0) this.replyAfter = this.effects.emit();
    if (this.effects.hasChanges) this.effects.tell();
    if (this.space.readyKeys.length > 0) this.serve();
  }

  private serve(): void {
    const after = this.replyAfter;
    this.blocking.serve();
    // Looking at a ready key may have expired it, outside of any unit.
    this.space.endUnit();
    if (this.effects.count > 0) this.replyAfter = this.effects.emit();
    // The units of those who waited had replies of their own.
    this.replyAfter = Math.max(this.replyAfter, after);
    if (this.effects.hasChanges) this.effects.tell();
  }

  get inUnit(): boolean {
    return this.depth > 0;
  }

  // ---- transactions (commands/transactions.ts)

  watch(session: SessionPort, key: string): void {
    const { db } = session;
    if (session.watches.some((w) => w.db === db && w.key === key)) return;
    const watcher: Watcher = {
      db,
      key,
      expired: db.isExpired(key),
      dirty: () => {
        session.dirtyCas = true;
      },
    };
    session.watches.push(watcher);
    db.watch(watcher);
  }

  unwatch(session: SessionPort): void {
    if (session.watches.length === 0) return;
    for (const watcher of session.watches) watcher.db.unwatch(watcher);
    session.watches = [];
  }

  watchedExpired(session: SessionPort): boolean {
    return session.watches.some((w) => !w.expired && w.db.isExpired(w.key));
  }

  endTransaction(session: SessionPort): void {
    this.unwatch(session);
    session.multi = null;
    session.dirtyExec = false;
    session.dirtyCas = false;
    session.refresh();
  }

  // ---- the rest of the port

  unblock(session: SessionPort, how: 'timeout' | 'error'): boolean {
    const s = session as Session;
    if (s.waiter === null) return false;
    return this.blocking.release(s, how === 'error' ? UNBLOCKED : s.waiter.block.onTimeout);
  }

  /** Ends a session's wait without a reply: an in-process caller gave up. */
  abandon(session: Session): boolean {
    return this.blocking.forget(session);
  }

  get blockedSessions(): number {
    return this.blocking.count;
  }

  shutdown(save: boolean | null): ReplyError | null {
    if (this.options.onShutdown === undefined) {
      return new ReplyError('ERR SHUTDOWN is for servers: an embedded engine ends by close()');
    }
    this.options.onShutdown(save);
    return null;
  }

  changed(session: SessionPort, args: readonly string[]): void {
    this.space.dirty++;
    if (this.effects.onUnit !== null) this.effects.add(session.db.index, args);
  }

  log(level: number, message: string): void {
    this.options.onLog?.(level, message);
  }

  sleep(milliseconds: number): void {
    this.clock.sleep(milliseconds);
  }

  setActiveExpire(on: boolean): void {
    this.expiry.active = on;
  }

  surroundings(section: string): readonly [string, string | number][] {
    return this.options.surroundings?.(section) ?? [];
  }

  private publishEvent(db: number, event: string, key: string): void {
    const { space, pubsub } = this;
    if (space.eventFlags & 1) pubsub.publish(`__keyspace@${db}__:${key}`, event);
    if (space.eventFlags & 2) pubsub.publish(`__keyevent@${db}__:${event}`, key);
  }

  // ---- the active expiry cycle

  /** Starts purging expired keys in the background; false where it runs already. */
  start(): boolean {
    return this.expiry.start();
  }

  stop(): void {
    this.expiry.stop();
  }

  /** Purges expired keys now, wherever they are; answers how many. */
  purge(): number {
    return this.expiry.purge(Number.POSITIVE_INFINITY);
  }

  // Each expired key is a unit of its own in the log.
  private tellPurged(): void {
    this.effects.emitEach();
    if (this.effects.hasChanges) this.effects.tell();
    if (this.space.readyKeys.length > 0) this.serve();
  }
}
