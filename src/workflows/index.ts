// Public entry of the toolkit (`holdfast/workflows`): drivers, transactions, scripts, and every workflow.

export * from './bounded-counter.ts';
export * from './dedup.ts';
export { type EmbeddedClient, type EmbeddedDatabase, embedded } from './drivers/embedded.ts';
export { type IoredisClient, type IoredisCluster, ioredis, iovalkey } from './drivers/ioredis.ts';
export { type NodeRedisClient, type NodeRedisCluster, nodeRedis } from './drivers/node-redis.ts';
export * from './idempotency.ts';
export {
  defineWorkflow,
  type KeyCard,
  type Mechanism,
  type OperationCard,
  type WorkflowCard,
} from './kit/card.ts';
export {
  type Carried,
  type Codec,
  decimal,
  flag,
  int,
  int64,
  json,
  type ListCodec,
  list,
  nullable,
  text,
} from './kit/codecs.ts';
export { type ContentionReport, ContentionTracker, type KeyContention } from './kit/contention.ts';
export {
  type Answer,
  type Driver,
  type Facts,
  type Lease,
  Lost,
  type NodeAnswer,
  type Request,
  ServerError,
  Unsent,
  type Word,
} from './kit/driver.ts';
export { type AtomicCode, AtomicError } from './kit/errors.ts';
export { hashTag, hotTag, keysOf, slotOf } from './kit/keys.ts';
export type { CallOptions } from './kit/perform.ts';
export type { RequestOptions } from './kit/request.ts';
export type { Envelope, Meta, Outcome, Result, RetrySafety, Unknown } from './kit/result.ts';
export {
  type Branch,
  batch,
  type Call,
  defineScript,
  denied,
  type Input,
  type OutcomeOf,
  ok,
  type ReplySpec,
  Script,
  type ScriptOptions,
  type ScriptSpec,
} from './kit/script.ts';
export {
  type ObjectTransaction,
  type Rejection,
  rejection,
  runTransaction,
  type Surroundings,
} from './kit/steps.ts';
export {
  type AdviceEvent,
  CHANNEL,
  type OperationEvent,
  type Sink,
  setTelemetry,
  type TelemetryEvent,
} from './kit/telemetry.ts';
export {
  type Committed,
  type Decision,
  type Queue,
  type Reads,
  type Rejected,
  type TransactionOptions,
  type TransactionTools,
  transaction,
} from './kit/transaction.ts';
export * from './lock.ts';
export * from './once-script.ts';
export * from './semaphore.ts';
export * from './session.ts';
export * from './unique-event.ts';
export * from './versioned.ts';
