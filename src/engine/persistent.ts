// Joins an engine and its directory: what persistence needs to know of the engine, and how recovered commands run.
// server/embedded.ts and the program call it.
import { REPORTED_VERSION } from '../commands/connection.ts';
import type { AppendLog } from '../persistence/aof/log.ts';
import { Persistence, type PersistenceHost, type PersistenceOptions } from '../persistence/persistence.ts';
import { loadInto } from '../persistence/rdb/load.ts';
import { utf8Decode } from '../resp/bytes.ts';
import type { Storage } from '../storage/port.ts';
import type { Engine } from './engine.ts';
import { soon, type Timer } from './ports.ts';

export type { Persistence };

/**
 * Brings back what the directory holds, and keeps what is done from then on (directives `appendonly`, `appendfsync`…).
 * @param say is given sentences for the operator
 * @throws StorageLocked, RecoveryError, StorageError
 */
export async function persist(
  engine: Engine,
  storage: Storage,
  options: PersistenceOptions & { readonly say?: (message: string) => void } = {},
): Promise<Persistence> {
  const { space, functions } = engine;
  const session = engine.loader();
  const host: PersistenceHost = {
    setting: (name) => utf8Decode(engine.config.value(name)),
    target: {
      visitor: loadInto(space, (code) => functions.load(code, true)),
      limits: space.limits,
      begin: () => {
        session.db = space.dbs[0];
      },
      replay: (args) => engine.replay(session, args),
    },
    freeze: () => space.freeze(),
    libraries: () => [...functions.libraries.all()].map(({ code }) => code),
    get inUnit() {
      return engine.inUnit;
    },
    get dirty() {
      return space.dirty;
    },
    get unsettled() {
      return space.unsettled;
    },
    setUnsettled: (unsettled) => {
      space.unsettled = unsettled;
    },
    databases: space.dbs.length,
    attach: (log: AppendLog) => engine.effects.attach(log),
    refuseWrites: (reason) => engine.refuseWrites(reason),
    now: () => engine.clock.now(),
    elapsed: () => engine.elapsed(),
    soon,
    breathe: () => new Promise((resolve) => setTimeout(resolve, 1)),
    every: (milliseconds, action) => {
      let timer: Timer;
      const again = (): void => {
        const fire = (): void => {
          again();
          action();
        };
        timer = engine.clock.after(milliseconds, fire, true);
      };
      again();
      return () => timer.cancel();
    },
    say: options.say ?? (() => {}),
    version: REPORTED_VERSION,
  };
  space.mayExpire = false;
  try {
    const persistence = await Persistence.open(storage, host, options);
    engine.persistence = persistence;
    return persistence;
  } finally {
    space.mayExpire = true;
    space.dirty = 0;
    space.endUnit();
  }
}
