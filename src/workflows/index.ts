// Public entry of the toolkit (`holdfast/workflows`): drivers, transactions, scripts, and every workflow.

export * from './audit-trail.ts';
export * from './booking.ts';
export * from './bounded-counter.ts';
export * from './dedup.ts';
export { type EmbeddedClient, type EmbeddedDatabase, embedded } from './drivers/embedded.ts';
export { type GlideLike, type GlideModule, glide } from './drivers/glide.ts';
export { type IoredisClient, type IoredisCluster, ioredis, iovalkey } from './drivers/ioredis.ts';
export {
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisSentinel,
  nodeRedis,
} from './drivers/node-redis.ts';
export * from './idempotency.ts';
export * from './inventory.ts';
export {
  defineWorkflow,
  isWorkflowCard,
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
export {
  type ContentionReport,
  ContentionTracker,
  type KeyContention,
  type Spent,
} from './kit/contention.ts';
export {
  applyLibraries,
  type DeploymentOptions,
  type Installed,
  type LibraryVersion,
  listInstalled,
  type Plan,
  planLibraries,
  readLibrary,
  rollbackLibrary,
  type Step,
  verifyLibraries,
} from './kit/deployment.ts';
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
export { functionLibrary, type Library, type LibrarySpec } from './kit/library.ts';
export type { CallOptions } from './kit/perform.ts';
export type { RequestOptions } from './kit/request.ts';
export type { Envelope, Meta, Outcome, Result, RetrySafety, Unknown } from './kit/result.ts';
export {
  type AnyScript,
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
export * from './leaderboard.ts';
export * from './lock.ts';
export * from './once-script.ts';
export * from './payment.ts';
export * from './placement.ts';
export * from './pop-lowest.ts';
export * from './queue.ts';
export * from './queue-worker.ts';
export * from './quota.ts';
export * from './quota-watch.ts';
export * from './rate-limit/index.ts';
export * from './reservation.ts';
export * from './semaphore.ts';
export * from './session.ts';
export * from './sweep.ts';
export * from './transfer.ts';
export * from './unique-event.ts';
export * from './versioned.ts';
