// Function libraries with types: the same definitions as scripts, kept on the server under versioned names. What is done
// to servers stands in kit/deployment.ts.
import {
  applyLibraries,
  type DeploymentOptions,
  fullName,
  hashOf,
  type LibraryVersion,
  loadLibrary,
  type Plan,
  planLibraries,
  rollbackLibrary,
  verifyLibraries,
} from './deployment.ts';
import { type Answer, type Driver, ServerError } from './driver.ts';
import { AtomicError } from './errors.ts';
import { perform } from './perform.ts';
import type { Result } from './result.ts';
import type { AnyScript, Input, OutcomeOf, Prepared, Script, ScriptOptions } from './script.ts';
import { isWatched, tell } from './telemetry.ts';

export interface LibrarySpec<F extends Readonly<Record<string, AnyScript>>> {
  /** Lower case with underscores. */
  readonly name: string;
  /** Goes up whenever a function changes. Versions stand side by side on the server. */
  readonly version: number;
  readonly functions: F;
  /**
   * What a call does where its function is missing, as on a shard that is new: `load` (the default) loads this version
   * and repeats; `report` throws FUNCTION_MISSING.
   */
  readonly missing?: 'load' | 'report';
}

/** Runs a function of a library. */
export type Caller<S> =
  S extends Script<infer K, infer A, infer R>
    ? (driver: Driver, input: Input<K, A>, options?: ScriptOptions) => Promise<Result<OutcomeOf<R>>>
    : never;

export interface Library<F extends Readonly<Record<string, AnyScript>>> extends LibraryVersion {
  /** SHA-1 of the code. */
  readonly hash: string;
  /** Each function by its name: `library.call.take(driver, input)`. */
  readonly call: { readonly [N in keyof F]: Caller<F[N]> };
  /** What apply would do. */
  plan(driver: Driver, options?: DeploymentOptions): Promise<Plan>;
  /** Loads this version on every primary and makes it the current one, unless a newer one is. */
  apply(driver: Driver, options?: DeploymentOptions): Promise<Plan>;
  /** Compares the code on every primary with this one. */
  verify(driver: Driver, options?: DeploymentOptions): Promise<Plan>;
  /** Makes another version that is on the servers the current one. */
  rollback(driver: Driver, options: DeploymentOptions & { readonly to: number }): Promise<void>;
}

const NAME = /^[a-z][a-z0-9_]{0,60}$/;

/**
 * A library of scripts as functions. The function `take` of version 2 of `stock` is `stock_take_v2` on the server, and
 * `stock_take` while version 2 is the current one.
 *
 * ```ts
 * const stock = functionLibrary({ name: 'stock', version: 2, functions: { take } });
 * await stock.apply(driver);
 * const result = await stock.call.take(driver, { keys: { stock: 'stock:{1}' }, args: { quantity: 2 } });
 * ```
 * @throws AtomicError BAD_ARGUMENT where the declaration is wrong
 */
export function functionLibrary<F extends Readonly<Record<string, AnyScript>>>(
  spec: LibrarySpec<F>,
): Library<F> {
  if (!NAME.test(spec.name) || !Number.isSafeInteger(spec.version) || spec.version < 1) {
    throw new AtomicError('BAD_ARGUMENT', 'a library has a name in lower case and a version from 1');
  }
  const library: LibraryVersion = { name: spec.name, version: spec.version, code: codeOf(spec) };
  const call = Object.fromEntries(
    Object.entries(spec.functions).map(([name, script]) => [name, caller(spec, library, name, script)]),
  );
  return {
    ...library,
    hash: hashOf(library.code),
    call: call as Library<F>['call'],
    plan: (driver, options) => planLibraries(driver, [library], options),
    apply: (driver, options) => applyLibraries(driver, [library], options),
    verify: (driver, options) => verifyLibraries(driver, [library], options),
    rollback: (driver, { to, ...options }) => rollbackLibrary(driver, spec.name, to, options),
  };
}

function functionName(library: string, version: number, name: string): string {
  return `${library}_${name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}_v${version}`;
}

function codeOf({ name, version, functions }: LibrarySpec<Readonly<Record<string, AnyScript>>>): string {
  const entries = Object.entries(functions);
  if (entries.length === 0) throw new AtomicError('BAD_ARGUMENT', `the library ${name} has no functions`);
  const parts = entries.map(([key, script]) => {
    if (script.spec.lua.startsWith('#!')) {
      throw new AtomicError(
        'BAD_ARGUMENT',
        `${script.spec.name}: a script with a #! line cannot be a function`,
      );
    }
    const flags = script.spec.mode === 'read' ? ", flags = {'no-writes'}" : '';
    const full = functionName(name, version, key);
    return `-- ${script.fullName}\nlocal function ${full}(KEYS, ARGV)\n${script.spec.lua.trimEnd()}\nend\nredis.register_function{function_name = '${full}', callback = ${full}${flags}}\n`;
  });
  return `#!lua name=${fullName({ name, version })}\n${parts.join('\n')}`;
}

function caller(
  spec: LibrarySpec<Readonly<Record<string, AnyScript>>>,
  library: LibraryVersion,
  name: string,
  script: AnyScript,
): unknown {
  const full = functionName(spec.name, spec.version, name);
  const command = script.spec.mode === 'read' ? 'FCALL_RO' : 'FCALL';
  const send = (
    driver: Driver,
    prepared: Prepared,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Answer | Promise<Answer> =>
    driver.send({ words: [command, full, ...prepared.words.slice(2)], key: prepared.key, timeoutMs, signal });
  return async (
    driver: Driver,
    input: Input<readonly string[], object & Record<never, never>>,
    options?: ScriptOptions,
  ) => {
    const prepared = script.prepare(input);
    return perform(
      driver,
      script.operation(prepared, options, async (timeoutMs: number, signal: AbortSignal | undefined) => {
        try {
          return await send(driver, prepared, timeoutMs, signal);
        } catch (error) {
          if (spec.missing === 'report' || !isMissing(error)) throw error;
          if (isWatched()) tell({ event: 'redis.atomic.script.noscript', script: full });
          await loadLibrary(driver, library, { timeoutMs });
          return send(driver, prepared, timeoutMs, signal);
        }
      }),
      options,
    );
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof ServerError && /function not found/i.test(error.message);
}
