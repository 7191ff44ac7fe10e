// The types that users see, checked by the compiler alone (`npm run types`); nothing here runs.
import type { Redis } from 'ioredis';
import { Redis as IoredisClient } from 'ioredis';
import {
  type Arg,
  type Change,
  type Client,
  type Database,
  type FunctionCounts,
  type FunctionLibrary,
  HoldfastError,
  type Message,
  open,
  type Snapshot,
  VirtualClock,
  type Wait,
} from '../../src/index.ts';
import { listen, type Server } from '../../src/server/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only where the type of `value` is exactly the one that is named. */
function is<Expected>() {
  return <Actual>(
    _value: Actual,
    ..._differs: Same<Actual, Expected> extends true ? [] : [never]
  ): void => {};
}

export async function replies(db: Database): Promise<void> {
  is<string | null>()(db.get('k'));
  is<number>()(db.incr('k'));
  is<string | null>()(db.set('k', 'v'));
  is<(string | null)[]>()(db.mget('a', 'b'));
  is<Record<string, string>>()(db.hgetall('h'));
  is<number>()(db.hset('h', 'f', 1, 'g', 2n, 'b', new Uint8Array()));
  is<string[]>()(db.lrange('l', 0, -1));
  is<string[]>()(db.smembers('s'));
  is<number | null>()(db.zscore('z', 'm'));
  is<[cursor: string, keys: string[]]>()(db.scan(0, 'MATCH', 'a*', 'COUNT', 10));
  is<Record<string, string>>()(db.configGet('*'));
  is<'OK'>()(db.configSet('timeout', 1));
  is<number>()(db.publish('c', 'm'));
  is<string>()(db.info());
  is<unknown>()(db.call('GET', 'k'));
  is<unknown[] | null>()(db.exec());
  is<'OK'>()(db.multi());
  is<unknown>()(db.eval('return 1'));
  is<unknown>()(db.evalsha('digest', { keys: ['k', new Uint8Array()], args: [1, 2n, 'v'] }));
  is<string>()(db.scriptLoad('return 1'));
  is<(0 | 1)[]>()(db.scriptExists('digest'));
  // @ts-expect-error keys and arguments come in an object
  db.eval('return 1', 1, 'k');
}

export function libraries({ functions, fcall, fcallRo, buffers }: Database): void {
  is<string>()(functions.load('#!lua name=a', { replace: true }));
  is<FunctionLibrary[]>()(functions.list({ name: 'a*', code: true }));
  is<FunctionCounts>()(functions.stats());
  is<Uint8Array>()(functions.dump());
  is<Uint8Array>()(buffers.functionDump());
  is<void>()(functions.restore(new Uint8Array(), 'replace'));
  is<unknown>()(fcall('f', { keys: ['k', new Uint8Array()], args: [1, 2n] }));
  is<unknown>()(fcallRo('f'));
  // @ts-expect-error a policy of Redis
  functions.restore(new Uint8Array(), 'merge');
}

export function bytes({ buffers }: Database): void {
  is<Uint8Array | null>()(buffers.get('k'));
  is<Uint8Array[]>()(buffers.lrange('l', 0, -1));
  is<Record<string, Uint8Array>>()(buffers.hgetall('h'));
  is<Uint8Array | null>()(buffers.dump('k'));
  is<'OK'>()(buffers.restore('k', 0, new Uint8Array(), 'REPLACE'));
  is<'OK'>()(buffers.configSet('timeout', 1));
  is<number | null>()(buffers.zscore('z', 'm'));
  is<Promise<[key: Uint8Array, element: Uint8Array] | null>>()(buffers.blpop('k', 0));
}

export async function waiting(db: Database, signal: AbortSignal): Promise<void> {
  is<Promise<[key: string, element: string] | null>>()(db.blpop('k', 0));
  is<Promise<[key: string, element: string] | null>>()(db.blpop('a', 'b', { seconds: 1.5, signal }));
  is<Promise<string | null>>()(db.blmove('a', 'b', 'LEFT', 'RIGHT', 0));
  const wait: Wait = { seconds: 0 };
  await db.bzpopmin('z', wait);
}

export function wrong(db: Database): void {
  // @ts-expect-error: too few arguments
  db.get();
  // @ts-expect-error: too many
  db.get('a', 'b');
  // @ts-expect-error: null is no argument
  db.set('k', null);
  // @ts-expect-error: neither is an object
  db.set('k', { v: 1 });
  // @ts-expect-error: nor an array, which has to be spread
  db.rpush('l', ['a', 'b']);
  // @ts-expect-error: there is no such method
  db.nosuch('k');
  // @ts-expect-error: nor one of a command that is not there yet
  db.xadd('s', '*', 'f', 'v');
  // @ts-expect-error: one of the two words
  db.linsert('l', 'BETWEEN', 'a', 'b');
  // @ts-expect-error: a timeout must stand at the end
  db.blpop('k');
  // @ts-expect-error: del takes at least one key
  db.del();
  // @ts-expect-error: a reply may be missing
  db.get('k').length;
  // @ts-expect-error: a promise is no value
  db.blpop('k', 0).length;
}

export async function database(db: Database): Promise<void> {
  is<number>()(db.transaction((tx) => tx.incr('n')));
  db.transaction((tx) => {
    is<Database>()(tx);
  });
  is<Client>()(db.session());
  is<Snapshot>()(db.snapshot());
  is<Database>()(db.fork());
  db.revertTo(db.snapshot());
  // @ts-expect-error: only what snapshot() gave
  db.revertTo({});
  const stop = db.listen('c', (message) => is<Message>()(message), { pattern: true });
  is<() => void>()(stop);
  db.live((changes) => is<readonly Change[]>()(changes));
  const arg: Arg = 12n;
  db.set(arg, arg);

  is<Promise<Database>>()(open());
  await open({ clock: new VirtualClock(0), seed: 1, databases: 2, config: { timeout: '1' } });
  // @ts-expect-error: directives are strings, as in redis.conf
  await open({ config: { timeout: 1 } });
  // @ts-expect-error: no such option
  await open({ path: './data' });

  is<Promise<Server>>()(listen(db, { port: 0 }));
  const redis: Redis = new IoredisClient({ Connector: db.connector() });
  redis.disconnect();
  is<string>()(new HoldfastError('ERR', 'ERR text').code);
}
