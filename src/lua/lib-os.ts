// The library `os` as far as scripts have it: the processor's clock. base.ts opens it with the other libraries.
import type { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import { native } from './value.ts';

export function openOs(state: LuaState): LuaTable {
  const { host } = state;
  const table = new LuaTable(0, 1);
  table.set(
    'clock',
    native(() => host.clock()),
  );
  return table;
}
