// Scripts when replies, requests or the server go missing: what is `unknown`, what is sent again, what is an error.
import { expect, it } from 'vitest';
import { batch, boundedCounter } from '../../../src/workflows/index.ts';
import { freshPrefix, sleep } from '../world.ts';
import { CERTAIN, callsOf, codeOf, counting, eventually, LINES, onEachLine } from './support.ts';

const never = counting('never');
const always = counting('always');
const run = { keys: { counter: '' }, args: {} };
const at = (counter: string): typeof run => ({ ...run, keys: { counter } });
const SENT = /^EVAL/;

onEachLine(LINES, (line) => {
  it('a lost reply of a script that must not be repeated is unknown, and it was sent once', async () => {
    const { driver, proxy, direct } = line();
    const key = freshPrefix();
    await never.run(driver, at(key));
    const before = (await callsOf(line(), 'evalsha')) + (await callsOf(line(), 'eval'));
    proxy.cutBeforeReply({ match: SENT });
    const lost = await never.run(driver, at(key));
    expect(lost).toMatchObject({ ok: false, status: 'unknown', meta: { attempts: 1, retry: 'never' } });
    expect(() => lost.orThrow()).toThrow('nobody knows whether it happened');
    expect(await direct('GET', key)).toBe('2');
    expect((await callsOf(line(), 'evalsha')) + (await callsOf(line(), 'eval'))).toBe(before + 1);
    expect(await never.run(driver, at(key))).toMatchObject({ status: 'counted', value: 3 });
  });

  it('a lost reply of a script with a request id is fetched by sending it again, and it ran once', async () => {
    const { driver, proxy, direct } = line();
    const prefix = freshPrefix();
    const counter = boundedCounter(driver, { prefix, max: 10n });
    await counter.add('a', 1n);
    proxy.cutBeforeReply({ match: SENT });
    expect(await counter.add('a', 2n, { requestId: 'r' })).toMatchObject({
      status: 'added',
      value: 3n,
      meta: { attempts: 2, replayed: true, requestId: 'r' },
    });
    expect(await direct('GET', `${prefix}:{a}`)).toBe('3');
  });

  it('a script that may always be repeated is repeated', async () => {
    const { driver, proxy } = line();
    const key = freshPrefix();
    await always.run(driver, at(key));
    proxy.cutBeforeReply({ match: SENT, times: 2 });
    const result = await always.run(driver, at(key));
    expect(result).toMatchObject({ status: 'counted', value: 4, meta: { attempts: 3 } });
  });

  it('a request that was cut off on its way is unknown too, for its sender cannot tell', async () => {
    const { driver, proxy, direct } = line();
    const key = freshPrefix();
    await never.run(driver, at(key));
    proxy.cutBeforeRequest({ match: SENT });
    expect(await never.run(driver, at(key))).toMatchObject({ status: 'unknown' });
    expect(await direct('GET', key)).toBe('1');
    proxy.cutBeforeRequest({ match: SENT });
    expect(await always.run(driver, at(key))).toMatchObject({ status: 'counted', value: 2 });
  });

  it('a stalled line keeps the deadline, is unknown, and later calls recover by themselves', async () => {
    const { driver, proxy } = line();
    const key = freshPrefix();
    await never.run(driver, at(key));
    proxy.stall();
    const started = performance.now();
    expect(await never.run(driver, at(key), { deadlineMs: 300 })).toMatchObject({ status: 'unknown' });
    expect(performance.now() - started).toBeGreaterThan(280);
    expect(performance.now() - started).toBeLessThan(700);
    const next = always.run(driver, at(key), { deadlineMs: 4000 });
    setTimeout(() => proxy.resume(), 100);
    expect(await next).toMatchObject({ status: 'counted' });
  });

  it('a signal ends a call: before it is sent as ABORTED, in flight as unknown', async () => {
    const { driver, proxy, direct } = line();
    const key = freshPrefix();
    await never.run(driver, at(key));
    expect(await codeOf(never.run(driver, at(key), { signal: AbortSignal.abort() }))).toBe('ABORTED');
    expect(await direct('GET', key)).toBe('1');
    proxy.delayReplies(2000, { match: SENT, times: 1 });
    const flight = new AbortController();
    const call = never.run(driver, at(key), { signal: flight.signal });
    await eventually('it runs', async () => (await direct('GET', key)) === '2');
    flight.abort();
    expect(await call).toMatchObject({ status: 'unknown' });
    proxy.reset();
    const repeatable = always.run(driver, at(key), { signal: flight.signal });
    expect(await codeOf(repeatable)).toBe('ABORTED');
  });

  it('scripts flushed between two calls are sent again whole', async () => {
    const { driver, direct } = line();
    const key = freshPrefix();
    await never.run(driver, at(key));
    await direct('SCRIPT', 'FLUSH');
    expect(await never.run(driver, at(key))).toMatchObject({ value: 2, meta: { attempts: 1 } });
    const before = await callsOf(line(), 'eval');
    expect(await never.run(driver, at(key))).toMatchObject({ value: 3 });
    expect(await callsOf(line(), 'eval')).toBe(before);
  });

  it('ioredis#536, bullmq#1253: a batch after SCRIPT FLUSH or a restart meets no NOSCRIPT and keeps its order', async () => {
    const { driver, direct, redis } = line();
    const key = freshPrefix();
    const calls = () => [never, always, never, always, never].map((script) => script.call(at(key)));
    const values = async (): Promise<unknown[]> =>
      (await batch(driver, calls())).map((each) => ('value' in each ? each.value : each));
    expect(await values()).toEqual([1, 2, 3, 4, 5]);
    await direct('SCRIPT', 'FLUSH');
    expect(await values()).toEqual([6, 7, 8, 9, 10]);
    await redis.kill();
    await redis.start();
    // The connection is known to be gone, or is found out: then the batch is unknown or unsent, never half repeated.
    await eventually('the client has noticed', async () => {
      const pong = driver.send({ words: ['PING'], key: '', timeoutMs: 500 });
      return (await codeOf(Promise.resolve(pong))) === 'PONG';
    });
    expect(await values()).toEqual([11, 12, 13, 14, 15]);
  });

  it('a lost batch is unknown from the call on whose reply was lost, and nothing of it is repeated', async () => {
    const { driver, proxy, direct, client } = line();
    const [a, b] = [freshPrefix(), freshPrefix()];
    await batch(driver, [always.call(at(a)), always.call(at(b))]);
    proxy.cutBeforeReply({ match: new RegExp(`^EVAL[^]* ${b.toUpperCase()}$`) });
    const got = await batch(driver, [always.call(at(a)), always.call(at(b)), always.call(at(a))]);
    // GLIDE gives up all of a batch where one reply of it is lost.
    const first = client === 'glide' ? 'unknown' : 'counted';
    expect(got).toMatchObject([{ status: first }, { status: 'unknown' }, { status: 'unknown' }]);
    expect([await direct('GET', a), await direct('GET', b)]).toEqual(['2', '2']);
  });

  it('a signal that has fired sends no batch', async () => {
    const { driver, direct } = line();
    const key = freshPrefix();
    expect(await codeOf(batch(driver, [never.call(at(key))], { signal: AbortSignal.abort() }))).toBe(
      'ABORTED',
    );
    expect(await direct('EXISTS', key)).toBe('0');
  });

  it('takes one round trip', async () => {
    const { driver, proxy } = line();
    const key = freshPrefix();
    // A client library may still be telling the server its own name.
    for (let i = 0; i < 5; i++) await never.run(driver, at(key));
    await sleep(50);
    proxy.reset();
    for (let i = 0; i < 5; i++) await never.run(driver, at(key));
    expect(proxy.requests).toBe(5);
  });
});

onEachLine(LINES, (line) => {
  it('waits for a server that comes back within the deadline', async () => {
    const { driver, redis, direct, client } = line();
    const key = freshPrefix();
    await never.run(driver, at(key));
    await redis.kill();
    await noticed(line());
    const call = codeOf((client === 'glide' ? always : never).run(driver, at(key), { deadlineMs: 15_000 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await redis.start();
    expect(await call).toMatchObject({ status: 'counted', value: 2 });
    expect(await direct('GET', key)).toBe('2');
  });
});

onEachLine(CERTAIN, (line) => {
  it('answers DISCONNECTED, not unknown, where no connection could be had at all', async () => {
    const { driver, redis, direct } = line();
    const key = freshPrefix();
    await never.run(driver, at(key));
    await redis.kill();
    await noticed(line());
    expect(await codeOf(never.run(driver, at(key), { deadlineMs: 300 }))).toBe('DISCONNECTED');
    await redis.start();
    expect(await never.run(driver, at(key))).toMatchObject({ status: 'counted', value: 2 });
    expect(await direct('GET', key)).toBe('2');
  });

  it('a batch waits for a server that comes back, in its order', async () => {
    const { driver, redis } = line();
    const key = freshPrefix();
    await redis.kill();
    await noticed(line());
    const calls = [never, always, never].map((script) => script.call(at(key)));
    expect(
      (await batch(driver, calls, { deadlineMs: 100 })).map((each) => 'code' in each && each.code),
    ).toEqual(calls.map(() => 'DISCONNECTED'));
    const waits = batch(driver, calls, { deadlineMs: 10_000 });
    await redis.start();
    expect(await waits).toMatchObject([{ value: 1 }, { value: 2 }, { value: 3 }]);
  });

  it('a server that takes connections and says nothing holds up nobody once it is gone', async () => {
    const { proxy, another, direct } = line();
    const key = freshPrefix();
    const fresh = await another();
    await eventually('the client is connected', () => proxy.connections > 0);
    proxy.stall();
    const started = performance.now();
    expect(await codeOf(never.run(fresh.driver, at(key), { deadlineMs: 300 }))).toBe('DISCONNECTED');
    expect(performance.now() - started).toBeLessThan(700);
    // A signal that fires while there is no connection is certain as well.
    const controller = new AbortController();
    const call = codeOf(never.run(fresh.driver, at(key), { signal: controller.signal }));
    setTimeout(() => controller.abort(), 30);
    expect(await call).toBe('ABORTED');
    proxy.resume();
    expect(await never.run(fresh.driver, at(key))).toMatchObject({ status: 'counted', value: 1 });
    expect(await direct('GET', key)).toBe('1');
    await fresh.close();
  });

  it('one call that runs out of time does not cut off the others on its connection', async () => {
    const { driver, proxy } = line();
    const key = freshPrefix();
    await never.run(driver, at(key));
    proxy.delayReplies(1300, { match: SENT, times: 2 });
    const hasty = never.run(driver, at(key), { deadlineMs: 100 });
    const patient = never.run(driver, at(key), { deadlineMs: 5000 });
    expect(await hasty).toMatchObject({ status: 'unknown' });
    expect(await never.run(driver, at(key))).toMatchObject({ status: 'counted', value: 4 });
    expect(await patient).toMatchObject({ status: 'counted', value: 3 });
  });
});

/** Waits until the client knows that its server is gone: a command meets no connection any more. */
async function noticed({
  driver,
  proxy,
  client,
}: ReturnType<Parameters<Parameters<typeof onEachLine>[1]>[0]>): Promise<void> {
  if (client === 'glide') return;
  await eventually('all connections are closed', () => proxy.connections === 0);
  await eventually('the driver knows', async () => {
    const answer = await codeOf(Promise.resolve(driver.send({ words: ['PING'], key: '', timeoutMs: 100 })));
    return answer instanceof Error && answer.name === 'Unsent';
  });
}
