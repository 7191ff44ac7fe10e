// The four ways that `holdfast bench strategies` compares, each doing the same to the same keys: look whether something
// is left, take one, count it as sold. strategies.ts calls them.
import { randomUUID } from 'node:crypto';
import {
  type Answer,
  AtomicError,
  type Driver,
  defineScript,
  denied,
  functionLibrary,
  int,
  ok,
  text,
  transaction,
  type Word,
} from '../../workflows/index.ts';

/** The keys of one measurement; all in one slot. */
export interface Keys {
  readonly stock: string;
  readonly sold: string;
  readonly lock: string;
}

/** How one operation went. */
export interface Taken {
  /** `unknown` where no reply came: it may have happened. */
  readonly outcome: 'taken' | 'gave-up' | 'unknown';
  /** How often it was tried, 1 for a quiet day. */
  readonly tries: number;
}

export interface Contender {
  readonly name: string;
  /** Brings the server to know it. */
  prepare(driver: Driver): Promise<void>;
  take(driver: Driver, keys: Keys): Promise<Taken>;
  /** Takes away what prepare left on the server. */
  clear(driver: Driver): Promise<void>;
}

const TIMEOUT_MS = 5000;

/** Sends one command; its first argument is its key. */
export async function command(driver: Driver, ...words: Word[]): Promise<Answer> {
  return driver.send({ words, key: String(words[1] ?? ''), timeoutMs: TIMEOUT_MS });
}

const nothing = async (): Promise<void> => {};

const takeScript = defineScript({
  name: 'holdfast_bench_take',
  version: 1,
  mode: 'write',
  retry: 'never',
  lua: `local left = tonumber(redis.call('GET', KEYS[1]) or '0')
if left < 1 then return {'sold_out'} end
redis.call('DECR', KEYS[1])
redis.call('INCR', KEYS[2])
return {'taken', left - 1}
`,
  keys: ['stock', 'sold'],
  args: {},
  reply: { taken: ok({ left: int }), sold_out: denied() },
});

const library = functionLibrary({ name: 'holdfast_bench', version: 1, functions: { take: takeScript } });

/** WATCH, read, MULTI, EXEC, with the toolkit's own attempts and pauses. */
const watch: Contender = {
  name: 'WATCH',
  prepare: nothing,
  clear: nothing,
  async take(driver, { stock, sold }) {
    let tries = 0;
    try {
      const result = await transaction(driver, { name: 'bench_take', watch: [stock] }, async (tx) => {
        tries = tx.attempt;
        const left = Number(await tx.read.get(stock));
        if (left < 1) return tx.reject('sold_out');
        return tx.commit((queue) => {
          queue.decr(stock);
          queue.incr(sold);
        });
      });
      return { outcome: outcomeOf(result), tries };
    } catch (error) {
      return gaveUp(error, tries);
    }
  },
};

const script: Contender = {
  name: 'script',
  prepare: nothing,
  clear: nothing,
  async take(driver, { stock, sold }) {
    const result = await takeScript.run(driver, { keys: { stock, sold }, args: {} });
    return { outcome: outcomeOf(result), tries: 1 };
  },
};

const func: Contender = {
  name: 'function',
  async prepare(driver) {
    await library.apply(driver);
  },
  async clear(driver) {
    for (const name of ['holdfast_bench', 'holdfast_bench_v1']) {
      await driver.everyPrimary(['FUNCTION', 'DELETE', name], TIMEOUT_MS);
    }
  },
  async take(driver, { stock, sold }) {
    const result = await library.call.take(driver, { keys: { stock, sold }, args: {} });
    return { outcome: outcomeOf(result), tries: 1 };
  },
};

const LEASE_MS = 5000;

const releaseScript = defineScript({
  name: 'holdfast_bench_release',
  version: 1,
  mode: 'write',
  retry: 'never',
  lua: `-- KEYS[1] the lock, ARGV[1] its owner's token
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'not_owner'} end
redis.call('DEL', KEYS[1])
return {'released'}
`,
  keys: ['lock'],
  args: { token: text },
  reply: { released: ok(), not_owner: denied() },
});

/** A lock with a token (SET NX PX), the work under it, a release that compares the token. Pauses like a transaction. */
const lock: Contender = {
  name: 'lock',
  prepare: nothing,
  clear: nothing,
  async take(driver, keys) {
    const token = randomUUID();
    const until = performance.now() + TIMEOUT_MS;
    let tries = 1;
    for (; !(await acquire(driver, keys.lock, token)); tries++) {
      const pause = Math.random() * Math.min(200, 2 * 2 ** Math.min(tries, 20));
      if (performance.now() + pause > until) return { outcome: 'gave-up', tries };
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    try {
      return { outcome: await takeUnderLock(driver, keys), tries };
    } finally {
      await releaseScript.run(driver, { keys: { lock: keys.lock }, args: { token } });
    }
  },
};

async function acquire(driver: Driver, key: string, token: string): Promise<boolean> {
  return (await command(driver, 'SET', key, token, 'NX', 'PX', LEASE_MS)) === 'OK';
}

async function takeUnderLock(driver: Driver, { stock, sold }: Keys): Promise<Taken['outcome']> {
  if (Number(await command(driver, 'GET', stock)) < 1) return 'gave-up';
  const requests = [
    { words: ['DECR', stock], key: stock, timeoutMs: TIMEOUT_MS },
    { words: ['INCR', sold], key: sold, timeoutMs: TIMEOUT_MS },
  ];
  const fates = await driver.pipeline(requests);
  return fates.some((fate) => fate instanceof Error) ? 'unknown' : 'taken';
}

function outcomeOf(result: { readonly ok: boolean; readonly status: string }): Taken['outcome'] {
  if (result.ok) return 'taken';
  return result.status === 'unknown' ? 'unknown' : 'gave-up';
}

/** Attempts or time ran out: nothing was written. Anything else is no matter of the strategy. */
function gaveUp(error: unknown, tries: number): Taken {
  const isOver =
    error instanceof AtomicError && (error.code === 'CONFLICT_EXHAUSTED' || error.code === 'DEADLINE');
  if (!isOver) throw error;
  return { outcome: 'gave-up', tries };
}

/** In the order of tables and plots. */
export const CONTENDERS: readonly Contender[] = [watch, script, func, lock];
