// The in-process client: one typed synchronous method per command, made from the command table, over a session
// of its own. Database extends it; db.session() makes more of them.

import { Bit } from '../commands/derive.ts';
import type { families } from '../commands/index.ts';
import type { Arg, Command, Wait } from '../commands/spec.ts';
import type { TableEntry } from '../commands/table.ts';
import { utf8Decode } from '../resp/bytes.ts';
import { Block, type Push, type Reply, ReplyError } from '../resp/reply.ts';
import { asBytes, asText, fromReply, inResp2, type Texts, toByteString } from './convert.ts';
import type { Engine } from './engine.ts';
import { HoldfastError } from './errors.ts';
import { FunctionLibraries } from './libraries.ts';
import type { Outlet, Session } from './session.ts';

type UnionToIntersection<U> = (U extends unknown ? (x: U) => void : never) extends (x: infer I) => void
  ? I
  : never;
type AllCommands = UnionToIntersection<(typeof families)[number]>;

type Method<C> = C extends Command<infer Args, infer Result> ? (...args: Args) => Result : never;

type SubMethods<K extends string, S> = {
  [N in keyof S & string as `${K}${Capitalize<N>}`]: Method<S[N]>;
};

type Containers = {
  [K in keyof AllCommands & string as AllCommands[K] extends { subcommands: object }
    ? K
    : never]: AllCommands[K] extends {
    subcommands: infer S;
  }
    ? SubMethods<K, S>
    : never;
};

/** One method per command: `db.set('k', 'v')`, `db.configGet('*')`. Types come from the commands' rows. */
export type CommandMethods = {
  [K in keyof AllCommands as AllCommands[K] extends { subcommands: object } ? never : K]: Method<
    AllCommands[K]
  >;
} & (keyof Containers extends never ? unknown : UnionToIntersection<Containers[keyof Containers]>);

/** What a reply is for `buffers`: bulk strings are bytes; words of the server's own (`OK`, a type) stay strings. */
type InBytes<T> = T extends string
  ? string extends T
    ? Uint8Array
    : T
  : T extends Promise<infer Awaited>
    ? Promise<InBytes<Awaited>>
    : T extends readonly unknown[] | Readonly<Record<string, unknown>>
      ? { [K in keyof T]: InBytes<T[K]> }
      : T;

/** A view of a client whose commands answer bytes in place of strings. */
export type BytesClient = Omit<Client, keyof CommandMethods> & {
  [K in keyof CommandMethods]: CommandMethods[K] extends (...args: infer Args) => infer Result
    ? (...args: Args) => InBytes<Result>
    : never;
};

/** A message of a channel this client subscribed to. */
export interface Message {
  readonly kind: 'message' | 'pmessage' | 'smessage';
  readonly channel: string;
  readonly message: string;
  /** Of a `pmessage`. */
  readonly pattern?: string;
}

interface PendingReply {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly convert: (reply: Reply) => unknown;
  readonly release: () => void;
}

// Class and interface of one name: the methods that the table gives the prototype have their types here.
export interface Client extends CommandMethods {}

/** A client in this process. Commands run at once and return their reply; blocking ones return a promise. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class Client {
  /** @internal */
  readonly engine: Engine;
  /** @internal */
  readonly core: SessionCore;
  private readonly texts: Texts;

  /** @internal Use Database.session(). */
  constructor(engine: Engine, core: SessionCore = new SessionCore(engine), texts: Texts = asText) {
    this.engine = engine;
    this.core = core;
    this.texts = texts;
  }

  /** The same session with replies as bytes (`Buffer` in Node) instead of strings. */
  get buffers(): BytesClient {
    return new Client(this.engine, this.core, asBytes) as unknown as BytesClient;
  }

  /** Function libraries: load, list, dump… */
  get functions(): FunctionLibraries {
    return new FunctionLibraries(this);
  }

  /** Number that CLIENT ID answers. */
  get id(): number {
    return this.core.session.id;
  }

  /**
   * Runs any command by its words: `db.call('SET', 'k', 'v', 'EX', 10)`.
   * @throws HoldfastError with the reply's code when the command fails.
   */
  call(name: string, ...args: (Arg | Wait)[]): unknown {
    return this.invoke(this.engine.table.find(name), [name], args);
  }

  /**
   * Runs any command by its words and answers in the shapes of RESP2, as a client library over a connection would:
   * maps and sets are flat arrays, decimals strings, true and false 1 and 0. For drivers of toolkits.
   * @throws HoldfastError with the reply's code when the command fails.
   */
  resp2(words: readonly Arg[]): unknown {
    const { core } = this;
    const bytes = new Array<string>(words.length);
    for (let i = 0; i < words.length; i++) bytes[i] = toByteString(words[i]);
    // Some replies have another form, not only another encoding.
    if (core.session.protocol !== 2) core.speak(2);
    return this.perform(this.engine.table.find(bytes[0]), bytes, undefined, inResp2);
  }

  /** Calls back for each message of the channels this client is subscribed to; returns a function that stops it. */
  onMessage(listener: (message: Message) => void): () => void {
    this.core.listeners.add(listener);
    return () => this.core.listeners.delete(listener);
  }

  /** Ends the session: its transaction, watches, subscriptions and pending waits. */
  close(): void {
    this.core.close();
  }

  /** @internal */
  invoke(entry: TableEntry | undefined, words: string[], args: readonly (Arg | Wait)[]): unknown {
    let signal: AbortSignal | undefined;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if (typeof arg === 'object' && arg !== null && 'seconds' in arg) {
        signal = arg.signal;
        words.push(toByteString(arg.seconds));
      } else words.push(toByteString(arg as Arg));
    }
    return this.perform(entry, words, signal);
  }

  /** @internal */
  perform(
    entry: TableEntry | undefined,
    words: string[],
    signal?: AbortSignal,
    convert: (reply: Reply, texts: Texts) => unknown = fromReply,
  ): unknown {
    const { core, engine } = this;
    if (core.closed) throw new HoldfastError('HF_CLOSED', 'the session is closed');
    // While a client's script runs on, the engine itself answers BUSY.
    if (engine.inUnit && engine.longWork === null && core.engineOwner() !== core) {
      throw new HoldfastError(
        'HF_BUSY',
        'another session runs a transaction: use the client that it was given',
      );
    }
    if (core.session.waiter !== null && (entry === undefined || (entry.bits & Bit.blocking) === 0)) {
      throw new HoldfastError('HF_BUSY', 'this session waits already: open another with db.session()');
    }
    const { session } = core;
    const blocking = entry !== undefined && (entry.bits & Bit.blocking) !== 0;
    if (blocking) return core.block(words, entry, (reply) => convert(reply, this.texts), signal);
    const reply = engine.execute(session, words, entry);
    if (session.pushes.length > 0) core.deliver(session.takePushes());
    if (session.closing) core.close();
    if (typeof reply === 'string') return this.texts(reply);
    if (reply === null || (typeof reply !== 'object' && typeof reply !== 'boolean')) return reply;
    if (reply instanceof ReplyError) throw HoldfastError.fromReply(reply);
    return convert(reply, this.texts);
  }
}

/** What the views of one session share. @internal */
class SessionCore implements Outlet {
  readonly session: Session;
  readonly listeners = new Set<(message: Message) => void>();
  closed = false;
  readonly info = {
    address: 'in-process:0',
    localAddress: 'in-process:0',
    fd: -1,
    local: true,
    trusted: true,
    queryBuffer: () => 0,
    outputBuffer: () => 0,
  };
  private readonly engine: Engine;
  private pending: PendingReply | null = null;

  constructor(engine: Engine) {
    this.engine = engine;
    this.session = engine.connect(this);
    this.session.protocol = 3;
    this.session.refresh();
  }

  /** Whose transaction is open. */
  engineOwner(): SessionCore | null {
    return owners.get(this.engine) ?? null;
  }

  speak(protocol: 2 | 3): void {
    this.session.protocol = protocol;
    this.session.refresh();
  }

  /** Runs `work` as this session's rollbackable unit. */
  atomic<T>(work: () => T): T {
    const outer = this.engineOwner();
    const { session } = this;
    const { db, multi } = session;
    owners.set(this.engine, this);
    try {
      return this.engine.atomic(work);
    } catch (error) {
      // The session is back as well: in its database, and out of a MULTI that was begun inside.
      session.db = db;
      if (multi === null && session.multi !== null) this.engine.endTransaction(session);
      throw error;
    } finally {
      if (outer === null) owners.delete(this.engine);
    }
  }

  block(
    words: string[],
    entry: TableEntry,
    convert: (reply: Reply) => unknown,
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (this.pending !== null) {
      const error = new HoldfastError(
        'HF_BUSY',
        'this session waits already: open another with db.session()',
      );
      return Promise.reject(error);
    }
    if (signal?.aborted) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.engine.abandon(this.session);
        this.pending = null;
        reject(aborted(signal as AbortSignal));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.pending = {
        resolve,
        reject,
        convert,
        release: () => signal?.removeEventListener('abort', onAbort),
      };
      let reply: Reply;
      try {
        reply = this.engine.execute(this.session, words, entry);
      } catch (error) {
        this.pending = null;
        throw error;
      }
      if (!(reply instanceof Block)) this.reply(reply);
    });
  }

  reply(reply: Reply): void {
    const { pending } = this;
    if (pending === null) return;
    this.pending = null;
    pending.release();
    if (reply instanceof ReplyError) pending.reject(HoldfastError.fromReply(reply));
    else pending.resolve(pending.convert(reply));
  }

  push(message: Push): void {
    this.deliver([message]);
  }

  deliver(pushes: readonly Push[]): void {
    for (const push of pushes) {
      const [kind, ...rest] = push.items as string[];
      const words = rest.map(utf8Decode);
      if (kind !== 'message' && kind !== 'pmessage' && kind !== 'smessage') continue;
      const message: Message =
        kind === 'pmessage'
          ? { kind, pattern: words[0], channel: words[1], message: words[2] }
          : { kind, channel: words[0], message: words[1] };
      // A listener may change data, and the unit that published may still be open: run it afterwards.
      for (const listener of [...this.listeners]) queueMicrotask(() => listener(message));
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.engine.disconnect(this.session);
    const { pending } = this;
    this.pending = null;
    pending?.release();
    pending?.reject(new HoldfastError('HF_CLOSED', 'the session was closed while it waited'));
  }
}

const owners = new WeakMap<Engine, SessionCore>();

function aborted(signal: AbortSignal): HoldfastError {
  return new HoldfastError('HF_ABORTED', 'the wait was aborted', { cause: signal.reason });
}

/** Gives the prototype a method per command. Called once, by database.ts. @internal */
export function defineMethods(entries: Iterable<TableEntry>): void {
  for (const entry of entries) {
    if (entry.subcommands === null) define(entry.name, entry, [entry.name]);
    for (const sub of entry.subcommands?.values() ?? []) {
      define(sub.name.replace('|', '_'), entry, sub.name.split('|'));
    }
  }
}

function define(wireName: string, entry: TableEntry, words: readonly string[]): void {
  const name = wireName.replace(/[_-]([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const { words: make } = entry.row;
  const run =
    make !== undefined
      ? function (this: Client, first: unknown, second: unknown): unknown {
          return this.perform(entry, make(words[0], toByteString, first, second));
        }
      : words.length === 1
        ? function (this: Client, ...args: Arg[]): unknown {
            return this.invoke(entry, [words[0]], args);
          }
        : function (this: Client, ...args: Arg[]): unknown {
            return this.invoke(entry, [...words], args);
          };
  const { binary } = entry.row;
  const value = binary
    ? function (this: Client, ...args: [Arg]): unknown {
        return run.apply(this.buffers as unknown as Client, args);
      }
    : run;
  if (name in Client.prototype) throw new Error(`command ${wireName} collides with Client.${name}`);
  Object.defineProperty(Client.prototype, name, { value, writable: true, configurable: true });
}
