// What the toolkit's types promise, checked by the compiler (`npm run types`): keys, arguments and results of scripts,
// outcomes of transactions. Nothing here runs.
import {
  type AtomicError,
  batch,
  boundedCounter,
  type Driver,
  defineScript,
  denied,
  functionLibrary,
  int,
  int64,
  list,
  nullable,
  ok,
  text,
  transaction,
} from '../../src/workflows/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <T extends true>(): T => true as T;

declare const driver: Driver;

const script = defineScript({
  name: 'typed',
  version: 1,
  lua: '',
  mode: 'write',
  retry: 'never',
  keys: ['account', 'lines[]'],
  args: { amount: int64, note: nullable(text), parts: list(int) },
  reply: {
    done: ok({ replayed: int, serverTimeMs: int, balance: int64, tags: list(text) }),
    short: denied({ missing: int }),
  },
});

export async function scripts(): Promise<void> {
  const input = {
    keys: { account: 'a', lines: ['b', 'c'] },
    args: { amount: 1n, note: null, parts: [1, 2] },
  };
  const result = await script.run(driver, input);

  // @ts-expect-error a list of keys is not one key
  void script.run(driver, { ...input, keys: { account: 'a', lines: 'b' } });
  // @ts-expect-error a key is missing
  void script.run(driver, { ...input, keys: { lines: [] } });
  // @ts-expect-error an undeclared key
  void script.run(driver, { ...input, keys: { account: 'a', lines: [], other: 'x' } });
  // @ts-expect-error a number is not a bigint
  void script.run(driver, { ...input, args: { amount: 1, note: null, parts: [] } });
  // @ts-expect-error an argument is missing
  void script.run(driver, { ...input, args: { amount: 1n, note: null } });

  switch (result.status) {
    case 'done':
      is<Equal<typeof result.ok, true>>();
      is<Equal<typeof result.balance, bigint>>();
      is<Equal<typeof result.tags, readonly string[]>>();
      // @ts-expect-error these are in meta
      void result.serverTimeMs;
      break;
    case 'short':
      is<Equal<typeof result.ok, false>>();
      is<Equal<typeof result.missing, number>>();
      // @ts-expect-error only a success has it
      void result.balance;
      break;
    case 'unknown':
      is<Equal<typeof result.cause, Error>>();
      break;
    default:
      is<Equal<typeof result, never>>();
  }
  is<Equal<ReturnType<typeof result.orThrow>['balance'], bigint>>();
  is<Equal<ReturnType<typeof result.orThrow>['status'], 'done'>>();
  is<Equal<typeof result.meta.replayed, boolean>>();
}

export async function batches(): Promise<void> {
  const [first] = await batch(driver, [
    script.call({ keys: { account: 'a', lines: [] }, args: { amount: 1n, note: 'n', parts: [] } }),
  ]);
  // Each place has a result or the error that run() would have thrown.
  if ('status' in first) is<Equal<typeof first.status, 'done' | 'short' | 'unknown'>>();
  else is<Equal<typeof first, AtomicError>>();
}

export async function transactions(): Promise<void> {
  const result = await transaction(driver, { watch: ['k'] }, async (tx) => {
    const value = await tx.read.get('k');
    is<Equal<typeof value, string | null>>();
    if (value === null) return tx.reject('missing', { at: 1 });
    return tx.commit((queue) => queue.set('k', 1), { before: value });
  });
  switch (result.status) {
    case 'committed':
      is<Equal<typeof result.value, { before: string }>>();
      break;
    case 'rejected':
      is<Equal<typeof result.data, { at: number }>>();
      break;
    case 'unknown':
      is<Equal<typeof result.cause, Error>>();
  }
}

export async function libraries(): Promise<void> {
  const library = functionLibrary({ name: 'typed', version: 1, functions: { run: script } });
  const result = await library.call.run(driver, {
    keys: { account: 'a', lines: [] },
    args: { amount: 1n, note: null, parts: [] },
  });
  if (result.status === 'done') is<Equal<typeof result.balance, bigint>>();
  // @ts-expect-error there is no such function
  void library.call.walk;
}

export async function workflows(): Promise<void> {
  const counter = boundedCounter(driver, { max: 1n });
  const result = await counter.add('id', 1n);
  is<
    Equal<typeof result.status, 'added' | 'out_of_bounds' | 'not_an_integer' | 'request_reused' | 'unknown'>
  >();
  // @ts-expect-error max is needed
  void boundedCounter(driver, {});
}
