// What reaches OpenTelemetry, seen through a meter that remembers.
import type { Attributes, Meter, MetricOptions } from '@opentelemetry/api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Database, open } from '../index.ts';
import { boundedCounter } from './bounded-counter.ts';
import { embedded } from './drivers/embedded.ts';
import { type Driver, Lost } from './kit/driver.ts';
import { defineScript, ok } from './kit/script.ts';
import { transaction } from './kit/transaction.ts';
import { instrument } from './opentelemetry.ts';

interface Recorded {
  readonly name: string;
  readonly value: number;
  readonly attributes: Attributes;
}

class MemoryMeter implements Meter {
  readonly recorded: Recorded[] = [];
  readonly instruments = new Map<string, MetricOptions | undefined>();

  createCounter(name: string, options?: MetricOptions) {
    return { add: this.instrument(name, options) };
  }

  createHistogram(name: string, options?: MetricOptions) {
    return { record: this.instrument(name, options) };
  }

  createUpDownCounter = unexpected;
  createGauge = unexpected;
  createObservableGauge = unexpected;
  createObservableCounter = unexpected;
  createObservableUpDownCounter = unexpected;
  addBatchObservableCallback = unexpected;
  removeBatchObservableCallback = unexpected;

  /** Sum of what was recorded under a name with these attributes. */
  sum(name: string, attributes: Attributes): number {
    return this.recorded
      .filter((each) => each.name === name)
      .filter((each) => Object.entries(attributes).every(([key, value]) => each.attributes[key] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  private instrument(name: string, options?: MetricOptions) {
    this.instruments.set(name, options);
    return (value: number, attributes: Attributes = {}): void => {
      this.recorded.push({ name, value, attributes });
    };
  }
}

function unexpected(): never {
  throw new Error('no such instrument is expected');
}

let db: Database;
let driver: Driver;
let meter: MemoryMeter;
let stop: () => void;

beforeEach(async () => {
  db = await open();
  driver = embedded(db);
  meter = new MemoryMeter();
  stop = instrument(meter);
});
afterEach(() => {
  stop();
  db.close();
});

const OPERATION = 'redis.atomic.operation';

it('counts operations by status and result, and measures seconds', async () => {
  const seats = boundedCounter(driver, { prefix: 'seats', max: 2n });
  await seats.add('a', 2n);
  await seats.add('a', 1n);
  await seats.add('a', -1n);
  const operation = 'bounded_counter_add';
  expect(meter.sum(`${OPERATION}.count`, { operation, status: 'answered' })).toBe(3);
  expect(meter.sum('redis.atomic.result.count', { operation, result: 'added' })).toBe(2);
  expect(meter.sum('redis.atomic.result.count', { operation, result: 'out_of_bounds' })).toBe(1);
  const latencies = meter.recorded.filter(({ name }) => name === `${OPERATION}.latency`);
  expect(latencies).toHaveLength(3);
  for (const { value } of latencies) {
    expect(value).toBeGreaterThan(0);
    expect(value).toBeLessThan(5);
  }
  expect(meter.instruments.get(`${OPERATION}.latency`)?.unit).toBe('s');
});

it('counts a script that the server did not have', async () => {
  const script = 'bounded_counter_add_v1';
  const seats = boundedCounter(driver, { max: 2n });
  await seats.add('a', 1n);
  await seats.add('a', 1n);
  expect(meter.sum('redis.atomic.script.noscript.count', { script })).toBe(1);
});

it('counts errors of scripts by their code, as failed operations', async () => {
  const wrong = defineScript({
    name: 'wrong',
    version: 1,
    lua: "return {'ok', redis.call('LLEN', KEYS[1])}",
    mode: 'read',
    retry: 'always',
    keys: ['key'],
    args: {},
    reply: { ok: ok() },
  });
  db.set('k', 'v');
  await expect(wrong.run(driver, { keys: { key: 'k' }, args: {} })).rejects.toMatchObject({
    code: 'WRONGTYPE',
  });
  expect(meter.sum('redis.atomic.script.error.count', { script: 'wrong', errorType: 'WRONGTYPE' })).toBe(1);
  expect(meter.sum(`${OPERATION}.count`, { operation: 'wrong', status: 'failed' })).toBe(1);
  expect(meter.sum('redis.atomic.result.count', { operation: 'wrong', result: 'WRONGTYPE' })).toBe(1);
});

it('counts repetitions by reason', async () => {
  const options = { name: 'sell', watch: ['stock'], backoff: { baseMs: 0 } };
  const result = await transaction(driver, options, async (tx) => {
    await tx.read.get('stock');
    if (tx.attempt < 3) db.incr('stock');
    return tx.commit((queue) => queue.decr('stock'));
  });
  expect(result.status).toBe('committed');
  expect(meter.sum(`${OPERATION}.retry.count`, { operation: 'sell', reason: 'conflict' })).toBe(2);
  expect(meter.sum(`${OPERATION}.count`, { operation: 'sell', status: 'answered' })).toBe(1);
  expect(meter.sum(`${OPERATION}.timeout.count`, { operation: 'sell' })).toBe(0);
});

it('counts what had no answer in time', async () => {
  const late = transaction(driver, { name: 'late', watch: ['k'], deadlineMs: 20 }, async (tx) => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return tx.reject('never');
  });
  await expect(late).rejects.toMatchObject({ code: 'DEADLINE' });
  const mute: Driver = {
    ...driver,
    facts: driver.facts,
    send: () => Promise.reject(new Lost('no reply')),
  };
  const lost = await boundedCounter(mute, { max: 2n }).add('a', 1n);
  expect(lost.status).toBe('unknown');
  expect(meter.sum(`${OPERATION}.timeout.count`, { operation: 'late' })).toBe(1);
  expect(meter.sum(`${OPERATION}.timeout.count`, { operation: 'bounded_counter_add' })).toBe(1);
  expect(meter.sum(`${OPERATION}.count`, { operation: 'late', status: 'failed' })).toBe(1);
  expect(meter.sum(`${OPERATION}.count`, { operation: 'bounded_counter_add', status: 'unknown' })).toBe(1);
});

it('lets out neither keys nor values', async () => {
  const seats = boundedCounter(driver, { prefix: 'secretprefix', max: 99_123_456n });
  await seats.add('secretid', 77_654_321n, { requestId: 'secretrequest' });
  expect(meter.recorded.length).toBeGreaterThan(2);
  expect(JSON.stringify(meter.recorded.map(({ attributes }) => attributes))).not.toMatch(
    /secret|99123456|77654321/,
  );
});

it('serves several meters at once, each until it is stopped', async () => {
  const second = new MemoryMeter();
  const stopSecond = instrument(second);
  const seats = boundedCounter(driver, { max: 9n });
  await seats.add('a', 1n);
  stopSecond();
  await seats.add('a', 1n);
  const operation = 'bounded_counter_add';
  expect(meter.sum(`${OPERATION}.count`, { operation })).toBe(2);
  expect(second.sum(`${OPERATION}.count`, { operation })).toBe(1);
});

it('without a meter takes the one of the global provider', () => {
  const stopGlobal = instrument();
  expect(stopGlobal()).toBeUndefined();
});
