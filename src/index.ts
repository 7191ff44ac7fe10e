// Public entry of the package: the embedded database.
export type { ScriptInput } from './commands/script-words.ts';
export type { Arg, Wait } from './commands/spec.ts';
export type { BytesClient, Client, CommandMethods, Message } from './engine/client.ts';
export type { Change, OpenOptions, Snapshot, Transact } from './engine/database.ts';
export { type ApiCode, HoldfastError } from './engine/errors.ts';
export type {
  FunctionCounts,
  FunctionLibraries,
  FunctionLibrary,
  ListOptions,
  LoadOptions,
} from './engine/libraries.ts';
export { type Clock, systemClock, type Timer, VirtualClock } from './engine/ports.ts';
export { RecoveryError } from './persistence/recovery.ts';
export { Database, open, type PersistentOptions } from './server/embedded.ts';
export { StorageError, StorageLocked } from './storage/port.ts';
