// Looks through an RDB file without loading it: is it whole, and what does it hold? For `holdfast check-rdb`.
import { DEFAULT_LIMITS, type TypeName, typeOf } from '../../keyspace/values.ts';
import { RdbError } from './format.ts';
import type { ByteSource } from './input.ts';
import { RdbReader } from './reader.ts';

export interface RdbReport {
  readonly ok: boolean;
  /** Of the format; 0 where it is no RDB file. */
  readonly version: number;
  /** What each database holds, as far as it could be read. */
  readonly databases: readonly DatabaseReport[];
  /** Names of the aux fields with their values. */
  readonly aux: readonly (readonly [name: string, value: string])[];
  /** How many function libraries. */
  readonly functions: number;
  /** Bytes that the file takes, without what may lie behind its end. */
  readonly bytes: number;
  readonly error?: { readonly offset: number; readonly what: string; readonly key: string | null };
}

export interface DatabaseReport {
  readonly db: number;
  keys: number;
  expires: number;
  readonly types: Partial<Record<TypeName, number>>;
}

/** Reads all of a file; what is wrong with it is in the answer. */
export function checkRdb(source: ByteSource): RdbReport {
  const databases = new Map<number, DatabaseReport>();
  const aux: [string, string][] = [];
  let functions = 0;
  const reader = new RdbReader(source, DEFAULT_LIMITS, {
    entry(db, _key, value, expireAt) {
      let of = databases.get(db);
      if (of === undefined) databases.set(db, (of = { db, keys: 0, expires: 0, types: {} }));
      const type = typeOf(value);
      of.keys++;
      if (expireAt !== null) of.expires++;
      of.types[type] = (of.types[type] ?? 0) + 1;
    },
    library: () => functions++,
    aux: (name, value) => aux.push([name, value]),
  });
  const report = (): Omit<RdbReport, 'ok'> => ({
    version: reader.version,
    databases: [...databases.values()],
    aux,
    functions,
    bytes: reader.offset,
  });
  try {
    while (reader.step());
    return { ok: true, ...report() };
  } catch (error) {
    if (!(error instanceof RdbError)) throw error;
    const { offset, what, key } = error;
    return { ok: false, ...report(), error: { offset, what, key } };
  }
}
