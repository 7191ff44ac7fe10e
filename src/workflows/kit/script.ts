// Scripts with types: what they take and answer is declared once, and run() sends, decodes and recovers. A script is
// sent by its digest; where the server does not know it (SCRIPT FLUSH, a restart, a failover) it is sent whole. All
// workflows that script are made of these; kit/library.ts runs the same definitions as functions.
import { sha1Hex } from '../../data/sha1.ts';
import { utf8Encode } from '../../resp/bytes.ts';
import { type Carried, type Codec, flag, int, isList } from './codecs.ts';
import { type Answer, type Driver, Lost, type Request, ServerError, Unsent, type Word } from './driver.ts';
import { AtomicError, passes } from './errors.ts';
import { checkOneSlot, hashTag, hotTag } from './keys.ts';

import {
  aborted,
  type CallOptions,
  DEADLINE_MS,
  type Decoded,
  type Operation,
  perform,
  sleep,
} from './perform.ts';
import { type Outcome, type Result, ResultBase, type RetrySafety } from './result.ts';

import { isWatched, tell } from './telemetry.ts';

/** A script's keys by name, in the order of KEYS. The last may end in `[]`: any number of keys. */
export type KeyNames = readonly string[];
// biome-ignore lint/suspicious/noExplicitAny: a codec of anything; unknown would not accept them
export type Codecs = Readonly<Record<string, Codec<any>>>;

/** One possible answer: whether it is a success, and the fields behind its name. */
export interface Branch<Ok extends boolean = boolean, F extends Codecs = Codecs> {
  readonly ok: Ok;
  readonly fields: F;
}

/** An answer that is a success. */
export function ok<F extends Codecs = Record<never, never>>(fields?: F): Branch<true, F> {
  return { ok: true, fields: fields ?? ({} as F) };
}

/** An answer that is a denial: the workflow decided against it. */
export function denied<F extends Codecs = Record<never, never>>(fields?: F): Branch<false, F> {
  return { ok: false, fields: fields ?? ({} as F) };
}

/** All answers of a script, by the word that stands first in its reply. */
export type ReplySpec = Readonly<Record<string, Branch>>;

export type KeyValues<K extends KeyNames> = {
  readonly [N in K[number] as N extends `${infer Base}[]` ? Base : N]: N extends `${string}[]`
    ? readonly string[]
    : string;
};

export type Values<C extends Codecs> = { readonly [N in keyof C]: Carried<C[N]> };

// These two go into a result's meta.
type Lifted = 'serverTimeMs' | 'replayed';
/** The outcome that a reply declares. */
export type OutcomeOf<R extends ReplySpec> = {
  [S in keyof R & string]: {
    readonly ok: R[S]['ok'];
    readonly status: S;
  } & { readonly [F in Exclude<keyof R[S]['fields'], Lifted>]: Carried<R[S]['fields'][F]> };
}[keyof R & string];

/** Everything about a script. */
export interface ScriptSpec<K extends KeyNames, A extends Codecs, R extends ReplySpec> {
  /** For people: lower case with underscores. With the version it names the script, and its function in a library. */
  readonly name: string;
  /** Goes up whenever the text or its contract changes. */
  readonly version: number;
  /** The text: KEYS in the order of `keys`, ARGV in that of `args`; a list is its length and then its items. */
  readonly lua: string;
  /** A `read` script is sent by the read-only commands, which replicas take and where writing is an error. */
  readonly mode: 'read' | 'write';
  /** What a blind repetition does. `same-request-id` means `never` where a call has no request id. */
  readonly retry: RetrySafety;
  readonly keys: K;
  readonly args: A;
  /**
   * The possible replies: an array that begins with the status and goes on with the branch's fields. Fields named
   * `serverTimeMs` and `replayed` go into the result's meta.
   */
  readonly reply: R;
}

export interface Input<K extends KeyNames, A extends Codecs> {
  readonly keys: KeyValues<K>;
  readonly args: Values<A>;
}

export interface ScriptOptions extends CallOptions {
  /** Names this request, so that sending it again does nothing twice. Only for scripts that remember their answers. */
  readonly requestId?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a script of any kind
export type AnyScript = Script<any, any, any>;

/** Declares a script. @throws AtomicError BAD_ARGUMENT where the declaration is wrong */
export function defineScript<const K extends KeyNames, A extends Codecs, R extends ReplySpec>(
  spec: ScriptSpec<K, A, R>,
): Script<K, A, R> {
  return new Script(spec);
}

/** A call that has not been sent: `batch` sends several in one go. */
export interface Call<T extends Outcome> {
  readonly script: AnyScript;
  readonly prepared: Prepared;
  readonly options: ScriptOptions | undefined;
  /** Never set: it carries the type of the result. */
  readonly type?: T;
}

/** A call as it goes on the wire. */
export interface Prepared {
  /** A key, for routing; '' where there is none. */
  readonly key: string;
  /** The command by digest: EVALSHA, the digest, number of keys, the keys, the arguments. */
  readonly words: readonly Word[];
}

/** Words before the number of keys. */
const HEAD = 2;

const NAME = /^[a-z][a-z0-9_]{0,80}$/;
const warned = new Set<string>();

export class Script<K extends KeyNames, A extends Codecs, R extends ReplySpec> {
  readonly spec: ScriptSpec<K, A, R>;
  /** `name_v1`. */
  readonly fullName: string;
  /** What the server calls it. */
  readonly sha: string;
  private readonly byDigest: string;
  private readonly fixedKeys: readonly string[];
  /** Name of the keys at the end of which there may be any number. */
  private readonly moreKeys: string | null;
  private readonly args: readonly (readonly [string, Codec<unknown>])[];
  private readonly branches: ReadonlyMap<string, BranchPlan>;

  constructor(spec: ScriptSpec<K, A, R>) {
    if (!NAME.test(spec.name)) {
      throw new AtomicError(
        'BAD_ARGUMENT',
        `'${spec.name}' is no name for a script: lower case and underscores`,
      );
    }
    if (!Number.isSafeInteger(spec.version) || spec.version < 1) {
      throw new AtomicError('BAD_ARGUMENT', `${spec.name}: the version must be 1 or more`);
    }
    const listed = spec.keys.findIndex((name) => name.endsWith('[]'));
    if (listed >= 0 && listed !== spec.keys.length - 1) {
      throw new AtomicError('BAD_ARGUMENT', `${spec.name}: only the last of the keys may be a list`);
    }
    this.spec = spec;
    this.fullName = `${spec.name}_v${spec.version}`;
    this.sha = sha1Hex(utf8Encode(spec.lua));
    this.byDigest = spec.mode === 'read' ? 'EVALSHA_RO' : 'EVALSHA';
    this.fixedKeys = listed < 0 ? spec.keys : spec.keys.slice(0, -1);
    this.moreKeys = listed < 0 ? null : spec.keys[listed].slice(0, -2);
    this.args = Object.entries(spec.args);
    this.branches = new Map(
      Object.entries(spec.reply).map(([status, branch]) => [status, planOf(status, branch)]),
    );
  }

  /**
   * Runs it.
   * @throws AtomicError for faults: what was asked is wrong, or the server could not be reached at all
   */
  run(driver: Driver, input: Input<K, A>, options?: ScriptOptions): Promise<Result<OutcomeOf<R>>> {
    let prepared: Prepared;
    try {
      prepared = this.prepare(input);
    } catch (error) {
      return Promise.reject(error);
    }
    const send: Operation<OutcomeOf<R>>['send'] = (timeoutMs, signal) =>
      this.send(driver, prepared, timeoutMs, signal);
    return perform(driver, this.operation(prepared, options, send), options);
  }

  /** A call to be sent with others by {@link batch}. */
  call(input: Input<K, A>, options?: ScriptOptions): Call<OutcomeOf<R>> {
    return { script: this, prepared: this.prepare(input), options };
  }

  /** What perform() needs to know, whoever sends it. @internal */
  operation(
    prepared: Prepared,
    options: ScriptOptions | undefined,
    send: Operation<OutcomeOf<R>>['send'],
  ): Operation<OutcomeOf<R>> {
    return new ScriptOperation(this, prepared, options, send);
  }

  /** Checks and encodes. @internal */
  prepare(input: Input<K, A>): Prepared {
    const values = input.keys as unknown as Readonly<Record<string, string | readonly string[]>>;
    const words: Word[] = [this.byDigest, this.sha, 0];
    for (const name of this.fixedKeys) words.push(keyOf(values[name], this.spec.name, name));
    if (this.moreKeys !== null) {
      const name = this.moreKeys;
      for (const key of values[name] as readonly string[]) words.push(keyOf(key, this.spec.name, name));
    }
    const count = words.length - HEAD - 1;
    words[HEAD] = count;
    if (count > 1 && !shareTag(words, HEAD + 1, count)) {
      const names = [...this.fixedKeys, ...(this.moreKeys ? [this.moreKeys] : [])];
      checkOneSlot(words.slice(HEAD + 1) as string[], names);
    }
    const args = input.args as Readonly<Record<string, unknown>>;
    for (const [name, codec] of this.args) {
      const value = args[name];
      if (!isList(codec)) words.push(codec.encode(value, name));
      else {
        const items = value as readonly unknown[];
        words.push(items.length);
        for (const item of items) words.push(codec.items.encode(item, name));
      }
    }
    const key = count > 0 ? (words[HEAD + 1] as string) : '';
    if (isWatched()) this.warn(key);
    return { key, words };
  }

  /** Reads a reply. @internal */
  decode(answer: Answer): Decoded<OutcomeOf<R>> {
    const plan = Array.isArray(answer) ? this.branches.get(answer[0]) : undefined;
    if (plan === undefined) {
      const got = Array.isArray(answer) ? `'${String(answer[0])}'` : typeof answer;
      throw new AtomicError(
        'REPLY_SHAPE',
        `${this.fullName}: answered ${got}, which is none of ${[...this.branches.keys()].join(', ')}`,
      );
    }
    return plan.read(answer as readonly Answer[]) as Decoded<OutcomeOf<R>>;
  }

  /** Sends it by its digest, and whole where the server does not know that. */
  private send(
    driver: Driver,
    { key, words }: Prepared,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Answer | Promise<Answer> {
    try {
      const sent = driver.send({ words, key, timeoutMs, signal });
      if (!(sent instanceof Promise)) return sent;
      const until = performance.now() + timeoutMs;
      return sent.catch((error: unknown) => {
        if (!isNoScript(error)) throw error;
        return this.sendWhole(driver, { key, words }, Math.max(1, until - performance.now()), signal);
      });
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return this.sendWhole(driver, { key, words }, timeoutMs, signal);
    }
  }

  private sendWhole(
    driver: Driver,
    prepared: Prepared,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Answer | Promise<Answer> {
    if (isWatched()) tell({ event: 'redis.atomic.script.noscript', script: this.fullName });
    return driver.send(this.request(prepared, false, timeoutMs, signal));
  }

  /** The command: by digest or whole. @internal */
  request(
    { key, words }: Prepared,
    byDigest: boolean,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Request {
    if (byDigest) return { words, key, timeoutMs, signal };
    const name = this.spec.mode === 'read' ? 'EVAL_RO' : 'EVAL';
    return { words: [name, this.spec.lua, ...words.slice(HEAD)], key, timeoutMs, signal };
  }

  private warn(key: string): void {
    if (key === '' || warned.has(this.fullName)) return;
    const message = hotTag(key);
    if (message === '') return;
    warned.add(this.fullName);
    tell({ event: 'redis.atomic.advice', advice: 'hot-hash-tag', operation: this.spec.name, message });
  }
}

/** One call of a script, as perform() carries it out. */
class ScriptOperation<K extends KeyNames, A extends Codecs, R extends ReplySpec>
  implements Operation<OutcomeOf<R>>
{
  readonly name: string;
  readonly version: number;
  readonly retry: RetrySafety;
  readonly requestId: string | null;
  readonly key: string;
  readonly send: Operation<OutcomeOf<R>>['send'];
  private readonly script: Script<K, A, R>;

  constructor(
    script: Script<K, A, R>,
    prepared: Prepared,
    options: ScriptOptions | undefined,
    send: Operation<OutcomeOf<R>>['send'],
  ) {
    const { name, version, retry } = script.spec;
    this.name = name;
    this.version = version;
    this.requestId = options?.requestId ?? null;
    this.retry = retry === 'same-request-id' && this.requestId === null ? 'never' : retry;
    this.key = prepared.key;
    this.send = send;
    this.script = script;
  }

  decode(answer: Answer): Decoded<OutcomeOf<R>> {
    return this.script.decode(answer);
  }
}

function isNoScript(error: unknown): boolean {
  return error instanceof ServerError && error.code === 'NOSCRIPT';
}

/** Whether keys begin alike up to the end of their hash tag: the way of all workflows, and quick to see. */
function shareTag(words: readonly Word[], from: number, count: number): boolean {
  const first = words[from] as string;
  const open = first.indexOf('{');
  const close = first.indexOf('}', open + 1);
  if (open < 0 || close < open + 2) return false;
  const head = first.slice(0, close + 1);
  for (let i = from + 1; i < from + count; i++) {
    if (!(words[i] as string).startsWith(head)) return false;
  }
  return true;
}

function keyOf(key: unknown, script: string, name: string): string {
  if (typeof key === 'string' && key !== '') return key;
  throw new AtomicError('BAD_ARGUMENT', `${script}: the key '${name}' is missing`);
}

interface BranchPlan {
  read(answer: readonly Answer[]): Decoded<Outcome>;
}

function planOf(status: string, { ok, fields }: Branch): BranchPlan {
  const plan = Object.entries(fields);
  return {
    read(answer) {
      const outcome = new ResultBase(ok, status);
      let serverTimeMs: number | null = null;
      let replayed = false;
      for (let i = 0; i < plan.length; i++) {
        const [name, codec] = plan[i];
        const value = answer[i + 1];
        if (name === 'serverTimeMs') serverTimeMs = int.decode(value, name);
        else if (name === 'replayed') replayed = flag.decode(value, name);
        else (outcome as unknown as Record<string, unknown>)[name] = codec.decode(value, name);
      }
      return { outcome, serverTimeMs, replayed };
    },
  };
}

/** Batches are tried again so often, with growing pauses. */
const MOST_ROUNDS = 10;

/**
 * What certainly did nothing and is worth sending again: it never left, or the whole node refused it, so that the order
 * stays. TRYAGAIN is not among them, for it is about single keys and those behind have run.
 */
function neverRan(answer: Answer | Unsent | Lost): boolean {
  if (answer instanceof Unsent || isNoScript(answer)) return true;
  if (!(answer instanceof ServerError) || answer.code === 'TRYAGAIN' || answer.code === 'ASK') return false;
  return passes(answer.code);
}

/**
 * Sends several script calls in one write. They run in their order where they share a slot; each has a result of its
 * own. The first use of a script in a slot goes whole, so that none of them can meet a server that does not know it:
 * only where somebody flushes the server's scripts, or the slot moves, between two calls of one batch do those that
 * met it run behind the others. What has left is not sent twice: a lost reply is `unknown` for each call that waited
 * for one, whatever the retry safety of its script. What never left is sent again until the deadline.
 * @returns in the order of the calls: the result, or the AtomicError that run() would have thrown
 * @throws AtomicError ABORTED
 */
export async function batch<const C extends readonly Call<Outcome>[]>(
  driver: Driver,
  calls: C,
  options?: CallOptions,
): Promise<{ [I in keyof C]: C[I] extends Call<infer T> ? Result<T> | AtomicError : never }> {
  if (options?.signal?.aborted) throw aborted();
  const timeoutMs = options?.deadlineMs ?? DEADLINE_MS;
  const until = performance.now() + timeoutMs;
  const known = new Set<string>();
  const requests = calls.map(({ script, prepared }) => {
    const place = `${script.sha} ${hashTag(prepared.key)}`;
    const byDigest = known.has(place);
    known.add(place);
    return script.request(prepared, byDigest, timeoutMs, options?.signal);
  });
  const answers = calls.length === 0 ? [] : [...(await driver.pipeline(requests))];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const refused = answers.flatMap((answer, i) => (neverRan(answer) ? [i] : []));
    if (refused.length === 0) break;
    const pause = refused.every((i) => isNoScript(answers[i])) ? 0 : Math.random() * 10 * 2 ** round;
    if (performance.now() + pause >= until) break;
    if (pause > 0 && (await sleep(pause, options?.signal))) break;
    const whole = refused.map((i) =>
      calls[i].script.request(
        calls[i].prepared,
        false,
        Math.max(1, until - performance.now()),
        options?.signal,
      ),
    );
    const again = await driver.pipeline(whole);
    refused.forEach((i, k) => {
      answers[i] = again[k];
    });
  }
  const settled = calls.map((call, i) => {
    const answer = answers[i];
    const operation = (call.script as Script<KeyNames, Codecs, ReplySpec>).operation(
      call.prepared,
      call.options,
      () => {
        if (answer instanceof ServerError || answer instanceof Unsent || answer instanceof Lost) throw answer;
        return answer;
      },
    );
    // The answers are here already, and without time left nothing is sent again behind later ones.
    return perform(driver, operation, { deadlineMs: 0 }).catch((error: unknown) => {
      if (error instanceof AtomicError) return error;
      throw error;
    });
  });
  return (await Promise.all(settled)) as never;
}
