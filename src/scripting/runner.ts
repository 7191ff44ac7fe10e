// The one place that runs scripts: EVAL's (scripts.ts) and functions (functions.ts). It decides whether a script may
// run at all, gives it a session of its own for redis.call (api.ts), and turns its result or error into a reply.
import { Bit } from '../commands/derive.ts';
import { busyError } from '../commands/errors.ts';
import type { EnginePort, LongWork, SessionPort } from '../commands/ports.ts';
import type { TableEntry } from '../commands/table.ts';
import { unsupportedCommand } from '../commands/unsupported.ts';
import {
  callLua,
  first,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaState,
  LuaTable,
  type LuaValue,
  NeedsSuspendable,
  native,
  type Site,
} from '../lua/index.ts';
import { MathRandom } from '../lua/lib-math.ts';
import { index, toStringMeta } from '../lua/operations.ts';
import { siteAt } from '../lua/positions.ts';
import { OK, type Reply, ReplyError } from '../resp/reply.ts';
import { cText, errorReply, errorTable, isCounted, toArgument, toLua, toReply } from './convert.ts';
import { type Ended, Execution, remember, type Task, type Watched } from './execution.ts';
import { ScriptFlag } from './flags.ts';

/** What can be run: a script, or a function of a library. */
export interface Runnable {
  readonly kind: LongWork['kind'];
  /** It cannot run for long: needs no watch. */
  readonly quick: boolean;
  /** Digest or name of the function, for messages. */
  readonly name: string;
  readonly run: LuaFunction;
  /** Bits of {@link ScriptFlag}. */
  readonly flags: number;
  /** A script without a first line that says more of it: nothing is refused before it runs. */
  readonly compatible: boolean;
}

const READ_ONLY_COMMAND = new ReplyError('ERR Can not execute a script with write flag using *_ro command.');
const NO_ARGUMENTS = 'ERR Please specify at least one argument for this redis lib call';
const WRONG_ARGUMENTS = 'ERR Lua redis lib command arguments must be strings or integers';
const UNKNOWN = new ReplyError('ERR Unknown Redis command called from script');
const WRONG_ARITY = new ReplyError('ERR Wrong number of args calling Redis command from script');
const NOT_ALLOWED = new ReplyError('ERR This Redis command is not allowed from script');
const NOTBUSY = new ReplyError('NOTBUSY No scripts in execution right now.');
const UNKILLABLE = new ReplyError(
  'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
);
const NO_WRITES = new ReplyError('ERR Write commands are not allowed from read-only scripts.');

const WRITES = Bit.write | Bit.mayReplicate;

export class Runner implements Watched {
  readonly execution: Execution;
  private caller: SessionPort | null = null;
  /** The session that commands of scripts run in: its database and protocol are the script's own. */
  readonly session: SessionPort;
  readonly random = new MathRandom();
  private readonly engine: EnginePort;
  /** Bits of commands that the running script may not call. */
  private denied = 0;
  /** The running script has called a command that writes. */
  wrote = false;
  /** What commands change goes to the log (redis.set_repl). */
  logged = true;
  /** The reply holds errors. */
  private erred = false;
  private readonly noteInner = (error: ReplyError): void => {
    this.erred = true;
    this.engine.countError(error);
  };

  constructor(engine: EnginePort, session: SessionPort) {
    this.engine = engine;
    this.session = session;
    this.execution = new Execution(engine, this);
  }

  /** Runs a script for a client; `args` are those of its Lua function, `command` those of EVAL or FCALL. */
  run(
    script: Runnable,
    caller: SessionPort,
    state: LuaState,
    args: readonly LuaValue[],
    readOnly: boolean,
    command: readonly string[],
  ): Reply {
    const noWrites = !script.compatible && (script.flags & ScriptFlag.noWrites) !== 0;
    if (readOnly && !noWrites && !script.compatible) return READ_ONLY_COMMAND;
    const { session } = this;
    session.db = caller.db;
    session.user = caller.user;
    session.protocol = 2;
    this.denied = readOnly || noWrites ? Bit.noscript | WRITES : Bit.noscript;
    this.wrote = false;
    this.logged = true;
    if (!script.quick) {
      const { name, kind, run: f } = script;
      this.caller = caller;
      return this.execution.run({ name, kind, command, state, f, args, canWait: caller.canWait });
    }
    this.execution.beginQuick(state);
    try {
      return this.done(command, callLua(state, script.run, args));
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      return failure(error, script.name, state);
    }
  }

  // ---- Watched (execution.ts)

  restart(): void {
    const { session, caller } = this;
    if (caller !== null) session.db = caller.db;
    session.protocol = 2;
    this.wrote = false;
    this.logged = true;
  }

  done(command: readonly string[], result: LuaResult): Reply {
    this.erred = false;
    const reply = toReply(first(result), this.session.protocol, this.noteInner);
    if (this.erred) this.engine.countFailure(command);
    return reply;
  }

  failed({ name, state }: Task, error: LuaError | Ended, site: Site | null): Reply {
    if (error instanceof LuaError) return failure(error, name, state);
    if (error.why === 'killed') {
      return errorReply(
        `ERR Script killed by user with SCRIPT KILL. script: ${name}, on ${place(site)}.`,
        false,
      );
    }
    const budget = this.engine.config.value('busy-reply-threshold');
    return new ReplyError(
      `HF_BUDGET the script was undone: it ran for more than ${budget} ms (busy-reply-threshold)`,
    );
  }

  /** SCRIPT KILL and FUNCTION KILL. */
  kill(kind: LongWork['kind']): Reply {
    const work = this.engine.longWork;
    if (work === null) return NOTBUSY;
    if (work.kind !== kind) return busyError(work.kind);
    return work.kill() ? OK : UNKILLABLE;
  }

  // ---- redis.call

  /**
   * redis.call and redis.pcall: runs a command, whose arguments replace their Lua values in `args`.
   * @throws LuaError where the command answers an error and `raises`
   */
  call(args: LuaValue[], raises: boolean): LuaValue {
    const count = args.length;
    if (count === 0) return failed(NO_ARGUMENTS, false, raises);
    for (let i = 0; i < count; i++) {
      const arg = args[i];
      if (typeof arg === 'string') continue;
      const text = toArgument(arg);
      if (text === null) return failed(WRONG_ARGUMENTS, false, raises);
      args[i] = text;
    }
    const words = args as string[];
    const { engine, session } = this;
    let entry = engine.table.find(words[0]);
    if (entry !== undefined && entry.subcommands !== null && count > 1) {
      entry = entry.subcommands.get(words[1].toLowerCase());
    }
    if (entry === undefined) return this.refuse(unknown(words), undefined, raises);
    const { arity, bits } = entry;
    if (arity > 0 ? count !== arity : count < -arity) return this.refuse(WRONG_ARITY, entry, raises);
    // Redis goes on asking for rights, memory and slots, in this order, of which there are none here yet.
    if ((bits & this.denied) !== 0) {
      return this.refuse((bits & Bit.noscript) !== 0 ? NOT_ALLOWED : NO_WRITES, entry, raises);
    }
    if ((bits & Bit.write) !== 0) {
      if (engine.writeRefusal !== null) return this.refuse(engine.writeRefusal, entry, raises);
      this.wrote = true;
    }
    const { calls } = this.execution;
    if (calls !== null) remember(calls, entry);
    const reply = engine.callFromScript(session, entry, words, this.logged);
    if (typeof reply === 'number' || typeof reply === 'string') return reply;
    if (reply instanceof ReplyError) return failed(reply.text, true, raises);
    return toLua(reply, session.protocol);
  }

  private refuse(error: ReplyError, entry: TableEntry | undefined, raises: boolean): LuaValue {
    this.engine.countError(error, entry);
    return failed(error.text, true, raises);
  }

  /** redis.acl_check_cmd: may the caller run this command? There is one user, who may do everything. */
  mayCall(args: LuaValue[]): boolean {
    if (args.length === 0) failed(NO_ARGUMENTS, false, true);
    const words = args.map(toArgument);
    const [name, sub] = words;
    if (words.includes(null)) failed(WRONG_ARGUMENTS, false, true);
    const entry = this.engine.table.find(name as string);
    const isKnown =
      entry !== undefined &&
      (entry.subcommands === null ||
        sub === undefined ||
        entry.subcommands.has((sub as string).toLowerCase()));
    if (!isKnown) failed('ERR Invalid command passed to redis.acl_check_cmd()', false, true);
    return true;
  }

  log(level: number, message: string): void {
    this.engine.log(level, message);
  }
}

function unknown(words: readonly string[]): ReplyError {
  return (
    unsupportedCommand(words[0]) ??
    (words.length > 1 ? unsupportedCommand(words[0], words[1]) : null) ??
    UNKNOWN
  );
}

/** An error as a table, returned or raised. */
export function failed(text: string, counted: boolean, raises: boolean): LuaTable {
  const table = errorTable(text, counted);
  if (raises) throw new LuaError(table, siteAt(1));
  return table;
}

// ---- errors that no script caught

function failure({ value, site }: LuaError, name: string, state: LuaState): ReplyError {
  const text = `${cText(describe(value, state))} script: ${name}, on ${place(site)}.`;
  return errorReply(text, value instanceof LuaTable && isCounted(value));
}

function place(site: Site | null): string {
  return site === null ? '=[C]:-1' : `@${site.source}:${site.line}`;
}

// What the error says. Metamethods have their word, and may fail.
function describe(value: LuaValue, state: LuaState): string {
  try {
    return callLua(state, message, [value]) as string;
  } catch (error) {
    if (error instanceof LuaError || error instanceof NeedsSuspendable) return 'ERR unknown error';
    throw error;
  }
}

const message = native(function message(value: LuaValue): string {
  if (!(value instanceof LuaTable)) return `ERR ${toStringMeta(value)}`;
  const err = index(value, 'err');
  return typeof err === 'string' || typeof err === 'number' ? String(toStringMeta(err)) : 'ERR unknown error';
});
