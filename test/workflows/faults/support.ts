// What the tests of faults share: a script of each kind of retry safety, servers behind proxies with a client of each
// library, and a look at the server past the proxy. Called by the tests beside it.
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import {
  AtomicError,
  type Driver,
  defineScript,
  int,
  ok,
  type RetrySafety,
  type Script,
} from '../../../src/workflows/index.ts';
import { type FaultProxy, startProxy } from '../../support/proxy.ts';
import { oracleAvailable } from '../../support/redis-server.ts';
import { type RestartableRedis, startRestartable } from '../../support/restartable-redis.ts';
import { ask } from '../../support/waiting.ts';
import type { ClientName } from '../columns.ts';
import { type Connected, connect } from '../targets.ts';

/** The clients that speak to a server over a line. */
export const LINES = ['ioredis', 'node-redis', 'iovalkey', 'glide'] as const satisfies ClientName[];
/** Those whose drivers know what became of each command. GLIDE keeps that to itself. */
export const CERTAIN = ['ioredis', 'node-redis', 'iovalkey'] as const satisfies ClientName[];

const counters = new Map<RetrySafety, AnyCounter>();
type AnyCounter = Script<readonly ['counter'], Record<never, never>, { counted: ReturnType<typeof counted> }>;
const counted = () => ok({ value: int });

/** A script that counts, without a memory of requests, declared with this retry safety. */
export function counting(retry: RetrySafety): AnyCounter {
  let script = counters.get(retry);
  if (script === undefined) {
    script = defineScript({
      name: `count_${retry.replaceAll('-', '_')}`,
      version: 1,
      // The text differs, so that each has a digest of its own.
      lua: `-- ${retry}\nreturn {'counted', redis.call('INCR', KEYS[1])}`,
      mode: 'write',
      retry,
      keys: ['counter'],
      args: {},
      reply: { counted: counted() },
    });
    counters.set(retry, script);
  }
  return script;
}

/** A server that can die, behind a proxy, and one client of it. */
export interface Line {
  readonly client: ClientName;
  readonly driver: Driver;
  readonly proxy: FaultProxy;
  readonly redis: RestartableRedis;
  /** The server's answer past the proxy, as text. */
  direct(...words: (string | number)[]): Promise<string>;
  /** Another client, through the same proxy. */
  another(): Promise<Connected>;
}

/** Declares tests for each of these clients, on one server for all. The proxy has no faults left between tests. */
export function onEachLine(clients: readonly ClientName[], declare: (line: () => Line) => void): void {
  describe.skipIf(!oracleAvailable())('on redis-server behind a proxy', () => {
    let redis: RestartableRedis;
    beforeAll(async () => {
      redis = await startRestartable(['--appendfsync', 'always']);
    });
    afterAll(() => redis?.stop());
    describe.each(clients)('%s', (client) => {
      let line: Line;
      let connected: Connected;
      beforeAll(async () => {
        const proxy = await startProxy(redis.port);
        const running = { ports: [proxy.port], stop: async () => {} };
        connected = await connect(client, 'redis-server', running);
        const direct = async (...words: (string | number)[]): Promise<string> =>
          (await ask(redis.port, ...words)).text;
        const another = (): Promise<Connected> => connect(client, 'redis-server', running);
        line = { client, driver: connected.driver, proxy, redis, direct, another };
      });
      afterEach(() => line.proxy.reset());
      afterAll(async () => {
        await connected?.close();
        await line?.proxy.stop();
      });
      declare(() => line);
    });
  });
}

/** The code of the AtomicError that it fails with, or what it resolved to. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    return error instanceof AtomicError ? error.code : error;
  }
}

/** Waits until it is so, for at most so long. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  mostMs = 5000,
): Promise<void> {
  const end = Date.now() + mostMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${mostMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** How often the server has run this command. */
export async function callsOf(line: Line, command: string): Promise<number> {
  const stats = await line.direct('INFO', 'commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}
