// What a script has in its variables at one moment, and how two ways of getting there are joined. interpreter.ts keeps
// one while it walks through a script.
import type { Local } from '../lua/ast.ts';
import type { RedisCall } from './run.ts';
import { either, NIL, UNKNOWN, type Value } from './values.ts';

/** Variables, and what has been written on some way to here. */
export class State {
  locals: Map<Local, Value>;
  globals: Map<string, Value>;
  writes: readonly RedisCall[];
  /** Nothing behind this is reached: a return, break or error. */
  dead = false;

  constructor(
    locals = new Map<Local, Value>(),
    globals = new Map<string, Value>(),
    writes: readonly RedisCall[] = [],
  ) {
    this.locals = locals;
    this.globals = globals;
    this.writes = writes;
  }

  copy(): State {
    const copy = new State(new Map(this.locals), new Map(this.globals), this.writes);
    copy.dead = this.dead;
    return copy;
  }

  /** Becomes what holds after any of these; the ways that end are left out. */
  become(ways: readonly State[]): void {
    const alive = ways.filter((way) => !way.dead);
    this.dead = alive.length === 0;
    const kept = alive.length === 0 ? ways : alive;
    this.locals = joined(
      kept.map((way) => way.locals),
      UNKNOWN,
    );
    this.globals = joined(
      kept.map((way) => way.globals),
      NIL,
    );
    this.writes = [...new Set(kept.flatMap((way) => way.writes))];
  }
}

function joined<K>(maps: readonly Map<K, Value>[], missing: Value): Map<K, Value> {
  if (maps.length === 1) return new Map(maps[0]);
  const result = new Map<K, Value>();
  for (const key of new Set(maps.flatMap((map) => [...map.keys()]))) {
    const values = maps.map((map) => map.get(key) ?? missing);
    result.set(key, values.every((value) => value === values[0]) ? values[0] : either(values));
  }
  return result;
}
