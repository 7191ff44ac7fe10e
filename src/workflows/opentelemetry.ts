// The toolkit's events as OpenTelemetry metrics: the entry `holdfast/workflows/opentelemetry`, a room of its own because
// it needs a package and Node's diagnostics_channel. It listens there and not in the one sink, so that a sink and
// several meters go side by side.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Attributes, type Meter, metrics } from '@opentelemetry/api';
import { CHANNEL, type OperationEvent, type TelemetryEvent } from './kit/telemetry.ts';

/**
 * Bounds of the latency's buckets, in seconds: those of `db.client.operation.duration` with finer ones below, for a
 * Redis nearby answers within a millisecond.
 */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/**
 * Records what the toolkit does, until the function that it returns is called. Attributes are names of operations and
 * scripts, statuses, and codes of errors: never a key or value.
 *
 * ```ts
 * const stop = instrument();
 * ```
 * @param meter default: that of the global provider, under the name `holdfast`
 */
export function instrument(meter: Meter = metrics.getMeter('holdfast')): () => void {
  const record = recorder(meter);
  const listener = (message: unknown): void => record(message as TelemetryEvent);
  subscribe(CHANNEL, listener);
  return () => void unsubscribe(CHANNEL, listener);
}

function recorder(meter: Meter): (event: TelemetryEvent) => void {
  const operation = operationRecorder(meter);
  const noScript = meter.createCounter('redis.atomic.script.noscript.count', {
    description: 'Scripts or functions that a server did not have, so that they were sent whole or loaded',
    unit: '{script}',
  });
  const scriptError = meter.createCounter('redis.atomic.script.error.count', {
    description: 'Scripts that ended with an error of the server',
    unit: '{error}',
  });
  return (event) => {
    if (event.event === 'redis.atomic.operation') operation(event);
    else if (event.event === 'redis.atomic.script.noscript') noScript.add(1, { script: event.script });
    else if (event.event === 'redis.atomic.script.error') {
      scriptError.add(1, { script: event.script, errorType: event.code });
    }
  };
}

function operationRecorder(meter: Meter): (event: OperationEvent) => void {
  const counter = (name: string, unit: string, description: string) =>
    meter.createCounter(`redis.atomic.${name}`, { unit, description });
  const count = counter('operation.count', '{operation}', 'Operations that ended');
  const result = counter('result.count', '{operation}', 'Operations that ended, by what they answered');
  const retry = counter('operation.retry.count', '{retry}', 'Times that something was sent again, by reason');
  const timeout = counter(
    'operation.timeout.count',
    '{operation}',
    'Operations that had no answer when their time was over or the connection broke',
  );
  const latency = meter.createHistogram('redis.atomic.operation.latency', {
    description: 'From the call to its result, with all repetitions',
    unit: 's',
    advice: { explicitBucketBoundaries: BUCKETS },
  });
  return (event) => {
    const operation: Attributes = { operation: event.operation };
    count.add(1, { ...operation, status: statusOf(event.result) });
    result.add(1, { ...operation, result: event.result });
    latency.record(event.latencyMs / 1000, operation);
    for (const [reason, times] of Object.entries(event.retries)) retry.add(times, { ...operation, reason });
    if (event.result === 'unknown' || event.result === 'DEADLINE') timeout.add(1, operation);
  };
}

/** Statuses of results are lower case, codes of errors upper case; `threw` is an error of the caller's own function. */
function statusOf(result: string): 'answered' | 'unknown' | 'failed' {
  if (result === 'unknown') return 'unknown';
  return result === 'threw' || /^[A-Z][A-Z_]*$/.test(result) ? 'failed' : 'answered';
}
