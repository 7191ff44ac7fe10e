// Puts what an RDB file holds into a keyspace: a visitor for RdbReader.
import type { Space } from '../../keyspace/space.ts';
import { RdbError } from './format.ts';
import type { RdbVisitor } from './reader.ts';

/**
 * Loads keys into a keyspace, without events, effects or undo; one whose time is over is loaded all the same, and goes
 * as any other once `mayExpire` allows it. A key that is there already is an error.
 * @param library is given the code of each function library; what it throws ends the reading
 */
export function loadInto(space: Space, library: (code: string) => void): RdbVisitor {
  return {
    entry(db, key, value, expireAt) {
      const target = space.dbs[db];
      if (target === undefined) throw new RdbError(`database ${db}, but there are only ${space.dbs.length}`);
      // A deadline of 0 would mean none.
      const deadline = expireAt === null ? 0 : Math.max(1, expireAt);
      if (!target.load(key, value, deadline)) throw new RdbError('a key is there twice');
    },
    library,
    aux: () => {},
  };
}
