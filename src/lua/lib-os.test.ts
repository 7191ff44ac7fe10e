import { expect, test } from 'vitest';
import { openOs } from './lib-os.ts';
import { LuaState } from './state.ts';
import { LuaTable } from './table.ts';
import type { LuaFunction } from './value.ts';

test("os.clock is the host's clock, and all there is", () => {
  let now = 1.5;
  const state = new LuaState({ clock: () => now, tick: () => 1e6, charge: () => {} }, new LuaTable());
  const library = openOs(state);
  const clock = library.get('clock') as LuaFunction;
  expect(clock()).toBe(1.5);
  now = 2.25;
  expect(clock()).toBe(2.25);
  expect(library.next('clock')).toBe(undefined);
});
