// How natives and operations raise errors: the texts of Lua 5.1's auxiliary library. Positions come from
// positions.ts.
import { callSite, siteAt } from './positions.ts';
import { LuaError, type LuaTypeName, type LuaValue, typeName } from './value.ts';

/** An error with the position of the calling Lua code in front of its text (luaL_error). To be thrown. */
export function fail(message: string, level = 1): LuaError {
  const site = siteAt(level);
  return new LuaError(
    site === null ? message : `${site.source}:${site.line}: ${message}`,
    level === 1 ? site : siteAt(1),
  );
}

/** An error without a position in its text, which natives' raw operations raise. To be thrown. */
export function plainError(message: string): LuaError {
  return new LuaError(message, siteAt(1));
}

/** `bad argument #index to 'name' (detail)`, the name as the call wrote it. To be thrown. */
export function badArgument(index: number, detail: string): LuaError {
  const site = callSite();
  let name = '?';
  let position = index;
  if (site?.call && site.name !== null) {
    name = site.name;
    if (site.how === 'method') {
      position--;
      if (position === 0) return fail(`calling '${name}' on bad self (${detail})`);
    }
  }
  return fail(`bad argument #${position} to '${name}' (${detail})`);
}

/** `expected, got …`; `count` is the number of arguments passed (`arguments.length`). To be thrown. */
export function wrongType(value: LuaValue, index: number, expected: LuaTypeName, count: number): LuaError {
  return badArgument(index, `${expected} expected, got ${index > count ? 'no value' : typeName(value)}`);
}
