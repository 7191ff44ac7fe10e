// What the toolkit tells of itself while things go wrong: every event is there, none has a key or a value in it, and
// who listens changes nothing. And what is refused before anything is sent.
import diagnostics from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from 'vitest';
import { open } from '../../../src/index.ts';
import {
  boundedCounter,
  CHANNEL,
  ContentionTracker,
  type Driver,
  defineScript,
  embedded,
  int,
  Lost,
  ok,
  setTelemetry,
  slotOf,
  type TelemetryEvent,
  text,
  transaction,
  Unsent,
} from '../../../src/workflows/index.ts';
import { raw } from '../world.ts';
import { codeOf, counting, LINES, onEachLine } from './support.ts';

const KEY = 'secretkey:{secrettag}:part';
const VALUE = 'secretvalue';

afterEach(() => {
  setTelemetry(null);
});

/** Events from now on. */
function listen(): TelemetryEvent[] {
  const events: TelemetryEvent[] = [];
  setTelemetry((event) => events.push(event));
  return events;
}

const named = (events: readonly TelemetryEvent[], name: TelemetryEvent['event']) =>
  events.filter(({ event }) => event === name);

const touchy = defineScript({
  name: 'touchy',
  version: 2,
  lua: `redis.call('SET', KEYS[1], ARGV[1]) redis.call('INCR', KEYS[1]) return {'done', 1}`,
  mode: 'write',
  retry: 'never',
  keys: ['at'],
  args: { value: text },
  reply: { done: ok({ n: int }) },
});

/** A driver whose sends fail so, one after the other, before it works. */
function failing(inner: Driver, failures: Error[]): { driver: Driver; sent: () => number } {
  let sent = 0;
  const driver: Driver = {
    facts: inner.facts,
    send(request) {
      sent++;
      const failure = failures.shift();
      if (failure !== undefined) return Promise.reject(failure);
      return inner.send(request);
    },
    pipeline: (requests) => {
      sent += requests.length;
      return inner.pipeline(requests);
    },
    lease: (key, ms) => {
      sent++;
      return inner.lease(key, ms);
    },
    everyPrimary: (words, ms) => inner.everyPrimary(words, ms),
    close: () => inner.close(),
  };
  return { driver, sent: () => sent };
}

onEachLine(LINES, (line) => {
  it('tells of operations, scripts not there and errors, without keys and values', async () => {
    const { driver, direct, proxy, client } = line();
    const events = listen();
    await direct('SCRIPT', 'FLUSH');
    await direct('DEL', KEY);
    const count = counting('always');
    await count.run(driver, { keys: { counter: KEY }, args: {} });
    proxy.cutBeforeReply({ match: /^EVALSHA/ });
    await count.run(driver, { keys: { counter: KEY }, args: {} });
    expect(await codeOf(touchy.run(driver, { keys: { at: KEY }, args: { value: VALUE } }))).toBe('SERVER');
    await transaction(driver, { watch: [KEY], name: 'paying' }, async (tx) => {
      await tx.read.get(KEY);
      if (tx.attempt === 1) await direct('SET', KEY, VALUE);
      return tx.commit((queue) => queue.set(KEY, VALUE));
    });
    expect(named(events, 'redis.atomic.script.noscript')).toMatchObject([
      { script: 'count_always_v1' },
      { script: 'touchy_v2' },
    ]);
    expect(named(events, 'redis.atomic.script.error')).toMatchObject([{ script: 'touchy', code: 'ERR' }]);
    expect(named(events, 'redis.atomic.operation')).toMatchObject([
      { operation: 'count_always', version: 1, result: 'counted', attempt: 1, retries: {}, client },
      { operation: 'count_always', result: 'counted', attempt: 2, retries: { lost: 1 } },
      { operation: 'touchy', version: 2, result: 'SERVER' },
      { operation: 'paying', result: 'committed', attempt: 2, retries: { conflict: 1 } },
    ]);
    const tags = named(events, 'redis.atomic.operation').map((event) => 'keyTag' in event && event.keyTag);
    expect(new Set(tags).size).toBe(1);
    expect(tags[0]).toMatch(/^[0-9a-f]{8}$/);
    expect(JSON.stringify(events)).not.toMatch(/secret/);
  });
});

describe('telemetry', () => {
  it('diagnostics_channel gets the same events, also where there is no sink', async () => {
    const driver = embedded(await open());
    const heard: unknown[] = [];
    const hear = (message: unknown): void => void heard.push(message);
    const events = listen();
    diagnostics.subscribe(CHANNEL, hear);
    await counting('never').run(driver, { keys: { counter: KEY }, args: {} });
    expect(heard).toEqual(events);
    setTelemetry(null);
    await counting('never').run(driver, { keys: { counter: KEY }, args: {} });
    expect(heard.length).toBe(events.length + 1);
    diagnostics.unsubscribe(CHANNEL, hear);
  });

  it('a sink that throws changes nothing', async () => {
    const driver = embedded(await open());
    setTelemetry(() => {
      throw new Error('sink');
    });
    const counter = boundedCounter(driver, { max: 3n });
    expect(await counter.add('a', 1n)).toMatchObject({ status: 'added', value: 1n });
    expect(await codeOf(touchy.run(driver, { keys: { at: KEY }, args: { value: VALUE } }))).toBe('SERVER');
    const result = await transaction(driver, { watch: [KEY] }, async (tx) => tx.reject('no'));
    expect(result.status).toBe('rejected');
  });

  it('a transaction that loses its connection under WATCH says so', async () => {
    const inner = embedded(await open());
    let first = true;
    const driver: Driver = {
      ...failing(inner, []).driver,
      async lease(key, ms) {
        const lease = await inner.lease(key, ms);
        if (!first) return lease;
        first = false;
        return {
          pipeline: (commands, timeoutMs) => lease.pipeline(commands, timeoutMs),
          exec: async () => {
            throw new Unsent('closed');
          },
          release: () => lease.release(),
          discard: () => lease.discard(),
        };
      },
    };
    const events = listen();
    const result = await transaction(driver, { watch: [KEY], name: 'paying' }, async (tx) => {
      await tx.read.get(KEY);
      return tx.commit((queue) => queue.set(KEY, 1));
    });
    expect(result).toMatchObject({ status: 'committed', meta: { attempts: 2 } });
    expect(named(events, 'redis.atomic.advice')).toMatchObject([
      { advice: 'lost-watch', operation: 'paying' },
    ]);
    expect(named(events, 'redis.atomic.operation')).toMatchObject([{ retries: { 'lost-watch': 1 } }]);
  });

  it('contention above a quarter is advised on once, and the tracker names no key', async () => {
    const driver = embedded(await open());
    const events = listen();
    const contention = new ContentionTracker();
    for (let i = 0; i < 30; i++) {
      await transaction(driver, { watch: [KEY], contention, backoff: { baseMs: 0 } }, async (tx) => {
        await tx.read.get(KEY);
        if (tx.attempt === 1) await raw(driver, 'SET', KEY, i);
        return tx.commit((queue) => queue.set(KEY, VALUE));
      });
    }
    expect(contention.isHot([KEY])).toBe(true);
    expect(contention.report()).toMatchObject({ attempts: 60, conflicts: 30, rate: 0.5 });
    const advice = named(events, 'redis.atomic.advice');
    expect(advice).toMatchObject([{ advice: 'contention' }]);
    expect(JSON.stringify([events, contention.report()])).not.toMatch(/secret/);
  });

  it('a hash tag that everybody shares is advised on, once for a script', async () => {
    const driver = embedded(await open());
    const events = listen();
    const fresh = defineScript({ ...touchy.spec, name: 'tagged', lua: `return {'done', 1}` });
    for (let i = 0; i < 3; i++) {
      await fresh.run(driver, { keys: { at: 'orders:{global}:secret' }, args: { value: VALUE } });
    }
    const advice = named(events, 'redis.atomic.advice');
    expect(advice).toMatchObject([{ advice: 'hot-hash-tag', operation: 'tagged' }]);
    expect(JSON.stringify(advice)).toContain(String(slotOf('{global}')));
    expect(JSON.stringify(events)).not.toMatch(/secret/);
  });
});

describe('before anything is sent', () => {
  it('rueidis#974, bullmq#2463: keys of several slots are refused, by name and slot', async () => {
    const { driver, sent } = failing(embedded(await open()), []);
    const two = defineScript({ ...touchy.spec, keys: ['from', 'to[]'], lua: 'return 1' });
    const work = two.run(driver, { keys: { from: 'a', to: ['a', 'b'] }, args: { value: VALUE } });
    await expect(work).rejects.toMatchObject({
      code: 'CROSS_SLOT',
      message: expect.stringContaining(`from in ${slotOf('a')}, to in ${slotOf('a')}, to in ${slotOf('b')}`),
    });
    const watching = transaction(driver, { watch: ['a', 'b'] }, () => {
      throw new Error('not reached');
    });
    await expect(watching).rejects.toMatchObject({ code: 'CROSS_SLOT' });
    expect(sent()).toBe(0);
  });

  it('a transaction reads only what it watches and writes only to that slot', async () => {
    const driver = embedded(await open());
    const reads = transaction(driver, { watch: ['a'] }, async (tx) => {
      await tx.read.get('b');
      return tx.reject('not reached');
    });
    await expect(reads).rejects.toMatchObject({ code: 'UNDECLARED_KEY' });
    const writes = transaction(driver, { watch: ['a'] }, async (tx) =>
      tx.commit((queue) => {
        queue.set('a', 1);
        queue.set('b', 1);
      }),
    );
    await expect(writes).rejects.toMatchObject({ code: 'CROSS_SLOT' });
    expect(await raw(driver, 'EXISTS', 'a')).toBe(0);
  });
});

describe('repetition', () => {
  const at = { keys: { counter: KEY }, args: {} };
  it('what never left is sent again whatever its retry safety, what was lost is not', async () => {
    const unsent = failing(embedded(await open()), [new Unsent('no'), new Unsent('no')]);
    expect(await counting('never').run(unsent.driver, at)).toMatchObject({ value: 1, meta: { attempts: 3 } });
    const lost = failing(embedded(await open()), [new Unsent('no'), new Lost('gone')]);
    expect(await counting('never').run(lost.driver, at)).toMatchObject({
      status: 'unknown',
      meta: { attempts: 2 },
    });
    expect(lost.sent()).toBe(2);
  });

  it('a call that was lost once stays unknown, whatever ends the repetition', async () => {
    const lost = failing(embedded(await open()), [
      new Lost('gone'),
      ...Array.from({ length: 200 }, () => new Unsent('no')),
    ]);
    const result = await counting('always').run(lost.driver, at, { deadlineMs: 100 });
    expect(result).toMatchObject({ status: 'unknown', cause: { message: 'gone' } });
  });
});
